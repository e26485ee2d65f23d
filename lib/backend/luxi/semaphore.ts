/** A semaphore with a deadline: so many calls at once; the others wait, in the order they came. */
import { FairSemaphore } from '../../concurrency/fair-semaphore.ts'
import { noAnswer, timeUntil } from './connection.ts'

/** With less time than this, in milliseconds, nothing is begun that could not end. */
const LEAST_TIME = 5

export class Semaphore {
  readonly #places: FairSemaphore

  /** @param places how many hold a place at once */
  constructor(places: number) {
    this.#places = new FairSemaphore({ places, waiting: Number.POSITIVE_INFINITY, refusal: '' })
  }

  /**
   * Runs an action in a place, once there is one.
   * @param deadline until when to wait for that, on the clock of performance.now()
   * @param signal gives up waiting; where there is a place, it counts for nothing
   * @throws Failure `no-answer` where there is none in time; the signal's reason where it was given up
   */
  async run<T>(deadline: number, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.#places.acquireWithin('', timeUntil(deadline), signal)
    if (!release) throw noAnswer()
    try {
      if (timeUntil(deadline) < LEAST_TIME) throw noAnswer()
      return await action()
    } finally {
      release()
    }
  }
}
