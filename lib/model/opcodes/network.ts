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
import { no, opcode, optional, preset, required, since, until, yes } from '../opcode.ts'
import { name, names } from './values.ts'

export const OP_NETWORK_ADD = opcode('OP_NETWORK_ADD', {
  network_name: name,
  network: required(ipv4Network),
  gateway: optional(ipv4Address),
  network6: optional(ipv6Network),
  gateway6: optional(ipv6Address),
  mac_prefix: optional(nonEmptyString),
  add_reserved_ips: optional(listOf(ipv4Address)),
  conflicts_check: yes,
  tags: names,
})

export const OP_NETWORK_SET_PARAMS = opcode('OP_NETWORK_SET_PARAMS', {
  network_name: name,
  gateway: optional(ipv4Address),
  network6: optional(ipv6Network),
  gateway6: optional(ipv6Address),
  mac_prefix: optional(nonEmptyString),
  add_reserved_ips: optional(listOf(ipv4Address)),
  remove_reserved_ips: optional(listOf(ipv4Address)),
})

export const OP_NETWORK_REMOVE = opcode('OP_NETWORK_REMOVE', { network_name: name, force: no })
/** Since Ganeti 3.1. */
export const OP_NETWORK_RENAME = opcode('OP_NETWORK_RENAME', { network_name: name, new_name: name })

export const OP_NETWORK_CONNECT = opcode('OP_NETWORK_CONNECT', {
  group_name: name,
  network_name: name,
  network_mode: [
    until('3.2', required(oneOf('bridged', 'openvswitch', 'pool', 'routed'))),
    since('3.2', required(oneOf(...NIC_MODES))),
  ],
  network_link: name,
  network_vlan: preset(string, ''),
  conflicts_check: yes,
})

export const OP_NETWORK_DISCONNECT = opcode('OP_NETWORK_DISCONNECT', {
  group_name: name,
  network_name: name,
})
