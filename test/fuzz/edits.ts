/**
 * Edits of a made cluster file, one after the other, as the job queue makes
 * them; and what must be true after each.
 */
import { isDeepStrictEqual } from 'node:util'
import { makeYamlText } from '../../lib/backend/config-file/yaml/document/make-yaml-text.ts'
import type { YamlText } from '../../lib/backend/config-file/yaml/document/yaml-text.ts'
import { readYamlText } from '../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { writeChange } from '../../lib/backend/config-file/yaml/write/write-change.ts'
import { Failure } from '../../lib/failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../lib/json/json.ts'
import type { Change } from '../../lib/model/change.ts'
import { type Config, indexConfig } from '../../lib/model/config.ts'
import { LiveCluster, numbers, opcode, told } from '../support/live-cluster.ts'
import { CHANGES } from '../support/random-changes.ts'
import { ODD_TEXTS, text as oddText, tagList } from './cluster-plan.ts'
import { collateral } from './edit-checks.ts'
import { Random } from './random.ts'

/** A change: of which kind, and the seed of all else about it. */
export interface Step {
  readonly kind: string
  readonly seed: number
}

/** A file and what is done to it. */
export interface Edits {
  readonly file: string
  readonly steps: readonly Step[]
}

export interface Tried {
  /** False where the file is none. */
  readonly readable: boolean
  readonly reason?: string
  /** Changes that were written. */
  readonly edits: number
  /** Changes that came to nothing because the rest of the file, or the operation, does not allow them. */
  readonly contradictions: number
  /** Changes of which the editor said that it cannot write them. */
  readonly refusals: readonly string[]
  /** The file, and what it was after each change. */
  readonly texts: readonly string[]
  /** What is wrong. */
  readonly fault?: string
}

/** Opcodes as a client could submit them; undefined where the cluster has nothing for them. */
const OPCODES: { readonly [kind: string]: (config: Config, random: Random) => JsonObject | undefined } = {
  tagsSet: (config, random) => {
    const target = tagged(config, random)
    return (
      target &&
      opcode('OP_TAGS_SET', {
        ...target,
        tags: ['yes', 'x', '012', ...tagList(random)].slice(random.below(3)),
      })
    )
  },
  tagsDel: (config, random) => {
    const having = [
      ...config.instances.all.map((one) => ['instance', one] as const),
      ...config.nodes.all.map((one) => ['node', one] as const),
    ].filter(([, { tags }]) => tags.length > 0)
    const [kind, object] = having.length > 0 ? random.pick(having) : []
    return (
      object && kind && opcode('OP_TAGS_DEL', { kind, name: object.name, tags: [random.pick(object.tags)] })
    )
  },
  shutdown: ofInstance('OP_INSTANCE_SHUTDOWN', () => ({})),
  startup: ofInstance('OP_INSTANCE_STARTUP', () => ({ force: false })),
  remove: ofInstance('OP_INSTANCE_REMOVE', () => ({ ignore_failures: true })),
  rename: ofInstance('OP_INSTANCE_RENAME', (random) => ({
    new_name: random.pick(['r1.example.com', '12.example.com', 'long-long-name.example.com', 'true']),
    name_check: false,
    ip_check: false,
  })),
  osparams: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    osparams: oddMap(random),
    ignore_ipolicy: true,
  })),
  beparams: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    beparams: { vcpus: random.pick([1, 2, 3, 'default']), ...(random.chance(0.5) && { memory: 256 }) },
    ignore_ipolicy: true,
  })),
  hvparams: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    hvparams: { kernel_args: oddText(random, ['ro']), acpi: random.pick([true, false, 'default']) },
    ignore_ipolicy: true,
  })),
  nicAdd: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    nics: [
      [
        'add',
        random.pick([-1, 0, 1]),
        { link: 'br0', ...(random.chance(0.3) && { mac: '52:54:00:99:99:01' }) },
      ],
    ],
    ignore_ipolicy: true,
  })),
  nicRemove: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    nics: [['remove', random.pick([0, 1, -1]), {}]],
    ignore_ipolicy: true,
  })),
  nicModify: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    nics: [
      [
        'modify',
        random.pick([0, 1]),
        { link: random.pick(['br5', 'br0']), name: random.pick(['none', 'up']) },
      ],
    ],
    ignore_ipolicy: true,
  })),
  diskAdd: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    disks: [['add', random.pick([-1, 0, 1]), { size: 128, ...(random.chance(0.3) && { name: 'new' }) }]],
    ignore_ipolicy: true,
  })),
  diskRemove: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    disks: [['remove', random.pick([0, 1, -1]), {}]],
    ignore_ipolicy: true,
  })),
  diskModify: ofInstance('OP_INSTANCE_SET_PARAMS', (random) => ({
    disks: [['modify', random.pick([0, 1]), { mode: random.pick(['ro', 'rw']) }]],
    ignore_ipolicy: true,
  })),
  grow: ofInstance('OP_INSTANCE_GROW_DISK', (random) => ({
    disk: random.below(2),
    amount: 64,
    ignore_ipolicy: true,
  })),
  create: ({ nodes }, random) =>
    opcode('OP_INSTANCE_CREATE', {
      instance_name: random.pick(['new.example.com', 'b', '44', 'zz.example.com', 'a']),
      mode: 'create',
      pnode: random.pick(nodes.all).name,
      disk_template: random.pick(['plain', 'diskless', 'file']),
      disks: random.chance(0.5) ? [{ size: 256 }] : [],
      nics: random.chance(0.5) ? [{}] : [],
      osparams: random.chance(0.5) ? oddMap(random) : {},
      os_type: 'debian',
      no_install: true,
      ip_check: false,
      name_check: false,
      ignore_ipolicy: true,
    }),
  nodeSet: ({ nodes }, random) =>
    opcode('OP_NODE_SET_PARAMS', {
      node_name: random.pick(nodes.all).name,
      ...random.pick([
        { drained: true },
        { drained: false },
        { master_capable: false },
        { ndparams: { ssh_port: 2022 } },
      ] as JsonObject[]),
    }),
  groupAdd: (_config, random) =>
    opcode('OP_GROUP_ADD', {
      group_name: random.pick([
        '<<',
        'new',
        '__proto__',
        '12',
        'ja',
        'yes',
        'x y',
        '-',
        '~',
        ...ODD_TEXTS.filter((one) => one !== ''),
      ]),
    }),
  groupRemove: ({ groups }, random) =>
    opcode('OP_GROUP_REMOVE', { group_name: random.pick(groups.all).name }),
  groupRename: ({ groups }, random) =>
    opcode('OP_GROUP_RENAME', {
      group_name: random.pick(groups.all).name,
      new_name: random.pick(['<<', 'other', 'constructor', 'no', '1.0', "it's"]),
    }),
  groupSet: ({ groups }, random) =>
    opcode('OP_GROUP_SET_PARAMS', {
      group_name: random.pick(groups.all).name,
      alloc_policy: random.pick(['preferred', 'unallocable']),
    }),
  assign: ({ groups, nodes }, random) =>
    opcode('OP_GROUP_ASSIGN_NODES', {
      group_name: random.pick(groups.all).name,
      nodes: [random.pick(nodes.all).name],
      force: true,
    }),
  networkAdd: (_config, random) =>
    opcode('OP_NETWORK_ADD', {
      network_name: random.pick(['<<', 'net', '007', 'off', 'a: b']),
      network: '203.0.113.0/24',
      ...(random.chance(0.5) && { gateway: '203.0.113.1', tags: ['yes'] }),
      conflicts_check: false,
    }),
  networkConnect: ({ groups, networks }, random) =>
    networks.all.length === 0
      ? undefined
      : opcode('OP_NETWORK_CONNECT', {
          group_name: random.pick(groups.all).name,
          network_name: random.pick(networks.all).name,
          network_mode: 'bridged',
          network_link: 'br3',
          conflicts_check: false,
        }),
  networkRemove: ({ networks }, random) =>
    networks.all.length === 0
      ? undefined
      : opcode('OP_NETWORK_REMOVE', { network_name: random.pick(networks.all).name }),
  clusterOsparams: (_config, random) =>
    opcode('OP_CLUSTER_SET_PARAMS', { osparams: { debian: oddMap(random) } }),
  clusterParams: (_config, random) =>
    opcode(
      'OP_CLUSTER_SET_PARAMS',
      random.pick([
        { candidate_pool_size: 5 },
        { default_iallocator_params: oddMap(random) },
        { beparams: { vcpus: 2 } },
        { maintain_node_health: true },
      ] as JsonObject[]),
    ),
}

function oddMap(random: Random): JsonObject {
  return Object.fromEntries(
    random.several(1 + random.below(2), () => [
      oddText(random, ['mirror', 'size'], 0.6),
      oddText(random, ['x', 'a b'], 0.6),
    ]),
  )
}

function ofInstance(name: string, given: (random: Random) => JsonObject) {
  return ({ instances }: Config, random: Random) =>
    instances.all.length === 0
      ? undefined
      : opcode(name, { instance_name: random.pick(instances.all).name, ...given(random) })
}

function tagged({ instances, nodes, groups, networks }: Config, random: Random): JsonObject | undefined {
  const all: JsonObject[] = [{ kind: 'cluster', name: null }]
  for (const [kind, { all: objects }] of Object.entries({
    instance: instances,
    node: nodes,
    nodegroup: groups,
    network: networks,
  })) {
    if (objects.length > 0)
      all.push(
        { kind, name: random.pick<{ name: string }>(objects).name },
        { kind, name: random.pick<{ name: string }>(objects).name },
      )
  }
  return random.pick(all)
}

export const KINDS: readonly string[] = [
  ...Object.keys(OPCODES),
  ...Object.keys(OPCODES),
  ...Object.keys(CHANGES),
]

/** Not what a client can do, and not written: several changes at once are told apart by these. */
class Refused extends Error {}

class EditedCluster extends LiveCluster {
  text: YamlText

  constructor(file: string, random: () => number) {
    const { objects, cuts } = readYamlText(file, { name: 'cluster.yaml', mtime: 1_700_000_000 })
    super(indexConfig(objects), random)
    this.config = indexConfig(objects)
    this.text = makeYamlText(file, cuts)
  }

  override apply(change: Change): void {
    if (Object.values(change).every((one) => one === undefined)) return
    let written: ReturnType<typeof writeChange>
    try {
      written = writeChange(this.text, this.config, change)
      written.text.toString()
    } catch (error) {
      // What contradicts the rest of the file comes to nothing.
      if (error instanceof Failure && error.code !== 'internal') throw new Refused(error.message)
      throw error
    }
    this.text = written.text
    this.config = written.config
  }
}

export function tryEdits({ file, steps }: Edits): Tried {
  const texts = [file]
  const refusals: string[] = []
  let contradictions = 0
  const tried = (fault?: string, readable = true, reason?: string): Tried => ({
    readable,
    edits: texts.length - 1,
    contradictions,
    refusals,
    texts,
    ...(fault !== undefined && { fault }),
    ...(reason !== undefined && { reason }),
  })
  let cluster: EditedCluster
  try {
    cluster = new EditedCluster(file, numbers(1))
  } catch (error) {
    if (error instanceof Failure) return tried(undefined, false, error.message)
    return tried(`reading threw ${(error as Error).stack}`)
  }
  for (const { kind, seed } of steps) {
    const random = new Random(seed)
    const before = cluster.config
    const was = cluster.text.toString()
    try {
      const make = CHANGES[kind]
      if (make) {
        const change = make(before, () => random.below(1e9) / 1e9)
        if (!change) continue
        cluster.apply(change)
      } else {
        const op = OPCODES[kind]?.(before, random)
        if (!op) continue
        if (cluster.run(op).status === 'error') contradictions++
      }
    } catch (error) {
      if (error instanceof Refused) contradictions++
      else if (error instanceof Failure && error.code === 'internal')
        refusals.push(`${kind}: ${error.message}`)
      // An opcode that no client could submit.
      else if (error instanceof Failure) contradictions++
      else return tried(`${kind} threw ${(error as Error).stack}`)
      continue
    }
    const now = cluster.text.toString()
    if (now === was && cluster.config === before) continue
    texts.push(now)
    const fault = faultOf(was, now, before, cluster)
    if (fault !== undefined) return tried(`after ${kind}: ${fault}`)
  }
  return tried()
}

function faultOf(was: string, now: string, before: Config, cluster: EditedCluster): string | undefined {
  let again: ReturnType<typeof readYamlText>
  try {
    again = readYamlText(now, { name: 'cluster.yaml', mtime: 1_790_000_000 })
  } catch (error) {
    return `a start refuses the file: ${(error as Error).message}`
  }
  const [read, held] = [told(indexConfig(again.objects)), told(cluster.config)]
  const differs = (Object.keys(held) as (keyof typeof held)[]).find(
    (key) => !isDeepStrictEqual(timeless(read[key]), timeless(held[key])),
  )
  if (differs !== undefined) return `the state read is not the one wanted, in ${differs}`
  const said = cluster.text.value()
  if (!sameValue(again.value, said)) return 'the values read are not those that the editor knows'
  return collateral(was, now, renamesOf(before, cluster.config))
}

/** What the file itself leaves open follows from its time, which is another one here. */
function timeless(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, one) =>
      key === 'ctime' || key === 'mtime' ? undefined : typeof one === 'bigint' ? String(one) : one,
    ) ?? 'null',
  )
}

function sameValue(read: Json, held: Json): boolean {
  const full = (value: Json) =>
    isJsonObject(value) ? Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null)) : {}
  return equalJson(full(read), full(held))
}

function renamesOf(before: Config, after: Config): ReadonlyMap<string, string> {
  const renames = new Map<string, string>()
  for (const section of ['groups', 'networks', 'nodes', 'instances'] as const) {
    for (const { uuid, name } of before[section].all as readonly { uuid: string; name: string }[]) {
      const now = after[section].byUuid.get(uuid)
      if (now && now.name !== name) renames.set(`${section}/${name}`, `${section}/${now.name}`)
    }
  }
  return renames
}
