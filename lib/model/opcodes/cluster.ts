/** What can be done to the cluster as a whole. */
import {
  boolean,
  dict,
  dictOf,
  integer,
  listOf,
  nonEmptyString,
  nonNegativeInt,
  oneOf,
  positiveInt,
  string,
  tupleOf,
} from '../check.ts'
import { opcode, optional } from '../opcode.ts'
import {
  disk_state,
  diskparams,
  diskTemplate,
  force,
  hv_state,
  hypervisor,
  ndparams,
  nicParams,
} from './values.ts'

/** Ranges of user ids, both ends included. */
const uidRanges = listOf(tupleOf(integer, integer))
const osListChanges = listOf(tupleOf(oneOf('add', 'attach', 'detach', 'remove'), nonEmptyString))
/** Parameters by name of an OS or a hypervisor. */
const dictByName = dictOf(string, dict)

export const OP_CLUSTER_REDIST_CONF = opcode('OP_CLUSTER_REDIST_CONF', {})

const osNamesDoc = '`["add", "rescue"]` or `["remove", "rescue"]`.'

export const OP_CLUSTER_SET_PARAMS = opcode('OP_CLUSTER_SET_PARAMS', {
  force,
  hv_state,
  disk_state,
  vg_name: optional(string, 'The LVM volume group for disks; empty for none.'),
  enabled_hypervisors: optional(
    listOf(hypervisor),
    'Which hypervisors instances may use; the first is the default.',
  ),
  hvparams: optional(dictByName, 'Defaults of hypervisor parameters, by hypervisor.'),
  beparams: optional(
    dict,
    'Defaults of backend parameters: `minmem` and `maxmem` in MiB, `vcpus` and so on.',
  ),
  os_hvp: optional(dictByName, 'Defaults of hypervisor parameters, by operating system, then by hypervisor.'),
  osparams: optional(dictByName, 'Defaults of parameters of operating systems, by operating system.'),
  osparams_private_cluster: optional(
    dictByName,
    'As `osparams`, but hidden: for what nobody should read in answers and logs.',
  ),
  diskparams,
  candidate_pool_size: optional(positiveInt, 'How many master candidates the cluster should have.'),
  max_running_jobs: optional(positiveInt, 'How many jobs run at once.'),
  max_tracked_jobs: optional(positiveInt, 'How many running jobs the job queue follows closely.'),
  uid_pool: optional(uidRanges, 'Ranges of user ids for the processes of instances, `[first, last]` each.'),
  add_uids: optional(uidRanges, 'Ranges of user ids to add to the pool.'),
  remove_uids: optional(uidRanges, 'Ranges of user ids to take out of the pool.'),
  maintain_node_health: optional(
    boolean,
    'Whether the watcher stops what still runs on nodes that are marked as offline.',
  ),
  prealloc_wipe_disks: optional(boolean, 'Whether new disks are overwritten before an instance gets them.'),
  nicparams: optional(nicParams, 'Defaults of `mode`, `link` and `vlan` of network cards.'),
  ndparams,
  ipolicy: optional(
    dict,
    'What instances may have: `minmax`, `std`, `disk-templates`, `spindle-ratio`, `vcpu-ratio`.',
  ),
  drbd_helper: optional(string, 'The usermode helper that DRBD must have; empty for none.'),
  default_iallocator: optional(
    string,
    'Which instance allocator chooses nodes where a request names neither nodes nor an allocator; empty for none.',
  ),
  default_iallocator_params: optional(dict, 'Parameters of the default instance allocator.'),
  mac_prefix: optional(nonEmptyString, 'How new MAC addresses begin, e.g. `aa:00:00`.'),
  master_netdev: optional(string, 'The network device that carries the IP address of the master.'),
  master_netmask: optional(nonNegativeInt, 'Length of the network prefix of that address, e.g. 24.'),
  reserved_lvs: optional(
    listOf(nonEmptyString),
    'Regular expressions for logical volumes that do not belong to Ganeti.',
  ),
  hidden_os: optional(osListChanges, `Changes of which operating systems are not listed: ${osNamesDoc}`),
  blacklisted_os: optional(
    osListChanges,
    `Changes of which operating systems new instances may not have: ${osNamesDoc}`,
  ),
  use_external_mip_script: optional(
    boolean,
    "Whether a script of the administrator's sets up the IP address of the master.",
  ),
  enabled_disk_templates: optional(listOf(diskTemplate), 'Which disk templates instances may use.'),
  modify_etc_hosts: optional(boolean, 'Whether Ganeti keeps the names of nodes in `/etc/hosts`.'),
  file_storage_dir: optional(string, 'Directory of disks in files; empty for none.'),
  shared_file_storage_dir: optional(string, 'Directory of disks in files that nodes share; empty for none.'),
  gluster_storage_dir: optional(string, 'Directory where Gluster volumes are mounted; empty for none.'),
  install_image: optional(
    string,
    'Image of the system that installs operating systems safely; a path or URL.',
  ),
  instance_communication_network: optional(
    string,
    'The network through which instances talk to their nodes; empty for none.',
  ),
  zeroing_image: optional(string, 'Image of the system that zeroes free space of disks; a path or URL.'),
  compression_tools: optional(listOf(nonEmptyString), 'Which programs may compress data between clusters.'),
  enabled_user_shutdown: optional(
    boolean,
    'Whether an instance that its user has shut down stays down, rather than being started by the watcher.',
  ),
  enabled_data_collectors: optional(
    dictOf(string, boolean),
    'Whether each collector of the monitoring daemon runs, by name.',
  ),
  data_collector_interval: optional(
    dictOf(string, integer),
    'Microseconds between two runs of each collector of the monitoring daemon, by name.',
  ),
})
