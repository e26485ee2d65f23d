/** What tells one state of a file from another, be it another file by now or the same one changed. */
import type { BigIntStats } from 'node:fs'

/** Changes with whatever happens to a file, its change of owner or mode included. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}
