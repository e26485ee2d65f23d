/** The numbers of an instance that no other may have: TCP ports, MACs, and DRBD minors on each node. */
import type { Instance } from './instance.ts'

/** Ports that Ganeti hands out, to consoles and to DRBD. */
export const FIRST_PORT = 11_000
export const PORTS = 4_000

/** As many as Linux can number. */
export const MINORS = 2 ** 20

/** The second halves of MACs. */
export const MACS = 2 ** 24

/** Hypervisors whose instances have a port for their console. */
export const WITH_PORT: readonly string[] = ['kvm', 'xen-hvm']

/** A number in the range that it is unique in. */
export interface UniqueNumber {
  /** `port`, the first half of a MAC, or a node's UUID. */
  readonly range: string
  /** Its numbers are from 0 (included) to this (not). */
  readonly size: number
  readonly number: number
}

export function portNumber(port: number): UniqueNumber {
  return { range: 'port', size: PORTS, number: port - FIRST_PORT }
}

/** @param mac in lower case, as `macOf` writes it */
export function macNumber(mac: string): UniqueNumber {
  const half = mac.slice(9, 11) + mac.slice(12, 14) + mac.slice(15)
  return { range: mac.slice(0, 8), size: MACS, number: Number.parseInt(half, 16) }
}

/** The MAC whose first half and number these are. */
export function macOf(prefix: string, number: number): string {
  return `${prefix}${number.toString(16).padStart(6, '0').replaceAll(/../g, ':$&')}`
}

/** All that an instance has. */
export function* numbersOf({ network_port, nics, disks }: Instance): Generator<UniqueNumber> {
  if (network_port !== null) yield portNumber(network_port)
  for (const { mac } of nics) yield macNumber(mac)
  for (const { dev_type, logical_id } of disks) {
    if (dev_type !== 'drbd') continue
    const [first, second, port, minor, otherMinor] = logical_id
    yield portNumber(Number(port))
    yield { range: String(first), size: MINORS, number: Number(minor) }
    yield { range: String(second), size: MINORS, number: Number(otherMinor) }
  }
}
