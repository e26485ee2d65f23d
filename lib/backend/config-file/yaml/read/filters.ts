/** The job filters of a YAML file. */
import type { Json } from '../../../../json/json.ts'
import type { FilterRule } from '../../../../model/filter-rule.ts'
import { NONE, type RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

const PREDICATES: readonly unknown[] = ['jobid', 'opcode', 'reason']
const ACTIONS: readonly unknown[] = ['ACCEPT', 'CONTINUE', 'PAUSE', 'REJECT']

/**
 * @param index of the rule in the list, which its UUID is derived from
 * @param ctime when the cluster was made, and so a rule with a reason
 */
export function readFilter(
  fields: RecordReader,
  index: number,
  identities: Identities,
  ctime: number,
): FilterRule {
  const reason = fields.textOr('reason', undefined)
  // As Ganeti writes the reason of the user who adds a rule, with the time in nanoseconds.
  const trail = reason === undefined ? NONE : [['gnt:user', reason, Math.round(ctime * 1e9)]]
  const rule = {
    uuid: identities.uuid(fields, 'filter', String(index)),
    watermark: fields.countOr('watermark', 0),
    priority: fields.countOr('priority', 0),
    predicates: readPredicates(fields),
    action: readAction(fields),
    reason_trail: fields.has('reason_trail') ? fields.list('reason_trail') : trail,
  }
  fields.rejectUnknownKeysOf(keysOf('filters'))
  return rule
}

function readPredicates(fields: RecordReader): readonly Json[] {
  const predicates = fields.list('predicates')
  predicates.forEach((predicate, index) => {
    if (Array.isArray(predicate) && PREDICATES.includes(predicate[0])) return
    const place = { parent: fields.at('predicates'), key: index }
    fields.problems.add(place, `a predicate is a list that begins with ${PREDICATES.join(', ')}`)
  })
  return predicates
}

function readAction(fields: RecordReader): Json {
  const action = fields.json('action', 'CONTINUE')
  const limit =
    Array.isArray(action) && action.length === 2 && action[0] === 'RATE_LIMIT' && Number.isInteger(action[1])
  if (!limit && !ACTIONS.includes(action)) {
    fields.addProblem(
      'action',
      `action must be one of ${ACTIONS.join(', ')}, or [RATE_LIMIT, number of jobs]`,
    )
  }
  return action
}
