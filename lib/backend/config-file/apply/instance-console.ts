import { consoleOf } from '../fields/console.ts'
import { instanceOf, nodeBehind } from './find.ts'
import { failure } from './operation.ts'
import { operation } from './run.ts'
import { checkNodeOnline } from './state.ts'

/** How to reach the console of a running instance. */
export const instanceConsole = operation((run) => {
  const instance = instanceOf(run)
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node)
  if (run.isDry) return run.dryRun()

  if (instance.admin_state !== 'up') {
    throw failure(`Instance ${instance.name} is not running (state ADMIN_${instance.admin_state})`)
  }
  return run.done({}, consoleOf(instance, node, true, run.config))
})
