/**
 * What the nodes of a cluster would report that runs exactly as it is written:
 * every instance that is up runs, and what is free is what they leave. A value
 * is null where the file has nothing to compute it from.
 */
import type { Cluster } from '../../model/cluster.ts'
import type { Instance } from '../../model/instance.ts'
import type { Node, NodeLive } from '../../model/node.ts'
import type { Fields } from './check.ts'
import { deriveUuid } from './derive.ts'

/** MiB in which DRBD keeps its notes about a disk, on each of its two nodes. */
export const DRBD_META_SIZE = 128

/** A node's hardware, as far as its file tells; memory and disk in MiB. */
export interface Hardware {
  /** The node in the file, to complain about. */
  readonly fields: Fields
  readonly memory: number | null
  /** What the node's own system takes of it. */
  readonly ownMemory: number | null
  readonly disk: number | null
  readonly cpus: number | null
  readonly ownCpus: number | null
  readonly sockets: number | null
  readonly numaNodes: number | null
  readonly spindles: number | null
}

/** What instances take of a node. */
interface Use {
  /** MiB at the least and at the most, by those that run. */
  minMemory: number
  maxMemory: number
  /** MiB, of all of them; `volumes` is the part that is there in full from the start. */
  disk: number
  volumes: number
  spindles: number
}

/**
 * By node UUID, without the offline nodes.
 *
 * More memory than a node has, even with every instance at its least, and
 * larger volumes than its disk contradict the file and are noted as problems.
 * @param hardware by node UUID
 */
export function liveValues(
  cluster: Cluster,
  nodes: readonly Node[],
  instances: readonly Instance[],
  hardware: ReadonlyMap<string, Hardware>,
): Map<string, NodeLive> {
  const uses = usesOf(cluster, instances)
  const live = new Map<string, NodeLive>()
  for (const node of nodes) {
    const has = hardware.get(node.uuid)
    if (!has) continue
    const use = uses.get(node.uuid) ?? unused()
    complain(has, use)
    if (node.offline) continue
    live.set(node.uuid, {
      bootid: deriveUuid('boot', node.name),
      mtotal: has.memory,
      mnode: has.ownMemory ?? noneOf(has.memory),
      mfree: left(has.memory, (has.ownMemory ?? 0) + use.maxMemory),
      dtotal: has.disk,
      dfree: left(has.disk, use.disk),
      sptotal: has.spindles,
      spfree: left(has.spindles, use.spindles),
      ctotal: has.cpus,
      cnos: has.ownCpus ?? noneOf(has.cpus),
      cnodes: has.numaNodes,
      csockets: has.sockets,
    })
  }
  return live
}

function complain(has: Hardware, use: Use): void {
  const memory = (has.ownMemory ?? 0) + use.minMemory
  if (has.memory !== null && memory > has.memory) {
    has.fields.complain('memory', `what runs here takes ${memory} MiB of memory, more than there is`)
  }
  if (has.disk !== null && use.volumes > has.disk) {
    has.fields.complain('disk', `the volumes here take ${use.volumes} MiB of disk, more than there is`)
  }
}

/**
 * What the node's own system takes where the file does not say: nothing, as in
 * the sums of what is free. (htools load no node that has memory and CPUs, but
 * null for these.)
 */
function noneOf(total: number | null): 0 | null {
  return total === null ? null : 0
}

/** Never below zero: at its most an instance may want more than there is. */
function left(total: number | null, used: number): number | null {
  return total === null ? null : Math.max(0, total - used)
}

function usesOf(cluster: Cluster, instances: readonly Instance[]): Map<string, Use> {
  const uses = new Map<string, Use>()
  const useOf = (node: string): Use => {
    const known = uses.get(node)
    if (known) return known
    const use = unused()
    uses.set(node, use)
    return use
  }
  for (const instance of instances) {
    if (instance.admin_state === 'up') {
      const use = useOf(instance.primary_node)
      use.minMemory += instance.beparams.minmem ?? cluster.beparams.minmem
      use.maxMemory += instance.beparams.maxmem ?? cluster.beparams.maxmem
    }
    for (const disk of instance.disks) {
      // Storage that is not on a node (RBD, shared files, ...) takes nothing of it.
      const size = disk.size + (disk.dev_type === 'drbd' ? DRBD_META_SIZE : 0)
      for (const node of disk.nodes) {
        const use = useOf(node)
        use.disk += size
        use.spindles += disk.spindles ?? 0
        if (disk.dev_type !== 'file') use.volumes += size
      }
    }
  }
  return uses
}

function unused(): Use {
  return { minMemory: 0, maxMemory: 0, disk: 0, volumes: 0, spindles: 0 }
}
