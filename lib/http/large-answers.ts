/**
 * Two semaphores that limit the memory of large answers. Few are made at once.
 * An answer stays in memory until its clients have read it, which may take long,
 * so each holds a place from before it is made until then. A cached answer needs
 * no place: the cache has its own limit.
 */
import { FairSemaphore, type Release } from '../concurrency/fair-semaphore.ts'

/** The size in bytes from which an answer is large. */
export const LARGE_ANSWER = 1024 * 1024

const WAITING = 1000
const REFUSAL = 'Too many requests wait for large answers, try again later'

/** Answers that are made at once. */
const MAKINGS = { places: 2, waiting: WAITING, refusal: REFUSAL }
/** Answers that are in memory at once. */
const ANSWERS = { places: 6, share: 2, waiting: WAITING, refusal: REFUSAL }

/** The key for an answer that is counted beyond the limit: it is unknown which of its clients is slow. */
const NO_NETWORK = ''

/** A place for an answer that is to be made. */
export interface Hold {
  /** Transfers the place to the answer, if that is large. */
  claim(): Release
}

export class LargeAnswers {
  readonly #makings = new FairSemaphore(MAKINGS)
  readonly #answers = new FairSemaphore(ANSWERS)

  /** How many are in memory, or being made. */
  get held(): number {
    return this.#answers.taken
  }

  /**
   * Makes an answer that may be large, once a place is free.
   * @param ready gives it if another request has made it in the meantime, or is making it
   * @param signal aborts waiting
   * @throws Failure `unavailable` if too many wait, the signal's reason, and what `make` throws
   */
  async make<T>(
    network: string,
    ready: () => Promise<T> | T | undefined,
    make: (hold: Hold) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const existing = ready()
    if (existing !== undefined) return existing
    const place = await this.#answers.acquire(network, signal)
    let isClaimed = false
    const claim = () => {
      isClaimed = true
      return place
    }
    let turn: Release | undefined
    try {
      let meanwhile = ready()
      if (meanwhile === undefined) {
        turn = await this.#makings.acquire(network, signal)
        meanwhile = ready()
      }
      if (meanwhile === undefined) return await make({ claim })
      // A request that shares another's answer needs no place.
      turn?.()
      place()
      return await meanwhile
    } finally {
      turn?.()
      if (!isClaimed) place()
    }
  }

  /** Counts an answer in memory that has no place, even beyond the limit. */
  count(): Release {
    return this.#answers.take(NO_NETWORK)
  }
}

/** The place of one large answer, held while clients read it, unless it is in the cache. */
export class LargeBody {
  readonly #answers: LargeAnswers
  #place: Release | undefined
  #readers = 0
  #isCached = false

  /** @param place held since before it was made; without one it is counted anyway */
  constructor(answers: LargeAnswers, place: Release | undefined) {
    this.#answers = answers
    this.#place = place ?? answers.count()
  }

  /** A client begins to read it; the result must be called once it has read it, or has disconnected. */
  addReader(): Release {
    this.#readers++
    this.#settle()
    let isReading = true
    return () => {
      if (!isReading) return
      isReading = false
      this.#readers--
      this.#settle()
    }
  }

  /** Whether it is in the cache. */
  set isCached(isCached: boolean) {
    this.#isCached = isCached
    this.#settle()
  }

  #settle(): void {
    if (this.#readers > 0 && !this.#isCached) {
      this.#place ??= this.#answers.count()
    } else {
      this.#place?.()
      this.#place = undefined
    }
  }
}
