/**
 * The filter language of queries (`gnt-instance list --filter`, ganeti(7)) in
 * its JSON form:
 *
 *     ["&", FILTER...]  ["|", FILTER...]  ["!", FILTER]  null (everything)
 *     ["?", FIELD]                  the field is true
 *     ["=", FIELD, VALUE]           equal, also "=="; for host names also a short name
 *     ["!=", FIELD, VALUE]  ["<", ...]  [">", ...]  ["<=", ...]  [">=", ...]
 *     ["=~", FIELD, REGEXP]         the text matches somewhere
 *     ["=*", FIELD, GLOB]           the name matches, `*` and `?` standing for anything but a dot
 *     ["=[]", FIELD, VALUE]         the list contains the value
 *
 * As in Ganeti's query daemon a VALUE is a string or an integer and must be of
 * the kind the field's value has, conditions are tried from left to right only
 * until the outcome is known, and a cell without a value (no data, offline,
 * ...) lets its object through.
 *
 * A filter is parsed, then compiled against a table of fields to a test that
 * takes each field's cell only once from each object. Bounds on its depth, its
 * terms, its expressions and the lists it looks into keep one object's test
 * within milliseconds, and one on conditions times objects a query within a
 * second.
 */
import { Failure } from '../../../failure.ts'
import { type Json, stringifyJson } from '../../../json/json.ts'
import type { Config } from '../../../model/config.ts'
import { isCalled } from '../../../model/lookup.ts'
import { type Cell, ResultStatus } from '../../backend.ts'
import type { Field } from './fields/field.ts'
import { type LinearRegExp, linearRegExp } from './linear-regexp.ts'

type Comparison = '=' | '<' | '>' | '<=' | '>='
/** Integers beyond JavaScript's own come as bigints. */
type Value = string | number | bigint

export type Filter =
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | { readonly op: 'true'; readonly field: string }
  | { readonly op: 'compare'; readonly comparison: Comparison; readonly field: string; readonly value: Value }
  | { readonly op: 'match'; readonly field: string; readonly expression: LinearRegExp }
  | { readonly op: 'contains'; readonly field: string; readonly value: Value }

/** Fields by name. */
export interface FieldTable<T> {
  get(name: string): Field<T> | undefined
}

/** Tells whether an object passes. */
export type Test<T> = (object: T, config: Config) => boolean

const MAX_DEPTH = 100
const MAX_TERMS = 25_000

/** Bound of the sizes of all regular expressions in a filter. */
const MAX_EXPRESSIONS = 2048

/** Bound of what one object's test looks at in lists, and matches of texts, in steps of 50 ns at worst. */
const MAX_STEPS = 200_000

/** Bound of conditions times objects, some 40 ns each. Names asked for are one condition, however many. */
const MAX_CONDITIONS = 20_000_000

/**
 * Parses a filter; null stays null.
 * @throws Failure `invalid` where it is none, or beyond the bounds
 */
export function parseFilter(json: Json): Filter | null {
  return json === null ? null : new Parser().parse(json, 0)
}

class Parser {
  #terms = 0
  #expressions = 0

  parse(json: Json, depth: number): Filter {
    if (depth > MAX_DEPTH) throw invalid(`Filter nested more than ${MAX_DEPTH} times`)
    if (++this.#terms > MAX_TERMS) throw invalid(`Filter of more than ${MAX_TERMS} terms`)
    // An empty filter inside another lets everything pass, as one outside does.
    if (json === null) return { op: 'and', filters: [] }
    const [operator, ...args] = Array.isArray(json) ? (json as readonly Json[]) : []
    if (typeof operator !== 'string') {
      throw invalid(`Cannot deserialise filter: expected array [string, args], got ${shown(json)}`)
    }
    switch (operator) {
      case '&':
        return { op: 'and', filters: args.map((filter) => this.parse(filter, depth + 1)) }
      case '|':
        return { op: 'or', filters: args.map((filter) => this.parse(filter, depth + 1)) }
      case '!':
        return { op: 'not', filter: this.parse(only(args, 'filter'), depth + 1) }
      case '?':
        return { op: 'true', field: text(only(args, 'fieldname')) }
      case '=':
      case '==':
        return { op: 'compare', comparison: '=', ...fieldAndValue(args) }
      case '!=':
        return { op: 'not', filter: { op: 'compare', comparison: '=', ...fieldAndValue(args) } }
      case '<':
      case '>':
      case '<=':
      case '>=':
        return { op: 'compare', comparison: operator, ...fieldAndValue(args) }
      case '=~':
        return this.#match(args, (pattern) => pattern)
      case '=*':
        return this.#match(args, globPattern)
      case '=[]':
        return { op: 'contains', ...fieldAndValue(args) }
      default:
        throw invalid(`Unknown filter operand '${operator}'`)
    }
  }

  #match(args: readonly Json[], patternOf: (text: string) => string): Filter {
    const [field, pattern] = pair(args)
    const expression = linearRegExp(patternOf(text(pattern)))
    this.#expressions += expression.size
    if (this.#expressions > MAX_EXPRESSIONS) throw invalid('Regular expressions of the filter are too large')
    return { op: 'match', field: text(field), expression }
  }
}

/** A DNS name or the beginning of one up to a dot, where `*` and `?` stand for what is no dot. */
function globPattern(glob: string): string {
  const pattern = glob.replace(/[*?]|[^*?\w-]/g, (character) => {
    if (character === '*') return '[^.]*'
    return character === '?' ? '[^.]' : `\\${character}`
  })
  return `^${pattern}(\\..*)?$`
}

function only(args: readonly Json[], what: string): Json {
  const [arg] = args
  if (arg === undefined || args.length !== 1) {
    throw invalid(`Cannot deserialise field, expected [${what}] but got ${shown(args)}`)
  }
  return arg
}

function pair(args: readonly Json[]): [field: Json, value: Json] {
  const [field, value] = args
  if (field === undefined || value === undefined || args.length !== 2) {
    throw invalid(`Cannot deserialise field/value pair, expected [fieldname, value] but got ${shown(args)}`)
  }
  return [field, value]
}

function fieldAndValue(args: readonly Json[]): { field: string; value: Value } {
  const [field, value] = pair(args)
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw invalid(
      `Cannot deserialise numeric filter value, expecting integral but got a fractional value: ${shown(value)}`,
    )
  }
  if (typeof value !== 'string' && !isNumber(value)) {
    throw invalid(`Cannot deserialise filter value, expecting string or integer, got ${shown(value)}`)
  }
  return { field: text(field), value }
}

function text(json: Json): string {
  if (typeof json !== 'string')
    throw invalid(`Cannot convert value '${shown(json)}', error: Unable to read String`)
  return json
}

/**
 * The values a filter asks for, if it is nothing but comparisons of one field
 * with strings (`["=", "name", "a"]`, or several of them under `|`); else null.
 */
export function valuesAskedFor(filter: Filter, field: string): string[] | null {
  if (filter.op === 'compare') {
    const { comparison, value } = filter
    return comparison === '=' && filter.field === field && typeof value === 'string' ? [value] : null
  }
  if (filter.op !== 'or' || filter.filters.length === 0) return null
  const values: string[] = []
  for (const part of filter.filters) {
    const some = valuesAskedFor(part, field)
    if (!some) return null
    for (const value of some) values.push(value)
  }
  return values
}

/** The field of the first condition, if that is a comparison. */
function firstField([first]: readonly Filter[]): string | undefined {
  if (first?.op === 'or') return firstField(first.filters)
  return first?.op === 'compare' ? first.field : undefined
}

/**
 * Compiles a filter to a test. The test throws Failure `invalid` where a
 * field's value is not of the kind that the filter wants, or takes too long.
 * @param objects how many will be tested
 * @throws Failure `invalid` for a field that does not exist, or too many conditions for so many objects
 */
export function compileFilter<T>(filter: Filter, fields: FieldTable<T>, objects: number): Test<T> {
  const cells = new Map<string, { readonly field: Field<T>; cell: Cell | undefined }>()
  let object: T
  let config: Config
  let conditions = 0
  let steps = 0

  const spend = (more: number) => {
    steps += more
    if (steps > MAX_STEPS) throw invalid('The filter takes too long for the values of an object')
  }

  /** Wraps a condition on a field's value to one on the object under test. */
  const onValue = (name: string, holds: (value: Json) => boolean): (() => boolean) => {
    if (++conditions * objects > MAX_CONDITIONS) {
      throw invalid(`Filter of too many conditions to test ${objects} objects`)
    }
    const slot = cells.get(name) ?? { field: known(name, fields), cell: undefined }
    cells.set(name, slot)
    return () => {
      slot.cell ??= slot.field.cell(object, config)
      const [status, value] = slot.cell
      return status !== ResultStatus.normal || holds(value)
    }
  }

  const compile = (filter: Filter): (() => boolean) => {
    switch (filter.op) {
      case 'and': {
        const tests = filter.filters.map(compile)
        return () => tests.every((test) => test())
      }
      case 'or': {
        const field = firstField(filter.filters)
        const wanted = field !== undefined && valuesAskedFor(filter, field)
        if (wanted) return onValue(field, equallingAny(wanted, known(field, fields).hostname))
        const tests = filter.filters.map(compile)
        return () => tests.some((test) => test())
      }
      case 'not': {
        const test = compile(filter.filter)
        return () => !test()
      }
      case 'true':
        return onValue(filter.field, isTrue)
      case 'compare':
        return onValue(
          filter.field,
          comparing(filter.comparison, filter.value, known(filter.field, fields).hostname),
        )
      case 'match':
        return onValue(filter.field, matching(filter.expression, spend))
      case 'contains':
        return onValue(filter.field, containing(filter.value, spend))
    }
  }

  const passes = compile(filter)
  return (testedObject, testedConfig) => {
    object = testedObject
    config = testedConfig
    steps = 0
    for (const slot of cells.values()) slot.cell = undefined
    return passes()
  }
}

function known<T>(name: string, fields: FieldTable<T>): Field<T> {
  const field = fields.get(name)
  if (!field) throw invalid(`Can't find field named '${name}'`)
  return field
}

function isTrue(value: Json): boolean {
  if (typeof value !== 'boolean') throw invalid(`Unexpected value '${shown(value)}' in boolean context`)
  return value
}

/** Numbers and bigints mix in `<` and `>`, but not in `===`. */
const COMPARISONS: { readonly [comparison in Comparison]: <V extends Value>(a: V, b: V) => boolean } = {
  '=': (a, b) => !(a < b) && !(a > b),
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

function isNumber(value: Json): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function comparing(comparison: Comparison, wanted: Value, hostname: boolean): (value: Json) => boolean {
  const compare = COMPARISONS[comparison]
  return (value) => {
    if (typeof value === 'string' && typeof wanted === 'string') {
      return hostname && comparison === '=' ? isCalled(value, wanted) : compare(value, wanted)
    }
    if (isNumber(value) && isNumber(wanted)) return compare<number | bigint>(value, wanted)
    const kind = typeof wanted === 'string' ? 'QuotedString' : 'NumericValue'
    throw invalid(
      `Invalid types in comparison, trying to compare ${shown(value)} with '${kind} ${shown(wanted)}'`,
    )
  }
}

/** As one comparison after another, but not slower for many. */
function equallingAny(wanted: readonly string[], hostname: boolean): (value: Json) => boolean {
  const names = new Set(wanted)
  return (value) => {
    if (typeof value !== 'string') return comparing('=', wanted[0] ?? '', false)(value)
    if (names.has(value)) return true
    if (!hostname) return false
    for (let dot = value.indexOf('.'); dot >= 0; dot = value.indexOf('.', dot + 1)) {
      if (names.has(value.slice(0, dot))) return true
    }
    return false
  }
}

function matching(expression: LinearRegExp, spend: (steps: number) => void): (value: Json) => boolean {
  return (value) => {
    if (typeof value === 'string') {
      spend(expression.size * value.length)
      return expression.test(value)
    }
    throw invalid(`Invalid field value used in regexp matching, expecting string but got '${shown(value)}'`)
  }
}

function containing(wanted: Value, spend: (steps: number) => void): (value: Json) => boolean {
  const [fits, kind] = isNumber(wanted) ? [isNumber, 'Integer'] : [isString, 'String']
  const equals = comparing('=', wanted, false)
  return (value) => {
    if (!Array.isArray(value))
      throw invalid(`Cannot convert value '${shown(value)}', error: Unable to read list`)
    const list = value as readonly Json[]
    spend(list.length)
    if (!list.every(fits))
      throw invalid(`Cannot convert value '${shown(value)}', error: Unable to read ${kind}`)
    return list.some(equals)
  }
}

function isString(value: Json): boolean {
  return typeof value === 'string'
}

/** A value as messages show it, not more of it than a person would read. */
function shown(value: Json): string {
  const json = stringifyJson(value)
  return json.length > 200 ? `${json.slice(0, 200)}...` : json
}

function invalid(message: string): Failure {
  return new Failure('invalid', message)
}
