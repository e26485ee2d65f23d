import { niceSort } from '../../../../model/nice-sort.ts'
import { findGroup } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'

/** Removes a group without nodes, unless it is the last one. */
export const groupRemove = operation((run) => {
  const name = run.text('group_name') ?? ''
  const { config } = run
  const group = findGroup(config, name)
  const members = (config.groupNodes.get(group.uuid) ?? []).map(({ uuid }) => uuid)
  if (members.length > 0) {
    throw prerequisite(
      `Group '${name}' not empty, has the following nodes: ${niceSort(members, (uuid) => uuid).join(', ')}`,
      'wrong_state',
    )
  }
  if (config.groups.all.length === 1) {
    throw prerequisite(`Group '${name}' is the only group, cannot be removed`, 'wrong_state')
  }
  if (run.isDry) return run.dryRun()
  return run.done({ groups: new Map([[group.uuid, null]]) })
})
