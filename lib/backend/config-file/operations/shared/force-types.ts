/**
 * Parameters as clients send them, made into values of the types they must
 * have, with Ganeti's tolerance (a boolean may come as 'true', a size as '1g')
 * and its complaints, which quote a value as Python would.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { ParamType, ParamTypes } from '../../../../model/defaults.ts'
import { OpError } from './operation.ts'

/**
 * @param types which parameters there are
 * @param allowed values that pass as they are, whatever the type
 * @throws OpError TypeEnforcementError for an unknown parameter or a value that does not fit
 */
export function forceTypes(values: JsonObject, types: ParamTypes, allowed: readonly Json[] = []): JsonObject {
  const forced: { [name: string]: Json } = {}
  for (const [name, value] of Object.entries(values)) {
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    if (type === undefined) throw new OpError('TypeEnforcementError', [`Unknown parameter '${name}'`])
    forced[name] = allowed.includes(value) ? value : forceType(name, value, type)
  }
  return forced
}

function forceType(name: string, value: Json, type: ParamType): Json {
  switch (type) {
    case 'string':
    case 'maybe-string':
      if (typeof value === 'string' || (value === null && type === 'maybe-string')) return value
      if (value === false) return ''
      throw unfit(name, value, 'string')
    case 'bool':
      return forceBool(name, value)
    case 'size':
      return forceSize(name, value)
    case 'int': {
      const number = typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value
      if (typeof number === 'boolean') return Number(number)
      if (typeof number !== 'number') throw unfit(name, value, 'integer')
      return Math.trunc(number)
    }
    case 'float': {
      const isText = typeof value === 'string' && value.trim() !== ''
      const number = isText || typeof value === 'boolean' ? Number(value) : value
      if (typeof number !== 'number' || Number.isNaN(number)) throw unfit(name, value, 'float')
      return number
    }
  }
}

function forceBool(name: string, value: Json): boolean {
  if (typeof value !== 'string' || value === '') return isTrue(value)
  if (value.toLowerCase() === 'true') return true
  if (value.toLowerCase() === 'false') return false
  throw unfit(name, value, 'boolean')
}

/** As Python sees it. */
function isTrue(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isJsonObject(value) ? Object.keys(value).length > 0 : Boolean(value)
}

const UNITS: { readonly [unit: string]: number } = { m: 1, g: 1024, t: 1024 * 1024 }

/** MiB, rounded up to what LVM can allot: four at a time (utils/text.py, ParseUnit). */
function forceSize(name: string, value: Json): number {
  const text = pythonText(value)
  const match = /^([.\d]+)\s*([a-zA-Z]+)?$/.exec(text)
  if (!match) throw unfitSize(name, value, 'Invalid format')
  const number = Number(match[1])
  if (Number.isNaN(number)) throw unfitSize(name, value, `could not convert string to float: '${match[1]}'`)
  const written = match[2] ?? 'm'
  const unit = UNITS[written.toLowerCase().replace(/ib$|b$/, '')]
  if (unit === undefined) throw unfitSize(name, value, `Unknown unit: ${written}`)
  const size = Math.ceil(number * unit)
  return Math.ceil(size / 4) * 4
}

function unfit(name: string, value: Json, what: string): OpError {
  return new OpError('TypeEnforcementError', [
    `'${name}' (value ${pythonText(value)}) is not a valid ${what}`,
  ])
}

function unfitSize(name: string, value: Json, why: string): OpError {
  const text = `'${name}' (value ${pythonText(value)}) is not a valid size. error: ${why}`
  return new OpError('TypeEnforcementError', [text])
}

/** A value in a message, as Python's `%s` writes it. */
export function pythonText(value: Json): string {
  return typeof value === 'string' ? value : pythonLiteral(value)
}

/** A value as Python's `%r` writes it. */
export function pythonLiteral(value: Json): string {
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return value.includes("'") ? `"${value}"` : `'${value}'`
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  if (!isJsonObject(value)) return String(value)
  return `{${Object.entries(value)
    .map(([key, inner]) => `'${key}': ${pythonLiteral(inner)}`)
    .join(', ')}}`
}

/**
 * Parameters as they are once some have been set anew; 'default' takes one
 * back, and so does null where `nullResets`.
 */
export function updatedParams(old: JsonObject, news: JsonObject, nullResets = false): JsonObject {
  const updated = new Map(Object.entries(old))
  for (const [name, value] of Object.entries(news)) {
    if (value === 'default' || (nullResets && value === null)) updated.delete(name)
    else updated.set(name, value)
  }
  return Object.fromEntries(updated)
}
