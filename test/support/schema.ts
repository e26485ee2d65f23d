/** JSON Schemas in tests: a validator for ours, and values that a schema takes or nearly takes. */
import { isIPv4, isIPv6 } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isJsonObject, type Json, type JsonObject } from '../../lib/json/json.ts'
import { ipv4Network, ipv6Network, type Schema } from '../../lib/model/check.ts'
import type { Random } from '../fuzz/random.ts'

/** A validator that knows the formats that our schemas name. */
export function schemaValidator(): Ajv2020 {
  const validator = new Ajv2020({
    allErrors: false,
    allowUnionTypes: true,
    formats: {
      ipv4: isIPv4,
      ipv6: isIPv6,
      'ipv4-network': (text: string) => ipv4Network(text),
      'ipv6-network': (text: string) => ipv6Network(text),
    },
  })
  validator.addVocabulary(['x-ganeti-since', 'x-ganeti-until'])
  return validator
}

/** A value without the integers that only we read exactly: a validator knows JavaScript's numbers alone. */
export function withoutBigints(value: Json): Json {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(withoutBigints)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutBigints(one)]))
}

/** What is wrong for most schemas, or just beyond what they take. */
const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  15,
  16,
  0.5,
  2 ** 53 - 1,
  2n ** 53n,
  10n ** 20n,
  -(10n ** 20n),
  '',
  '0',
  'a',
  'default',
  [],
  [[]],
  [null],
  [0],
  ['a'],
  {},
  { a: 1 },
  { a: null },
  { '': 'a' },
]

/** Texts, among them names of the sample cluster. */
const TEXTS: readonly string[] = [
  ...['', 'a', '7', 'pool', 'none', 'hail', 'default', 'front', 'xen-br0', 'debian-etch'],
  ...['node1.example.com', 'node2.example.com', 'node4', 'web.example.com', 'new.example.com'],
]

const FORMATS: { readonly [format: string]: readonly string[] } = {
  ipv4: ['192.0.2.1', '192.0.2.256', '192.0.2.0/24'],
  ipv6: ['2001:db8::1', '::', '2001:db8:::1'],
  'ipv4-network': ['192.0.2.0/24', '192.0.2.1', '192.0.2.1/24', '0.0.0.0/0', '192.0.2.0/33'],
  'ipv6-network': ['2001:db8::/64', '2001:db8::1/64', '::/0', '2001:db8::/129'],
}

/**
 * A value that a schema takes, but for a part now and then that it may not take.
 * @param wrong how often a part is any value: 0 for values that the schema takes, but for the formats of texts
 * @param definitions what `$ref` refers to, by the whole reference
 */
export function schemaValue(
  random: Random,
  schema: Schema,
  wrong: number,
  definitions: { readonly [ref: string]: Schema } = {},
): Json {
  if (random.chance(wrong)) return random.pick(ODD)
  const part = (inner: Json | undefined) =>
    schemaValue(random, isJsonObject(inner) ? inner : {}, wrong, definitions)
  if (typeof schema.$ref === 'string') return part(definitions[schema.$ref])
  if ('const' in schema) return schema.const ?? null
  if (Array.isArray(schema.enum)) return random.pick(schema.enum)
  if (Array.isArray(schema.anyOf)) return part(random.pick(schema.anyOf))
  const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type
  switch (type) {
    case 'null':
      return null
    case 'boolean':
      return random.chance(0.5)
    case 'integer':
    case 'number':
      return numberOf(random, schema)
    case 'string':
      return textOf(random, schema)
    case 'array':
      return Array.isArray(schema.prefixItems)
        ? schema.prefixItems.map(part)
        : random.several(random.below(4), () => part(schema.items))
    case 'object':
      return objectOf(random, schema, part)
    default:
      return random.pick(ODD)
  }
}

function numberOf(random: Random, { minimum = -3, exclusiveMaximum = 20 }: Schema): Json {
  const least = Number(minimum)
  return least + random.below(Math.min(Number(exclusiveMaximum), least + 20) - least)
}

function textOf(random: Random, { format, pattern, minLength = 0 }: Schema): string {
  const texts = FORMATS[String(format)]
  if (texts) return random.pick(texts)
  const some = pattern === undefined ? TEXTS : ['7', '0', 'a', '12 ']
  return random.pick(some.filter((text) => text.length >= Number(minLength)))
}

function objectOf(
  random: Random,
  { properties = {}, required = [], propertyNames, additionalProperties = {} }: Schema,
  part: (schema: Json | undefined) => Json,
): JsonObject {
  const value: { [name: string]: Json } = {}
  for (const [name, schema] of Object.entries(properties as JsonObject)) {
    if ((required as readonly Json[]).includes(name) || random.chance(0.3)) value[name] = part(schema)
  }
  if (additionalProperties === false) return value
  for (let more = random.below(3); more > 0; more--) {
    const name = part(propertyNames ?? { type: 'string', minLength: 1 })
    if (typeof name === 'string') value[name] = part(additionalProperties)
  }
  return value
}
