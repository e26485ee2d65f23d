/** The disks of an instance: what an opcode wants of them, and new ones. */
import type { Json, JsonObject } from '../../../../json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import { DISK_TEMPLATES, type ParamTypes } from '../../../../model/defaults.ts'
import { filledDiskParams } from '../../../../model/fill.ts'
import type { Group } from '../../../../model/group.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { DRBD_META_SIZE } from '../../../../model/live-values.ts'
import type { DiskTemplateParams } from '../../../../model/params.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { orNone } from './devices.ts'
import type { IdAllocator } from './id-allocator.ts'
import { failure, OpError, prerequisite } from './operation.ts'
import type { Run } from './run.ts'

export const MAX_DISKS = 16

export const DISK_PARAM_TYPES: ParamTypes = {
  access: 'string',
  adopt: 'string',
  dev_type: 'string',
  metavg: 'string',
  mode: 'string',
  name: 'maybe-string',
  provider: 'string',
  size: 'size',
  spindles: 'int',
  vg: 'string',
}

/** Disk templates that stand on LVM. */
export const ON_LVM: readonly string[] = ['drbd', 'plain']
/** In files, whose place depends on the instance's name but for Gluster. */
export const IN_FILES: readonly string[] = ['file', 'gluster', 'sharedfile']
/** That every node can reach. */
export const SHARED: readonly string[] = ['blockdev', 'diskless', 'ext', 'gluster', 'rbd', 'sharedfile']
/** Whose disks may be reached past the kernel. */
export const WITH_ACCESS: readonly string[] = ['ext', 'gluster', 'rbd']
export const FILE_DRIVERS: readonly string[] = ['blktap', 'blktap2', 'loop']

/** A disk that an opcode asks for. */
export interface DiskPlan {
  /** MiB */
  readonly size: number
  readonly mode: 'rw' | 'ro'
  readonly name: string | null
  /** Volume groups; null for the cluster's or the group's usual one. */
  readonly vg: string | null
  readonly metavg: string | null
  /** What is there already and shall become the disk. */
  readonly adopt: string | null
  readonly spindles: number | null
  readonly access: string | null
  /** Of external storage: who provides it, and what else it was told. */
  readonly provider: string | null
  readonly extParams: DiskTemplateParams
}

/** @param wanted parameters of a disk, of the right types */
export function planDisk(wanted: JsonObject, template: string): DiskPlan {
  const mode = wanted.mode ?? 'rw'
  if (mode !== 'rw' && mode !== 'ro') throw prerequisite(`Invalid disk access mode '${mode}'`, 'wrong_input')
  if (wanted.size === undefined || wanted.size === null)
    throw prerequisite('Missing disk size', 'wrong_input')
  const size = Math.trunc(Number(wanted.size))
  if (Number.isNaN(size)) throw prerequisite(`Invalid disk size '${wanted.size}'`, 'wrong_input')
  checkProvider(wanted, template)
  return {
    size,
    mode,
    name: orNone(wanted.name),
    vg: orNull(wanted.vg),
    metavg: orNull(wanted.metavg),
    adopt: orNull(wanted.adopt),
    spindles: typeof wanted.spindles === 'number' ? wanted.spindles : null,
    access: WITH_ACCESS.includes(template) ? orNull(wanted.access) : null,
    provider: orNull(wanted.provider),
    extParams: template === 'ext' ? ownParams(wanted) : {},
  }
}

export function checkProvider(wanted: JsonObject, template: string): void {
  if (wanted.provider && template !== 'ext') {
    throw prerequisite(
      `The 'provider' option is only valid for the ext disk template, not ${template}`,
      'wrong_input',
    )
  }
  if (!wanted.provider && template === 'ext') {
    throw prerequisite("Missing provider for template 'ext'", 'wrong_input')
  }
}

/** @param exclusive whether the nodes give each of their disks to one instance only */
export function checkSpindles(spindles: Json | undefined, exclusive: boolean, required: boolean): void {
  const given = spindles !== undefined && spindles !== null
  if (!exclusive && given) {
    throw prerequisite(
      'Spindles in instance disks cannot be specified when exclusive storage is not active',
      'wrong_input',
    )
  }
  if (exclusive && required && !given) {
    throw prerequisite(
      'You must specify spindles in instance disks when exclusive storage is active',
      'wrong_input',
    )
  }
}

/** @throws OpError where a hypervisor cannot reach a disk this way */
export function checkAccess(hypervisor: string, template: string, access: Json | undefined): void {
  if (access === undefined || access === null || access === 'kernelspace') return
  if (hypervisor === 'kvm' && WITH_ACCESS.includes(template) && access === 'userspace') return
  throw prerequisite(
    `Selected hypervisor (${hypervisor}) cannot be used with ${access} disk access param`,
    'wrong_state',
  )
}

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
  plans: readonly Pick<DiskPlan, 'size' | 'vg'>[],
): Map<string, number> {
  const wanted = new Map<string, number>()
  if (!ON_LVM.includes(template)) return wanted
  for (const { size, vg } of plans) {
    const volumeGroup = vg ?? cluster.volume_group_name ?? ''
    const all = template === 'drbd' ? size + DRBD_META_SIZE : size
    wanted.set(volumeGroup, (wanted.get(volumeGroup) ?? 0) + all)
  }
  return wanted
}

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

function ownParams(wanted: JsonObject): DiskTemplateParams {
  const own = Object.entries(wanted).filter(([name]) => !Object.hasOwn(DISK_PARAM_TYPES, name))
  return Object.fromEntries(own) as DiskTemplateParams
}

function orNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}
