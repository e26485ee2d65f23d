/**
 * Whatever happens to a cluster, in whatever order, some things stay true.
 * Sequences are random but always the same.
 */
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { OPERATIONS } from '../../../../lib/backend/config-file/operations/operations.ts'
import type { JsonObject } from '../../../../lib/json/json.ts'
import { indexIn, parseIpv4Network } from '../../../../lib/model/address.ts'
import type { Config } from '../../../../lib/model/config.ts'
import type { Disk, Instance } from '../../../../lib/model/instance.ts'
import {
  type LiveCluster,
  numbers,
  opcode,
  told,
  WrittenCluster,
  yamlCluster,
} from '../../../support/live-cluster.ts'

const SEQUENCES = 60
const LENGTH = 100
/** Of those that are written and read again at every step, which takes a hundred times as long. */
const WRITTEN_SEQUENCES = 10

/** Small enough that things run out. */
const CLUSTER = `
cluster:
  name: cluster.example.com
  hypervisor: kvm
  enabled_hypervisors: [kvm, fake]
  enabled_disk_templates: [drbd, plain, file, sharedfile, rbd, diskless]
  volume_group_name: xenvg
  file_storage_dir: /srv/files
  shared_file_storage_dir: /srv/shared
  default_iallocator: hail
  mac_prefix: "aa:00:00"
  hvparams: {kvm: {kernel_path: ""}}
  ipolicy: {minmax: [{min: {disk-size: 64, memory-size: 64}, max: {disk-size: 8g, memory-size: 4g, cpu-count: 4}}]}
networks:
  front: {network: 192.0.2.0/28, gateway: 192.0.2.1, mac_prefix: "aa:bb:cc"}
  back: {network: 198.51.100.0/29}
groups:
  default: {networks: {front: {mode: bridged, link: br0}, back: {mode: routed, link: main}}}
  other: {alloc_policy: last_resort, networks: {front: {mode: bridged, link: br9}}}
nodes:
  node1: {group: default, memory: 4g, node_memory: 256, disk: 14g, cpus: 4}
  node2: {group: default, memory: 4g, node_memory: 256, disk: 14g, cpus: 4}
  node3: {group: default, memory: 2g, disk: 6g, cpus: 4, drained: true}
  node4: {group: default, memory: 2g, disk: 6g, cpus: 4, vm_capable: false}
  node5: {group: other, memory: 4g, disk: 14g, cpus: 4}
  node6: {group: other, offline: true}
os: [{name: debian, variants: [bookworm, trixie]}, plain]
`

const TEMPLATES = ['drbd', 'drbd', 'plain', 'plain', 'file', 'sharedfile', 'rbd', 'diskless'] as const
const NODES = [
  ...['node1', 'node1', 'node1', 'node2', 'node2', 'node2', 'node5', 'node5'],
  ...['node3', 'node4', 'node6'],
] as const

type Make = (pick: Picker) => JsonObject

/** Chooses at random. */
class Picker {
  readonly #random: () => number
  readonly #config: Config
  readonly #names: readonly string[]

  constructor(random: () => number, config: Config) {
    this.#random = random
    this.#config = config
    this.#names = config.instances.all.map(({ name }) => name)
  }

  /** Mostly one that is there, and so below. */
  group(): JsonObject {
    return { group_name: this.of([...this.#config.groups.all.map(({ name }) => name), 'nogroup']) }
  }

  network(): JsonObject {
    return { network_name: this.of([...this.#config.networks.all.map(({ name }) => name), 'nonet']) }
  }

  node(): JsonObject {
    return { node_name: this.of(NODES) }
  }

  of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  maybe(share: number, values: JsonObject): JsonObject {
    return this.chance(share) ? values : {}
  }

  /** Mostly one that is there. */
  instance(): JsonObject {
    return { instance_name: this.chance(0.97) && this.#names.length > 0 ? this.of(this.#names) : 'nobody' }
  }

  newName(): string {
    return `inst${Math.floor(this.#random() * 12)}`
  }

  size(): number {
    return this.of([100, 512, 512, 1024, 1024, 2048, 5000, 9000])
  }

  nic(): JsonObject {
    return this.of<JsonObject>([
      {},
      {},
      { link: 'br1' },
      { network: 'front', ip: 'pool' },
      { network: 'front', ip: 'pool' },
      { network: 'front', ip: '192.0.2.5' },
      { network: 'back', ip: 'pool' },
      { network: 'back' },
      { ip: this.of(['10.0.0.7', '192.0.2.7']) },
      { ip: '10.0.0.1', mode: 'routed' },
      { mac: 'aa:00:00:00:00:01' },
      { name: 'eth', vlan: '100' },
    ])
  }

  disk(): JsonObject {
    return { size: this.size(), ...this.maybe(0.2, { name: this.of(['root', 'data']) }) }
  }

  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: Math.floor(this.#random() * (most + 1)) }, make)
  }
}

const create: Make = (pick) => {
  const template = pick.of(TEMPLATES)
  const byName = {
    pnode: pick.of(NODES),
    ...(template === 'drbd' || pick.chance(0.1) ? { snode: pick.of(NODES) } : {}),
  }
  return opcode('CREATE', {
    instance_name: pick.newName(),
    os_type: pick.chance(0.95) ? pick.of(['debian+bookworm', 'plain']) : pick.of(['debian', 'nosuch']),
    disk_template: template,
    disks: template === 'diskless' ? [] : [pick.disk(), ...pick.some(1, () => pick.disk())],
    nics: [pick.nic(), ...pick.some(1, () => pick.nic())],
    beparams: pick.of<JsonObject>([
      {},
      { memory: 512 },
      { minmem: 256, maxmem: 2048 },
      { memory: pick.of([128, 3000]) },
      { vcpus: pick.of([1, 2, 2, 9]) },
    ]),
    hypervisor: pick.of(['kvm', 'kvm', 'fake']),
    start: pick.chance(0.7),
    ...(pick.chance(0.5) ? { iallocator: pick.of(['hail', 'hail', '.', '.', 'nosuch']) } : byName),
    tags: pick.some(2, () => pick.of(['a', 'b', 'c', 'd', 'e', 'f', 'bad tag'])),
    wait_for_sync: pick.chance(0.5),
  })
}

const setNic: Make = (pick) =>
  opcode('SET_PARAMS', {
    ...pick.instance(),
    nics: [
      pick.of([
        ['add', -1, pick.nic()],
        ['modify', 0, pick.nic()],
        ['modify', 1, { ip: pick.of(['none', 'pool', '192.0.2.9', '198.51.100.3']) }],
        ['modify', 0, { network: pick.of(['none', 'front', 'back']) }],
        ['modify', 0, { mac: 'generate' }],
        ['remove', pick.of([-1, 0, 3]), {}],
      ]),
    ],
  })

const setDisk: Make = (pick) =>
  opcode('SET_PARAMS', {
    ...pick.instance(),
    disks: [
      pick.of([
        ['add', pick.of([-1, 0]), pick.disk()],
        ['modify', 0, { mode: pick.of(['ro', 'rw']) }],
        ['modify', 0, { name: pick.of(['root', 'data', 'none']) }],
        ['remove', pick.of([-1, 0, 5]), {}],
      ]),
    ],
  })

const setParams: Make = (pick) =>
  opcode('SET_PARAMS', {
    ...pick.instance(),
    ...pick.of<JsonObject>([
      { beparams: { memory: pick.of([128, 512, 3000]) } },
      { beparams: { minmem: pick.of([64, 1024, 2048]) } },
      { beparams: { maxmem: pick.of([512, 4096]) }, force: pick.chance(0.5) },
      { beparams: { vcpus: 2, always_failover: pick.chance(0.5) } },
      { hvparams: { acpi: false, boot_order: pick.of(['disk', 'network', 'sideways']) } },
      { os_name: 'plain' },
      { osparams: { mirror: 'http://deb.example.com' } },
      { offline: pick.chance(0.5) },
      { pnode: pick.of(NODES), force: pick.chance(0.3) },
      { runtime_mem: 512 },
      { disk_template: pick.of(TEMPLATES), remote_node: pick.of(NODES) },
      { disk_template: 'drbd', iallocator: 'hail' },
      { disk_template: 'plain' },
    ]),
  })

const MAKERS: readonly Make[] = [
  create,
  create,
  create,
  setNic,
  setNic,
  setDisk,
  setParams,
  setParams,
  (pick) =>
    opcode('SET_PARAMS', {
      ...pick.instance(),
      beparams: { minmem: pick.of([64, 1024, 2048, 3500]), maxmem: pick.of([2048, 4096]) },
      force: true,
    }),
  (pick) => opcode('SET_PARAMS', { ...pick.instance(), pnode: pick.of(NODES), force: true }),
  (pick) => opcode('REMOVE', pick.instance()),
  (pick) => opcode('STARTUP', { ...pick.instance(), ignore_offline_nodes: pick.chance(0.1) }),
  (pick) => opcode('SHUTDOWN', { ...pick.instance(), force: pick.chance(0.2) }),
  (pick) => opcode('REBOOT', { ...pick.instance(), reboot_type: pick.of(['soft', 'hard', 'full']) }),
  (pick) => opcode('RENAME', { ...pick.instance(), new_name: pick.newName() }),
  (pick) => opcode('REINSTALL', { ...pick.instance(), os_type: pick.of(['plain', 'debian+sid']) }),
  (pick) => opcode('GROW_DISK', { ...pick.instance(), disk: pick.of([0, 0, 1, 7]), amount: pick.size() }),
  (pick) => opcode('ACTIVATE_DISKS', pick.instance()),
  (pick) => opcode('DEACTIVATE_DISKS', { ...pick.instance(), force: pick.chance(0.3) }),
  (pick) => opcode('FAILOVER', { ...pick.instance(), ...pick.maybe(0.4, { target_node: pick.of(NODES) }) }),
  (pick) =>
    opcode('MIGRATE', {
      ...pick.instance(),
      ...pick.maybe(0.4, { target_node: pick.of(NODES) }),
      allow_failover: pick.chance(0.3),
    }),
  (pick) =>
    opcode('REPLACE_DISKS', {
      ...pick.instance(),
      ...pick.of<JsonObject>([
        { mode: 'replace_new_secondary', remote_node: pick.of(NODES) },
        { mode: 'replace_new_secondary', iallocator: 'hail' },
        { mode: 'replace_on_primary' },
        { mode: 'replace_on_secondary', disks: [0] },
        { mode: 'replace_auto' },
      ]),
    }),
  (pick) =>
    opcode('RECREATE_DISKS', {
      ...pick.instance(),
      ...pick.of<JsonObject>([
        {},
        { disks: [[0, { size: pick.size() }]] },
        { nodes: pick.some(2, () => pick.of(NODES)) },
        { iallocator: 'hail' },
      ]),
    }),
  (pick) => opcode('QUERY_DATA', { instances: [], static: pick.chance(0.5) }),
  (pick) => opcode('CONSOLE', pick.instance()),
  (pick) =>
    opcode('MULTI_ALLOC', {
      instances: [1, 2, 3].map((number) => {
        const { iallocator, pnode, snode, ...wanted } = create(pick)
        return { ...wanted, instance_name: `many${number}` }
      }),
    }),
]

const setNode: Make = (pick) =>
  opcode('OP_NODE_SET_PARAMS', {
    ...pick.node(),
    ...pick.of<JsonObject>([
      { master_candidate: pick.chance(0.5) },
      { drained: pick.chance(0.3) },
      { drained: false, offline: false },
      { offline: pick.chance(0.3) },
      { vm_capable: pick.chance(0.5) },
      { master_capable: pick.chance(0.7) },
      { ndparams: { spindle_count: pick.of([2, 'default']), ...pick.maybe(0.1, { colour: 1 }) } },
      { secondary_ip: pick.of(['10.0.0.1', '198.51.100.4', '192.0.2.9']), force: pick.chance(0.8) },
      {},
    ]),
    auto_promote: pick.chance(0.6),
  })

const setNetwork: Make = (pick) => {
  const some = () => pick.some(2, () => `192.0.2.${pick.of([1, 3, 4, 5, 9, 15])}`)
  return opcode('OP_NETWORK_SET_PARAMS', {
    ...pick.network(),
    ...pick.of<JsonObject>([
      { gateway: pick.of(['192.0.2.2', '192.0.2.6', '10.1.0.3']) },
      { add_reserved_ips: some(), remove_reserved_ips: some() },
      { network6: '2001:db8::/64', ...pick.maybe(0.5, { gateway6: '2001:db8::1' }) },
      { mac_prefix: pick.of(['aa:bb:dd', 'none', 'bad']) },
    ]),
  })
}

const setCluster: Make = (pick) =>
  opcode(
    'OP_CLUSTER_SET_PARAMS',
    pick.of<JsonObject>([
      { candidate_pool_size: pick.of([1, 2, 4, 10]) },
      { beparams: pick.of<JsonObject>([{ memory: 128 }, { minmem: 64, maxmem: 512 }, { minmem: 2048 }]) },
      { enabled_hypervisors: pick.of([['kvm', 'fake'], ['fake'], ['fake', 'kvm', 'chroot']]) },
      { hvparams: { kvm: { acpi: pick.chance(0.5), boot_order: pick.of(['disk', 'sideways']) } } },
      { enabled_disk_templates: pick.of([['plain'], ['rbd', 'diskless'], [...new Set(TEMPLATES), 'ext']]) },
      { ipolicy: { 'vcpu-ratio': pick.of([2, 4, 'default']), 'disk-templates': [...new Set(TEMPLATES)] } },
      { nicparams: { link: pick.of(['br0', 'br8']), mode: pick.of(['bridged', 'bridged', 'routed']) } },
      { mac_prefix: 'aa:00:01', max_running_jobs: pick.of([1, 20]) },
      { os_hvp: { plain: { kvm: pick.of([null, { acpi: false }]) } }, osparams: { plain: { x: 'y' } } },
      { hidden_os: [[pick.of(['add', 'remove']), 'plain']], uid_pool: [[5, 9]], add_uids: [[1, 2]] },
      { instance_communication_network: pick.of(['', 'talk', 'front']) },
      { vg_name: pick.of(['', 'fast']) },
      { drbd_helper: pick.of(['', '/bin/true']) },
    ]),
  )

/** What can be done to all but instances. */
const CLUSTER_MAKERS: readonly Make[] = [
  setNode,
  setNode,
  setNode,
  setNode,
  setNetwork,
  setNetwork,
  setCluster,
  setCluster,
  (pick) => opcode('OP_GROUP_ADD', { group_name: pick.of(['third', 'other', 'fourth']) }),
  (pick) => opcode('OP_GROUP_REMOVE', pick.group()),
  (pick) => opcode('OP_GROUP_REMOVE', { group_name: pick.of(['third', 'fourth']) }),
  (pick) => opcode('OP_GROUP_RENAME', { ...pick.group(), new_name: pick.of(['third', 'fifth', 'default']) }),
  (pick) =>
    opcode('OP_GROUP_SET_PARAMS', {
      ...pick.group(),
      ...pick.of<JsonObject>([
        { alloc_policy: pick.of(['preferred', 'last_resort', 'unallocable']) },
        { ndparams: { spindle_count: 2 } },
        { ipolicy: { 'disk-templates': pick.of([['plain', 'drbd'], 'default']) } },
        { diskparams: { drbd: { protocol: 'A' }, plain: { stripes: pick.of([2, 'default']) } } },
      ]),
    }),
  (pick) =>
    opcode('OP_GROUP_ASSIGN_NODES', {
      ...pick.group(),
      nodes: pick.some(2, () => pick.of(NODES)),
      force: pick.chance(0.5),
    }),
  (pick) =>
    opcode('OP_NETWORK_ADD', {
      network_name: pick.of(['third', 'fourth', 'front']),
      network: pick.of(['10.1.0.0/29', '198.51.100.0/30', '10.0.0.0/8']),
      ...pick.maybe(0.3, { gateway: '10.1.0.1' }),
      conflicts_check: pick.chance(0.8),
    }),
  (pick) => opcode('OP_NETWORK_REMOVE', pick.network()),
  (pick) => opcode('OP_NETWORK_REMOVE', { network_name: pick.of(['third', 'fourth']) }),
  (pick) => opcode('OP_NETWORK_RENAME', { ...pick.network(), new_name: pick.of(['third', 'sixth', 'back']) }),
  (pick) =>
    opcode('OP_NETWORK_CONNECT', {
      ...pick.network(),
      ...pick.group(),
      network_mode: pick.of(['bridged', 'routed']),
      network_link: 'br3',
      conflicts_check: pick.chance(0.8),
    }),
  (pick) => opcode('OP_NETWORK_DISCONNECT', { ...pick.network(), ...pick.group() }),
  (pick) => opcode('OP_NODE_MIGRATE', pick.node()),
  (pick) =>
    opcode('OP_NODE_EVACUATE', {
      ...pick.node(),
      mode: pick.of(['primary-only', 'secondary-only', 'all']),
      ...pick.maybe(0.2, { remote_node: pick.of(NODES) }),
    }),
  (pick) => opcode('OP_NODE_POWERCYCLE', { ...pick.node(), force: pick.chance(0.5) }),
  () => opcode('OP_NODE_QUERY_STORAGE', { output_fields: ['node', 'name', 'free', 'used'] }),
  (pick) => opcode('OP_REPAIR_NODE_STORAGE', { ...pick.node(), storage_type: 'lvm-vg', name: 'xenvg' }),
  (pick) =>
    opcode('OP_BACKUP_EXPORT', {
      ...pick.instance(),
      target_node: pick.of(NODES),
      remove_instance: pick.chance(0.2),
      long_sleep: pick.chance(0.5),
    }),
  (pick) => opcode('OP_BACKUP_PREPARE', { ...pick.instance(), mode: pick.of(['local', 'remote']) }),
  (pick) => opcode('OP_BACKUP_REMOVE', pick.instance()),
  () => opcode('OP_CLUSTER_REDIST_CONF', {}),
  () => opcode('OP_CLUSTER_QUERY', {}),
  () => opcode('OP_OS_DIAGNOSE', { output_fields: ['name'], names: [] }),
]

/** What is wrong with a cluster; nothing, ever. */
function faults(cluster: LiveCluster): string[] {
  const { config } = cluster
  const found = [...cluster.contradictions]
  const expect = (so: boolean, what: string) => so || found.push(what)
  const once = new Set<string>()
  const claim = (what: string, owner: string) => {
    expect(!once.has(what), `${owner}: ${what} is somebody's already`)
    once.add(what)
  }
  for (const instance of config.instances.all) {
    const { name } = instance
    claim(`name ${name}`, name)
    claim(`uuid ${instance.uuid}`, name)
    if (instance.network_port !== null) claim(`port ${instance.network_port}`, name)
    expect(
      (instance.network_port !== null) === (instance.hypervisor === 'kvm'),
      `${name}: a port with kvm only`,
    )
    expect(new Set(instance.tags).size === instance.tags.length, `${name}: each tag once`)
    const full = { ...config.cluster.beparams, ...instance.beparams }
    expect(full.minmem <= full.maxmem, `${name}: minmem up to maxmem`)
    checkNodes(config, instance, expect)
    for (const disk of instance.disks) checkDisk(instance, disk, claim, expect)
    expect(instance.disks.length <= 16 && instance.nics.length <= 8, `${name}: not too many devices`)
    for (const nic of instance.nics) {
      claim(`uuid ${nic.uuid}`, name)
      claim(`mac ${nic.mac}`, name)
      expect(/^[\da-f]{2}(:[\da-f]{2}){5}$/.test(nic.mac), `${name}: ${nic.mac} is an address`)
      if (nic.network === null) continue
      if (nic.ip !== null) claim(`ip ${nic.ip} in ${nic.network}`, name)
      const group = config.groups.byUuid.get(config.nodes.byUuid.get(instance.primary_node)?.group ?? '')
      expect(
        isDeepStrictEqual(nic.nicparams, group?.networks[nic.network]),
        `${name}: linked as the group connects its network`,
      )
    }
  }
  checkPools(config, expect)
  checkRoles(config, expect)
  checkChoices(config, expect)
  return found
}

type Expect = (so: boolean, what: string) => unknown

function checkNodes(config: Config, instance: Instance, expect: Expect): void {
  const { name, primary_node, secondary_nodes, disk_template } = instance
  const node = config.nodes.byUuid.get(primary_node)
  expect(node?.vm_capable === true, `${name}: its node is there and can run it`)
  expect(
    secondary_nodes.every((uuid) => config.nodes.byUuid.has(uuid)),
    `${name}: its other nodes are there`,
  )
  expect(!secondary_nodes.includes(primary_node), `${name}: two different nodes`)
  expect(secondary_nodes.length === (disk_template === 'drbd' ? 1 : 0), `${name}: DRBD has two nodes`)
  expect((instance.disks.length === 0) === (disk_template === 'diskless'), `${name}: diskless without disks`)
}

function checkDisk(
  instance: Instance,
  disk: Disk,
  claim: (what: string, owner: string) => void,
  expect: Expect,
): void {
  const { name, primary_node, secondary_nodes, disk_template, disks } = instance
  claim(`uuid ${disk.uuid}`, name)
  expect(disk.dev_type === disk_template, `${name}: disks are of its template`)
  expect(disk.iv_name === `disk/${disks.indexOf(disk)}`, `${name}: disks are numbered`)
  const local = ['plain', 'file'].includes(disk.dev_type)
  if (disk.dev_type !== 'drbd') {
    claim(`volume ${disk.logical_id.join('/')}`, name)
    expect(
      disk.nodes.join() === (local ? primary_node : ''),
      `${name}: local disks are where it is, others nowhere`,
    )
    return
  }
  const [first, second, port, firstMinor, secondMinor] = disk.logical_id
  const both = [primary_node, ...secondary_nodes].sort().join()
  expect([first, second].sort().join() === both, `${name}: DRBD knows its nodes`)
  expect([...disk.nodes].sort().join() === both, `${name}: DRBD is on its nodes`)
  claim(`port ${port}`, name)
  claim(`minor ${first} ${firstMinor}`, name)
  claim(`minor ${second} ${secondMinor}`, name)
  const [data, meta] = disk.children
  expect(data?.size === disk.size && meta?.size === 128, `${name}: DRBD has data and notes`)
  for (const child of disk.children) {
    claim(`volume ${child.logical_id.join('/')}`, name)
    claim(`uuid ${child.uuid}`, name)
    expect([...child.nodes].sort().join() === both, `${name}: DRBD's volumes are on its nodes`)
  }
}

function checkPools(config: Config, expect: Expect): void {
  for (const network of config.networks.all) {
    const range = parseIpv4Network(network.network)
    if (!range) continue
    const taken = Array.from({ length: range.size }, () => '0')
    for (const { nics } of config.networkInstances.get(network.uuid) ?? []) {
      for (const { network: uuid, ip } of nics) {
        const place = uuid === network.uuid && ip !== null ? indexIn(range, ip) : undefined
        if (place !== undefined) taken[place] = '1'
      }
    }
    expect(taken.join('') === network.reservations, `${network.name}: reserved is what NICs have`)
  }
}

function checkRoles({ nodes, groups, cluster }: Config, expect: Expect): void {
  for (const { uuid, name, group, master_candidate, drained, offline, master_capable } of nodes.all) {
    expect([master_candidate, drained, offline].filter(Boolean).length <= 1, `${name}: one role`)
    expect(!master_candidate || master_capable, `${name}: a candidate can be the master`)
    expect(uuid !== cluster.master_node || master_candidate, `${name}: the master is a candidate`)
    expect(groups.byUuid.has(group), `${name}: its group is there`)
  }
}

/** That everything is of a kind that the cluster has enabled, and connected to what is there. */
function checkChoices({ cluster, groups, instances, networks, nodes }: Config, expect: Expect): void {
  const { enabled_hypervisors, enabled_disk_templates, ipolicy } = cluster
  for (const { name, hypervisor, disk_template } of instances.all) {
    expect(enabled_hypervisors.includes(hypervisor), `${name}: ${hypervisor} is enabled`)
    expect(enabled_disk_templates.includes(disk_template), `${name}: ${disk_template} is enabled`)
  }
  expect(
    ipolicy['disk-templates'].every((template) => enabled_disk_templates.includes(template)),
    'the policy allows what is enabled',
  )
  for (const group of groups.all) {
    expect(
      Object.keys(group.networks).every((uuid) => networks.byUuid.has(uuid)),
      `${group.name}: its networks are there`,
    )
  }
  for (const { name, network, gateway, ext_reservations, reservations } of networks.all) {
    const range = parseIpv4Network(network)
    if (!range) return void expect(false, `${name}: is a network`)
    expect(
      ext_reservations.length === range.size && reservations.length === range.size,
      `${name}: a mark for each address`,
    )
    const setAside = nodes.all.flatMap((node) => [node.primary_ip, node.secondary_ip])
    for (const address of [gateway ?? '', ...setAside]) {
      const place = indexIn(range, address)
      expect(place === undefined || ext_reservations[place] === '1', `${name}: ${address} is set aside`)
    }
    expect(ext_reservations[0] === '1' && ext_reservations.endsWith('1'), `${name}: its ends are set aside`)
  }
}

/** What went backwards, or changed without saying so. */
function setbacks(before: Config, after: Config): string[] {
  return (['groups', 'instances', 'nodes'] as const).flatMap((kind) =>
    after[kind].all.flatMap((object) => {
      const old = before[kind].byUuid.get(object.uuid)
      if (!old || old === object) return []
      const grew = object.serial_no > old.serial_no && object.mtime > old.mtime
      return grew && object.ctime === old.ctime ? [] : [`${object.name}: a change that does not show`]
    }),
  )
}

/** Whether two states of a cluster have the very same objects. */
function isSame(a: Config, b: Config): boolean {
  return (
    a.cluster === b.cluster &&
    (['groups', 'instances', 'networks', 'nodes'] as const).every(
      (kind) =>
        a[kind].all.length === b[kind].all.length &&
        a[kind].all.every((object) => b[kind].byUuid.get(object.uuid) === object),
    )
  )
}

t.test('random sequences of operations on instances leave the cluster whole', async (t) => {
  const ofInstances = Object.keys(OPERATIONS).filter((opcode) => opcode.startsWith('OP_INSTANCE_'))
  runSequences(t, MAKERS, SEQUENCES, ofInstances)
})

t.test('so do those on everything', async (t) => {
  // There is never a physical volume; tags and delays have tests of their own.
  const succeeding = Object.keys(OPERATIONS).filter(
    (opcode) => !/^OP_(NODE_MODIFY_STORAGE|TAGS_.*|TEST_DELAY)$/.test(opcode),
  )
  runSequences(t, [...MAKERS, ...MAKERS, ...CLUSTER_MAKERS], SEQUENCES / 2, succeeding)
})

t.test('written into the file, every outcome is read back as it is held', async (t) => {
  const makers = [...MAKERS, ...MAKERS, ...CLUSTER_MAKERS]
  let changes = 0
  for (let seed = 1; seed <= WRITTEN_SEQUENCES; seed++) {
    const random = numbers(1000 + seed)
    const cluster = new WrittenCluster(CLUSTER, random)
    for (let step = 0; step < LENGTH; step++) {
      const pick = new Picker(random, cluster.config)
      const wanted = pick.of(makers)(pick)
      const before = String(cluster)
      if (cluster.run(wanted).status !== 'success' || String(cluster) === before) continue
      changes++
      const wrong = faults(cluster)
      if (wrong.length > 0) return void t.fail(`sequence ${seed}, step ${step}: ${wrong[0]}`, { wanted })
      if (isDeepStrictEqual(told(cluster.reread()), told(cluster.config))) continue
      t.strictSame(told(cluster.reread()), told(cluster.config), `sequence ${seed}, step ${step}`, { wanted })
      return
    }
  }
  t.ok(changes > (WRITTEN_SEQUENCES * LENGTH) / 10, `${changes} changes`)
})

/** @param all operations that must have succeeded at least once */
function runSequences(t: Test, makers: readonly Make[], sequences: number, all: readonly string[]): void {
  const succeeded = new Map<string, number>()
  let refused = 0
  for (let seed = 1; seed <= sequences; seed++) {
    const random = numbers(seed)
    const cluster = yamlCluster(CLUSTER, random)
    for (let step = 0; step < LENGTH; step++) {
      const before = cluster.config
      const pick = new Picker(random, before)
      const wanted = pick.of(makers)(pick)
      const dry = cluster.run({ ...wanted, dry_run: true })
      const dryChanged = !isSame(before, cluster.config)
      const ended = cluster.run(wanted)
      const id = String(wanted.OP_ID)
      if (ended.status === 'success') succeeded.set(id, (succeeded.get(id) ?? 0) + 1)
      else refused++
      const wrong = [
        ...faults(cluster),
        ...setbacks(before, cluster.config),
        ...(dryChanged ? ['a dry run changed something'] : []),
        ...(dry.status === 'error' && ended.status === 'success' ? ['refused only when dry'] : []),
      ]
      for (const submitted of (ended.submits ?? []).flat()) {
        cluster.run(submitted)
        wrong.push(...faults(cluster))
      }
      if (wrong.length === 0) continue
      t.fail(`sequence ${seed}, step ${step}: ${wrong[0]}`, { wanted, ended, wrong: wrong.slice(0, 5) })
      return
    }
  }
  t.same(
    all.filter((id) => !succeeded.has(id)),
    [],
    'every operation succeeded now and then',
  )
  t.ok(refused > (sequences * LENGTH) / 10, 'and was refused now and then')
  t.comment(`${[...succeeded].map(([id, count]) => `${id} ${count}`).join(', ')}; refused ${refused}`)
}
