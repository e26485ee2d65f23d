/**
 * For a master daemon whose queue folder we may not read: the jobs that have not
 * ended, and those that may have come, count as changed every second; and the
 * statuses of all jobs are asked for every few seconds.
 */
import type { JobWatch } from './queue-folder.ts'

/** Milliseconds from one round to the next. */
const INTERVAL = 1000
/** The statuses of all jobs are asked for once in so many rounds. */
const ROUNDS = 5
/** How many jobs after the last known one may have come since. */
const NEXT_JOBS = 20

export interface QueuePollOptions {
  /** What is known: the jobs that have not ended, the highest id, and the status of any job. */
  readonly known: {
    readonly unfinished: readonly number[]
    readonly last: number
    ids(): Iterable<number>
    get(id: number): { readonly status: string } | undefined
  }
  /** Whether somebody listens: else the master daemon is not asked. */
  readonly isWanted: () => boolean
  /** Asks for the statuses of all jobs. */
  readonly statuses: () => Promise<ReadonlyMap<number, string>>
  /** Milliseconds from one round to the next. */
  readonly interval?: number
}

export class QueuePoll implements JobWatch {
  readonly #options: QueuePollOptions
  #timer: NodeJS.Timeout | undefined
  #changed: (ids: readonly number[]) => void = () => {}

  constructor(options: QueuePollOptions) {
    this.#options = options
  }

  async begin(changed: (ids: readonly number[]) => void): Promise<boolean> {
    this.stop()
    this.#changed = changed
    let round = 0
    const next = () => {
      this.#timer = setTimeout(async () => {
        const timer = this.#timer
        if (this.#options.isWanted()) await this.#round(round++ % ROUNDS === 0)
        if (this.#timer === timer) next()
      }, this.#options.interval ?? INTERVAL).unref()
    }
    next()
    return true
  }

  async see(): Promise<void> {}

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed = () => {}
  }

  async #round(isFull: boolean): Promise<void> {
    const { known } = this.#options
    const ids = new Set(known.unfinished)
    const { last } = known
    for (let next = 1; next <= NEXT_JOBS; next++) ids.add(last + next)
    if (isFull) for (const id of await this.#differing().catch(() => [])) ids.add(id)
    this.#changed([...ids])
  }

  /** The ids of jobs that are not as they are known. */
  async #differing(): Promise<number[]> {
    const { known, statuses } = this.#options
    const now = await statuses()
    const gone = [...known.ids()].filter((id) => !now.has(id))
    const others = [...now].filter(([id, status]) => known.get(id)?.status !== status).map(([id]) => id)
    return [...gone, ...others]
  }
}
