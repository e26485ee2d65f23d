import type { Node } from '../../../../model/node.ts'
import { nodeNamed, nodesOf } from '../shared/find.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { operation, type Run } from '../shared/run.ts'
import { checkStorageEnabled } from './storage-types.ts'

const REPAIRABLE = 'lvm-vg'

/** Repairs a volume group; nothing is ever wrong with the cluster's. */
export const repairNodeStorage = operation((run) => {
  const node = nodeNamed(run)
  const type = run.text('storage_type') ?? ''
  if (type !== REPAIRABLE) {
    throw prerequisite(`Storage units of type '${type}' can not be repaired`, 'wrong_input')
  }
  const { cluster } = run.config
  checkStorageEnabled(cluster, type)
  checkMirrors(run, node)
  if (run.isDry) return run.dryRun()

  const name = run.text('name')
  run.say(`Repairing storage unit '${name}' on ${node.name} ...`)
  const fault = node.offline
    ? 'Node is marked offline'
    : name !== cluster.volume_group_name
      ? `Volume group "${name}" not found`
      : undefined
  if (fault !== undefined) {
    throw failure(`Failed to repair storage unit '${name}' on ${node.name}: ${fault}`)
  }
  return run.done({})
})

/** Looks at the other halves of the disks here: what cannot be asked might be the only good one. */
function checkMirrors(run: Run, node: Node): void {
  const { config } = run
  const instances = [config.primaryInstances, config.secondaryInstances].flatMap(
    (byNode) => byNode.get(node.uuid) ?? [],
  )
  for (const instance of instances.filter(({ disks_active }) => disks_active)) {
    const away = nodesOf(config, instance).find((one) => one !== node && one.offline)
    if (!away) continue
    const text = `Failed to get disk status from node ${away.name}: Node is marked offline`
    if (!run.flag('ignore_consistency')) throw prerequisite(text, 'environment_error')
    run.warn(text)
  }
}
