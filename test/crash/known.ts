/**
 * What must be true of a cluster, as far as it is told by the jobs that were
 * said to have succeeded and by what a person did to its file.
 */
import type { Json, JsonObject } from '../../lib/json/json.ts'
import type { Config } from '../../lib/model/config.ts'

export interface KnownInstance {
  tags: readonly string[]
  state: string
  memory: number | undefined
  vcpus: number | undefined
  /** MiB */
  disks: readonly number[]
  nics: number
  template: string
  /** Primary and secondary; undefined once an allocator has chosen. */
  nodes: readonly (string | undefined)[] | undefined
}

export interface Known {
  cluster: { tags: readonly string[]; candidatePoolSize: number }
  instances: { [name: string]: KnownInstance }
  nodes: { [name: string]: { tags: readonly string[]; offline: boolean; drained: boolean; group: string } }
  groups: { [name: string]: { tags: readonly string[]; policy: string; networks: readonly string[] } }
  networks: { [name: string]: { tags: readonly string[]; macPrefix: string | null } }
}

const sorted = (words: readonly string[]) => [...new Set(words)].sort()

/** What is to be compared of a cluster. */
export function knownOf({ cluster, instances, nodes, groups, networks }: Config): Known {
  const nodeName = (uuid: string) => nodes.byUuid.get(uuid)?.name ?? uuid
  return {
    cluster: { tags: sorted(cluster.tags), candidatePoolSize: cluster.candidate_pool_size },
    instances: byName(instances.all, (one) => ({
      tags: sorted(one.tags),
      state: one.admin_state,
      memory: one.beparams.maxmem,
      vcpus: one.beparams.vcpus,
      disks: one.disks.map(({ size }) => size),
      nics: one.nics.length,
      template: one.disk_template,
      nodes: [nodeName(one.primary_node), ...one.secondary_nodes.map(nodeName)],
    })),
    nodes: byName(nodes.all, (one) => ({
      tags: sorted(one.tags),
      offline: one.offline,
      drained: one.drained,
      group: groups.byUuid.get(one.group)?.name ?? one.group,
    })),
    groups: byName(groups.all, (one) => ({
      tags: sorted(one.tags),
      policy: one.alloc_policy,
      networks: sorted(Object.keys(one.networks).map((uuid) => networks.byUuid.get(uuid)?.name ?? uuid)),
    })),
    networks: byName(networks.all, (one) => ({ tags: sorted(one.tags), macPrefix: one.mac_prefix })),
  }
}

function byName<T extends { readonly name: string }, U>(all: readonly T[], of: (one: T) => U) {
  return Object.fromEntries(all.map((one) => [one.name, of(one)]))
}

type Effect = (known: Known, op: JsonObject) => void

const text = (value: Json | undefined) => String(value)
const list = (value: Json | undefined) => (Array.isArray(value) ? value : []) as readonly JsonObject[]

function ofInstance(change: (one: KnownInstance, op: JsonObject) => void): Effect {
  return (known, op) => {
    const one = known.instances[text(op.instance_name)]
    if (one) change(one, op)
  }
}

function renamed<T>(all: { [name: string]: T }, from: string, to: string): void {
  const one = all[from]
  if (one === undefined) return
  delete all[from]
  all[to] = one
}

/** The object that an opcode about tags names. */
function tagged(known: Known, { kind, name }: JsonObject): { tags: readonly string[] } | undefined {
  const sections = {
    instance: known.instances,
    node: known.nodes,
    nodegroup: known.groups,
    network: known.networks,
  }
  return kind === 'cluster' ? known.cluster : sections[kind as keyof typeof sections]?.[text(name)]
}

/** To the other node of its mirrors, or where it was told to; an instance without disks can be anywhere. */
const swap = ofInstance((one, op) => {
  if (one.template !== 'drbd') one.nodes = op.target_node ? [text(op.target_node)] : undefined
  else if (one.nodes) one.nodes = [one.nodes[1], one.nodes[0]]
})

function beparams(one: KnownInstance, given: Json | undefined): void {
  const { memory, maxmem = memory, vcpus } = (given ?? {}) as JsonObject
  if (typeof maxmem === 'number') one.memory = maxmem
  if (typeof vcpus === 'number') one.vcpus = vcpus
}

/** What an opcode that succeeded has done; those that are left out change nothing that is compared. */
const EFFECTS: { readonly [opcode: string]: Effect } = {
  OP_INSTANCE_CREATE: (known, op) => {
    const one: KnownInstance = {
      tags: sorted((op.tags ?? []) as unknown as string[]),
      // Without an operating system it is not started.
      state: op.start === false || op.no_install === true ? 'down' : 'up',
      memory: undefined,
      vcpus: undefined,
      disks: list(op.disks).map(({ size }) => Number(size)),
      nics: list(op.nics).length,
      template: list(op.disks).length === 0 ? 'diskless' : text(op.disk_template),
      nodes: op.pnode
        ? [text(op.pnode), ...(op.disk_template === 'drbd' ? [text(op.snode)] : [])]
        : undefined,
    }
    beparams(one, op.beparams)
    known.instances[text(op.instance_name)] = one
  },
  OP_INSTANCE_REMOVE: (known, op) => {
    delete known.instances[text(op.instance_name)]
  },
  OP_INSTANCE_RENAME: (known, op) => renamed(known.instances, text(op.instance_name), text(op.new_name)),
  OP_INSTANCE_STARTUP: ofInstance((one) => {
    one.state = 'up'
  }),
  OP_INSTANCE_REBOOT: ofInstance((one) => {
    one.state = 'up'
  }),
  OP_INSTANCE_SHUTDOWN: ofInstance((one) => {
    one.state = 'down'
  }),
  OP_INSTANCE_MIGRATE: swap,
  OP_INSTANCE_FAILOVER: swap,
  OP_INSTANCE_REPLACE_DISKS: ofInstance((one, op) => {
    if (op.remote_node) one.nodes = one.nodes && [one.nodes[0], text(op.remote_node)]
    else if (op.iallocator || op.mode === 'replace_new_secondary') one.nodes = undefined
  }),
  OP_INSTANCE_GROW_DISK: ofInstance((one, op) => {
    one.disks = one.disks.map((size, index) => (index === op.disk ? size + Number(op.amount) : size))
  }),
  OP_INSTANCE_SET_PARAMS: ofInstance((one, op) => {
    beparams(one, op.beparams)
    for (const [action, , given] of list(op.nics) as unknown as readonly [string, number, JsonObject][]) {
      if (given) one.nics += action === 'add' ? 1 : action === 'remove' ? -1 : 0
    }
    for (const [action, , given] of list(op.disks) as unknown as readonly [string, number, JsonObject][]) {
      if (action === 'add') one.disks = [...one.disks, Number(given.size)]
      if (action === 'remove') one.disks = one.disks.slice(0, -1)
    }
    if (one.disks.length === 0) {
      one.template = 'diskless'
      one.nodes = one.nodes?.slice(0, 1)
    }
  }),
  OP_NODE_SET_PARAMS: (known, op) => {
    const node = known.nodes[text(op.node_name)]
    if (!node) return
    if (op.offline === true) Object.assign(node, { offline: true, drained: false })
    else if (op.drained === true) Object.assign(node, { offline: false, drained: true })
    else if (op.master_candidate === true) Object.assign(node, { offline: false, drained: false })
    else {
      if (op.offline === false) node.offline = false
      if (op.drained === false) node.drained = false
    }
  },
  OP_GROUP_ADD: (known, op) => {
    const policy = typeof op.alloc_policy === 'string' ? op.alloc_policy : 'preferred'
    known.groups[text(op.group_name)] = { tags: [], policy, networks: [] }
  },
  OP_GROUP_REMOVE: (known, op) => {
    delete known.groups[text(op.group_name)]
  },
  OP_GROUP_RENAME: (known, op) => {
    renamed(known.groups, text(op.group_name), text(op.new_name))
    for (const node of Object.values(known.nodes))
      if (node.group === op.group_name) node.group = text(op.new_name)
  },
  OP_GROUP_SET_PARAMS: (known, op) => {
    const group = known.groups[text(op.group_name)]
    if (group && typeof op.alloc_policy === 'string') group.policy = op.alloc_policy
  },
  OP_GROUP_ASSIGN_NODES: (known, op) => {
    for (const name of (op.nodes ?? []) as unknown as readonly string[]) {
      const node = known.nodes[name]
      if (node) node.group = text(op.group_name)
    }
  },
  OP_NETWORK_ADD: (known, op) => {
    known.networks[text(op.network_name)] = {
      tags: sorted((op.tags ?? []) as unknown as string[]),
      macPrefix: (op.mac_prefix as string | null | undefined) ?? null,
    }
  },
  OP_NETWORK_REMOVE: (known, op) => {
    delete known.networks[text(op.network_name)]
  },
  OP_NETWORK_RENAME: (known, op) => {
    const [from, to] = [text(op.network_name), text(op.new_name)]
    renamed(known.networks, from, to)
    for (const group of Object.values(known.groups))
      group.networks = sorted(group.networks.map((name) => (name === from ? to : name)))
  },
  OP_NETWORK_SET_PARAMS: (known, op) => {
    const network = known.networks[text(op.network_name)]
    if (network && typeof op.mac_prefix === 'string') network.macPrefix = op.mac_prefix
  },
  OP_NETWORK_CONNECT: (known, op) => {
    const group = known.groups[text(op.group_name)]
    if (group) group.networks = sorted([...group.networks, text(op.network_name)])
  },
  OP_NETWORK_DISCONNECT: (known, op) => {
    const group = known.groups[text(op.group_name)]
    if (group) group.networks = group.networks.filter((name) => name !== op.network_name)
  },
  OP_CLUSTER_SET_PARAMS: (known, op) => {
    if (typeof op.candidate_pool_size === 'number') known.cluster.candidatePoolSize = op.candidate_pool_size
  },
  OP_TAGS_SET: (known, op) => {
    const object = tagged(known, op)
    if (object) object.tags = sorted([...object.tags, ...(op.tags as unknown as readonly string[])])
  },
  OP_TAGS_DEL: (known, op) => {
    const object = tagged(known, op)
    const gone = op.tags as unknown as readonly string[]
    if (object) object.tags = object.tags.filter((tag) => !gone.includes(tag))
  },
}

/** Makes known what an opcode has done that succeeded. */
export function take(known: Known, op: JsonObject): void {
  EFFECTS[text(op.OP_ID)]?.(known, op)
}

/** Where two differ, a line each; instances whose nodes an allocator chose may be anywhere. */
export function differences(found: Known, wanted: Known): string[] {
  const lines: string[] = []
  for (const section of ['instances', 'nodes', 'groups', 'networks'] as const) {
    for (const name of new Set([...Object.keys(found[section]), ...Object.keys(wanted[section])])) {
      const [is, should] = [found[section][name], wanted[section][name]]
      const freed = should && 'nodes' in should && !should.nodes ? { ...is, nodes: undefined } : is
      const [a, b] = [JSON.stringify(freed), JSON.stringify(should)]
      if (a !== b) lines.push(`${section}/${name} is ${a}, should be ${b}`)
    }
  }
  const [a, b] = [JSON.stringify(found.cluster), JSON.stringify(wanted.cluster)]
  if (a !== b) lines.push(`the cluster is ${a}, should be ${b}`)
  return lines
}
