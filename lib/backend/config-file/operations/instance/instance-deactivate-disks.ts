import { instanceOf } from '../shared/find.ts'
import { checkInstanceState, DOWN } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { tellShutdown } from './activation.ts'

/** Puts an instance's disks away; with `force` even while it runs. */
export const instanceDeactivateDisks = operation((run) => {
  const instance = instanceOf(run)
  if (run.isDry) return run.dryRun()

  if (!run.flag('force')) checkInstanceState(run, instance, DOWN, 'cannot shutdown disks')
  tellShutdown(run, instance)
  if (!instance.disks_active) return run.done({})
  return run.done(instanceChange(run, instance, { disks_active: false }))
})
