/** The reservations of networks, which are not written but follow from instances. */
import { equalJson, type Json } from '../../../../json/json.ts'
import { indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Change } from '../../../../model/change.ts'
import { changeConfig } from '../../../../model/change-config.ts'
import type { Config, ConfigObjects } from '../../../../model/config.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Network } from '../../../../model/network.ts'
import { bitmap } from '../read/networks.ts'

/**
 * Which addresses of a network are taken follows from the NICs in it.
 * @returns the cluster with what follows from a change of instances
 */
export function withReservedAddresses(before: Config, change: Change, config: Config): Config {
  const touched = new Set<string>()
  for (const uuid of change.instances?.keys() ?? []) {
    const was = addressesOf(before.instances.byUuid.get(uuid))
    const now = addressesOf(config.instances.byUuid.get(uuid))
    if (equalJson(was, now)) continue
    for (const [network] of [...was, ...now]) if (network !== null) touched.add(network)
  }
  const networks = new Map<string, Network>()
  for (const uuid of touched) {
    const network = config.networks.byUuid.get(uuid)
    if (network) networks.set(uuid, withReservations(network, config.networkInstances.get(uuid) ?? []))
  }
  return changeConfig(config, { networks })
}

/** Networks as they are read: which of their addresses are taken follows from the instances. */
export function takeReservations(config: Config, { networks }: ConfigObjects): Config['networks'] {
  const changes = new Map(
    networks
      .filter(
        (network) =>
          !equalJson(network as unknown as Json, config.networks.byUuid.get(network.uuid) as unknown as Json),
      )
      .map((network) => [network.uuid, network]),
  )
  return changeConfig(config, { networks: changes }).networks
}

function addressesOf(instance: Instance | undefined): (readonly [string | null, string | null])[] {
  return instance?.nics.map(({ network, ip }) => [network, ip] as const) ?? []
}

function withReservations(network: Network, instances: readonly Instance[]): Network {
  const range = parseIpv4Network(network.network)
  if (!range) return network
  const taken = new Set<number>()
  for (const { nics } of instances) {
    for (const { network: uuid, ip } of nics) {
      const place = uuid === network.uuid && ip !== null ? indexIn(range, ip) : undefined
      if (place !== undefined) taken.add(place)
    }
  }
  return { ...network, reservations: bitmap(range.size, taken) }
}
