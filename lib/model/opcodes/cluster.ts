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
import { no, opcode, optional } from '../opcode.ts'
import { diskTemplate, hypervisor, nicParams } from './values.ts'

/** Ranges of user ids, both ends included. */
const uidRanges = listOf(tupleOf(integer, integer))
const osListChanges = listOf(tupleOf(oneOf('add', 'attach', 'detach', 'remove'), nonEmptyString))
/** Parameters by name of an OS or a hypervisor. */
const dictByName = dictOf(string, dict)

export const OP_CLUSTER_REDIST_CONF = opcode('OP_CLUSTER_REDIST_CONF', {})

export const OP_CLUSTER_SET_PARAMS = opcode('OP_CLUSTER_SET_PARAMS', {
  force: no,
  hv_state: optional(dict),
  disk_state: optional(dict),
  vg_name: optional(string),
  enabled_hypervisors: optional(listOf(hypervisor)),
  hvparams: optional(dictByName),
  beparams: optional(dict),
  os_hvp: optional(dictByName),
  osparams: optional(dictByName),
  osparams_private_cluster: optional(dictByName),
  diskparams: optional(dictOf(diskTemplate, dict)),
  candidate_pool_size: optional(positiveInt),
  max_running_jobs: optional(positiveInt),
  max_tracked_jobs: optional(positiveInt),
  uid_pool: optional(uidRanges),
  add_uids: optional(uidRanges),
  remove_uids: optional(uidRanges),
  maintain_node_health: optional(boolean),
  prealloc_wipe_disks: optional(boolean),
  nicparams: optional(nicParams),
  ndparams: optional(dict),
  ipolicy: optional(dict),
  drbd_helper: optional(string),
  default_iallocator: optional(string),
  default_iallocator_params: optional(dict),
  mac_prefix: optional(nonEmptyString),
  master_netdev: optional(string),
  master_netmask: optional(nonNegativeInt),
  reserved_lvs: optional(listOf(nonEmptyString)),
  hidden_os: optional(osListChanges),
  blacklisted_os: optional(osListChanges),
  use_external_mip_script: optional(boolean),
  enabled_disk_templates: optional(listOf(diskTemplate)),
  modify_etc_hosts: optional(boolean),
  file_storage_dir: optional(string),
  shared_file_storage_dir: optional(string),
  gluster_storage_dir: optional(string),
  install_image: optional(string),
  instance_communication_network: optional(string),
  zeroing_image: optional(string),
  compression_tools: optional(listOf(nonEmptyString)),
  enabled_user_shutdown: optional(boolean),
  enabled_data_collectors: optional(dictOf(string, boolean)),
  data_collector_interval: optional(dictOf(string, integer)),
})
