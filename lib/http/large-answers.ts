/**
 * Bounds on the memory of large answers. Few are made at once. One that is made
 * lives on until its clients have taken it, which slow ones put off, so each
 * needs a place from before it is made until then. One in the cache needs none:
 * the cache is bounded itself.
 */
import { FairSemaphore, type Release } from '../fair-semaphore.ts'

/** From how many bytes on an answer is large. */
export const LARGE_ANSWER = 1024 * 1024

const WAITING = 1000
const REFUSAL = 'Too many requests wait for large answers, try again later'

/** Made at once; networks take turns. */
const MAKINGS = { places: 2, waiting: WAITING, refusal: REFUSAL }
/** In memory at once. */
const ANSWERS = { places: 6, share: 2, waiting: WAITING, refusal: REFUSAL }

/** Whom an answer counts with that is in memory beyond the bound: there is no telling who of its clients is slow. */
const NOBODY = ''

/** A place for an answer that is yet to be made. */
export interface Hold {
  /** Hands it over to the answer, if that turns out to be large. */
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
   * Makes an answer that may be large, once there is room for it.
   * @param ready gives it where others have made it meanwhile, or are making it
   * @param signal gives up waiting
   * @throws Failure `unavailable` where too many wait, the signal's reason, and what `make` throws
   */
  async make<T>(
    network: string,
    ready: () => Promise<T> | T | undefined,
    make: (hold: Hold) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const atHand = ready()
    if (atHand !== undefined) return atHand
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
      // Whoever only waits for others needs neither.
      turn?.()
      place()
      return await meanwhile
    } finally {
      turn?.()
      if (!isClaimed) place()
    }
  }

  /** Counts an answer that is in memory and has no place, even beyond the bound. */
  count(): Release {
    return this.#answers.take(NOBODY)
  }
}

/** The place of one large answer, which it has while clients take it, unless it is kept in the cache. */
export class LargeBody {
  readonly #answers: LargeAnswers
  #place: Release | undefined
  #takers = 0
  #isKept = false

  /** @param place from before it was made; without one it is counted all the same */
  constructor(answers: LargeAnswers, place: Release | undefined) {
    this.#answers = answers
    this.#place = place ?? answers.count()
  }

  /** Another client begins to take it; gives what to call once it has, or is gone. */
  taken(): Release {
    this.#takers++
    this.#settle()
    let isTaking = true
    return () => {
      if (!isTaking) return
      isTaking = false
      this.#takers--
      this.#settle()
    }
  }

  /** Tells whether it is in the cache from now on. */
  set isKept(isKept: boolean) {
    this.#isKept = isKept
    this.#settle()
  }

  #settle(): void {
    if (this.#takers > 0 && !this.#isKept) {
      this.#place ??= this.#answers.count()
    } else {
      this.#place?.()
      this.#place = undefined
    }
  }
}
