import type { Json } from '../../../../json/json.ts'
import { filledIPolicy } from '../../../../model/fill.ts'
import type { AllocPolicy, Group } from '../../../../model/group.ts'
import type { PartialIPolicy } from '../../../../model/params.ts'
import { changedGroupPolicy, checkPolicyTemplates, newViolators } from '../shared/change-policy.ts'
import { findGroup, instancesIn } from '../shared/find.ts'
import { pythonText } from '../shared/force-types.ts'
import {
  accessConflict,
  accessFault,
  changedDiskParams,
  changedNdParams,
  checkStates,
  diskParamsRefusal,
} from '../shared/inherited-params.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'

const CHANGES = ['ndparams', 'diskparams', 'alloc_policy', 'hv_state', 'disk_state', 'ipolicy']

export const groupSetParams = operation((run) => {
  if (CHANGES.every((name) => (run.opcode[name] ?? null) === null)) {
    throw prerequisite('Please pass at least one modification', 'wrong_input')
  }
  const access = accessFault(run.object('diskparams'))
  if (access !== undefined) throw new OpError('OpPrereqError', [access])
  const group = findGroup(run.config, run.text('group_name') ?? '')
  const news: { -readonly [key in keyof Group]?: Group[key] } = {}
  // What changed in them, as Python writes dictionaries.
  const result: Json[] = []
  const ndparams = run.object('ndparams')
  if (hasKeys(ndparams)) {
    news.ndparams = changedNdParams(group.ndparams, ndparams)
    result.push(['ndparams', pythonText(news.ndparams as Json)])
  }
  const diskparams = run.object('diskparams')
  if (hasKeys(diskparams)) {
    news.diskparams = changedDiskParams(group.diskparams, diskparams)
    const conflict = accessConflict(news.diskparams, instancesIn(run.config, group.uuid))
    if (conflict !== undefined) throw diskParamsRefusal(conflict)
    result.push(['diskparams', pythonText(news.diskparams)])
  }
  checkStates(run)
  if (hasKeys(run.object('ipolicy'))) news.ipolicy = newPolicy(run, group)
  const allocPolicy = run.text('alloc_policy')
  if (allocPolicy !== null) news.alloc_policy = allocPolicy as AllocPolicy
  if (run.isDry) return run.dryRun()
  return run.done(changeOf('groups', [revised(group, news, run.context.now)]), result)
})

function newPolicy(run: Run, group: Group): PartialIPolicy {
  const { cluster } = run.config
  const ipolicy = changedGroupPolicy(group.ipolicy, run.object('ipolicy'))
  const filled = filledIPolicy(cluster, { ...group, ipolicy })
  checkPolicyTemplates(filled, cluster.enabled_disk_templates)
  const outside = newViolators(
    run.config,
    instancesIn(run.config, group.uuid),
    filledIPolicy(cluster, group),
    filled,
  )
  if (outside.length > 0) {
    run.warn(`After the ipolicy change the following instances violate them: ${outside.join(', ')}`)
  }
  return ipolicy
}

function hasKeys(object: object): boolean {
  return Object.keys(object).length > 0
}
