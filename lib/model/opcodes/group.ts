/** What can be done to node groups. */
import { dict, dictOf, listOf, nonEmptyString } from '../check.ts'
import { no, opcode, optional, required } from '../opcode.ts'
import { allocPolicy, diskTemplate, name } from './values.ts'

const properties = {
  group_name: name,
  alloc_policy: optional(allocPolicy),
  ndparams: optional(dict),
  diskparams: optional(dictOf(diskTemplate, dict)),
  hv_state: optional(dict),
  disk_state: optional(dict),
  ipolicy: optional(dict),
}

export const OP_GROUP_ADD = opcode('OP_GROUP_ADD', properties)
export const OP_GROUP_SET_PARAMS = opcode('OP_GROUP_SET_PARAMS', properties)
export const OP_GROUP_REMOVE = opcode('OP_GROUP_REMOVE', { group_name: name })
export const OP_GROUP_RENAME = opcode('OP_GROUP_RENAME', { group_name: name, new_name: name })

export const OP_GROUP_ASSIGN_NODES = opcode('OP_GROUP_ASSIGN_NODES', {
  group_name: name,
  force: no,
  nodes: required(listOf(nonEmptyString)),
  node_uuids: optional(listOf(nonEmptyString)),
})
