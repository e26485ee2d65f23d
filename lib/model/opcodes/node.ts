/** What can be done to nodes and their storage. */
import { boolean, dict, listOf, nonEmptyString, oneOf } from '../check.ts'
import { no, opcode, optional, required } from '../opcode.ts'
import {
  disk_state,
  force,
  hv_state,
  iallocator,
  ignore_consistency,
  ignore_ipolicy,
  maybeName,
  migrates,
  name,
  names,
  ndparams,
  remote_node,
  remote_node_uuid,
} from './values.ts'

const node = { node_name: name('Name of the node.'), node_uuid: maybeName('UUID of the node.') }

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

/** A part of a node's storage. */
const storageUnit = {
  ...node,
  storage_type: required(storageType, 'Kind of storage.'),
  name: maybeName('Name of the storage unit, e.g. a volume group.'),
}

export const OP_NODE_SET_PARAMS = opcode('OP_NODE_SET_PARAMS', {
  ...node,
  force,
  hv_state,
  disk_state,
  master_candidate: optional(boolean, 'Whether the node is a master candidate.'),
  offline: optional(boolean, 'Whether the node is offline: Ganeti does not talk to it.'),
  drained: optional(boolean, 'Whether the node is drained: it gets no more instances.'),
  auto_promote: no('Whether other nodes become master candidates where one is lost.'),
  master_capable: optional(boolean, 'Whether the node can become master.'),
  vm_capable: optional(boolean, 'Whether the node can have instances.'),
  secondary_ip: optional(nonEmptyString, 'The address that the node has for traffic between nodes.'),
  ndparams,
  powered: optional(boolean, 'Whether the node is recorded as powered.'),
})

export const OP_NODE_EVACUATE = opcode('OP_NODE_EVACUATE', {
  early_release: no('Whether to give up old disks before the new ones are in sync.'),
  ...node,
  remote_node,
  remote_node_uuid,
  iallocator,
  mode: required(
    oneOf('all', 'primary-only', 'secondary-only'),
    'Which instances move: those that the node is the primary node of, the secondary node of, or both.',
  ),
  ignore_soft_errors: optional(boolean, 'Whether to go on in spite of what htools calls soft errors.'),
})

export const OP_NODE_MIGRATE = opcode('OP_NODE_MIGRATE', {
  ...node,
  ...migrates,
  ignore_ipolicy,
  iallocator,
})

export const OP_NODE_POWERCYCLE = opcode('OP_NODE_POWERCYCLE', { ...node, force })

export const OP_NODE_QUERY_STORAGE = opcode(
  'OP_NODE_QUERY_STORAGE',
  {
    output_fields: required(listOf(nonEmptyString), 'Which fields to give of each storage unit.'),
    storage_type: optional(storageType, 'Kind of storage.'),
    nodes: names('Which nodes to ask; all, if none.'),
    name: maybeName('Which storage unit to give; all, unless given.'),
  },
  { readsOnly: true },
)

export const OP_NODE_MODIFY_STORAGE = opcode('OP_NODE_MODIFY_STORAGE', {
  ...storageUnit,
  changes: required(dict, 'What to change, e.g. `{"allocatable": false}`.'),
})

export const OP_REPAIR_NODE_STORAGE = opcode('OP_REPAIR_NODE_STORAGE', {
  ...storageUnit,
  ignore_consistency,
})
