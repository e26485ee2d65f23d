import { findNetwork } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'

/** Removes a network that no group is connected to, which is to say one without NICs. */
export const networkRemove = operation((run) => {
  const name = run.text('network_name') ?? ''
  const network = findNetwork(run.config, name)
  const connected = run.config.groups.all.filter(({ networks }) => Object.hasOwn(networks, network.uuid))
  if (connected.length > 0) {
    const groups = connected.map((group) => group.name).join(', ')
    run.warn(`Network '${name}' is connected to the following node groups: ${groups}`)
    throw prerequisite('Network still connected', 'wrong_state')
  }
  if (run.isDry) return run.dryRun()
  return run.done({ networks: new Map([[network.uuid, null]]) })
})
