/** Changing the parameters of an instance that is there: of its hypervisor, its backend and its OS. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import { filledBeParams, filledHvParams } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams, HvParams } from '../../../../model/params.ts'
import { parseCpuMask } from '../shared/cpu-mask.ts'
import { nodeBehind } from '../shared/find.ts'
import { pythonLiteral, updatedParams } from '../shared/force-types.ts'
import { fullBeParams, fullHvParams, ownBeParams, ownHvParams } from '../shared/instance-params.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import { checkOs, textValues } from '../shared/os-check.ts'
import { checkLeastMemory, checkNodeFreeMemory, freeMemory, memoryMissing } from '../shared/preconditions.ts'
import type { Run } from '../shared/run.ts'
import type { Changes } from './modify-nics.ts'

/** What an instance's own parameters come to be. */
export interface ModifiedParams {
  readonly news: Partial<Instance>
  /** Null where they stay. */
  readonly newBe: BeParams | null
  readonly warnings: readonly string[]
}

/** Checks the parameters that an opcode sets, on the node where the instance is. */
export function checkedParams(run: Run, instance: Instance, node: Node): ModifiedParams {
  const { cluster } = run.config
  const hvparams = newHvParams(run, instance)
  const beparams = newBeParams(run, instance)
  const full = { ...filledBeParams(cluster, instance), ...beparams }
  const newBe = beparams ? fullBeParams(cluster, beparams) : null
  checkCpuMask(run, instance, node, hvparams, newBe ?? full)
  const os = run.text('os_name')
  const osNews = newOsParams(run, instance, node, os)
  const warnings = checkMemory(run, instance, node, newBe)
  checkRuntimeMemory(run, instance, node, newBe ?? full)
  if (beparams && instance.admin_state === 'up') checkLeastMemory(run.config, node, { ...instance, beparams })
  return {
    news: {
      ...(hvparams && { hvparams }),
      ...(beparams && { beparams }),
      ...(os !== null && { os }),
      ...osNews,
    },
    newBe,
    warnings,
  }
}

function newHvParams(run: Run, instance: Instance): HvParams | undefined {
  const given = run.object('hvparams')
  if (Object.keys(given).length === 0) return undefined
  const own = ownHvParams(updatedParams(instance.hvparams, given))
  fullHvParams(run.config, instance.hypervisor, instance.os, own)
  return own
}

function newBeParams(run: Run, instance: Instance): Partial<BeParams> | undefined {
  const given = run.object('beparams')
  if (Object.keys(given).length === 0) return undefined
  return ownBeParams(updatedParams(instance.beparams as JsonObject, given, true))
}

function checkCpuMask(
  run: Run,
  instance: Instance,
  node: Node,
  hvparams: HvParams | undefined,
  { vcpus }: BeParams,
): void {
  const inEffect = filledHvParams(run.config.cluster, hvparams ? { ...instance, hvparams } : instance)
  const mask = inEffect.cpu_mask
  if (typeof mask !== 'string') return
  const parts = parseCpuMask(mask) ?? []
  if (parts.length > 1 && parts.length !== vcpus) {
    throw prerequisite(`Number of vCPUs [${vcpus}] does not match the CPU mask [${mask}]`, 'wrong_input')
  }
  const cpus = run.config.live.get(node.uuid)?.ctotal
  const wanted = Math.max(-1, ...parts.flat()) + 1
  if (hvparams && typeof cpus === 'number' && wanted > cpus) {
    throw prerequisite(
      `Node ${node.name} has ${cpus} physical CPUs, but ${wanted} are required`,
      'insufficient_resources',
    )
  }
}

function newOsParams(run: Run, instance: Instance, node: Node, os: string | null): Partial<Instance> {
  const open = run.object('osparams')
  const secret = run.object('osparams_private')
  const twice = Object.keys(open).filter((name) => Object.hasOwn(secret, name))
  if (twice.length > 0) {
    throw new OpError('OpPrereqError', [`OS parameters repeated multiple times: ${twice.join(', ')}`])
  }
  const hasOpen = Object.keys(open).length > 0
  const hasSecret = Object.keys(secret).length > 0
  if (!hasOpen && !hasSecret) return {}
  const osparams = textValues(updatedParams(instance.osparams, open))
  const names = Object.fromEntries(instance.osparams_private.map((name) => [name, '']))
  const osparamsPrivate = updatedParams(names, secret)
  const name = os !== null && !run.flag('force') ? os : instance.os
  checkOs(run, name, { ...osparams, ...osparamsPrivate }, [node])
  return {
    ...(hasOpen && { osparams }),
    ...(hasSecret && { osparams_private: Object.keys(osparamsPrivate) }),
  }
}

/** Whether an instance that gets more memory can still run on each of its nodes; what could not be found out is a warning. */
function checkMemory(run: Run, instance: Instance, node: Node, newBe: BeParams | null): string[] {
  const { config } = run
  const old = filledBeParams(config.cluster, instance)
  const given = run.object('beparams')
  const isAsked = Object.hasOwn(given, 'maxmem') || Object.hasOwn(given, 'memory')
  if (!newBe || !isAsked || run.flag('force') || newBe.maxmem <= old.maxmem) return []
  const warnings: string[] = []
  if (node.offline) {
    warnings.push(`Can't get info from primary node ${node.name}: Node is marked offline`)
  } else {
    const current = instance.admin_state === 'up' ? old.maxmem : 0
    const missing = newBe.maxmem - current - (freeMemory(config, node) ?? Number.POSITIVE_INFINITY)
    if (missing > 0) throw memoryMissing(missing)
  }
  if (newBe.auto_balance) {
    for (const uuid of instance.secondary_nodes) checkFailover(run, nodeBehind(config, uuid), newBe.maxmem)
  }
  return warnings
}

function checkFailover(run: Run, node: Node, memory: number): void {
  if (node.offline) {
    throw prerequisite(
      `Can't get info from secondary node ${node.name}: Node is marked offline`,
      'wrong_state',
    )
  }
  const free = freeMemory(run.config, node)
  if (free === undefined || memory <= free) return
  throw prerequisite(
    `This change will prevent the instance from failover to its secondary node ${node.name}, due to not enough memory`,
    'wrong_state',
  )
}

function checkRuntimeMemory(run: Run, instance: Instance, node: Node, { minmem, maxmem }: BeParams): void {
  const wanted = run.number('runtime_mem')
  if (wanted === null) return
  if (instance.admin_state !== 'up') {
    throw prerequisite(`Instance ${instance.name} is not running`, 'wrong_state')
  }
  if (!run.flag('force') && (wanted > maxmem || wanted < minmem)) {
    throw prerequisite(
      `Instance ${instance.name} must have memory between ${minmem} and ${maxmem} MB of memory unless --force is given`,
      'wrong_input',
    )
  }
  const more = wanted - filledBeParams(run.config.cluster, instance).maxmem
  if (more > 0) checkNodeFreeMemory(run.config, node, `ballooning memory for instance ${instance.name}`, more)
}

/** Parameters as they were given; secret ones without their values. */
export function tellParams(run: Run, changes: Changes): void {
  const tell = (prefix: string, name: string, shown: (value: Json, key: string) => Json) => {
    for (const [key, value] of Object.entries(run.object(name))) {
      changes.push([`${prefix}/${key}`, shown(value, key)])
    }
  }
  tell('hv', 'hvparams', (value) => value)
  tell('be', 'beparams', (value) => value)
  tell('os', 'osparams', (value) => value)
  tell('os_private', 'osparams_private', (_value, key) => `Private(?, descr=${pythonLiteral(key)})`)
}
