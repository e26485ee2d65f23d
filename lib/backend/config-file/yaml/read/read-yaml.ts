/**
 * A cluster as a person writes it down, in YAML. Everything may be left out but
 * names; what is left out is as in a newly made cluster of Ganeti's. Sizes are
 * MiB, or have a unit (`512m`, `4g`, `1t`).
 *
 * Which keys there are is in `yaml-keys.ts`, what they mean in the manual.
 *
 * Objects may also have `uuid`, `ctime`, `mtime` and `serial_no`. Where they do not, ids follow from names,
 * what does not tell when it was made was made with the cluster, and what does not tell when it was changed
 * was not. The cluster itself was made when the file was last changed.
 *
 * The cluster runs as it says: an instance that is up runs, a node that is not offline answers, and what is
 * free on it is what its instances leave. What contradicts itself is an error; so is a key that means nothing.
 */
import { isIP, isIPv6 } from 'node:net'
import { isJsonObject, type Json } from '../../../../json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import type { ConfigObjects } from '../../../../model/config.ts'
import {
  ALLOC_POLICIES,
  CLUSTER_DEFAULTS,
  DISK_TEMPLATE_PREFERENCE,
  DISK_TEMPLATES,
  HYPERVISORS,
  IPOLICY_DEFAULTS,
} from '../../../../model/defaults.ts'
import type { FilterRule } from '../../../../model/filter-rule.ts'
import type { Group } from '../../../../model/group.ts'
import type { Instance } from '../../../../model/instance.ts'
import { liveValues, overcommitment, useOfNode } from '../../../../model/live-values.ts'
import type { Hardware, Node, NodeLive } from '../../../../model/node.ts'
import type { Os } from '../../../../model/os.ts'
import type { NicParams } from '../../../../model/params.ts'
import { isUnknown, NEWEST, OLDEST, type Version, versionFrom } from '../../../../model/version.ts'
import { type ClusterSettings, readClusterSettings } from '../../records/cluster-settings.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { readDiskParams, readGroupIPolicy, readNdParams, readNicParams } from '../../records/params.ts'
import { andIs, failureOf, linesByPath, Problems, quoted } from '../../records/problems.ts'
import { checkHostName, type NamedRecord, NONE, NOTHING, RecordReader } from '../../records/record-reader.ts'
import { Identities } from '../../records/unique-ids.ts'
import { type Cuts, cutsOf } from '../syntax/yaml-cuts.ts'
import { parseYaml } from '../syntax/yaml-tree.ts'
import { InstanceReader } from './instances.ts'
import { NetworkInUse, readMacPrefix } from './networks.ts'
import { keysOf } from './yaml-keys.ts'

/**
 * @param text the whole file
 * @param origin name of the file, for messages, and when it was last changed (seconds since the epoch)
 * @throws Failure `configuration` that lists everything wrong with the file, with line and column
 */
export function readYaml(text: string, origin: YamlOrigin): ConfigObjects {
  return readYamlText(text, origin).objects
}

export interface YamlOrigin {
  readonly name: string
  readonly mtime?: number
}

/** As `readYaml`, with the values themselves, and where to cut the text so that it can be changed. */
export function readYamlText(
  text: string,
  origin: YamlOrigin,
): { objects: ConfigObjects; value: Json; cuts: Cuts } {
  const tree = parseYaml(text)
  const problems = new Problems(true)
  const objects = tree.readable ? readTree(tree.value, problems, origin.mtime ?? 0) : undefined
  const found = problems.found.map((problem) => ({ offset: tree.locate(problem), message: problem.message }))
  const faults = [...tree.faults, ...found].sort((a, b) => a.offset - b.offset)
  if (objects && faults.length === 0) return { objects, value: tree.value, cuts: cutsOf(text, tree) }
  const lines = faults.map(({ offset, message }) => `${tree.position(offset)}: ${message}`)
  throw failureOf(origin.name, lines)
}

/**
 * What a file would mean that says this.
 * @param instances what its instances mean, where that is known: then `value` need not say them
 * @throws Failure `configuration` that lists what is wrong with it
 */
export function readYamlValue(
  value: Json,
  { name, mtime }: YamlOrigin,
  instances?: readonly Instance[],
): ConfigObjects {
  const problems = new Problems(true)
  const objects = readTree(value, problems, mtime ?? 0, instances)
  if (objects && problems.found.length === 0) return objects
  throw failureOf(name, linesByPath(problems))
}

function readTree(
  value: Json,
  problems: Problems,
  mtime: number,
  instances?: readonly Instance[],
): ConfigObjects | undefined {
  const root = new RecordReader(isJsonObject(value) ? value : NOTHING, null, '', problems)
  if (value === null || isJsonObject(value)) return new YamlReader(root, mtime).read(instances)
  problems.add(root, `this must be an object with cluster, nodes, instances, ...${andIs(value)}`)
  return undefined
}

class YamlReader {
  readonly #root: RecordReader
  readonly #problems: Problems
  readonly #identities: Identities
  readonly #mtime: number
  /** When the cluster was made, and whatever in it does not tell when it was. */
  readonly #ctime: number
  readonly #cluster: RecordReader
  readonly #version: Version
  readonly #settings: ClusterSettings
  /** By name. */
  readonly #networks = new Map<string, NetworkInUse>()
  readonly #groups = new Map<string, Group>()
  /** By name; who is master candidate is decided later. */
  readonly #nodes = new Map<string, Node>()
  /** By node UUID, as what follows. */
  readonly #hardware = new Map<string, Hardware>()
  readonly #nodeFields = new Map<string, RecordReader>()
  readonly #saysCandidate = new Map<string, boolean>()

  constructor(root: RecordReader, mtime: number) {
    this.#root = root
    this.#problems = root.problems
    this.#mtime = mtime
    this.#cluster = root.child('cluster')
    // Once the cluster changes, this is written into the file, so let it be short.
    this.#ctime = this.#cluster.numberOr('ctime', Math.floor(mtime))
    this.#identities = new Identities(root.problems, this.#ctime)
    this.#version = this.#readVersion()
    this.#settings = readClusterSettings(this.#cluster, this.#version)
  }

  /** @param known the instances, unless they are to be read too */
  read(known?: readonly Instance[]): ConfigObjects {
    const root = this.#root
    for (const fields of root.child('networks').children()) {
      this.#networks.set(fields.key, new NetworkInUse(fields, this.#identities))
    }
    for (const fields of this.#groupFields()) this.#groups.set(fields.key, this.#group(fields))
    for (const fields of root.child('nodes').children()) this.#nodes.set(fields.key, this.#node(fields))
    const master = this.#master()
    const nodes = this.#withCandidates(master)

    const hypervisors = this.#someOf('enabled_hypervisors', HYPERVISORS)
    const templates = this.#someOf('enabled_disk_templates', DISK_TEMPLATES)
    const hypervisor = this.#defaultHypervisor(hypervisors)
    const instances = known ?? this.#instances(hypervisor, hypervisors, templates)
    if (known) this.#giveAddresses(known)

    const cluster: Cluster = {
      ...this.#settings,
      ...this.#ownSettings(nodes),
      master_node: master?.uuid ?? '',
      ...this.#choices(hypervisor, hypervisors, templates, instances),
    }
    const objects = {
      version: this.#version,
      serial_no: 1,
      mtime: this.#mtime,
      cluster,
      groups: [...this.#groups.values()],
      nodes,
      instances,
      networks: [...this.#networks.values()].map((network) => network.finished(nodes, cluster.master_ip)),
      filters: root.items('filters').map((fields, index) => this.#filter(fields, index)),
      oses: this.#oses(),
      live: this.#live(cluster, nodes, instances),
      hardware: this.#hardware,
      jobTime: this.#jobTime(),
    }
    this.#cluster.rejectUnknownKeysOf(keysOf('cluster'))
    root.rejectUnknownKeysOf(keysOf('sections'))
    return objects
  }

  // The cluster

  /** Which Ganeti it shall be taken for. */
  #readVersion(): Version {
    const said = this.#cluster.textOr('software_version', undefined)
    const version = said === undefined ? NEWEST : versionFrom(said)
    if (version && version.number >= OLDEST.number && !isUnknown(version)) return version
    this.#cluster.addProblem(
      'software_version',
      `software_version must be a version of Ganeti from 2.6 to 3.2, not ${quoted(said ?? '')}`,
    )
    return NEWEST
  }

  #ownSettings(nodes: readonly Node[]) {
    const fields = this.#cluster
    const name = fields.textOr('name', '')
    if (!fields.has('name') || fields.value('name') === '') {
      this.#problems.add(fields, 'the cluster needs a name', 'key')
    }
    const masterIp = this.#address(fields, 'master_ip', name)
    const ipVersion = this.#ipVersion([masterIp, ...nodes.map((node) => node.primary_ip)])
    const { beparams } = this.#settings
    if (beparams.minmem > beparams.maxmem) {
      fields.addProblem('beparams', `minmem (${beparams.minmem}) is above maxmem (${beparams.maxmem})`)
    }
    return {
      ...this.#identities.of(fields, 'cluster', name),
      cluster_name: name,
      master_ip: masterIp,
      master_netmask: fields.countOr('master_netmask', ipVersion === 6 ? 128 : 32),
      primary_ip_version: ipVersion,
      mac_prefix: readMacPrefix(fields) ?? this.#settings.mac_prefix,
    }
  }

  /** What the cluster lets its instances be: what the file says, else what they are and what a new cluster allows. */
  #choices(
    hypervisor: string,
    hypervisors: readonly string[],
    templates: readonly string[],
    instances: readonly Instance[],
  ) {
    const usedHypervisors = new Set([hypervisor, ...instances.map((instance) => instance.hypervisor)])
    const usedTemplates = new Set(instances.map((instance) => instance.disk_template))
    const inUse = DISK_TEMPLATE_PREFERENCE.filter((template) => usedTemplates.has(template))
    // The first one is that of instances which do not say theirs: rather one with disks.
    const withDisks = inUse.filter((template) => template !== 'diskless')
    const usual = [...new Set([...withDisks, ...CLUSTER_DEFAULTS.enabled_disk_templates, ...inUse])]
    const enabled = templates.length > 0 ? templates : usual
    const drbd = enabled.includes('drbd')
    const volumeGroup = drbd || enabled.includes('plain') ? CLUSTER_DEFAULTS.volume_group_name : null
    const helper = drbd ? CLUSTER_DEFAULTS.drbd_usermode_helper : null
    const { ipolicy } = this.#settings
    // A new cluster's policy allows the templates that are enabled; htools take its first one to plan with.
    const saysTemplates = ipolicy['disk-templates'] !== IPOLICY_DEFAULTS['disk-templates']
    return {
      ipolicy: saysTemplates ? ipolicy : { ...ipolicy, 'disk-templates': enabled },
      // The default one comes first.
      enabled_hypervisors: [
        ...new Set([hypervisor, ...(hypervisors.length > 0 ? hypervisors : usedHypervisors)]),
      ],
      enabled_disk_templates: enabled,
      volume_group_name: (this.#settings.volume_group_name ?? volumeGroup) || null,
      drbd_usermode_helper: this.#cluster.textOr('drbd_usermode_helper', helper) || null,
    }
  }

  /** Seconds: a number, or an object of them by opcode. */
  #jobTime(): { readonly [opcode: string]: number } {
    const fields = this.#cluster
    if (!isJsonObject(fields.value('job_time'))) {
      const seconds = fields.numberOr('job_time', 0)
      if (seconds < 0) fields.addProblem('job_time', 'job_time must not be below zero')
      return seconds > 0 ? { default: seconds } : NOTHING
    }
    const times = fields.child('job_time')
    return Object.fromEntries(
      times.keys().map((key) => {
        if (!/^(default|OP_[A-Z_]+)$/.test(key))
          times.addProblem(key, `${quoted(key)} is no opcode, nor default`)
        const seconds = times.numberOr(key, 0)
        if (seconds < 0) times.addProblem(key, `${key} must not be below zero`)
        return [key, seconds]
      }),
    )
  }

  #defaultHypervisor(enabled: readonly string[]): string {
    const chosen = this.#cluster.oneOf('hypervisor', HYPERVISORS, undefined)
    if (chosen !== undefined && enabled.length > 0 && !enabled.includes(chosen)) {
      this.#cluster.addProblem('hypervisor', `${chosen} is not one of enabled_hypervisors`)
    }
    return chosen ?? enabled[0] ?? CLUSTER_DEFAULTS.enabled_hypervisors[0]
  }

  /** A list with values out of a few. */
  #someOf(key: string, choices: readonly string[]): readonly string[] {
    return this.#cluster.texts(key, NONE, (one) =>
      choices.includes(one) ? undefined : `${quoted(one)} is not one of ${choices.join(', ')}`,
    )
  }

  #ipVersion(addresses: readonly string[]): 4 | 6 {
    const given = this.#cluster.countOr('primary_ip_version', undefined)
    if (given === 4 || given === 6) return given
    if (given !== undefined)
      this.#cluster.addProblem('primary_ip_version', `primary_ip_version must be 4 or 6${andIs(given)}`)
    return isIPv6(addresses.find((address) => address !== '') ?? '') ? 6 : 4
  }

  #master(): Node | undefined {
    const fields = this.#cluster
    const nodes = [...this.#nodes.values()]
    if (nodes.length === 0)
      this.#problems.add(this.#root.at('nodes'), 'a cluster has at least one node', 'key')
    const name = fields.textOr('master', undefined)
    const fit = nodes.find(canBeMaster)
    if (name === undefined) {
      if (!fit && nodes.length > 0)
        this.#problems.add(this.#root.at('nodes'), 'none of the nodes can be the master', 'key')
      return fit
    }
    const node = this.#nodes.get(name)
    if (!node) fields.addProblem('master', `no such node: ${quoted(name)}`)
    else if (!canBeMaster(node))
      fields.addProblem('master', `${name} is offline, drained or not master_capable`)
    return node
  }

  // Instances

  #instances(
    hypervisor: string,
    hypervisors: readonly string[],
    templates: readonly string[],
  ): readonly Instance[] {
    return new InstanceReader({
      identities: this.#identities,
      settings: this.#settings,
      volumeGroup: this.#settings.volume_group_name || CLUSTER_DEFAULTS.volume_group_name,
      hypervisor,
      enabledHypervisors: hypervisors,
      enabledTemplates: templates,
      nodes: this.#nodes,
      groups: new Map([...this.#groups.values()].map((group) => [group.uuid, group])),
      networks: this.#networks,
    }).read(this.#root.child('instances'))
  }

  /** As reading them does. */
  #giveAddresses(instances: readonly Instance[]): void {
    const networks = new Map([...this.#networks.values()].map((network) => [network.uuid, network]))
    for (const { nics } of instances) {
      for (const { network, ip } of nics) if (ip !== null) networks.get(network ?? '')?.give(ip)
    }
  }

  // Groups and nodes

  /** A file without groups has the one that every cluster begins with. */
  #groupFields(): readonly NamedRecord[] {
    const groups = this.#root.child('groups')
    const given = [...groups.children()]
    return given.length > 0
      ? given
      : [new RecordReader(NOTHING, groups, 'default', this.#problems) as NamedRecord]
  }

  #group(fields: NamedRecord): Group {
    const networks: { [uuid: string]: NicParams } = {}
    for (const connection of fields.child('networks').children()) {
      const network = this.#networks.get(connection.key)
      if (network) networks[network.uuid] = { ...this.#settings.nicparams, ...readNicParams(connection) }
      else this.#problems.add(connection, `no such network: ${quoted(connection.key)}`, 'key')
      if (network) connection.rejectUnknownKeysOf(keysOf('connections'))
    }
    const group = {
      ...this.#identities.of(fields, 'group', fields.key),
      name: fields.key,
      alloc_policy: fields.oneOf('alloc_policy', ALLOC_POLICIES, 'preferred'),
      ndparams: readNdParams(fields.child('ndparams')),
      ipolicy: readGroupIPolicy(fields.child('ipolicy'), this.#settings.ipolicy),
      diskparams: readDiskParams(fields.child('diskparams')),
      networks,
    }
    fields.rejectUnknownKeysOf(keysOf('groups'))
    return group
  }

  #node(fields: NamedRecord): Node {
    checkHostName(fields)
    const primaryIp = this.#address(fields, 'primary_ip', fields.key)
    const node: Node = {
      ...this.#identities.of(fields, 'node', fields.key),
      name: fields.key,
      primary_ip: primaryIp,
      secondary_ip:
        fields.value('secondary_ip') === primaryIp
          ? primaryIp
          : this.#address(fields, 'secondary_ip', fields.key) || primaryIp,
      group: this.#groupOf(fields),
      master_candidate: false,
      master_capable: fields.flagOr('master_capable', true),
      vm_capable: fields.flagOr('vm_capable', true),
      drained: fields.flagOr('drained', false),
      offline: fields.flagOr('offline', false),
      powered: fields.flagOr('powered', true),
      ndparams: readNdParams(fields.child('ndparams')),
    }
    this.#nodeFields.set(node.uuid, fields)
    this.#hardware.set(node.uuid, {
      bootid: deriveUuid('boot', node.name),
      memory: fields.sizeOr('memory', null),
      ownMemory: fields.sizeOr('node_memory', null),
      disk: fields.sizeOr('disk', null),
      cpus: fields.countOr('cpus', null),
      ownCpus: fields.countOr('node_cpus', null),
      sockets: fields.countOr('sockets', null),
      numaNodes: fields.countOr('numa_nodes', null),
      spindles: fields.countOr('spindles', null),
    })
    const candidate = fields.flagOr('master_candidate', undefined)
    if (candidate !== undefined) this.#saysCandidate.set(node.uuid, candidate)
    if (candidate && !canBeMaster(node)) {
      fields.addProblem(
        'master_candidate',
        'a node that is offline, drained or not master_capable is no candidate',
      )
    }
    if (node.offline && node.drained) fields.addProblem('drained', 'a node is offline or drained, not both')
    fields.rejectUnknownKeysOf(keysOf('nodes'))
    return node
  }

  #groupOf(fields: RecordReader): string {
    const name = fields.textOr('group', undefined)
    const only = this.#groups.size === 1 ? [...this.#groups.keys()][0] : 'default'
    const group = this.#groups.get(name ?? only ?? '')
    if (group) return group.uuid
    if (name !== undefined) fields.addProblem('group', `no such group: ${quoted(name)}`)
    else this.#problems.add(fields, 'group is missing, and there is none called default', 'key')
    return ''
  }

  /** Makes as many nodes master candidates as the cluster wants; the master, and those that say so, come first. */
  #withCandidates(master: Node | undefined): readonly Node[] {
    const nodes = [...this.#nodes.values()]
    const says = (node: Node) => (node === master ? true : this.#saysCandidate.get(node.uuid))
    let wanted = this.#settings.candidate_pool_size - nodes.filter(says).length
    return nodes.map((node) => {
      const candidate = says(node) ?? (canBeMaster(node) && wanted-- > 0)
      return candidate ? { ...node, master_candidate: true } : node
    })
  }

  /** An address, or '' where there is none; no two hosts have the same. */
  #address(fields: RecordReader, key: string, owner: string): string {
    const address = fields.textOr(key, '')
    if (address === '') return ''
    if (isIP(address) === 0) fields.addProblem(key, `${quoted(address)} is not an address`)
    else this.#identities.claim(fields.at(key), `address ${address}`, owner)
    return address
  }

  /** By node UUID, without the offline nodes. */
  #live(
    cluster: Cluster,
    nodes: readonly Node[],
    instances: readonly Instance[],
  ): ReadonlyMap<string, NodeLive> {
    const primaries = groupBy(instances, ({ primary_node }) => primary_node)
    const secondaries = groupBy(instances, ({ secondary_nodes: [node] }) => node)
    const live = new Map<string, NodeLive>()
    for (const node of nodes) {
      const has = this.#hardware.get(node.uuid) as Hardware
      const use = useOfNode(cluster, node.uuid, primaries.get(node.uuid), secondaries.get(node.uuid))
      for (const [key, message] of Object.entries(overcommitment(has, use))) {
        this.#nodeFields.get(node.uuid)?.addProblem(key, message)
      }
      const values = liveValues(node, has, use)
      if (values) live.set(node.uuid, values)
    }
    return live
  }

  // Guest operating systems and filters

  #oses(): readonly Os[] {
    const value = this.#root.value('os')
    if (!Array.isArray(value)) {
      return [...this.#root.child('os').children()].map((fields) => readOs(fields, fields.key))
    }
    const list = this.#root.at('os')
    const oses = value.map((item: Json, index: number) => {
      const fields = new RecordReader(isJsonObject(item) ? item : { name: item }, list, index, this.#problems)
      const os = readOs(fields, fields.text('name'))
      if (os.name !== '') this.#identities.claim(fields, `os ${os.name}`, 'os')
      return os
    })
    return oses
  }

  #filter(fields: RecordReader, index: number): FilterRule {
    const reason = fields.textOr('reason', undefined)
    // As Ganeti writes the reason of whoever adds a rule, with the time in nanoseconds.
    const trail = reason === undefined ? NONE : [['gnt:user', reason, Math.round(this.#ctime * 1e9)]]
    const rule = {
      uuid: this.#identities.uuid(fields, 'filter', String(index)),
      watermark: fields.countOr('watermark', 0),
      priority: fields.countOr('priority', 0),
      predicates: this.#predicates(fields),
      action: readAction(fields),
      reason_trail: fields.has('reason_trail') ? fields.list('reason_trail') : trail,
    }
    fields.rejectUnknownKeysOf(keysOf('filters'))
    return rule
  }

  #predicates(fields: RecordReader): readonly Json[] {
    const predicates = fields.list('predicates')
    predicates.forEach((predicate, index) => {
      if (Array.isArray(predicate) && PREDICATES.includes(predicate[0])) return
      const place = { parent: fields.at('predicates'), key: index }
      this.#problems.add(place, `a predicate is a list that begins with ${PREDICATES.join(', ')}`)
    })
    return predicates
  }
}

const PREDICATES: readonly unknown[] = ['jobid', 'opcode', 'reason']
const ACTIONS: readonly unknown[] = ['ACCEPT', 'CONTINUE', 'PAUSE', 'REJECT']

function readAction(fields: RecordReader): Json {
  const action = fields.json('action', 'CONTINUE')
  const limit =
    Array.isArray(action) && action.length === 2 && action[0] === 'RATE_LIMIT' && Number.isInteger(action[1])
  if (!limit && !ACTIONS.includes(action)) {
    fields.addProblem(
      'action',
      `action must be one of ${ACTIONS.join(', ')}, or [RATE_LIMIT, number of jobs]`,
    )
  }
  return action
}

function readOs(fields: RecordReader, name: string): Os {
  const parameters = fields.child('parameters')
  const versions = fields.list('api_versions')
  if (!versions.every(Number.isInteger))
    fields.addProblem('api_versions', 'api_versions must be whole numbers')
  const os = {
    name,
    variants: fields.texts('variants'),
    valid: fields.flagOr('valid', true),
    api_versions: versions.length > 0 ? (versions as readonly number[]) : [OS_API_VERSION],
    parameters: parameters.keys().map((parameter) => [parameter, parameters.textOr(parameter, '')]),
  }
  fields.rejectUnknownKeysOf(keysOf('os'))
  return os
}

/** The only one still in use. */
const OS_API_VERSION = 20

function groupBy<T, Key>(objects: readonly T[], keyOf: (object: T) => Key): ReadonlyMap<Key, T[]> {
  const groups = new Map<Key, T[]>()
  for (const object of objects) {
    const key = keyOf(object)
    const group = groups.get(key)
    if (group) group.push(object)
    else groups.set(key, [object])
  }
  return groups
}

function canBeMaster(node: Node): boolean {
  return node.master_capable && !node.offline && !node.drained
}
