/** The pool of master candidates: how many there are, how many there should be, and who joins. */
import type { Cluster } from '../../../../model/cluster.ts'
import type { Node } from '../../../../model/node.ts'
import { revised } from './revise.ts'
import type { Run } from './run.ts'

type Size = Pick<Cluster, 'candidate_pool_size'>

export interface CandidateStats {
  readonly now: number
  /** As many as the cluster wants, or can have. */
  readonly wanted: number
}

export function candidateStats(nodes: readonly Node[], { candidate_pool_size }: Size): CandidateStats {
  const possible = nodes.filter(canBeCandidate).length
  return {
    now: nodes.filter((node) => node.master_candidate).length,
    wanted: Math.min(possible, candidate_pool_size),
  }
}

function canBeCandidate({ offline, drained, master_capable }: Node): boolean {
  return !offline && !drained && master_capable
}

/**
 * Nodes that become candidates since there are not enough, and a word on it.
 * Ganeti takes them at random; here they come in natural order.
 * @param nodes those that count and may be chosen
 */
export function promotions(run: Run, nodes: readonly Node[], size: Size): readonly Node[] {
  const { now, wanted } = candidateStats(nodes, size)
  const promoted = nodes
    .filter((node) => canBeCandidate(node) && !node.master_candidate)
    .slice(0, Math.max(0, wanted - now))
    .map((node) => revised(node, { master_candidate: true }, run.context.now))
  if (promoted.length > 0) {
    run.info(`Promoted nodes to master candidate role: ${promoted.map(({ name }) => name).join(', ')}`)
  }
  if (now > wanted) run.info(`Note: more nodes are candidates (${now}) than desired (${wanted})`)
  return promoted
}

/** What Ganeti tells whenever it writes a configuration with too few candidates. */
export function tellMissing(run: Run, nodes: readonly Node[], size: Size): void {
  const { now, wanted } = candidateStats(nodes, size)
  if (now >= wanted) return
  run.say(
    `Configuration data is not consistent: Not enough master candidates: actual ${now}, target ${wanted}`,
  )
}
