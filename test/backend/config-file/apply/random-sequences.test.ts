/**
 * Whatever happens to a cluster, in whatever order, some things stay true.
 * Sequences are random but always the same.
 */
import t from 'tap'
import { indexIn, parseIpv4Network } from '../../../../lib/backend/config-file/address.ts'
import { instanceOperations } from '../../../../lib/backend/config-file/apply/instance-operations.ts'
import type { JsonObject } from '../../../../lib/json.ts'
import type { Config } from '../../../../lib/model/config.ts'
import type { Disk, Instance } from '../../../../lib/model/instance.ts'
import { type LiveCluster, numbers, opcode, yamlCluster } from '../../../support/live-cluster.ts'

const SEQUENCES = 60
const LENGTH = 100

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
  readonly #names: readonly string[]

  constructor(random: () => number, { instances }: Config) {
    this.#random = random
    this.#names = instances.all.map(({ name }) => name)
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
      expect(group?.networks[nic.network] !== undefined, `${name}: its network is connected`)
    }
  }
  checkPools(config, expect)
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
    expect(taken.join('') === network.reservations, `${network.name}: reserved is what cards have`)
  }
}

/** What went backwards, or changed without saying so. */
function setbacks(before: Config, after: Config): string[] {
  return after.instances.all.flatMap((instance) => {
    const old = before.instances.byUuid.get(instance.uuid)
    if (!old || old === instance) return []
    const grew = instance.serial_no > old.serial_no && instance.mtime > old.mtime
    return grew && instance.ctime === old.ctime ? [] : [`${instance.name}: a change that does not show`]
  })
}

t.test('random sequences of operations leave the cluster whole', async (t) => {
  const succeeded = new Map<string, number>()
  let refused = 0
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    const random = numbers(seed)
    const cluster = yamlCluster(CLUSTER, random)
    for (let step = 0; step < LENGTH; step++) {
      const before = cluster.config
      const pick = new Picker(random, before)
      const wanted = pick.of(MAKERS)(pick)
      const dry = cluster.run({ ...wanted, dry_run: true })
      const dryChanged = cluster.config.instances.all.some(
        (instance) => before.instances.byUuid.get(instance.uuid) !== instance,
      )
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
  const all = Object.keys(instanceOperations)
  t.same(
    all.filter((id) => !succeeded.has(id)),
    [],
    'every operation succeeded now and then',
  )
  t.ok(refused > (SEQUENCES * LENGTH) / 10, 'and was refused now and then')
  t.comment(`${[...succeeded].map(([id, count]) => `${id} ${count}`).join(', ')}; refused ${refused}`)
})
