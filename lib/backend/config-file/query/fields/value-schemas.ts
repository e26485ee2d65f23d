/**
 * What values of fields look like, as JSON Schemas. A kind of Ganeti's tells
 * enough of some; for what is only of the kind `other` it stands here.
 */
import { dict, listOf, maybe, nonNegativeInt, type Schema, string } from '../../../../model/check.ts'
import type { ParamType, ParamTypes } from '../../../../model/defaults.ts'
import type { FieldKind } from '../../../backend.ts'

export const text = string.schema
export const texts = listOf(string).schema
export const count = nonNegativeInt.schema
/** Names to whatever they stand for. */
export const object = dict.schema
export const objects = listOf(dict).schema
export const anyValue: Schema = {}
export const anyValues: Schema = { type: 'array', items: anyValue }
/** Parameters of which each hypervisor has its own. */
export const looseParams: Schema = {
  type: 'object',
  additionalProperties: { type: ['boolean', 'number', 'string', 'null'] },
}
/** Seconds since 1970, and microseconds. */
export const time = tuple(count, count)

const OF_KIND: { readonly [kind in Exclude<FieldKind, 'other'>]: Schema } = {
  bool: { type: 'boolean' },
  float: { type: 'number' },
  number: { type: 'integer' },
  text,
  timestamp: { type: 'number', description: 'Seconds since 1970.' },
  unit: { type: 'integer', description: 'MiB.' },
  unknown: anyValue,
}

/** The schema of a value of a kind. */
export function schemaOfKind(kind: Exclude<FieldKind, 'other'>): Schema {
  return OF_KIND[kind]
}

const OF_TYPE: { readonly [type in ParamType]: Schema } = {
  bool: { type: 'boolean' },
  float: { type: 'number' },
  int: { type: 'integer' },
  'maybe-string': maybe(string).schema,
  size: { type: 'integer', description: 'MiB.' },
  string: text,
}

/** An object with parameters of these types, of which any may be missing. */
export function params(types: ParamTypes): Schema {
  const properties = Object.entries(types).map(([name, type]) => [name, OF_TYPE[type]])
  return { type: 'object', properties: Object.fromEntries(properties) }
}

/** A list with one value for each place. */
export function tuple(...items: readonly Schema[]): Schema {
  return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length }
}

export function list(items: Schema): Schema {
  return { type: 'array', items }
}
