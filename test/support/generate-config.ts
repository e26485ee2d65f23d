/**
 * Makes a large, realistic `config.data` of Ganeti 3.0, always the same one
 * for the same numbers, to see how the daemon does with it.
 *
 *     node dist/test/support/generate-config.js INSTANCES NODES PATH
 */
import { writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Json, JsonObject } from '../../lib/json/json.ts'

const TEMPLATES = ['drbd', 'drbd', 'drbd', 'drbd', 'plain', 'plain', 'file', 'rbd', 'diskless'] as const
const STATES = ['up', 'up', 'up', 'up', 'up', 'up', 'down', 'offline'] as const
const OSES = ['debian+bookworm', 'debian+trixie', 'debian+sid', 'ubuntu+noble', 'windows'] as const
const HYPERVISORS = ['kvm', 'kvm', 'kvm', 'xen-pvm'] as const
const TAGS = [
  'production',
  'staging',
  'web',
  'db',
  'owner:ops',
  'owner:dev',
  'backup:daily',
  'htools:iextags:svc',
]
const GROUP_SIZE = 50
const CREATED = 1_700_000_000

/** @param counts at least two nodes, which DRBD needs */
export function generateConfig(counts: { readonly instances: number; readonly nodes: number }): JsonObject {
  const random = randomNumbers(counts.instances * 1009 + counts.nodes)
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  const uuid = () => uuidFrom(random)
  const stamps = () => {
    const ctime = CREATED + Math.floor(random() * 1e12) / 1e6
    return {
      ctime,
      mtime: ctime + Math.floor(random() * 1e11) / 1e6,
      serial_no: 1 + Math.floor(random() * 40),
    }
  }

  const network = { uuid: uuid(), name: 'net1' }
  const groups = Array.from({ length: Math.ceil(counts.nodes / GROUP_SIZE) }, (_, number) => ({
    uuid: uuid(),
    name: number === 0 ? 'default' : `group${number}`,
    alloc_policy: 'preferred',
    ndparams: {},
    ipolicy: {},
    diskparams: {},
    members: [],
    networks: { [network.uuid]: { mode: 'bridged', link: 'br0', vlan: '' } },
    tags: [],
    ...stamps(),
  }))
  const nodes = Array.from({ length: counts.nodes }, (_, number) => ({
    uuid: uuid(),
    name: `node${number + 1}.example.com`,
    primary_ip: `10.${1 + Math.floor(number / 250)}.0.${1 + (number % 250)}`,
    secondary_ip: `10.${101 + Math.floor(number / 250)}.0.${1 + (number % 250)}`,
    group: (groups[Math.floor(number / GROUP_SIZE)] as { uuid: string }).uuid,
    master_candidate: number < 10,
    master_capable: true,
    vm_capable: true,
    offline: number > 0 && number % 97 === 0,
    drained: number > 0 && number % 89 === 0,
    powered: true,
    ndparams: {},
    tags: random() < 0.5 ? [`rack:r${number % 20}`] : [],
    ...stamps(),
  }))

  const instances: { [uuid: string]: Json } = {}
  const disks: { [uuid: string]: Json } = {}
  for (let number = 0; number < counts.instances; number++) {
    const name = `inst${number + 1}.example.com`
    const template = pick(TEMPLATES)
    const primary = number % nodes.length
    const holders = holdersOf(
      template,
      [primary, (primary + 1) % nodes.length].map((at) => nodes[at]?.uuid ?? ''),
    )
    const times = stamps()
    const ofInstance = Array.from({ length: template === 'diskless' ? 0 : 1 + (number % 3) }, (_, index) => {
      const size = 1024 * (1 + Math.floor(random() * 200))
      return {
        iv_name: `disk/${index}`,
        name: index === 0 ? 'root' : `data${index}`,
        ...disk(template, size, index),
      }
    })
    for (const one of ofInstance) disks[one.uuid] = one
    const state = pick(STATES)
    const hypervisor = pick(HYPERVISORS)
    const memory = 256 * (1 + Math.floor(random() * 16))
    const id = uuid()
    instances[id] = {
      uuid: id,
      name,
      primary_node: nodes[primary]?.uuid ?? '',
      os: pick(OSES),
      hypervisor,
      hvparams:
        random() < 0.3 ? { boot_order: 'network', ...(hypervisor === 'kvm' && { cpu_type: 'host' }) } : {},
      beparams: { minmem: memory, maxmem: memory * 2, vcpus: 1 + Math.floor(random() * 8) },
      osparams: random() < 0.2 ? { mirror: 'http://deb.example.com' } : {},
      osparams_private: {},
      admin_state: state,
      admin_state_source: 'admin',
      nics: Array.from({ length: 1 + (number % 2) }, (_, index) => ({
        uuid: uuid(),
        mac: `aa:00:${hex(number >> 8)}:${hex(number)}:00:${hex(index)}`,
        ...(index === 0
          ? {
              ip: `172.${16 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`,
              network: network.uuid,
              nicparams: { mode: 'bridged', link: 'br0', vlan: '' },
            }
          : { nicparams: random() < 0.5 ? {} : { link: 'br1' } }),
      })),
      disks: ofInstance.map((one) => one.uuid),
      disks_active: state === 'up',
      ...(hypervisor === 'kvm' && { network_port: 11_000 + (number % 4_000) }),
      tags: TAGS.filter(() => random() < 0.15),
      ...times,
    }

    function disk(devType: string, size: number, index: number): JsonObject & { uuid: string } {
      const id = uuid()
      const common = { uuid: id, dev_type: devType, size, mode: 'rw', params: {}, nodes: holders, ...times }
      const volume = (part: string, partSize: number) => ({
        ...{ ...common, uuid: uuid(), dev_type: 'plain', size: partSize, iv_name: '', children: [] },
        logical_id: ['xenvg', `${id}.disk${index}_${part}`],
      })
      if (devType !== 'drbd') {
        const where = { plain: 'xenvg', file: 'loop', rbd: 'rbd' }[devType] ?? devType
        return { ...common, logical_id: [where, `${id}.disk${index}`], children: [] }
      }
      return {
        ...common,
        logical_id: [...holders, 11_000 + (number % 4_000), number % 256, number % 256, hexOf(random, 40)],
        children: [volume('data', size), volume('meta', 128)],
      }
    }
  }

  return {
    version: 3_000_000,
    cluster: {
      uuid: uuid(),
      cluster_name: 'cluster.example.com',
      master_node: nodes[0]?.uuid ?? '',
      master_ip: '10.0.0.1',
      master_netdev: 'br0',
      master_netmask: 32,
      mac_prefix: 'aa:00:00',
      volume_group_name: 'xenvg',
      file_storage_dir: '/srv/ganeti/file-storage',
      enabled_hypervisors: ['kvm', 'xen-pvm'],
      enabled_disk_templates: ['drbd', 'plain', 'file', 'rbd', 'diskless'],
      beparams: {
        default: { minmem: 128, maxmem: 128, vcpus: 1, auto_balance: true, always_failover: false },
      },
      nicparams: { default: { mode: 'bridged', link: 'br0', vlan: '' } },
      primary_ip_family: 2,
      tags: ['env:test'],
      ...stamps(),
    },
    nodes: byUuid(nodes),
    nodegroups: byUuid(groups),
    instances,
    networks: {
      [network.uuid]: {
        ...network,
        network: '172.16.0.0/16',
        reservations: Array.from({ length: 65_536 }, (_, at) => (at < counts.instances ? '1' : '0')).join(''),
        ext_reservations: `1${'0'.repeat(65_534)}1`,
        tags: [],
        ...stamps(),
      },
    },
    disks,
    filters: {},
    ...stamps(),
  }
}

function holdersOf(template: string, nodes: readonly string[]): readonly string[] {
  if (template === 'drbd') return nodes
  return template === 'plain' || template === 'file' ? nodes.slice(0, 1) : []
}

function byUuid<T extends JsonObject & { uuid: string }>(objects: readonly T[]): JsonObject {
  return Object.fromEntries(objects.map((object) => [object.uuid, object]))
}

function hex(number: number): string {
  return (number & 255).toString(16).padStart(2, '0')
}

function hexOf(random: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')
}

function uuidFrom(random: () => number): string {
  const digits = hexOf(random, 32)
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`
}

/** Numbers from 0 up to 1 that only look random (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [instances, nodes, path] = argv.slice(2)
  if (path === undefined) throw new Error('usage: generate-config.js INSTANCES NODES PATH')
  writeFileSync(path, JSON.stringify(generateConfig({ instances: Number(instances), nodes: Number(nodes) })))
}
