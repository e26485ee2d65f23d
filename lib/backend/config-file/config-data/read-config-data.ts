/**
 * Ganeti's own `config.data`, of every version from 2.6 on. What changed over
 * the years, and is turned into today's form here:
 *
 *     until about
 *     2.6    no networks; `memory` in backend parameters, `admin_up`, and a NIC's `bridge` are still met
 *     2.7    instance policies have one `min` and `max` instead of a list `minmax`
 *     2.8    nodes and instances are keyed by name, and nodes referred to by name;
 *            disk types are `lvm` and `drbd8`; there is no `enabled_disk_templates`
 *     2.9    NICs and disks have no UUID
 *     2.13   disks stand inside their instance, instead of a table of their own; no job filters
 *     2.15   `disk_template` is written on the instance; later it follows from its disks
 *     2.16   there are no forthcoming instances
 *
 * None of this asks for the version's number: each shape is known by what is
 * there, which also reads files that were upgraded half-way or by hand. Values
 * that a file lacks become what Ganeti's own upgrade makes of them; values it
 * has are left as they are. Keys we do not know are passed over.
 *
 * Says nothing about what runs: there are no live values, and no OSes.
 */
import { isJsonObject, type Json, parseJson } from '../../../json/json.ts'
import type { Cluster } from '../../../model/cluster.ts'
import type { ConfigObjects } from '../../../model/config.ts'
import {
  ALLOC_POLICIES,
  CLUSTER_DEFAULTS,
  DISK_TEMPLATE_PREFERENCE,
  NIC_DEFAULTS,
} from '../../../model/defaults.ts'
import type { FilterRule } from '../../../model/filter-rule.ts'
import type { Group } from '../../../model/group.ts'
import type { AdminState, Instance, Nic } from '../../../model/instance.ts'
import type { Network } from '../../../model/network.ts'
import type { Node } from '../../../model/node.ts'
import type { IPolicy, NicParams } from '../../../model/params.ts'
import type { Recorded } from '../../../model/recorded.ts'
import { OLDEST, releaseOfConfig, versionOfConfig } from '../../../model/version.ts'
import { readClusterSettings, readOsParams } from '../records/cluster-settings.ts'
import { deriveUuid } from '../records/derived-ids.ts'
import { readNodeFlags } from '../records/node-flags.ts'
import {
  readBeParams,
  readDiskParams,
  readGroupIPolicy,
  readInstanceHvParams,
  readNdParams,
  readNicParams,
} from '../records/params.ts'
import { failureOf, linesByPath, Problems, quoted } from '../records/problems.ts'
import { type NamedRecord, NONE, RecordReader } from '../records/record-reader.ts'
import { DiskReader, secondariesOf, templateOf } from './disks.ts'
import { jsonErrorPosition } from './json-error-position.ts'

const FIRST_UNREADABLE = 4_000_000

/** The address families of `primary_ip_family`, as Linux numbers them. */
const AF_INET6 = 10

/**
 * @param text the whole file
 * @param name of the file, for messages
 * @throws Failure `configuration` that lists everything wrong with the file
 */
export function readConfigData(text: string, name: string): ConfigObjects {
  const problems = new Problems(false)
  const objects = new ConfigDataReader(parseRoot(text, name, problems)).read()
  if (problems.found.length > 0) throw failureOf(name, linesByPath(problems))
  return objects
}

/** The outermost object, of a version that we can read. */
function parseRoot(text: string, name: string, problems: Problems): RecordReader {
  let parsed: Json
  try {
    parsed = parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw failureOf(name, [`not valid JSON${jsonErrorPosition(text)}`])
  }
  if (!isJsonObject(parsed)) throw failureOf(name, ['not a JSON object'])
  const { version } = parsed
  if (typeof version !== 'number')
    throw failureOf(name, ['version: not a config.data of Ganeti, which has a version'])
  if (version < OLDEST.number || version >= FIRST_UNREADABLE) {
    throw failureOf(name, [`version: ${releaseOfConfig(version)} cannot be read, only 2.6 to 3.x`])
  }
  return new RecordReader(parsed, null, '', problems)
}

class ConfigDataReader {
  readonly #root: RecordReader
  readonly #problems: Problems
  readonly #groups = new Map<string, Group>()
  /** By UUID and by name, as later and older files refer to them; networks likewise. */
  readonly #nodes = new Map<string, Node>()
  readonly #networks = new Map<string, Network>()
  /** Text that many objects have in common, so that each is held once. */
  readonly #words = new Map<string, string>()

  readonly #disks: DiskReader

  constructor(root: RecordReader) {
    this.#root = root
    this.#problems = root.problems
    this.#disks = new DiskReader(this.#nodes, root.problems, (text) => this.#word(text))
  }

  read(): ConfigObjects {
    const root = this.#root
    const clusterFields = root.child('cluster')
    const version = versionOfConfig(root.countOr('version', OLDEST.number))
    const settings = readClusterSettings(clusterFields, version)
    const networks = this.#all('networks', (fields) => this.#network(fields))
    for (const network of networks) {
      this.#networks.set(network.name, network)
      this.#networks.set(network.uuid, network)
    }
    const groups = this.#all('nodegroups', (fields) => this.#group(fields, settings.ipolicy))
    for (const group of groups) this.#groups.set(group.uuid, group)
    const nodes = this.#all('nodes', (fields) => this.#node(fields))
    for (const node of nodes) this.#nodes.set(node.name, node)
    for (const node of nodes) this.#nodes.set(node.uuid, node)
    const disks = root.child('disks')
    const instances = this.#all('instances', (fields) => this.#instance(fields, disks))
    const filters = [...root.child('filters').children()].map(readFilter)
    return {
      version,
      serial_no: root.countOr('serial_no', 1),
      mtime: root.numberOr('mtime', 0),
      cluster: {
        ...settings,
        ...this.#cluster(clusterFields, settings.volume_group_name, instances),
        ...readSshKeys(clusterFields),
      },
      groups,
      nodes,
      instances,
      networks,
      filters,
      oses: undefined,
      live: new Map(),
      hardware: new Map(),
      jobTime: {},
    }
  }

  /** Reads a table of objects, whose names and UUIDs must differ. */
  #all<T extends { uuid: string; name: string }>(
    table: string,
    read: (fields: RecordReader) => T | undefined,
  ): T[] {
    const objects: T[] = []
    const uuids = new Set<string>()
    const names = new Set<string>()
    for (const fields of this.#root.child(table).children()) {
      const object = read(fields)
      if (!object) continue
      if (uuids.has(object.uuid)) fields.addProblem('uuid', `another of the ${table} has the same uuid`)
      if (names.has(object.name))
        fields.addProblem('name', `another of the ${table} is named ${quoted(object.name)}`)
      uuids.add(object.uuid)
      names.add(object.name)
      objects.push(object)
    }
    return objects
  }

  #cluster(
    fields: RecordReader,
    volumeGroup: string | null,
    instances: readonly Instance[],
  ): Omit<Cluster, keyof ReturnType<typeof readClusterSettings>> {
    const name = fields.text('cluster_name')
    const ipVersion = fields.countOr('primary_ip_family', 2) === AF_INET6 ? 6 : 4
    const templates = fields.texts('enabled_disk_templates')
    const enabled = templates.length > 0 ? templates : templatesInUse(instances, volumeGroup)
    const helper = enabled.includes('drbd') ? CLUSTER_DEFAULTS.drbd_usermode_helper : null
    return {
      ...this.#stamps(fields),
      uuid: fields.textOr('uuid', undefined) ?? deriveUuid('cluster', name),
      cluster_name: name,
      master_node: this.#nodeOf(fields, 'master_node')?.uuid ?? '',
      master_ip: fields.textOr('master_ip', ''),
      master_netmask: fields.countOr('master_netmask', ipVersion === 6 ? 128 : 32),
      primary_ip_version: ipVersion,
      enabled_hypervisors: fields.texts('enabled_hypervisors', CLUSTER_DEFAULTS.enabled_hypervisors),
      enabled_disk_templates: enabled,
      drbd_usermode_helper: fields.textOr('drbd_usermode_helper', helper),
    }
  }

  #group(fields: RecordReader, ipolicy: IPolicy): Group {
    const name = fields.text('name')
    const networks: { [uuid: string]: NicParams } = {}
    for (const connection of fields.child('networks').children()) {
      const network = this.#networks.get(connection.key)
      if (network) networks[network.uuid] = { ...NIC_DEFAULTS, ...readNicParams(connection) }
      else this.#problems.add(connection, `no such network: ${quoted(connection.key)}`)
    }
    return {
      ...this.#stamps(fields),
      uuid: this.#uuid(fields, 'group', name),
      name,
      alloc_policy: fields.oneOf('alloc_policy', ALLOC_POLICIES, 'preferred'),
      ndparams: readNdParams(fields.child('ndparams')),
      ipolicy: readGroupIPolicy(fields.child('ipolicy'), ipolicy),
      diskparams: readDiskParams(fields.child('diskparams')),
      networks,
    }
  }

  #node(fields: RecordReader): Node {
    const name = fields.text('name')
    const group = fields.text('group')
    if (group !== '' && !this.#groups.has(group))
      fields.addProblem('group', `no such node group: ${quoted(group)}`)
    const primaryIp = fields.textOr('primary_ip', '')
    return {
      ...this.#stamps(fields),
      uuid: this.#uuid(fields, 'node', name),
      name,
      primary_ip: primaryIp,
      secondary_ip: fields.textOr('secondary_ip', primaryIp),
      group: this.#groups.get(group)?.uuid ?? '',
      master_candidate: fields.flagOr('master_candidate', false),
      ...readNodeFlags(fields),
      ndparams: readNdParams(fields.child('ndparams')),
    }
  }

  #network(fields: RecordReader): Network {
    const name = fields.text('name')
    return {
      ...this.#stamps(fields),
      uuid: this.#uuid(fields, 'network', name),
      name,
      network: fields.text('network'),
      gateway: fields.textOr('gateway', null),
      network6: fields.textOr('network6', null),
      gateway6: fields.textOr('gateway6', null),
      mac_prefix: fields.textOr('mac_prefix', null),
      reservations: fields.textOr('reservations', ''),
      ext_reservations: fields.textOr('ext_reservations', ''),
    }
  }

  /**
   * @param disks the table of all disks, where the file has one
   * @returns undefined for an instance that is only planned and has no name yet: nobody can ask for it
   */
  #instance(fields: RecordReader, disks: RecordReader): Instance | undefined {
    const forthcoming = fields.flagOr('forthcoming', false)
    if (forthcoming && !fields.has('name')) return undefined
    const name = fields.text('name')
    const uuid = this.#uuid(fields, 'instance', name)
    const stamps = this.#stamps(fields)
    const primary =
      forthcoming && !fields.has('primary_node') ? undefined : this.#nodeOf(fields, 'primary_node')
    const primaryNode = primary?.uuid ?? ''
    const hypervisor = this.#word(forthcoming ? fields.textOr('hypervisor', '') : fields.text('hypervisor'))
    const adminState = readAdminState(fields)
    const written = this.#word(fields.textOr('disk_template', ''))
    const disksRead = this.#disks.read(fields, disks, {
      uuid,
      primaryNode,
      ctime: stamps.ctime,
      template: written,
    })
    // Each value by name: a spread would make this, of which there are thousands, three times slower to build.
    return {
      ctime: stamps.ctime,
      mtime: stamps.mtime,
      serial_no: stamps.serial_no,
      tags: stamps.tags,
      uuid,
      name,
      primary_node: primaryNode,
      secondary_nodes: secondariesOf(disksRead, primaryNode),
      os: this.#word(fields.textOr('os', '')),
      hypervisor,
      hvparams: readInstanceHvParams(fields.child('hvparams'), hypervisor),
      beparams: readBeParams(fields.child('beparams')),
      osparams: readOsParams(fields.child('osparams')),
      osparams_private: fields.child('osparams_private').keys(),
      admin_state: adminState,
      admin_state_source: fields.oneOf('admin_state_source', ['admin', 'user'], 'admin'),
      disk_template: written || templateOf(disksRead),
      disks: disksRead,
      disks_active: fields.flagOr('disks_active', adminState === 'up'),
      nics: this.#nics(fields, uuid),
      network_port: fields.countOr('network_port', null),
      forthcoming,
    }
  }

  #nics(instance: RecordReader, uuid: string): readonly Nic[] {
    return instance.items('nics').map((fields, index) => {
      const nicparams = readNicParams(fields.child('nicparams'))
      // Up to 2.0 a NIC had only a bridge; a NIC that was not changed since still has.
      const bridge = fields.textOr('bridge', '')
      return {
        uuid: fields.textOr('uuid', undefined) ?? deriveUuid('nic', uuid, String(index)),
        name: fields.textOr('name', null),
        mac: fields.textOr('mac', ''),
        ip: fields.textOr('ip', '') || null,
        network: this.#networkOf(fields)?.uuid ?? null,
        nicparams:
          bridge !== '' && !fields.has('nicparams')
            ? { mode: 'bridged', link: this.#word(bridge) }
            : nicparams,
      }
    })
  }

  #nodeOf(fields: RecordReader, key: string): Node | undefined {
    const name = fields.text(key)
    const node = this.#nodes.get(name)
    if (!node && name !== '') fields.addProblem(key, `no such node: ${quoted(name)}`)
    return node
  }

  #networkOf(fields: RecordReader): Network | undefined {
    const name = fields.textOr('network', '')
    const network = this.#networks.get(name)
    if (!network && name !== '') fields.addProblem('network', `no such network: ${quoted(name)}`)
    return network
  }

  #uuid(fields: RecordReader, kind: string, name: string): string {
    return fields.textOr('uuid', undefined) ?? deriveUuid(kind, name)
  }

  #stamps(fields: RecordReader): Omit<Recorded, 'uuid'> {
    const tags = fields.texts('tags')
    return {
      ctime: fields.numberOr('ctime', 0),
      mtime: fields.numberOr('mtime', 0),
      serial_no: fields.countOr('serial_no', 1),
      tags: tags.length === 0 ? NONE : tags.map((tag) => this.#word(tag)),
    }
  }

  #word(text: string): string {
    const known = this.#words.get(text)
    if (known !== undefined) return known
    this.#words.set(text, text)
    return text
  }
}

/** Up to 2.16 there was no choice of SSH keys; an upgrade writes down what they were, not what new ones are. */
function readSshKeys(fields: RecordReader): Pick<Cluster, 'ssh_key_type' | 'ssh_key_bits'> {
  return {
    ssh_key_type: fields.textOr('ssh_key_type', 'dsa'),
    ssh_key_bits: fields.countOr('ssh_key_bits', 1024),
  }
}

function readFilter(fields: NamedRecord): FilterRule {
  return {
    uuid: fields.textOr('uuid', fields.key),
    watermark: fields.countOr('watermark', 0),
    priority: fields.countOr('priority', 0),
    predicates: fields.list('predicates'),
    action: fields.json('action', 'CONTINUE'),
    reason_trail: fields.list('reason_trail'),
  }
}

/** `admin_state`; before that there was `admin_up`, and before that `status`. */
function readAdminState(fields: RecordReader): AdminState {
  const up = fields.flagOr('admin_up', fields.textOr('status', '') === 'up')
  return fields.oneOf('admin_state', ['up', 'down', 'offline'], up ? 'up' : 'down')
}

/** The enabled disk templates of a cluster from before there was a choice: those it uses, and LVM's where it has any. */
function templatesInUse(instances: readonly Instance[], volumeGroup: string | null): readonly string[] {
  const used = new Set(instances.map((instance) => instance.disk_template))
  if (volumeGroup) used.add('drbd').add('plain')
  return DISK_TEMPLATE_PREFERENCE.filter((template) => used.has(template))
}
