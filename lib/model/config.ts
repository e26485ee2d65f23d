/**
 * A whole cluster at one moment, as a file describes it: never changed, only
 * replaced by the next one. Made by `indexConfig` from the plain objects, with
 * the look-ups every answer needs, so that none has to search.
 */
import type { Change } from './change.ts'
import type { Cluster } from './cluster.ts'
import type { FilterRule } from './filter-rule.ts'
import type { Group } from './group.ts'
import type { Instance } from './instance.ts'
import type { Network } from './network.ts'
import { niceSort } from './nice-sort.ts'
import type { Hardware, Node, NodeLive } from './node.ts'
import {
  buildIndex,
  changeGrouped,
  changeIndex,
  finished,
  groupedBy,
  type Index,
  type Named,
  versionsInPlace,
} from './object-index.ts'
import type { Os } from './os.ts'
import type { Version } from './version.ts'

/** What a reader of a file gives: the objects, in no particular order. */
export interface ConfigObjects {
  /** Which Ganeti the file is of. */
  readonly version: Version
  readonly serial_no: number
  /** When the file last changed, seconds since the epoch. */
  readonly mtime: number
  readonly cluster: Cluster
  readonly groups: readonly Group[]
  readonly nodes: readonly Node[]
  readonly instances: readonly Instance[]
  readonly networks: readonly Network[]
  readonly filters: readonly FilterRule[]
  /** What the nodes would report of guest OSes; undefined where the source does not say. */
  readonly oses: readonly Os[] | undefined
  /** What a node says of itself, by its UUID; nodes not in it cannot be asked. */
  readonly live: ReadonlyMap<string, NodeLive>
  /** The machines behind the nodes, offline ones too, by the node's UUID; empty where nothing is known of them. */
  readonly hardware: ReadonlyMap<string, Hardware>
  /** How long jobs take, in seconds, by their opcodes' names; `default` is that of all others. */
  readonly jobTime: { readonly [opcode: string]: number }
}

export interface Config extends Omit<ConfigObjects, Table>, LookUps {}

/** Kinds of which a cluster can have thousands. They are JSON by their making. */
export type Table = 'groups' | 'nodes' | 'instances' | 'networks'

interface LookUps {
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
  /** By the network's UUID: those with a NIC in it. */
  readonly networkInstances: ReadonlyMap<string, readonly Instance[]>
  /** By a tag of theirs. */
  readonly taggedInstances: ReadonlyMap<string, readonly Instance[]>
}

/** Builds the look-ups over checked objects (names and UUIDs unique, references whole). */
export function indexConfig(objects: ConfigObjects): Config {
  return finished(indexing(inNaturalOrder(objects)))
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
 * As `indexConfig`, but in many small steps (time slicing); the last one gives
 * the Config.
 * @param objects in natural order
 * @param last an older state; what differs little from it shares its look-ups
 */
export function* indexing(objects: ConfigObjects, last?: Config): Generator<void, Config> {
  const change = last && changeInPlace(last, objects)
  if (change) return { ...objects, ...changeLookUps(last, change) }
  const groups = yield* buildIndex(objects.groups)
  const nodes = yield* buildIndex(objects.nodes)
  const instances = yield* buildIndex(objects.instances)
  const networks = yield* buildIndex(objects.networks)
  return {
    ...objects,
    groups,
    nodes,
    instances,
    networks,
    primaryInstances: yield* groupedBy(instances.all, primaryOf),
    secondaryInstances: yield* groupedBy(instances.all, secondariesOf),
    groupNodes: yield* groupedBy(nodes.all, groupOf),
    networkInstances: yield* groupedBy(instances.all, networksOf),
    taggedInstances: yield* groupedBy(instances.all, tagsOf),
  }
}

const primaryOf = ({ primary_node }: Instance) => [primary_node]
const secondariesOf = ({ secondary_nodes }: Instance) => secondary_nodes
const groupOf = ({ group }: Node) => [group]
const tagsOf = ({ tags }: Instance) => new Set(tags)

function networksOf(instance: Instance): Set<string> {
  const networks = new Set<string>()
  for (const nic of instance.nics) if (nic.network !== null) networks.add(nic.network)
  return networks
}

/** The look-ups after a change. */
export function changeLookUps(
  config: Config,
  { groups, nodes, instances, networks }: Pick<Change, Table>,
): LookUps {
  return {
    groups: changeIndex(config.groups, groups),
    nodes: changeIndex(config.nodes, nodes),
    instances: changeIndex(config.instances, instances),
    networks: changeIndex(config.networks, networks),
    primaryInstances: changeGrouped(config.primaryInstances, config.instances, instances, primaryOf),
    secondaryInstances: changeGrouped(config.secondaryInstances, config.instances, instances, secondariesOf),
    networkInstances: changeGrouped(config.networkInstances, config.instances, instances, networksOf),
    taggedInstances: changeGrouped(config.taggedInstances, config.instances, instances, tagsOf),
    groupNodes: changeGrouped(config.groupNodes, config.nodes, nodes, groupOf),
  }
}

/** What makes the objects of one state those of the next; undefined where some come or go, or many differ. */
function changeInPlace(last: Config, next: ConfigObjects): Pick<Change, Table> | undefined {
  const groups = versionsInPlace(last.groups, next.groups)
  const nodes = versionsInPlace(last.nodes, next.nodes)
  const instances = versionsInPlace(last.instances, next.instances)
  const networks = versionsInPlace(last.networks, next.networks)
  return groups && nodes && instances && networks && { groups, nodes, instances, networks }
}
