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
  conflicts_check,
  deviceChanges,
  diskIndex,
  diskParams,
  diskTemplate,
  fileDriver,
  force,
  force_variant,
  hypervisor,
  iallocator,
  ignore_consistency,
  ignore_ipolicy,
  maybeName,
  migrates,
  moves,
  names,
  new_name,
  nicParams,
  params,
  remote_node,
  remote_node_uuid,
  replacementMode,
  shutdown_timeout,
} from './values.ts'

const instance = {
  instance_name: required(string, 'Name of the instance.'),
  instance_uuid: maybeName('UUID of the instance.'),
}
/** Whether names are resolved, and addresses tried; until 3.0 unless told not to, since then only if told to. */
const onDemand = (doc: string) => [until('3.1', yes(doc)), since('3.1', no(doc))]
const checks = {
  name_check: onDemand('Whether the name must resolve, and is completed as the resolver says.'),
  ip_check: onDemand('Whether to refuse if the address of that name is in use.'),
}
const exportMode = oneOf('local', 'remote')
const compress = preset(string, 'none', 'Which program compresses the data on its way; `none` for none.')
const ignore_offline_nodes = no('Whether to do what can be done if the primary node is offline.')
const no_remember = no('Whether the state that the instance should have stays as it was.')
const beparams = 'Memory in MiB (`minmem`, `maxmem`), `vcpus` and other backend parameters.'
const hvparams = 'Parameters of the hypervisor, such as `kernel_path`.'
const osparams = 'Parameters of the operating system.'
const osparamsPrivate = 'Parameters of the operating system that no answer or log shows.'
const osparamsSecret = 'As `osparams_private`, but only for this job: they are not kept.'
const waitForSync = 'Whether to wait until mirrored disks are in sync.'
const fileStorage = {
  file_driver: optional(fileDriver, 'How disks in files are made available to the instance.'),
  file_storage_dir: maybeName('Directory of its disks, below that of the cluster, for disks in files.'),
}

export const OP_INSTANCE_CREATE = opcode('OP_INSTANCE_CREATE', {
  instance_name: instance.instance_name,
  force_variant,
  wait_for_sync: yes(waitForSync),
  name_check: checks.name_check,
  ignore_ipolicy,
  opportunistic_locking: no('Whether the allocator chooses only among nodes that no other job has locked.'),
  beparams: params(beparams),
  disks: required(
    listOf(diskParams),
    'Its disks: `size` in MiB each, or `adopt` for a volume that is there; and `mode`, `name`, `vg` and so on.',
  ),
  disk_template: optional(diskTemplate, 'What kind of disks it has.'),
  group_name: maybeName('The node group that the allocator chooses from.'),
  ...fileStorage,
  hvparams: params(hvparams),
  hypervisor: optional(hypervisor, 'Which hypervisor runs it; unless given, the default of the cluster.'),
  iallocator,
  identify_defaults: no(
    'For imports: whether parameters that equal the defaults of the cluster follow these.',
  ),
  ip_check: checks.ip_check,
  conflicts_check,
  mode: required(
    oneOf('create', 'import', 'remote-import'),
    'Whether it is new, comes from an export, or from another cluster.',
  ),
  nics: required(
    listOf(nicParams),
    'Its network cards, `{}` for one with the defaults; an `ip` of `pool` is any free one of the `network`.',
  ),
  no_install: optional(boolean, 'Whether to leave its disks empty.'),
  osparams: params(osparams),
  osparams_private: optional(dict, osparamsPrivate),
  osparams_secret: optional(dict, osparamsSecret),
  os_type: maybeName('Its operating system, with a variant after `+` where it has some.'),
  pnode: maybeName('Its primary node; unless given, an instance allocator chooses.'),
  pnode_uuid: maybeName('UUID of its primary node.'),
  snode: maybeName('Its secondary node, for mirrored disks.'),
  snode_uuid: maybeName('UUID of its secondary node.'),
  source_handshake: optional(list, 'From another cluster: proof that the clusters know each other.'),
  source_instance_name: maybeName('From another cluster: the name that it has there.'),
  source_shutdown_timeout: preset(
    nonNegativeInt,
    120,
    'From another cluster: seconds that it has for shutting down there.',
  ),
  source_x509_ca: maybeName('From another cluster: certificate of the sender, in PEM format.'),
  src_node: maybeName('From an export: the node that has the export.'),
  src_node_uuid: maybeName('From an export: UUID of that node.'),
  src_path: maybeName('From an export: its directory, absolute or below that of exports.'),
  compress,
  start: yes('Whether to start it.'),
  forthcoming: no('Whether only to reserve what it will need.'),
  commit: no('Whether to make an instance that so far is only reserved.'),
  tags: names('Its tags.'),
  instance_communication: no('Whether it gets a network card to talk to its node.'),
  helper_startup_timeout: optional(integer, 'Seconds that a helper instance has for starting.'),
  helper_shutdown_timeout: optional(integer, 'Seconds that a helper instance has for its work.'),
})

export const OP_INSTANCE_MULTI_ALLOC = opcode('OP_INSTANCE_MULTI_ALLOC', {
  opportunistic_locking: no('Whether the allocator chooses only among nodes that no other job has locked.'),
  iallocator,
  instances: preset(list, [], 'The instances, each as it would be created alone.'),
})

export const OP_INSTANCE_SET_PARAMS = opcode('OP_INSTANCE_SET_PARAMS', {
  ...instance,
  force,
  force_variant,
  ignore_ipolicy,
  nics: preset(
    deviceChanges(nicParams),
    [],
    'Changes of network cards: `["modify", 0, {"ip": "192.0.2.7"}]`; numbers, names or UUIDs, -1 for the end.',
  ),
  disks: preset(
    deviceChanges(diskParams),
    [],
    'Changes of disks: `["add", -1, {"size": 1024}]`; numbers, names or UUIDs, -1 for the end.',
  ),
  beparams: params(beparams),
  runtime_mem: optional(positiveInt, 'Memory in MiB that it should have now, while it runs.'),
  hvparams: params(hvparams),
  disk_template: optional(diskTemplate, 'What kind its disks become.'),
  ext_params: params('For disks of the template `ext`: the provider and its parameters.'),
  ...fileStorage,
  pnode: maybeName('Its new primary node, after it was moved by other means.'),
  pnode_uuid: maybeName('UUID of its new primary node.'),
  remote_node: maybeName('The secondary node for disks that become mirrored.'),
  remote_node_uuid: maybeName('UUID of the secondary node for disks that become mirrored.'),
  iallocator,
  os_name: maybeName('Its operating system, which is recorded, but not installed.'),
  osparams: params(osparams),
  osparams_private: optional(dict, osparamsPrivate),
  wait_for_sync: yes(waitForSync),
  offline: optional(boolean, 'Whether it is offline: it needs no memory and cannot be started.'),
  conflicts_check,
  hotplug: [
    until('3.1', no('Whether devices of a running instance change at once, or the job fails.')),
    since('3.1', yes('Whether devices of a running instance change at once, where that is possible.')),
  ],
  hotplug_if_possible: until(
    '3.1',
    no('Whether devices of a running instance change at once, where that is possible.'),
  ),
  instance_communication: optional(boolean, 'Whether it has a network card to talk to its node.'),
})

export const OP_INSTANCE_RENAME = opcode('OP_INSTANCE_RENAME', { ...instance, new_name, ...checks })

export const OP_INSTANCE_REMOVE = opcode('OP_INSTANCE_REMOVE', {
  ...instance,
  shutdown_timeout,
  ignore_failures: no('Whether to go on if the instance or its disks cannot be stopped.'),
})

export const OP_INSTANCE_QUERY_DATA = opcode(
  'OP_INSTANCE_QUERY_DATA',
  {
    use_locking: no('Whether to wait for jobs that have locked the instances.'),
    instances: names('Which instances to tell of; all, if none.'),
    static: no('Whether to tell only what is in the configuration, without asking nodes.'),
  },
  { readsOnly: true },
)

export const OP_INSTANCE_STARTUP = opcode('OP_INSTANCE_STARTUP', {
  ...instance,
  force,
  ignore_offline_nodes,
  hvparams: params('Parameters of the hypervisor, for this start only.'),
  beparams: params('Memory in MiB, `vcpus` and other backend parameters, for this start only.'),
  no_remember,
  startup_paused: no('Whether it is paused as soon as it has started.'),
  shutdown_timeout,
})

export const OP_INSTANCE_SHUTDOWN = opcode('OP_INSTANCE_SHUTDOWN', {
  ...instance,
  force: no('Whether to shut it down in any state.'),
  ignore_offline_nodes,
  timeout: shutdown_timeout,
  no_remember,
  admin_state_source: optional(
    oneOf('admin', 'user'),
    'Whether an administrator or the user of the instance wanted it down.',
  ),
})

export const OP_INSTANCE_REBOOT = opcode('OP_INSTANCE_REBOOT', {
  ...instance,
  shutdown_timeout,
  ignore_secondaries: no('Whether to go on if disks are not ready on secondary nodes.'),
  reboot_type: required(
    oneOf('full', 'hard', 'soft'),
    'Whether it reboots within the hypervisor, is started anew, or with its disks.',
  ),
})

export const OP_INSTANCE_REINSTALL = opcode('OP_INSTANCE_REINSTALL', {
  ...instance,
  force_variant,
  os_type: maybeName('Which operating system to install; unless given, the one it has.'),
  osparams: optional(dict, 'Parameters of the operating system, for this installation only.'),
  osparams_private: optional(dict, osparamsPrivate),
  osparams_secret: optional(dict, osparamsSecret),
})

export const OP_INSTANCE_FAILOVER = opcode('OP_INSTANCE_FAILOVER', {
  ...instance,
  shutdown_timeout,
  ignore_consistency,
  ...moves,
  ignore_ipolicy,
  cleanup: no('Whether to clean up after a failover that went wrong.'),
  iallocator,
})

export const OP_INSTANCE_MIGRATE = opcode('OP_INSTANCE_MIGRATE', {
  ...instance,
  ...migrates,
  ignore_ipolicy,
  cleanup: no('Whether to clean up after a migration that went wrong.'),
  iallocator,
  allow_failover: no('Whether to fail over if it cannot be migrated, as when it does not run.'),
  ignore_hvversions: no('Whether the nodes may have different versions of the hypervisor.'),
})

export const OP_INSTANCE_ACTIVATE_DISKS = opcode('OP_INSTANCE_ACTIVATE_DISKS', {
  ...instance,
  ignore_size: no('Whether disks may have another size than is recorded.'),
  wait_for_sync: no(waitForSync),
})

export const OP_INSTANCE_DEACTIVATE_DISKS = opcode('OP_INSTANCE_DEACTIVATE_DISKS', { ...instance, force })

export const OP_INSTANCE_GROW_DISK = opcode('OP_INSTANCE_GROW_DISK', {
  ...instance,
  wait_for_sync: yes(waitForSync),
  disk: required(diskIndex, 'Number of the disk.'),
  amount: required(nonNegativeInt, 'How many MiB it grows by; or its new size, if `absolute`.'),
  absolute: no('Whether `amount` is its new size.'),
  ignore_ipolicy,
})

export const OP_INSTANCE_RECREATE_DISKS = opcode('OP_INSTANCE_RECREATE_DISKS', {
  ...instance,
  disks: preset(
    either(listOf(nonNegativeInt), listOf(tupleOf(nonNegativeInt, diskParams))),
    [],
    'Which disks: their numbers, or `[0, {"size": 1024}]` each with parameters that change; all, if none.',
  ),
  nodes: names('Where the instance has its disks from now on, its primary node first.'),
  node_uuids: optional(listOf(nonEmptyString), 'UUIDs of these nodes.'),
  iallocator,
})

export const OP_INSTANCE_REPLACE_DISKS = opcode('OP_INSTANCE_REPLACE_DISKS', {
  ...instance,
  early_release: no('Whether to give up old disks before the new ones are in sync.'),
  ignore_ipolicy,
  mode: required(
    replacementMode,
    'What to replace: whatever is broken, all on a new secondary node, or disks on one of its nodes.',
  ),
  disks: preset(listOf(diskIndex), [], 'Numbers of the disks; all, if none.'),
  remote_node,
  remote_node_uuid,
  iallocator,
})

export const OP_BACKUP_PREPARE = opcode('OP_BACKUP_PREPARE', {
  ...instance,
  mode: required(exportMode, 'Whether it will be exported to a node or to another cluster.'),
})

export const OP_BACKUP_EXPORT = opcode('OP_BACKUP_EXPORT', {
  ...instance,
  compress,
  shutdown_timeout,
  target_node: required(
    either(nonEmptyString, list),
    'The node that gets the export; to another cluster, where each disk goes, as the job there tells.',
  ),
  target_node_uuid: maybeName('UUID of the node that gets the export.'),
  shutdown: yes('Whether to shut it down for as long as its disks are copied.'),
  remove_instance: no('Whether to remove it afterwards.'),
  ignore_remove_failures: no('Whether to go on if it cannot be removed whole.'),
  mode: preset(exportMode, 'local', 'Whether it goes to a node or to another cluster.'),
  x509_key_name: optional(list, 'To another cluster: which key to use, as its preparation tells.'),
  destination_x509_ca: maybeName('To another cluster: certificate of the recipient, in PEM format.'),
  zero_free_space: no('Whether to zero the free space of its disks first, so that it compresses well.'),
  zeroing_timeout_fixed: optional(integer, 'Seconds that zeroing has, for any size.'),
  zeroing_timeout_per_mib: optional(number, 'Seconds that zeroing has in addition, for each MiB.'),
  long_sleep: no('Whether the instance may stay down until the end, not only until snapshots are made.'),
})

export const OP_BACKUP_REMOVE = opcode('OP_BACKUP_REMOVE', instance)
