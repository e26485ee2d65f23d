/** The pool of user ids: ranges, both ends included. */
import type { Json } from '../../../json.ts'
import { pythonText } from './force-types.ts'
import { prerequisite } from './operation.ts'
import type { Run } from './run.ts'

type Range = readonly [lower: number, higher: number]

const HIGHEST = 2 ** 32 - 1

/** @throws OpError where one of the opcode's ranges is none */
export function checkUidRanges(run: Run): void {
  for (const [lower, higher] of ['uid_pool', 'add_uids', 'remove_uids'].flatMap((name) =>
    rangesIn(run.list(name)),
  )) {
    if (lower > higher) {
      throw prerequisite(
        `Lower user-id range boundary value (${lower}) is larger than higher boundary value (${higher})`,
        'wrong_input',
      )
    }
    if (lower < 0) {
      throw prerequisite(
        `Lower user-id range boundary value (${lower}) is smaller than UIDPOOL_UID_MIN (0).`,
        'wrong_input',
      )
    }
    if (higher > HIGHEST) {
      throw prerequisite(
        `Higher user-id boundary value (${higher}) is larger than UIDPOOL_UID_MAX (${HIGHEST}).`,
        'wrong_input',
      )
    }
  }
}

/** The pool as it will be. */
export function changedUidPool(run: Run, pool: Json): Json {
  if (Array.isArray(run.opcode.uid_pool)) return run.opcode.uid_pool
  const ranges = rangesIn(Array.isArray(pool) ? pool : [])
  const added = rangesIn(run.list('add_uids'))
  if (added.length > 0) {
    ranges.push(...added.filter((range) => !has(ranges, range)))
    ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  }
  for (const range of rangesIn(run.list('remove_uids'))) {
    if (!has(ranges, range)) {
      throw prerequisite(
        `User-id range to be removed is not found in the current user-id pool: ${pythonText(range)}`,
        'wrong_input',
      )
    }
    ranges.splice(
      ranges.findIndex((one) => isSame(one, range)),
      1,
    )
  }
  return ranges
}

function rangesIn(list: readonly Json[]): Range[] {
  return (list as readonly (readonly Json[])[]).map(([lower, higher]) => [Number(lower), Number(higher)])
}

function has(ranges: readonly Range[], range: Range): boolean {
  return ranges.some((one) => isSame(one, range))
}

function isSame(a: Range, b: Range): boolean {
  return a[0] === b[0] && a[1] === b[1]
}
