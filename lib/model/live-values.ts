/**
 * What the nodes of a cluster would report that runs exactly as it is written:
 * every instance that is up runs, and what is free is what they leave. A value
 * is null where there is nothing to compute it from.
 */
import type { Cluster } from './cluster.ts'
import type { Disk, Instance } from './instance.ts'
import type { Hardware, Node, NodeLive } from './node.ts'

/** MiB in which DRBD keeps its notes about a disk, on each of its two nodes. */
export const DRBD_META_SIZE = 128

/** MiB that a disk takes on each node that holds it, metadata included. */
export function sizeOnNode({ dev_type, size }: Pick<Disk, 'dev_type' | 'size'>): number {
  return dev_type === 'drbd' ? size + DRBD_META_SIZE : size
}

/** What instances take of a node. */
export interface NodeUse {
  /** MiB at the least and at the most, by those that run. */
  readonly minMemory: number
  readonly maxMemory: number
  /** MiB, of all of them; `volumes` is the part that is there in full from the start. */
  readonly disk: number
  readonly volumes: number
  readonly spindles: number
}

/**
 * @param primaries the instances whose primary node it is
 * @param secondaries those whose disks it holds too
 */
export function useOfNode(
  cluster: Cluster,
  node: string,
  primaries: readonly Instance[] = [],
  secondaries: readonly Instance[] = [],
): NodeUse {
  const use = { minMemory: 0, maxMemory: 0, disk: 0, volumes: 0, spindles: 0 }
  for (const { admin_state, beparams } of primaries) {
    if (admin_state !== 'up') continue
    use.minMemory += beparams.minmem ?? cluster.beparams.minmem
    use.maxMemory += beparams.maxmem ?? cluster.beparams.maxmem
  }
  for (const { disks } of [...primaries, ...secondaries]) {
    for (const disk of disks) {
      // Storage that is not on a node (RBD, shared files, ...) takes nothing of it.
      if (!disk.nodes.includes(node)) continue
      const size = sizeOnNode(disk)
      use.disk += size
      use.spindles += disk.spindles ?? 0
      if (disk.dev_type !== 'file') use.volumes += size
    }
  }
  return use
}

/** What a node reports, or undefined where it is offline and cannot. */
export function liveValues(node: Node, has: Hardware, use: NodeUse): NodeLive | undefined {
  if (node.offline) return undefined
  return {
    bootid: has.bootid,
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
  }
}

/** What contradicts itself: more memory than there is, even with every instance at its least, or larger volumes than the disk. */
export function overcommitment(has: Hardware, use: NodeUse): { memory?: string; disk?: string } {
  const memory = (has.ownMemory ?? 0) + use.minMemory
  return {
    ...(has.memory !== null &&
      memory > has.memory && { memory: `what runs here takes ${memory} MiB of memory, more than there is` }),
    ...(has.disk !== null &&
      use.volumes > has.disk && {
        disk: `the volumes here take ${use.volumes} MiB of disk, more than there is`,
      }),
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
