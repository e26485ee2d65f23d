import { findGroup, findNetwork } from '../shared/find.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { checkNoConflicts } from './network-conflicts.ts'

export const networkDisconnect = operation((run) => {
  const name = run.text('network_name') ?? ''
  const network = findNetwork(run.config, name)
  const group = findGroup(run.config, run.text('group_name') ?? '')
  const { [network.uuid]: connection, ...networks } = group.networks
  if (connection)
    checkNoConflicts(run, network, group, 'disconnect from', (nic) => nic.network === network.uuid)
  else run.warn(`Network '${name}' is not mapped to group '${group.name}'`)
  if (run.isDry) return run.dryRun()
  if (!connection) return run.done({})
  return run.done(changeOf('groups', [revised(group, { networks }, run.context.now)]))
})
