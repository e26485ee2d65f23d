import type { NdParams } from './params.ts'
import type { Recorded } from './recorded.ts'

export interface Node extends Recorded {
  readonly name: string
  readonly primary_ip: string
  readonly secondary_ip: string
  /** UUID of the node's group. */
  readonly group: string
  readonly master_candidate: boolean
  readonly master_capable: boolean
  readonly vm_capable: boolean
  readonly drained: boolean
  readonly offline: boolean
  readonly powered: boolean
  /** Only what differs from the group's. */
  readonly ndparams: Partial<NdParams>
}

/**
 * What a running node says of itself; memory and disk in MiB. A value is null
 * where the source is silent.
 */
export interface NodeLive {
  readonly bootid: string | null
  readonly mtotal: number | null
  readonly mnode: number | null
  readonly mfree: number | null
  readonly dtotal: number | null
  readonly dfree: number | null
  readonly sptotal: number | null
  readonly spfree: number | null
  readonly ctotal: number | null
  /** CPUs the node's own system uses. */
  readonly cnos: number | null
  /** NUMA nodes. */
  readonly cnodes: number | null
  readonly csockets: number | null
}

/** A node's machine, as far as its file tells; memory and disk in MiB. */
export interface Hardware {
  readonly bootid: string
  readonly memory: number | null
  /** What the node's own system takes of it. */
  readonly ownMemory: number | null
  readonly disk: number | null
  readonly cpus: number | null
  readonly ownCpus: number | null
  readonly sockets: number | null
  readonly numaNodes: number | null
  readonly spindles: number | null
}
