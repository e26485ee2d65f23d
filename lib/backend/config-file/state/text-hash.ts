/** A hash that identifies a text of the cluster's file. */
import { createHash, webcrypto } from 'node:crypto'

/** SHA-256 in hexadecimal. */
export function hashOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The same, computed on another thread. */
export async function hashInBackground(bytes: Buffer): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex')
}
