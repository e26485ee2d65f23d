/**
 * The fields of job filter rules. Their kinds are those that Ganeti's query
 * daemon reports, though `number` and `text` would say more of some.
 */
import type { FilterRule } from '../../../../model/filter-rule.ts'
import { type Field, field } from './field.ts'
import { anyValue, anyValues, count, text } from './value-schemas.ts'

export const filterFields: readonly Field<FilterRule>[] = [
  field('uuid', 'UUID', text, 'UUID of the rule', ({ uuid }) => uuid),
  field(
    'watermark',
    'Watermark',
    count,
    'The latest job when the rule was made',
    ({ watermark }) => watermark,
  ),
  field(
    'priority',
    'Priority',
    count,
    'Rules of a lower number are applied first',
    ({ priority }) => priority,
  ),
  field('predicates', 'Predicates', anyValues, 'Which jobs the rule is for', ({ predicates }) => predicates),
  field('action', 'Action', anyValue, 'What happens to such a job', ({ action }) => action),
  field('reason_trail', 'ReasonTrail', anyValues, 'Who made the rule, and why', (rule) => rule.reason_trail),
]
