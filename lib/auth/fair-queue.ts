/**
 * A bounded queue for work that is dear: a few jobs at once, a few more
 * waiting, nothing beyond. Jobs come in lanes, one for each origin, and lanes
 * take turns; so whoever sends a thousand jobs waits for most of them, and
 * others wait for one or two of those. Nothing can be cancelled, on purpose:
 * no job takes long.
 */
import { Failure } from '../failure.ts'

interface Waiting {
  readonly start: () => void
  readonly refuse: () => void
}

export class FairQueue {
  /** Jobs waiting, by lane; the lane whose turn is next comes first, and none is empty. */
  readonly #lanes = new Map<string, Waiting[]>()
  readonly #atOnce: number
  readonly #mostWaiting: number
  #running = 0
  #waiting = 0

  constructor({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
    this.#atOnce = atOnce
    this.#mostWaiting = waiting
  }

  /**
   * Runs `job` when its lane's turn comes, and gives what it gives. In a full
   * queue, the longest lane loses its last job to a clearly shorter one.
   * @throws Failure `unavailable` where there is no room for the job
   */
  run<T>(lane: string, job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = () => {
        reject(new Failure('unavailable', 'Too many passwords are being checked; try again in a few seconds'))
      }
      const start = () => {
        this.#running++
        job()
          .then(resolve, reject)
          .finally(() => {
            this.#running--
            this.#startNext()
          })
      }
      if (this.#running < this.#atOnce) start()
      else if (this.#waiting < this.#mostWaiting || this.#makeRoom(lane)) this.#wait(lane, { start, refuse })
      else refuse()
    })
  }

  #wait(lane: string, job: Waiting): void {
    this.#waiting++
    const others = this.#lanes.get(lane)
    if (others) others.push(job)
    else this.#lanes.set(lane, [job])
  }

  #startNext(): void {
    const [first] = this.#lanes
    if (!first) return
    const [lane, jobs] = first
    this.#lanes.delete(lane)
    const next = jobs.shift()
    if (jobs.length > 0) this.#lanes.set(lane, jobs)
    this.#waiting--
    next?.start()
  }

  #makeRoom(lane: string): boolean {
    let longest: Waiting[] = []
    for (const jobs of this.#lanes.values()) if (jobs.length > longest.length) longest = jobs
    const own = this.#lanes.get(lane)?.length ?? 0
    if (longest.length < own + 2) return false
    this.#waiting--
    longest.pop()?.refuse()
    return true
  }
}
