/** What is known of a file's text: when it was changed, and a hash of it. */
import { createHash, webcrypto } from 'node:crypto'

/** Of a time in nanoseconds; as exact as numbers are. */
export function secondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1e6
}

/** SHA-256 in hexadecimal. */
export function hashOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The same, worked out on another thread. */
export async function hashInBackground(bytes: Buffer): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex')
}
