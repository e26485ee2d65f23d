/**
 * The instance allocator (iallocator): chooses nodes for instances, under the
 * name of the cluster's default one (or `hail`, Ganeti's own).
 *
 * Ganeti's allocator weighs the whole cluster. This one is a simple first fit:
 * groups by preference and name, in them nodes by name, and the first that can
 * take the instance takes it. It looks at what makes an operation fail
 * (states, memory, disk, networks, the group's policy), not at balance nor at
 * what would still fit if a node failed.
 */
import type { Cluster } from '../../../../model/cluster.ts'
import type { Config } from '../../../../model/config.ts'
import { filledIPolicy } from '../../../../model/fill.ts'
import type { AllocPolicy, Group } from '../../../../model/group.ts'
import type { Node } from '../../../../model/node.ts'
import { type Specs, violations } from './instance-policy.ts'
import { failure, prerequisite } from './operation.ts'
import { freeDisk, freeMemory } from './preconditions.ts'
import type { Run } from './run.ts'

/** What needs a place. */
export interface Request {
  /** How many nodes, all in one group. */
  readonly nodes: 1 | 2
  /** MiB; 0 where it will not run. */
  readonly memory: number
  /** MiB on each of the nodes. */
  readonly disk: number
  /** UUIDs of those that the group must be connected to. */
  readonly networks: readonly string[]
  /** What the group's policy judges; null where it does not matter. */
  readonly specs: Specs | null
  /** UUIDs of nodes that will not do. */
  readonly without: readonly string[]
  /** UUIDs of the groups to choose from; null for all that may be used. */
  readonly groups: readonly string[] | null
}

/** What a new secondary node needs: the disks, in the primary node's group. */
export function secondaryRequest(pnode: Node, disk: number, without: readonly Node[]): Request {
  return {
    nodes: 1,
    memory: 0,
    disk,
    networks: [],
    specs: null,
    without: without.map(({ uuid }) => uuid),
    groups: [pnode.group],
  }
}

/** What earlier choices have reserved, which is not in the configuration yet: MiB by node. */
export interface Reservations {
  readonly memory: Map<string, number>
  readonly disk: Map<string, number>
}

export function noReservations(): Reservations {
  return { memory: new Map(), disk: new Map() }
}

/** The allocator by which an opcode's nodes are chosen: the given one, or the cluster's default where that is null or `.`. */
export function allocatorName(run: Run, given: string | null): string {
  if (given !== null && given !== '.') return given
  const usual = run.config.cluster.default_iallocator
  if (usual !== '') return usual
  throw prerequisite(
    'No iallocator or node given and no cluster-wide default iallocator found; please specify either an ' +
      'iallocator or a node, or set a cluster-wide default iallocator',
    'wrong_input',
  )
}

/**
 * The allocator that an opcode wants, by `iallocator` and the parameter for a node.
 * @returns null where it names a node
 */
export function allocatorOrNode(run: Run, nodeGiven: boolean): string | null {
  const given = run.text('iallocator')
  if (nodeGiven && given !== null) {
    throw prerequisite('Do not specify both, iallocator and node', 'wrong_input')
  }
  return nodeGiven ? null : allocatorName(run, given)
}

/**
 * @param allocator by what name
 * @returns as many nodes as wanted, or why there are none, in the words of Ganeti's `hail`
 * @throws OpError for an unknown allocator
 */
export function allocate(
  config: Config,
  allocator: string,
  request: Request,
  reserved = noReservations(),
): readonly Node[] | string {
  checkAllocator(config, allocator)
  const reasons: string[] = []
  for (const group of candidates(config, request)) {
    const found = inGroup(config, group, request, reserved)
    if (typeof found !== 'string') return found
    reasons.push(`Group ${group.name} (${group.alloc_policy}): ${found}`)
  }
  return `Request failed: ${reasons.join(', ') || 'No groups available'}`
}

/** @throws OpError for an unknown allocator */
export function checkAllocator({ cluster }: Config, name: string): void {
  if (isAllocator(cluster, name)) return
  throw failure(
    'Failure while running the iallocator script: ' +
      `iallocator module '${name}' not found in the search path`,
  )
}

/** Whether it is Ganeti's own allocator, or the one that the cluster names. */
export function isAllocator({ default_iallocator }: Cluster, name: string): boolean {
  return name === 'hail' || name === default_iallocator
}

/** As `allocate`, and a refusal where nothing fits. */
export function allocateOrRefuse(run: Run, allocator: string, request: Request): readonly Node[] {
  const found = allocate(run.config, allocator, request)
  if (typeof found !== 'string') return found
  throw prerequisite(
    `Can't compute nodes using iallocator '${allocator}': ${found}`,
    'insufficient_resources',
  )
}

const PREFERENCE: readonly AllocPolicy[] = ['preferred', 'last_resort']

function candidates(
  { groups, cluster }: Config,
  { groups: among, networks, specs }: Request,
): readonly Group[] {
  const allowed = groups.all.filter(
    (group) =>
      (among === null ? group.alloc_policy !== 'unallocable' : among.includes(group.uuid)) &&
      networks.every((uuid) => Object.hasOwn(group.networks, uuid)) &&
      (specs === null || violations(filledIPolicy(cluster, group), specs).length === 0),
  )
  const rank = ({ alloc_policy }: Group) => PREFERENCE.indexOf(alloc_policy)
  return allowed.slice().sort((a, b) => rank(a) - rank(b))
}

/** What keeps a node from taking an instance, by hail's names. */
export type Lack = 'FailDisk' | 'FailMem'

function inGroup(
  config: Config,
  group: Group,
  request: Request,
  reserved: Reservations,
): readonly Node[] | string {
  const lacks = new Map<Lack, number>()
  const chosen: Node[] = []
  for (const node of config.groupNodes.get(group.uuid) ?? []) {
    if (node.offline || node.drained || !node.vm_capable || request.without.includes(node.uuid)) continue
    // The second node only holds a copy of the disks.
    const lack = lackOf(config, node, chosen.length === 0 ? request.memory : 0, request.disk, reserved)
    if (lack === undefined) chosen.push(node)
    else lacks.set(lack, (lacks.get(lack) ?? 0) + 1)
    if (chosen.length === request.nodes) {
      reserve(reserved, chosen, request)
      return chosen
    }
  }
  if (lacks.size === 0) return 'Not enough online nodes'
  const counts = [...lacks].map(([lack, count]) => `${lack}: ${count}`)
  return `No valid allocation solutions, failure reasons: ${counts.join(', ')}`
}

/**
 * Whether a node has what an instance needs.
 * @param memory MiB, and so is `disk`
 */
export function lackOf(
  config: Config,
  node: Node,
  memory: number,
  disk: number,
  reserved: Reservations,
): Lack | undefined {
  const memoryLeft =
    (freeMemory(config, node) ?? Number.POSITIVE_INFINITY) - (reserved.memory.get(node.uuid) ?? 0)
  if (memory > memoryLeft) return 'FailMem'
  const diskLeft = (freeDisk(config, node) ?? Number.POSITIVE_INFINITY) - (reserved.disk.get(node.uuid) ?? 0)
  return disk > diskLeft ? 'FailDisk' : undefined
}

/** Reserves what an instance needs: memory on the first node, disk on all. */
export function reserve(
  { memory, disk }: Reservations,
  nodes: readonly Node[],
  request: Pick<Request, 'memory' | 'disk'>,
): void {
  const add = (to: Map<string, number>, node: string, amount: number) =>
    to.set(node, (to.get(node) ?? 0) + amount)
  if (nodes[0]) add(memory, nodes[0].uuid, request.memory)
  for (const node of nodes) add(disk, node.uuid, request.disk)
}
