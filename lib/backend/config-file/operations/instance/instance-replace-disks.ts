/**
 * Replacing what DRBD's disks stand on: on one of their nodes, or by another
 * second node. Disks are never faulty here, so there is nothing to be done
 * where only faulty ones shall be replaced.
 */
import type { Disk, Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { spaceWanted, totalSpace } from '../shared/disk-templates.ts'
import { instanceOf, nodeBehind, nodeOf } from '../shared/find.ts'
import { allocateOrRefuse, allocatorOrNode, secondaryRequest } from '../shared/iallocator.ts'
import { checkTargetPolicy } from '../shared/instance-policy.ts'
import { prerequisite } from '../shared/operation.ts'
import {
  checkNodeNotDrained,
  checkNodeOnline,
  checkNodesFreeDisk,
  checkNodeVmCapable,
} from '../shared/preconditions.ts'
import { instanceChange, revised, withDisks } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { tellSync } from './disks.ts'
import { IdAllocator } from './id-allocator.ts'

const CHANGE_SECONDARY = 'replace_new_secondary'
const AUTOMATIC = 'replace_auto'
const ON_PRIMARY = 'replace_on_primary'

export const instanceReplaceDisks = operation((run) => {
  const mode = run.text('mode')
  const allocator = allocatorOf(run, mode)
  const named = nodeOf(run, 'remote_node')
  const instance = instanceOf(run)
  if (instance.secondary_nodes.length !== 1) {
    throw prerequisite(
      `The instance has a strange layout, expected one secondary but found ${instance.secondary_nodes.length}`,
      'internal_error',
    )
  }
  const pnode = nodeBehind(run.config, instance.primary_node)
  const snode = nodeBehind(run.config, instance.secondary_nodes[0] as string)
  const remote = allocator === null ? named : chosen(run, instance, allocator, pnode, snode)
  if (remote === pnode) {
    throw prerequisite('The specified node is the primary node of the instance', 'wrong_input')
  }
  if (remote === snode) {
    throw prerequisite('The specified node is already the secondary node of the instance', 'wrong_input')
  }
  const asked = run.list('disks').map(Number)
  if (asked.length > 0 && (mode === AUTOMATIC || mode === CHANGE_SECONDARY)) {
    throw prerequisite('Cannot specify disks to be replaced', 'wrong_input')
  }
  if (mode === AUTOMATIC) checkActivated(run, instance, [pnode, snode])
  const touched =
    mode === AUTOMATIC ? [] : mode === CHANGE_SECONDARY ? [remote as Node, pnode] : [pnode, snode]
  if (remote) checkRemote(run, instance, remote, snode)
  for (const node of touched) checkNodeOnline(node)
  if (remote) checkNodesFreeDisk(run.config, [remote], spaceFor(run, instance))
  const numbers = asked.length > 0 ? asked : instance.disks.map((_disk, index) => index)
  checkNumbers(instance, numbers)
  if (run.isDry) return run.dryRun()

  if (mode === AUTOMATIC) {
    run.say(`No disks need replacement for instance '${instance.name}'`)
    return run.done({})
  }
  run.say(`Replacing disk(s) ${numbers.join(', ')} for instance '${instance.name}'`)
  run.say(`Current primary node: ${pnode.name}`)
  run.say(`Current secondary node: ${snode.name}`)
  const { now } = run.context
  if (remote) {
    const ids = new IdAllocator(run)
    const disks = instance.disks.map((disk) => withSecondary(disk, pnode, remote, ids, now))
    tellNewSecondary(run, instance, pnode, snode, remote)
    return run.done(instanceChange(run, instance, withDisks(instance, disks)))
  }
  const [target, other] = mode === ON_PRIMARY ? [pnode, snode] : [snode, pnode]
  tellSameNodes(run, instance, numbers, target, other)
  // The new volumes have the old ones' names in the end.
  return run.done({})
})

function allocatorOf(run: Run, mode: string | null): string | null {
  const asked = run.text('remote_node') !== null || run.text('iallocator') !== null
  if (mode !== CHANGE_SECONDARY) {
    if (!asked) return null
    throw prerequisite(
      'The iallocator and new node options can only be used when changing the secondary node',
      'wrong_input',
    )
  }
  if (!asked) {
    throw prerequisite(
      'When changing the secondary either an iallocator script must be used or the new node given',
      'wrong_input',
    )
  }
  return allocatorOrNode(run, run.text('remote_node') !== null)
}

function chosen(run: Run, instance: Instance, allocator: string, pnode: Node, snode: Node): Node {
  const request = secondaryRequest(pnode, totalSpace(spaceFor(run, instance)), [pnode, snode])
  const [node] = allocateOrRefuse(run, allocator, request) as [Node]
  run.info(`Selected new secondary for instance '${instance.uuid}': ${node.name}`)
  return node
}

function checkActivated(run: Run, instance: Instance, nodes: readonly Node[]): void {
  for (const index of instance.disks.keys()) {
    for (const node of nodes) {
      run.info(`Checking disk/${index} on ${node.name}`)
      if (instance.disks_active || node.offline) continue
      throw prerequisite(`Please run activate-disks on instance ${instance.name} first`, 'wrong_state')
    }
  }
}

function checkRemote(run: Run, instance: Instance, remote: Node, snode: Node): void {
  checkNodeNotDrained(remote)
  checkNodeVmCapable(remote)
  if (snode.offline && !run.flag('early_release')) {
    run.info(`Old secondary ${snode.uuid} is offline, automatically enabling early-release mode`)
  }
  checkTargetPolicy(run, instance, remote)
}

function checkNumbers({ disks }: Instance, numbers: readonly number[]): void {
  const unknown = numbers.find((number) => number >= disks.length)
  if (unknown === undefined) return
  throw prerequisite(
    `Invalid disk index: ${unknown} (instace has disks 0 to ${disks.length - 1}`,
    'wrong_input',
  )
}

function spaceFor(run: Run, { disks }: Instance): Map<string, number> {
  const plans = disks.map(({ size, children }) => ({ size, vg: String(children[0]?.logical_id[0] ?? '') }))
  return spaceWanted(run.config.cluster, 'drbd', plans)
}

/** A disk whose other half is somewhere else: same port and secret, and a new number there. */
function withSecondary(disk: Disk, pnode: Node, remote: Node, ids: IdAllocator, now: number): Disk {
  const [first, , port, firstMinor, secondMinor, secret] = disk.logical_id
  const minor = first === pnode.uuid ? firstMinor : secondMinor
  const nodes = [pnode.uuid, remote.uuid]
  return revised(
    disk,
    {
      logical_id: [...nodes, port, minor, ids.newMinor(remote.uuid), secret],
      nodes,
      children: disk.children.map((child) => ({ ...child, nodes })),
    },
    now,
  )
}

function step(run: Run, number: number, what: string): void {
  run.say(`STEP ${number}/6 ${what}`)
}

function tellSameNodes(
  run: Run,
  instance: Instance,
  numbers: readonly number[],
  target: Node,
  other: Node,
): void {
  step(run, 1, 'Check device existence')
  for (const number of numbers) {
    for (const node of [other, target]) run.info(`Checking disk/${number} on ${node.name}`)
  }
  run.info('Checking volume groups')
  step(run, 2, 'Check peer consistency')
  for (const number of numbers) run.info(`Checking disk/${number} consistency on node ${other.name}`)
  step(run, 3, 'Allocate new storage')
  for (const number of numbers) run.info(`Adding storage on ${target.name} for disk/${number}`)
  step(run, 4, 'Changing drbd configuration')
  for (const number of numbers) {
    run.info(`Detaching disk/${number} drbd from local storage`)
    run.info('Renaming the old LVs on the target node')
    run.info('Renaming the new LVs on the target node')
    run.info(`Adding new mirror component on ${target.name}`)
  }
  tellEnd(run, instance, numbers, run.flag('early_release'))
}

function tellNewSecondary(run: Run, instance: Instance, pnode: Node, snode: Node, remote: Node): void {
  const numbers = [...instance.disks.keys()]
  step(run, 1, 'Check device existence')
  for (const number of numbers) run.info(`Checking disk/${number} on ${pnode.name}`)
  run.info('Checking volume groups')
  step(run, 2, 'Check peer consistency')
  for (const number of numbers) run.info(`Checking disk/${number} consistency on node ${pnode.name}`)
  step(run, 3, 'Allocate new storage')
  for (const number of numbers) run.info(`Adding new local storage on ${remote.name} for disk/${number}`)
  step(run, 4, 'Changing drbd configuration')
  for (const number of numbers) run.info(`activating a new drbd on ${remote.name} for disk/${number}`)
  for (const number of numbers) run.info(`Shutting down drbd for disk/${number} on old node`)
  run.info('Detaching primary drbds from the network (=> standalone)')
  run.info('Updating instance configuration')
  run.info('Attaching primary drbds to new secondary (standalone => connected)')
  tellEnd(run, instance, numbers, run.flag('early_release') || snode.offline)
}

function tellEnd(run: Run, instance: Instance, numbers: readonly number[], early: boolean): void {
  const removeOld = (number: number) => {
    step(run, number, 'Removing old storage')
    for (const disk of numbers) run.info(`Remove logical volumes for disk/${disk}`)
  }
  if (early) removeOld(5)
  step(run, early ? 6 : 5, 'Sync devices')
  tellSync(run, instance)
  if (!early) removeOld(6)
}
