/** At most so many at once; the others wait their turn, in the order they came. */
import { timeUntil } from './connection.ts'

/** With less time than this, in milliseconds, nothing is begun that could not end. */
const LEAST_TIME = 5

export class Lane {
  #free: number
  /** Called with the turn, by those who wait. */
  readonly #queue = new Set<() => void>()

  /** @param width how many may go at once */
  constructor(width: number) {
    this.#free = width
  }

  /**
   * Does something once it is its turn.
   * @param deadline until when to wait for that, on the clock of performance.now()
   * @param late done instead where the turn does not come in time
   * @param signal makes it give up waiting, and throw the signal's reason; without waiting, it counts for nothing
   */
  async go<T>(
    deadline: number,
    action: () => Promise<T>,
    late: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    if (!(await this.#turn(deadline, signal))) return late()
    try {
      return await (timeUntil(deadline) < LEAST_TIME ? late() : action())
    } finally {
      const [next] = this.#queue
      if (next) next()
      else this.#free++
    }
  }

  /** Waits for a turn; false where it does not come in time. */
  async #turn(deadline: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--
      return true
    }
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#queue.delete(turn)
      }
      const turn = () => {
        leave()
        resolve(true)
      }
      const abort = () => {
        leave()
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        leave()
        resolve(false)
      }, timeUntil(deadline))
      signal?.addEventListener('abort', abort)
      this.#queue.add(turn)
    })
  }
}
