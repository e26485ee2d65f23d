/** Adding, changing and removing the NICs of an instance that is there. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { ParamTypes } from '../../../../model/defaults.ts'
import { type Instance, MAX_NICS, type Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { NicParams } from '../../../../model/params.ts'
import { findNetwork, groupOf } from '../shared/find.ts'
import { forceTypes, pythonText, updatedParams } from '../shared/force-types.ts'
import { checkNicParams } from '../shared/inherited-params.ts'
import { type OpError, prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'
import type { AddressPools } from './address-pools.ts'
import {
  checkDeviceNames,
  checkNothingSet,
  type Modification,
  orNone,
  placeForNew,
  placeOf,
} from './devices.ts'
import type { IdAllocator } from './id-allocator.ts'
import { checkAddress, checkNoNetworkAround, FROM_POOL, isMadeUp, macGiven, NIC_TYPES } from './nics.ts'

const NIC_PARAM_TYPES: ParamTypes = { mode: 'string', link: 'string', vlan: 'string' }

/** What changed, as an opcode's result shows it: names of things and their new values. */
export type Changes = (readonly [what: string, value: Json])[]

/** What is given out and taken back on the way. */
export interface Stock {
  readonly ids: IdAllocator
  readonly pools: AddressPools
}

/** Modifications whose parameters make sense by themselves, with values of the right types. */
export function checkedNicModifications(modifications: readonly Modification[]): Modification[] {
  return modifications.map((modification) => {
    const params = forceTypes(modification.params, NIC_TYPES)
    checkNothingSet('NIC', modification)
    if (modification.action !== 'add' && modification.action !== 'modify') return { ...modification, params }
    return { ...modification, params: checkedParams(modification.action, params) }
  })
}

function checkedParams(action: 'add' | 'modify', given: JsonObject): JsonObject {
  const params: { [name: string]: Json } = { ...given }
  for (const name of ['name', 'network', 'ip']) if (name in params) params[name] = orNone(params[name])
  const { network, link, mode, ip } = params
  if (typeof network === 'string' && (typeof link === 'string' || typeof mode === 'string')) {
    throw prerequisite('If network is given mode or link should not', 'wrong_input')
  }
  if (typeof ip === 'string') {
    if (ip.toLowerCase() === FROM_POOL) {
      if (action === 'add' && typeof network !== 'string') {
        throw prerequisite('If ip=pool, parameter network cannot be none', 'wrong_input')
      }
      params.ip = FROM_POOL
    } else checkAddress(ip)
  }
  if (action === 'add') params.mac ??= 'auto'
  if (typeof params.mac === 'string') params.mac = macGiven(params.mac)
  if (action === 'modify' && params.mac === 'auto') {
    throw prerequisite("'auto' is not a valid MAC address when modifying an existing NIC", 'wrong_input')
  }
  return params
}

/**
 * @param hotplugs whether the devices of a running instance change with it
 * @param changes is added to
 * @returns the NICs from now on
 */
export function modifiedNics(
  run: Run,
  instance: Instance,
  node: Node,
  modifications: readonly Modification[],
  stock: Stock,
  hotplugs: boolean,
  changes: Changes,
): readonly Nic[] {
  const nics = [...instance.nics]
  for (const { action, device, params } of modifications) {
    if (action === 'attach' || action === 'detach') {
      const word = action === 'attach' ? 'Attach' : 'Detach'
      throw prerequisite(`${word} operation is not supported for NICs`, 'wrong_input')
    }
    if (action === 'add') {
      const place = placeForNew('NIC', nics, device)
      nics.splice(place, 0, addedNic(run, node, params, stock, place, changes))
      if (hotplugs) changes.push([`nic.${place}`, hotplugged(run)])
      // Some may be removed again; but no list grows without end.
      if (nics.length > 2 * MAX_NICS) throw tooMany()
      continue
    }
    const place = placeOf('NIC', nics, device)
    const nic = nics[place] as Nic
    if (action === 'modify') {
      nics[place] = changedNic(run, node, nic, params, stock, place, changes)
      if (hotplugs) changes.push([`nic/${place}`, hotplugged(run)])
    } else {
      if (nic.network !== null && nic.ip !== null) stock.pools.release(nic.network, nic.ip)
      changes.push([`NIC/${place}`, 'remove'])
      if (hotplugs) changes.push([`NIC/${place}`, hotplugged(run)])
      nics.splice(place, 1)
    }
  }
  if (nics.length > MAX_NICS) throw tooMany()
  checkDeviceNames('NIC', nics)
  return nics
}

function tooMany(): OpError {
  return prerequisite(
    `Instance has too many network interfaces (${MAX_NICS}), cannot add more`,
    'wrong_state',
  )
}

/** Tells of a device that a running instance gets or loses, and what its change is called. */
export function hotplugged(run: Run): string {
  run.info('Trying to hotplug device...')
  run.info('Hotplug done.')
  return 'hotplug:done'
}

function addedNic(
  run: Run,
  node: Node,
  params: JsonObject,
  stock: Stock,
  place: number,
  changes: Changes,
): Nic {
  const { mac, ip, network, nicparams } = resolved(run, node, null, params, stock)
  const shown = [
    `mac=${mac}`,
    `ip=${pythonText(ip)}`,
    `mode=${nicparams.mode}`,
    `link=${nicparams.link}`,
    `network=${pythonText(params.network ?? null)}`,
  ]
  changes.push([`nic.${place}`, `add:${shown.join(',')}`])
  return { uuid: run.context.newUuid(), name: orNone(params.name), mac, ip, network, nicparams }
}

function changedNic(
  run: Run,
  node: Node,
  nic: Nic,
  params: JsonObject,
  stock: Stock,
  place: number,
  changes: Changes,
): Nic {
  const { mac, ip, network, nicparams } = resolved(run, node, nic, params, stock)
  if ('mac' in params || mac !== nic.mac) changes.push([`nic.mac/${place}`, mac])
  if ('ip' in params) changes.push([`nic.ip/${place}`, ip])
  if ('name' in params) changes.push([`nic.name/${place}`, params.name ?? null])
  if (network !== nic.network) changes.push([`nic.network/${place}`, params.network ?? null])
  for (const name of ['link', 'mode', 'vlan'] as const)
    changes.push([`nic.${name}/${place}`, nicparams[name]])
  return {
    uuid: nic.uuid,
    name: 'name' in params ? orNone(params.name) : nic.name,
    mac,
    ip,
    network,
    nicparams,
  }
}

/** What a NIC comes to be by its parameters: those in effect, as Ganeti keeps them once a NIC is touched. */
interface ResolvedNic {
  readonly mac: string
  readonly ip: string | null
  readonly network: string | null
  readonly nicparams: NicParams
}

/** @param old the NIC as it is; null for a new one */
function resolved(run: Run, node: Node, old: Nic | null, params: JsonObject, stock: Stock): ResolvedNic {
  const network = networkAsked(run, old, params)
  const nicparams = linked(run, node, old, params, network)
  const ip = 'ip' in params ? (params.ip as string | null) : (old?.ip ?? null)
  if (nicparams.mode === 'routed' && ip === null && network === null) {
    throw prerequisite(
      'Cannot set the NIC IP address to None on a routed NIC if not attached to a network',
      'wrong_input',
    )
  }
  if (nicparams.mode === 'openvswitch') run.info('OVS links are currently not checked for correctness')
  const mac = resolvedMac(run, old, params, network, stock)
  return { mac, ip: resolvedIp(run, node, old, params, ip, network, stock), network, nicparams }
}

/** UUID of the network that a NIC shall be in. */
function networkAsked(run: Run, old: Nic | null, params: JsonObject): string | null {
  if (!('network' in params)) return old?.network ?? null
  return typeof params.network === 'string' ? findNetwork(run.config, params.network).uuid : null
}

function linked(
  run: Run,
  node: Node,
  old: Nic | null,
  params: JsonObject,
  network: string | null,
): NicParams {
  const { cluster } = run.config
  const connection = network === null ? undefined : groupOf(run.config, node).networks[network]
  if (network !== null && !connection) {
    const { name } = findNetwork(run.config, network)
    throw prerequisite(`No netparams found for the network ${name}, probably not connected`, 'wrong_input')
  }
  const asked = Object.fromEntries(Object.entries(params).filter(([name]) => name in NIC_PARAM_TYPES))
  const own =
    connection ?? forceTypes(updatedParams((old?.nicparams ?? {}) as JsonObject, asked), NIC_PARAM_TYPES)
  const { mode, link, vlan } = { ...cluster.nicparams, ...own }
  checkNicParams(run.config.version, { mode, link, vlan })
  return { mode, link, vlan }
}

function resolvedMac(
  run: Run,
  old: Nic | null,
  params: JsonObject,
  network: string | null,
  { ids }: Stock,
): string {
  if ('mac' in params) {
    if (typeof params.mac !== 'string') throw prerequisite('Cannot unset the NIC MAC address', 'wrong_input')
    if (isMadeUp(params.mac)) return ids.newMac(network)
    ids.reserveMac(params.mac, "'")
    return params.mac
  }
  const prefix = (uuid: string | null) => uuid && run.config.networks.byUuid.get(uuid)?.mac_prefix
  const before = old?.network ?? null
  if (!old || (network !== before && prefix(network) !== prefix(before))) return ids.newMac(network)
  return old.mac
}

function resolvedIp(
  run: Run,
  node: Node,
  old: Nic | null,
  params: JsonObject,
  ip: string | null,
  network: string | null,
  { pools }: Stock,
): string | null {
  const before = old ?? { ip: null, network: null }
  if (ip === before.ip && network === before.network) {
    if (network !== null && (typeof params.link === 'string' || typeof params.mode === 'string')) {
      throw prerequisite(
        'Not allowed to change link or mode of a NIC that is connected to a network',
        'wrong_input',
      )
    }
    return ip
  }
  const given = ip === null ? null : givenIp(run, node, ip, network, pools)
  if (before.ip !== null && before.network !== null) pools.release(before.network, before.ip)
  return given
}

function givenIp(run: Run, node: Node, ip: string, network: string | null, pools: AddressPools): string {
  if (network === null) {
    if (ip === FROM_POOL) throw prerequisite('ip=pool, but no network found', 'wrong_input')
    if (run.flag('conflicts_check')) checkNoNetworkAround(run, ip, node)
    return ip
  }
  const { name } = findNetwork(run.config, network)
  if (ip === FROM_POOL) {
    const chosen = pools.reserveAny(network)
    if (chosen === undefined)
      throw prerequisite('Unable to get a free IP from the address pool', 'wrong_state')
    run.info(`Chose IP ${chosen} from network ${name}`)
    return chosen
  }
  if (!pools.reserve(network, ip, !run.flag('conflicts_check'))) {
    throw prerequisite(`IP ${ip} not available in network ${name}`, 'resource_not_unique')
  }
  run.info(`Reserving IP ${ip} in network ${name}`)
  return ip
}
