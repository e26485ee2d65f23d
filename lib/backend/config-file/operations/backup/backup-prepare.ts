import { instanceOf, nodeBehind } from '../shared/find.ts'
import { failure } from '../shared/operation.ts'
import { checkNodeOnline } from '../shared/preconditions.ts'
import { operation } from '../shared/run.ts'

/**
 * Prepares an export. One to another cluster needs a key on a node and a
 * secret that both clusters know, and a cluster in a file has neither.
 */
export const backupPrepare = operation((run) => {
  const instance = instanceOf(run)
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node)
  if (run.isDry) return run.dryRun()
  if (run.text('mode') !== 'remote') return run.done({})
  run.say(`Generating X509 certificate on ${node.name}`)
  throw failure(
    `Can't create X509 key and certificate on ${node.name}: a cluster in a file has no nodes that could export ` +
      'to another cluster',
  )
})
