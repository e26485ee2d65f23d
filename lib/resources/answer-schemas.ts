/**
 * JSON Schemas of answers. One with a title is a type of its own, which the
 * description of the API has once, under that name. The fields of objects are
 * those of the file backend's tables: all that Ganeti has, with kind and meaning.
 */
import { clusterFields } from '../backend/config-file/query/fields/cluster.ts'
import type { Field } from '../backend/config-file/query/fields/field.ts'
import { filterFields } from '../backend/config-file/query/fields/filter.ts'
import { groupFields } from '../backend/config-file/query/fields/group.ts'
import { instanceFields } from '../backend/config-file/query/fields/instance.ts'
import { jobFields } from '../backend/config-file/query/fields/job.ts'
import { networkFields } from '../backend/config-file/query/fields/network.ts'
import { nodeFields } from '../backend/config-file/query/fields/node.ts'
import { osFields } from '../backend/config-file/query/fields/os.ts'

export { params as paramsSchema } from '../backend/config-file/query/fields/value-schemas.ts'

import { listOf, type Schema, string } from '../model/check.ts'
import type { Release } from '../model/version.ts'

/** Schemas of the members of an object, by name. */
export interface Properties {
  readonly [name: string]: Schema
}

const FIELDS = {
  cluster: clusterFields,
  filter: filterFields,
  group: groupFields,
  instance: instanceFields,
  job: jobFields,
  network: networkFields,
  node: nodeFields,
  os: osFields,
} as const

export type Noun = keyof typeof FIELDS

/** Names of fields; some are there only since a release. */
export type FieldNames = readonly (string | readonly [since: Release, field: string])[]

export const texts = listOf(string).schema

/** An object with all of these members, and perhaps others. */
export function objectOf(title: string, properties: Properties, optional: Properties = {}): Schema {
  return {
    title,
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
  }
}

/** The value of a field, with its meaning. */
export function fieldSchema(noun: Noun, name: string): Schema {
  const table: readonly Omit<Field<never>, 'cell'>[] = FIELDS[noun]
  const field = table.find((one) => one.name === name)
  if (!field) throw new Error(`no field ${name} of ${noun}`)
  const { schema, doc } = field
  return { ...schema, description: [`${doc}.`, schema.description ?? ''].join(' ').trim() }
}

/**
 * An object with these fields.
 * @param optional members that only some answers have
 */
export function rowSchema(
  title: string,
  noun: Noun,
  names: FieldNames,
  { replaced = {}, optional = {} }: { readonly replaced?: Properties; readonly optional?: Properties } = {},
): Schema {
  const always: { [name: string]: Schema } = {}
  const later: { [name: string]: Schema } = {}
  for (const name of names) {
    if (typeof name === 'string') always[name] = replaced[name] ?? fieldSchema(noun, name)
    else later[name[1]] = { ...fieldSchema(noun, name[1]), 'x-ganeti-since': name[0] }
  }
  return objectOf(title, always, { ...later, ...optional })
}

/** A list of what a key names, each with the URI of its details. */
export function uriListSchema(
  key: 'id' | 'name' | 'uuid',
  title: string,
  of: Schema = string.schema,
): Schema {
  return { type: 'array', items: objectOf(title, { [key]: of, uri: string.schema }) }
}

/** What lists give: names and URIs or, with `bulk`, details. */
export function listSchema(plain: Schema, details: Schema): Schema {
  return { anyOf: [plain, { type: 'array', items: details }] }
}
