import type { DiskParams, NdParams, NicParams, PartialIPolicy } from './params.ts'
import type { Recorded } from './recorded.ts'

export type AllocPolicy = 'preferred' | 'last_resort' | 'unallocable'

export interface Group extends Recorded {
  readonly name: string
  readonly alloc_policy: AllocPolicy
  /** Only what differs from the cluster's, here and in `ipolicy` and `diskparams`. */
  readonly ndparams: Partial<NdParams>
  readonly ipolicy: PartialIPolicy
  readonly diskparams: DiskParams
  /** How the group is connected to a network, by the network's UUID. */
  readonly networks: { readonly [uuid: string]: NicParams }
}
