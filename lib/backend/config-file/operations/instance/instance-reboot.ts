import { filledBeParams } from '../../../../model/fill.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { failure, OpError } from '../shared/operation.ts'
import { checkInstanceState, checkNodeFreeMemory, checkNodeOnline, ONLINE } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/** Restarts an instance, or starts one that is down; of whatever type, all that remains is that it is up. */
export const instanceReboot = operation((run) => {
  const instance = instanceOf(run)
  checkInstanceState(run, instance, ONLINE)
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node)
  if (run.isDry) return run.dryRun()

  if (instance.admin_state === 'up') return run.done({})
  run.info(`Instance ${instance.name} was already stopped, starting now`)
  const { minmem } = filledBeParams(run.config.cluster, instance)
  try {
    checkNodeFreeMemory(run.config, node, `starting instance ${instance.name}`, minmem)
  } catch (error) {
    // Found out only by trying, so not a prerequisite.
    if (error instanceof OpError) throw failure(`Could not start instance for full reboot: ${error.message}`)
    throw error
  }
  return run.done(
    instanceChange(run, instance, { admin_state: 'up', admin_state_source: 'admin', disks_active: true }),
  )
})
