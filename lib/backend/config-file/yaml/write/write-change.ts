/**
 * A change of the cluster, written into its YAML file: what the changed objects
 * have to say, and what others then have to say for themselves because it no
 * longer follows from the rest.
 *
 * That the file means what is held in memory is not hoped for but made so: what
 * is written of an object is read again by the file's own reader, until it
 * means what it should, and what was read is what is held from then on. A
 * change of instances alone concerns nothing else, so only they are read; nor
 * do anybody's tags. For any other change the whole is read (from values, not
 * from text) and compared, but for instances where nothing that they refer to
 * changes.
 */
import { Failure } from '../../../../failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json.ts'
import { indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Change } from '../../../../model/change.ts'
import { changeConfig, useOf } from '../../../../model/change-config.ts'
import type { Config, ConfigObjects } from '../../../../model/config.ts'
import { CLUSTER_DEFAULTS } from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import { overcommitment } from '../../../../model/live-values.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import type { Index } from '../../../../model/object-index.ts'
import { readRecord } from '../../records/unique-ids.ts'
import type { YamlChange, YamlText } from '../document/yaml-text.ts'
import { readInstance } from '../read/instances.ts'
import { bitmap } from '../read/networks.ts'
import { readYamlValue } from '../read/read-yaml.ts'
import { SECTIONS, type Section } from '../syntax/yaml-cuts.ts'
import { gaveWay } from './gave-way.ts'
import { sayCluster, sayFilters, sayGroup, sayInstance, sayNetwork, sayNode } from './statements.ts'

/** How often a statement may need another word; more is an error of ours. */
const MOST_ROUNDS = 6

export interface Written {
  readonly text: YamlText
  readonly config: Config
}

/**
 * @param text the file that means `config`
 * @returns the file changed, and the cluster that it means
 * @throws Failure `invalid` for a change after which the file would contradict itself, `internal` where it
 *   cannot be written
 */
export function writeChange(text: YamlText, config: Config, change: Change): Written {
  const draft = new Draft(text, config, change)
  draft.write()
  return { text: text.changed(draft), config: draft.config }
}

const OTHER_SECTIONS: readonly Section[] = SECTIONS.filter((section) => section !== 'instances')

/** What the cluster says that has to do with its instances. */
const CLUSTER_FOR_INSTANCES: readonly string[] = [
  'beparams',
  'ctime',
  'enabled_disk_templates',
  'enabled_hypervisors',
  'file_storage_dir',
  'hypervisor',
  'mac_prefix',
  'nicparams',
  'shared_file_storage_dir',
  'volume_group_name',
]

/** What of an object concerns nobody else. */
const RECORD_KEYS = ['tags', 'mtime', 'serial_no'] as const

type Recorded = { readonly [key in (typeof RECORD_KEYS)[number]]: Json }

interface Named {
  readonly uuid: string
  readonly name: string
}

/** A change of the text that is being thought out. */
class Draft implements YamlChange {
  readonly keys = new Map<string, Json>()
  readonly entries = new Map<Section, Map<string, JsonObject | null>>()
  readonly renamed = new Map<Section, Map<string, string>>()
  /** The cluster after the change, as far as it is known what the file will mean. */
  config: Config
  readonly #text: YamlText
  readonly #before: Config
  readonly #change: Change

  constructor(text: YamlText, config: Config, change: Change) {
    this.#text = text
    this.#before = config
    this.#change = change
    this.config = changeConfig(config, change)
  }

  write(): void {
    const { groups, nodes, networks, filters } = this.#change
    const before = this.#before
    this.#sayCluster(before)
    this.#section('networks', before.networks, networks, sayNetwork)
    this.#keepDefaultGroup()
    this.#section('groups', before.groups, groups, sayGroup)
    this.#section('nodes', before.nodes, nodes, sayNode)
    if (filters) this.#sayFilters(before)
    for (const [uuid, now] of this.#change.instances ?? []) this.#instance(uuid, now)
    this.#sayWhatGaveWay()
    this.#followRenames()
    this.#nameGroups()
    this.#reserveAddresses()
    if (filters || !this.#onlyRecordsChange() || this.#choicesFollow()) this.#settle()
    this.#checkNodes()
  }

  /** Whether instances decide what the cluster enables, and these may decide otherwise. */
  #choicesFollow(): boolean {
    const { instances } = this.#change
    const said = this.#said('cluster')
    if (!instances || ('enabled_hypervisors' in said && 'enabled_disk_templates' in said)) return false
    return [...instances].some(([uuid, now]) => {
      const was = this.#before.instances.byUuid.get(uuid)
      return was?.hypervisor !== now?.hypervisor || was?.disk_template !== now?.disk_template
    })
  }

  // What is said

  #said(key: string): JsonObject {
    return (this.keys.get(key) ?? this.#text.key(key) ?? {}) as JsonObject
  }

  #entry(section: Section, name: string): Json | undefined {
    const drafted = this.entries.get(section)?.get(name)
    return drafted === undefined ? this.#text.entry(section, name) : drafted
  }

  #put(section: Section, name: string, value: JsonObject | null): void {
    const entries = this.entries.get(section)
    if (entries) entries.set(name, value)
    else this.entries.set(section, new Map([[name, value]]))
  }

  #rename(section: Section, from: string, to: string): void {
    const names = this.renamed.get(section)
    if (names) names.set(from, to)
    else this.renamed.set(section, new Map([[from, to]]))
  }

  #sayCluster(meant: Pick<Config, 'cluster'>): void {
    const said = this.#said('cluster')
    const value = sayCluster(said, meant.cluster, this.config.cluster, this.config)
    if (!equalJson(said, value)) this.keys.set('cluster', value)
  }

  #sayFilters(meant: Pick<Config, 'filters'>): void {
    const said = this.keys.get('filters') ?? this.#text.key('filters')
    const value = sayFilters(said, meant.filters, this.config.filters)
    if (!equalJson(said ?? null, value)) this.keys.set('filters', value)
  }

  #section<T extends Named>(
    section: Section,
    { byUuid }: Index<T>,
    changes: ReadonlyMap<string, T | null> | undefined,
    say: (said: Json | undefined, meant: T | undefined, now: T, config: Config) => JsonObject,
  ): void {
    for (const [uuid, now] of changes ?? []) {
      const was = byUuid.get(uuid)
      if (now === null) {
        if (was) this.#put(section, was.name, null)
        continue
      }
      const oldName = was?.name ?? now.name
      const said = this.#text.entry(section, oldName)
      if (said !== undefined && oldName !== now.name) this.#rename(section, oldName, now.name)
      this.#put(section, now.name, say(said, was, now, this.config))
    }
  }

  /** A file without groups has one all the same, which has to be there by name once others are. */
  #keepDefaultGroup(): void {
    if (!this.#change.groups) return
    for (const { uuid, name } of this.#before.groups.all) {
      const said = this.#text.entry('groups', name) !== undefined
      if (!said && !this.#change.groups.has(uuid)) this.#put('groups', name, {})
    }
  }

  /** A node that does not name its group is in the only one, or in the one called default. */
  #nameGroups(): void {
    const { groups, nodes } = this.config
    if (!this.#change.groups || groups.all.length < 2) return
    for (const { name, group } of nodes.all) {
      const called = groups.byUuid.get(group)?.name ?? ''
      const said = this.#entry('nodes', name)
      const values = isJsonObject(said) ? said : {}
      if (called !== 'default' && values.group === undefined)
        this.#put('nodes', name, { ...values, group: called })
    }
  }

  /** Others refer to groups and networks by their names. */
  #followRenames(): void {
    const { groups, nodes, instances, groupNodes, networkInstances } = this.config
    const resay = (section: Section, { name }: Named, change: (said: JsonObject) => JsonObject) => {
      const said = this.#entry(section, name)
      const value = isJsonObject(said) ? change(said) : undefined
      if (value && !equalJson(said, value)) this.#put(section, name, value)
    }
    for (const [uuid, from, to] of renames(this.#before.groups, this.#change.groups)) {
      for (const node of groupNodes.get(uuid) ?? []) {
        resay('nodes', nodes.byUuid.get(node.uuid) ?? node, (said) => withReference(said, 'group', from, to))
      }
    }
    for (const [uuid, from, to] of renames(this.#before.networks, this.#change.networks)) {
      for (const group of groups.all) {
        if (uuid in group.networks) resay('groups', group, (said) => withKey(said, 'networks', from, to))
      }
      for (const instance of networkInstances.get(uuid) ?? []) {
        resay('instances', instances.byUuid.get(instance.uuid) ?? instance, ({ nics = [], ...said }) => {
          const cards = (nics as readonly JsonObject[]).map((nic) => withReference(nic, 'network', from, to))
          return { ...said, nics: cards }
        })
      }
    }
  }

  // Instances

  #instance(uuid: string, now: Instance | null): void {
    const was = this.#before.instances.byUuid.get(uuid)
    if (now === null) {
      if (was) this.#put('instances', was.name, null)
      return
    }
    const oldName = was?.name ?? now.name
    const said = this.#text.entry('instances', oldName)
    if (said !== undefined && oldName !== now.name) this.#rename('instances', oldName, now.name)
    this.#sayInstance(said, was, now)
  }

  #sayInstance(said: Json | undefined, was: Instance | undefined, now: Instance): void {
    let value = sayInstance(said, was, now, this.config)
    for (let round = 0; ; round++) {
      const meant = this.#read(now.name, value)
      const better = sayInstance(value, meant, now, this.config)
      if (equalJson(value, better)) {
        this.#put('instances', now.name, value)
        if (!equalJson(meant as unknown as Json, now as unknown as Json)) {
          this.config = changeConfig(this.config, { instances: new Map([[now.uuid, meant]]) })
        }
        return
      }
      if (round === MOST_ROUNDS) throw cannotSay(now.name)
      value = better
    }
  }

  /** Instances say the numbers that would be derived otherwise without those which go. */
  #sayWhatGaveWay(): void {
    const { instances } = this.config
    const changes = [...(this.#change.instances?.keys() ?? [])].map(
      (uuid) => [this.#before.instances.byUuid.get(uuid), instances.byUuid.get(uuid)] as const,
    )
    for (const instance of gaveWay(changes, instances.all)) {
      this.#sayInstance(this.#entry('instances', instance.name), instance, instance)
    }
  }

  #read(name: string, value: JsonObject): Instance {
    const { cluster, nodes, groups, networks } = this.config
    const enabled = this.#said('cluster').enabled_disk_templates
    const { instance, problems } = readInstance(
      name,
      value,
      {
        settings: cluster,
        volumeGroup: cluster.volume_group_name ?? CLUSTER_DEFAULTS.volume_group_name,
        hypervisor: cluster.enabled_hypervisors[0] ?? '',
        enabledHypervisors: [],
        enabledTemplates: Array.isArray(enabled) ? enabled : [],
        nodes: nodes.byName,
        groups: groups.byUuid,
        networks: {
          get: (called) => {
            const network = networks.byName.get(called)
            return network && { ...network, holds: () => true, give: () => {} }
          },
        },
      },
      cluster.ctime,
    )
    if (problems.length > 0)
      throw new Failure('invalid', `${name}: ${problems.map(({ message }) => message).join('; ')}`)
    return instance
  }

  /** Which addresses of a network are taken follows from the cards in it. */
  #reserveAddresses(): void {
    const touched = new Set<string>()
    for (const uuid of this.#change.instances?.keys() ?? []) {
      const was = addressesOf(this.#before.instances.byUuid.get(uuid))
      const now = addressesOf(this.config.instances.byUuid.get(uuid))
      if (equalJson(was, now)) continue
      for (const [network] of [...was, ...now]) if (network !== null) touched.add(network)
    }
    const networks = new Map<string, Network>()
    for (const uuid of touched) {
      const network = this.config.networks.byUuid.get(uuid)
      if (network) networks.set(uuid, withReservations(network, this.config.networkInstances.get(uuid) ?? []))
    }
    this.config = changeConfig(this.config, { networks })
  }

  // What follows from the whole

  /** Whether all changes but those of instances are of tags and stamps, and said as they will be read. */
  #onlyRecordsChange(): boolean {
    const { cluster, groups, nodes, networks } = this.#change
    const { ctime } = this.config.cluster
    const isRead = (kind: string, name: string, said: Json | undefined, now: Recorded) => {
      const record = isJsonObject(said) ? readRecord(said, ctime, kind, name) : undefined
      return record !== undefined && RECORD_KEYS.every((key) => equalJson(record[key], now[key]))
    }
    const only = <T extends Named & Recorded>(
      section: Section,
      kind: string,
      { byUuid }: Index<T>,
      changes: ReadonlyMap<string, T | null> = new Map(),
    ) =>
      [...changes].every(([uuid, now]) => {
        const was = byUuid.get(uuid)
        if (!was || !now || !onlyRecordDiffers(was, now)) return false
        return isRead(kind, now.name, this.#entry(section, now.name), now)
      })
    const before = this.#before
    return (
      (!cluster ||
        (onlyRecordDiffers(before.cluster, cluster) &&
          isRead('cluster', cluster.cluster_name, this.#said('cluster'), cluster))) &&
      only('groups', 'group', before.groups, groups) &&
      only('nodes', 'node', before.nodes, nodes) &&
      only('networks', 'network', before.networks, networks)
    )
  }

  /** Reads the whole as it would be, and has those objects say more that would mean something else. */
  #settle(): void {
    for (let round = 0; round <= MOST_ROUNDS; round++) {
      const known = this.#concernsInstances() ? undefined : this.config.instances.all
      const value = this.#value(known ? OTHER_SECTIONS : SECTIONS)
      const meant = readYamlValue(value, { name: 'the file as it would be' }, known)
      if (this.#sayWhatDiffers(meant)) continue
      this.config = { ...this.config, networks: adopt(this.config, meant) }
      return
    }
    throw cannotSay('the cluster')
  }

  /** Whether what instances say may mean something else after the change. */
  #concernsInstances(): boolean {
    const { groups, nodes, networks } = this.#change
    const before = this.#before
    const differ = <T extends Named>(
      { byUuid }: Index<T>,
      changes: ReadonlyMap<string, T | null> = new Map(),
      keys: readonly (keyof T)[],
    ) =>
      [...changes].some(([uuid, now]) => {
        const was = byUuid.get(uuid)
        // Nobody refers to what is new.
        return was !== undefined && !(now && sameIn(was, now, keys))
      })
    return (
      !sameIn(
        (this.#text.key('cluster') ?? {}) as JsonObject,
        this.#said('cluster'),
        CLUSTER_FOR_INSTANCES,
      ) ||
      differ(before.groups, groups, ['networks']) ||
      differ(before.nodes, nodes, ['name', 'group', 'vm_capable']) ||
      differ(before.networks, networks, ['name', 'network', 'network6', 'mac_prefix'])
    )
  }

  #sayWhatDiffers(meant: ConfigObjects): boolean {
    const { config } = this
    let changed = false
    const differing = <T extends Named>(
      section: Section,
      objects: readonly T[],
      { all }: Index<T>,
      say: (said: Json | undefined, meant: T | undefined, now: T, config: Config) => JsonObject,
    ) => {
      const byName = new Map(objects.map((object) => [object.name, object]))
      for (const now of all) {
        const read = byName.get(now.name)
        if (read === now || equalJson(read as unknown as Json, now as unknown as Json)) continue
        const said = this.#entry(section, now.name)
        const value = say(said, read, now, config)
        if (equalJson(said ?? {}, value)) continue
        this.#put(section, now.name, value)
        changed = true
      }
    }
    const before = this.keys.get('cluster')
    this.#sayCluster(meant)
    changed = this.keys.get('cluster') !== before
    if (this.#change.filters) {
      const filtersBefore = this.keys.get('filters')
      this.#sayFilters(meant)
      changed ||= this.keys.get('filters') !== filtersBefore
    }
    differing('networks', meant.networks, config.networks, sayNetwork)
    differing('groups', meant.groups, config.groups, sayGroup)
    differing('nodes', meant.nodes, config.nodes, sayNode)
    differing('instances', meant.instances, config.instances, sayInstance)
    return changed
  }

  /** What the file would say, of objects in these sections. */
  #value(sections: readonly Section[]): JsonObject {
    const value: { [key: string]: Json } = { ...this.#text.value(sections) }
    for (const [key, one] of this.keys) {
      if (one === null) delete value[key]
      else value[key] = one
    }
    for (const [section, entries] of this.entries) {
      if (!sections.includes(section)) continue
      const renamed = this.renamed.get(section)
      const objects = new Map(
        Object.entries(this.#text.section(section)).map(([name, one]) => [renamed?.get(name) ?? name, one]),
      )
      for (const [name, one] of entries) {
        if (one === null) objects.delete(name)
        else objects.set(name, one)
      }
      value[section] = Object.fromEntries(objects)
    }
    return value
  }

  // What the reader would refuse

  #checkNodes(): void {
    const touched = new Set<string>(this.#change.nodes?.keys())
    for (const uuid of this.#change.instances?.keys() ?? []) {
      const instance = this.config.instances.byUuid.get(uuid)
      if (!instance) continue
      for (const node of [instance.primary_node, ...instance.secondary_nodes]) touched.add(node)
    }
    for (const uuid of touched) {
      const has = this.config.hardware.get(uuid)
      const [complaint] = has ? Object.values(overcommitment(has, useOf(this.config, uuid))) : []
      const node: Node | undefined = this.config.nodes.byUuid.get(uuid)
      if (complaint) throw new Failure('invalid', `${node?.name}: ${complaint}`)
    }
  }
}

function* renames<T extends Named>(
  { byUuid }: Index<T>,
  changes: ReadonlyMap<string, T | null> | undefined,
): Generator<[uuid: string, from: string, to: string]> {
  for (const [uuid, now] of changes ?? []) {
    const was = byUuid.get(uuid)
    if (was && now && was.name !== now.name) yield [uuid, was.name, now.name]
  }
}

function withReference(said: JsonObject, key: string, from: string, to: string): JsonObject {
  return said[key] === from ? { ...said, [key]: to } : said
}

/** With another name for a key of an inner object. */
function withKey(said: JsonObject, key: string, from: string, to: string): JsonObject {
  const inner = said[key]
  if (!isJsonObject(inner)) return said
  const entries = Object.entries(inner).map(([name, value]) => [name === from ? to : name, value] as const)
  return { ...said, [key]: Object.fromEntries(entries) }
}

function addressesOf(instance: Instance | undefined): (readonly [string | null, string | null])[] {
  return instance?.nics.map(({ network, ip }) => [network, ip] as const) ?? []
}

function withReservations(network: Network, instances: readonly Instance[]): Network {
  const range = parseIpv4Network(network.network)
  if (!range) return network
  const taken = new Set<number>()
  for (const { nics } of instances) {
    for (const { network: uuid, ip } of nics) {
      const place = uuid === network.uuid && ip !== null ? indexIn(range, ip) : undefined
      if (place !== undefined) taken.add(place)
    }
  }
  return { ...network, reservations: bitmap(range.size, taken) }
}

/** Networks as they are read: which of their addresses are taken follows from the instances. */
function adopt(config: Config, { networks }: ConfigObjects): Config['networks'] {
  const changes = new Map(
    networks
      .filter(
        (network) =>
          !equalJson(network as unknown as Json, config.networks.byUuid.get(network.uuid) as unknown as Json),
      )
      .map((network) => [network.uuid, network]),
  )
  return changeConfig(config, { networks: changes }).networks
}

/** Whether nothing else is different in an object. */
function onlyRecordDiffers<T extends Recorded>(was: T, now: T): boolean {
  const keys = Object.keys({ ...was, ...now }) as (keyof T)[]
  return sameIn(
    was,
    now,
    keys.filter((key) => !(RECORD_KEYS as readonly unknown[]).includes(key)),
  )
}

function sameIn<T>(was: T, now: T, keys: readonly (keyof T)[]): boolean {
  return keys.every((key) => equalJson(was[key] as Json, now[key] as Json))
}

function cannotSay(what: string): Failure {
  return new Failure('internal', `the YAML file has no way to say what becomes of ${what}`)
}
