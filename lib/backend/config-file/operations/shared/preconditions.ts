/**
 * What must be so of nodes and instances before something can be done with
 * them. Only the file can be asked: what is marked up runs, what is not
 * offline answers, and what a node does not tell of itself is no obstacle.
 */
import type { Config } from '../../../../model/config.ts'
import { filledNdParams } from '../../../../model/fill.ts'
import type { AdminState, Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { groupOf, nodeBehind } from './find.ts'
import { type OpError, prerequisite } from './operation.ts'
import type { Run } from './run.ts'

/** States of an instance, in the order in which Ganeti's refusals list them. */
export const DOWN: readonly AdminState[] = ['down']
export const ONLINE: readonly AdminState[] = ['down', 'up']
export const NOT_RUNNING: readonly AdminState[] = ['down', 'offline']

/** @param otherwise what cannot be done in another state */
export function checkInstanceState(
  run: Run,
  instance: Instance,
  states: readonly AdminState[],
  otherwise = `can't use instance from outside ${states.join(', ')} states`,
): void {
  if (!states.includes(instance.admin_state)) {
    throw prerequisite(
      `Instance '${instance.name}' is marked to be ${instance.admin_state}, ${otherwise}`,
      'wrong_state',
    )
  }
  if (!states.includes('up') && nodeBehind(run.config, instance.primary_node).offline) {
    run.warn('Primary node offline, ignoring check that instance is down')
  }
}

export function checkNodeOnline(node: Node, otherwise = "Can't use offline node"): void {
  if (node.offline) throw prerequisite(`${otherwise}: ${node.name}`, 'wrong_state')
}

export function checkNodeNotDrained(node: Node): void {
  if (node.drained) throw prerequisite(`Can't use drained node ${node.name}`, 'wrong_state')
}

export function checkNodeVmCapable(node: Node): void {
  // Ganeti shows the UUID here (cmdlib/instance_utils.py, CheckNodeVmCapable).
  if (!node.vm_capable) throw prerequisite(`Can't use non-vm_capable node ${node.uuid}`, 'wrong_state')
}

/** MiB that a node has to give; undefined where the file does not say. */
export function freeMemory(config: Config, node: Node): number | undefined {
  return config.live.get(node.uuid)?.mfree ?? undefined
}

/** As `freeMemory`, of the volume group. */
export function freeDisk(config: Config, node: Node): number | undefined {
  return config.live.get(node.uuid)?.dfree ?? undefined
}

/**
 * @param purpose what the memory is for, as `starting instance x`
 * @param wanted MiB
 */
export function checkNodeFreeMemory(config: Config, node: Node, purpose: string, wanted: number): void {
  if (node.offline) {
    throw prerequisite(`Can't get data from node ${node.name}: Node is marked offline`, 'environment_error')
  }
  const free = freeMemory(config, node)
  if (free !== undefined && wanted > free) {
    throw prerequisite(
      `Not enough memory on node ${node.name} for ${purpose}: needed ${wanted} MiB, available ${free} MiB`,
      'insufficient_resources',
    )
  }
}

/**
 * Ganeti asks each volume group; a file knows but one pool of disk, whatever
 * the groups in it are called, and each takes its part of what is free.
 * @param wanted MiB by volume group
 */
export function checkNodesFreeDisk(
  config: Config,
  nodes: readonly Node[],
  wanted: ReadonlyMap<string, number>,
): void {
  for (const node of nodes) {
    let free = freeDisk(config, node)
    for (const [volumeGroup, size] of wanted) {
      if (node.offline) {
        throw prerequisite(
          `Cannot get current information from node ${node.name}: Node is marked offline`,
          'environment_error',
        )
      }
      if (free === undefined) continue
      if (size > free) {
        throw prerequisite(
          `Not enough disk space on target node ${node.name} vg ${volumeGroup}: required ${size} MiB, ` +
            `available ${free} MiB`,
          'insufficient_resources',
        )
      }
      free -= size
    }
  }
}

/** Whether any of these nodes gives each of its disks to one instance only. */
export function hasExclusiveStorage(config: Config, nodes: readonly Node[]): boolean {
  return nodes.some((node) => filledNdParams(config.cluster, groupOf(config, node), node).exclusive_storage)
}

/**
 * Checks that what runs on a node still fits, at its least, with an instance
 * as it is going to be: a rule of ours, as a file that says otherwise
 * contradicts itself.
 * @param instance a new version of one whose primary node it is
 */
export function checkLeastMemory(config: Config, node: Node, instance: Instance): void {
  const live = config.live.get(node.uuid)
  if (live?.mtotal === null || live?.mtotal === undefined) return
  const running = (config.primaryInstances.get(node.uuid) ?? []).filter(
    (one) => one.admin_state === 'up' && one.uuid !== instance.uuid,
  )
  const least = (one: Instance) => one.beparams.minmem ?? config.cluster.beparams.minmem
  const needed = [...running, instance].reduce((sum, one) => sum + least(one), live.mnode ?? 0)
  if (needed > live.mtotal) throw memoryMissing(needed - live.mtotal)
}

/** What keeps an instance from getting more memory. */
export function memoryMissing(mib: number): OpError {
  return prerequisite(
    `This change will prevent the instance from starting, due to ${mib} MB of memory missing on its primary node`,
    'insufficient_resources',
  )
}
