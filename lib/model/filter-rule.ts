import type { Json } from '../json/json.ts'
import {
  type Check,
  either,
  lessThan,
  list,
  listOf,
  maybe,
  nonNegativeInt,
  number,
  oneOf,
  positiveInt,
  string,
  tupleOf,
} from './check.ts'

/** A rule of the job filter (not a query's filter): which jobs to accept, pause, reject or slow down. */
export interface FilterRule {
  readonly uuid: string
  readonly watermark: number
  readonly priority: number
  readonly predicates: Json
  readonly action: Json
  readonly reason_trail: Json
}

/** A rule as a client adds it. */
export interface NewFilterRule {
  readonly priority: Json
  readonly predicates: Json
  readonly action: Json
  /** What the rule's reason trail begins with. */
  readonly reason: Json
}

/**
 * What each part of a rule looks like, but for the filter within a predicate:
 * that is read where the rule is applied.
 */
export const filterRuleChecks: { readonly [part in keyof NewFilterRule]: Check } = {
  // What a number holds exactly.
  priority: lessThan(2 ** 53, nonNegativeInt),
  predicates: listOf(tupleOf(oneOf('jobid', 'opcode', 'reason'), maybe(list))),
  action: either(
    oneOf('ACCEPT', 'CONTINUE', 'PAUSE', 'REJECT'),
    tupleOf(oneOf('RATE_LIMIT'), lessThan(2 ** 53, positiveInt)),
  ),
  // Who, why, and when: nanoseconds, which the master daemon rounds.
  reason: listOf(tupleOf(string, string, number)),
}
