/** The parameters that the cluster hands down to everything in it. */
import { isJsonObject, type Json } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import {
  HV_TYPES,
  HYPERVISORS,
  hvDefaults,
  ND_DEFAULTS,
  ND_TYPES,
  type ParamTypes,
} from '../../../../model/defaults.ts'
import { filledIPolicy } from '../../../../model/fill.ts'
import { niceSort } from '../../../../model/nice-sort.ts'
import type { BeParams, HvParams, IPolicy, NdParams, NicParams } from '../../../../model/params.ts'
import { changedClusterPolicy, checkPolicyTemplates, newViolators } from '../shared/change-policy.ts'
import { instancesIn, nodeBehind } from '../shared/find.ts'
import { forceTypes, updatedParams } from '../shared/force-types.ts'
import { checkHvParams } from '../shared/hypervisor-params.ts'
import { accessConflict, changedDiskParams, checkNicParams, checkStates } from '../shared/inherited-params.ts'
import { fullBeParams, ownBeParams } from '../shared/instance-params.ts'
import { failure, OpError, prerequisite } from '../shared/operation.ts'
import { osFault, osMissing } from '../shared/os-check.ts'
import type { Run } from '../shared/run.ts'
import { enabledTemplates } from './cluster-storage.ts'

type Writable<T> = { -readonly [key in keyof T]?: T[key] }

/**
 * Checks all of them that the opcode gives.
 * @returns those that change, complete
 */
export function paramChanges(run: Run): Partial<Cluster> {
  const { cluster } = run.config
  const news: Writable<Cluster> = {}
  if (isGiven(run, 'beparams')) news.beparams = newBeParams(run)
  if (isGiven(run, 'ndparams')) news.ndparams = newNdParams(run)
  checkStates(run)
  if (isGiven(run, 'ipolicy')) news.ipolicy = newPolicy(run)
  else checkPolicyTemplates(cluster.ipolicy, enabledTemplates(run))
  if (isGiven(run, 'nicparams')) news.nicparams = newNicParams(run)
  if (isGiven(run, 'diskparams')) {
    news.diskparams = changedDiskParams(cluster.diskparams, run.object('diskparams'))
    const conflict = accessConflict(news.diskparams, run.config.instances.all)
    if (conflict !== undefined) throw new OpError('OpPrereqError', [conflict])
  }
  Object.assign(news, hypervisorChanges(run))
  if (isGiven(run, 'os_hvp')) news.os_hvp = newOsHvp(run, news.hvparams ?? cluster.hvparams)
  const osparams = newOsParams(run)
  checkOsParams(run, osparams)
  if (isGiven(run, 'osparams')) news.osparams = osparams
  return news
}

function isGiven(run: Run, name: string): boolean {
  return Object.keys(run.object(name)).length > 0
}

/** That instances then still fit on their nodes is a rule of ours: a file cannot say otherwise. */
function newBeParams(run: Run): BeParams {
  const { config } = run
  const beparams = fullBeParams(config.cluster, ownBeParams(run.object('beparams')))
  for (const { name, beparams: own } of config.instances.all) {
    const { minmem, maxmem } = { ...beparams, ...own }
    if (minmem <= maxmem) continue
    throw prerequisite(
      `Minimum memory (${minmem} MiB) of instance ${name} is above its maximum memory (${maxmem} MiB)`,
      'wrong_input',
    )
  }
  for (const [uuid, { mtotal, mnode }] of config.live) {
    const running = (config.primaryInstances.get(uuid) ?? []).filter((one) => one.admin_state === 'up')
    const least = (own: Partial<BeParams>) => own.minmem ?? beparams.minmem
    const needed = running.reduce((sum, one) => sum + least(one.beparams), mnode ?? 0)
    if (mtotal === null || needed <= mtotal) continue
    throw prerequisite(
      `Not enough memory on node ${nodeBehind(config, uuid).name} for its instances: needed ${needed} MiB, ` +
        `available ${mtotal} MiB`,
      'insufficient_resources',
    )
  }
  return beparams
}

function newNdParams(run: Run): NdParams {
  const ndparams = {
    ...run.config.cluster.ndparams,
    ...(forceTypes(run.object('ndparams'), ND_TYPES) as Partial<NdParams>),
  }
  return ndparams.oob_program === '' ? { ...ndparams, oob_program: ND_DEFAULTS.oob_program } : ndparams
}

function newPolicy(run: Run): IPolicy {
  const { config } = run
  const { cluster } = config
  const ipolicy = changedClusterPolicy(cluster.ipolicy, run.object('ipolicy'))
  checkPolicyTemplates(ipolicy, enabledTemplates(run))
  const outside = config.groups.all.flatMap((group) =>
    newViolators(
      config,
      instancesIn(config, group.uuid),
      filledIPolicy(cluster, group),
      filledIPolicy({ ...cluster, ipolicy }, group),
    ),
  )
  if (outside.length > 0) {
    const names = niceSort([...new Set(outside)], (name) => name).join(', ')
    run.warn(`After the ipolicy change the following instances violate them: ${names}`)
  }
  return ipolicy
}

const NIC_TYPES: ParamTypes = { mode: 'string', link: 'string', vlan: 'string' }

function newNicParams(run: Run): NicParams {
  const { cluster, instances } = run.config
  const nicparams = {
    ...cluster.nicparams,
    ...(forceTypes(run.object('nicparams'), NIC_TYPES) as Partial<NicParams>),
  }
  checkNicParams(run.config.version, nicparams)
  const faults: string[] = []
  for (const { name, nics } of instances.all) {
    nics.forEach((nic, place) => {
      const filled = { ...nicparams, ...nic.nicparams }
      try {
        checkNicParams(run.config.version, filled)
      } catch (error) {
        if (!(error instanceof OpError)) throw error
        faults.push(`Instance ${name}, nic/${place}: ${error.message}`)
      }
      if (filled.mode === 'routed' && !nic.ip) {
        faults.push(`Instance ${name}, nic/${place}: routed NIC with no ip address`)
      }
    })
  }
  if (faults.length === 0) return nicparams
  throw prerequisite(`Cannot apply the change, errors:\n${faults.join('\n')}`, 'wrong_input')
}

function hypervisorChanges(run: Run): Pick<Writable<Cluster>, 'enabled_hypervisors' | 'hvparams'> {
  const { cluster } = run.config
  const given = run.object('hvparams')
  const enabled = run.opcode.enabled_hypervisors ? run.list('enabled_hypervisors').map(String) : null
  const changed = new Set([...Object.keys(given), ...(enabled ?? [])])
  if (enabled) checkHypervisorsInUse(run, enabled)
  const hvparams: { [hypervisor: string]: HvParams } = { ...cluster.hvparams }
  for (const hypervisor of changed) {
    const known = knownHvParams(run, hypervisor)
    const news = given[hypervisor]
    const full = { ...known, ...cluster.hvparams[hypervisor], ...(isJsonObject(news) ? news : {}) }
    hvparams[hypervisor] = forceTypes(full, HV_TYPES) as HvParams
    checkHvParams(run.config.version, hypervisor, known, hvparams[hypervisor])
  }
  return { ...(changed.size > 0 && { hvparams }), ...(enabled && { enabled_hypervisors: enabled }) }
}

function knownHvParams({ config }: Run, hypervisor: string): HvParams {
  const isKnown = (HYPERVISORS as readonly string[]).includes(hypervisor)
  const known = isKnown ? hvDefaults(config.version)[hypervisor] : undefined
  if (known) return known
  throw new OpError('HypervisorError', [`Unknown hypervisor type '${hypervisor}'`])
}

/** A rule of ours: in a file, instances have hypervisors that are enabled, and there is a default one. */
function checkHypervisorsInUse({ config }: Run, enabled: readonly string[]): void {
  if (enabled.length === 0) throw prerequisite('At least one hypervisor must be enabled', 'wrong_input')
  const instance = config.instances.all.find(({ hypervisor }) => !enabled.includes(hypervisor))
  if (!instance) return
  throw prerequisite(
    `Cannot disable hypervisor '${instance.hypervisor}', because instance ${instance.name} uses it`,
    'wrong_state',
  )
}

/** What an OS changes of hypervisors' parameters; null takes a hypervisor's back. */
function newOsHvp(run: Run, hvparams: Cluster['hvparams']): Cluster['os_hvp'] {
  const changed = new Map(Object.entries(run.config.cluster.os_hvp))
  for (const [os, byHypervisor] of Object.entries(run.object('os_hvp'))) {
    const ofOs = new Map(Object.entries(changed.get(os) ?? {}))
    for (const [hypervisor, params] of Object.entries(isJsonObject(byHypervisor) ? byHypervisor : {})) {
      if (isJsonObject(params)) ofOs.set(hypervisor, { ...ofOs.get(hypervisor), ...(params as HvParams) })
      else ofOs.delete(hypervisor)
    }
    changed.set(os, Object.fromEntries(ofOs))
  }
  const kept = [...changed].filter(([, byHypervisor]) => Object.keys(byHypervisor).length > 0)
  return Object.fromEntries(kept.map(([os, byHypervisor]) => [os, checkedOsHvp(run, byHypervisor, hvparams)]))
}

function checkedOsHvp(
  run: Run,
  byHypervisor: { readonly [hypervisor: string]: HvParams },
  hvparams: Cluster['hvparams'],
): { [hypervisor: string]: HvParams } {
  return Object.fromEntries(
    Object.entries(byHypervisor).map(([hypervisor, params]) => {
      const own = forceTypes(params, HV_TYPES) as HvParams
      const full = { ...hvparams[hypervisor], ...own }
      checkHvParams(run.config.version, hypervisor, knownHvParams(run, hypervisor), full)
      return [hypervisor, own]
    }),
  )
}

function newOsParams(run: Run): Cluster['osparams'] {
  const changed = new Map<string, Json>(Object.entries(run.config.cluster.osparams))
  for (const [os, news] of Object.entries(run.object('osparams'))) {
    const old = changed.get(os)
    const params = updatedParams(isJsonObject(old) ? old : {}, isJsonObject(news) ? news : {}, true)
    if (Object.keys(params).length === 0) changed.delete(os)
    else changed.set(os, params)
  }
  return Object.fromEntries(changed) as Cluster['osparams']
}

/** Has the master look at the parameters of every OS, also of those that did not change. */
function checkOsParams(run: Run, osparams: Cluster['osparams']): void {
  const { oses, cluster } = run.config
  const master = nodeBehind(run.config, cluster.master_node)
  if (!oses?.length || !master.vm_capable) return
  for (const [os, params] of Object.entries(osparams)) {
    if (osMissing(oses, os) !== undefined) {
      run.info(`OS ${os} not found on node ${master.name}, validation skipped`)
      continue
    }
    const fault = osFault(oses, os, params, true)
    if (fault !== undefined) throw failure(`OS Parameters validation failed on node ${master.name}: ${fault}`)
  }
}
