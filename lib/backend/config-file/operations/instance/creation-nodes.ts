/** The nodes of a new instance: named ones, or those that an allocator chooses. */
import type { Cluster } from '../../../../model/cluster.ts'
import type { Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams } from '../../../../model/params.ts'
import { spaceWanted, totalSpace } from '../shared/disk-templates.ts'
import { findGroup, nodeOf } from '../shared/find.ts'
import { allocateOrRefuse, type Request } from '../shared/iallocator.ts'
import { specsOfNew } from '../shared/instance-policy.ts'
import { prerequisite } from '../shared/operation.ts'
import { checkNodeNotDrained, checkNodeOnline, checkNodeVmCapable } from '../shared/preconditions.ts'
import type { Run } from '../shared/run.ts'
import type { CreationRequest } from './creation-request.ts'
import type { DiskPlan } from './disk-plan.ts'

/** The primary node, and DRBD's other one. */
export function creationNodes(
  run: Run,
  { name, template, allocator }: CreationRequest,
  be: BeParams,
  plans: readonly DiskPlan[],
  nics: readonly Nic[],
): readonly [Node, ...Node[]] {
  const mirrored = template === 'drbd'
  if (allocator === null) {
    const pnode = nodeOf(run, 'pnode') as Node
    const snode = mirrored ? nodeOf(run, 'snode') : null
    return snode ? [pnode, snode] : [pnode]
  }
  const group = run.text('group_name')
  const request = allocationRequest(run.config.cluster, template, be, plans, nics)
  const found = allocateOrRefuse(run, allocator, {
    ...request,
    memory: run.flag('start') ? be.maxmem : 0,
    specs: run.flag('ignore_ipolicy') ? null : request.specs,
    groups: group === null ? null : [findGroup(run.config, group, 'Group').uuid],
  })
  run.info(
    `Selected nodes for instance ${name} via iallocator ${allocator}: ` +
      found.map((node) => node.name).join(', '),
  )
  return found as readonly [Node, ...Node[]]
}

/** What a new instance wants of an allocator, in any group. */
export function allocationRequest(
  cluster: Cluster,
  template: string,
  be: BeParams,
  plans: readonly DiskPlan[],
  nics: readonly Nic[],
): Request {
  return {
    nodes: template === 'drbd' ? 2 : 1,
    memory: be.maxmem,
    disk: totalSpace(spaceWanted(cluster, template, plans)),
    networks: nics.flatMap(({ network }) => network ?? []),
    specs: specsOfNew(be, template, plans, nics.length),
    without: [],
    groups: null,
  }
}

export function checkPrimary(node: Node): void {
  const state = node.offline ? 'offline' : node.drained ? 'drained' : node.vm_capable ? '' : 'non-vm_capable'
  if (state !== '') throw prerequisite(`Cannot use ${state} primary node '${node.name}'`, 'wrong_state')
}

export function checkSecondary(run: Run, pnode: Node, snode: Node): void {
  if (snode === pnode) {
    throw prerequisite('The secondary node cannot be the primary node', 'wrong_input')
  }
  checkNodeOnline(snode)
  checkNodeNotDrained(snode)
  checkNodeVmCapable(snode)
  if (pnode.group !== snode.group) {
    run.warn(
      'The primary and secondary nodes are in two different node groups; the disk parameters from the ' +
        "first disk's node group will be used",
    )
  }
}
