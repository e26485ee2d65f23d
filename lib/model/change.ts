/**
 * What an opcode does to a cluster: the objects that are new or different,
 * whole, and null for those that are gone. Everything not named stays the very
 * same object.
 */
import type { Cluster } from './cluster.ts'
import type { FilterRule } from './filter-rule.ts'
import type { Group } from './group.ts'
import type { Instance } from './instance.ts'
import type { Network } from './network.ts'
import type { Node } from './node.ts'

/** New, different or (null) removed objects by UUID. */
export type ObjectChanges<T> = ReadonlyMap<string, T | null>

export interface Change {
  readonly cluster?: Cluster
  readonly groups?: ObjectChanges<Group>
  readonly nodes?: ObjectChanges<Node>
  readonly instances?: ObjectChanges<Instance>
  readonly networks?: ObjectChanges<Network>
  readonly filters?: ObjectChanges<FilterRule>
}
