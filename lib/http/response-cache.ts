/**
 * A bounded LRU cache of the answers that follow from cluster state alone, with
 * request coalescing: those who ask for one that is being made share it. Answers
 * are kept per generation of the state: with the next one all are dropped.
 *
 * Who may see an answer is not decided here: each says what access it takes.
 */
import { SharedSignal } from '../shared-signal.ts'
import type { Representation } from './representation.ts'

/** What an answer is taken to need beside its bytes and its key. */
const OVERHEAD = 500

interface Making {
  readonly made: Promise<Representation>
  readonly signal: SharedSignal
}

export class ResponseCache {
  readonly #limit: number
  #generation: number | undefined
  /** In the order of last use. */
  readonly #kept = new Map<string, Representation>()
  readonly #underWay = new Map<string, Making>()
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

  /** Waits for what is being made under a key, if anything is, as `make` does. */
  join(generation: number, key: string, signal?: AbortSignal): Promise<Representation> | undefined {
    this.#turnTo(generation)
    const making = this.#underWay.get(key)
    if (!making || making.signal.aborted) return undefined
    making.signal.join(signal)
    return making.made
  }

  /**
   * Makes what `find` did not find, and keeps it; all who ask for it meanwhile
   * wait for the same making, which is given up when the last of them has left.
   * @param make gets a signal for that
   * @param signal aborted when this one leaves
   * @throws what `make` throws, which is not kept
   */
  make(
    generation: number,
    key: string,
    make: (signal: AbortSignal) => Promise<Representation>,
    signal?: AbortSignal,
  ): Promise<Representation> {
    const underWay = this.join(generation, key, signal)
    if (underWay) return underWay
    const shared = new SharedSignal()
    shared.join(signal)
    const making: Making = { signal: shared, made: this.#made(generation, key, () => make(shared.begin())) }
    this.#underWay.set(key, making)
    const over = () => {
      if (this.#underWay.get(key) === making) this.#underWay.delete(key)
    }
    making.made.then(over, over)
    return making.made
  }

  async #made(generation: number, key: string, make: () => Promise<Representation>): Promise<Representation> {
    const made = await make()
    if (this.#generation === generation && !this.#kept.has(key)) this.#keep(key, made)
    return made
  }

  #turnTo(generation: number): void {
    if (this.#generation === generation) return
    this.#generation = generation
    for (const kept of this.#kept.values()) kept.isKept = false
    this.#kept.clear()
    this.#underWay.clear()
    this.#bytes = 0
  }

  #keep(key: string, made: Representation): void {
    const size = sizeOf(key, made)
    if (size > this.#limit) return
    this.#kept.set(key, made)
    made.isKept = true
    this.#last = key
    this.#bytes += size
    made.onSizeChange = (bytes) => {
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
      oldest.isKept = false
    }
  }
}

function sizeOf(key: string, { bytes }: Representation): number {
  return key.length + bytes + OVERHEAD
}
