/** What a JSON Schema says of a value, in a few words. */
import { isJsonObject, type Json } from '../lib/json/json.ts'
import type { Schema } from '../lib/model/check.ts'

const FORMATS: { readonly [format: string]: string } = {
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  'ipv4-network': 'IPv4 network',
  'ipv6-network': 'IPv6 network',
}

/** E.g. `list of strings`; what a value may be besides null. */
export function typeText(schema: Schema): string {
  const { enum: values, anyOf, type, prefixItems } = schema
  if ('const' in schema) return code(schema.const ?? null)
  if (Array.isArray(values)) return anyOfThese(values.filter((value) => value !== null).map(code))
  if (Array.isArray(anyOf)) return anyOfThese((anyOf as Schema[]).filter(isMore).map(typeText))
  if (Array.isArray(prefixItems)) return `\`[…]\` of ${(prefixItems as Schema[]).map(typeText).join(', ')}`
  switch ([type].flat().find((one) => one !== 'null')) {
    case 'string':
      return FORMATS[String(schema.format)] ?? 'string'
    case 'integer':
      return integerText(schema)
    case 'array':
      return isJsonObject(schema.items) && isMore(schema.items) ? `list: ${typeText(schema.items)}` : 'list'
    case 'boolean':
      return 'boolean'
    case 'object':
      return 'object'
    case 'number':
      return 'number'
    default:
      return 'anything'
  }
}

function integerText({ minimum, exclusiveMaximum }: Schema): string {
  if (typeof exclusiveMaximum === 'number' && exclusiveMaximum < 1000) {
    return `integer, ${minimum ?? 0} to ${exclusiveMaximum - 1}`
  }
  return minimum === undefined ? 'integer' : `integer from ${minimum}`
}

/** Whether a schema says anything but null. */
function isMore(schema: Schema): boolean {
  return Object.keys(schema).length > 0 && schema.type !== 'null'
}

function anyOfThese(texts: readonly string[]): string {
  const distinct = [...new Set(texts)]
  return distinct.length < 2
    ? distinct.join('')
    : `${distinct.slice(0, -1).join(', ')} or ${distinct.at(-1)}`
}

function code(value: Json): string {
  return `\`${JSON.stringify(value)}\``
}
