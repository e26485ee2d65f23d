import { consoleOf } from '../../query/fields/console.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { failure } from '../shared/operation.ts'
import { checkNodeOnline } from '../shared/preconditions.ts'
import { operation } from '../shared/run.ts'

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
