import { filledBeParams } from '../../../../model/fill.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { fullHvParams, ownBeParams, ownHvParams } from '../shared/instance-params.ts'
import { checkInstanceState, checkNodeFreeMemory, checkNodeOnline, ONLINE } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'

/**
 * Starts an instance. Parameters for this one start are checked and otherwise
 * without effect, and so is the whole opcode with `no_remember`: what runs here
 * is what is marked up.
 */
export const instanceStartup = operation((run) => {
  const beparams = ownBeParams(run.object('beparams'))
  const instance = instanceOf(run)
  const { cluster } = run.config
  const hvparams = ownHvParams(run.object('hvparams'))
  const overrides = Object.keys(hvparams).length > 0
  if (overrides) {
    fullHvParams(run.config, instance.hypervisor, instance.os, { ...instance.hvparams, ...hvparams })
  }
  checkInstanceState(run, instance, ONLINE)
  const node = nodeBehind(run.config, instance.primary_node)
  const ignoresNode = node.offline && run.flag('ignore_offline_nodes')
  if (ignoresNode) {
    run.warn('Ignoring offline primary node')
    if (overrides || Object.keys(beparams).length > 0) run.warn('Overridden parameters are ignored')
  } else {
    checkNodeOnline(node)
    if (instance.admin_state !== 'up') {
      const { minmem } = { ...filledBeParams(cluster, instance), ...beparams }
      checkNodeFreeMemory(run.config, node, `starting instance ${instance.name}`, minmem)
    }
  }
  if (run.isDry) return run.dryRun()

  if (ignoresNode) run.info('Primary node offline, marked instance as started')
  if (run.flag('no_remember') || (instance.admin_state === 'up' && instance.disks_active)) return run.done({})
  return run.done(
    instanceChange(run, instance, { admin_state: 'up', admin_state_source: 'admin', disks_active: true }),
  )
})
