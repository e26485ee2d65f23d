/** Requests that change a cluster, of all kinds, one at random after the other. */
import type { Json, JsonObject } from '../../lib/json/json.ts'
import type { Random } from '../fuzz/random.ts'
import type { Known } from './known.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: Json
}

interface Surroundings {
  readonly random: Random
  readonly known: Known
  /** Never gives the same number twice. */
  readonly fresh: () => number
}

type Maker = (around: Surroundings) => Asked | undefined

const enter = encodeURIComponent
const names = (all: object) => Object.keys(all)
const unchecked = { name_check: false, ip_check: false, ignore_ipolicy: true }

function one(random: Random, all: object): string {
  return random.pick(names(all))
}

const instance =
  (method: string, rest: string, body?: (around: Surroundings) => JsonObject): Maker =>
  (around) => {
    if (names(around.known.instances).length === 0) return undefined
    const path = `/2/instances/${enter(one(around.random, around.known.instances))}${rest}`
    return { method, path, ...(body && { body: body(around) }) }
  }

/** Of an instance whose disks have this template. */
const templated =
  (template: string, method: string, rest: string, body: (around: Surroundings) => JsonObject): Maker =>
  (around) => {
    const { random, known } = around
    const all = names(known.instances).filter((name) => known.instances[name]?.template === template)
    if (all.length === 0) return undefined
    return { method, path: `/2/instances/${enter(random.pick(all))}${rest}`, body: body(around) }
  }

function creation({ random, known, fresh }: Surroundings, template: string): JsonObject {
  const usable = names(known.nodes).filter(
    (name) => !known.nodes[name]?.offline && !known.nodes[name]?.drained,
  )
  const pnode = random.pick(usable.length > 0 ? usable : names(known.nodes))
  const others = usable.filter(
    (name) => name !== pnode && known.nodes[name]?.group === known.nodes[pnode]?.group,
  )
  return {
    __version__: 1,
    instance_name: `made${fresh()}.example.com`,
    mode: 'create',
    hypervisor: 'kvm',
    disk_template: template,
    disks: template === 'diskless' ? [] : random.several(1 + random.below(2), () => ({ size: 1024 })),
    nics: random.chance(0.5) ? [{}] : [],
    beparams: { memory: 128 + 64 * random.below(3), vcpus: 1 + random.below(2) },
    os_type: 'debian-etch',
    no_install: true,
    start: random.chance(0.3),
    pnode,
    ...(template === 'drbd' && { snode: random.pick(others.length > 0 ? others : names(known.nodes)) }),
    ...(random.chance(0.3) && { tags: [`c${fresh()}`] }),
    ...unchecked,
  }
}

const creating =
  (template: string): Maker =>
  (around) => ({ method: 'POST', path: '/2/instances', body: creation(around, template) })

const tagPaths = ({ random, known }: Surroundings): string => {
  const kinds: (readonly [string, object])[] = [
    ['instances', known.instances],
    ['nodes', known.nodes],
    ['groups', known.groups],
    ['networks', known.networks],
  ]
  const [section, all] = random.pick(kinds.filter(([, some]) => names(some).length > 0))
  return random.chance(0.1) ? '/2/tags' : `/2/${section}/${enter(one(random, all))}/tags`
}

/** By what they do, with how often they are wanted. */
const MAKERS: { readonly [kind: string]: readonly [weight: number, make: Maker] } = {
  createPlain: [3, creating('plain')],
  createDrbd: [4, creating('drbd')],
  createFile: [2, creating('file')],
  createDiskless: [2, creating('diskless')],
  multiAlloc: [
    1,
    (around) => ({
      method: 'POST',
      path: '/2/instances-multi-alloc',
      body: {
        instances: around.random.several(2, () => {
          const { __version__: _version, ...made } = creation(around, 'plain')
          return made
        }),
      },
    }),
  ],
  remove: [5, instance('DELETE', '')],
  rename: [
    2,
    instance('PUT', '/rename', ({ fresh }) => ({
      new_name: `named${fresh()}.example.com`,
      name_check: false,
      ip_check: false,
    })),
  ],
  memory: [
    3,
    instance('PUT', '/modify', ({ random }) => ({
      beparams: { memory: 128 + 32 * random.below(8), vcpus: 1 + random.below(3) },
      ignore_ipolicy: true,
    })),
  ],
  hvparams: [
    1,
    instance('PUT', '/modify', ({ fresh }) => ({ hvparams: { kernel_args: `ro n=${fresh()}` } })),
  ],
  osparams: [1, instance('PUT', '/modify', ({ fresh }) => ({ osparams: { mirror: `yes: #${fresh()}` } }))],
  nicAdd: [2, instance('PUT', '/modify', () => ({ nics: [['add', -1, {}]] }))],
  nicModify: [1, instance('PUT', '/modify', () => ({ nics: [['modify', 0, { link: 'br7' }]] }))],
  nicRemove: [1, instance('PUT', '/modify', () => ({ nics: [['remove', -1, {}]] }))],
  diskAdd: [
    2,
    instance('PUT', '/modify', () => ({ disks: [['add', -1, { size: 1024 }]], ignore_ipolicy: true })),
  ],
  diskModify: [1, instance('PUT', '/modify', () => ({ disks: [['modify', 0, { mode: 'ro' }]] }))],
  diskRemove: [1, instance('PUT', '/modify', () => ({ disks: [['remove', -1, {}]], ignore_ipolicy: true }))],
  grow: [3, instance('POST', '/disk/0/grow', () => ({ amount: 64, ignore_ipolicy: true }))],
  replaceDisks: [1, templated('drbd', 'POST', '/replace-disks', () => ({ mode: 'replace_on_primary' }))],
  newSecondary: [
    1,
    templated('drbd', 'POST', '/replace-disks', ({ random, known }) => ({
      mode: 'replace_new_secondary',
      remote_node: one(random, known.nodes),
      ignore_ipolicy: true,
    })),
  ],
  migrate: [2, templated('drbd', 'PUT', '/migrate', () => ({ allow_failover: true, ignore_ipolicy: true }))],
  failover: [2, templated('drbd', 'PUT', '/failover', () => ({ ignore_ipolicy: true }))],
  startup: [4, instance('PUT', '/startup')],
  shutdown: [4, instance('PUT', '/shutdown', () => ({}))],
  reboot: [2, instance('POST', '/reboot')],
  reinstall: [1, instance('POST', '/reinstall', () => ({ os: 'debian-etch', start: false }))],
  activate: [1, instance('PUT', '/activate-disks')],
  deactivate: [1, instance('PUT', '/deactivate-disks')],
  recreate: [1, instance('POST', '/recreate-disks', () => ({}))],
  info: [1, instance('GET', '/info')],
  role: [
    3,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/nodes/${enter(one(random, known.nodes))}/role?force=1`,
      body: random.pick(['regular', 'regular', 'master-candidate', 'drained', 'offline']),
    }),
  ],
  nodeModify: [
    1,
    ({ random, known }) => ({
      method: 'POST',
      path: `/2/nodes/${enter(one(random, known.nodes))}/modify`,
      body: { ndparams: { spindle_count: 1 + random.below(9) } },
    }),
  ],
  nodeMigrate: [
    1,
    ({ random, known }) => ({
      method: 'POST',
      path: `/2/nodes/${enter(one(random, known.nodes))}/migrate`,
      body: {},
    }),
  ],
  evacuate: [
    1,
    ({ random, known }) => ({
      method: 'POST',
      path: `/2/nodes/${enter(one(random, known.nodes))}/evacuate`,
      body: { mode: random.pick(['primary-only', 'secondary-only']), iallocator: 'hail' },
    }),
  ],
  storage: [
    1,
    ({ random, known }) => ({
      method: 'GET',
      path: `/2/nodes/${enter(one(random, known.nodes))}/storage?storage_type=lvm-vg&output_fields=name`,
    }),
  ],
  storageModify: [
    1,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/nodes/${enter(one(random, known.nodes))}/storage/modify?storage_type=lvm-pv&name=sda&allocatable=1`,
    }),
  ],
  groupAdd: [
    2,
    ({ random, fresh }) => ({
      method: 'POST',
      path: '/2/groups',
      body: { name: `group${fresh()}`, alloc_policy: random.pick(['preferred', 'last_resort']) },
    }),
  ],
  groupRename: [
    1,
    ({ random, known, fresh }) => ({
      method: 'PUT',
      path: `/2/groups/${enter(one(random, known.groups))}/rename`,
      body: { new_name: `group${fresh()}` },
    }),
  ],
  groupModify: [
    1,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/groups/${enter(one(random, known.groups))}/modify`,
      body: { alloc_policy: random.pick(['preferred', 'last_resort', 'unallocable']) },
    }),
  ],
  assign: [
    1,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/groups/${enter(one(random, known.groups))}/assign-nodes?force=1`,
      body: { nodes: [one(random, known.nodes)] },
    }),
  ],
  groupRemove: [
    2,
    ({ random, known }) => ({ method: 'DELETE', path: `/2/groups/${enter(one(random, known.groups))}` }),
  ],
  networkAdd: [
    2,
    ({ random, fresh }) => ({
      method: 'POST',
      path: '/2/networks',
      body: {
        network_name: `net${fresh()}`,
        network: `10.${random.below(200)}.${random.below(200)}.0/24`,
        tags: random.chance(0.5) ? [`n${fresh()}`] : [],
      },
    }),
  ],
  networkModify: [
    1,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/networks/${enter(one(random, known.networks))}/modify`,
      body: { mac_prefix: random.pick(['aa:bb:c1', 'aa:bb:c2']) },
    }),
  ],
  networkConnect: [
    2,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/networks/${enter(one(random, known.networks))}/connect`,
      body: {
        group_name: one(random, known.groups),
        network_mode: 'bridged',
        network_link: 'br0',
        conflicts_check: false,
      },
    }),
  ],
  networkDisconnect: [
    1,
    ({ random, known }) => ({
      method: 'PUT',
      path: `/2/networks/${enter(one(random, known.networks))}/disconnect`,
      body: { group_name: one(random, known.groups) },
    }),
  ],
  networkRename: [
    1,
    ({ random, known, fresh }) => ({
      method: 'PUT',
      path: `/2/networks/${enter(one(random, known.networks))}/rename`,
      body: { new_name: `net${fresh()}` },
    }),
  ],
  networkRemove: [
    1,
    ({ random, known }) => ({ method: 'DELETE', path: `/2/networks/${enter(one(random, known.networks))}` }),
  ],
  tag: [10, (around) => ({ method: 'PUT', path: `${tagPaths(around)}?tag=t${around.fresh()}` })],
  untag: [
    2,
    ({ random, known }) => {
      const all = names(known.instances).filter((name) => known.instances[name]?.tags.length)
      if (all.length === 0) return undefined
      const name = random.pick(all)
      const tag = random.pick(known.instances[name]?.tags ?? [])
      return { method: 'DELETE', path: `/2/instances/${enter(name)}/tags?tag=${enter(tag)}` }
    },
  ],
  cluster: [
    2,
    ({ random }) => ({
      method: 'PUT',
      path: '/2/modify',
      body: { candidate_pool_size: 2 + random.below(8), maintain_node_health: random.chance(0.5) },
    }),
  ],
  redistribute: [1, () => ({ method: 'PUT', path: '/2/redistribute-config' })],
  filterAdd: [
    2,
    ({ random, fresh }) => ({
      method: 'POST',
      path: '/2/filters',
      body: {
        priority: random.below(9),
        predicates: [['opcode', ['==', 'OP_ID', 'OP_INSTANCE_REBOOT']]],
        action: random.pick(['ACCEPT', ['RATE_LIMIT', 2]] as Json[]),
        reason: [['person', `for ${fresh()}`, 1]],
      },
    }),
  ],
  query: [2, () => ({ method: 'PUT', path: '/2/query/instance', body: { fields: ['name', 'status'] } })],
}

const WEIGHTED = Object.values(MAKERS).flatMap(([weight, make]) => Array<Maker>(weight).fill(make))

/** A request that may come to something on a cluster like this. */
export function randomRequest(around: Surroundings): Asked {
  for (;;) {
    const made = around.random.pick(WEIGHTED)(around)
    if (made) return made
  }
}
