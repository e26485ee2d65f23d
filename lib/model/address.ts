/** Internet addresses as Ganeti's networks count them: each by its number within the network. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** An IPv4 network; `first` is its lowest address as a number. */
export interface Ipv4Network {
  readonly first: number
  readonly size: number
}

/** Ganeti keeps two characters for every address of a network, and wants a few to hand out. */
export const SHORTEST_PREFIX = 16
export const LONGEST_PREFIX = 30

/** Reads `192.0.2.0/24`, of a size that Ganeti takes; undefined for anything else. */
export function parseIpv4Network(text: string): Ipv4Network | undefined {
  const [address = '', prefix = '', ...more] = text.split('/')
  if (!isIPv4(address) || !/^\d{1,2}$/.test(prefix) || more.length > 0) return undefined
  const bits = Number(prefix)
  if (bits < SHORTEST_PREFIX || bits > LONGEST_PREFIX) return undefined
  const first = ipv4Number(address)
  const size = 2 ** (32 - bits)
  return first % size === 0 ? { first, size } : undefined
}

/** The place of an address in a network, from 0; undefined outside. */
export function indexIn(network: Ipv4Network, address: string): number | undefined {
  if (!isIPv4(address)) return undefined
  const index = ipv4Number(address) - network.first
  return index >= 0 && index < network.size ? index : undefined
}

/** Reads one address of a network, or a range of them (`192.0.2.10-192.0.2.19`), as the first and the last place. */
export function parseRange(network: Ipv4Network, text: string): readonly [number, number] | undefined {
  const [from = '', to = from, ...more] = text.split('-').map((part) => part.trim())
  const first = indexIn(network, from)
  const last = indexIn(network, to)
  if (first === undefined || last === undefined || last < first || more.length > 0) return undefined
  return [first, last]
}

/** A test for the addresses of an IPv6 network like `2001:db8::/64`; undefined where it is none. */
export function parseIpv6Network(text: string): ((address: string) => boolean) | undefined {
  const [address = '', prefix = '', ...more] = text.split('/')
  if (!isIPv6(address) || !/^\d{1,3}$/.test(prefix) || Number(prefix) > 128 || more.length > 0)
    return undefined
  const network = new BlockList()
  network.addSubnet(address, Number(prefix), 'ipv6')
  return (candidate) => isIPv6(candidate) && network.check(candidate, 'ipv6')
}

/** A MAC in lower case; undefined where it is none. */
export function parseMac(text: string): string | undefined {
  return /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text) ? text.toLowerCase() : undefined
}

/** The first half of MACs (`aa:00:00`) in lower case; undefined where it is none. */
export function parseMacPrefix(text: string): string | undefined {
  return /^[\da-f]{2}(:[\da-f]{2}){2}$/i.test(text) ? text.toLowerCase() : undefined
}

/** An IPv4 address as a number. */
export function ipv4Number(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

/** The address at a place in a network, the inverse of `indexIn`. */
export function addressAt({ first }: Pick<Ipv4Network, 'first'>, place: number): string {
  const number = first + place
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
