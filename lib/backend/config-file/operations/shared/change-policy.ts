/** Instance policies of the cluster and of groups: changing them, and who is outside afterwards. */
import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import { DISK_TEMPLATES, type ParamTypes } from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { IPolicy, PartialIPolicy } from '../../../../model/params.ts'
import { forceTypes, pythonText } from './force-types.ts'
import { specsOf, violations } from './instance-policy.ts'
import { OpError, prerequisite } from './operation.ts'

const SPECS: ParamTypes = {
  'cpu-count': 'int',
  'disk-count': 'int',
  'disk-size': 'size',
  'memory-size': 'size',
  'nic-count': 'int',
  'spindle-use': 'int',
}
const RATIOS: readonly string[] = ['spindle-ratio', 'vcpu-ratio']
const KEYS: readonly string[] = ['disk-templates', 'minmax', ...RATIOS, 'std']

/** The cluster's policy with parts set anew; none of them can be unset. */
export function changedClusterPolicy(old: IPolicy, given: JsonObject): IPolicy {
  const changed: { [key: string]: unknown } = { ...old }
  for (const [key, value] of Object.entries(given)) {
    checkKey(key)
    if (isUnset(value)) {
      throw prerequisite(`Can't unset ipolicy attribute '${key}' on the cluster'`, 'wrong_input')
    }
    changed[key] =
      key === 'std' ? { ...old.std, ...forceTypes(objectIn(value, key), SPECS) } : changedPart(key, value)
  }
  const policy = changed as unknown as IPolicy
  checkPolicy(policy, true)
  return policy
}

/** What a group's own policy becomes; what is unset there is as the cluster has it. */
export function changedGroupPolicy(old: PartialIPolicy, given: JsonObject): PartialIPolicy {
  const changed: { [key: string]: unknown } = { ...old }
  for (const [key, value] of Object.entries(given)) {
    checkKey(key)
    if (isUnset(value)) {
      delete changed[key]
      continue
    }
    if (key === 'std') throw prerequisite('std cannot appear in group instance specs', 'wrong_input')
    changed[key] = changedPart(key, value)
  }
  checkPolicy(changed, false)
  return changed
}

function checkKey(key: string): void {
  if (!KEYS.includes(key)) throw prerequisite(`Invalid key in new ipolicy: ${key}`, 'wrong_input')
}

/** Whether a value takes a part of a policy back: empty in whatever way, or `default`. */
function isUnset(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0 || (value.length === 1 && value[0] === 'default')
  if (isJsonObject(value)) return Object.keys(value).length === 0
  return !value || value === 'default'
}

function changedPart(key: string, value: Json): unknown {
  if (RATIOS.includes(key)) {
    const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
    if (!Number.isNaN(number) && !Array.isArray(value)) return number
    const text = pythonText(value)
    throw prerequisite(
      `Invalid value for attribute '${key}': '${text}', error: could not convert string to float: '${text}'`,
      'wrong_input',
    )
  }
  if (!Array.isArray(value)) throw invalid(`${key} is not a list`)
  if (key !== 'minmax') return value.map(String)
  return value.map((bounds: Json) =>
    Object.fromEntries(
      Object.entries(objectIn(bounds, key)).map(([bound, specs]) => [
        bound,
        forceTypes(objectIn(specs, bound), SPECS),
      ]),
    ),
  )
}

function objectIn(value: Json, key: string): JsonObject {
  if (isJsonObject(value)) return value
  throw invalid(`${key} has something other than specs by name`)
}

/** @param withStd whether there is a standard instance, which then must fit */
function checkPolicy({ std, ...policy }: Partial<IPolicy>, withStd: boolean): void {
  if (policy.minmax) {
    if (withStd) checkComplete(std, 'std')
    let stdFits = !withStd
    for (const bounds of policy.minmax) {
      const missing = ['max', 'min'].filter((bound) => !Object.hasOwn(bounds, bound))
      if (missing.length > 0) throw invalid(`Missing instance specification: ${missing.join(', ')}`)
      for (const [bound, specs] of Object.entries(bounds)) checkComplete(specs, bound)
      const { min, max } = bounds
      const names = Object.keys(SPECS) as (keyof typeof min)[]
      for (const name of names) {
        if (min[name] > max[name]) {
          throw invalid(`Invalid specification of min/max values for ${name}: ${min[name]}/${max[name]}`)
        }
      }
      stdFits ||= std !== undefined && names.every((name) => std[name] >= min[name] && std[name] <= max[name])
    }
    if (!stdFits) throw invalid('Invalid std specifications')
  }
  const known: readonly string[] = DISK_TEMPLATES
  const wrong = policy['disk-templates']?.filter((template) => !known.includes(template)) ?? []
  if (wrong.length > 0) throw invalid(`Invalid disk template(s) ${wrong.join(', ')}`)
}

function checkComplete(specs: object | undefined, name: string): void {
  const missing = Object.keys(SPECS).filter((spec) => !Object.hasOwn(specs ?? {}, spec))
  if (missing.length > 0) {
    throw invalid(`Missing instance specs parameters for ${name}: ${missing.join(', ')}`)
  }
}

function invalid(why: string): OpError {
  return prerequisite(`Invalid instance policy: ${why}`, 'wrong_input')
}

/** @throws OpError where a policy allows what the cluster has not enabled */
export function checkPolicyTemplates(policy: IPolicy, enabled: readonly string[]): void {
  const others = policy['disk-templates'].filter((template) => !enabled.includes(template))
  if (others.length === 0) return
  throw new OpError('OpPrereqError', [
    `The following disk template are allowed by the ipolicy, but not enabled on the cluster: ${others.join(', ')}`,
  ])
}

/** Names of those instances that the new policy has something against, and the old one had not. */
export function newViolators(
  config: Config,
  instances: readonly Instance[],
  old: IPolicy,
  now: IPolicy,
): readonly string[] {
  return instances
    .filter((instance) => {
      const specs = specsOf(config, instance)
      return violations(now, specs).length > 0 && violations(old, specs).length === 0
    })
    .map(({ name }) => name)
}
