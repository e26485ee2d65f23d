/**
 * The parameters that Ganeti fills level by level (cluster, group, node,
 * instance), under Ganeti's own names.
 */

/** Hypervisor parameters, e.g. `kernel_path`; which there are depends on the hypervisor. */
export type HvParams = { readonly [name: string]: string | number | boolean | null }

/** Backend parameters of an instance; memory in MiB. */
export interface BeParams {
  readonly always_failover: boolean
  readonly auto_balance: boolean
  readonly maxmem: number
  readonly minmem: number
  readonly spindle_use: number
  readonly vcpus: number
}

/** Node parameters. */
export interface NdParams {
  readonly cpu_speed: number
  readonly exclusive_storage: boolean
  readonly oob_program: string
  readonly ovs: boolean
  readonly ovs_link: string | null
  readonly ovs_name: string | null
  readonly spindle_count: number
  readonly ssh_port: number
}

export type NicMode = 'bridged' | 'routed' | 'openvswitch' | 'pool' | 'ext'

/** Parameters of a NIC. */
export interface NicParams {
  readonly mode: NicMode
  readonly link: string
  readonly vlan: string
}

/** Disk parameters of one template, e.g. `resync-rate`. */
export type DiskTemplateParams = { readonly [name: string]: string | number | boolean }

/** Disk parameters by disk template. */
export type DiskParams = { readonly [template: string]: DiskTemplateParams }

/** One bound of an instance policy; sizes in MiB. */
export interface Ispecs {
  readonly 'memory-size': number
  readonly 'cpu-count': number
  readonly 'disk-count': number
  readonly 'disk-size': number
  readonly 'nic-count': number
  readonly 'spindle-use': number
}

export interface IspecsMinMax {
  readonly min: Ispecs
  readonly max: Ispecs
}

/** An instance policy with every value present. */
export interface IPolicy {
  readonly minmax: readonly IspecsMinMax[]
  readonly std: Ispecs
  readonly 'disk-templates': readonly string[]
  readonly 'vcpu-ratio': number
  readonly 'spindle-ratio': number
}

/** What a group changes of the cluster's instance policy; only the cluster has `std`. */
export type PartialIPolicy = Partial<Omit<IPolicy, 'std'>>
