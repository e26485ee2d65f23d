import { instanceOf, nodeBehind } from '../shared/find.ts'
import { OpError } from '../shared/operation.ts'
import { checkInstanceState, checkNodeOnline, ONLINE } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/** Stops an instance; with `no_remember` nothing changes, as in startup. */
export const instanceShutdown = operation((run) => {
  const source = run.text('admin_state_source')
  if (run.flag('no_remember') && source !== null) {
    run.warn("Parameter 'admin_state_source' has no effect if used with parameter 'no_remember'")
  }
  const instance = instanceOf(run)
  if (run.flag('force')) run.warn('Ignoring offline instance check')
  else checkInstanceState(run, instance, ONLINE)
  const node = nodeBehind(run.config, instance.primary_node)
  const ignoresNode = node.offline && run.flag('ignore_offline_nodes')
  if (ignoresNode) run.warn('Ignoring offline primary node')
  else checkNodeOnline(node)
  if (source === 'user' && instance.admin_state_source !== 'user') {
    throw new OpError('OpPrereqError', [`Instance '${instance.name}' was not shutdown by the user`])
  }
  if (run.isDry) return run.dryRun()

  if (ignoresNode) run.info('Primary node offline, marked instance as stopped')
  // One that is marked offline stays so.
  if (run.flag('no_remember') || instance.admin_state === 'offline') return run.done({})
  const news = {
    admin_state: 'down',
    admin_state_source: source === 'user' ? 'user' : 'admin',
    disks_active: false,
  } as const
  const isSo = Object.entries(news).every(([name, value]) => instance[name as keyof typeof news] === value)
  return run.done(isSo ? {} : instanceChange(run, instance, news))
})
