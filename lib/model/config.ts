/**
 * A whole cluster at one moment, as a file describes it: never changed, only
 * replaced by the next one. Made by `indexConfig` from the plain objects, with
 * the look-ups every answer needs, so that none has to search.
 */
import type { Change, ObjectChanges } from './change.ts'
import type { Cluster } from './cluster.ts'
import type { FilterRule } from './filter-rule.ts'
import type { Group } from './group.ts'
import type { Instance } from './instance.ts'
import { liveValues, type NodeUse, useOfNode } from './live-values.ts'
import type { Network } from './network.ts'
import { compareNicely, niceSort } from './nice-sort.ts'
import type { Hardware, Node, NodeLive } from './node.ts'
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
  /** What the nodes would report of guest OSes; undefined where nobody can be asked. */
  readonly oses: readonly Os[] | undefined
  /** What a node says of itself, by its UUID; nodes not in it cannot be asked. */
  readonly live: ReadonlyMap<string, NodeLive>
  /** The machines behind the nodes, offline ones too, by the node's UUID; empty where nothing is known of them. */
  readonly hardware: ReadonlyMap<string, Hardware>
  /** How long jobs take, in seconds, by their opcodes' names; `default` is that of all others. */
  readonly jobTime: { readonly [opcode: string]: number }
}

/** Objects of one kind, in Ganeti's natural order of names, found by UUID or by full name. */
export interface Index<T> {
  readonly all: readonly T[]
  readonly byUuid: ReadonlyMap<string, T>
  readonly byName: ReadonlyMap<string, T>
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
  /** By the network's UUID: those with a card in it. */
  readonly networkInstances: ReadonlyMap<string, readonly Instance[]>
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
 * As `indexConfig`, but in many small steps, between which others may have
 * their turn; the last one gives the Config.
 * @param objects in natural order
 * @param last an older state; what differs little from it shares its look-ups
 */
export function* indexing(objects: ConfigObjects, last?: Config): Generator<void, Config> {
  const change = last && changeInPlace(last, objects)
  if (change) return { ...objects, ...changeLookUps(last, change) }
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
    primaryInstances: yield* groupedBy(instances.all, primaryOf),
    secondaryInstances: yield* groupedBy(instances.all, secondariesOf),
    groupNodes: yield* groupedBy(nodes.all, groupOf),
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
  const byUuid = new Map<string, number>()
  const byName = new Map<string, number>()
  for (const [place, object] of all.entries()) {
    byUuid.set(object.uuid, place)
    byName.set(object.name, place)
    if (place % STEP === 0) yield
  }
  return { all, byUuid: new Places(byUuid, all), byName: new Places(byName, all) }
}

function indexSorted<T extends Named>(all: readonly T[]): Index<T> {
  return finished(index(all))
}

function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Objects by a key, through their places in a list: what stays when one of
 * them is replaced by its next state, so that this costs a copy of the list
 * alone.
 */
class Places<T> implements ReadonlyMap<string, T> {
  readonly places: ReadonlyMap<string, number>
  readonly #all: readonly T[]

  constructor(places: ReadonlyMap<string, number>, all: readonly T[]) {
    this.places = places
    this.#all = all
  }

  get size(): number {
    return this.places.size
  }

  get(key: string): T | undefined {
    const place = this.places.get(key)
    return place === undefined ? undefined : this.#all[place]
  }

  has(key: string): boolean {
    return this.places.has(key)
  }

  keys(): MapIterator<string> {
    return this.places.keys()
  }

  *values(): Generator<T, undefined> {
    for (const place of this.places.values()) yield this.#all[place] as T
  }

  *entries(): Generator<[string, T], undefined> {
    for (const [key, place] of this.places) yield [key, this.#all[place] as T]
  }

  [Symbol.iterator](): Generator<[string, T], undefined> {
    return this.entries()
  }

  forEach(callback: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }
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

const primaryOf = ({ primary_node }: Instance) => [primary_node]
const secondariesOf = ({ secondary_nodes }: Instance) => secondary_nodes
const groupOf = ({ group }: Node) => [group]

function networksOf(instance: Instance): Set<string> {
  const networks = new Set<string>()
  for (const nic of instance.nics) if (nic.network !== null) networks.add(nic.network)
  return networks
}

/**
 * The cluster after a change. Look-ups and natural order are those that
 * `indexConfig` would make of the changed objects, made from the old ones at
 * the price of what changed; and the nodes whose instances changed report
 * accordingly.
 */
export function changeConfig(config: Config, change: Change): Config {
  const next = {
    ...config,
    ...(change.cluster && { cluster: change.cluster }),
    ...changeLookUps(config, change),
    filters: changeFilters(config.filters, change.filters),
  }
  return { ...next, live: changeLive(config, next, change) }
}

function changeLookUps(config: Config, { groups, nodes, instances, networks }: Pick<Change, Table>): LookUps {
  return {
    groups: changeIndex(config.groups, groups),
    nodes: changeIndex(config.nodes, nodes),
    instances: changeIndex(config.instances, instances),
    networks: changeIndex(config.networks, networks),
    primaryInstances: changeGrouped(config.primaryInstances, config.instances, instances, primaryOf),
    secondaryInstances: changeGrouped(config.secondaryInstances, config.instances, instances, secondariesOf),
    networkInstances: changeGrouped(config.networkInstances, config.instances, instances, networksOf),
    groupNodes: changeGrouped(config.groupNodes, config.nodes, nodes, groupOf),
  }
}

/** How many objects of a kind may differ: so many are changed in a millisecond or two. */
const FEW = 100

/** What makes the objects of one state those of the next; undefined where some come or go, or many differ. */
function changeInPlace(last: Config, next: ConfigObjects): Pick<Change, Table> | undefined {
  const groups = versionsInPlace(last.groups, next.groups)
  const nodes = versionsInPlace(last.nodes, next.nodes)
  const instances = versionsInPlace(last.instances, next.instances)
  const networks = versionsInPlace(last.networks, next.networks)
  return groups && nodes && instances && networks && { groups, nodes, instances, networks }
}

function versionsInPlace<T extends Named>(
  { all: last }: Index<T>,
  next: readonly T[],
): ObjectChanges<T> | undefined {
  if (last.length !== next.length) return undefined
  const versions = new Map<string, T>()
  let place = 0
  for (const now of next) {
    const was = last[place++]
    if (was === now) continue
    if (was?.uuid !== now.uuid || was.name !== now.name || versions.size === FEW) return undefined
    versions.set(now.uuid, now)
  }
  return versions
}

function changeIndex<T extends Named>(index: Index<T>, changes: ObjectChanges<T> | undefined): Index<T> {
  if (!changes || changes.size === 0) return index
  const all = [...index.all]
  const replacements = [...changes].map(([uuid, now]) => ({ was: index.byUuid.get(uuid), now }))
  if (!replacements.every(isInPlace)) return indexSorted(replaceSorted(all, replacements))
  const { places } = index.byUuid as Places<T>
  for (const { now } of replacements) all[places.get(now.uuid) as number] = now
  const byName = index.byName as Places<T>
  return { all, byUuid: new Places(places, all), byName: new Places(byName.places, all) }
}

/** What becomes of an object; undefined and null where it is new or gone. */
interface Replacement<T> {
  readonly was: T | undefined
  readonly now: T | null
}

/** Whether an object only gets a new version, which goes where the old one was. */
function isInPlace<T extends Named>(
  replacement: Replacement<T>,
): replacement is { readonly was: T; readonly now: T } {
  const { was, now } = replacement
  return was !== undefined && now !== null && was.name === now.name
}

/** Carries out replacements in a list in natural order of names that has all that `was`, and gives it. */
function replaceSorted<T extends Named>(all: T[], replacements: readonly Replacement<T>[]): T[] {
  for (const replacement of replacements) {
    const { was, now } = replacement
    if (isInPlace(replacement)) all[all.indexOf(replacement.was)] = replacement.now
    else {
      if (was) all.splice(all.indexOf(was), 1)
      if (now) all.splice(placeAfter(all, now.name), 0, now)
    }
  }
  return all
}

/** Where a name would be put, behind those that sort the same. */
function placeAfter(sorted: readonly Named[], name: string): number {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (compareNicely((sorted[middle] as Named).name, name) <= 0) from = middle + 1
    else to = middle
  }
  return from
}

function changeGrouped<T extends Named>(
  grouped: ReadonlyMap<string, readonly T[]>,
  { byUuid }: Index<T>,
  changes: ObjectChanges<T> | undefined,
  keysOf: (object: T) => Iterable<string>,
): ReadonlyMap<string, readonly T[]> {
  if (!changes || changes.size === 0) return grouped
  /** By the key of a list: what changes in it. */
  const byKey = new Map<string, Replacement<T>[]>()
  for (const [uuid, object] of changes) {
    const old = byUuid.get(uuid)
    const oldKeys = new Set(old && keysOf(old))
    const newKeys = new Set(object && keysOf(object))
    for (const key of new Set([...oldKeys, ...newKeys])) {
      const was = oldKeys.has(key) ? old : undefined
      const now = newKeys.has(key) ? object : null
      const replacements = byKey.get(key)
      if (replacements) replacements.push({ was, now })
      else byKey.set(key, [{ was, now }])
    }
  }
  const next = new Map(grouped)
  for (const [key, replacements] of byKey) {
    const members = replaceSorted([...(next.get(key) ?? [])], replacements)
    if (members.length > 0) next.set(key, members)
    else next.delete(key)
  }
  return next
}

function changeFilters(
  filters: readonly FilterRule[],
  changes: ObjectChanges<FilterRule> | undefined,
): readonly FilterRule[] {
  if (!changes) return filters
  const known = new Set(filters.map(({ uuid }) => uuid))
  const kept = filters.flatMap((rule) => {
    const change = changes.get(rule.uuid)
    return change === undefined ? [rule] : change === null ? [] : [change]
  })
  const added = [...changes.values()].filter((rule) => rule !== null && !known.has(rule.uuid))
  return [...kept, ...(added as FilterRule[])]
}

/** What an instance takes of its nodes depends on the cluster's defaults, and on nothing else of it. */
function changeLive(
  config: Config,
  next: Omit<Config, 'live'>,
  { nodes, instances }: Change,
): ReadonlyMap<string, NodeLive> {
  const touched = new Set(nodes?.keys())
  if (next.cluster.beparams !== config.cluster.beparams)
    for (const uuid of next.hardware.keys()) touched.add(uuid)
  for (const uuid of instances?.keys() ?? []) {
    for (const instance of [config.instances.byUuid.get(uuid), next.instances.byUuid.get(uuid)]) {
      if (!instance) continue
      touched.add(instance.primary_node)
      for (const node of instance.secondary_nodes) touched.add(node)
    }
  }
  if (touched.size === 0) return config.live
  const live = new Map(config.live)
  for (const uuid of touched) {
    const node = next.nodes.byUuid.get(uuid)
    const has = next.hardware.get(uuid)
    const values = node && has && liveValues(node, has, useOf(next, uuid))
    if (values) live.set(uuid, values)
    else live.delete(uuid)
  }
  return live
}

/** What instances take of a node. */
export function useOf(
  config: Pick<Config, 'cluster' | 'primaryInstances' | 'secondaryInstances'>,
  node: string,
): NodeUse {
  const { cluster, primaryInstances, secondaryInstances } = config
  return useOfNode(cluster, node, primaryInstances.get(node), secondaryInstances.get(node))
}
