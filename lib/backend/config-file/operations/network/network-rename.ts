import { checkNameFree, findNetwork } from '../shared/find.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/** Newer than Ganeti 3.0; here it is to networks what renaming is to groups. */
export const networkRename = operation((run) => {
  const network = findNetwork(run.config, run.text('network_name') ?? '')
  const name = run.text('new_name') ?? ''
  checkNameFree('network', run.config.networks, name)
  if (run.isDry) return run.dryRun()
  return run.done(changeOf('networks', [revised(network, { name }, run.context.now)]), name)
})
