/** Disk templates: which of them stand on what, and the space they want. */
import type { Cluster } from '../../../../model/cluster.ts'
import { DISK_TEMPLATES } from '../../../../model/defaults.ts'
import { sizeOnNode } from '../../../../model/live-values.ts'
import { OpError } from './operation.ts'

/** Disk templates that stand on LVM. */
export const ON_LVM: readonly string[] = ['drbd', 'plain']
/** In files, whose place depends on the instance's name but for Gluster. */
export const IN_FILES: readonly string[] = ['file', 'gluster', 'sharedfile']
/** That every node can reach. */
export const SHARED: readonly string[] = ['blockdev', 'diskless', 'ext', 'gluster', 'rbd', 'sharedfile']
/** Whose disks may be reached past the kernel. */
export const WITH_ACCESS: readonly string[] = ['ext', 'gluster', 'rbd']

/** Ganeti gives this refusal without a code (cmdlib/common.py, CheckDiskTemplateEnabled). */
export function checkTemplateEnabled({ enabled_disk_templates: enabled }: Cluster, template: string): void {
  if (!(DISK_TEMPLATES as readonly string[]).includes(template)) {
    const valid = `Valid disk templates are: ${DISK_TEMPLATES.join(',')}`
    throw new OpError('OpPrereqError', [`'${template}' is not a valid disk template. ${valid}`])
  }
  if (!enabled.includes(template)) {
    const others = `Enabled disk templates are: ${enabled.join(',')}`
    throw new OpError('OpPrereqError', [`Disk template '${template}' is not enabled in cluster. ${others}`])
  }
}

/** MiB that disks of a template want on each of their nodes, by volume group; nothing where they are not on LVM. */
export function spaceWanted(
  cluster: Cluster,
  template: string,
  plans: readonly { readonly size: number; readonly vg: string | null }[],
): Map<string, number> {
  const wanted = new Map<string, number>()
  if (!ON_LVM.includes(template)) return wanted
  for (const { size, vg } of plans) {
    const volumeGroup = vg ?? cluster.volume_group_name ?? ''
    wanted.set(volumeGroup, (wanted.get(volumeGroup) ?? 0) + sizeOnNode({ dev_type: template, size }))
  }
  return wanted
}

/** What `spaceWanted` gives, over all volume groups. */
export function totalSpace(wanted: ReadonlyMap<string, number>): number {
  return [...wanted.values()].reduce((sum, size) => sum + size, 0)
}
