/** What `/2/info` tells, as a JSON Schema: much of it is what `/2/modify` changes, and has its sentences from there. */
import {
  boolean,
  dict,
  dictOf,
  integer,
  listOf,
  maybe,
  number,
  type Schema,
  string,
  tupleOf,
} from '../model/check.ts'
import { BE_TYPES, ND_TYPES } from '../model/defaults.ts'
import type { OpcodeParameter } from '../model/opcode.ts'
import { OP_CLUSTER_SET_PARAMS } from '../model/opcodes/cluster.ts'
import { fieldSchema, objectOf, type Properties, paramsSchema as params, texts } from './answer-schemas.ts'

const { parameters } = OP_CLUSTER_SET_PARAMS

/** What a parameter of `/2/modify` is now. */
function set(name: keyof typeof parameters, schema: Schema): Schema {
  const { doc } = parameters[name] as OpcodeParameter
  return { ...schema, description: doc }
}

const says = (schema: Schema, description: string): Schema => ({ ...schema, description })
const byName = dictOf(string, dict).schema
const text = string.schema
const maybeText = maybe(string).schema

/** As the cluster was set up. */
const SETTINGS: Properties = {
  default_hypervisor: says(text, 'The hypervisor of instances that are created without one.'),
  enabled_hypervisors: set('enabled_hypervisors', texts),
  hvparams: set('hvparams', byName),
  os_hvp: set('os_hvp', byName),
  beparams: set('beparams', { type: 'object', properties: { default: params(BE_TYPES) } }),
  osparams: set('osparams', byName),
  ipolicy: set('ipolicy', dict.schema),
  nicparams: set('nicparams', { type: 'object', properties: { default: dict.schema } }),
  ndparams: set('ndparams', params(ND_TYPES)),
  diskparams: set('diskparams', byName),
  candidate_pool_size: set('candidate_pool_size', integer.schema),
  max_running_jobs: set('max_running_jobs', integer.schema),
  max_tracked_jobs: set('max_tracked_jobs', integer.schema),
  mac_prefix: set('mac_prefix', text),
  master_netdev: set('master_netdev', text),
  master_netmask: set('master_netmask', integer.schema),
  use_external_mip_script: set('use_external_mip_script', boolean.schema),
  volume_group_name: set('vg_name', maybeText),
  drbd_usermode_helper: set('drbd_helper', maybeText),
  file_storage_dir: set('file_storage_dir', text),
  shared_file_storage_dir: set('shared_file_storage_dir', text),
  gluster_storage_dir: set('gluster_storage_dir', text),
  maintain_node_health: set('maintain_node_health', boolean.schema),
  uid_pool: set('uid_pool', listOf(tupleOf(integer, integer)).schema),
  default_iallocator: set('default_iallocator', text),
  default_iallocator_params: set('default_iallocator_params', dict.schema),
  reserved_lvs: set('reserved_lvs', texts),
  primary_ip_version: says({ enum: [4, 6] }, 'Version of IP of the primary addresses of nodes.'),
  prealloc_wipe_disks: set('prealloc_wipe_disks', boolean.schema),
  hidden_os: says(texts, 'Operating systems that are not listed.'),
  blacklisted_os: says(texts, 'Operating systems that new instances may not have.'),
  enabled_disk_templates: set('enabled_disk_templates', texts),
  install_image: set('install_image', text),
  instance_communication_network: set('instance_communication_network', text),
  zeroing_image: set('zeroing_image', text),
  compression_tools: set('compression_tools', texts),
  enabled_user_shutdown: set('enabled_user_shutdown', boolean.schema),
  enabled_data_collectors: set('enabled_data_collectors', dictOf(string, boolean).schema),
  data_collector_interval: set('data_collector_interval', dictOf(string, number).schema),
  modify_ssh_setup: says(boolean.schema, 'Whether Ganeti manages the SSH keys of nodes.'),
  ssh_key_type: says(text, 'Kind of the SSH keys of nodes.'),
  ssh_key_bits: says(integer.schema, 'Length of the SSH keys of nodes.'),
}

/** Its versions, and what is recorded of it. */
const IDENTITY: Properties = {
  ...fields('software_version', 'protocol_version', 'config_version', 'os_api_version', 'export_version'),
  ...fields('vcs_version', 'architecture', 'name'),
  master: fieldSchema('cluster', 'master_node'),
  ...fields('ctime', 'mtime', 'tags'),
  uuid: says(text, 'UUID of the cluster.'),
}

function fields(...names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, fieldSchema('cluster', name)]))
}

export const clusterInfoSchema = objectOf('ClusterInfo', {
  ...IDENTITY,
  ...SETTINGS,
  vg_name: says(maybeText, 'As `volume_group_name`.'),
  drbd_helper: says(maybeText, 'As `drbd_usermode_helper`.'),
})

/** What RAPI 1.2 tells of it. */
export const clusterInfo12Schema = objectOf('ClusterInfoV12', {
  ...fields('name'),
  master: fieldSchema('cluster', 'master_node'),
  ...fields('software_version', 'protocol_version', 'config_version', 'os_api_version', 'export_version'),
  ...fields('architecture'),
  hypervisor_type: says(maybeText, 'The hypervisor of instances that are created without one.'),
})
