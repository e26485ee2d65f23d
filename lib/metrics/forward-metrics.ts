/** What became of the requests that a node forwards to the master, and which node is that. */
import { Counters, counter, type Family, gauge } from './family.ts'

const ROLES = ['master', 'candidate', 'other'] as const

export class ForwardMetrics {
  /** By result: answered, stale (answered from this node's copy), failed. */
  readonly requests = new Counters('result')
  readonly #role: () => (typeof ROLES)[number]

  /** @param role gives that of this node */
  constructor(role: () => (typeof ROLES)[number]) {
    this.#role = role
  }

  families(): Family[] {
    const now = this.#role()
    return [
      gauge(
        'ganeti_rapi_node_role',
        'What this node is: the master, a master candidate, or another one.',
        ROLES.map((role) => [{ role }, role === now ? 1 : 0]),
      ),
      counter(
        'ganeti_rapi_forwarded_requests',
        'Requests that were to be answered by the master node, by result: stale, if this node answered from its copy of the configuration.',
        this.requests,
      ),
    ]
  }
}
