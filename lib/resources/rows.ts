/** Conversions of rows of values for answers; used by both versions of the API. */
import type { Json, JsonObject } from '../json/json.ts'

/** Pairs a row's values with the names of its fields. */
export function rowObject(fields: readonly string[], row: readonly Json[]): JsonObject {
  const object: { [name: string]: Json } = {}
  for (const [place, field] of fields.entries()) object[field] = row[place] ?? null
  return object
}

/** The names in rows of one column, sorted as text (unlike bulk answers, which have Ganeti's natural order). */
export function sortedNames(rows: readonly (readonly Json[])[]): string[] {
  return rows.map(([name]) => String(name)).sort()
}

/** A plain list: `{id, uri}` (or whatever `key` says) for each name. */
export function uriList(key: 'id' | 'name' | 'uuid', under: string, names: readonly string[]): Json {
  return names.map((name) => ({ [key]: name, uri: `${under}/${name}` }))
}

/** The one row of an answer about one object. */
export function onlyRow(rows: readonly (readonly Json[])[]): readonly Json[] {
  const [row] = rows
  if (row === undefined) throw new Error('a query for one name gave no row')
  return row
}
