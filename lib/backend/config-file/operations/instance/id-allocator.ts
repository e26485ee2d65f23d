/**
 * Gives out what no two may share: MACs, TCP ports, DRBD minors.
 *
 * They are not written down anywhere but with their owners, so those that are
 * taken are gathered from all instances, once per operation and only where one
 * is given out. Ganeti prefers ports that were never used; here it is the
 * lowest free one.
 */
import type { Config } from '../../../../model/config.ts'
import {
  FIRST_PORT,
  MACS,
  MINORS,
  macNumber,
  macOf,
  numbersOf,
  PORTS,
  portNumber,
  type UniqueNumber,
} from '../../../../model/unique-numbers.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'

export class IdAllocator {
  readonly #run: Run
  /** By range. */
  #taken: Map<string, Set<number>> | undefined

  constructor(run: Run) {
    this.#run = run
  }

  /**
   * A MAC that no NIC has.
   * @param network UUID of the network that the NIC is in, which may have a prefix of its own
   */
  newMac(network: string | null): string {
    const { config, context } = this.#run
    const own = network === null ? null : config.networks.byUuid.get(network)?.mac_prefix
    const prefix = own ?? config.cluster.mac_prefix
    const start = Math.floor(context.random() * MACS)
    const number = this.#takeFree({ range: prefix, size: MACS, number: start })
    if (number !== undefined) return macOf(prefix, number)
    throw new OpError('ConfigurationError', [`Can't generate MAC, no unused one left below ${prefix}`])
  }

  /**
   * Takes a MAC that an opcode asks for.
   * @param quote how the refusal quotes it: Ganeti does so where a NIC is changed
   * @throws OpError where a NIC has it
   */
  reserveMac(mac: string, quote: '' | "'"): void {
    const { range, number } = macNumber(mac)
    const taken = this.#takenIn(range)
    if (taken.has(number)) {
      throw prerequisite(
        `MAC address ${quote}${mac}${quote} already in use in cluster`,
        'resource_not_unique',
      )
    }
    taken.add(number)
  }

  newPort(): number {
    const number = this.#takeFree(portNumber(FIRST_PORT))
    if (number !== undefined) return FIRST_PORT + number
    const last = FIRST_PORT + PORTS - 1
    throw new OpError('ConfigurationError', [`The highest used port is greater than ${last}. Aborting.`])
  }

  /** The lowest number that no DRBD device on a node has; more of them than there are do not fit on a node. */
  newMinor(node: string): number {
    return this.#takeFree({ range: node, size: MINORS, number: 0 }) as number
  }

  /** What DRBD's two sides know each other by. */
  newSecret(): string {
    return Array.from({ length: 40 }, () => Math.floor(this.#run.context.random() * 16).toString(16)).join('')
  }

  /** Takes the first free number of a range from one on, and around its end; undefined where there is none. */
  #takeFree({ range, size, number: start }: UniqueNumber): number | undefined {
    const taken = this.#takenIn(range)
    for (let step = 0; step < size; step++) {
      const number = (start + step) % size
      if (taken.has(number)) continue
      taken.add(number)
      return number
    }
    return undefined
  }

  #takenIn(range: string): Set<number> {
    this.#taken ??= takenByRange(this.#run.config)
    const taken = this.#taken.get(range) ?? new Set()
    this.#taken.set(range, taken)
    return taken
  }
}

function takenByRange({ instances }: Config): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>()
  for (const instance of instances.all) {
    for (const { range, number } of numbersOf(instance)) {
      const numbers = taken.get(range)
      if (numbers) numbers.add(number)
      else taken.set(range, new Set([number]))
    }
  }
  return taken
}
