/**
 * The job filter: rules that accept, pause, reject or slow down jobs
 * (gnt-filter(8)). Of the rules whose predicates all hold for a job, in the
 * order of their priorities, the first counts that does not say CONTINUE.
 */
import { Failure } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../json/json.ts'
import type { Config } from '../../../model/config.ts'
import type { FilterRule, NewFilterRule } from '../../../model/filter-rule.ts'
import { type Job, nanoseconds, timestamp } from '../../../model/job.ts'
import { cellField, type Field, normal } from '../query/fields/field.ts'
import { compileFilter, type FieldTable, parseFilter } from '../query/filter-language.ts'

export type Verdict =
  | { readonly action: 'accept' | 'pause' | 'reject' }
  /** To run while fewer than `limit` others do that the same rule is about. */
  | { readonly action: 'limit'; readonly limit: number; readonly rule: string }

type JobTest = (job: Job, config: Config) => boolean

export class JobFilter {
  readonly #rules: readonly { readonly verdict: Verdict; readonly holds: JobTest }[]

  constructor(rules: readonly FilterRule[]) {
    const order = (a: FilterRule, b: FilterRule) =>
      a.priority - b.priority || a.watermark - b.watermark || (a.uuid < b.uuid ? -1 : 1)
    this.#rules = [...rules].sort(order).flatMap((rule) => {
      const verdict = verdictOf(rule)
      if (!verdict) return []
      const tests = (rule.predicates as readonly Json[]).map((predicate) =>
        neverIfBroken(predicate, rule.watermark),
      )
      return [{ verdict, holds: (job: Job, config: Config) => tests.every((test) => test(job, config)) }]
    })
  }

  /** What becomes of a job that wants to run. */
  verdict(job: Job, config: Config): Verdict {
    return this.#rules.find(({ holds }) => holds(job, config))?.verdict ?? { action: 'accept' }
  }
}

function verdictOf({ action, uuid }: FilterRule): Verdict | undefined {
  if (Array.isArray(action)) return { action: 'limit', limit: Number(action[1]), rule: uuid }
  switch (action) {
    case 'ACCEPT':
      return { action: 'accept' }
    case 'PAUSE':
      return { action: 'pause' }
    case 'REJECT':
      return { action: 'reject' }
  }
  return undefined
}

/** Lists within one another or not: each job that waits is tested against every rule. */
const MAX_TERMS = 1000

/** Makes sure that a rule can be applied. */
function checkPredicates(predicates: Json): void {
  if (termsIn(predicates) > MAX_TERMS)
    throw new Failure('invalid', `Predicates of more than ${MAX_TERMS} terms`)
  for (const predicate of predicates as readonly Json[]) compilePredicate(predicate, 0)
}

/**
 * Makes a rule of what a client wants.
 * @param watermark the latest job there is
 * @throws Failure `invalid` for predicates that make no sense, or of more than 1000 terms
 */
export function makeRule(
  uuid: string,
  { priority, predicates, action, reason }: NewFilterRule,
  watermark: number,
): FilterRule {
  checkPredicates(predicates)
  const now: Json = ['luxid', '', nanoseconds(timestamp())]
  return {
    uuid,
    watermark,
    priority: Number(priority),
    predicates: canonicalPredicates(predicates),
    action,
    reason_trail: [...(reason as readonly Json[]).map(withWholeTime), now],
  }
}

/** An entry of a reason trail, whose time may be said to have a fraction. */
function withWholeTime(entry: Json): Json {
  const [source = null, reason = null, time = null] = entry as readonly Json[]
  return [source, reason, typeof time === 'number' ? Math.round(time) : time]
}

/** Gives predicates as the master daemon keeps and shows them: with `==` alone for what is equal. */
function canonicalPredicates(predicates: Json): Json {
  return (predicates as readonly Json[]).map((predicate) => {
    const [name = null, filter = null] = predicate as readonly Json[]
    return [name, canonical(filter)]
  })
}

function canonical(filter: Json): Json {
  const [operator = null, ...args] = Array.isArray(filter) ? (filter as readonly Json[]) : []
  switch (operator) {
    case '=':
      return ['==', ...args]
    case '!=':
      return ['!', ['==', ...args]]
    case '&':
    case '|':
    case '!':
      return [operator, ...args.map(canonical)]
  }
  return filter
}

function termsIn(json: Json): number {
  return Array.isArray(json)
    ? (json as readonly Json[]).reduce<number>((sum, part) => sum + termsIn(part), 1)
    : 0
}

/** A person may have written into the file what is no condition: it never holds. */
function neverIfBroken(predicate: Json, watermark: number): JobTest {
  try {
    return compilePredicate(predicate, watermark)
  } catch (error) {
    if (error instanceof Failure) return () => false
    throw error
  }
}

function compilePredicate(predicate: Json, watermark: number): JobTest {
  const [name, json = null] = predicate as readonly Json[]
  switch (name) {
    case 'jobid':
      return compile(withWatermark(json, watermark), JOB_FIELDS, (job) => [job])
    case 'opcode':
      return compile(json, OBJECT_FIELDS, ({ ops }) => ops.map(({ input }) => input))
    case 'reason':
      return compile(json, OBJECT_FIELDS, reasonsOf)
  }
  return () => false
}

/** Holds where it does for any of a job's parts; a condition on something a part does not have does not hold. */
function compile<T>(json: Json, fields: FieldTable<T>, partsOf: (job: Job) => readonly T[]): JobTest {
  const filter = parseFilter(json)
  if (!filter) return () => true
  const passes = compileFilter(filter, fields, 1)
  return (job, config) =>
    partsOf(job).some((part) => {
      try {
        return passes(part, config)
      } catch (error) {
        if (error instanceof Failure) return false
        throw error
      }
    })
}

const JOB_FIELDS: FieldTable<Job> = new Map([
  ['id', cellField<Job>('id', 'ID', 'number', 'Number of the job', ({ id }) => normal(id))],
])

/** Fields of an object by their names, those of inner ones with dots between. */
const OBJECT_FIELDS: FieldTable<JsonObject> = {
  get: (name): Field<JsonObject> => {
    const keys = name.split('.')
    return cellField(name, name, {}, '', (object) => {
      let value: Json | undefined = object
      for (const key of keys) {
        if (value === undefined) break
        value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
      }
      if (value === undefined) throw new Failure('invalid', `nothing called ${name}`)
      return normal(value)
    })
  },
}

function reasonsOf({ ops }: Job): JsonObject[] {
  return ops.flatMap(({ input: { reason } }) =>
    (Array.isArray(reason) ? (reason as readonly Json[]) : []).map((entry) => {
      const [source = '', text = '', timestamp = 0] = entry as readonly Json[]
      return { source, reason: text, timestamp }
    }),
  )
}

/** In a condition on ids, `watermark` is the latest job when the rule was made. */
function withWatermark(json: Json, watermark: number): Json {
  if (json === 'watermark') return watermark
  return Array.isArray(json) ? json.map((part: Json) => withWatermark(part, watermark)) : json
}
