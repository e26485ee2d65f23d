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
  const groups = index(objects.groups)
  const nodes = index(objects.nodes)
  const instances = index(objects.instances)
  const networks = index(objects.networks)
  return {
    ...objects,
    groups,
    nodes,
    instances,
    networks,
    primaryInstances: groupedBy(instances.all, (instance) => [instance.primary_node]),
    secondaryInstances: groupedBy(instances.all, (instance) => instance.secondary_nodes),
    groupNodes: groupedBy(nodes.all, (node) => [node.group]),
    networkInstances: groupedBy(instances.all, networksOf),
  }
}

function index<T extends { uuid: string; name: string }>(objects: readonly T[]): Index<T> {
  const all = niceSort(objects, (object) => object.name)
  return {
    all,
    byUuid: new Map(all.map((object) => [object.uuid, object])),
    byName: new Map(all.map((object) => [object.name, object])),
  }
}

function groupedBy<T>(objects: readonly T[], keysOf: (object: T) => Iterable<string>): Map<string, T[]> {
  const grouped = new Map<string, T[]>()
  for (const object of objects) {
    for (const key of keysOf(object)) {
      const members = grouped.get(key)
      if (members) members.push(object)
      else grouped.set(key, [object])
    }
  }
  return grouped
}

function networksOf(instance: Instance): Set<string> {
  const networks = new Set<string>()
  for (const nic of instance.nics) if (nic.network !== null) networks.add(nic.network)
  return networks
}
