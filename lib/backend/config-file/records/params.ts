/**
 * The parameters that Ganeti fills level by level, read the same way from
 * either form of file. Older spellings are turned into today's: `memory` into
 * `minmem` and `maxmem`, an instance policy's `min` and `max` into `minmax`.
 */
import {
  BE_TYPES,
  DISK_DEFAULTS,
  DISK_TEMPLATES,
  DISK_TYPES,
  HV_DEFAULTS,
  HV_GLOBALS,
  HV_TYPES,
  ND_TYPES,
  NIC_MODES,
  type ParamType,
  type ParamTypes,
} from '../../../model/defaults.ts'
import type {
  BeParams,
  DiskParams,
  DiskTemplateParams,
  HvParams,
  IPolicy,
  Ispecs,
  IspecsMinMax,
  NdParams,
  NicParams,
  PartialIPolicy,
} from '../../../model/params.ts'
import { NOTHING, type RecordReader } from './record-reader.ts'

export function readBeParams(fields: RecordReader): Partial<BeParams> {
  const memory = fields.sizeOr('memory', undefined)
  const beparams: Partial<BeParams> = fields.params(BE_TYPES)
  return memory === undefined ? beparams : { maxmem: memory, minmem: memory, ...beparams }
}

export function readNdParams(fields: RecordReader): Partial<NdParams> {
  return fields.params(ND_TYPES)
}

export function readNicParams(fields: RecordReader): Partial<NicParams> {
  const mode = fields.oneOf('mode', NIC_MODES, undefined)
  const link = fields.textOr('link', undefined)
  const vlan = fields.textOr('vlan', undefined)
  if (mode === undefined && link === undefined && vlan === undefined) return NOTHING
  return {
    ...(mode !== undefined && { mode }),
    ...(link !== undefined && { link }),
    ...(vlan !== undefined && { vlan }),
  }
}

/** What a hypervisor can be told, by name; nothing for one that we do not know. */
const HV_TYPES_OF: { readonly [hypervisor: string]: ParamTypes } = Object.fromEntries(
  Object.entries(HV_DEFAULTS).map(([hypervisor, defaults]) => [hypervisor, typesOf(defaults, HV_TYPES)]),
)

/** A `config.data` may be of a Ganeti with parameters of other names or types, so it is held to single values only. */
export function readHvParams(fields: RecordReader, hypervisor: string): HvParams {
  if (!fields.problems.strict) return fields.params(NOTHING, 'keep') as HvParams
  return fields.params(HV_TYPES_OF[hypervisor] ?? HV_TYPES) as HvParams
}

/** As `readHvParams`, less what only the cluster can have. */
export function readInstanceHvParams(fields: RecordReader, hypervisor: string): HvParams {
  const hvparams = readHvParams(fields, hypervisor)
  if (!HV_GLOBALS.some((name) => Object.hasOwn(hvparams, name))) return hvparams
  return Object.fromEntries(Object.entries(hvparams).filter(([name]) => !HV_GLOBALS.includes(name)))
}

/** By disk template. */
export function readDiskParams(fields: RecordReader): DiskParams {
  const diskparams: { [template: string]: DiskTemplateParams } = {}
  for (const template of fields.childrenNamed(DISK_TEMPLATES)) {
    diskparams[template.key] = readDiskTemplateParams(template, template.key)
  }
  return diskparams
}

const DISK_TYPES_OF: { readonly [template: string]: ParamTypes } = Object.fromEntries(
  Object.entries(DISK_DEFAULTS).map(([template, defaults]) => [template, typesOf(defaults, DISK_TYPES)]),
)

export function readDiskTemplateParams(fields: RecordReader, template: string): DiskTemplateParams {
  return fields.params(DISK_TYPES_OF[template] ?? NOTHING, 'keep') as DiskTemplateParams
}

function typesOf(params: object, types: ParamTypes): ParamTypes {
  return Object.fromEntries(Object.keys(params).map((name) => [name, types[name] as ParamType]))
}

const ISPECS: ParamTypes = {
  'memory-size': 'size',
  'cpu-count': 'int',
  'disk-count': 'int',
  'disk-size': 'size',
  'nic-count': 'int',
  'spindle-use': 'int',
}

/**
 * What the cluster or a group says of an instance policy.
 * @param above the policy this one refines: what a bound leaves out is as there
 */
export function readIPolicy(fields: RecordReader, above: IPolicy): Partial<IPolicy> {
  const bounds = above.minmax[0] as IspecsMinMax
  const minmax = fields.has('minmax')
    ? fields.items('minmax').map((item) => readMinMax(item, bounds))
    : // Up to 2.7 there is one pair of bounds, and empty ones where nothing differs.
      hasKeys(fields.child('min')) || hasKeys(fields.child('max'))
      ? [readMinMax(fields, bounds)]
      : []
  const std = fields.child('std')
  const templates = fields.has('disk-templates') ? fields.texts('disk-templates') : undefined
  const vcpuRatio = fields.numberOr('vcpu-ratio', undefined)
  const spindleRatio = fields.numberOr('spindle-ratio', undefined)
  fields.rejectUnknownKeys()
  return {
    ...(minmax.length > 0 && { minmax }),
    ...(hasKeys(std) && { std: { ...above.std, ...std.params(ISPECS) } }),
    ...(templates && { 'disk-templates': templates }),
    ...(vcpuRatio !== undefined && { 'vcpu-ratio': vcpuRatio }),
    ...(spindleRatio !== undefined && { 'spindle-ratio': spindleRatio }),
  }
}

/** As `readIPolicy`, less `std`, which older versions write for groups too but only the cluster has. */
export function readGroupIPolicy(fields: RecordReader, cluster: IPolicy): PartialIPolicy {
  const { std: _, ...ipolicy } = readIPolicy(fields, cluster)
  return ipolicy
}

function readMinMax(fields: RecordReader, above: IspecsMinMax): IspecsMinMax {
  const min: Ispecs = { ...above.min, ...fields.child('min').params(ISPECS) }
  const max: Ispecs = { ...above.max, ...fields.child('max').params(ISPECS) }
  for (const name of Object.keys(ISPECS) as (keyof Ispecs)[]) {
    if (min[name] > max[name])
      fields.addProblem('min', `${name}: the least (${min[name]}) is above the most (${max[name]})`)
  }
  return { min, max }
}

function hasKeys(fields: RecordReader): boolean {
  return fields.keys().length > 0
}
