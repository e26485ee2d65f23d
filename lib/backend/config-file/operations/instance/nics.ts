/** The NICs of an instance: new ones, and what becomes of them on a node. */
import { isIP } from 'node:net'
import type { Json, JsonObject } from '../../../../json/json.ts'
import { parseMac } from '../../../../model/address.ts'
import type { ParamTypes } from '../../../../model/defaults.ts'
import type { Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { NicParams } from '../../../../model/params.ts'
import { findNetwork, groupOf } from '../shared/find.ts'
import { forceTypes, pythonLiteral } from '../shared/force-types.ts'
import { checkNicParams } from '../shared/inherited-params.ts'
import { prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'
import { type AddressPools, networkAround } from './address-pools.ts'
import { orNone } from './devices.ts'
import type { IdAllocator } from './id-allocator.ts'

/** The name of the NIC by which an instance talks to its node. */
export const COMMUNICATION_NIC = 'ganeti:communication:'

export const NIC_TYPES: ParamTypes = {
  bridge: 'maybe-string',
  ip: 'maybe-string',
  link: 'string',
  mac: 'string',
  mode: 'string',
  name: 'maybe-string',
  network: 'maybe-string',
  vlan: 'maybe-string',
}

/** The words for an address from the network's pool, and for a MAC that Ganeti shall make up. */
export const FROM_POOL = 'pool'
export const isMadeUp = (mac: Json | undefined) => mac === 'auto' || mac === 'generate'

/** Parameters of NICs as an opcode gives them, with values of the right types. */
export function nicParamsGiven(list: readonly Json[]): JsonObject[] {
  return list.map((params) => withTrunk(forceTypes(params as JsonObject, NIC_TYPES)))
}

/** A VLAN by itself is an untagged one, which is written with a dot. */
function withTrunk(params: JsonObject): JsonObject {
  const { vlan } = params
  if (typeof vlan !== 'string' || vlan === '' || /^\.\d+$/.test(vlan)) return params
  if (/^[.:]\d+(:\d+)*$/.test(vlan)) return params
  if (/^\d+$/.test(vlan)) return { ...params, vlan: `.${vlan}` }
  throw prerequisite(`Specified VLAN parameter is invalid : ${vlan}`, 'wrong_input')
}

/**
 * The NICs of a new instance, before it is known where it will run: an
 * address may still be `pool`. MACs are given out already.
 * @param given by `nicParamsGiven`
 */
export function draftNics(run: Run, given: readonly JsonObject[], ids: IdAllocator): Nic[] {
  const drafts = given.map((params) => draftNic(run, params, ids))
  return drafts.map((nic) => (isMadeUp(nic.mac) ? { ...nic, mac: ids.newMac(nic.network) } : nic))
}

function draftNic(run: Run, params: JsonObject, ids: IdAllocator): Nic {
  const { cluster } = run.config
  const asked = orAbsent(params.mode)
  const mode = asked === undefined || asked === 'auto' ? cluster.nicparams.mode : asked
  const link = orAbsent(params.link)
  const vlan = orAbsent(params.vlan)
  const network = orNone(params.network)
  if (network !== null && (asked !== undefined || link !== undefined)) {
    throw prerequisite('If network is given, no mode or link is allowed to be passed', 'wrong_input')
  }
  const ip = addressGiven(run, params.ip, network)
  if (mode === 'routed' && ip === null && network === null) {
    throw prerequisite('Routed nic mode requires an ip address if not attached to a network', 'wrong_input')
  }
  const mac = macGiven(params.mac)
  if (!isMadeUp(mac)) ids.reserveMac(mac, '')
  const nicparams = {
    ...(asked !== undefined && { mode }),
    ...(link !== undefined && { link }),
    ...(vlan !== undefined && { vlan }),
  } as Partial<NicParams>
  checkNicParams(run.config.version, { ...cluster.nicparams, ...nicparams })
  return {
    uuid: run.context.newUuid(),
    name: orNone(params.name),
    mac,
    ip,
    network: network === null ? null : findNetwork(run.config, network).uuid,
    nicparams,
  }
}

/** An address, `pool`, or null; `auto` would be that of the instance's own name. */
function addressGiven(run: Run, value: Json | undefined, network: string | null): string | null {
  const ip = orNone(value)
  if (ip === null || ip === '') return null
  if (ip.toLowerCase() === 'auto') {
    if (!run.flag('name_check')) {
      throw prerequisite('IP address set to auto but name checks have been skipped', 'wrong_input')
    }
    const name = run.text('instance_name')
    throw prerequisite(
      `The given name (${name}) does not resolve: nobody is asked for names`,
      'resolver_error',
    )
  }
  if (ip.toLowerCase() === FROM_POOL) {
    if (network === null)
      throw prerequisite('if ip=pool, parameter network must be passed too', 'wrong_input')
    return FROM_POOL
  }
  checkAddress(ip)
  return ip
}

export function checkAddress(ip: string): void {
  if (isIP(ip) === 0) throw prerequisite(`Invalid IP address '${ip}'`, 'wrong_input')
}

/** A MAC in lower case, or the word for one that is to be made up. */
export function macGiven(value: Json | undefined): string {
  if (typeof value !== 'string') return 'auto'
  if (isMadeUp(value)) return value
  const mac = parseMac(value)
  if (mac === undefined) throw prerequisite(`Invalid MAC address '${value}'`, 'wrong_input')
  return mac
}

/** The NICs of a new instance on its primary node: linked as its group is connected, with addresses. */
export function nicsOnNode(run: Run, drafts: readonly Nic[], node: Node, pools: AddressPools): Nic[] {
  return drafts.map((nic, place) => {
    if (nic.network === null) {
      if (nic.ip !== null && run.flag('conflicts_check')) checkNoNetworkAround(run, nic.ip, node)
      return nic
    }
    const network = findNetwork(run.config, nic.network)
    const nicparams = groupOf(run.config, node).networks[network.uuid]
    if (!nicparams) {
      throw prerequisite(
        `No netparams found for network ${network.name}. Probably not connected to node's ${node.name} nodegroup`,
        'wrong_input',
      )
    }
    const { mode, link, vlan } = nicparams
    run.info(`NIC/${place} inherits netparams ${pythonLiteral([link, mode, vlan])}`)
    return { ...nic, nicparams: { mode, link, vlan }, ip: reserveAddress(run, nic, place, pools) }
  })
}

function reserveAddress(run: Run, nic: Nic, place: number, pools: AddressPools): string | null {
  if (nic.network === null || nic.ip === null) return nic.ip
  const { name } = findNetwork(run.config, nic.network)
  if (nic.ip === FROM_POOL) {
    const ip = pools.reserveAny(nic.network)
    if (ip === undefined) {
      throw prerequisite(`Unable to get a free IP for NIC ${place} from the address pool`, 'wrong_state')
    }
    run.info(`Chose IP ${ip} from network ${name}`)
    return ip
  }
  if (!pools.reserve(nic.network, nic.ip, !run.flag('conflicts_check'))) {
    throw prerequisite(
      `IP address ${nic.ip} already in use or does not belong to network ${name}`,
      'resource_not_unique',
    )
  }
  return nic.ip
}

/** @throws OpError where an address is one of a network that the NIC is not in */
export function checkNoNetworkAround(run: Run, ip: string, node: Node): void {
  const network = networkAround(run.config, node, ip)
  if (network === undefined) return
  throw prerequisite(
    `The requested IP address (${ip}) belongs to network ${network}, but the target NIC does not.`,
    'wrong_state',
  )
}

function orAbsent(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
