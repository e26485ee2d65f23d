/** New versions of objects: what changed, when, and a serial number that is one higher. */
import type { Change } from '../../../../model/change.ts'
import type { Group } from '../../../../model/group.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import type { Recorded } from '../../../../model/recorded.ts'
import type { Run } from './run.ts'

/** The object as it is from now on. */
export function revised<T extends Pick<Recorded, 'mtime' | 'serial_no'>>(
  object: T,
  news: Partial<T>,
  now: number,
): T {
  return { ...object, ...news, mtime: now, serial_no: object.serial_no + 1 }
}

interface Kinds {
  readonly groups: Group
  readonly instances: Instance
  readonly networks: Network
  readonly nodes: Node
}

/** A change of some objects of one kind to what they are from now on; none where there are none. */
export function changeOf<Kind extends keyof Kinds>(kind: Kind, objects: Iterable<Kinds[Kind]>): Change {
  const byUuid = new Map([...objects].map((object) => [object.uuid, object]))
  return byUuid.size > 0 ? { [kind]: byUuid } : {}
}

/** A change of just one instance, to what it is from now on. */
export function instanceChange({ context }: Run, instance: Instance, news: Partial<Instance>): Change {
  return changeOf('instances', [revised(instance, news, context.now)])
}

/**
 * An instance with these disks, and what follows from them: their numbers, the
 * disk template, and the other nodes that hold them (none but DRBD's).
 */
export function withDisks(instance: Instance, disks: readonly Disk[]): Instance {
  const secondaries = new Set(disks.filter(isMirrored).flatMap((disk) => disk.nodes))
  secondaries.delete(instance.primary_node)
  return {
    ...instance,
    disks: disks.map((disk, index) => {
      const ivName = `disk/${index}`
      return disk.iv_name === ivName ? disk : { ...disk, iv_name: ivName }
    }),
    disk_template: disks[0]?.dev_type ?? 'diskless',
    secondary_nodes: [...secondaries],
  }
}

function isMirrored(disk: Disk): boolean {
  return disk.dev_type === 'drbd'
}
