/** The disks of an instance that are there: where they are, and what is told of them. */
import type { Disk, Instance } from '../../../../model/instance.ts'
import type { Run } from '../shared/run.ts'

/** The files of an instance under its new name. */
export function renamedDisk(disk: Disk, instance: string): Disk {
  const path = disk.logical_id[1]
  if ((disk.dev_type !== 'file' && disk.dev_type !== 'sharedfile') || typeof path !== 'string') return disk
  const parts = path.split('/')
  return {
    ...disk,
    logical_id: [disk.logical_id[0], [...parts.slice(0, -2), instance, ...parts.slice(-1)].join('/')],
  }
}

/** Where a disk appears on its primary node; null where that is only known once it is there. */
export function devicePath(disk: Disk, primaryNode: string): string | null {
  const [first, second, , minor, otherMinor] = disk.logical_id
  switch (disk.dev_type) {
    case 'plain':
      return `/dev/${first}/${second}`
    case 'drbd':
      return `/dev/drbd${first === primaryNode ? minor : otherMinor}`
    case 'file':
    case 'sharedfile':
    case 'blockdev':
      return String(second)
    default:
      return null
  }
}

/** A size as Ganeti tells it: `16M`, `1.0G`. */
export function formatSize(mib: number): string {
  if (mib < 1024) return `${mib}M`
  if (mib < 1024 * 1024) return `${(mib / 1024).toFixed(1)}G`
  return `${(mib / 1024 / 1024).toFixed(1)}T`
}

/** Tells that disks were waited for, as Ganeti does of every instance that has any. */
export function tellSync(run: Run, { name, disks }: Pick<Instance, 'name' | 'disks'>, oneshot = false): void {
  if (disks.length === 0) return
  if (!oneshot) run.info(`Waiting for instance ${name} to sync disks`)
  run.info(`Instance ${name}'s disks are in sync`)
}
