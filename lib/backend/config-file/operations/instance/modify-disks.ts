/**
 * Adding, changing and removing the disks of an instance that is there. A disk
 * that belongs to no instance has no place in a file, so none can be detached,
 * and there is none to attach.
 */
import type { Json, JsonObject } from '../../../../json/json.ts'
import { filledDiskParams } from '../../../../model/fill.ts'
import { type Disk, type Instance, MAX_DISKS } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { DiskTemplateParams } from '../../../../model/params.ts'
import { spaceWanted, WITH_ACCESS } from '../shared/disk-templates.ts'
import { groupOf, nodeBehind, nodesOf } from '../shared/find.ts'
import { forceTypes } from '../shared/force-types.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import {
  checkInstanceState,
  checkNodesFreeDisk,
  hasExclusiveStorage,
  NOT_RUNNING,
} from '../shared/preconditions.ts'
import { revised, withDisks } from '../shared/revise.ts'
import type { Run } from '../shared/run.ts'
import {
  checkDeviceNames,
  checkNothingSet,
  type Modification,
  orNone,
  placeForNew,
  placeOf,
} from './devices.ts'
import {
  checkAccess,
  checkProvider,
  checkSpindles,
  DISK_PARAM_TYPES,
  type DiskPlan,
  planDisk,
} from './disk-plan.ts'
import { tellSync } from './disks.ts'
import type { IdAllocator } from './id-allocator.ts'
import { type Changes, hotplugged } from './modify-nics.ts'
import { type FileStorage, makeDisks } from './new-disks.ts'

/** A modification that has been checked; `plan` is that of a disk to be added. */
export interface DiskModification extends Modification {
  readonly plan: DiskPlan | null
}

/** The disks by number, where an opcode may give names or UUIDs. */
export function disksByPlace(instance: Instance, modifications: readonly Modification[]): Modification[] {
  return modifications.map((modification) => {
    const { device } = modification
    if (Number.isInteger(Number(device))) return { ...modification, device: Number(device) }
    const place = instance.disks.findIndex(({ name, uuid }) => name === device || uuid === device)
    if (place < 0) throw new OpError('OpPrereqError', [`Lookup of disk '${device}' failed`])
    return { ...modification, device: place }
  })
}

/** Checks each by itself, then what they come to all together. */
export function checkedDiskModifications(
  run: Run,
  instance: Instance,
  modifications: readonly Modification[],
  hotplugs: boolean,
): DiskModification[] {
  const checked = modifications.map((modification) => {
    checkNothingSet('disk', modification)
    return checkedModification(run, instance, modification, hotplugs)
  })
  checkTogether(instance, checked)
  const plans = checked.flatMap(({ plan }) => plan ?? [])
  const template = instance.disk_template
  checkNodesFreeDisk(
    run.config,
    nodesOf(run.config, instance),
    spaceWanted(run.config.cluster, template, plans),
  )
  return checked
}

function checkedModification(
  run: Run,
  instance: Instance,
  modification: Modification,
  hotplugs: boolean,
): DiskModification {
  const { action, params } = modification
  switch (action) {
    case 'add':
      return { ...modification, plan: checkedAddition(run, instance, params) }
    case 'attach':
      throw notToAttach(run, params)
    case 'detach':
      throw prerequisite("Cannot detach a disk: the cluster's file has no place for it", 'wrong_input')
    case 'modify':
      return { ...modification, params: checkedParams(instance, params), plan: null }
    case 'remove':
      if (!hotplugs) {
        const otherwise = "can't remove volume from a running instance without using hotplug"
        checkInstanceState(run, instance, NOT_RUNNING, otherwise)
      }
      return { ...modification, plan: null }
  }
}

function checkedAddition(run: Run, instance: Instance, given: JsonObject): DiskPlan {
  const template = instance.disk_template
  const type = typeof given.dev_type === 'string' ? given.dev_type : template
  // Ganeti has a parameter for the type, but then makes the disk of the instance's own type.
  if (template === 'diskless') {
    throw prerequisite('Must specify disk type on diskless instance', 'wrong_input')
  }
  const params = type === 'ext' ? given : forceTypes(given, DISK_PARAM_TYPES)
  if (params.size === undefined) throw prerequisite("Required disk parameter 'size' missing", 'wrong_input')
  const nodes = nodesOf(run.config, instance)
  checkSpindles(params.spindles, hasExclusiveStorage(run.config, nodes), true)
  checkProvider(params, type)
  if (!run.flag('wait_for_sync') && !instance.disks_active) {
    throw prerequisite(
      "Can't add a disk to an instance with deactivated disks and --no-wait-for-sync given",
      'wrong_input',
    )
  }
  if (WITH_ACCESS.includes(type)) {
    const group = groupOf(run.config, nodes[0] as Node)
    const usual = filledDiskParams(run.config.cluster, group)[type]?.access
    checkAccess(instance.hypervisor, type, params.access ?? usual)
  }
  return planDisk(params, template)
}

function notToAttach(run: Run, { uuid, name }: JsonObject): OpError {
  if ((uuid === undefined) === (name === undefined)) {
    return prerequisite('Only one argument is permitted in attach op, either name or uuid', 'wrong_input')
  }
  const isIt = (disk: Disk) => (uuid === undefined ? disk.name === name : disk.uuid === uuid)
  const owner = run.config.instances.all.find(({ disks }) => disks.some(isIt))
  if (owner) return prerequisite(`Disk ${uuid ?? name} belongs to instance ${owner.name}`, 'wrong_state')
  const by = uuid === undefined ? `name: ${name}` : `UUID: ${uuid}`
  return prerequisite(`No disk was found with this ${by}`, 'wrong_input')
}

/** Of most disks just name and mode can be changed; an external one may be told more. */
function checkedParams(instance: Instance, params: JsonObject): JsonObject {
  if ('size' in params) {
    throw prerequisite('Disk size change not possible, use grow-disk', 'wrong_input')
  }
  if (instance.disk_template === 'ext') {
    const fixed = ['access', 'provider'].find((name) => name in params)
    if (fixed !== undefined) {
      throw prerequisite(`Disk '${fixed}' parameter change is not possible`, 'wrong_input')
    }
  } else forceTypes(params, { mode: 'string', name: 'string' })
  if ('mode' in params && params.mode !== 'rw' && params.mode !== 'ro') {
    throw prerequisite(`Invalid disk access mode '${params.mode}'`, 'wrong_input')
  }
  return 'name' in params ? { ...params, name: orNone(params.name) } : params
}

/** Names and the number of disks, by trying the modifications on the names alone. */
function checkTogether(instance: Instance, modifications: readonly DiskModification[]): void {
  const disks = instance.disks.map(({ name, uuid }) => ({ name, uuid }))
  for (const { action, device, params, plan } of modifications) {
    if (plan) {
      disks.splice(placeForNew('disk', disks, device), 0, { name: plan.name, uuid: '' })
      // Some may be removed again; but no list grows without end.
      if (disks.length > 2 * MAX_DISKS) throw tooMany()
      continue
    }
    const place = placeOf('disk', disks, device)
    const disk = disks[place] as { name: string | null; uuid: string }
    if (action === 'remove') disks.splice(place, 1)
    else if ('name' in params) disks[place] = { ...disk, name: orNone(params.name) }
  }
  checkDeviceNames(
    'disk',
    disks.map(({ name, uuid }) => (uuid === '' ? { name } : { name, uuid })),
  )
  if (disks.length > MAX_DISKS) throw tooMany()
}

function tooMany(): OpError {
  return prerequisite(`Instance has too many disks (${MAX_DISKS}), cannot add more`, 'wrong_state')
}

/**
 * @param changes is added to
 * @returns the instance with its disks from now on
 */
export function modifiedDisks(
  run: Run,
  instance: Instance,
  modifications: readonly DiskModification[],
  ids: IdAllocator,
  storage: FileStorage,
  hotplugs: boolean,
  changes: Changes,
): Instance {
  if (modifications.length === 0) return instance
  const disks = [...instance.disks]
  for (const { action, device, params, plan } of modifications) {
    if (plan) {
      const place = placeForNew('disk', disks, device)
      const disk = addedDisk(run, instance, plan, ids, storage, place)
      disks.splice(place, 0, disk)
      changes.push([`disk/${place}`, `add:size=${disk.size},mode=${disk.mode}`])
      if (hotplugs) changes.push([`disk/${place}`, hotplugged(run)])
      tellSync(run, { name: instance.name, disks: [disk] }, !run.flag('wait_for_sync'))
      continue
    }
    const place = placeOf('disk', disks, device)
    if (action === 'remove') {
      changes.push([`disk/${place}`, 'remove'])
      if (hotplugs) changes.push([`disk/${place}`, hotplugged(run)])
      disks.splice(place, 1)
    } else disks[place] = changedDisk(run, disks[place] as Disk, params, place, changes)
  }
  return withDisks(instance, disks)
}

function addedDisk(
  run: Run,
  instance: Instance,
  plan: DiskPlan,
  ids: IdAllocator,
  storage: FileStorage,
  place: number,
): Disk {
  const owner = {
    uuid: instance.uuid,
    name: instance.name,
    primary_node: instance.primary_node,
    secondary: instance.secondary_nodes[0] ?? null,
    group: groupOf(run.config, nodeBehind(run.config, instance.primary_node)),
  }
  return makeDisks(run, ids, owner, instance.disk_template, [plan], storage, place)[0] as Disk
}

function changedDisk(run: Run, disk: Disk, params: JsonObject, place: number, changes: Changes): Disk {
  if ('mode' in params) changes.push([`disk.mode/${place}`, params.mode as Json])
  if ('name' in params) changes.push([`disk.name/${place}`, params.name as Json])
  const own = new Map(Object.entries(disk.params))
  for (const [name, value] of Object.entries(params)) {
    if (name === 'mode' || name === 'name') continue
    if (String(value).toLowerCase() === 'default') own.delete(name)
    else own.set(name, value as DiskTemplateParams[string])
    changes.push([`disk.params:${name}/${place}`, value])
  }
  const mode = params.mode === 'ro' || params.mode === 'rw' ? params.mode : disk.mode
  const name = 'name' in params ? orNone(params.name) : disk.name
  return revised(disk, { mode, name, params: Object.fromEntries(own) }, run.context.now)
}
