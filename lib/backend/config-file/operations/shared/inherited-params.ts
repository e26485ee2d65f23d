/**
 * Parameters that the cluster, groups and nodes hand down: of nodes, disks and
 * NICs. Those of hypervisors' and disks' static state (`hv_state`,
 * `disk_state`) are checked and go no further: Ganeti keeps them for later
 * use, shows them nowhere, and a file has no place for them.
 */
import { isJsonObject, type JsonObject } from '../../../../json/json.ts'
import {
  DISK_DEFAULTS,
  DISK_TEMPLATES,
  DISK_TYPES,
  HYPERVISORS,
  ND_TYPES,
  nicModes,
  type ParamTypes,
} from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { DiskParams, DiskTemplateParams, NdParams, NicParams } from '../../../../model/params.ts'
import type { Version } from '../../../../model/version.ts'
import { WITH_ACCESS } from './disk-templates.ts'
import { forceTypes, pythonText, updatedParams } from './force-types.ts'
import { OpError, prerequisite } from './operation.ts'
import type { Run } from './run.ts'

/** Node parameters with some set anew, `default` meaning that one is not set any more. */
export function changedNdParams(old: Partial<NdParams>, given: JsonObject): Partial<NdParams> {
  return forceTypes(updatedParams(old as JsonObject, given), ND_TYPES) as Partial<NdParams>
}

/** Disk parameters of one level with some set anew, as above. */
export function changedDiskParams(old: DiskParams, given: JsonObject): DiskParams {
  const changed: { [template: string]: DiskTemplateParams } = { ...old }
  for (const template of DISK_TEMPLATES) {
    const news = given[template]
    if (!isJsonObject(news)) continue
    changed[template] = forceTypes(updatedParams(old[template] ?? {}, news), DISK_TYPES) as DiskTemplateParams
  }
  checkNames(changed)
  return changed
}

/** @throws OpError for a parameter that its template does not know, though another does */
function checkNames(diskparams: DiskParams): void {
  const unknown = Object.entries(diskparams).flatMap(([template, params]) =>
    Object.keys(params)
      .filter((name) => !Object.hasOwn(DISK_DEFAULTS[template] ?? {}, name))
      .map((name) => `${template}/${name}`),
  )
  if (unknown.length === 0) return
  throw diskParamsRefusal(`('Provided option keys not supported: ${unknown.join(', ')}', 'wrong_input')`)
}

/** A refusal of disk parameters that Ganeti passes on from deeper inside. */
export function diskParamsRefusal(why: string): OpError {
  return prerequisite(`While verify diskparams options: ${why}`, 'wrong_input')
}

const ACCESS_MODES: readonly unknown[] = ['kernelspace', 'userspace']

/** What is wrong with the `access` of disk parameters, if anything. */
export function accessFault(diskparams: JsonObject): string | undefined {
  for (const [template, params] of Object.entries(diskparams)) {
    const { access } = isJsonObject(params) ? params : {}
    if (access === undefined || ACCESS_MODES.includes(access)) continue
    return (
      `Invalid value of '${template}:access': '${pythonText(access)}' ` +
      `(expected one of ${ACCESS_MODES.join(', ')})`
    )
  }
  return undefined
}

/** What keeps one of the instances from using its disks in such a way, if anything. */
export function accessConflict(diskparams: DiskParams, instances: readonly Instance[]): string | undefined {
  for (const template of WITH_ACCESS) {
    if (diskparams[template]?.access !== 'userspace') continue
    for (const { name, hypervisor, disk_template } of instances) {
      if (disk_template !== template || hypervisor === 'kvm') continue
      return (
        `Instance ${name}: cannot use 'userspace' access setting with ${hypervisor} hypervisor and ` +
        `${template} disk type.`
      )
    }
  }
  return undefined
}

const HV_STATE: ParamTypes = {
  cpu_node: 'int',
  cpu_total: 'int',
  mem_hv: 'int',
  mem_node: 'int',
  mem_total: 'int',
}
const DISK_STATE: ParamTypes = { disk_overhead: 'int', disk_reserved: 'int', disk_total: 'int' }
/** The only storage that has a state. */
const STORAGE_WITH_STATE: readonly string[] = ['plain']

/** Checks an opcode's `hv_state` and `disk_state`. */
export function checkStates(run: Run): void {
  const hvState = run.object('hv_state')
  checkKnown(Object.keys(hvState), HYPERVISORS, 'Invalid hypervisor(s) in hypervisor state')
  checkEach(hvState, HV_STATE)
  const diskState = run.object('disk_state')
  checkKnown(Object.keys(diskState), STORAGE_WITH_STATE, 'Invalid storage type(s) in disk state')
  for (const volumes of Object.values(diskState)) if (isJsonObject(volumes)) checkEach(volumes, DISK_STATE)
}

function checkKnown(names: readonly string[], known: readonly string[], otherwise: string): void {
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw prerequisite(`${otherwise}: ${unknown.join(', ')}`, 'wrong_input')
}

function checkEach(states: JsonObject, types: ParamTypes): void {
  for (const [name, state] of Object.entries(states)) {
    if (!isJsonObject(state)) {
      throw new OpError('TypeEnforcementError', [`State of '${name}' (${pythonText(state)}) is no dict`])
    }
    forceTypes(updatedParams({}, state), types)
  }
}

/** @param filled the parameters of a NIC with the cluster's defaults */
export function checkNicParams(version: Version, filled: NicParams): void {
  const modes: readonly string[] = [...nicModes(version), 'auto']
  if (!modes.includes(filled.mode)) {
    throw new OpError('ConfigurationError', [`Invalid NIC mode '${filled.mode}'`])
  }
  if (filled.mode === 'bridged' && filled.link === '') {
    throw new OpError('ConfigurationError', ['Missing bridged NIC link'])
  }
}
