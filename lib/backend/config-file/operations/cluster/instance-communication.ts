/** The network over which instances talk to their nodes. */
import type { JsonObject } from '../../../../json/json.ts'
import { OP_NETWORK_ADD, OP_NETWORK_CONNECT } from '../../../../model/opcodes/network.ts'
import type { Run } from '../shared/run.ts'

/** What such a network is like where Ganeti makes it. */
const USUAL = {
  network: '169.254.0.0/16',
  gateway: null,
  network6: 'fe80::/10',
  gateway6: null,
  mac_prefix: '52:54:00',
} as const

const NAMES = [
  ['gateway', 'has an IPv4 gateway'],
  ['network', 'has a non-standard IPv4 network address'],
  ['gateway6', 'has an IPv6 gateway'],
  ['network6', 'has a non-standard IPv6 network address'],
  ['mac_prefix', 'has a non-standard MAC prefix'],
] as const

/** Warns of a network that is there already and is another than Ganeti would make. */
export function checkCommunicationNetwork(run: Run): void {
  const name = run.text('instance_communication_network')
  const network = name && run.config.networks.byName.get(name)
  if (!network) return
  for (const [key, what] of NAMES) {
    if (network[key] === USUAL[key]) continue
    run.warn(
      `Supplied instance communication network '${name}' ${what} '${network[key] ?? 'None'}', this might pose a ` +
        `security risk (default is '${USUAL[key] ?? 'None'}').`,
    )
  }
}

/**
 * Tells what becomes of it.
 * @returns the opcodes, for one job, by which the network comes to be and is connected everywhere
 */
export function communicationNetworkChanges(run: Run, name: string): readonly JsonObject[] {
  const { cluster, networks, groups } = run.config
  const before = cluster.instance_communication_network
  if (name === before) {
    run.say(`Instance communication network already is '${name}', nothing to do.`)
    return []
  }
  if (networks.byName.has(before)) {
    run.say(`Previous instance communication network '${before}' should be removed manually.`)
  }
  if (name === '') {
    run.say('Disabling instance communication network, only new instances will be affected.')
    return []
  }
  run.say(`Changing instance communication network to '${name}', only new instances will be affected.`)
  const network = networks.byName.get(name)
  const unconnected = groups.all.filter((group) => !network || !Object.hasOwn(group.networks, network.uuid))
  return [
    ...(network ? [] : [{ OP_ID: OP_NETWORK_ADD.id, ...USUAL, network_name: name }]),
    ...unconnected.map((group) => ({
      OP_ID: OP_NETWORK_CONNECT.id,
      group_name: group.uuid,
      network_name: name,
      network_mode: 'routed',
      network_link: 'communication_rt',
    })),
  ]
}
