/**
 * Writes a change of the cluster into its YAML file: what the changed objects
 * have to say, and what others then have to say because it no longer follows
 * from the rest.
 *
 * That the file means what is held in memory is made so by a fixpoint: what is
 * written of an object is parsed by the file's own reader, and written again
 * until it means what it should; what was parsed is what is held from then on. A
 * change of instances alone reaches nothing else, so only they are parsed;
 * likewise tags. For any other change the whole is parsed (from values, not from
 * text) and compared, but for instances where nothing that they refer to changes.
 */
import { Failure } from '../../../../failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Change } from '../../../../model/change.ts'
import { changeConfig, useOf } from '../../../../model/change-config.ts'
import type { Config, ConfigObjects } from '../../../../model/config.ts'
import { CLUSTER_DEFAULTS } from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import { overcommitment } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import type { Index } from '../../../../model/object-index.ts'
import type { YamlText } from '../document/yaml-text.ts'
import { readInstance } from '../read/instances.ts'
import { readYamlValue } from '../read/read-yaml.ts'
import { SECTIONS, type Section } from '../syntax/yaml-cuts.ts'
import { choicesFollow, concernsInstances, onlyRecordsChange } from './change-scope.ts'
import { Draft, type Named } from './draft.ts'
import { gaveWay } from './freed-numbers.ts'
import { followRenames } from './references.ts'
import { takeReservations, withReservedAddresses } from './reservations.ts'
import { writeCluster } from './write-cluster.ts'
import { writeFilters } from './write-filters.ts'
import { writeGroup } from './write-group.ts'
import { writeInstance } from './write-instance.ts'
import { writeNetwork } from './write-network.ts'
import { writeNode } from './write-node.ts'

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
  const writer = new ChangeWriter(text, config, change)
  writer.write()
  return { text: text.changed(writer.draft), config: writer.config }
}

const OTHER_SECTIONS: readonly Section[] = SECTIONS.filter((section) => section !== 'instances')

/** Writes one change, object by object, and keeps account of what the file will mean. */
class ChangeWriter {
  readonly draft: Draft
  /** The cluster after the change, as far as it is known what the file will mean. */
  config: Config
  readonly #text: YamlText
  readonly #before: Config
  readonly #change: Change

  constructor(text: YamlText, config: Config, change: Change) {
    this.draft = new Draft(text)
    this.#text = text
    this.#before = config
    this.#change = change
    this.config = changeConfig(config, change)
  }

  write(): void {
    const { groups, nodes, networks, filters } = this.#change
    const before = this.#before
    this.#writeCluster(before)
    this.#section('networks', before.networks, networks, writeNetwork)
    this.#keepDefaultGroup()
    this.#section('groups', before.groups, groups, writeGroup)
    this.#section('nodes', before.nodes, nodes, writeNode)
    if (filters) this.#writeFilters(before)
    for (const [uuid, target] of this.#change.instances ?? []) this.#instance(uuid, target)
    this.#writeWhatGaveWay()
    followRenames(this.draft, this.#before, this.#change, this.config)
    this.#nameGroups()
    this.config = withReservedAddresses(this.#before, this.#change, this.config)
    if (filters || this.#reachesFurther()) this.#reachFixpoint()
    this.#checkNodes()
  }

  /** Whether the change is of more than instances, tags and stamps, so that other objects may mean something else. */
  #reachesFurther(): boolean {
    const [draft, before, change] = [this.draft, this.#before, this.#change] as const
    return !onlyRecordsChange(draft, before, change) || choicesFollow(draft, before, change)
  }

  #writeCluster(parsed: Pick<Config, 'cluster'>): void {
    const written = this.draft.cluster
    const value = writeCluster(written, parsed.cluster, this.config.cluster, this.config)
    if (!equalJson(written, value)) this.draft.keys.set('cluster', value)
  }

  #writeFilters(parsed: Pick<Config, 'filters'>): void {
    const written = this.draft.key('filters')
    const value = writeFilters(written, parsed.filters, this.config.filters)
    if (!equalJson(written ?? null, value)) this.draft.keys.set('filters', value)
  }

  #section<T extends Named>(
    section: Section,
    { byUuid }: Index<T>,
    changes: ReadonlyMap<string, T | null> | undefined,
    write: (written: Json | undefined, parsed: T | undefined, target: T, config: Config) => JsonObject,
  ): void {
    for (const [uuid, target] of changes ?? []) {
      const was = byUuid.get(uuid)
      if (target === null) {
        if (was) this.draft.put(section, was.name, null)
        continue
      }
      const written = this.#writtenOf(section, was, target)
      this.draft.put(section, target.name, write(written, was, target, this.config))
    }
  }

  /** What is written of an object before the change, which takes its new name if it gets one. */
  #writtenOf(section: Section, was: Named | undefined, { name }: Named): Json | undefined {
    const oldName = was?.name ?? name
    const written = this.#text.entry(section, oldName)
    if (written !== undefined && oldName !== name) this.draft.rename(section, oldName, name)
    return written
  }

  /** A file without groups has one all the same, which has to be there by name once others are. */
  #keepDefaultGroup(): void {
    if (!this.#change.groups) return
    for (const { uuid, name } of this.#before.groups.all) {
      const written = this.#text.entry('groups', name) !== undefined
      if (!written && !this.#change.groups.has(uuid)) this.draft.put('groups', name, {})
    }
  }

  /** A node that does not name its group is in the only one, or in the one called default. */
  #nameGroups(): void {
    const { groups, nodes } = this.config
    if (!this.#change.groups || groups.all.length < 2) return
    for (const { name, group } of nodes.all) {
      const called = groups.byUuid.get(group)?.name ?? ''
      const written = this.draft.entry('nodes', name)
      const values = isJsonObject(written) ? written : {}
      if (called !== 'default' && values.group === undefined)
        this.draft.put('nodes', name, { ...values, group: called })
    }
  }

  // Instances

  #instance(uuid: string, target: Instance | null): void {
    const was = this.#before.instances.byUuid.get(uuid)
    if (target === null) {
      if (was) this.draft.put('instances', was.name, null)
      return
    }
    this.#writeInstance(this.#writtenOf('instances', was, target), was, target)
  }

  #writeInstance(written: Json | undefined, was: Instance | undefined, target: Instance): void {
    let value = writeInstance(written, was, target, this.config)
    for (let round = 0; ; round++) {
      const parsed = this.#read(target.name, value)
      const better = writeInstance(value, parsed, target, this.config)
      if (equalJson(value, better)) {
        this.draft.put('instances', target.name, value)
        if (!equalJson(parsed as unknown as Json, target as unknown as Json)) {
          this.config = changeConfig(this.config, { instances: new Map([[target.uuid, parsed]]) })
        }
        return
      }
      if (round === MOST_ROUNDS) throw cannotWrite(target.name)
      value = better
    }
  }

  /** Instances say the numbers that would be derived otherwise without those which go. */
  #writeWhatGaveWay(): void {
    const { instances } = this.config
    const changes = [...(this.#change.instances?.keys() ?? [])].map(
      (uuid) => [this.#before.instances.byUuid.get(uuid), instances.byUuid.get(uuid)] as const,
    )
    for (const instance of gaveWay(changes, instances.all)) {
      this.#writeInstance(this.draft.entry('instances', instance.name), instance, instance)
    }
  }

  #read(name: string, value: JsonObject): Instance {
    const { cluster, nodes, groups, networks } = this.config
    const enabled = this.draft.cluster.enabled_disk_templates
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

  // What follows from the whole

  /** Reads the whole as it would be, and has those objects say more that would mean something else. */
  #reachFixpoint(): void {
    for (let round = 0; round <= MOST_ROUNDS; round++) {
      const known = concernsInstances(this.draft, this.#text, this.#before, this.#change)
        ? undefined
        : this.config.instances.all
      const value = this.draft.value(known ? OTHER_SECTIONS : SECTIONS)
      const parsed = readYamlValue(value, { name: 'the file as it would be' }, known)
      if (this.#writeWhatDiffers(parsed)) continue
      this.config = { ...this.config, networks: takeReservations(this.config, parsed) }
      return
    }
    throw cannotWrite('the cluster')
  }

  #writeWhatDiffers(parsed: ConfigObjects): boolean {
    const { config } = this
    let changed = false
    const differing = <T extends Named>(
      section: Section,
      objects: readonly T[],
      { all }: Index<T>,
      write: (written: Json | undefined, parsed: T | undefined, target: T, config: Config) => JsonObject,
    ) => {
      const byName = new Map(objects.map((object) => [object.name, object]))
      for (const target of all) {
        const read = byName.get(target.name)
        if (read === target || equalJson(read as unknown as Json, target as unknown as Json)) continue
        const written = this.draft.entry(section, target.name)
        const value = write(written, read, target, config)
        if (equalJson(written ?? {}, value)) continue
        this.draft.put(section, target.name, value)
        changed = true
      }
    }
    const before = this.draft.keys.get('cluster')
    this.#writeCluster(parsed)
    changed = this.draft.keys.get('cluster') !== before
    if (this.#change.filters) {
      const filtersBefore = this.draft.keys.get('filters')
      this.#writeFilters(parsed)
      changed ||= this.draft.keys.get('filters') !== filtersBefore
    }
    differing('networks', parsed.networks, config.networks, writeNetwork)
    differing('groups', parsed.groups, config.groups, writeGroup)
    differing('nodes', parsed.nodes, config.nodes, writeNode)
    differing('instances', parsed.instances, config.instances, writeInstance)
    return changed
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

function cannotWrite(what: string): Failure {
  return new Failure('internal', `the YAML file has no way to say what becomes of ${what}`)
}
