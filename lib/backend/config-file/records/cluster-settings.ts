/**
 * The cluster itself. Both forms of file name its settings alike; they differ
 * in how they name the master node and the defaults' group (`default`), and
 * each adds what it must.
 */
import type { JsonObject } from '../../../json/json.ts'
import type { Cluster } from '../../../model/cluster.ts'
import {
  BE_DEFAULTS,
  CLUSTER_DEFAULTS,
  DATA_COLLECTOR_INTERVAL,
  DATA_COLLECTORS,
  DISK_DEFAULTS,
  HYPERVISORS,
  hvDefaults,
  IPOLICY_DEFAULTS,
  ND_DEFAULTS,
  NIC_DEFAULTS,
} from '../../../model/defaults.ts'
import type { DiskParams, HvParams, NicParams } from '../../../model/params.ts'
import type { Version } from '../../../model/version.ts'
import {
  readBeParams,
  readDiskParams,
  readHvParams,
  readIPolicy,
  readNdParams,
  readNicParams,
} from './params.ts'
import { NOTHING, type RecordReader } from './record-reader.ts'

/** What is left to the reader of one form: who is master, and what follows from the rest of the file. */
export type ClusterSettings = Omit<
  Cluster,
  | 'uuid'
  | 'cluster_name'
  | 'master_node'
  | 'master_ip'
  | 'enabled_hypervisors'
  | 'enabled_disk_templates'
  | 'primary_ip_version'
  | 'master_netmask'
  | 'drbd_usermode_helper'
  | 'ctime'
  | 'mtime'
  | 'serial_no'
  | 'tags'
>

/** Reads every setting that is written alike, with the defaults of a version of Ganeti in the gaps. */
export function readClusterSettings(fields: RecordReader, version: Version): ClusterSettings {
  const osHvp = fields.child('os_hvp')
  return {
    master_netdev: fields.textOr('master_netdev', CLUSTER_DEFAULTS.master_netdev),
    use_external_mip_script: fields.flagOr('use_external_mip_script', false),
    hvparams: readAllHvParams(fields.child('hvparams'), version),
    os_hvp: byKey(osHvp, (os) => readSomeHvParams(os)),
    beparams: { ...BE_DEFAULTS, ...readBeParams(defaultsOf(fields.child('beparams'))) },
    nicparams: { ...NIC_DEFAULTS, ...readDefaultNicParams(defaultsOf(fields.child('nicparams'))) },
    ndparams: { ...ND_DEFAULTS, ...readNdParams(fields.child('ndparams')) },
    diskparams: fillDiskParams(readDiskParams(fields.child('diskparams'))),
    ipolicy: { ...IPOLICY_DEFAULTS, ...readIPolicy(fields.child('ipolicy'), IPOLICY_DEFAULTS) },
    osparams: byKey(fields.child('osparams'), readOsParams),
    hidden_os: fields.texts('hidden_os'),
    blacklisted_os: fields.texts('blacklisted_os'),
    candidate_pool_size: fields.countOr('candidate_pool_size', CLUSTER_DEFAULTS.candidate_pool_size),
    volume_group_name: fields.textOr('volume_group_name', null),
    file_storage_dir: fields.textOr('file_storage_dir', ''),
    shared_file_storage_dir: fields.textOr('shared_file_storage_dir', ''),
    gluster_storage_dir: fields.textOr('gluster_storage_dir', ''),
    mac_prefix: fields.textOr('mac_prefix', CLUSTER_DEFAULTS.mac_prefix),
    default_iallocator: fields.textOr('default_iallocator', ''),
    default_iallocator_params: readAnyParams(fields, 'default_iallocator_params'),
    maintain_node_health: fields.flagOr('maintain_node_health', false),
    modify_etc_hosts: fields.flagOr('modify_etc_hosts', true),
    modify_ssh_setup: fields.flagOr('modify_ssh_setup', true),
    ssh_key_type: fields.textOr('ssh_key_type', CLUSTER_DEFAULTS.ssh_key_type),
    ssh_key_bits: fields.countOr('ssh_key_bits', CLUSTER_DEFAULTS.ssh_key_bits),
    prealloc_wipe_disks: fields.flagOr('prealloc_wipe_disks', false),
    reserved_lvs: fields.texts('reserved_lvs'),
    uid_pool: fields.list('uid_pool'),
    max_running_jobs: fields.countOr('max_running_jobs', CLUSTER_DEFAULTS.max_running_jobs),
    max_tracked_jobs: fields.countOr('max_tracked_jobs', CLUSTER_DEFAULTS.max_tracked_jobs),
    install_image: fields.textOr('install_image', ''),
    instance_communication_network: fields.textOr('instance_communication_network', ''),
    zeroing_image: fields.textOr('zeroing_image', ''),
    compression_tools: fields.texts('compression_tools', CLUSTER_DEFAULTS.compression_tools),
    enabled_user_shutdown: fields.flagOr('enabled_user_shutdown', false),
    ...readDataCollectors(fields.child('data_collectors')),
  }
}

/**
 * The defaults proper of parameters that Ganeti keeps in named sets, of which
 * there has only ever been `default`; a person may leave that level out.
 */
function defaultsOf(fields: RecordReader): RecordReader {
  if (fields.problems.strict && !fields.keys().includes('default')) return fields
  const defaults = fields.child('default')
  fields.rejectUnknownKeys()
  return defaults
}

function readDefaultNicParams(fields: RecordReader): Partial<NicParams> {
  const nicparams = readNicParams(fields)
  fields.rejectUnknownKeys()
  return nicparams
}

/** Every hypervisor's parameters, complete. */
function readAllHvParams(fields: RecordReader, version: Version): { [hypervisor: string]: HvParams } {
  const given = readSomeHvParams(fields)
  const filled: { [hypervisor: string]: HvParams } = { ...given }
  const defaults = hvDefaults(version)
  for (const hypervisor of HYPERVISORS) filled[hypervisor] = { ...defaults[hypervisor], ...given[hypervisor] }
  return filled
}

function readSomeHvParams(fields: RecordReader): { [hypervisor: string]: HvParams } {
  const hvparams: { [hypervisor: string]: HvParams } = {}
  for (const child of fields.childrenNamed(HYPERVISORS)) hvparams[child.key] = readHvParams(child, child.key)
  return hvparams
}

function fillDiskParams(given: DiskParams): DiskParams {
  const templates = new Set([...Object.keys(DISK_DEFAULTS), ...Object.keys(given)])
  return Object.fromEntries(
    [...templates].map((template) => [template, { ...DISK_DEFAULTS[template], ...given[template] }]),
  )
}

/** Parameters of an OS or an instance: of any names, but text. */
export function readOsParams(fields: RecordReader): { [name: string]: string } {
  const names = fields.keys()
  return names.length === 0
    ? NOTHING
    : Object.fromEntries(names.map((name) => [name, fields.textOr(name, '')]))
}

/** An object whose keys we do not know. */
function readAnyParams(fields: RecordReader, key: string): JsonObject {
  const child = fields.child(key)
  return Object.fromEntries(child.keys().map((name) => [name, child.json(name, null)]))
}

function readDataCollectors(
  fields: RecordReader,
): Pick<Cluster, 'enabled_data_collectors' | 'data_collector_interval'> {
  const enabled: { [collector: string]: boolean } = {}
  const interval: { [collector: string]: number } = {}
  for (const collector of DATA_COLLECTORS) {
    enabled[collector] = true
    interval[collector] = DATA_COLLECTOR_INTERVAL
  }
  for (const collector of fields.childrenNamed(DATA_COLLECTORS)) {
    enabled[collector.key] = collector.flagOr('active', true)
    interval[collector.key] = collector.numberOr('interval', DATA_COLLECTOR_INTERVAL)
    collector.rejectUnknownKeys()
  }
  return { enabled_data_collectors: enabled, data_collector_interval: interval }
}

function byKey<T>(fields: RecordReader, read: (child: RecordReader) => T): { [key: string]: T } {
  return Object.fromEntries([...fields.children()].map((child) => [child.key, read(child)]))
}
