/**
 * Ids and MACs that a file does not give, derived from names by a hash, so that
 * they are the same after every reload, on every machine, however the file is
 * sorted.
 */
import { createHash } from 'node:crypto'

/** The namespace of our ids, itself a random UUID: version 5 of RFC 9562 wants one. */
const NAMESPACE = Buffer.from('0f6c2b0e5d3f4c1e9a7b6e1d2c3b4a59', 'hex')

/** A UUID (version 5) that follows from names alone, e.g. `deriveUuid('nic', 'web.example.com', '0')`. */
export function deriveUuid(...names: readonly string[]): string {
  const bytes = digest(names).subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A number from 0 up to, not including, `end`. */
export function deriveNumber(end: number, ...names: readonly string[]): number {
  return digest(names).readUInt32BE() % end
}

/** Forty hexadecimal digits. */
export function deriveHex(...names: readonly string[]): string {
  return digest(names).toString('hex')
}

function digest(names: readonly string[]): Buffer {
  const hash = createHash('sha1').update(NAMESPACE)
  // Each name with its length before it, so that ('ab', 'c') and ('a', 'bc') differ.
  for (const name of names) hash.update(`${name.length}:${name}`)
  return hash.digest()
}
