/**
 * The addresses of networks while an operation gives some away and takes
 * others back; at the end, the networks that changed.
 *
 * A network's reservations follow from its NICs, so its serial number and
 * time of change stay as they are.
 */
import { addressAt, indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Change } from '../../../../model/change.ts'
import type { Config } from '../../../../model/config.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import { groupOf } from '../shared/find.ts'

const FREE = '0'
const TAKEN = '1'

export class AddressPools {
  readonly #config: Config
  /** Those that changed, by UUID. */
  readonly #changed = new Map<string, Network>()

  constructor(config: Config) {
    this.#config = config
  }

  /** Reserves the lowest free IPv4 address of a network; undefined where there is none left. */
  reserveAny(uuid: string): string | undefined {
    const network = this.#network(uuid)
    const range = parseIpv4Network(network.network)
    if (!range) return undefined
    for (let place = 0; place < range.size; place++) {
      if (isTaken(network.reservations, place) || isTaken(network.ext_reservations, place)) continue
      this.#mark(network, place, TAKEN)
      return addressAt(range, place)
    }
    return undefined
  }

  /**
   * Reserves an address that an opcode asks for.
   * @param evenReserved whether it may be externally reserved
   * @returns false where it is taken, or not an address of the network
   */
  reserve(uuid: string, address: string, evenReserved: boolean): boolean {
    const network = this.#network(uuid)
    const range = parseIpv4Network(network.network)
    const place = range && indexIn(range, address)
    if (place === undefined || isTaken(network.reservations, place)) return false
    if (!evenReserved && isTaken(network.ext_reservations, place)) return false
    this.#mark(network, place, TAKEN)
    return true
  }

  /** Frees an address; one that is free already stays so. */
  release(uuid: string, address: string): void {
    const network = this.#network(uuid)
    const range = parseIpv4Network(network.network)
    const place = range && indexIn(range, address)
    if (place !== undefined && isTaken(network.reservations, place)) this.#mark(network, place, FREE)
  }

  /** The networks that changed, if any. */
  change(): Change {
    return this.#changed.size > 0 ? { networks: this.#changed } : {}
  }

  #network(uuid: string): Network {
    return this.#changed.get(uuid) ?? (this.#config.networks.byUuid.get(uuid) as Network)
  }

  #mark(network: Network, place: number, mark: string): void {
    const { reservations } = network
    this.#changed.set(network.uuid, {
      ...network,
      reservations: reservations.slice(0, place) + mark + reservations.slice(place + 1),
    })
  }
}

function isTaken(reservations: string, place: number): boolean {
  return reservations[place] === TAKEN
}

/** The name of a network that a node's group is connected to and that an address is in, if any. */
export function networkAround(config: Config, node: Node, address: string): string | undefined {
  for (const uuid of Object.keys(groupOf(config, node).networks)) {
    const network = config.networks.byUuid.get(uuid)
    const range = network && parseIpv4Network(network.network)
    if (range && indexIn(range, address) !== undefined) return network.name
  }
  return undefined
}
