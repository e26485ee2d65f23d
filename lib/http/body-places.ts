/** A semaphore for receiving long request bodies; short ones need no place. */
import { FairSemaphore } from '../concurrency/fair-semaphore.ts'
import type { Request } from './message.ts'

/** Bodies up to this many bytes are received without a limit on their number. */
const SHORT_BODY = 64 * 1024
/** The semaphore for receiving and parsing longer bodies. */
const LONG_BODIES = {
  places: 8,
  share: 4,
  waiting: 100,
  refusal: 'Too many long request bodies at once, try again later',
}

export class BodyPlaces {
  readonly #long = new FairSemaphore(LONG_BODIES)

  /**
   * Receives the body of a request in a place, if it may be long.
   * @param limit the most bytes of it
   * @throws Failure `unavailable` if too many wait, the signal's reason, and what `receive` throws
   */
  run<T>(
    {
      bodyLength = Number.POSITIVE_INFINITY,
      network,
      signal,
    }: Pick<Request, 'bodyLength' | 'network' | 'signal'>,
    limit: number,
    receive: () => Promise<T>,
  ): Promise<T> {
    return Math.min(bodyLength, limit) > SHORT_BODY ? this.#long.run(network, receive, signal) : receive()
  }
}
