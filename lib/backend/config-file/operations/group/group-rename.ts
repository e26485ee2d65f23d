import { findGroup } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

export const groupRename = operation((run) => {
  const { groups } = run.config
  const group = findGroup(run.config, run.text('group_name') ?? '')
  const name = run.text('new_name') ?? ''
  const existing = groups.byUuid.get(name) ?? groups.byName.get(name)
  if (existing) {
    throw prerequisite(
      `Desired new name '${name}' clashes with existing node group (UUID: ${existing.uuid})`,
      'already_exists',
    )
  }
  if (run.isDry) return run.dryRun()
  return run.done(changeOf('groups', [revised(group, { name }, run.context.now)]), name)
})
