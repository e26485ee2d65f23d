import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { filledBeParams } from '../../../../model/fill.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { sizeOnNode } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import { ON_LVM, spaceWanted, totalSpace } from '../shared/disk-templates.ts'
import { findNode, instanceOf, nodeBehind, nodesOf } from '../shared/find.ts'
import { forceTypes } from '../shared/force-types.ts'
import { allocateOrRefuse, allocatorOrNode } from '../shared/iallocator.ts'
import { specsOf } from '../shared/instance-policy.ts'
import { prerequisite } from '../shared/operation.ts'
import {
  checkInstanceState,
  checkNodeFreeMemory,
  checkNodeOnline,
  checkNodesFreeDisk,
  checkNodeVmCapable,
  hasExclusiveStorage,
  NOT_RUNNING,
} from '../shared/preconditions.ts'
import { instanceChange, revised, withDisks } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { checkSpindles, DISK_PARAM_TYPES } from './disk-plan.ts'
import { IdAllocator } from './id-allocator.ts'
import { movedTo } from './move-instance.ts'
import { repeated } from './repeated.ts'

/** What may be another value in a disk that is made again. */
const CHANGEABLE: readonly string[] = ['mode', 'size', 'spindles']

/** Makes lost disks again, empty, in the same place or on other nodes. */
export const instanceRecreateDisks = operation((run) => {
  const asked = disksAsked(run)
  const allocator =
    run.text('iallocator') === null ? null : allocatorOrNode(run, run.list('nodes').length > 0)
  const named = run.list('nodes').map((name) => findNode(run.config, String(name)))
  const instance = instanceOf(run)
  checkNodes(run, instance, named)
  if (allocator === null) checkNodeOnline(named[0] ?? nodeBehind(run.config, instance.primary_node))
  if (instance.disks.length === 0) {
    throw prerequisite(`Instance '${instance.name}' has no disks`, 'wrong_input')
  }
  const elsewhere = named.length > 0 || allocator !== null
  if (!elsewhere || !nodeBehind(run.config, instance.primary_node).offline) {
    checkInstanceState(run, instance, NOT_RUNNING, 'cannot recreate disks')
  }
  const changes =
    asked.size > 0 ? asked : new Map(instance.disks.map((_disk, index): [number, JsonObject] => [index, {}]))
  checkNumbers(instance, changes, elsewhere)
  const nodes = allocator === null ? named : chosen(run, instance, allocator)
  const where = nodes.length > 0 ? nodes : nodesOf(run.config, instance)
  const exclusive = hasExclusiveStorage(run.config, where)
  for (const { spindles } of changes.values()) checkSpindles(spindles, exclusive, false)
  const resized = instance.disks.map((disk, index) => changed(disk, changes.get(index), run.context.now))
  checkSpace(run, instance, resized, where)
  const moved = nodes.length > 0 ? placedOn(run, instance, resized, nodes) : { ...instance, disks: resized }
  if (run.isDry) return run.dryRun()

  if (nodes.length > 0) {
    run.warn(
      "Changing the instance's nodes, you will have to remove any disks left on the older nodes manually",
    )
  }
  return run.done(instanceChange(run, instance, moved))
})

/** What shall be other than it was, by the number of the disk; numbers alone are an older form. */
function disksAsked(run: Run): Map<number, JsonObject> {
  const entries = run
    .list('disks')
    .map((entry): [number, JsonObject] =>
      Array.isArray(entry) ? [Number(entry[0]), objectOf(entry[1])] : [Number(entry), {}],
    )
  // Of numbers alone, one may be there twice.
  const given = run.list('disks').every((entry) => !Array.isArray(entry)) ? [...new Map(entries)] : entries
  const numbers = given.map(([number]) => number)
  const twice = repeated(numbers)
  if (twice.length > 0) {
    throw prerequisite(`Some disks have been specified more than once: ${twice.join(', ')}`, 'wrong_input')
  }
  return new Map(
    given.map(([number, params]) => {
      const forced = forceTypes(params, DISK_PARAM_TYPES)
      const fixed = Object.keys(forced).filter((name) => !CHANGEABLE.includes(name))
      if (fixed.length === 0) return [number, forced]
      throw prerequisite(
        `Parameters for disk ${number} try to change unmodifyable parameter(s): ${fixed.join(', ')}`,
        'wrong_input',
      )
    }),
  )
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function checkNodes(run: Run, instance: Instance, named: readonly Node[]): void {
  if (named.length === 0) return
  const now = nodesOf(run.config, instance).length
  if (named.length !== now) {
    throw prerequisite(
      `Instance ${instance.name} currently has ${now} nodes, but ${named.length} replacement nodes were specified`,
      'wrong_input',
    )
  }
  if (new Set(named).size < named.length) {
    throw prerequisite('The secondary node cannot be the primary node', 'wrong_input')
  }
  for (const node of named) checkNodeVmCapable(node)
}

function checkNumbers(
  { disks }: Instance,
  changes: ReadonlyMap<number, JsonObject>,
  elsewhere: boolean,
): void {
  const last = Math.max(...changes.keys())
  if (last >= disks.length) throw prerequisite(`Invalid disk index '${last}'`, 'wrong_input')
  if (elsewhere && changes.size < disks.length) {
    throw prerequisite("Can't recreate disks partially and change the nodes at the same time", 'wrong_input')
  }
}

function chosen(run: Run, instance: Instance, allocator: string): readonly Node[] {
  const { cluster } = run.config
  const wanted = spaceWanted(
    cluster,
    instance.disk_template,
    instance.disks.map(({ size }) => ({ size, vg: null })),
  )
  const nodes = allocateOrRefuse(run, allocator, {
    nodes: instance.disk_template === 'drbd' ? 2 : 1,
    memory: filledBeParams(cluster, instance).maxmem,
    disk: totalSpace(wanted),
    networks: [],
    specs: specsOf(run.config, instance),
    without: [],
    groups: [nodeBehind(run.config, instance.primary_node).group],
  })
  run.info(
    `Selected nodes for instance ${instance.name} via iallocator ${allocator}: ` +
      nodes.map(({ name }) => name).join(', '),
  )
  return nodes
}

function changed(disk: Disk, params: JsonObject | undefined, now: number): Disk {
  if (!params || Object.keys(params).length === 0) return disk
  const size = typeof params.size === 'number' ? params.size : disk.size
  const [data, ...others] = disk.children
  return revised(
    disk,
    {
      size,
      mode: params.mode === 'ro' || params.mode === 'rw' ? params.mode : disk.mode,
      spindles: typeof params.spindles === 'number' ? params.spindles : disk.spindles,
      children: data ? [{ ...data, size }, ...others] : disk.children,
    },
    now,
  )
}

/** What the disks take more than they do now. Ganeti finds out when it makes them. */
function checkSpace(run: Run, instance: Instance, disks: readonly Disk[], nodes: readonly Node[]): void {
  if (!ON_LVM.includes(instance.disk_template)) return
  const takes = (all: readonly Disk[]) => all.reduce((sum, disk) => sum + sizeOnNode(disk), 0)
  const held = new Set(nodesOf(run.config, instance))
  for (const node of nodes) {
    const more = takes(disks) - (held.has(node) ? takes(instance.disks) : 0)
    const wanted = new Map([[run.config.cluster.volume_group_name ?? '', more]])
    if (more > 0) checkNodesFreeDisk(run.config, [node], wanted)
  }
}

function placedOn(run: Run, instance: Instance, disks: readonly Disk[], nodes: readonly Node[]): Instance {
  const [pnode] = nodes as [Node]
  if (instance.admin_state === 'up' && pnode.uuid !== instance.primary_node) {
    // Whose old node is offline; it will run on the new one.
    const { minmem } = filledBeParams(run.config.cluster, instance)
    checkNodeFreeMemory(run.config, pnode, `starting instance ${instance.name}`, minmem)
  }
  const ids = new IdAllocator(run)
  const uuids = nodes.map(({ uuid }) => uuid)
  const moved = pnode.uuid === instance.primary_node ? instance : movedTo(run, instance, pnode)
  return withDisks(
    moved,
    disks.map((disk) => placed(disk, uuids, ids, run.context.now)),
  )
}

function placed(disk: Disk, nodes: readonly string[], ids: IdAllocator, now: number): Disk {
  if (disk.nodes.length === 0) return disk
  if (disk.dev_type !== 'drbd') return revised(disk, { nodes: nodes.slice(0, 1) }, now)
  const [, , port, , , secret] = disk.logical_id
  const minors = nodes.map((node) => ids.newMinor(node))
  return revised(
    disk,
    {
      logical_id: [...nodes, port, ...minors, secret],
      nodes,
      children: disk.children.map((child) => ({ ...child, nodes })),
    },
    now,
  )
}
