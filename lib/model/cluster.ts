import type { Json, JsonObject } from '../json/json.ts'
import type { BeParams, DiskParams, HvParams, IPolicy, NdParams, NicParams } from './params.ts'
import type { Recorded } from './recorded.ts'

/**
 * The cluster itself: its name, its defaults. Parameters are complete: values
 * a file leaves out have been filled with Ganeti's own defaults.
 */
export interface Cluster extends Recorded {
  readonly cluster_name: string
  /** UUID of the master node. */
  readonly master_node: string
  readonly master_ip: string
  readonly master_netdev: string
  readonly master_netmask: number
  readonly use_external_mip_script: boolean
  /** The first is the default hypervisor. */
  readonly enabled_hypervisors: readonly string[]
  readonly enabled_disk_templates: readonly string[]
  /** Complete parameters of every hypervisor Ganeti knows. */
  readonly hvparams: { readonly [hypervisor: string]: HvParams }
  /** What an OS changes: OS name (with or without variant), then hypervisor. */
  readonly os_hvp: { readonly [os: string]: { readonly [hypervisor: string]: HvParams } }
  readonly beparams: BeParams
  readonly nicparams: NicParams
  readonly ndparams: NdParams
  readonly diskparams: DiskParams
  readonly ipolicy: IPolicy
  readonly osparams: { readonly [os: string]: { readonly [name: string]: string } }
  readonly hidden_os: readonly string[]
  readonly blacklisted_os: readonly string[]
  readonly candidate_pool_size: number
  readonly volume_group_name: string | null
  readonly drbd_usermode_helper: string | null
  readonly file_storage_dir: string
  readonly shared_file_storage_dir: string
  readonly gluster_storage_dir: string
  readonly mac_prefix: string
  readonly default_iallocator: string
  readonly default_iallocator_params: JsonObject
  readonly maintain_node_health: boolean
  readonly modify_etc_hosts: boolean
  readonly modify_ssh_setup: boolean
  readonly ssh_key_type: string
  readonly ssh_key_bits: number
  readonly prealloc_wipe_disks: boolean
  /** 4 or 6 as the API says it (the file has the address families 2 and 10). */
  readonly primary_ip_version: 4 | 6
  readonly reserved_lvs: readonly string[]
  readonly uid_pool: Json
  readonly max_running_jobs: number
  readonly max_tracked_jobs: number
  readonly install_image: string
  readonly instance_communication_network: string
  readonly zeroing_image: string
  readonly compression_tools: readonly string[]
  readonly enabled_user_shutdown: boolean
  readonly enabled_data_collectors: { readonly [collector: string]: boolean }
  readonly data_collector_interval: { readonly [collector: string]: number }
}
