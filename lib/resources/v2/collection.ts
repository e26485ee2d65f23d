/**
 * Nodes, instances, groups and networks are listed and shown in the same way; a
 * Collection declares the differences.
 */
import type { Backend } from '../../backend/backend.ts'
import type { Json, JsonObject } from '../../json/json.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import type { Schema } from '../../model/check.ts'
import { isSince } from '../../model/version.ts'
import {
  type FieldNames,
  fieldSchema,
  listSchema,
  type Properties,
  rowSchema,
  uriListSchema,
} from '../answer-schemas.ts'
import { type Method, open } from '../resource.ts'
import { onlyRow, rowObject, sortedNames, uriList } from '../rows.ts'
import { bulk, checkLock, isBulk, lock } from './parameters.ts'

export interface Collection {
  readonly path: string
  readonly singular: string
  readonly plural: string
  /** What its permissions begin with. */
  readonly permissions: 'groups' | 'instances' | 'networks' | 'nodes'
  /** In names of operations: `Node` for `GetNode` and `GetNodes`. */
  readonly id: 'Group' | 'Instance' | 'Network' | 'Node'
  /** The key of an object's name in a plain list. */
  readonly idKey: 'id' | 'name'
  /** The fields of each object, some only since a release. */
  readonly fields: FieldNames
  /** Queries the named objects, or all of them. */
  query(
    backend: Backend,
    names: readonly string[],
    fields: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly Json[])[]>
  /** Fields that an answer has in the place of others. */
  replace?(object: JsonObject): JsonObject
  /** What they are. */
  readonly replaced?: Properties
  /** Fields that a single object has twice, under the name by which they are modified too (GET_ALIASES in rlib2.py). */
  readonly aliases?: { readonly [alias: string]: string }
}

async function fieldsOf({ fields }: Collection, backend: Backend): Promise<readonly string[]> {
  const version = fields.every((field) => typeof field === 'string') ? undefined : await backend.version()
  return fields.flatMap((field) => {
    if (typeof field === 'string') return field
    const [since, name] = field
    return version && isSince(version, since) ? name : []
  })
}

function shown({ replace }: Collection, fields: readonly string[], row: readonly Json[]): JsonObject {
  const object = rowObject(fields, row)
  return replace ? { ...object, ...replace(object) } : object
}

function schemaOf({ id, fields, replaced = {}, aliases = {} }: Collection): Schema {
  const noun = id.toLowerCase() as Lowercase<typeof id>
  const optional = Object.entries(aliases).map(([alias, name]) => [
    alias,
    { ...fieldSchema(noun, name), description: `As \`${name}\`, in an answer about this ${noun} only.` },
  ])
  return rowSchema(id, noun, fields, { replaced, optional: Object.fromEntries(optional) })
}

/** Lists all objects: names and URIs sorted as text, or details in natural order. */
export function listOf(collection: Collection): Method<unknown> {
  const list = open(
    `${collection.permissions}.list`,
    `Lists the ${collection.plural}; with bulk, all their details.`,
    async ({ backend, query, signal }) => {
      if (query.flag('bulk')) {
        checkLock(query)
        const fields = await fieldsOf(collection, backend)
        const rows = await collection.query(backend, [], fields, signal)
        return lazyMap(rows, (row) => shown(collection, fields, row))
      }
      const rows = await collection.query(backend, [], ['name'], signal)
      return uriList(collection.idKey, collection.path, sortedNames(rows))
    },
    {
      operationId: `Get${collection.id}s`,
      parameters: [bulk, lock],
      answer: listSchema(uriListSchema(collection.idKey, `${collection.id}Uri`), schemaOf(collection)),
      example: {},
    },
  )
  return { ...list, large: isBulk }
}

/** Shows the object that a parameter of the path names. */
export function oneOf<const Name extends string>(
  collection: Collection,
  name: Name,
): Method<{ readonly [name in Name]: string }> {
  return open(
    `${collection.permissions}.query`,
    `Gives all details of the ${collection.singular}.`,
    async ({ backend, params, query, signal }) => {
      checkLock(query)
      const fields = await fieldsOf(collection, backend)
      const row = onlyRow(await collection.query(backend, [params[name]], fields, signal))
      const object = shown(collection, fields, row)
      const aliases = Object.entries(collection.aliases ?? {})
      return {
        ...object,
        ...Object.fromEntries(aliases.map(([alias, name]) => [alias, object[name] ?? null])),
      }
    },
    {
      operationId: `Get${collection.id}`,
      parameters: [lock],
      answer: schemaOf(collection),
      example: {},
    },
  )
}
