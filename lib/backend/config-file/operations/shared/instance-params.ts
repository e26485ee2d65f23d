/** Backend and hypervisor parameters as opcodes give them for an instance. */
import type { JsonObject } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import type { Config } from '../../../../model/config.ts'
import { BE_TYPES, HV_TYPES } from '../../../../model/defaults.ts'
import type { BeParams, HvParams } from '../../../../model/params.ts'
import { forceTypes } from './force-types.ts'
import { checkHvParams } from './hypervisor-params.ts'
import { prerequisite } from './operation.ts'

/** What an instance's own backend parameters are to be, of the right types; `memory` stands for the least and the most. */
export function ownBeParams(given: JsonObject): Partial<BeParams> {
  const { memory, ...others } = given
  const upgraded = memory === undefined ? others : { ...others, maxmem: memory, minmem: memory }
  return forceTypes(upgraded, BE_TYPES) as Partial<BeParams>
}

/**
 * Those in effect, with the cluster's for the rest. That the least memory is
 * not above the most is a rule of ours: Ganeti takes it, but no file may say it.
 */
export function fullBeParams({ beparams }: Cluster, own: Partial<BeParams>): BeParams {
  const full = { ...beparams, ...own }
  if (full.minmem > full.maxmem) {
    throw prerequisite(
      `Minimum memory (${full.minmem} MiB) is above maximum memory (${full.maxmem} MiB)`,
      'wrong_input',
    )
  }
  return full
}

/** What an instance's own hypervisor parameters are to be, of the right types. */
export function ownHvParams(given: JsonObject): HvParams {
  return forceTypes(given, HV_TYPES) as HvParams
}

/**
 * Those in effect for an instance of that OS, the global ones too.
 * @throws OpError where its hypervisor can make nothing of them
 */
export function fullHvParams(
  { cluster, version }: Config,
  hypervisor: string,
  os: string,
  own: HvParams,
): HvParams {
  const known = cluster.hvparams[hypervisor] ?? {}
  const ofOs = (Object.hasOwn(cluster.os_hvp, os) ? cluster.os_hvp[os] : undefined)?.[hypervisor]
  const full = { ...known, ...ofOs, ...own }
  checkHvParams(version, hypervisor, known, full)
  return full
}
