/**
 * Type checks for parts of a request body, with the original's error messages,
 * which name Python's types.
 */
import { Failure } from '../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'

interface PythonTypes {
  bool: boolean
  dict: JsonObject
  int: number | bigint
  list: readonly Json[]
  str: string
}

/**
 * Checks the type of a value and returns it.
 * @param what the name of the value, for the message
 * @throws Failure `invalid` if it is of another type
 */
export function expectType<Type extends keyof PythonTypes>(
  value: Json | undefined,
  type: Type,
  what: string,
): PythonTypes[Type] {
  const found = pythonType(value)
  if (found === type) return value as PythonTypes[Type]
  throw new Failure('invalid', `${what}: Type is '${found}', but '${type}' is expected`)
}

/**
 * Checks that a request's body is an object and returns it.
 * @throws Failure `invalid` for anything else
 */
export function bodyObject(body: Json | undefined): JsonObject {
  return expectType(body, 'dict', 'Body contents')
}

function pythonType(value: Json | undefined): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (isJsonObject(value)) return 'dict'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float'
}
