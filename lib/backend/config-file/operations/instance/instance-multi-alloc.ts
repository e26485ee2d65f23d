import { isJsonObject, type JsonObject } from '../../../../json/json.ts'
import type { Node } from '../../../../model/node.ts'
import { OP_INSTANCE_CREATE } from '../../../../model/opcodes/instance.ts'
import { findNode } from '../shared/find.ts'
import { forceTypes } from '../shared/force-types.ts'
import { allocate, allocatorName, noReservations, type Request } from '../shared/iallocator.ts'
import { fullBeParams, ownBeParams } from '../shared/instance-params.ts'
import type { Outcome } from '../shared/operation.ts'
import { prerequisite } from '../shared/operation.ts'
import { operation, Run } from '../shared/run.ts'
import { allocationRequest } from './creation-nodes.ts'
import { DISK_PARAM_TYPES, planDisk } from './disk-plan.ts'
import { IdAllocator } from './id-allocator.ts'
import { draftNics, nicParamsGiven } from './nics.ts'
import { repeated } from './repeated.ts'

/**
 * Finds nodes for several instances, each with those before it in mind, and
 * submits a job for each that found some.
 */
export const instanceMultiAlloc = operation((run) => {
  const instances = run.list('instances').filter(isJsonObject)
  checkArguments(run, instances)
  const names = instances.map(({ instance_name }) => String(instance_name))
  if (!needsAllocator(run, instances)) {
    for (const instance of instances) {
      for (const name of [instance.pnode, instance.snode]) {
        if (typeof name === 'string') findNode(run.config, name)
      }
    }
    return finished(run, names, [], instances)
  }
  const allocator = allocatorName(run, run.text('iallocator'))
  const placed: JsonObject[] = []
  const failed: string[] = []
  const reserved = noReservations()
  for (const instance of instances) {
    const nodes = allocate(run.config, allocator, requestOf(run, instance), reserved)
    if (typeof nodes === 'string') failed.push(String(instance.instance_name))
    else placed.push(onNodes(instance, nodes))
  }
  return finished(
    run,
    placed.map(({ instance_name }) => String(instance_name)),
    failed,
    placed,
  )
})

function checkArguments(run: Run, instances: readonly JsonObject[]): void {
  if (instances.some(({ iallocator }) => typeof iallocator === 'string')) {
    throw prerequisite('iallocator are not allowed to be set on instance objects', 'wrong_input')
  }
  const given = nodesGiven(instances)
  if (given.some((one) => one !== given[0])) {
    throw prerequisite('There are instance objects providing pnode/snode while others do not', 'wrong_input')
  }
  if (
    needsAllocator(run, instances) &&
    run.text('iallocator') === null &&
    !run.config.cluster.default_iallocator
  ) {
    throw prerequisite(
      'No iallocator or nodes on the instances given and no cluster-wide default iallocator found; please specify ' +
        'either an iallocator or nodes on the instances or set a cluster-wide default iallocator',
      'wrong_input',
    )
  }
  if (run.flag('opportunistic_locking') && !needsAllocator(run, instances)) {
    throw prerequisite(
      'Opportunistic locking is only available in combination with an instance allocator',
      'wrong_input',
    )
  }
  const names = instances.map(({ instance_name }) => String(instance_name))
  const twice = repeated(names)
  if (twice.length > 0) {
    throw prerequisite(`There are duplicate instance names: ${twice.join(', ')}`, 'wrong_input')
  }
}

/** Of each node that the instances need, whether it is named. */
function nodesGiven(instances: readonly JsonObject[]): boolean[] {
  return instances.flatMap(({ disk_template, pnode, snode }) =>
    disk_template === 'drbd' ? [Boolean(pnode), Boolean(snode)] : [Boolean(pnode)],
  )
}

function needsAllocator(run: Run, instances: readonly JsonObject[]): boolean {
  return run.text('iallocator') !== null || !nodesGiven(instances).includes(true)
}

/** What an instance needs, read the way its own opcode will be. */
function requestOf(run: Run, instance: JsonObject): Request {
  const { cluster } = run.config
  const inner = new Run(run.config, instance, run.context)
  const template = inner.text('disk_template') ?? cluster.enabled_disk_templates[0] ?? 'diskless'
  const plans = (inner.list('disks') as readonly JsonObject[]).map((disk) =>
    planDisk(template === 'ext' ? disk : forceTypes(disk, DISK_PARAM_TYPES), template),
  )
  const nics = draftNics(inner, nicParamsGiven(inner.list('nics')), new IdAllocator(inner))
  const be = fullBeParams(cluster, ownBeParams(inner.object('beparams')))
  const group = inner.text('group_name')
  return {
    ...allocationRequest(cluster, template, be, plans, nics),
    groups: group === null ? null : [run.config.groups.byName.get(group)?.uuid ?? group],
  }
}

function onNodes(instance: JsonObject, [pnode, snode]: readonly Node[]): JsonObject {
  return {
    ...instance,
    pnode: pnode?.name ?? null,
    pnode_uuid: pnode?.uuid ?? null,
    ...(snode && { snode: snode.name, snode_uuid: snode.uuid }),
  }
}

function finished(
  run: Run,
  allocatable: readonly string[],
  failed: readonly string[],
  opcodes: readonly JsonObject[],
): Outcome {
  const result = { allocatable, failed }
  if (run.isDry) return run.dryRun({ ...result, jobs: [] })
  return {
    ...run.done({}, result),
    submits: opcodes.map((opcode) => [{ ...opcode, OP_ID: OP_INSTANCE_CREATE.id }]),
  }
}
