/** What can be done to nodes and their storage. */
import { boolean, dict, listOf, nonEmptyString, oneOf } from '../check.ts'
import { no, opcode, optional, required, yes } from '../opcode.ts'
import { migrationMode, name, names } from './values.ts'

const node = { node_name: name, node_uuid: optional(nonEmptyString) }

const storageType = oneOf(
  'blockdev',
  'diskless',
  'ext',
  'file',
  'gluster',
  'lvm-pv',
  'lvm-vg',
  'rados',
  'sharedfile',
)

export const OP_NODE_SET_PARAMS = opcode('OP_NODE_SET_PARAMS', {
  ...node,
  force: no,
  hv_state: optional(dict),
  disk_state: optional(dict),
  master_candidate: optional(boolean),
  offline: optional(boolean),
  drained: optional(boolean),
  auto_promote: no,
  master_capable: optional(boolean),
  vm_capable: optional(boolean),
  secondary_ip: optional(nonEmptyString),
  ndparams: optional(dict),
  powered: optional(boolean),
})

export const OP_NODE_EVACUATE = opcode('OP_NODE_EVACUATE', {
  early_release: no,
  ...node,
  remote_node: optional(nonEmptyString),
  remote_node_uuid: optional(nonEmptyString),
  iallocator: optional(nonEmptyString),
  mode: required(oneOf('all', 'primary-only', 'secondary-only')),
  ignore_soft_errors: optional(boolean),
})

export const OP_NODE_MIGRATE = opcode('OP_NODE_MIGRATE', {
  ...node,
  mode: optional(migrationMode),
  /** What `mode` was before there were two. */
  live: optional(boolean),
  target_node: optional(nonEmptyString),
  target_node_uuid: optional(nonEmptyString),
  allow_runtime_changes: yes,
  ignore_ipolicy: no,
  iallocator: optional(nonEmptyString),
})

export const OP_NODE_POWERCYCLE = opcode('OP_NODE_POWERCYCLE', { ...node, force: no })

export const OP_NODE_QUERY_STORAGE = opcode(
  'OP_NODE_QUERY_STORAGE',
  {
    output_fields: required(listOf(nonEmptyString)),
    storage_type: optional(storageType),
    nodes: names,
    name: optional(nonEmptyString),
  },
  { readsOnly: true },
)

export const OP_NODE_MODIFY_STORAGE = opcode('OP_NODE_MODIFY_STORAGE', {
  ...node,
  storage_type: required(storageType),
  name: optional(nonEmptyString),
  changes: required(dict),
})

export const OP_REPAIR_NODE_STORAGE = opcode('OP_REPAIR_NODE_STORAGE', {
  ...node,
  storage_type: required(storageType),
  name: optional(nonEmptyString),
  ignore_consistency: no,
})
