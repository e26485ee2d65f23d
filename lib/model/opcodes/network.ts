/** What can be done to networks. */
import {
  ipv4Address,
  ipv4Network,
  ipv6Address,
  ipv6Network,
  listOf,
  nonEmptyString,
  oneOf,
  string,
} from '../check.ts'
import { NIC_MODES } from '../defaults.ts'
import { opcode, optional, preset, required, since, until, yes } from '../opcode.ts'
import { force, group_name, name, names, network_name, new_name } from './values.ts'

const properties = {
  gateway: optional(ipv4Address, 'IPv4 address of the router.'),
  network6: optional(ipv6Network, 'The IPv6 network, e.g. `2001:db8::/64`.'),
  gateway6: optional(ipv6Address, 'IPv6 address of the router.'),
  mac_prefix: optional(nonEmptyString, 'How MAC addresses in the network begin, e.g. `aa:bb:cc`.'),
  add_reserved_ips: optional(listOf(ipv4Address), 'Addresses that no instance gets.'),
}

export const OP_NETWORK_ADD = opcode('OP_NETWORK_ADD', {
  network_name,
  network: required(ipv4Network, 'The IPv4 network, e.g. `192.0.2.0/24`.'),
  ...properties,
  conflicts_check: yes('Whether to reserve the addresses that nodes and the master have in the network.'),
  tags: names('Tags of the network.'),
})

export const OP_NETWORK_SET_PARAMS = opcode('OP_NETWORK_SET_PARAMS', {
  network_name,
  ...properties,
  remove_reserved_ips: optional(listOf(ipv4Address), 'Addresses that instances may get again.'),
})

export const OP_NETWORK_REMOVE = opcode('OP_NETWORK_REMOVE', { network_name, force })
/** Since Ganeti 3.1. */
export const OP_NETWORK_RENAME = opcode('OP_NETWORK_RENAME', { network_name, new_name })

const networkMode = 'How network cards are connected to the network.'

export const OP_NETWORK_CONNECT = opcode('OP_NETWORK_CONNECT', {
  group_name,
  network_name,
  network_mode: [
    until('3.2', required(oneOf('bridged', 'openvswitch', 'pool', 'routed'), networkMode)),
    since('3.2', required(oneOf(...NIC_MODES), networkMode)),
  ],
  network_link: name('What they are connected to on a node: a bridge, a routing table, a switch.'),
  network_vlan: preset(string, '', 'VLAN of the network cards, with Open vSwitch or a VLAN-aware bridge.'),
  conflicts_check: yes(
    'Whether to refuse if instances of the group have addresses in the network without being connected to it.',
  ),
})

export const OP_NETWORK_DISCONNECT = opcode('OP_NETWORK_DISCONNECT', { group_name, network_name })
