/** Results of calls, in the forms of the seam; a Failure `bad-answer` where one is not what it must be. */
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import { withoutPrivateValues } from '../../model/private-values.ts'
import type { FieldDefinition, QueryResult } from '../backend.ts'

export type Rows = readonly (readonly Json[])[]

/** Null for the answer that nothing has changed. */
export function jobChange(result: Json): { readonly jobInfo: Json; readonly logEntries: Json } | null {
  if (result === 'nochange') return null
  if (!Array.isArray(result)) throw unexpected('a change of a job')
  const [jobInfo = null, logEntries = null] = result
  return { jobInfo: withoutPrivateValues(jobInfo), logEntries }
}

export function rowsIn(result: Json): Rows {
  if (Array.isArray(result) && result.every((row) => Array.isArray(row))) return result
  throw unexpected('rows')
}

export function jobRows(result: Json): Rows {
  return rowsIn(withoutPrivateValues(result))
}

export function queryResult(result: Json): QueryResult {
  const fields = fieldDefinitions(result)
  return { fields, data: rowsIn((result as JsonObject).data ?? null) as QueryResult['data'] }
}

export function fieldDefinitions(result: Json): readonly FieldDefinition[] {
  if (!isJsonObject(result) || !Array.isArray(result.fields)) throw unexpected('fields')
  return result.fields
}

export function unexpected(what: string): Failure {
  return new Failure('bad-answer', `The master daemon answered with something else than ${what}`)
}
