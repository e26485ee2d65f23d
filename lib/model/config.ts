/**
 * A whole cluster at one moment, as a file describes it: never changed, only
 * replaced by the next one. Made by `indexConfig` from the plain objects, with
 * the look-ups every answer needs, so that none has to search.
 */
import type { Cluster } from './cluster.ts'
import type { FilterRule } from './filter-rule.ts'
import type { Group } from './group.ts'
import type { Instance } from './instance.ts'
import type { Network } from './network.ts'
import { niceSort } from './nice-sort.ts'
import type { Node, NodeLive } from './node.ts'
import type { Os } from './os.ts'

/** What a reader of a file gives: the objects, in no particular order. */
export interface ConfigObjects {
  /** Of the file, as Ganeti counts: 3000000 is 3.0; 0 where the file has none (YAML). */
  readonly version: number
  readonly serial_no: number
  /** When the file last changed, seconds since the epoch. */
  readonly mtime: number
  readonly cluster: Cluster
  readonly groups: readonly Group[]
  readonly nodes: readonly Node[]
  readonly instances: readonly Instance[]
  readonly networks: readonly Network[]
  readonly filters: readonly FilterRule[]
  /** What the nodes would report of guest OSes; undefined where nobody can be asked. */
  readonly oses: readonly Os[] | undefined
  /** What a node says of itself, by its UUID; nodes not in it cannot be asked. */
  readonly live: ReadonlyMap<string, NodeLive>
}

/** Objects of one kind, in Ganeti's natural order of names, found by UUID or by full name. */
export interface Index<T> {
  readonly all: readonly T[]
  readonly byUuid: ReadonlyMap<string, T>
  readonly byName: ReadonlyMap<string, T>
}

export interface Config extends Omit<ConfigObjects, 'groups' | 'nodes' | 'instances' | 'networks'> {
  readonly groups: Index<Group>
  readonly nodes: Index<Node>
  readonly instances: Index<Instance>
  readonly networks: Index<Network>
  /** By the primary node's UUID, in natural order; nodes without any are absent. */
  readonly primaryInstances: ReadonlyMap<string, readonly Instance[]>
  /** By the secondary node's UUID. */
  readonly secondaryInstances: ReadonlyMap<string, readonly Instance[]>
  /** By the group's UUID. */
  readonly groupNodes: ReadonlyMap<string, readonly Node[]>
  /** By the network's UUID: those with a card in it. */
  readonly networkInstances: ReadonlyMap<string, readonly Instance[]>
}

/** Builds the look-ups over checked objects (names and UUIDs unique, references whole). */
export function indexConfig(objects: ConfigObjects): Config {
  const steps = indexing(inNaturalOrder(objects))
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The same objects, those of each kind in natural order of their names. */
export function inNaturalOrder(objects: ConfigObjects): ConfigObjects {
  const sorted = <T extends Named>(some: readonly T[]) => niceSort(some, ({ name }) => name)
  const { groups, nodes, instances, networks } = objects
  return {
    ...objects,
    groups: sorted(groups),
    nodes: sorted(nodes),
    instances: sorted(instances),
    networks: sorted(networks),
  }
}

/**
 * As `indexConfig`, but in many small steps, between which others may have
 * their turn; the last one gives the Config.
 * @param objects in natural order
 */
export function* indexing(objects: ConfigObjects): Generator<void, Config> {
  const groups = yield* index(objects.groups)
  const nodes = yield* index(objects.nodes)
  const instances = yield* index(objects.instances)
  const networks = yield* index(objects.networks)
  return {
    ...objects,
    groups,
    nodes,
    instances,
    networks,
    primaryInstances: yield* groupedBy(instances.all, (instance) => [instance.primary_node]),
    secondaryInstances: yield* groupedBy(instances.all, (instance) => instance.secondary_nodes),
    groupNodes: yield* groupedBy(nodes.all, (node) => [node.group]),
    networkInstances: yield* groupedBy(instances.all, networksOf),
  }
}

interface Named {
  readonly uuid: string
  readonly name: string
}

/** How many objects are put into look-ups in one step: a few hundredths of a millisecond. */
const STEP = 100

function* index<T extends Named>(all: readonly T[]): Generator<void, Index<T>> {
  const byUuid = new Map<string, T>()
  const byName = new Map<string, T>()
  for (const [place, object] of all.entries()) {
    byUuid.set(object.uuid, object)
    byName.set(object.name, object)
    if (place % STEP === 0) yield
  }
  return { all, byUuid, byName }
}

function* groupedBy<T>(
  objects: readonly T[],
  keysOf: (object: T) => Iterable<string>,
): Generator<void, Map<string, T[]>> {
  const grouped = new Map<string, T[]>()
  for (const [place, object] of objects.entries()) {
    for (const key of keysOf(object)) {
      const members = grouped.get(key)
      if (members) members.push(object)
      else grouped.set(key, [object])
    }
    if (place % STEP === 0) yield
  }
  return grouped
}

function networksOf(instance: Instance): Set<string> {
  const networks = new Set<string>()
  for (const nic of instance.nics) if (nic.network !== null) networks.add(nic.network)
  return networks
}
