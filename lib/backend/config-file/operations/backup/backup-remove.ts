import { isCalled } from '../../../../model/lookup.ts'
import { operation } from '../shared/run.ts'

/**
 * Removes the exports of an instance, which need not be there any more. A
 * file keeps no exports, so there is never one to be found.
 */
export const backupRemove = operation((run) => {
  if (run.isDry) return run.dryRun()
  for (const { name, offline } of run.config.nodes.all) {
    if (offline) run.warn(`Failed to query node ${name} (continuing): Node is marked offline`)
  }
  const name = run.text('instance_name') ?? ''
  if (!run.config.instances.all.some((instance) => isCalled(instance.name, name))) {
    run.say(
      'Export not found. If trying to remove an export belonging to a deleted instance please use its Fully ' +
        'Qualified Domain Name.',
    )
  }
  return run.done({})
})
