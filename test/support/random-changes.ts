/** Changes of a cluster as operations might make them, one at random after the other. */
import { randomUUID } from 'node:crypto'
import type { Change } from '../../lib/model/change.ts'
import type { Config } from '../../lib/model/config.ts'
import type { Group } from '../../lib/model/group.ts'
import type { Disk, Instance } from '../../lib/model/instance.ts'
import type { Network } from '../../lib/model/network.ts'
import type { Node } from '../../lib/model/node.ts'

type Random = () => number

interface Versioned {
  readonly serial_no: number
  readonly mtime: number
}

let clock = 1_795_000_000

function revised<T extends Versioned>(object: T, news: Partial<T>): T {
  clock += 0.25
  return { ...object, ...news, serial_no: object.serial_no + 1, mtime: clock }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}

const only = <T extends { readonly uuid: string }>(object: T) => new Map([[object.uuid, object]])

function tags(random: Random): readonly string[] {
  const words = ['web', 'site:berlin', '2024', 'true', 'a+b', 'x@y.z', '007', 'null', 'rack-a', '1.10']
  return words.filter(() => random() < 0.3)
}

type Maker = (config: Config, random: Random) => Change | undefined

const instanceChange =
  (news: (instance: Instance, config: Config, random: Random) => Partial<Instance> | undefined): Maker =>
  (config, random) => {
    if (config.instances.all.length === 0) return undefined
    const instance = pick(random, config.instances.all)
    const changes = news(instance, config, random)
    return changes && { instances: only(revised(instance, changes)) }
  }

function newDisk(devType: string, size: number, instance: Pick<Instance, 'primary_node'>): Disk {
  const uuid = randomUUID()
  return {
    uuid,
    name: null,
    dev_type: devType,
    size,
    mode: 'rw',
    spindles: null,
    iv_name: null,
    logical_id: devType === 'file' ? ['loop', `/elsewhere/${uuid}`] : ['othervg', `${uuid}.disk0`],
    params: {},
    nodes: [instance.primary_node],
    children: [],
    ctime: clock,
    mtime: clock,
    serial_no: 1,
  }
}

const numbered = (disks: readonly Disk[]) =>
  disks.map((disk, index) => ({ ...disk, iv_name: `disk/${index}` }))

/** By what they do. */
export const CHANGES: { readonly [title: string]: Maker } = {
  instanceTags: instanceChange((_instance, _config, random) => ({ tags: tags(random) })),
  instanceState: instanceChange((_instance, _config, random) => {
    const admin_state = pick(random, ['down', 'offline'] as const)
    return {
      admin_state,
      disks_active: random() < 0.3,
      admin_state_source: pick(random, ['admin', 'user'] as const),
    }
  }),
  instanceMemory: instanceChange(({ beparams }, _config, random) => {
    const maxmem = 128 * (1 + Math.floor(random() * 4))
    const minmem = random() < 0.5 ? maxmem : 128
    const { maxmem: _max, minmem: _min, vcpus: _vcpus, ...others } = beparams
    if (random() < 0.2) return { beparams: others }
    return { beparams: { ...others, maxmem, minmem, ...(random() < 0.6 && { vcpus: 3 }) } }
  }),
  instanceBeparams: instanceChange(({ beparams }, _config, random) => ({
    beparams: { ...beparams, auto_balance: random() < 0.5, spindle_use: Math.floor(random() * 3) },
  })),
  instanceHvparams: instanceChange(({ hypervisor }, _config, random) =>
    random() < 0.3
      ? { hvparams: {} }
      : hypervisor === 'kvm'
        ? { hvparams: { kernel_path: '', root_path: random() < 0.5 ? null : '/dev/vda1', acpi: false } }
        : { hvparams: { kernel_args: 'ro # quiet', kernel_path: ': {odd}' } },
  ),
  instanceOsparams: instanceChange((_instance, _config, random) => ({
    os: pick(random, ['debian-etch', 'windows', 'debian+trixie']),
    osparams: random() < 0.4 ? {} : { mirror: 'http://deb.example.com/', empty: '', number: '0x10' },
    osparams_private: random() < 0.5 ? [] : ['secret'],
  })),
  instanceNics: instanceChange(({ nics }, _config, random) => {
    const nic = {
      uuid: randomUUID(),
      name: random() < 0.5 ? null : 'extra',
      mac: `aa:00:01:${[0, 1, 2]
        .map(() =>
          Math.floor(random() * 256)
            .toString(16)
            .padStart(2, '0'),
        )
        .join(':')}`,
      ip: null,
      network: null,
      nicparams: random() < 0.5 ? {} : { link: 'br7', mode: 'bridged' as const },
    }
    if (random() < 0.5) return { nics: [...nics, nic] }
    return { nics: nics.filter(() => random() < 0.5) }
  }),
  instanceDisks: instanceChange((instance, _config, random) => {
    const { disk_template: template, disks } = instance
    if (template !== 'plain' && template !== 'file') {
      if (disks.length === 0) return undefined
      return { disks: disks.map((disk) => revised(disk, { size: disk.size + 64 })) }
    }
    const kept = disks.filter((_disk, index) => disks.length < 2 || index > 0 || random() < 0.5)
    const added = random() < 0.5 ? [newDisk(template, 512, instance)] : []
    return { disks: numbered([...kept, ...added]) }
  }),
  instanceRename: instanceChange(({ name }, _config, random) => ({
    name: `renamed${Math.floor(random() * 1e6)}.${name.split('.').slice(1).join('.')}`,
  })),
  instanceRemove: (config, random) => {
    const [, second] = config.instances.all
    return second && { instances: new Map([[pick(random, config.instances.all).uuid, null]]) }
  },
  instanceAdd: (config, random) => {
    const node = pick(random, config.nodes.all)
    const uuid = randomUUID()
    clock++
    const base = { primary_node: node.uuid }
    const disks = random() < 0.5 ? [] : numbered([newDisk('plain', 1024, base)])
    const instance: Instance = {
      uuid,
      name: `new${Math.floor(random() * 1e6)}.example.com`,
      ...base,
      secondary_nodes: [],
      os: 'debian-etch',
      hypervisor: pick(random, ['xen-pvm', 'kvm']),
      hvparams: {},
      beparams: random() < 0.5 ? {} : { maxmem: 256, minmem: 256, vcpus: 2 },
      osparams: {},
      osparams_private: [],
      admin_state: 'down',
      admin_state_source: 'admin',
      disk_template: disks.length > 0 ? 'plain' : 'diskless',
      disks,
      disks_active: false,
      nics: [],
      network_port: 12_000 + Math.floor(random() * 900) + config.instances.all.length * 1000,
      forthcoming: false,
      ctime: clock,
      mtime: clock,
      serial_no: 1,
      tags: tags(random),
    }
    return { instances: only(instance) }
  },
  failover: instanceChange(({ secondary_nodes: [second], primary_node }) =>
    second === undefined
      ? undefined
      : { primary_node: second, secondary_nodes: [primary_node], admin_state: 'down' },
  ),
  nodeFlags: (config, random) => {
    const node = pick(random, config.nodes.all)
    if (node.uuid === config.cluster.master_node) return undefined
    const offline = random() < 0.3
    const drained = !offline && random() < 0.3
    const master_capable = random() < 0.8
    const can = !offline && !drained && master_capable
    return {
      nodes: only(
        revised<Node>(node, { offline, drained, master_capable, master_candidate: can && random() < 0.7 }),
      ),
    }
  },
  nodeParams: (config, random) => {
    const node = pick(random, config.nodes.all)
    const ndparams = random() < 0.4 ? {} : { ssh_port: 2222, cpu_speed: 1.5 }
    return { nodes: only(revised<Node>(node, { ndparams, tags: tags(random), powered: random() < 0.8 })) }
  },
  groupAdd: (_config, random) => {
    clock++
    const group: Group = {
      uuid: randomUUID(),
      name: `group${Math.floor(random() * 1e6)}`,
      alloc_policy: pick(random, ['preferred', 'last_resort', 'unallocable'] as const),
      ndparams: {},
      ipolicy: {},
      diskparams: {},
      networks: {},
      ctime: clock,
      mtime: clock,
      serial_no: 1,
      tags: tags(random),
    }
    return { groups: only(group) }
  },
  groupChange: (config, random) => {
    const group = pick(random, config.groups.all)
    const [bounds] = config.cluster.ipolicy.minmax
    return {
      groups: only(
        revised<Group>(group, {
          alloc_policy: pick(random, ['preferred', 'last_resort'] as const),
          ndparams: random() < 0.5 ? {} : { oob_program: '/bin/oob' },
          ipolicy: random() < 0.5 || !bounds ? {} : { minmax: [bounds], 'vcpu-ratio': 3.5 },
          diskparams: random() < 0.5 ? {} : { drbd: { 'resync-rate': 1024 }, plain: {} },
        }),
      ),
    }
  },
  groupRename: (config, random) => {
    const group = pick(random, config.groups.all)
    return { groups: only(revised<Group>(group, { name: `called${Math.floor(random() * 1e6)}` })) }
  },
  groupRemove: (config) => {
    const empty = config.groups.all.find(({ uuid }) => !config.groupNodes.has(uuid))
    return empty && config.groups.all.length > 1 ? { groups: new Map([[empty.uuid, null]]) } : undefined
  },
  nodeToGroup: (config, random) => {
    const node = pick(random, config.nodes.all)
    return { nodes: only(revised<Node>(node, { group: pick(random, config.groups.all).uuid })) }
  },
  networkAdd: (config, random) => {
    clock++
    const third = config.networks.all.length
    const bits = (size: number, ones: readonly number[]) =>
      Array.from({ length: size }, (_, place) => (ones.includes(place) ? '1' : '0')).join('')
    const network: Network = {
      uuid: randomUUID(),
      name: `net${Math.floor(random() * 1e6)}`,
      network: `10.7.${third}.0/28`,
      gateway: random() < 0.5 ? null : `10.7.${third}.1`,
      network6: null,
      gateway6: null,
      mac_prefix: random() < 0.5 ? null : 'aa:bb:cc',
      reservations: bits(16, []),
      ext_reservations: bits(16, [0, 1, 5, 6, 7, 9, 15]),
      ctime: clock,
      mtime: clock,
      serial_no: 1,
      tags: tags(random),
    }
    return { networks: only(network) }
  },
  networkConnect: (config, random) => {
    const network = config.networks.all.find(({ uuid }) => !config.networkInstances.has(uuid))
    const group = pick(random, config.groups.all)
    if (!network) return undefined
    const { [network.uuid]: connected, ...others } = group.networks
    const link = { mode: 'bridged', link: 'br9', vlan: random() < 0.5 ? '' : '.7' } as const
    return {
      groups: only(
        revised<Group>(group, { networks: connected ? others : { ...others, [network.uuid]: link } }),
      ),
    }
  },
  networkChange: (config, random) => {
    const network = pick(random, config.networks.all)
    if (!network) return undefined
    return {
      networks: only(
        revised<Network>(network, { tags: tags(random), mac_prefix: random() < 0.5 ? null : 'aa:bb:0c' }),
      ),
    }
  },
  networkRemove: (config) => {
    const free = config.networks.all.find(
      ({ uuid }) =>
        !config.networkInstances.has(uuid) && config.groups.all.every(({ networks }) => !networks[uuid]),
    )
    return free && { networks: new Map([[free.uuid, null]]) }
  },
  cluster: ({ cluster }, random) => ({
    cluster: revised(cluster, {
      tags: tags(random),
      candidate_pool_size: 1 + Math.floor(random() * 6),
      max_running_jobs: 20 + Math.floor(random() * 5),
      beparams: { ...cluster.beparams, vcpus: 1 + Math.floor(random() * 2) },
      ndparams: { ...cluster.ndparams, ssh_port: random() < 0.5 ? 22 : 2200 },
      hidden_os: random() < 0.5 ? [] : ['rescue', 'odd'],
      default_iallocator: random() < 0.5 ? '' : 'hail',
      maintain_node_health: random() < 0.5,
      os_hvp: random() < 0.5 ? {} : { 'debian-etch': { kvm: { acpi: false } } },
      hvparams: {
        ...cluster.hvparams,
        kvm: { ...cluster.hvparams.kvm, vnc_bind_address: random() < 0.5 ? '' : '0.0.0.0' },
      },
      ipolicy: { ...cluster.ipolicy, 'spindle-ratio': 16 * (1 + Math.floor(random() * 3)) },
    }),
  }),
  clusterBounds: ({ cluster }, random) => {
    const [bounds] = cluster.ipolicy.minmax
    if (!bounds) return undefined
    const max = { ...bounds.max, 'disk-count': 8 + Math.floor(random() * 8) }
    return { cluster: revised(cluster, { ipolicy: { ...cluster.ipolicy, minmax: [{ ...bounds, max }] } }) }
  },
  hypervisors: ({ cluster }, random) => {
    const enabled = [...cluster.enabled_hypervisors]
    return {
      cluster: revised(cluster, {
        enabled_hypervisors: random() < 0.5 ? enabled.reverse() : [...new Set([...enabled, 'fake'])],
      }),
    }
  },
  filter: ({ filters }, random) => {
    const [first] = filters
    if (first && random() < 0.4) return { filters: new Map([[pick(random, filters).uuid, null]]) }
    const rule = {
      uuid: first && random() < 0.3 ? first.uuid : randomUUID(),
      watermark: Math.floor(random() * 100),
      priority: Math.floor(random() * 5),
      predicates: random() < 0.3 ? [] : [['jobid', ['>', 'id', 'watermark']]],
      action: random() < 0.5 ? 'PAUSE' : ['RATE_LIMIT', 3],
      reason_trail: [
        ['me', 'why: because', 1],
        ['luxid', '', 1_795_323_678_895_675_001n],
      ],
    }
    return { filters: only(rule) }
  },
}
