import type { Instance } from '../../../../model/instance.ts'
import { checkTemplateEnabled } from '../shared/disk-templates.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { failure } from '../shared/operation.ts'
import { operation, type Run } from '../shared/run.ts'
import { AddressPools } from './address-pools.ts'

/** Removes an instance with its disks; its addresses go back to their networks. */
export const instanceRemove = operation((run) => {
  const instance = instanceOf(run)
  if (run.isDry) return run.dryRun()

  const ignoring = run.flag('ignore_failures')
  const node = nodeBehind(run.config, instance.primary_node)
  if (node.offline) {
    const why = 'Node is marked offline'
    if (!ignoring) throw failure(`Could not shutdown instance ${instance.name} on node ${node.name}: ${why}`)
    run.say(`Warning: can't shutdown instance: ${why}`)
  }
  if (!canRemoveDisks(run, instance)) {
    if (!ignoring) throw failure("Can't remove instance's disks")
    run.say("Warning: can't remove instance's disks")
  }
  const pools = new AddressPools(run.config)
  for (const { network, ip } of instance.nics) {
    if (network !== null && ip !== null) pools.release(network, ip)
  }
  return run.done({ instances: new Map([[instance.uuid, null]]), ...pools.change() })
})

/** Tells of the nodes that are offline; only the primary one matters. */
function canRemoveDisks(run: Run, instance: Instance): boolean {
  let can = true
  instance.disks.forEach((disk, index) => {
    checkTemplateEnabled(run.config.cluster, disk.dev_type)
    for (const uuid of disk.nodes.length > 0 ? disk.nodes : [instance.primary_node]) {
      const node = nodeBehind(run.config, uuid)
      if (!node.offline) continue
      const which = `disk ${index} on node ${node.name}`
      run.warn(`Could not remove ${which}, continuing anyway: Node is marked offline`)
      if (uuid === instance.primary_node) can = false
    }
  })
  return can
}
