/**
 * What a parameter of an opcode may look like: small tests of JSON values that
 * combine into larger ones, as Ganeti's own do (lib/ht.py). Each also says what
 * it tests as a JSON Schema (dialect 2020-12), which the description of the API
 * shows: what is checked and what is described come from one declaration.
 *
 * Simplified on purpose: JSON tells 1 and 1.0 apart only for Python; to us
 * both are the integer they are.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'

/** A JSON Schema. */
export type Schema = JsonObject

/** Whether a value will do. */
export interface Check {
  (value: Json): boolean
  /**
   * The same as a schema. It takes integers with an exponent beyond 2^53 too; and what `format` stands
   * for, `ipv4-network` and `ipv6-network`, is only told in words there.
   */
  readonly schema: Schema
}

/** A check and its schema, which must agree. */
function check(schema: Schema, test: (value: Json) => boolean): Check {
  return Object.assign((value: Json) => test(value), { schema })
}

export const anything = check({}, () => true)
export const boolean = check({ type: 'boolean' }, (value) => typeof value === 'boolean')
export const string = check({ type: 'string' }, (value) => typeof value === 'string')
export const nonEmptyString = check(
  { type: 'string', minLength: 1 },
  (value) => typeof value === 'string' && value !== '',
)
export const number = check(
  { type: 'number' },
  (value) => typeof value === 'number' || typeof value === 'bigint',
)
/** Integers that a number cannot hold come as bigints (json.ts); other large ones had an exponent. */
export const integer = check(
  { type: 'integer' },
  (value) => Number.isSafeInteger(value) || typeof value === 'bigint',
)
export const nonNegativeInt = atLeast(0)
export const positiveInt = atLeast(1)
export const dict = check({ type: 'object' }, isJsonObject)
export const list = check({ type: 'array' }, Array.isArray)

function atLeast(minimum: number): Check {
  return check({ type: 'integer', minimum }, (value) => integer(value) && Number(value) >= minimum)
}

export function oneOf(...values: readonly Json[]): Check {
  return check({ enum: values }, (value) => values.includes(value))
}

export function matching(pattern: RegExp): Check {
  return check(
    { type: 'string', pattern: pattern.source },
    (value) => typeof value === 'string' && pattern.test(value),
  )
}

export function maybe(one: Check): Check {
  return check(orNull(one.schema), (value) => value === null || one(value))
}

/** A schema that takes null as well. */
export function orNull(schema: Schema): Schema {
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...schema.enum, null] }
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'] }
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] }
  return schema
}

export function either(...checks: readonly Check[]): Check {
  return check({ anyOf: checks.map(({ schema }) => schema) }, (value) => checks.some((one) => one(value)))
}

export function lessThan(limit: number, integers: Check): Check {
  return check(
    { ...integers.schema, exclusiveMaximum: limit },
    (value) => integers(value) && Number(value) < limit,
  )
}

export function listOf(item: Check): Check {
  return check(
    { type: 'array', items: item.schema },
    (value) => Array.isArray(value) && value.every((one) => item(one)),
  )
}

/** A list of exactly these. */
export function tupleOf(...items: readonly Check[]): Check {
  const { length } = items
  return check(
    { type: 'array', prefixItems: items.map(({ schema }) => schema), minItems: length, maxItems: length },
    (value) =>
      Array.isArray(value) && value.length === length && items.every((item, place) => item(value[place])),
  )
}

export function dictOf(key: Check, item: Check): Check {
  return check(
    { type: 'object', propertyNames: key.schema, additionalProperties: item.schema },
    (value) =>
      isJsonObject(value) && Object.keys(value).every((name) => key(name) && item(value[name] as Json)),
  )
}

export const ipv4Address = textOf('ipv4', isIPv4)
export const ipv6Address = textOf('ipv6', isIPv6)
export const ipv4Network = textOf('ipv4-network', (text) => isNetwork(text, isIPv4, ipv4Bits))
export const ipv6Network = textOf('ipv6-network', (text) => isNetwork(text, isIPv6, ipv6Bits))

function textOf(format: string, test: (text: string) => boolean): Check {
  return check({ type: 'string', format }, (value) => typeof value === 'string' && test(value))
}

/**
 * Whether a text is a network like `192.0.2.0/24`, with no bits beyond its
 * prefix, or an address, which stands for a network of one.
 */
function isNetwork(
  text: string,
  isAddress: (text: string) => boolean,
  bitsOf: (address: string) => string,
): boolean {
  const [address = '', prefix, ...more] = text.split('/', 3)
  if (!isAddress(address) || more.length > 0) return false
  if (prefix === undefined) return true
  const bits = bitsOf(address)
  return (
    /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits.length && !bits.slice(Number(prefix)).includes('1')
  )
}

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('')
}

function ipv6Bits(address: string): string {
  const [before = '', after] = address.split('::').map(ipv6GroupBits)
  return after === undefined ? before : before.padEnd(128 - after.length, '0') + after
}

/** The bits of `2001:db8` or, with an IPv4 address at its end, `ffff:192.0.2.1`. */
function ipv6GroupBits(groups: string): string {
  if (groups === '') return ''
  return groups
    .split(':')
    .map((group) =>
      group.includes('.') ? ipv4Bits(group) : Number.parseInt(group, 16).toString(2).padStart(16, '0'),
    )
    .join('')
}
