import { findNetwork } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/** Newer than Ganeti 3.0; here it is to networks what renaming is to groups. */
export const networkRename = operation((run) => {
  const { networks } = run.config
  const network = findNetwork(run.config, run.text('network_name') ?? '')
  const name = run.text('new_name') ?? ''
  const existing = networks.byUuid.get(name) ?? networks.byName.get(name)
  if (existing) {
    throw prerequisite(
      `Desired new name '${name}' clashes with existing network (UUID: ${existing.uuid})`,
      'already_exists',
    )
  }
  if (run.isDry) return run.dryRun()
  return run.done(changeOf('networks', [revised(network, { name }, run.context.now)]), name)
})
