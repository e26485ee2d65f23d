/**
 * What Ganeti's master daemon tells of the whole cluster, from a file. No
 * daemon runs that could name its own version; it is the file's.
 */
import { machine } from 'node:os'
import type { JsonObject } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import { OS_API_VERSION } from '../../../../model/os.ts'
import type { Version } from '../../../../model/version.ts'
import { asJson } from './field.ts'

export const EXPORT_VERSION = 0

/** What the makers of Ganeti call a version. */
export function vcsVersion({ text }: Version): string {
  return `(ganeti) version ${text}`
}

/** Name of the master node. */
export function masterName({ cluster, nodes }: Config): string | null {
  return nodes.byUuid.get(cluster.master_node)?.name ?? null
}

/** Word size and machine, as Ganeti's master daemon words them. */
export function architecture(): [bits: string, machine: string] {
  return [process.arch === 'ia32' || process.arch === 'arm' ? '32bits' : '64bits', machine()]
}

/** Everything of LUXI's QueryClusterInfo, in its order. */
export function clusterInfo(config: Config): JsonObject {
  const { cluster, version } = config
  return {
    software_version: version.text,
    protocol_version: version.number,
    config_version: version.number,
    os_api_version: OS_API_VERSION,
    export_version: EXPORT_VERSION,
    vcs_version: vcsVersion(version),
    architecture: architecture(),
    name: cluster.cluster_name,
    master: masterName(config),
    default_hypervisor: cluster.enabled_hypervisors[0] ?? null,
    enabled_hypervisors: cluster.enabled_hypervisors,
    hvparams: cluster.hvparams,
    os_hvp: cluster.os_hvp,
    beparams: { default: asJson(cluster.beparams) },
    osparams: cluster.osparams,
    ipolicy: asJson(cluster.ipolicy),
    nicparams: { default: asJson(cluster.nicparams) },
    ndparams: asJson(cluster.ndparams),
    diskparams: cluster.diskparams,
    candidate_pool_size: cluster.candidate_pool_size,
    max_running_jobs: cluster.max_running_jobs,
    max_tracked_jobs: cluster.max_tracked_jobs,
    mac_prefix: cluster.mac_prefix,
    master_netdev: cluster.master_netdev,
    master_netmask: cluster.master_netmask,
    use_external_mip_script: cluster.use_external_mip_script,
    volume_group_name: cluster.volume_group_name,
    drbd_usermode_helper: cluster.drbd_usermode_helper,
    file_storage_dir: cluster.file_storage_dir,
    shared_file_storage_dir: cluster.shared_file_storage_dir,
    gluster_storage_dir: cluster.gluster_storage_dir,
    maintain_node_health: cluster.maintain_node_health,
    ctime: cluster.ctime,
    mtime: cluster.mtime,
    uuid: cluster.uuid,
    tags: cluster.tags,
    uid_pool: cluster.uid_pool,
    default_iallocator: cluster.default_iallocator,
    default_iallocator_params: cluster.default_iallocator_params,
    reserved_lvs: cluster.reserved_lvs,
    primary_ip_version: cluster.primary_ip_version,
    prealloc_wipe_disks: cluster.prealloc_wipe_disks,
    hidden_os: cluster.hidden_os,
    blacklisted_os: cluster.blacklisted_os,
    enabled_disk_templates: cluster.enabled_disk_templates,
    install_image: cluster.install_image,
    instance_communication_network: cluster.instance_communication_network,
    zeroing_image: cluster.zeroing_image,
    compression_tools: cluster.compression_tools,
    enabled_user_shutdown: cluster.enabled_user_shutdown,
    enabled_data_collectors: cluster.enabled_data_collectors,
    data_collector_interval: cluster.data_collector_interval,
    modify_ssh_setup: cluster.modify_ssh_setup,
    ssh_key_type: cluster.ssh_key_type,
    ssh_key_bits: cluster.ssh_key_bits,
  }
}
