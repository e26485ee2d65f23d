import { filledIPolicy } from '../../../../model/fill.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { ON_LVM } from '../shared/disk-templates.ts'
import { groupOf, instanceOf, nodeBehind, nodesOf } from '../shared/find.ts'
import { violations } from '../shared/instance-policy.ts'
import { prerequisite } from '../shared/operation.ts'
import {
  checkInstanceState,
  checkNodeOnline,
  checkNodesFreeDisk,
  DOWN,
  hasExclusiveStorage,
} from '../shared/preconditions.ts'
import { instanceChange, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { formatSize, tellSync } from './disks.ts'

const GROWABLE: readonly string[] = ['drbd', 'ext', 'file', 'gluster', 'plain', 'rbd', 'sharedfile']

/**
 * Makes one disk larger, by so much or (`absolute`) up to so much.
 *
 * Ganeti refuses an instance that is up with its disks put away only when the
 * disk has been grown; here it has not.
 */
export const instanceGrowDisk = operation((run) => {
  const instance = instanceOf(run)
  const nodes = nodesOf(run.config, instance)
  for (const node of nodes) checkNodeOnline(node)
  const number = run.number('disk') ?? 0
  const disk = diskAt(instance, number)
  if (!GROWABLE.includes(disk.dev_type)) {
    throw prerequisite(`Instance's disk layout ${disk.dev_type} does not support growing`, 'wrong_input')
  }
  const { delta, target } = growth(run, disk)
  if (ON_LVM.includes(disk.dev_type) && !hasExclusiveStorage(run.config, nodes)) {
    checkNodesFreeDisk(run.config, nodes, new Map([[volumeGroupOf(disk), delta]]))
  }
  checkPolicy(run, instance, number, target)
  if (run.isDry) return run.dryRun()

  run.say(
    `Growing disk ${number} of instance '${instance.name}' by ${formatSize(delta)} to ${formatSize(target)}`,
  )
  if (run.flag('wait_for_sync')) {
    tellSync(run, { name: instance.name, disks: [disk] })
    if (!instance.disks_active) checkInstanceState(run, instance, DOWN, 'cannot shutdown disks')
  } else if (!instance.disks_active) {
    run.warn(
      'Not shutting down the disk even if the instance is not supposed to be running because no wait for sync ' +
        'mode was requested',
    )
  }
  const { now } = run.context
  const disks = instance.disks.map((one) => (one === disk ? grown(disk, delta, now) : one))
  return run.done(instanceChange(run, instance, { disks }))
})

function diskAt({ disks }: Instance, number: number): Disk {
  const disk = disks[number]
  if (disk) return disk
  // The slips of the pen are Ganeti's (objects.py, FindDisk).
  throw prerequisite(
    `Invalid disk index: ${number} (instace has disks 0 to ${disks.length - 1}`,
    'wrong_input',
  )
}

function growth(run: Run, { size }: Disk): { readonly delta: number; readonly target: number } {
  const amount = run.number('amount') ?? 0
  if (!run.flag('absolute')) return { delta: amount, target: size + amount }
  if (amount < size) {
    throw prerequisite(
      `Requested size (${formatSize(amount)}) is smaller than current disk size (${formatSize(size)})`,
      'wrong_state',
    )
  }
  return { delta: amount - size, target: amount }
}

function volumeGroupOf(disk: Disk): string {
  const volume = disk.dev_type === 'drbd' ? disk.children[0] : disk
  return String(volume?.logical_id[0] ?? '')
}

function checkPolicy(run: Run, { primary_node, disks }: Instance, number: number, target: number): void {
  const { cluster } = run.config
  const group = groupOf(run.config, nodeBehind(run.config, primary_node))
  const against = violations(filledIPolicy(cluster, group), {
    memory: null,
    cpus: null,
    nics: null,
    spindleUse: null,
    diskSizes: disks.map(({ size }, index) => (index === number ? target : size)),
    diskTypes: disks.map(({ dev_type }) => dev_type),
  })
  if (against.length === 0) return
  const text = `Growing disk ${number} violates policy: ${against.join(', ')}`
  if (!run.flag('ignore_ipolicy')) throw prerequisite(text, 'wrong_input')
  run.warn(text)
}

/** DRBD's data grows along. */
function grown(disk: Disk, delta: number, now: number): Disk {
  const [data, ...others] = disk.children
  const children = data ? [{ ...data, size: data.size + delta }, ...others] : disk.children
  return revised(disk, { size: disk.size + delta, children }, now)
}
