import type { BeParams, DiskTemplateParams, HvParams, NicParams } from './params.ts'
import type { Recorded } from './recorded.ts'

/** The most disks and NICs that an instance can have; so many have fields of their own in queries. */
export const MAX_DISKS = 16
export const MAX_NICS = 8

export type AdminState = 'up' | 'down' | 'offline'

export interface Nic {
  readonly uuid: string
  readonly name: string | null
  readonly mac: string
  readonly ip: string | null
  /** UUID of the network this NIC is in. */
  readonly network: string | null
  /** Only what differs from the cluster's. */
  readonly nicparams: Partial<NicParams>
}

export interface Disk {
  readonly uuid: string
  readonly name: string | null
  /** A disk template's name in today's words (`plain`, `drbd`, ...), also for old files. */
  readonly dev_type: string
  /** MiB */
  readonly size: number
  readonly mode: 'rw' | 'ro'
  readonly spindles: number | null
  readonly iv_name: string | null
  readonly logical_id: readonly unknown[]
  readonly params: DiskTemplateParams
  /** UUIDs of the nodes that hold it. */
  readonly nodes: readonly string[]
  readonly children: readonly Disk[]
  readonly ctime: number
  readonly mtime: number
  readonly serial_no: number
}

export interface Instance extends Recorded {
  readonly name: string
  /** UUID of the primary node. */
  readonly primary_node: string
  /** UUIDs of the others that hold its disks (DRBD's second node), without the primary. */
  readonly secondary_nodes: readonly string[]
  readonly os: string
  readonly hypervisor: string
  /** Only what differs from the cluster's, here and in `beparams`. */
  readonly hvparams: HvParams
  readonly beparams: Partial<BeParams>
  readonly osparams: { readonly [name: string]: string }
  /** Names only: the values are secrets, which no answer needs. */
  readonly osparams_private: readonly string[]
  readonly admin_state: AdminState
  readonly admin_state_source: 'admin' | 'user'
  readonly disk_template: string
  readonly disks: readonly Disk[]
  readonly disks_active: boolean
  readonly nics: readonly Nic[]
  readonly network_port: number | null
  readonly forthcoming: boolean
}
