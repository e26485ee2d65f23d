/**
 * The kinds of storage under disks. A file knows of each node one pool of
 * disk, on which the volume group and the folders for files lie.
 */
import type { Cluster } from '../../../../model/cluster.ts'
import { OpError } from '../shared/operation.ts'

const STORAGE_OF: { readonly [template: string]: string } = {
  blockdev: 'blockdev',
  diskless: 'diskless',
  drbd: 'lvm-vg',
  ext: 'ext',
  file: 'file',
  gluster: 'gluster',
  plain: 'lvm-vg',
  rbd: 'rados',
  sharedfile: 'sharedfile',
}

/** What the disks of a new instance are on, unless it is told otherwise. */
export function usualStorage({ enabled_disk_templates }: Cluster): string {
  return STORAGE_OF[enabled_disk_templates[0] ?? 'diskless'] ?? 'diskless'
}

/** @throws OpError where none of the cluster's disk templates is on such storage */
export function checkStorageEnabled({ enabled_disk_templates: enabled }: Cluster, type: string): void {
  // Physical volumes are enabled with the groups they make up.
  const wanted = type === 'lvm-pv' ? 'lvm-vg' : type
  if (enabled.some((template) => STORAGE_OF[template] === wanted)) return
  throw new OpError('OpPrereqError', [
    `No disk template of storage type '${wanted}' is enabled in this cluster. Enabled disk templates are: ` +
      enabled.join(','),
  ])
}
