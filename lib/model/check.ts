/**
 * What a parameter of an opcode may look like: small tests of JSON values that
 * combine into larger ones, as Ganeti's own do (lib/ht.py).
 *
 * Simplified on purpose: JSON tells 1 and 1.0 apart only for Python; to us
 * both are the integer they are.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { isJsonObject, type Json } from '../json/json.ts'

/** Whether a value will do. */
export type Check = (value: Json) => boolean

export const anything: Check = () => true
export const boolean: Check = (value) => typeof value === 'boolean'
export const string: Check = (value) => typeof value === 'string'
export const nonEmptyString: Check = (value) => typeof value === 'string' && value !== ''
export const number: Check = (value) => typeof value === 'number' || typeof value === 'bigint'
/** Integers that a number cannot hold come as bigints (json.ts); other large ones had an exponent. */
export const integer: Check = (value) => Number.isSafeInteger(value) || typeof value === 'bigint'
export const nonNegativeInt: Check = (value) => integer(value) && Number(value) >= 0
export const positiveInt: Check = (value) => integer(value) && Number(value) > 0
export const dict: Check = isJsonObject
export const list: Check = Array.isArray

export const oneOf =
  (...values: readonly Json[]): Check =>
  (value) =>
    values.includes(value)

export const maybe =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

export const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value))

export const lessThan =
  (limit: number, check: Check): Check =>
  (value) =>
    check(value) && Number(value) < limit

export const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item)

/** A list of exactly these. */
export const tupleOf =
  (...items: readonly Check[]): Check =>
  (value) =>
    Array.isArray(value) && value.length === items.length && items.every((item, place) => item(value[place]))

export const dictOf =
  (key: Check, item: Check): Check =>
  (value) =>
    isJsonObject(value) && Object.keys(value).every((name) => key(name) && item(value[name] as Json))

export const ipv4Address: Check = (value) => typeof value === 'string' && isIPv4(value)
export const ipv6Address: Check = (value) => typeof value === 'string' && isIPv6(value)
export const ipv4Network: Check = (value) => isNetwork(value, isIPv4, ipv4Bits)
export const ipv6Network: Check = (value) => isNetwork(value, isIPv6, ipv6Bits)

/**
 * Whether a value is a network like `192.0.2.0/24`, with no bits beyond its
 * prefix, or an address, which stands for a network of one.
 */
function isNetwork(
  value: Json,
  isAddress: (text: string) => boolean,
  bitsOf: (address: string) => string,
): boolean {
  if (typeof value !== 'string') return false
  const [address = '', prefix, ...more] = value.split('/', 3)
  if (!isAddress(address) || more.length > 0) return false
  if (prefix === undefined) return true
  const bits = bitsOf(address)
  return (
    /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits.length && !bits.slice(Number(prefix)).includes('1')
  )
}

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('')
}

function ipv6Bits(address: string): string {
  const [before = '', after] = address.split('::').map(ipv6GroupBits)
  return after === undefined ? before : before.padEnd(128 - after.length, '0') + after
}

/** The bits of `2001:db8` or, with an IPv4 address at its end, `ffff:192.0.2.1`. */
function ipv6GroupBits(groups: string): string {
  if (groups === '') return ''
  return groups
    .split(':')
    .map((group) =>
      group.includes('.') ? ipv4Bits(group) : Number.parseInt(group, 16).toString(2).padStart(16, '0'),
    )
    .join('')
}
