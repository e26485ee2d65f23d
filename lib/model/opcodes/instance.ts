/** What can be done to instances, their disks and their exports. */
import {
  boolean,
  dict,
  either,
  integer,
  list,
  listOf,
  nonEmptyString,
  nonNegativeInt,
  number,
  oneOf,
  positiveInt,
  string,
  tupleOf,
} from '../check.ts'
import { no, opcode, optional, preset, required, since, until, yes } from '../opcode.ts'
import {
  deviceChanges,
  diskIndex,
  diskParams,
  diskTemplate,
  fileDriver,
  hypervisor,
  migrationMode,
  name,
  names,
  nicParams,
  shutdownTimeout,
} from './values.ts'

const instance = { instance_name: required(string), instance_uuid: optional(nonEmptyString) }
const params = preset(dict, {})
/** Whether names are resolved, and addresses tried; until 3.0 unless told not to, since then only if told to. */
const onDemand = [until('3.1', yes), since('3.1', no)]
const exportMode = oneOf('local', 'remote')

export const OP_INSTANCE_CREATE = opcode('OP_INSTANCE_CREATE', {
  instance_name: required(string),
  force_variant: no,
  wait_for_sync: yes,
  name_check: onDemand,
  ignore_ipolicy: no,
  opportunistic_locking: no,
  beparams: params,
  disks: required(listOf(diskParams)),
  disk_template: optional(diskTemplate),
  group_name: optional(nonEmptyString),
  file_driver: optional(fileDriver),
  file_storage_dir: optional(nonEmptyString),
  hvparams: params,
  hypervisor: optional(hypervisor),
  iallocator: optional(nonEmptyString),
  identify_defaults: no,
  ip_check: onDemand,
  conflicts_check: yes,
  mode: required(oneOf('create', 'import', 'remote-import')),
  nics: required(listOf(nicParams)),
  no_install: optional(boolean),
  osparams: params,
  osparams_private: optional(dict),
  osparams_secret: optional(dict),
  os_type: optional(nonEmptyString),
  pnode: optional(nonEmptyString),
  pnode_uuid: optional(nonEmptyString),
  snode: optional(nonEmptyString),
  snode_uuid: optional(nonEmptyString),
  source_handshake: optional(list),
  source_instance_name: optional(nonEmptyString),
  source_shutdown_timeout: shutdownTimeout,
  source_x509_ca: optional(nonEmptyString),
  src_node: optional(nonEmptyString),
  src_node_uuid: optional(nonEmptyString),
  src_path: optional(nonEmptyString),
  compress: preset(string, 'none'),
  start: yes,
  forthcoming: no,
  commit: no,
  tags: names,
  instance_communication: no,
  helper_startup_timeout: optional(integer),
  helper_shutdown_timeout: optional(integer),
})

export const OP_INSTANCE_MULTI_ALLOC = opcode('OP_INSTANCE_MULTI_ALLOC', {
  opportunistic_locking: no,
  iallocator: optional(nonEmptyString),
  /** Of OP_INSTANCE_CREATE, whole. */
  instances: preset(list, []),
})

export const OP_INSTANCE_SET_PARAMS = opcode('OP_INSTANCE_SET_PARAMS', {
  ...instance,
  force: no,
  force_variant: no,
  ignore_ipolicy: no,
  nics: preset(deviceChanges(nicParams), []),
  disks: preset(deviceChanges(diskParams), []),
  beparams: params,
  runtime_mem: optional(positiveInt),
  hvparams: params,
  disk_template: optional(diskTemplate),
  ext_params: params,
  file_driver: optional(fileDriver),
  file_storage_dir: optional(nonEmptyString),
  pnode: optional(nonEmptyString),
  pnode_uuid: optional(nonEmptyString),
  remote_node: optional(nonEmptyString),
  remote_node_uuid: optional(nonEmptyString),
  iallocator: optional(nonEmptyString),
  os_name: optional(nonEmptyString),
  osparams: params,
  osparams_private: optional(dict),
  wait_for_sync: yes,
  offline: optional(boolean),
  conflicts_check: yes,
  hotplug: [until('3.1', no), since('3.1', yes)],
  hotplug_if_possible: until('3.1', no),
  instance_communication: optional(boolean),
})

export const OP_INSTANCE_RENAME = opcode('OP_INSTANCE_RENAME', {
  ...instance,
  new_name: name,
  name_check: onDemand,
  ip_check: onDemand,
})

export const OP_INSTANCE_REMOVE = opcode('OP_INSTANCE_REMOVE', {
  ...instance,
  shutdown_timeout: shutdownTimeout,
  ignore_failures: no,
})

export const OP_INSTANCE_QUERY_DATA = opcode(
  'OP_INSTANCE_QUERY_DATA',
  { use_locking: no, instances: names, static: no },
  { readsOnly: true },
)

export const OP_INSTANCE_STARTUP = opcode('OP_INSTANCE_STARTUP', {
  ...instance,
  force: no,
  ignore_offline_nodes: no,
  hvparams: params,
  beparams: params,
  no_remember: no,
  startup_paused: no,
  shutdown_timeout: shutdownTimeout,
})

export const OP_INSTANCE_SHUTDOWN = opcode('OP_INSTANCE_SHUTDOWN', {
  ...instance,
  force: no,
  ignore_offline_nodes: no,
  timeout: shutdownTimeout,
  no_remember: no,
  admin_state_source: optional(oneOf('admin', 'user')),
})

export const OP_INSTANCE_REBOOT = opcode('OP_INSTANCE_REBOOT', {
  ...instance,
  shutdown_timeout: shutdownTimeout,
  ignore_secondaries: no,
  reboot_type: required(oneOf('full', 'hard', 'soft')),
})

export const OP_INSTANCE_REINSTALL = opcode('OP_INSTANCE_REINSTALL', {
  ...instance,
  force_variant: no,
  os_type: optional(nonEmptyString),
  osparams: optional(dict),
  osparams_private: optional(dict),
  osparams_secret: optional(dict),
})

export const OP_INSTANCE_FAILOVER = opcode('OP_INSTANCE_FAILOVER', {
  ...instance,
  shutdown_timeout: shutdownTimeout,
  ignore_consistency: no,
  target_node: optional(nonEmptyString),
  target_node_uuid: optional(nonEmptyString),
  ignore_ipolicy: no,
  cleanup: no,
  iallocator: optional(nonEmptyString),
})

export const OP_INSTANCE_MIGRATE = opcode('OP_INSTANCE_MIGRATE', {
  ...instance,
  mode: optional(migrationMode),
  /** What `mode` was before there were two. */
  live: optional(boolean),
  target_node: optional(nonEmptyString),
  target_node_uuid: optional(nonEmptyString),
  allow_runtime_changes: yes,
  ignore_ipolicy: no,
  cleanup: no,
  iallocator: optional(nonEmptyString),
  allow_failover: no,
  ignore_hvversions: no,
})

export const OP_INSTANCE_ACTIVATE_DISKS = opcode('OP_INSTANCE_ACTIVATE_DISKS', {
  ...instance,
  ignore_size: no,
  wait_for_sync: no,
})

export const OP_INSTANCE_DEACTIVATE_DISKS = opcode('OP_INSTANCE_DEACTIVATE_DISKS', { ...instance, force: no })

export const OP_INSTANCE_GROW_DISK = opcode('OP_INSTANCE_GROW_DISK', {
  ...instance,
  wait_for_sync: yes,
  disk: required(diskIndex),
  /** MiB */
  amount: required(nonNegativeInt),
  absolute: no,
  ignore_ipolicy: no,
})

export const OP_INSTANCE_RECREATE_DISKS = opcode('OP_INSTANCE_RECREATE_DISKS', {
  ...instance,
  disks: preset(either(listOf(nonNegativeInt), listOf(tupleOf(nonNegativeInt, diskParams))), []),
  nodes: names,
  node_uuids: optional(listOf(nonEmptyString)),
  iallocator: optional(nonEmptyString),
})

export const OP_INSTANCE_REPLACE_DISKS = opcode('OP_INSTANCE_REPLACE_DISKS', {
  ...instance,
  early_release: no,
  ignore_ipolicy: no,
  mode: required(
    oneOf('replace_auto', 'replace_new_secondary', 'replace_on_primary', 'replace_on_secondary'),
  ),
  disks: preset(listOf(diskIndex), []),
  remote_node: optional(nonEmptyString),
  remote_node_uuid: optional(nonEmptyString),
  iallocator: optional(nonEmptyString),
})

export const OP_BACKUP_PREPARE = opcode('OP_BACKUP_PREPARE', { ...instance, mode: required(exportMode) })

export const OP_BACKUP_EXPORT = opcode('OP_BACKUP_EXPORT', {
  ...instance,
  compress: preset(string, 'none'),
  shutdown_timeout: shutdownTimeout,
  /** A node's name or, for a remote export, where each disk goes. */
  target_node: required(either(nonEmptyString, list)),
  target_node_uuid: optional(nonEmptyString),
  shutdown: yes,
  remove_instance: no,
  ignore_remove_failures: no,
  mode: preset(exportMode, 'local'),
  x509_key_name: optional(list),
  destination_x509_ca: optional(nonEmptyString),
  zero_free_space: no,
  zeroing_timeout_fixed: optional(integer),
  zeroing_timeout_per_mib: optional(number),
  long_sleep: no,
})

export const OP_BACKUP_REMOVE = opcode('OP_BACKUP_REMOVE', instance)
