/**
 * Request coalescing: identical reads share a call the way transactions share
 * a group commit. The first goes ahead; those that come while it is under way
 * wait for the next one, which serves all of them. So no client is answered
 * from a state older than its own request, and a thousand clients that ask for
 * the same cost the master daemon no more than one that asks again and again.
 *
 * Clients that ask again as soon as they are answered would come in two crowds
 * by turns, each just missing the call that serves the other. So where several
 * ask, the next call starts a moment after the last one, when all have asked.
 */
import { SharedSignal } from '../../concurrency/shared-signal.ts'

/** That moment, as a part of the time that the call took, and in milliseconds at most. */
const PAUSE = { part: 0.1, most: 50 } as const

interface Call<T> {
  /** Settles when the call that follows may start. */
  readonly over: Promise<void>
  /** That call, how many it will serve, and whether they still wait. */
  next: Promise<T> | undefined
  waiting: number
  readonly signal: SharedSignal
}

export class RequestCoalescer<T> {
  /** Those under way, by key. */
  readonly #calls = new Map<string, Call<T>>()

  /**
   * Makes a call, or joins the one that comes next.
   * @param key what makes two calls identical
   * @param start makes the call; should fail with a Failure, which all who share it get. Its signal is aborted
   *   when the last of them has left
   * @param signal aborted when this caller leaves
   */
  run(key: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const call = this.#calls.get(key)
    if (!call) {
      const alone = new SharedSignal()
      alone.join(signal)
      return this.#start(key, start, 1, alone)
    }
    call.waiting++
    call.signal.join(signal)
    call.next ??= call.over.then(() => this.#start(key, start, call.waiting, call.signal))
    return call.next
  }

  /** @param served how many share this call */
  #start(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    served: number,
    signal: SharedSignal,
  ): Promise<T> {
    const begun = performance.now()
    const answer = start(signal.begin())
    const onSettled = async () => {
      if (served + call.waiting > 1) {
        await pause(Math.min(PAUSE.part * (performance.now() - begun), PAUSE.most))
      }
      if (!call.next) this.#calls.delete(key)
    }
    const call: Call<T> = {
      over: answer.then(onSettled, onSettled),
      next: undefined,
      waiting: 0,
      signal: new SharedSignal(),
    }
    this.#calls.set(key, call)
    return answer
  }
}

/** A timer has no less than a millisecond. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds < 1) setImmediate(resolve)
    else setTimeout(resolve, milliseconds)
  })
}
