/**
 * What a YAML file has to say of an object so that reading it gives just that
 * object. A person's way of saying it stays: of a statement only those keys are
 * touched that mean something else than they should, and a default is said by
 * saying nothing.
 *
 * Each function takes what is written (`said`), what that means (`meant`;
 * undefined where nothing is written yet) and what it should mean (`now`), and
 * gives what to write. Meaning is found by the reader itself, so these need not
 * know what follows from what: whoever calls them reads the result, and calls
 * again with the new meaning until nothing changes.
 */
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json.ts'
import { indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import type { Config } from '../../../../model/config.ts'
import {
  BE_DEFAULTS,
  CLUSTER_DEFAULTS,
  DATA_COLLECTOR_INTERVAL,
  DATA_COLLECTORS,
  DISK_DEFAULTS,
  hvDefaults,
  IPOLICY_DEFAULTS,
  ND_DEFAULTS,
  NIC_DEFAULTS,
} from '../../../../model/defaults.ts'
import type { FilterRule } from '../../../../model/filter-rule.ts'
import type { Group } from '../../../../model/group.ts'
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams } from '../../../../model/params.ts'
import { deriveUuid } from '../../records/derived-ids.ts'

/** What objects refer to by name in the file; the cluster as it should be. */
export type Around = Pick<Config, 'cluster' | 'nodes' | 'groups' | 'networks'>

const RECORD: readonly string[] = ['uuid', 'ctime', 'mtime', 'serial_no']

/** A statement while it is being changed. */
class Statement {
  readonly #values: Map<string, Json>

  constructor(said: Json | undefined) {
    this.#values = new Map(Object.entries(isJsonObject(said) ? said : {}))
  }

  get(key: string): Json | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return (this.#values.get(key) ?? null) !== null
  }

  /** Says something; nothing at all for undefined. */
  put(key: string, value: Json | undefined): void {
    if (value === undefined) this.#values.delete(key)
    else this.#values.set(key, value)
  }

  /**
   * Says a value that is not what was meant. What saying nothing means is said where the key is there: it may be a
   * person's, with a comment beside it. Not so for lists, null and what only jobs write.
   */
  fix(key: string, meant: Json | undefined, now: Json, usual?: Json): void {
    if (equalJson(meant, now)) return
    const stays = this.has(key) && typeof now !== 'object' && !RECORD.includes(key)
    this.put(key, equalJson(now, usual) && !stays ? undefined : now)
  }

  /** As `fix`, for an object that is spoken of key by key. */
  fixParams(key: string, meant: object | undefined, now: object, usual: object = {}): void {
    if (equalJson((meant ?? usual) as Json, now as Json)) return
    this.putObject(key, fixParams(this.get(key), meant as JsonObject, now as JsonObject, usual as JsonObject))
  }

  putObject(key: string, value: JsonObject): void {
    this.put(key, Object.keys(value).length === 0 ? undefined : value)
  }

  get json(): JsonObject {
    return Object.fromEntries(this.#values)
  }
}

function fixParams(
  said: Json | undefined,
  meant: JsonObject | undefined,
  now: JsonObject,
  usual: JsonObject = {},
): JsonObject {
  const statement = new Statement(said)
  const before = meant ?? usual
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const value = own(now, key)
    if (value === undefined) statement.put(key, undefined)
    else statement.fix(key, own(before, key), value, own(usual, key))
  }
  return statement.json
}

/** A value of an object's own: keys are anybody's choice, `constructor` too. */
function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

interface Recorded {
  readonly uuid: string
  readonly ctime: number
  readonly mtime: number
  readonly serial_no: number
  readonly tags: readonly string[]
}

function fixRecord(
  statement: Statement,
  meant: Recorded | undefined,
  now: Recorded,
  derived: string,
  ctime?: number,
): void {
  statement.fix('uuid', meant ? meant.uuid : derived, now.uuid, derived)
  fixStamps(statement, meant, now, ctime)
  statement.fix('tags', meant?.tags ?? [], now.tags, [])
}

type Stamped = Pick<Recorded, 'ctime' | 'mtime' | 'serial_no'>

function fixStamps(statement: Statement, meant: Stamped | undefined, now: Stamped, ctime?: number): void {
  statement.fix('ctime', meant ? meant.ctime : ctime, now.ctime, ctime)
  statement.fix('mtime', meant ? meant.mtime : now.ctime, now.mtime, now.ctime)
  statement.fix('serial_no', meant?.serial_no ?? 1, now.serial_no, 1)
}

// Instances

export function sayInstance(
  said: Json | undefined,
  meant: Instance | undefined,
  now: Instance,
  around: Around,
): JsonObject {
  const statement = new Statement(said)
  const nameOf = (uuid: string | undefined) => around.nodes.byUuid.get(uuid ?? '')?.name
  const { cluster } = around
  statement.fix('os', meant?.os ?? '', now.os, '')
  statement.fix('pnode', meant && nameOf(meant.primary_node), nameOf(now.primary_node) ?? '')
  const second = nameOf(now.secondary_nodes[0])
  if (nameOf(meant?.secondary_nodes[0]) !== second) statement.put('snode', second)
  statement.fix('disk_template', meant?.disk_template, now.disk_template)
  const hypervisor = cluster.enabled_hypervisors[0] ?? ''
  statement.fix('hypervisor', meant ? meant.hypervisor : hypervisor, now.hypervisor, hypervisor)
  fixOwnBeparams(statement, meant?.beparams, now.beparams)
  statement.fixParams('hvparams', meant?.hvparams, now.hvparams)
  statement.fixParams('osparams', meant?.osparams, now.osparams)
  const secrets = (names: readonly string[] = []) => Object.fromEntries(names.map((name) => [name, '']))
  statement.fixParams('osparams_private', secrets(meant?.osparams_private), secrets(now.osparams_private))
  statement.fix('state', meant?.admin_state ?? 'up', now.admin_state, 'up')
  statement.fix('admin_state_source', meant?.admin_state_source ?? 'admin', now.admin_state_source, 'admin')
  const active = now.admin_state === 'up'
  statement.fix('disks_active', meant ? meant.disks_active : active, now.disks_active, active)
  if (now.network_port !== null) statement.fix('network_port', meant?.network_port, now.network_port)
  fixList(statement, 'disks', meant?.disks, now.disks, (item, was, disk, index) =>
    sayDisk(item, was, disk, index, now, around),
  )
  fixList(statement, 'nics', meant?.nics, now.nics, (item, was, nic, index) =>
    sayNic(item, was, nic, index, now, around),
  )
  fixRecord(statement, meant, now, deriveUuid('instance', now.name), cluster.ctime)
  return statement.json
}

/** Memory and CPUs may stand beside the name or in `beparams`; they stay where they are. */
function fixOwnBeparams(
  statement: Statement,
  meant: Partial<BeParams> = {},
  { maxmem, minmem, vcpus, ...others }: Partial<BeParams>,
): void {
  const { maxmem: _max, minmem: _min, vcpus: _vcpus, ...were } = meant
  const inner = new Statement(fixParams(statement.get('beparams'), were, others))
  if (meant.vcpus !== vcpus) (inner.has('vcpus') ? inner : statement).put('vcpus', vcpus)
  fixMemory(inner.has('memory') ? inner : statement, inner, meant, { maxmem, minmem })
  statement.putObject('beparams', inner.json)
}

type Memory = { readonly maxmem?: number | undefined; readonly minmem?: number | undefined }

/** @param short where `memory` may stand, which says least and most at once */
function fixMemory(short: Statement, long: Statement, meant: Memory, { maxmem, minmem }: Memory): void {
  if (meant.maxmem === maxmem && meant.minmem === minmem) return
  const apart = maxmem !== minmem || long.has('maxmem') || long.has('minmem')
  short.put('memory', apart ? undefined : maxmem)
  if (!apart) return
  long.put('maxmem', maxmem)
  long.put('minmem', minmem)
}

function fixList<T extends { readonly uuid: string }>(
  statement: Statement,
  key: string,
  meant: readonly T[] = [],
  now: readonly T[],
  say: (said: Json | undefined, meant: T | undefined, now: T, index: number) => Json,
): void {
  if (equalJson(meant as unknown as Json, now as unknown as Json)) return
  const said = statement.get(key)
  const items = Array.isArray(said) ? (said as readonly Json[]) : []
  const wanted = new Set(now.map(({ uuid }) => uuid))
  const list = now.map((one, index) => {
    let place = meant.findIndex(({ uuid }) => uuid === one.uuid)
    // An item whose id follows from its place was another one elsewhere.
    const here = meant[index]
    if (place < 0 && meant.length === now.length && here && !wanted.has(here.uuid)) place = index
    return say(items[place], meant[place], one, index)
  })
  statement.put(key, list.length === 0 ? undefined : list)
}

/** The id of an element of a list, which must be said where it is not the one of its place. */
function fixPlaceId(statement: Statement, uuid: string, derived: string): void {
  if ((statement.get('uuid') ?? derived) !== uuid) statement.put('uuid', uuid)
}

function sayDisk(
  said: Json | undefined,
  meant: Disk | undefined,
  now: Disk,
  index: number,
  instance: Instance,
  around: Around,
): Json {
  const statement = new Statement(isJsonObject(said) ? said : said === undefined ? {} : { size: said })
  statement.fix('size', meant?.size, now.size)
  statement.fix('name', meant?.name ?? null, now.name, null)
  if (now.name === null) statement.put('name', undefined)
  statement.fix('mode', meant?.mode ?? 'rw', now.mode, 'rw')
  if ((meant?.spindles ?? null) !== now.spindles) statement.put('spindles', now.spindles ?? undefined)
  statement.fixParams('params', meant?.params, now.params)
  const derived = deriveUuid('disk', instance.name, String(index))
  fixPlaceId(statement, now.uuid, derived)
  fixStamps(statement, meant, now, instance.ctime)
  // What follows from the rest is only said where the rest leads elsewhere, except where nothing leads anywhere.
  const underivable = ['blockdev', 'ext'].includes(now.dev_type)
  if (meant || underivable) {
    if (!isSamePair(meant, now)) {
      statement.fix('logical_id', logicalId(meant, around), logicalId(now, around) as Json)
    }
    statement.fix('children', childrenOf(meant), childrenOf(now) ?? [], [])
  }
  const { json } = statement
  const bare = Object.keys(json).length === 1 && typeof said !== 'object'
  return bare ? (json.size as Json) : json
}

/** Whether both are one DRBD device, whose ends follow from which node is the primary one. */
function isSamePair(meant: Disk | undefined, now: Disk): boolean {
  if (meant?.dev_type !== 'drbd' || now.dev_type !== 'drbd') return false
  const [primary, secondary, port, minor, otherMinor, secret] = now.logical_id as readonly Json[]
  const otherWay = [secondary, primary, port, otherMinor, minor, secret] as readonly Json[]
  return equalJson(meant.logical_id as readonly Json[], otherWay)
}

/** DRBD's with the names of its nodes. */
function logicalId(disk: Disk | undefined, { nodes }: Around): Json | undefined {
  if (!disk) return undefined
  const parts = disk.logical_id as readonly Json[]
  if (disk.dev_type !== 'drbd') return parts
  return parts.map((part, index) => (index < 2 ? (nodes.byUuid.get(String(part))?.name ?? part) : part))
}

function childrenOf(disk: Disk | undefined): Json | undefined {
  return disk?.children.map((child) => {
    const { uuid, name, dev_type, size, mode, spindles, iv_name, logical_id, params } = child
    const statement = new Statement({ uuid, size, logical_id: logical_id as Json })
    statement.fix('dev_type', 'plain', dev_type)
    statement.fix('mode', 'rw', mode)
    if (name !== null) statement.put('name', name)
    if (spindles !== null) statement.put('spindles', spindles)
    if (iv_name !== null) statement.put('iv_name', iv_name)
    statement.fixParams('params', {}, params)
    fixStamps(statement, undefined, child, disk.ctime)
    return statement.json
  })
}

const LINK = ['mode', 'link', 'vlan'] as const

function sayNic(
  said: Json | undefined,
  meant: Nic | undefined,
  now: Nic,
  index: number,
  instance: Instance,
  { nodes, groups, networks }: Around,
): Json {
  const statement = new Statement(said)
  const network = (uuid: string | null | undefined) => networks.byUuid.get(uuid ?? '')?.name
  if (network(meant?.network) !== network(now.network)) statement.put('network', network(now.network))
  if (!meant || !equalJson(meant.nicparams, now.nicparams)) {
    const node = nodes.byUuid.get(instance.primary_node)
    const connection =
      now.network === null ? undefined : groups.byUuid.get(node?.group ?? '')?.networks[now.network]
    statement.put('bridge', undefined)
    for (const key of LINK) {
      const value = now.nicparams[key]
      statement.put(key, value === connection?.[key] ? undefined : value)
    }
  }
  statement.fix('mac', meant?.mac, now.mac)
  if ((meant?.ip ?? null) !== now.ip) statement.put('ip', now.ip ?? undefined)
  if ((meant?.name ?? null) !== now.name) statement.put('name', now.name ?? undefined)
  const derived = deriveUuid('nic', instance.name, String(index))
  fixPlaceId(statement, now.uuid, derived)
  return statement.json
}

// Nodes, groups, networks

export function sayNode(
  said: Json | undefined,
  meant: Node | undefined,
  now: Node,
  around: Around,
): JsonObject {
  const statement = new Statement(said)
  const groupName = (node: Node | undefined) => around.groups.byUuid.get(node?.group ?? '')?.name
  statement.fix('primary_ip', meant?.primary_ip ?? '', now.primary_ip, '')
  statement.fix('secondary_ip', meant ? meant.secondary_ip : now.primary_ip, now.secondary_ip, now.primary_ip)
  statement.fix('group', groupName(meant), groupName(now) ?? '')
  statement.fix('offline', meant?.offline ?? false, now.offline, false)
  statement.fix('drained', meant?.drained ?? false, now.drained, false)
  statement.fix('powered', meant?.powered ?? true, now.powered, true)
  statement.fix('master_capable', meant?.master_capable ?? true, now.master_capable, true)
  statement.fix('vm_capable', meant?.vm_capable ?? true, now.vm_capable, true)
  // Who is a candidate follows from all nodes at once.
  if (meant && meant.master_candidate !== now.master_candidate) {
    const cannot = now.offline || now.drained || !now.master_capable
    statement.put('master_candidate', cannot ? undefined : now.master_candidate)
  }
  statement.fixParams('ndparams', meant?.ndparams, now.ndparams)
  fixRecord(statement, meant, now, deriveUuid('node', now.name), around.cluster.ctime)
  return statement.json
}

export function sayGroup(
  said: Json | undefined,
  meant: Group | undefined,
  now: Group,
  around: Around,
): JsonObject {
  const statement = new Statement(said)
  statement.fix('alloc_policy', meant?.alloc_policy ?? 'preferred', now.alloc_policy, 'preferred')
  statement.fixParams('ndparams', meant?.ndparams, now.ndparams)
  fixNested(statement, 'diskparams', meant?.diskparams, now.diskparams, {}, true)
  fixIPolicy(statement, meant?.ipolicy, now.ipolicy)
  const byName = (group: Group | undefined) =>
    Object.fromEntries(
      Object.entries(group?.networks ?? {}).map(([uuid, link]) => [
        around.networks.byUuid.get(uuid)?.name ?? uuid,
        link,
      ]),
    )
  fixNested(statement, 'networks', byName(meant), byName(now), {}, true)
  fixRecord(statement, meant, now, deriveUuid('group', now.name), around.cluster.ctime)
  return statement.json
}

export function sayNetwork(
  said: Json | undefined,
  meant: Network | undefined,
  now: Network,
  around: Around,
): JsonObject {
  const statement = new Statement(said)
  statement.fix('network', meant?.network, now.network)
  for (const key of ['gateway', 'network6', 'gateway6', 'mac_prefix'] as const) {
    if ((meant?.[key] ?? null) !== now[key]) statement.put(key, now[key] ?? undefined)
  }
  if (meant?.ext_reservations !== now.ext_reservations) {
    const ranges = reservedRanges(now, around)
    statement.put('reserved', ranges.length === 0 ? undefined : ranges)
  }
  fixRecord(statement, meant, now, deriveUuid('network', now.name), around.cluster.ctime)
  return statement.json
}

/** What is set aside by hand, as a person says it: the ends, the gateway and the cluster's own addresses are anyway. */
function reservedRanges(
  { network, gateway, ext_reservations }: Network,
  { cluster, nodes }: Around,
): string[] {
  const range = parseIpv4Network(network)
  if (!range) return []
  const own = new Set([0, range.size - 1])
  const hosts = nodes.all.flatMap((node) => [node.primary_ip, node.secondary_ip])
  for (const address of [gateway ?? '', cluster.master_ip, ...hosts]) {
    const place = address === '' ? undefined : indexIn(range, address)
    if (place !== undefined) own.add(place)
  }
  const wanted = (place: number) => ext_reservations[place] === '1' && !own.has(place)
  const ranges: string[] = []
  for (let from = 0; from < range.size; from++) {
    if (!wanted(from)) continue
    let to = from
    while (wanted(to + 1)) to++
    const first = addressAt(range.first, from)
    ranges.push(to === from ? first : `${first}-${addressAt(range.first, to)}`)
    from = to
  }
  return ranges
}

function addressAt(first: number, place: number): string {
  const address = first + place
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

function fixNested(
  statement: Statement,
  key: string,
  meant: object | undefined,
  now: object,
  usual: object = {},
  keepEmpty = false,
): void {
  const before = (meant ?? usual) as { readonly [name: string]: JsonObject }
  const after = now as { readonly [name: string]: JsonObject }
  const defaults = usual as { readonly [name: string]: JsonObject }
  if (equalJson(before, after)) return
  const outer = new Statement(statement.get(key))
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = own(after, name)
    const was = own(before, name)
    if (inner === undefined) outer.put(name, undefined)
    else if (!equalJson(was, inner)) {
      const fixed = fixParams(outer.get(name), was, inner, own(defaults, name))
      if (keepEmpty) outer.put(name, fixed)
      else outer.putObject(name, fixed)
    }
  }
  statement.putObject(key, outer.json)
}

const IPOLICY_KEYS = ['minmax', 'std', 'disk-templates', 'vcpu-ratio', 'spindle-ratio'] as const

function fixIPolicy(
  statement: Statement,
  meant: object | undefined,
  now: object,
  usual: JsonObject = {},
): void {
  const before = (meant ?? usual) as JsonObject
  const after = now as JsonObject
  if (equalJson(before, after)) return
  const inner = new Statement(statement.get('ipolicy'))
  for (const key of IPOLICY_KEYS) {
    if (equalJson(before[key], after[key])) continue
    inner.put(key, equalJson(after[key], usual[key]) ? undefined : after[key])
    if (key !== 'minmax') continue
    // An older way to say the same.
    inner.put('min', undefined)
    inner.put('max', undefined)
  }
  statement.putObject('ipolicy', inner.json)
}

// The cluster

const CLUSTER_KEYS = {
  master_ip: '',
  master_netdev: CLUSTER_DEFAULTS.master_netdev,
  use_external_mip_script: false,
  candidate_pool_size: CLUSTER_DEFAULTS.candidate_pool_size,
  file_storage_dir: '',
  shared_file_storage_dir: '',
  gluster_storage_dir: '',
  mac_prefix: CLUSTER_DEFAULTS.mac_prefix,
  default_iallocator: '',
  default_iallocator_params: {},
  maintain_node_health: false,
  modify_etc_hosts: true,
  modify_ssh_setup: true,
  ssh_key_type: CLUSTER_DEFAULTS.ssh_key_type,
  ssh_key_bits: CLUSTER_DEFAULTS.ssh_key_bits,
  prealloc_wipe_disks: false,
  reserved_lvs: [],
  uid_pool: [],
  max_running_jobs: CLUSTER_DEFAULTS.max_running_jobs,
  max_tracked_jobs: CLUSTER_DEFAULTS.max_tracked_jobs,
  install_image: '',
  instance_communication_network: '',
  zeroing_image: '',
  compression_tools: CLUSTER_DEFAULTS.compression_tools,
  enabled_user_shutdown: false,
  hidden_os: [],
  blacklisted_os: [],
} as const satisfies { readonly [key in keyof Cluster]?: Json }

/** Keys whose default follows from the rest of the file. */
const DERIVED_KEYS = [
  'master_netmask',
  'primary_ip_version',
  'enabled_disk_templates',
  'volume_group_name',
  'drbd_usermode_helper',
] as const

export function sayCluster(
  said: Json | undefined,
  meant: Cluster,
  now: Cluster,
  { nodes, version }: Pick<Config, 'nodes' | 'version'>,
): JsonObject {
  const statement = new Statement(said)
  statement.fix('name', meant.cluster_name, now.cluster_name)
  if (meant.master_node !== now.master_node) {
    statement.put('master', nodes.byUuid.get(now.master_node)?.name)
  }
  for (const [key, usual] of Object.entries(CLUSTER_KEYS) as [keyof typeof CLUSTER_KEYS, Json][]) {
    statement.fix(key, meant[key] as Json, now[key] as Json, usual)
  }
  // No volume group, where there would be one, is said by an empty name.
  for (const key of DERIVED_KEYS) statement.fix(key, meant[key] ?? '', now[key] ?? '')
  if (!equalJson(meant.enabled_hypervisors, now.enabled_hypervisors)) {
    statement.put('enabled_hypervisors', now.enabled_hypervisors)
    if (statement.has('hypervisor')) statement.put('hypervisor', now.enabled_hypervisors[0])
  }
  fixDefaults(statement, 'beparams', (inner) => fixClusterBeparams(inner, meant.beparams, now.beparams))
  fixDefaults(statement, 'nicparams', (inner) =>
    fixParams(inner, { ...meant.nicparams }, { ...now.nicparams }, { ...NIC_DEFAULTS }),
  )
  statement.fixParams('ndparams', meant.ndparams, now.ndparams, ND_DEFAULTS)
  fixNested(statement, 'hvparams', meant.hvparams, now.hvparams, hvDefaults(version))
  fixNested(statement, 'diskparams', meant.diskparams, now.diskparams, DISK_DEFAULTS)
  fixNested(statement, 'osparams', meant.osparams, now.osparams, {}, true)
  if (!equalJson(meant.os_hvp, now.os_hvp)) statement.putObject('os_hvp', now.os_hvp)
  // Saying nothing of the policy's templates means the enabled ones.
  const templates = { 'disk-templates': now.enabled_disk_templates }
  fixIPolicy(statement, meant.ipolicy, now.ipolicy, {
    ...IPOLICY_DEFAULTS,
    ...templates,
  } as unknown as JsonObject)
  fixNested(statement, 'data_collectors', collectors(meant), collectors(now), USUAL_COLLECTORS)
  fixRecord(statement, meant, now, deriveUuid('cluster', now.cluster_name))
  // It follows from the file's own time, which changes now; and other times follow from it.
  statement.put('ctime', now.ctime)
  return statement.json
}

/** Parameters that may stand one level deeper, under `default`. */
function fixDefaults(statement: Statement, key: string, fix: (inner: Json | undefined) => JsonObject): void {
  const said = statement.get(key)
  if (isJsonObject(said) && Object.hasOwn(said, 'default')) {
    statement.put(key, { ...said, default: fix(said.default) })
  } else statement.putObject(key, fix(said))
}

function fixClusterBeparams(said: Json | undefined, meant: BeParams, now: BeParams): JsonObject {
  const { maxmem, minmem, ...others } = now
  const { maxmem: maxWas, minmem: minWas, ...were } = meant
  const { maxmem: _max, minmem: _min, ...usual } = BE_DEFAULTS
  const inner = new Statement(fixParams(said, were, others, usual))
  fixMemory(inner, inner, { maxmem: maxWas, minmem: minWas }, { maxmem, minmem })
  return inner.json
}

type Collectors = { readonly [name: string]: JsonObject }

const USUAL_COLLECTORS: Collectors = Object.fromEntries(
  DATA_COLLECTORS.map((name) => [name, { active: true, interval: DATA_COLLECTOR_INTERVAL }]),
)

function collectors({ enabled_data_collectors, data_collector_interval }: Cluster): Collectors {
  return Object.fromEntries(
    Object.entries(enabled_data_collectors).map(([name, active]) => [
      name,
      { active, interval: data_collector_interval[name] ?? DATA_COLLECTOR_INTERVAL },
    ]),
  )
}

// Filter rules

export function sayFilters(
  said: Json | undefined,
  meant: readonly FilterRule[],
  now: readonly FilterRule[],
): Json | null {
  const statement = new Statement({ filters: said ?? [] })
  fixList(statement, 'filters', meant, now, (item, was, rule, index) => sayFilter(item, was, rule, index))
  const filters = statement.get('filters')
  return Array.isArray(filters) && filters.length > 0 ? filters : null
}

function sayFilter(
  said: Json | undefined,
  meant: FilterRule | undefined,
  now: FilterRule,
  index: number,
): Json {
  const statement = new Statement(said)
  const derived = deriveUuid('filter', String(index))
  fixPlaceId(statement, now.uuid, derived)
  statement.fix('watermark', meant?.watermark ?? 0, now.watermark, 0)
  statement.fix('priority', meant?.priority ?? 0, now.priority, 0)
  statement.fix('predicates', meant?.predicates ?? [], now.predicates, [])
  statement.fix('action', meant?.action ?? 'CONTINUE', now.action)
  if (!equalJson(meant?.reason_trail ?? [], now.reason_trail)) {
    statement.put('reason', undefined)
    statement.put('reason_trail', now.reason_trail)
  }
  return statement.json
}
