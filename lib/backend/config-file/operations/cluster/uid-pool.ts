/** The pool of user ids: ranges, both ends included. */
import type { Json } from '../../../../json/json.ts'
import { pythonText } from '../shared/force-types.ts'
import { prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'

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
  const ranges = new Map(rangesIn(Array.isArray(pool) ? pool : []).map((range) => [String(range), range]))
  const added = rangesIn(run.list('add_uids'))
  for (const range of added) ranges.set(String(range), range)
  for (const range of rangesIn(run.list('remove_uids'))) {
    if (!ranges.delete(String(range))) {
      throw prerequisite(
        `User-id range to be removed is not found in the current user-id pool: ${pythonText(range)}`,
        'wrong_input',
      )
    }
  }
  const changed = [...ranges.values()]
  return added.length > 0 ? changed.sort((a, b) => a[0] - b[0] || a[1] - b[1]) : changed
}

function rangesIn(list: readonly Json[]): Range[] {
  return (list as readonly (readonly Json[])[]).map(([lower, higher]) => [Number(lower), Number(higher)])
}
