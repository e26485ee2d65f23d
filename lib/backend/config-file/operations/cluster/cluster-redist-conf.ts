import { revised } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/** Writes the configuration again, as Ganeti does before it hands it to all nodes. */
export const clusterRedistConf = operation((run) => {
  if (run.isDry) return run.dryRun()
  return run.done({ cluster: revised(run.config.cluster, {}, run.context.now) })
})
