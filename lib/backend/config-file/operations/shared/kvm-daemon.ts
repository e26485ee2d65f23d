import type { Cluster } from '../../../../model/cluster.ts'
import type { Node } from '../../../../model/node.ts'
import type { Run } from './run.ts'

/**
 * Ganeti starts and stops a daemon for KVM on nodes whose settings change; that
 * the offline ones cannot be reached for it is what clients see of that.
 */
export function tellKvmDaemon(
  run: Run,
  nodes: readonly Node[],
  { enabled_hypervisors, enabled_user_shutdown }: Cluster,
  stopsSilently = false,
): void {
  const isWanted = ({ vm_capable }: Node) =>
    vm_capable && enabled_user_shutdown && enabled_hypervisors.includes('kvm')
  const offline = nodes.filter((node) => node.offline)
  const tell = (what: string, { name }: Node) =>
    run.say(`Failed to ${what} KVM daemon on node '${name}': Node is marked offline`)
  for (const node of offline.filter(isWanted)) tell('start', node)
  if (stopsSilently) return
  for (const node of offline.filter((one) => !isWanted(one))) tell('stop', node)
}
