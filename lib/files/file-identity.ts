/** Detects that a file was changed, or replaced by another. */
import type { BigIntStats } from 'node:fs'

/** An identity that changes with every change of a file, including its owner and mode. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** When a file was last changed, in seconds since the epoch, in the precision of a JavaScript number. */
export function mtimeOf({ mtimeNs }: Pick<BigIntStats, 'mtimeNs'>): number {
  return Number(mtimeNs / 1000n) / 1e6
}
