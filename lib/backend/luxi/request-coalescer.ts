/**
 * Identical reads share a call the way transactions share a group commit: the
 * first goes ahead; those that come while it is under way wait for the next
 * one, which serves all of them. So nobody is answered from a state older than
 * their own request, and a thousand clients that ask for the same cost the
 * master daemon no more than one that asks again and again.
 *
 * Clients that ask again as soon as they are answered would come in two crowds
 * by turns, each just missing the call that serves the other. So where several
 * ask, the next call starts a moment after the last one, when all have asked.
 */
import { SharedSignal } from '../../shared-signal.ts'

/** That moment, as a part of the time that the call took, and in milliseconds at most. */
const PAUSE = { part: 0.1, most: 50 } as const

interface Flight<T> {
  /** Settles when the call that follows may start. */
  readonly over: Promise<void>
  /** That call, how many it will serve, and whether they still wait. */
  next: Promise<T> | undefined
  waiting: number
  readonly signal: SharedSignal
}

export class SharedCalls<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * Makes a call, or joins the one that comes next.
   * @param key what makes two calls identical
   * @param start makes the call; should fail with a Failure, which all who share it get. Its signal is aborted
   *   once nobody waits for it any more
   * @param signal aborted when this caller no longer waits
   */
  make(key: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const flight = this.#flights.get(key)
    if (!flight) {
      const alone = new SharedSignal()
      alone.join(signal)
      return this.#start(key, start, 1, alone)
    }
    flight.waiting++
    flight.signal.join(signal)
    flight.next ??= flight.over.then(() => this.#start(key, start, flight.waiting, flight.signal))
    return flight.next
  }

  /** @param served how many share this call */
  #start(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    served: number,
    signal: SharedSignal,
  ): Promise<T> {
    const begun = performance.now()
    const call = start(signal.begin())
    const landed = async () => {
      if (served + flight.waiting > 1) {
        await pause(Math.min(PAUSE.part * (performance.now() - begun), PAUSE.most))
      }
      if (!flight.next) this.#flights.delete(key)
    }
    const flight: Flight<T> = {
      over: call.then(landed, landed),
      next: undefined,
      waiting: 0,
      signal: new SharedSignal(),
    }
    this.#flights.set(key, flight)
    return call
  }
}

/** A timer has no less than a millisecond. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds < 1) setImmediate(resolve)
    else setTimeout(resolve, milliseconds)
  })
}
