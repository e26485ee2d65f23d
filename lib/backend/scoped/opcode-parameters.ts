/**
 * What the parameters of opcodes say, by their names, which mean the same in all
 * opcodes: which object a value names, or that it concerns no object but the
 * opcode's own. A parameter that is not here cannot be given within a scope
 * (fail closed); test/backend/scoped/ holds that none is forgotten.
 */
import type { JsonObject } from '../../json/json.ts'
import { OPCODES } from '../../model/opcodes/table.ts'
import type { ThingKind } from './things.ts'

/** What an opcode is about: the kind of its own object, and the parameter that names it, or several of them. */
export interface About {
  readonly kind: 'instance' | 'node'
  readonly by: string
}

/** @returns undefined for an opcode that is about the whole cluster, or that nobody can submit here */
export function aboutOf(opcode: JsonObject): About | undefined {
  const id = String(opcode.OP_ID)
  if (!OPCODES.has(id)) return undefined
  if (/^OP_(INSTANCE|BACKUP)_/.test(id))
    return { kind: 'instance', by: Object.hasOwn(opcode, 'instances') ? 'instances' : 'instance_name' }
  if (/^OP_(REPAIR_)?NODE_/.test(id))
    return { kind: 'node', by: Object.hasOwn(opcode, 'node_name') ? 'node_name' : 'nodes' }
  if (/^OP_TAGS_/.test(id) && (opcode.kind === 'instance' || opcode.kind === 'node'))
    return { kind: opcode.kind, by: 'name' }
  return undefined
}

/** Parameters that name another object, or several. */
export const NAMES_ANOTHER: { readonly [parameter: string]: ThingKind } = {
  group_name: 'group',
  nodes: 'node',
  pnode: 'node',
  remote_node: 'node',
  snode: 'node',
  src_node: 'node',
  target_node: 'node',
}

/**
 * Parameters that only words without a selector may set, with the reason. UUIDs
 * come before names where both are given, and an import reads what an export of
 * any instance left on the node.
 */
export const NEVER_WITHIN: { readonly [parameter: string]: string } = {
  auto_promote: 'it changes other nodes',
  ext_params: 'it is unknown what a provider of storage makes of them',
  instance_uuid: 'name the instance',
  node_uuid: 'name the node',
  node_uuids: 'name the nodes',
  pnode_uuid: 'name the node',
  remote_node_uuid: 'name the node',
  snode_uuid: 'name the node',
  src_node_uuid: 'name the node',
  src_path: 'it reads what other instances left on a node',
  target_node_uuid: 'name the node',
}

/** Parameters with rules of their own: see check-opcodes.ts. */
export const LOOKED_INTO: ReadonlySet<string> = new Set([
  'depends',
  'disks',
  'hvparams',
  'ndparams',
  'new_name',
  'nics',
  'tags',
])

/** Parameters that concern nothing but the opcode's own object. */
export const OWN_MATTER: ReadonlySet<string> = new Set([
  'OP_ID',
  'absolute',
  'admin_state_source',
  'allow_failover',
  'allow_runtime_changes',
  'amount',
  'beparams',
  'changes',
  'cleanup',
  'comment',
  'commit',
  'compress',
  'conflicts_check',
  'debug_level',
  'destination_x509_ca',
  'disk',
  'disk_state',
  'disk_template',
  'drained',
  'dry_run',
  'early_release',
  'file_driver',
  'file_storage_dir',
  'force',
  'force_variant',
  'forthcoming',
  'helper_shutdown_timeout',
  'helper_startup_timeout',
  'hotplug',
  'hotplug_if_possible',
  'hv_state',
  'hypervisor',
  'iallocator',
  'identify_defaults',
  'ignore_consistency',
  'ignore_failures',
  'ignore_hvversions',
  'ignore_ipolicy',
  'ignore_offline_nodes',
  'ignore_remove_failures',
  'ignore_secondaries',
  'ignore_size',
  'ignore_soft_errors',
  'instance_communication',
  'ip_check',
  'kind',
  'live',
  'long_sleep',
  'master_candidate',
  'master_capable',
  'mode',
  'name',
  'name_check',
  'no_install',
  'no_remember',
  'offline',
  'opportunistic_locking',
  'os_name',
  'os_type',
  'osparams',
  'osparams_private',
  'osparams_secret',
  'output_fields',
  'powered',
  'priority',
  'reason',
  'reboot_type',
  'remove_instance',
  'runtime_mem',
  'secondary_ip',
  'shutdown',
  'shutdown_timeout',
  'source_handshake',
  'source_instance_name',
  'source_shutdown_timeout',
  'source_x509_ca',
  'start',
  'startup_paused',
  'static',
  'storage_type',
  'timeout',
  'use_locking',
  'vm_capable',
  'wait_for_sync',
  'x509_key_name',
  'zero_free_space',
  'zeroing_timeout_fixed',
  'zeroing_timeout_per_mib',
])

/** Parameters of a disk; whatever else it has is for a provider of storage, as `ext_params` are. */
export const OWN_DISK_PARAMS: ReadonlySet<string> = new Set([
  'access',
  'dev_type',
  'metavg',
  'mode',
  'name',
  'provider',
  'size',
  'spindles',
  'vg',
])

/** What a word is made of. With a comma, another option would begin: `pc,initrd=FILE`. */
const WORD = /^[\w.:+-]+$/
/** What a line is made of. With a quote or a line break, another setting would begin in a file of Xen's. */
const LINE = /^[\w.:+\-,=/@%~ ]+$/

/**
 * Parameters of the hypervisor that are texts and no way out of the instance,
 * each with what its value must be. Others name files, devices, addresses or
 * commands of the node, which no selector can select.
 */
export const OWN_HVPARAMS: ReadonlyMap<string, RegExp> = new Map([
  ['boot_order', WORD],
  ['cdrom_disk_type', WORD],
  ['cpu_type', LINE],
  ['disk_aio', WORD],
  ['disk_cache', WORD],
  ['disk_discard', WORD],
  ['disk_type', WORD],
  ['kernel_args', LINE],
  // KVM takes a path for the name of a file, which a word cannot be.
  ['keymap', WORD],
  ['machine_version', WORD],
  ['migration_mode', WORD],
  ['nic_type', WORD],
  ['reboot_behavior', WORD],
  ['root_path', LINE],
  ['scsi_controller_type', WORD],
  ['soundhw', LINE],
  ['spice_image_compression', WORD],
  ['spice_jpeg_wan_compression', WORD],
  ['spice_streaming_video', WORD],
  ['spice_zlib_glz_wan_compression', WORD],
  ['usb_mouse', WORD],
  ['vga', WORD],
  ['vif_type', WORD],
])

/** Parameters of the hypervisor that keep an instance from the rest of its node. */
export const CONFINING_HVPARAMS: ReadonlySet<string> = new Set(['use_chroot'])
