/** What can be done to node groups. */
import { dict, listOf, nonEmptyString } from '../check.ts'
import { opcode, optional, required } from '../opcode.ts'
import {
  allocPolicy,
  disk_state,
  diskparams,
  force,
  group_name,
  hv_state,
  ndparams,
  new_name,
} from './values.ts'

const properties = {
  group_name,
  alloc_policy: optional(
    allocPolicy,
    'How instance allocators treat the group: `preferred`, `last_resort` or `unallocable`.',
  ),
  ndparams,
  diskparams,
  hv_state,
  disk_state,
  ipolicy: optional(
    dict,
    "What instances in the group may have, where it differs from the cluster's policy.",
  ),
}

export const OP_GROUP_ADD = opcode('OP_GROUP_ADD', properties)
export const OP_GROUP_SET_PARAMS = opcode('OP_GROUP_SET_PARAMS', properties)
export const OP_GROUP_REMOVE = opcode('OP_GROUP_REMOVE', { group_name })
export const OP_GROUP_RENAME = opcode('OP_GROUP_RENAME', { group_name, new_name })

export const OP_GROUP_ASSIGN_NODES = opcode('OP_GROUP_ASSIGN_NODES', {
  group_name,
  force,
  nodes: required(listOf(nonEmptyString), 'Names of the nodes that move into the group.'),
  node_uuids: optional(listOf(nonEmptyString), 'UUIDs of these nodes.'),
})
