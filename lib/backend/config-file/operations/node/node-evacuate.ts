/**
 * Moving instances away from a node, by jobs of their own.
 *
 * Where they go is chosen as in iallocator.ts: the first node of the same group
 * that can take an instance, each instance with those before it in mind.
 */
import type { JsonObject } from '../../../../json/json.ts'
import { filledBeParams } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { OP_INSTANCE_MIGRATE, OP_INSTANCE_REPLACE_DISKS } from '../../../../model/opcodes/instance.ts'
import { SHARED, spaceWanted, totalSpace } from '../shared/disk-templates.ts'
import { nodeBehind, nodeNamed, nodeOf } from '../shared/find.ts'
import {
  allocatorOrNode,
  checkAllocator,
  lackOf,
  noReservations,
  type Reservations,
  reserve,
} from '../shared/iallocator.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { operation, type Run } from '../shared/run.ts'

const SECONDARY_ONLY = 'secondary-only'

/** An instance with the node it goes to and the opcode that takes it there. */
interface Move {
  readonly instance: Instance
  /** The nodes it will have. */
  readonly nodes: readonly Node[]
  readonly opcode: JsonObject
}

export const nodeEvacuate = operation((run) => {
  const allocator = allocatorOrNode(run, run.text('remote_node') !== null)
  const node = nodeNamed(run)
  const remote = nodeOf(run, 'remote_node')
  const mode = run.text('mode')
  if (remote) checkRemote(run, node, remote)
  if (mode === 'all') {
    throw prerequisite(
      'Due to an issue with the iallocator interface it is not possible to evacuate all instances at once; specify ' +
        'explicitly whether to evacuate primary or secondary instances',
      'wrong_input',
    )
  }
  const { primaryInstances, secondaryInstances } = run.config
  const instances = (mode === SECONDARY_ONLY ? secondaryInstances : primaryInstances).get(node.uuid) ?? []
  if (instances.length === 0) run.info(`No instances to evacuate from node '${node.name}'`)
  else {
    const names = instances.map(({ name }) => name).join(', ')
    run.info(`Evacuating instances from node '${node.name}': ${names}`)
  }
  for (const { name, primary_node } of instances) {
    if (primary_node !== remote?.uuid) continue
    throw prerequisite(
      `Node ${remote.name} is the primary node of instance ${name}, cannot use it as secondary`,
      'wrong_input',
    )
  }
  if (run.isDry) return run.dryRun()

  if (allocator !== null && instances.length > 0) checkAllocator(run.config, allocator)
  const opcodes = remote
    ? instances.map((instance) => replaceSecondary(run, instance, remote))
    : movesFrom(run, node, instances)
  return { ...run.done({}, { jobs: [] }), submits: opcodes.map((opcode) => [opcode]) }
})

function checkRemote(run: Run, node: Node, remote: Node): void {
  if (remote === node) throw prerequisite('Can not use evacuated node as a new secondary node', 'wrong_input')
  if (run.text('mode') === SECONDARY_ONLY) return
  throw prerequisite(
    'Without the use of an iallocator only secondary instances can be evacuated',
    'wrong_input',
  )
}

/** @throws OpError where one of the instances cannot go anywhere, with the reasons of all that cannot */
function movesFrom(run: Run, node: Node, instances: readonly Instance[]): JsonObject[] {
  const reserved = noReservations()
  const moves: Move[] = []
  const failed: string[] = []
  for (const instance of instances) {
    const move = moveOf(run, instance, node, reserved)
    if (typeof move === 'string') failed.push(`${instance.name} (${move})`)
    else moves.push(move)
  }
  if (failed.length > 0) {
    const text = `Unable to evacuate instances ${failed.join(', ')}`
    run.warn(text)
    throw failure(text)
  }
  if (moves.length > 0) {
    const told = moves.map(
      ({ instance, nodes }) => `${instance.name} (to ${nodes.map(({ name }) => name).join(', ')})`,
    )
    run.info(`Instances to be moved: ${told.join(', ')}`)
  }
  return moves.map(({ opcode }) => opcode)
}

/** Where an instance can go, or why it cannot, in the words of Ganeti's `hail`. */
function moveOf(run: Run, instance: Instance, from: Node, reserved: Reservations): Move | string {
  const { config } = run
  const template = instance.disk_template
  const pnode = nodeBehind(config, instance.primary_node)
  const memory = instance.admin_state === 'up' ? filledBeParams(config.cluster, instance).minmem : 0
  if (template === 'drbd' && from !== pnode) {
    const disk = spaceFor(run, instance)
    const target = firstFit(run, from, [pnode, from], { memory: 0, disk }, reserved)
    if (typeof target === 'string') return target
    return { instance, nodes: [pnode, target], opcode: replaceSecondary(run, instance, target) }
  }
  if (template === 'drbd') {
    const snode = nodeBehind(config, instance.secondary_nodes[0] ?? '')
    const lack = snode.offline ? 'FailOffline' : lackOf(config, snode, memory, 0, reserved)
    if (lack !== undefined) return lack
    reserve(reserved, [snode], { memory, disk: 0 })
    return { instance, nodes: [snode, pnode], opcode: migrate(instance, null) }
  }
  if (!SHARED.includes(template)) return `Instances of type ${template} cannot be relocated`
  const target = firstFit(run, from, [from], { memory, disk: 0 }, reserved)
  if (typeof target === 'string') return target
  return { instance, nodes: [target], opcode: migrate(instance, target) }
}

function firstFit(
  { config }: Run,
  from: Node,
  without: readonly Node[],
  needs: { readonly memory: number; readonly disk: number },
  reserved: Reservations,
): Node | string {
  let lacks = ''
  for (const node of config.groupNodes.get(from.group) ?? []) {
    if (node.offline || node.drained || !node.vm_capable || without.includes(node)) continue
    const lack = lackOf(config, node, needs.memory, needs.disk, reserved)
    if (lack === undefined) {
      reserve(reserved, [node], needs)
      return node
    }
    lacks += ` Node ${node.name} failed: ${lack};`
  }
  return `Can't find any good node: ${lacks}`
}

function spaceFor({ config }: Run, { disks }: Instance): number {
  const plans = disks.map(({ size }) => ({ size, vg: '' }))
  return totalSpace(spaceWanted(config.cluster, 'drbd', plans))
}

/** @param target null for DRBD's other node */
function migrate({ name }: Instance, target: Node | null): JsonObject {
  return {
    OP_ID: OP_INSTANCE_MIGRATE.id,
    instance_name: name,
    target_node: target?.name ?? null,
    allow_failover: true,
    ignore_hvversions: true,
  }
}

function replaceSecondary(run: Run, { name }: Instance, remote: Node): JsonObject {
  return {
    OP_ID: OP_INSTANCE_REPLACE_DISKS.id,
    instance_name: name,
    mode: 'replace_new_secondary',
    remote_node: remote.name,
    early_release: run.flag('early_release'),
  }
}
