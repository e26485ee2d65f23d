/** What an opcode wants of a disk. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { ParamTypes } from '../../../../model/defaults.ts'
import type { DiskTemplateParams } from '../../../../model/params.ts'
import { WITH_ACCESS } from '../shared/disk-templates.ts'
import { prerequisite } from '../shared/operation.ts'
import { orNone } from './devices.ts'

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

function ownParams(wanted: JsonObject): DiskTemplateParams {
  const own = Object.entries(wanted).filter(([name]) => !Object.hasOwn(DISK_PARAM_TYPES, name))
  return Object.fromEntries(own) as DiskTemplateParams
}

function orNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}
