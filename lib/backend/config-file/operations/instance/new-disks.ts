/** New disks of an instance. */
import type { Json } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import { filledDiskParams } from '../../../../model/fill.ts'
import type { Group } from '../../../../model/group.ts'
import type { Disk } from '../../../../model/instance.ts'
import { DRBD_META_SIZE } from '../../../../model/live-values.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { checkTemplateEnabled, IN_FILES } from '../shared/disk-templates.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'
import type { DiskPlan } from './disk-plan.ts'
import { formatSize } from './disks.ts'
import type { IdAllocator } from './id-allocator.ts'

/** Whose disks they are, and where they go. */
export interface DiskOwner {
  readonly uuid: string
  readonly name: string
  readonly primary_node: string
  /** DRBD's other node. */
  readonly secondary: string | null
  readonly group: Group
}

/** How files are kept, as an opcode says it. */
export interface FileStorage {
  readonly driver: string
  /** Below the cluster's folder. */
  readonly folder: string | null
}

/**
 * New disks; they are told of one by one, but for DRBD's (as in Ganeti).
 * @param first the number of the first of them in its instance
 */
export function makeDisks(
  run: Run,
  ids: IdAllocator,
  owner: DiskOwner,
  template: string,
  plans: readonly DiskPlan[],
  storage: FileStorage,
  first = 0,
): Disk[] {
  checkTemplateEnabled(run.config.cluster, template)
  const folder = fileFolder(run.config.cluster, template, owner.name, storage.folder)
  return plans.map((plan, index) => {
    const number = first + index
    checkVolumeSize(template, plan.size, owner)
    if (template === 'drbd') return drbdDisk(run, ids, owner, plan, number)
    run.say(`* disk ${number}, size ${formatSize(plan.size)}`)
    const base = diskBase(run, plan, template, `disk/${number}`)
    return {
      ...base,
      logical_id: logicalId(run, template, plan, base.uuid, number, owner, storage.driver, folder),
      params: {
        ...(template === 'ext' && { provider: plan.provider ?? '', ...plan.extParams }),
        ...(plan.access !== null && { access: plan.access }),
      },
      nodes: template === 'plain' || template === 'file' ? [owner.primary_node] : [],
    }
  })
}

/**
 * Ganeti looks at no more than the policy; it is the node that cannot make a logical volume without a size.
 * @throws OpError OpExecError
 */
function checkVolumeSize(template: string, size: number, owner: DiskOwner): void {
  if (size > 0 || (template !== 'plain' && template !== 'drbd')) return
  throw failure(`Can't create a logical volume of ${size} MiB for instance ${owner.name}`)
}

/** Follows from the disk's id, as it does for a reader of the file, which then need not say it. */
function logicalId(
  run: Run,
  template: string,
  plan: DiskPlan,
  uuid: string,
  number: number,
  owner: DiskOwner,
  driver: string,
  folder: string,
): readonly Json[] {
  const name = (suffix: string) => `${uuid}${suffix}.disk${number}`
  switch (template) {
    case 'plain':
      return [plan.vg ?? run.config.cluster.volume_group_name, name('')]
    case 'file':
    case 'sharedfile':
      return [driver, `${folder}/${name(`.${template}`)}`]
    case 'gluster':
      return [driver, `ganeti/${owner.uuid}.${number}`]
    case 'blockdev':
      return ['manual', plan.adopt]
    case 'ext':
      return [plan.provider, name('.ext')]
    default:
      return [template, name(`.${template}`)]
  }
}

function drbdDisk(run: Run, ids: IdAllocator, owner: DiskOwner, plan: DiskPlan, number: number): Disk {
  const { cluster } = run.config
  const secondary = owner.secondary ?? ''
  const nodes = [owner.primary_node, secondary]
  const base = diskBase(run, plan, 'drbd', `disk/${number}`)
  const name = `${base.uuid}.disk${number}`
  const port = ids.newPort()
  const metavg = plan.metavg ?? String(filledDiskParams(cluster, owner.group).drbd?.metavg ?? '')
  const volume = (part: string, volumeGroup: string | null, size: number): Disk => ({
    ...diskBase(run, { ...plan, size, name: null, spindles: null, mode: 'rw' }, 'plain', null),
    uuid: deriveUuid('volume', base.uuid, part),
    logical_id: [volumeGroup, `${name}_${part}`],
    nodes,
  })
  return {
    ...base,
    spindles: null,
    logical_id: [...nodes, port, ...nodes.map((node) => ids.newMinor(node)), ids.newSecret()],
    nodes,
    children: [
      volume('data', plan.vg ?? cluster.volume_group_name, plan.size),
      volume('meta', metavg, DRBD_META_SIZE),
    ],
  }
}

function diskBase(run: Run, plan: DiskPlan, template: string, ivName: string | null): Disk {
  const { now } = run.context
  return {
    uuid: run.context.newUuid(),
    name: plan.name,
    dev_type: template,
    size: plan.size,
    mode: plan.mode,
    spindles: plan.spindles,
    iv_name: ivName,
    logical_id: [],
    params: {},
    nodes: [],
    children: [],
    ctime: now,
    mtime: now,
    serial_no: 1,
  }
}

/**
 * The folder for an instance's files; '' for disks that are not in files.
 * @throws OpError where the cluster has none
 */
export function fileFolder(
  cluster: Cluster,
  template: string,
  instance: string,
  below: string | null,
): string {
  if (!IN_FILES.includes(template)) return ''
  const base = {
    file: cluster.file_storage_dir,
    sharedfile: cluster.shared_file_storage_dir,
    gluster: cluster.gluster_storage_dir,
  }[template]
  if (!base) {
    throw prerequisite(`Cluster file storage dir for '${template}' storage type not defined`, 'wrong_state')
  }
  const parts = [base, below, template === 'gluster' ? null : instance]
  return parts.filter((part) => part !== null).join('/')
}
