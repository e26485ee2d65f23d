/**
 * Keeps the answers that follow from cluster state alone, so that asking for
 * one again is a lookup. They are kept per generation of the state: with the
 * next one all are dropped. Their bytes are bounded; what was not asked for
 * longest goes first.
 *
 * Who may see an answer is none of its business: ask access first.
 */
import type { Representation } from './representation.ts'

/** What an answer is taken to need beside its bytes and its key. */
const OVERHEAD = 500

export class ResponseCache {
  readonly #limit: number
  #generation: number | undefined
  /** In the order of last use. */
  readonly #kept = new Map<string, Representation>()
  readonly #underWay = new Map<string, Promise<Representation>>()
  #bytes = 0
  /** The key used last, so that asking again and again for one answer moves nothing. */
  #last: string | undefined

  /** @param limit the most bytes to keep, over all answers in all their forms */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bytes kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives what is kept under a key for the present generation. */
  find(generation: number, key: string): Representation | undefined {
    this.#turnTo(generation)
    const found = this.#kept.get(key)
    if (found && this.#last !== key) {
      this.#last = key
      this.#kept.delete(key)
      this.#kept.set(key, found)
    }
    return found
  }

  /**
   * Makes what `find` did not find, and keeps it; all who ask for it meanwhile
   * wait for the same making.
   * @throws what `make` throws, which is not kept
   */
  async make(generation: number, key: string, make: () => Promise<Representation>): Promise<Representation> {
    this.#turnTo(generation)
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const making = make()
    this.#underWay.set(key, making)
    try {
      const made = await making
      if (this.#generation === generation) this.#keep(key, made)
      return made
    } finally {
      if (this.#underWay.get(key) === making) this.#underWay.delete(key)
    }
  }

  #turnTo(generation: number): void {
    if (this.#generation === generation) return
    this.#generation = generation
    this.#kept.clear()
    this.#underWay.clear()
    this.#bytes = 0
  }

  #keep(key: string, made: Representation): void {
    const size = sizeOf(key, made)
    if (size > this.#limit) return
    this.#kept.set(key, made)
    this.#last = key
    this.#bytes += size
    made.onGrowth = (bytes) => {
      if (this.#kept.get(key) !== made) return
      this.#bytes += bytes
      this.#trim()
    }
    this.#trim()
  }

  #trim(): void {
    for (const [key, oldest] of this.#kept) {
      if (this.#bytes <= this.#limit) return
      this.#kept.delete(key)
      this.#bytes -= sizeOf(key, oldest)
    }
  }
}

function sizeOf(key: string, { bytes }: Representation): number {
  return key.length + bytes + OVERHEAD
}
