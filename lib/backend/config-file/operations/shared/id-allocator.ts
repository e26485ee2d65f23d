/**
 * What the cluster hands out and no two may share: hardware addresses, TCP
 * ports, DRBD minors.
 *
 * Who has what is not written down anywhere but with its owners, so it is
 * gathered from them, once per operation and only where something is handed
 * out. Ganeti prefers ports that were never used; here the lowest free one
 * will do.
 */
import type { Config } from '../../../../model/config.ts'
import type { Instance } from '../../../../model/instance.ts'
import { OpError, prerequisite } from './operation.ts'
import type { Run } from './run.ts'

const FIRST_PORT = 11_000
const LAST_PORT = 14_999

export class Allotments {
  readonly #run: Run
  #macs: Set<string> | undefined
  #ports: Set<number> | undefined
  /** By node. */
  #minors: Map<string, Set<number>> | undefined

  constructor(run: Run) {
    this.#run = run
  }

  /**
   * A hardware address that nobody has.
   * @param network UUID of the network the card is in, which may have a prefix of its own
   */
  newMac(network: string | null): string {
    const { config, context } = this.#run
    const own = network === null ? null : config.networks.byUuid.get(network)?.mac_prefix
    const prefix = own ?? config.cluster.mac_prefix
    const taken = this.#takenMacs()
    let number = Math.floor(context.random() * 2 ** 24)
    for (let tries = 0; tries < 2 ** 24; tries++) {
      const mac = `${prefix}:${number
        .toString(16)
        .padStart(6, '0')
        .replace(/(..)(?=.)/g, '$1:')}`
      if (!taken.has(mac)) {
        taken.add(mac)
        return mac
      }
      number = (number + 1) % 2 ** 24
    }
    throw new OpError('ConfigurationError', [`Can't generate MAC, no unused one left below ${prefix}`])
  }

  /**
   * Gives away an address that somebody asked for.
   * @param quote how the refusal quotes it: Ganeti does so where a card is changed
   */
  takeMac(mac: string, quote: '' | "'"): void {
    const taken = this.#takenMacs()
    if (taken.has(mac)) {
      throw prerequisite(
        `MAC address ${quote}${mac}${quote} already in use in cluster`,
        'resource_not_unique',
      )
    }
    taken.add(mac)
  }

  newPort(): number {
    const taken = this.#takenPorts()
    for (let port = FIRST_PORT; port <= LAST_PORT; port++) {
      if (taken.has(port)) continue
      taken.add(port)
      return port
    }
    throw new OpError('ConfigurationError', [`The highest used port is greater than ${LAST_PORT}. Aborting.`])
  }

  /** The lowest number that no DRBD device on a node has. */
  newMinor(node: string): number {
    this.#minors ??= minorsOf(this.#run.config)
    const taken = this.#minors.get(node) ?? new Set()
    this.#minors.set(node, taken)
    let minor = 0
    while (taken.has(minor)) minor++
    taken.add(minor)
    return minor
  }

  /** What DRBD's two sides know each other by. */
  newSecret(): string {
    return Array.from({ length: 40 }, () => Math.floor(this.#run.context.random() * 16).toString(16)).join('')
  }

  #takenMacs(): Set<string> {
    this.#macs ??= new Set(this.#run.config.instances.all.flatMap(({ nics }) => nics.map(({ mac }) => mac)))
    return this.#macs
  }

  #takenPorts(): Set<number> {
    this.#ports ??= new Set(this.#run.config.instances.all.flatMap(portsOf))
    return this.#ports
  }
}

function portsOf(instance: Instance): number[] {
  const ports = instance.disks.filter(({ dev_type }) => dev_type === 'drbd').map((disk) => disk.logical_id[2])
  return [instance.network_port, ...ports].filter((port) => typeof port === 'number')
}

function minorsOf({ instances }: Config): Map<string, Set<number>> {
  const minors = new Map<string, Set<number>>()
  for (const { disks } of instances.all) {
    for (const disk of disks) {
      if (disk.dev_type !== 'drbd') continue
      const [node, otherNode, , minor, otherMinor] = disk.logical_id
      for (const [holder, number] of [
        [node, minor],
        [otherNode, otherMinor],
      ]) {
        if (typeof holder !== 'string' || typeof number !== 'number') continue
        const taken = minors.get(holder)
        if (taken) taken.add(number)
        else minors.set(holder, new Set([number]))
      }
    }
  }
  return minors
}
