/** What tells one state of a file from another, be it another file by now or the same one changed. */
import type { BigIntStats } from 'node:fs'

/** Changes with whatever happens to a file, its change of owner or mode included. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** When a file was last changed, in seconds since the epoch; as exact as numbers are. */
export function mtimeOf({ mtimeNs }: Pick<BigIntStats, 'mtimeNs'>): number {
  return Number(mtimeNs / 1000n) / 1e6
}
