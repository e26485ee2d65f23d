import { nodeNamed } from '../shared/find.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'

/** Resets a node, which is back at once: what was marked up runs again. */
export const nodePowercycle = operation((run) => {
  const node = nodeNamed(run)
  if (node.uuid === run.config.cluster.master_node && !run.flag('force')) {
    throw prerequisite('The node is the master and the force parameter was not set', 'wrong_input')
  }
  if (run.isDry) return run.dryRun()
  if (node.offline) throw failure('Failed to schedule the reboot: Node is marked offline')
  return run.done({}, 'Reboot scheduled in 5 seconds')
})
