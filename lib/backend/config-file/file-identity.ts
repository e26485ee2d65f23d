/** What tells a file, or a state of it, from another. */
import { createHash, webcrypto } from 'node:crypto'
import type { BigIntStats } from 'node:fs'

/** What tells one state of a file from another. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

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
