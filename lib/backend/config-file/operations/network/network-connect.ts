import { indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { NicMode, NicParams } from '../../../../model/params.ts'
import { findGroup, findNetwork } from '../shared/find.ts'
import { checkNicParams } from '../shared/inherited-params.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { checkNoConflicts } from './network-conflicts.ts'

/** Connects a network to a group; one that is connected already stays as it is. */
export const networkConnect = operation((run) => {
  const name = run.text('network_name') ?? ''
  const network = findNetwork(run.config, name)
  const group = findGroup(run.config, run.text('group_name') ?? '')
  const connection: NicParams = {
    mode: (run.text('network_mode') ?? '') as NicMode,
    link: run.text('network_link') ?? '',
    vlan: run.text('network_vlan') ?? '',
  }
  checkNicParams(run.config.version, connection)
  const isConnected = Object.hasOwn(group.networks, network.uuid)
  if (isConnected) run.warn(`Network '${name}' is already mapped to group '${group.name}'`)
  else if (run.flag('conflicts_check')) {
    const range = parseIpv4Network(network.network)
    checkNoConflicts(run, network, group, 'connect to', ({ ip }) => {
      return ip !== null && range !== undefined && indexIn(range, ip) !== undefined
    })
  }
  if (run.isDry) return run.dryRun()
  if (isConnected) return run.done({})
  const networks = { ...group.networks, [network.uuid]: connection }
  return run.done(changeOf('groups', [revised(group, { networks }, run.context.now)]))
})
