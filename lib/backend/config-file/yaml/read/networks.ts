/** The networks of a YAML file, and which of their addresses are taken. */
import { isIPv4 } from 'node:net'
import {
  type Ipv4Network,
  indexIn,
  parseIpv4Network,
  parseIpv6Network,
  parseMacPrefix,
  parseRange,
} from '../../../../model/address.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import { quoted } from '../../records/problems.ts'
import { type NamedRecord, NONE, type RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

/** A network as its NICs see it. */
export interface NicNetwork {
  readonly uuid: string
  readonly name: string
  readonly mac_prefix: string | null
  /** Whether a NIC of this network can have an address. Where the network has none of its family, it can be any. */
  holds(address: string): boolean
  /** Notes that an instance has an address. */
  give(address: string): void
}

/** A network while instances that have its addresses are still being read. */
export class NetworkInUse implements NicNetwork {
  readonly uuid: string
  readonly name: string
  readonly mac_prefix: string | null
  readonly #network: Omit<Network, 'reservations' | 'ext_reservations'>
  /** Undefined where the file has a bad one. */
  readonly #range: Ipv4Network | undefined
  readonly #inIpv6: ((address: string) => boolean) | undefined
  /** Places of addresses: those of instances, and external reservations. */
  readonly #reserved = new Set<number>()
  readonly #external = new Set<number>()

  constructor(fields: NamedRecord, identities: Identities) {
    const identity = identities.of(fields, 'network', fields.key)
    const network = fields.text('network')
    this.#range = network === '' ? undefined : parseIpv4Network(network)
    if (network !== '' && !this.#range) {
      fields.addProblem('network', `${quoted(network)} is not a network like 192.0.2.0/24, from /16 to /30`)
    }
    const network6 = fields.textOr('network6', null)
    if (network6 !== null) {
      this.#inIpv6 = parseIpv6Network(network6)
      if (!this.#inIpv6)
        fields.addProblem('network6', `${quoted(network6)} is not a network like 2001:db8::/64`)
    }
    this.uuid = identity.uuid
    this.name = fields.key
    this.mac_prefix = readMacPrefix(fields)
    this.#network = {
      ...identity,
      name: fields.key,
      network,
      gateway: this.#gateway(fields),
      network6,
      gateway6: this.#gateway6(fields),
      mac_prefix: this.mac_prefix,
    }
    if (this.#range) this.#external.add(0).add(this.#range.size - 1)
    this.#readReserved(fields)
    fields.rejectUnknownKeysOf(keysOf('networks'))
  }

  holds(address: string): boolean {
    if (isIPv4(address)) return !this.#range || indexIn(this.#range, address) !== undefined
    return !this.#inIpv6 || this.#inIpv6(address)
  }

  give(address: string): void {
    const index = this.#range && indexIn(this.#range, address)
    if (index !== undefined) this.#reserved.add(index)
  }

  /** The network as Ganeti would have it, which reserves the addresses of the cluster itself too. */
  finished(nodes: readonly Node[], masterIp: string): Network {
    for (const address of [masterIp, ...nodes.flatMap((node) => [node.primary_ip, node.secondary_ip])]) {
      const index = this.#range && indexIn(this.#range, address)
      if (index !== undefined) this.#external.add(index)
    }
    const size = this.#range?.size ?? 0
    return {
      ...this.#network,
      reservations: bitmap(size, this.#reserved),
      ext_reservations: bitmap(size, this.#external),
    }
  }

  #gateway(fields: RecordReader): string | null {
    const gateway = fields.textOr('gateway', null)
    if (gateway === null) return null
    const index = this.#range && indexIn(this.#range, gateway)
    if (index !== undefined) this.#external.add(index)
    else if (this.#range) fields.addProblem('gateway', `${quoted(gateway)} is not an address of the network`)
    return gateway
  }

  #gateway6(fields: RecordReader): string | null {
    const gateway = fields.textOr('gateway6', null)
    if (gateway === null) return null
    if (!fields.has('network6')) fields.addProblem('gateway6', 'gateway6 needs network6')
    else if (this.#inIpv6 && !this.#inIpv6(gateway)) {
      fields.addProblem('gateway6', `${quoted(gateway)} is not an address of network6`)
    }
    return gateway
  }

  #readReserved(fields: RecordReader): void {
    const network = this.#range
    fields.texts('reserved', NONE, (text) => {
      const range = network && parseRange(network, text)
      if (!range)
        return network && `${quoted(text)} is not an address of the network, nor two with a - between`
      for (let place = range[0]; place <= range[1]; place++) this.#external.add(place)
      return undefined
    })
  }
}

/** The first half of MACs, under the key `mac_prefix`. */
export function readMacPrefix(fields: RecordReader): string | null {
  const text = fields.textOr('mac_prefix', null)
  if (text === null) return null
  const prefix = parseMacPrefix(text)
  if (prefix === undefined) fields.addProblem('mac_prefix', `${quoted(text)} is not like aa:00:00`)
  return prefix ?? null
}

const ONE = 0x31

/** A character for each of `size` places: 1 for these, 0 for the others. */
export function bitmap(size: number, places: ReadonlySet<number>): string {
  const bits = Buffer.alloc(size, '0')
  for (const place of places) bits[place] = ONE
  return bits.toString('latin1')
}
