import { checkNameFree, findGroup } from '../shared/find.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

export const groupRename = operation((run) => {
  const group = findGroup(run.config, run.text('group_name') ?? '')
  const name = run.text('new_name') ?? ''
  checkNameFree('node group', run.config.groups, name)
  if (run.isDry) return run.dryRun()
  return run.done(changeOf('groups', [revised(group, { name }, run.context.now)]), name)
})
