/**
 * The lock table: which of several jobs goes first where they are about the same object.
 *
 * Ganeti locks by levels (instances, groups, nodes, ...), shared or exclusive,
 * since its jobs read and change the cluster bit by bit for minutes. Ours do
 * that at one moment: an operation is a function from the newest cluster to
 * the next, run and written as a whole, and no two run at once. Whatever order
 * jobs end in, the outcome is that of running them one by one in that order,
 * without any lock. So locks are here for what else Ganeti promises: jobs on
 * the same object run in the order of their priorities and ids, and while one
 * takes its time with an object, no other has it.
 *
 * That takes one kind of lock, exclusive, on the objects an opcode names, all
 * of them taken at once. No job holds one while waiting for another, so there
 * is no deadlock.
 */
import type { LockState } from '../../../model/queue-view.ts'

/** What a job wants. */
interface Claim {
  readonly owner: number
  readonly priority: number
  readonly names: readonly string[]
  readonly granted: () => void
  held: boolean
}

export class LockTable {
  /** By lock: who has it, first, and who waits, in their order. */
  readonly #claims = new Map<string, Claim[]>()

  /**
   * Waits for all of the locks.
   * @param owner a job's id; of equal priorities the lower id goes first
   * @param signal gives up waiting
   * @returns what gives them back, or undefined where waiting was given up
   */
  async acquire(
    owner: number,
    priority: number,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#release(claim)
        resolve(undefined)
      }
      const granted = () => {
        signal.removeEventListener('abort', giveUp)
        resolve(() => this.#release(claim))
      }
      const claim: Claim = { owner, priority, names: [...new Set(names)], granted, held: false }
      signal.addEventListener('abort', giveUp, { once: true })
      for (const name of claim.names) this.#enqueue(name, claim)
      this.#grant(claim)
    })
  }

  /** All locks that a job has or wants, by name. */
  get states(): readonly LockState[] {
    return [...this.#claims].map(([name, claims]) => {
      const pending = claims.filter(({ held }) => !held).map(({ owner }) => owner)
      return { name, owner: claims.find(({ held }) => held)?.owner ?? null, pending }
    })
  }

  #enqueue(name: string, claim: Claim): void {
    const claims = this.#claims.get(name)
    if (!claims) {
      this.#claims.set(name, [claim])
      return
    }
    const place = claims.findIndex((other) => !other.held && comesBefore(claim, other))
    claims.splice(place < 0 ? claims.length : place, 0, claim)
  }

  /** Gives a claim its locks if it is the first for each of them. */
  #grant(claim: Claim): void {
    if (claim.held || !claim.names.every((name) => this.#claims.get(name)?.[0] === claim)) return
    claim.held = true
    claim.granted()
  }

  #release(claim: Claim): void {
    for (const name of claim.names) {
      const claims = this.#claims.get(name) ?? []
      claims.splice(claims.indexOf(claim), 1)
      if (claims.length === 0) this.#claims.delete(name)
    }
    for (const name of claim.names) {
      const next = this.#claims.get(name)?.[0]
      if (next) this.#grant(next)
    }
  }
}

function comesBefore(a: Claim, b: Claim): boolean {
  return a.priority !== b.priority ? a.priority < b.priority : a.owner < b.owner
}
