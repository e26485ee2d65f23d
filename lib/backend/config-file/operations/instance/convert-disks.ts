/** Changing the disk template of an instance: the same disks, kept another way. */
import type { JsonObject } from '../../../../json/json.ts'
import { filledIPolicy } from '../../../../model/fill.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { DRBD_META_SIZE } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import { IN_FILES, ON_LVM, spaceWanted, totalSpace } from '../shared/disk-templates.ts'
import { groupOf, nodeBehind, nodeOf } from '../shared/find.ts'
import { allocate, allocatorOrNode, secondaryRequest } from '../shared/iallocator.ts'
import { checkTargetPolicy } from '../shared/instance-policy.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import {
  checkInstanceState,
  checkNodeNotDrained,
  checkNodeOnline,
  checkNodesFreeDisk,
  checkNodeVmCapable,
  DOWN,
  hasExclusiveStorage,
} from '../shared/preconditions.ts'
import { withDisks } from '../shared/revise.ts'
import type { Run } from '../shared/run.ts'
import { checkProvider, type DiskPlan, FILE_DRIVERS, planDisk } from './disk-plan.ts'
import { formatSize, tellSync } from './disks.ts'
import type { IdAllocator } from './id-allocator.ts'
import { fileFolder, makeDisks } from './new-disks.ts'

/** A conversion that has been checked. */
export interface Conversion {
  readonly template: string
  readonly plans: readonly DiskPlan[]
  /** DRBD's second node; null where there is none, or it is yet to be chosen. */
  readonly remote: Node | null
  /** Chooses that node. */
  readonly allocator: string | null
}

/** The conversion that an opcode wants; undefined for none. */
export function conversionOf(run: Run): { template: string; allocator: string | null } | undefined {
  const template = run.text('disk_template')
  if (template === null) return undefined
  if (run.list('disks').length > 0) {
    throw prerequisite(
      'Disk template conversion and other disk changes not supported at the same time',
      'wrong_input',
    )
  }
  if (template === 'drbd') {
    return { template, allocator: allocatorOrNode(run, run.text('remote_node') !== null) }
  }
  if (run.text('remote_node') !== null) {
    run.warn('Changing the disk template to a non-mirrored one, the secondary node will be ignored')
  }
  const driver = run.text('file_driver')
  if (IN_FILES.includes(template) && driver !== null && !FILE_DRIVERS.includes(driver)) {
    throw prerequisite(`Invalid file driver name '${driver}'`, 'wrong_input')
  }
  return { template, allocator: null }
}

export function checkedConversion(
  run: Run,
  instance: Instance,
  { template, allocator }: { template: string; allocator: string | null },
): Conversion {
  const { config } = run
  const from = instance.disk_template
  checkTemplates(run, instance, template)
  checkInstanceState(run, instance, DOWN, 'cannot change disk template')
  const plans = plansOf(run, instance, template)
  const pnode = nodeBehind(config, instance.primary_node)
  const remote = template === 'drbd' ? nodeOf(run, 'remote_node') : null
  if (remote) checkRemote(run, instance, remote)
  const allowed = filledIPolicy(config.cluster, groupOf(config, pnode))['disk-templates']
  if (!allowed.includes(template)) {
    throw prerequisite(
      `Disk template '${template}' in not allowed (allowed templates: ${allowed.join(', ')})`,
      'wrong_state',
    )
  }
  if (template !== 'plain' && hasExclusiveStorage(config, remote ? [pnode, remote] : [pnode])) {
    throw prerequisite(
      `Cannot convert disk template from ${from} to ${template} when exclusive storage is enabled`,
      'wrong_state',
    )
  }
  checkSpace(run, instance, template, plans, pnode, remote)
  fileFolder(config.cluster, template, instance.name, run.text('file_storage_dir'))
  return { template, plans, remote, allocator }
}

function checkTemplates(run: Run, instance: Instance, template: string): void {
  const { cluster } = run.config
  const from = instance.disk_template
  if (from === 'mixed') throw new OpError('OpPrereqError', ['Conversion from mixed is not yet supported.'])
  if (template === 'blockdev' || template === 'diskless') {
    throw prerequisite(`Conversion to the '${template}' disk template is not supported`, 'wrong_input')
  }
  if (from === 'diskless') {
    throw prerequisite("Conversion from the 'diskless' disk template is not supported", 'wrong_input')
  }
  if (template !== 'ext' && from === template) {
    throw prerequisite(`Instance already has disk template ${template}`, 'wrong_input')
  }
  const enabled = cluster.enabled_disk_templates
  if (!enabled.includes(template)) {
    throw prerequisite(
      `Disk template '${template}' is not enabled for this cluster (enabled templates: ${enabled.join(', ')})`,
      'wrong_state',
    )
  }
  if (cluster.volume_group_name === null && ON_LVM.includes(template)) {
    throw prerequisite(
      'Disk template conversions to lvm-based instances are not supported by the cluster',
      'wrong_state',
    )
  }
}

/** What the new disks take over from the old ones; among LVM's, the volume group too. */
function plansOf(run: Run, instance: Instance, template: string): DiskPlan[] {
  const extra = run.object('ext_params')
  return instance.disks.map((disk) => {
    const wanted: JsonObject = { size: disk.size, mode: disk.mode, name: disk.name, ...extra }
    checkProvider(wanted, template)
    if (disk.dev_type === 'ext' && template === 'ext' && wanted.provider === disk.params.provider) {
      throw prerequisite(
        `Not converting, '${disk.iv_name}' of type ExtStorage already using provider '${wanted.provider}'`,
        'wrong_input',
      )
    }
    const volume = disk.dev_type === 'drbd' ? disk.children[0] : disk
    const vg = ON_LVM.includes(template) && volume?.dev_type === 'plain' ? volume.logical_id[0] : null
    const access = disk.params.access
    return {
      ...planDisk(typeof access === 'string' ? { ...wanted, access } : wanted, template),
      vg: typeof vg === 'string' ? vg : null,
    }
  })
}

function checkRemote(run: Run, instance: Instance, remote: Node): void {
  if (remote.uuid === instance.primary_node) {
    throw prerequisite(
      `Given new secondary node ${remote.name} is the same as the primary node of the instance`,
      'wrong_state',
    )
  }
  checkNodeOnline(remote)
  checkNodeNotDrained(remote)
  checkNodeVmCapable(remote)
  checkTargetPolicy(run, instance, remote)
  if (remote.group !== nodeBehind(run.config, instance.primary_node).group) {
    run.warn(
      'The primary and secondary nodes are in two different node groups; the disk parameters from the ' +
        "first disk's node group will be used",
    )
  }
}

function checkSpace(
  run: Run,
  instance: Instance,
  template: string,
  plans: readonly DiskPlan[],
  pnode: Node,
  remote: Node | null,
): void {
  const { config } = run
  if (template === 'plain' && instance.disk_template === 'drbd') return
  const wanted = spaceWanted(config.cluster, template, plans)
  if (remote) checkNodesFreeDisk(config, [remote], wanted)
  // On the primary node, volumes become DRBD's data, which only needs its notes beside them.
  const onPrimary =
    template === 'drbd' && instance.disk_template === 'plain'
      ? new Map([[config.cluster.volume_group_name ?? '', plans.length * DRBD_META_SIZE]])
      : wanted
  checkNodesFreeDisk(config, [pnode], onPrimary)
}

/** The instance with its disks converted, told step by step. */
export function converted(run: Run, instance: Instance, conversion: Conversion, ids: IdAllocator): Instance {
  const { template } = conversion
  const from = instance.disk_template
  if (from === 'drbd' && template === 'plain') return toPlain(run, instance)
  const label = template === 'ext' ? `ext:${run.object('ext_params').provider}` : template
  run.say(`Converting disk template from '${from}' to '${label}'`)
  const remote = template === 'drbd' ? (conversion.remote ?? chooseRemote(run, instance, conversion)) : null
  const betweenVolumes = from === 'plain' && template === 'drbd'
  if (!betweenVolumes) run.say(`Generating new '${label}' disk template...`)
  const disks = makeDisks(
    run,
    ids,
    {
      uuid: instance.uuid,
      name: instance.name,
      primary_node: instance.primary_node,
      secondary: remote?.uuid ?? null,
      group: groupOf(run.config, nodeBehind(run.config, instance.primary_node)),
    },
    template,
    conversion.plans,
    { driver: run.text('file_driver') ?? 'loop', folder: run.text('file_storage_dir') },
  )
  if (betweenVolumes) {
    run.say('Creating additional volumes...')
    run.say('Renaming original volumes...')
    run.say('Initializing DRBD devices...')
  } else tellCopying(run, instance.disks, disks, from, label)
  tellSync(run, { name: instance.name, disks }, !run.flag('wait_for_sync'))
  if (!betweenVolumes) run.say(`Removing old block devices of type '${from}'...`)
  return withDisks(instance, disks)
}

/** DRBD's data on the primary node stays as it is. */
function toPlain(run: Run, instance: Instance): Instance {
  run.say("Converting disk template from 'drbd' to 'plain'")
  const disks = instance.disks.map((disk): Disk => {
    const data = disk.children[0] as Disk
    return { ...data, size: disk.size, mode: disk.mode, name: disk.name, nodes: [instance.primary_node] }
  })
  run.say('Removing volumes on the secondary node...')
  run.say('Removing unneeded volumes on the primary node...')
  return withDisks(instance, disks)
}

function chooseRemote(run: Run, instance: Instance, { allocator, plans, template }: Conversion): Node {
  const name = allocator ?? ''
  run.say(`Using ${name} to choose new secondary`)
  const pnode = nodeBehind(run.config, instance.primary_node)
  const space = totalSpace(spaceWanted(run.config.cluster, template, plans))
  const found = allocate(run.config, name, secondaryRequest(pnode, space, [pnode]))
  if (typeof found === 'string') {
    // The slip of the pen is Ganeti's (cmdlib/instance_set_params.py).
    throw prerequisite(
      `Can's find secondary node using iallocator ${name}: ${found}`,
      'insufficient_resources',
    )
  }
  const [node] = found as [Node]
  run.say(`${name} choose ${node.name} as new secondary`)
  return node
}

function tellCopying(
  run: Run,
  old: readonly Disk[],
  disks: readonly Disk[],
  from: string,
  label: string,
): void {
  run.say(`Creating new empty disks of type '${label}'...`)
  run.say(`Populating the new empty disks of type '${label}'...`)
  old.forEach(({ dev_type }, index) => {
    const size = formatSize(disks[index]?.size ?? 0)
    run.say(` - copying data from disk ${index} (${dev_type}), size ${size}`)
  })
  run.say(`Detaching old disks (${from}) from the instance and removing them from cluster config`)
  run.say(`Adding new disks (${label}) to cluster config and attaching them to the instance`)
}
