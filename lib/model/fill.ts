/**
 * Parameters in effect: what Ganeti makes of the levels at which a parameter
 * may be set (cluster, OS, group, node, instance), the more specific one
 * winning.
 *
 * A result is often the very object it was made from, as most objects set
 * nothing of their own; so results are read, never changed.
 */
import type { Cluster } from './cluster.ts'
import { HV_GLOBALS } from './defaults.ts'
import type { Group } from './group.ts'
import type { Instance, Nic } from './instance.ts'
import type { Node } from './node.ts'
import { nameWithoutVariant } from './os.ts'
import type {
  BeParams,
  DiskParams,
  DiskTemplateParams,
  HvParams,
  IPolicy,
  NdParams,
  NicParams,
} from './params.ts'

/** What cluster and OS give an instance without parameters of its own: by hypervisor and OS. */
const hvDefaults = new WeakMap<Cluster, Map<string, HvParams>>()

/** Hypervisor parameters of an instance (cluster, OS, instance) as the `hvparams` field shows them: without the global ones. */
export function filledHvParams(cluster: Cluster, instance: Instance): HvParams {
  const defaults = defaultHvParams(cluster, instance)
  if (isEmpty(instance.hvparams)) return defaults
  return withoutGlobals({ ...defaults, ...instance.hvparams })
}

/** One hypervisor parameter of an instance, global ones too; undefined where its hypervisor has none of that name. */
export function hvParam(
  cluster: Cluster,
  instance: Instance,
  name: string,
): string | number | boolean | null | undefined {
  if (Object.hasOwn(instance.hvparams, name)) return instance.hvparams[name]
  if (HV_GLOBALS.includes(name)) return own(cluster.hvparams, instance.hypervisor)?.[name]
  return defaultHvParams(cluster, instance)[name]
}

/** Backend parameters of an instance (cluster, instance). */
export function filledBeParams(cluster: Cluster, instance: Instance): BeParams {
  return isEmpty(instance.beparams) ? cluster.beparams : { ...cluster.beparams, ...instance.beparams }
}

/** OS parameters of an instance (cluster's for the OS whatever its variant, instance); public ones only. */
export function filledOsParams(
  cluster: Cluster,
  { os, osparams }: Pick<Instance, 'os' | 'osparams'>,
): Instance['osparams'] {
  const defaults = own(cluster.osparams, nameWithoutVariant(os))
  return defaults ? { ...defaults, ...osparams } : osparams
}

/** Node parameters of a group, or of a node in that group. */
export function filledNdParams(cluster: Cluster, group: Group | undefined, node?: Node): NdParams {
  if ((!group || isEmpty(group.ndparams)) && (!node || isEmpty(node.ndparams))) return cluster.ndparams
  return { ...cluster.ndparams, ...group?.ndparams, ...node?.ndparams }
}

/** Parameters of a NIC (cluster, NIC). */
export function filledNicParams(cluster: Cluster, nic: Nic): NicParams {
  return isEmpty(nic.nicparams) ? cluster.nicparams : { ...cluster.nicparams, ...nic.nicparams }
}

/** Instance policy of a group: whatever the group sets replaces the cluster's as a whole, `minmax` included. */
export function filledIPolicy(cluster: Cluster, group: Group): IPolicy {
  return isEmpty(group.ipolicy) ? cluster.ipolicy : { ...cluster.ipolicy, ...group.ipolicy }
}

/**
 * Disk parameters of a group, filled template by template. (Ganeti's query
 * daemon shows of a template that a group touches only what the group sets,
 * though disks are made with the filled ones; here is what disks get.)
 */
export function filledDiskParams(cluster: Cluster, group: Group): DiskParams {
  if (isEmpty(group.diskparams)) return cluster.diskparams
  const filled: { [template: string]: DiskTemplateParams } = { ...cluster.diskparams }
  for (const [template, params] of Object.entries(group.diskparams)) {
    filled[template] = { ...own(cluster.diskparams, template), ...params }
  }
  return filled
}

function defaultHvParams(cluster: Cluster, instance: Instance): HvParams {
  let made = hvDefaults.get(cluster)
  if (!made) {
    made = new Map()
    hvDefaults.set(cluster, made)
  }
  const key = `${instance.hypervisor} ${instance.os}`
  let defaults = made.get(key)
  if (!defaults) {
    const ofOs = own(own(cluster.os_hvp, instance.os) ?? {}, instance.hypervisor)
    defaults = withoutGlobals({ ...own(cluster.hvparams, instance.hypervisor), ...ofOs })
    made.set(key, defaults)
  }
  return defaults
}

function withoutGlobals(params: HvParams): HvParams {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !HV_GLOBALS.includes(name)))
}

/** A property of the object itself, so that an OS called `constructor` finds nothing. */
function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false
  return true
}
