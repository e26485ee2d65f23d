/** What values of parameters look like that several opcodes share. */
import {
  boolean,
  type Check,
  dict,
  dictOf,
  either,
  integer,
  lessThan,
  listOf,
  maybe,
  nonEmptyString,
  nonNegativeInt,
  oneOf,
  string,
  tupleOf,
} from '../check.ts'
import { ALLOC_POLICIES, DISK_TEMPLATES, HYPERVISORS } from '../defaults.ts'
import { no, optional, preset, required, yes } from '../opcode.ts'

export const allocPolicy = oneOf(...ALLOC_POLICIES)
export const diskTemplate = oneOf(...DISK_TEMPLATES)
export const fileDriver = oneOf('blktap', 'blktap2', 'loop')
export const hypervisor = oneOf(...HYPERVISORS)
export const migrationMode = oneOf('live', 'non-live')
export const replacementMode = oneOf(
  'replace_auto',
  'replace_new_secondary',
  'replace_on_primary',
  'replace_on_secondary',
)

/** Ganeti gives an instance up to 16 disks. */
export const diskIndex = lessThan(16, nonNegativeInt)
export const diskParams = dictOf(nonEmptyString, either(nonEmptyString, integer))
export const nicParams = dictOf(
  oneOf('bridge', 'ip', 'link', 'mac', 'mode', 'name', 'network', 'vlan'),
  maybe(string),
)

/**
 * Changes of an instance's disks or NICs: `[what, which, parameters]` each, or
 * in the old form `[what, parameters]` each, where a number changes that one.
 */
export function deviceChanges(parameters: Check): Check {
  return either(
    listOf(
      tupleOf(oneOf('add', 'attach', 'detach', 'modify', 'remove'), either(integer, string), parameters),
    ),
    listOf(tupleOf(either(oneOf('add', 'attach', 'detach', 'remove'), nonNegativeInt), parameters)),
  )
}

/** Names, where null will not do but nothing will. */
export const names = (doc: string) => preset(listOf(nonEmptyString), [], doc)
export const name = (doc: string) => required(nonEmptyString, doc)
/** A name or UUID that may be left out. */
export const maybeName = (doc: string) => optional(nonEmptyString, doc)
/** Parameters by name, of which there may be none. */
export const params = (doc: string) => preset(dict, {}, doc)

export const group_name = name('Name or UUID of the node group.')
export const network_name = name('Name or UUID of the network.')
export const new_name = name('The name that it gets.')

export const force = no('Whether to go on in spite of what would otherwise keep the job from it.')
export const force_variant = no('Whether the operating system may be a variant that it does not list itself.')
export const ignore_ipolicy = no('Whether only to warn if the instance policy forbids the result.')
export const ignore_consistency = no('Whether to go on if disks are not in sync, and lose what is not.')
export const conflicts_check = yes(
  'Whether to refuse addresses that belong to a network of the node group without being connected to it.',
)
export const shutdown_timeout = preset(
  nonNegativeInt,
  120,
  'Seconds that the instance has for shutting down before it is stopped.',
)

export const iallocator = maybeName(
  'Which instance allocator chooses the nodes, e.g. `hail`; `.` is the default of the cluster.',
)
export const remote_node = maybeName('The new secondary node.')
export const remote_node_uuid = maybeName('UUID of the new secondary node.')
/** Of migrations and failovers. */
export const moves = {
  target_node: maybeName('Where to, for disks that every node can use; mirrored ones go to their mirror.'),
  target_node_uuid: maybeName('UUID of the node to move to.'),
}
/** Of migrations. */
export const migrates = {
  mode: optional(
    migrationMode,
    "How: `live`, or `non-live` with a short stop; unless given, as the hypervisor's parameters say.",
  ),
  live: optional(boolean, 'What `mode` was before there was one: whether the migration is live.'),
  ...moves,
  allow_runtime_changes: yes('Whether memory of the instance may be taken away to make it fit.'),
}

export const hv_state = optional(
  dict,
  'Memory and CPUs that nodes need for themselves, by hypervisor; checked, but not used so far.',
)
export const disk_state = optional(
  dict,
  'Disk space of nodes that is in other use, by kind and name of storage; checked, but not used so far.',
)
export const diskparams = optional(
  dictOf(diskTemplate, dict),
  'Parameters of disks, by disk template, e.g. `{"drbd": {"resync-rate": 61440}}`.',
)
export const ndparams = optional(dict, 'Parameters of nodes, such as `oob_program` or `spindle_count`.')
