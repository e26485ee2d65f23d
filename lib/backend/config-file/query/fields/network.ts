/** The fields of networks, and the counting of their addresses. */
import type { Json } from '../../../../json/json.ts'
import { addressAt, ipv4Number } from '../../../../model/address.ts'
import type { Config } from '../../../../model/config.ts'
import type { Network } from '../../../../model/network.ts'
import { type Field, field, optionalField, recordFields } from './field.ts'
import { list, text, texts, tuple } from './value-schemas.ts'

export const networkFields: readonly Field<Network>[] = [
  field('name', 'Network', 'text', 'Name of the network', ({ name }) => name),
  field('network', 'Subnet', 'text', 'IPv4 addresses of the network (CIDR)', ({ network }) => network),
  optionalField('gateway', 'Gateway', text, 'IPv4 gateway', ({ gateway }) => gateway),
  optionalField(
    'network6',
    'IPv6Subnet',
    text,
    'IPv6 addresses of the network (CIDR)',
    ({ network6 }) => network6,
  ),
  optionalField('gateway6', 'IPv6Gateway', text, 'IPv6 gateway', ({ gateway6 }) => gateway6),
  optionalField(
    'mac_prefix',
    'MacPrefix',
    text,
    'Start of the MAC addresses made for it',
    (network) => network.mac_prefix,
  ),
  field('map', 'Map', 'text', 'One character for each address: X where it is taken', addressMap),
  field('free_count', 'FreeCount', 'number', 'How many addresses are free', (network) =>
    countOf('.', addressMap(network)),
  ),
  field('reserved_count', 'ReservedCount', 'number', 'How many addresses are taken', (network) =>
    countOf('X', addressMap(network)),
  ),
  field(
    'external_reservations',
    'ExternalReservations',
    'text',
    'Addresses set aside by hand',
    externalReservations,
  ),
  field(
    'group_cnt',
    'NodeGroups',
    'number',
    'How many groups are connected to it',
    (network, config) => connections(network, config).length,
  ),
  field(
    'group_list',
    'GroupList',
    list(tuple(text, text, text, text)),
    'Groups connected to it: name, mode, link, VLAN',
    connections,
  ),
  field(
    'inst_cnt',
    'Instances',
    'number',
    'How many instances have a NIC in it',
    (network, config) => config.networkInstances.get(network.uuid)?.length ?? 0,
  ),
  field('inst_list', 'InstanceList', texts, 'Instances with a NIC in it', (network, config) =>
    (config.networkInstances.get(network.uuid) ?? []).map(({ name }) => name),
  ),
  ...recordFields<Network>('network'),
]

/** One character for each address, `X` where an instance has it or it is reserved, `.` where it is free. */
function addressMap({ reservations, ext_reservations }: Network): string {
  const length = Math.max(reservations.length, ext_reservations.length)
  let map = ''
  for (let i = 0; i < length; i++) map += reservations[i] === '1' || ext_reservations[i] === '1' ? 'X' : '.'
  return map
}

function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count++
  return count
}

function externalReservations({ network, ext_reservations }: Network): string {
  const first = firstAddress(network)
  const addresses: string[] = []
  for (let at = ext_reservations.indexOf('1'); at >= 0; at = ext_reservations.indexOf('1', at + 1)) {
    addresses.push(addressAt({ first }, at))
  }
  return addresses.join(', ')
}

/** The first address of an IPv4 network in CIDR form, as a number. */
function firstAddress(cidr: string): number {
  const [address = '', bits = '32'] = cidr.split('/')
  const number = ipv4Number(address)
  return number - (number % 2 ** (32 - Number(bits)))
}

function connections({ uuid }: Network, { groups }: Config): readonly Json[] {
  return groups.all.flatMap((group) => {
    const params = Object.hasOwn(group.networks, uuid) ? group.networks[uuid] : undefined
    return params ? [[group.name, params.mode, params.link, params.vlan]] : []
  })
}
