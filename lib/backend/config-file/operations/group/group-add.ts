import type { AllocPolicy, Group } from '../../../../model/group.ts'
import { changedGroupPolicy, checkPolicyTemplates } from '../shared/change-policy.ts'
import { changedDiskParams, changedNdParams, checkStates } from '../shared/inherited-params.ts'
import { prerequisite } from '../shared/operation.ts'
import { changeOf } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

export const groupAdd = operation((run) => {
  const name = run.text('group_name') ?? ''
  const { groups, cluster } = run.config
  const existing = groups.byUuid.get(name) ?? groups.byName.get(name)
  if (existing) {
    throw prerequisite(
      `Desired group name '${name}' already exists as a node group (UUID: ${existing.uuid})`,
      'already_exists',
    )
  }
  const ndparams = changedNdParams({}, run.object('ndparams'))
  checkStates(run)
  const diskparams = changedDiskParams({}, run.object('diskparams'))
  const ipolicy = changedGroupPolicy({}, run.object('ipolicy'))
  if (Object.keys(ipolicy).length > 0) {
    checkPolicyTemplates({ ...cluster.ipolicy, ...ipolicy }, cluster.enabled_disk_templates)
  }
  if (run.isDry) return run.dryRun()

  const { now, newUuid } = run.context
  const group: Group = {
    uuid: newUuid(),
    name,
    alloc_policy: (run.text('alloc_policy') as AllocPolicy | null) ?? 'preferred',
    ndparams,
    ipolicy,
    diskparams,
    networks: {},
    ctime: now,
    mtime: now,
    serial_no: 1,
    tags: [],
  }
  return run.done(changeOf('groups', [group]))
})
