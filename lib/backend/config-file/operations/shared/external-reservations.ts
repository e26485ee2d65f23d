/**
 * External reservations: addresses of a network that no instance gets, because
 * a client reserved them, or the network or the cluster itself needs them.
 *
 * Those that are needed (the first and the last address of a network, and those
 * of nodes and the master) follow from the file; so they are here from the
 * start, and cannot be released.
 */
import {
  addressAt,
  type Ipv4Network,
  indexIn,
  LONGEST_PREFIX,
  parseIpv4Network,
  SHORTEST_PREFIX,
} from '../../../../model/address.ts'
import type { Config } from '../../../../model/config.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import { OpError } from './operation.ts'

const FREE = '0'
const TAKEN = '1'

export class ExternalReservations {
  readonly #cidr: string
  readonly #range: Ipv4Network
  readonly #taken: string[]
  /** By place: whose address it is. */
  readonly #needed: ReadonlyMap<number, string>

  /** @throws OpError AddressPoolError for a network of a size that Ganeti does not take */
  constructor(config: Config, { network, ext_reservations }: Pick<Network, 'network' | 'ext_reservations'>) {
    this.#cidr = network
    this.#range = rangeOf(network)
    this.#needed = neededPlaces(config, this.#range)
    this.#taken = Array.from({ length: this.#range.size }, (_, place) => ext_reservations[place] ?? FREE)
  }

  /**
   * For a new network: its gateway, what it needs for itself, and the cluster's addresses.
   * @throws OpError AddressPoolError for a size that Ganeti does not take, or a gateway that cannot be one
   */
  static forNew(config: Config, network: string, gateway: string | null): ExternalReservations {
    const pool = new ExternalReservations(config, { network, ext_reservations: '' })
    const { size } = pool.#range
    pool.#taken[0] = TAKEN
    pool.#taken[size - 1] = TAKEN
    if (gateway !== null) pool.reserve(gateway)
    for (const place of pool.#needed.keys()) pool.#taken[place] = TAKEN
    return pool
  }

  has(address: string): boolean {
    return indexIn(this.#range, address) !== undefined
  }

  /** Whether an address cannot be released. */
  isNeeded(address: string): boolean {
    const place = indexIn(this.#range, address)
    return place !== undefined && this.#needed.has(place)
  }

  /** @throws OpError AddressPoolError where it is reserved already, or is not an address of the network */
  reserve(address: string): void {
    const place = this.#place(address)
    if (this.#taken[place] === TAKEN) throw poolError(`IP ${address} is already externally reserved`)
    this.#taken[place] = TAKEN
  }

  /** @throws OpError AddressPoolError where it is not reserved, or needed */
  release(address: string): void {
    const place = this.#place(address)
    if (this.#taken[place] !== TAKEN) throw poolError(`IP ${address} is not externally reserved`)
    const owner = this.#needed.get(place)
    if (owner !== undefined) throw poolError(`IP ${address} is ${owner}`)
    this.#taken[place] = FREE
  }

  /** The network's `ext_reservations`. */
  get bits(): string {
    return this.#taken.join('')
  }

  #place(address: string): number {
    const place = indexIn(this.#range, address)
    if (place === undefined) throw poolError(`${this.#cidr} does not contain ${address}`)
    return place
  }
}

/** The networks whose external reservations change when a node gets another address. */
export function withNodeAddress(config: Config, node: Node, from: string, to: string): readonly Network[] {
  const changed: Network[] = []
  const others = new Set(
    config.nodes.all.flatMap((one) => (one === node ? [one.primary_ip] : [one.primary_ip, one.secondary_ip])),
  )
  for (const network of config.networks.all) {
    const range = parseIpv4Network(network.network)
    if (!range) continue
    const bits = [...network.ext_reservations]
    const mark = (address: string, bit: string) => {
      const place = indexIn(range, address)
      if (place !== undefined) bits[place] = bit
    }
    if (!others.has(from) && from !== network.gateway) mark(from, FREE)
    mark(to, TAKEN)
    const ext_reservations = bits.join('')
    if (ext_reservations !== network.ext_reservations) {
      changed.push({ ...network, ext_reservations })
    }
  }
  return changed
}

function rangeOf(network: string): Ipv4Network {
  const range = parseIpv4Network(network)
  if (range) return range
  const [, prefix = '32'] = network.split('/')
  const hosts = 2 ** (32 - Number(prefix))
  if (Number(prefix) < SHORTEST_PREFIX) {
    throw poolError(
      `A big network with ${hosts} host(s) is currently not supported. please specify at most a ` +
        `/${SHORTEST_PREFIX} network`,
    )
  }
  throw poolError(
    `A network with only ${hosts} host(s) is too small, please specify at least a /${LONGEST_PREFIX} network`,
  )
}

function neededPlaces({ nodes, cluster }: Config, range: Ipv4Network): Map<number, string> {
  const needed = new Map<number, string>()
  const add = (address: string, owner: string) => {
    const place = indexIn(range, address)
    if (place !== undefined) needed.set(place, owner)
  }
  add(addressAt(range, 0), 'that of the network itself')
  add(addressAt(range, range.size - 1), 'the broadcast address')
  for (const { name, primary_ip, secondary_ip } of nodes.all) {
    add(primary_ip, `that of node ${name}`)
    add(secondary_ip, `that of node ${name}`)
  }
  add(cluster.master_ip, 'that of the master')
  return needed
}

export function poolError(message: string): OpError {
  return new OpError('AddressPoolError', [message])
}
