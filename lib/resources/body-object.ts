import { Failure } from '../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'

/**
 * The object that a request's body must be.
 * @throws Failure `invalid` in the original's words, which name Python's types
 */
export function bodyObject(body: Json | undefined): JsonObject {
  if (isJsonObject(body)) return body
  throw new Failure('invalid', `Body contents: Type is '${pythonType(body)}', but 'dict' is expected`)
}

function pythonType(value: Json | undefined): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  return Number.isInteger(value) ? 'int' : 'float'
}
