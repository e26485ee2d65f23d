/** Telling of nodes that cannot be reached while an instance's disks are made ready there, or put away. */
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { nodeBehind } from '../shared/find.ts'
import type { Run } from '../shared/run.ts'

const WHY = 'Node is marked offline'

/** Makes disks ready; that DRBD's other node is away is only worth a warning. */
export function tellAssembly(run: Run, instance: Instance): void {
  forOffline(run, instance, (disk, { name }) =>
    run.warn(`Could not prepare block device ${disk} on node ${name} (is_primary=False, pass=1): ${WHY}`),
  )
}

/** Puts disks away. */
export function tellShutdown(run: Run, instance: Instance): void {
  forOffline(run, instance, (disk, { name }) =>
    run.warn(`Could not shutdown block device ${disk} on node ${name}: ${WHY}`),
  )
}

function forOffline(run: Run, instance: Instance, tell: (disk: string, node: Node) => void): void {
  for (const { iv_name, nodes } of instance.disks) {
    for (const uuid of nodes.length > 0 ? nodes : [instance.primary_node]) {
      const node = nodeBehind(run.config, uuid)
      if (node.offline) tell(iv_name ?? '', node)
    }
  }
}
