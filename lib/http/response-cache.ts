/**
 * A bounded LRU cache of the answers that depend only on cluster state, with
 * request coalescing: concurrent requests for one answer share the work. All
 * answers are dropped when the generation of the state changes.
 *
 * Access is not checked here: each answer has the rights that it needs.
 */
import { SharedSignal } from '../concurrency/shared-signal.ts'
import type { Representation } from './representation.ts'

/** The assumed memory of an answer in addition to its bytes and its key. */
const OVERHEAD = 500

interface Making {
  readonly made: Promise<Representation>
  readonly signal: SharedSignal
}

export class ResponseCache {
  readonly #limit: number
  #generation: number | undefined
  /** In the order of last use. */
  readonly #entries = new Map<string, Representation>()
  readonly #inFlight = new Map<string, Making>()
  #bytes = 0
  /** The key used last, so that repeated hits of one answer need not reorder the map. */
  #last: string | undefined

  /** @param limit the most bytes, of all answers in all their forms */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bytes in the cache. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives the cached answer of a key for a generation. */
  find(generation: number, key: string): Representation | undefined {
    this.#useGeneration(generation)
    const found = this.#entries.get(key)
    if (found && this.#last !== key) {
      this.#last = key
      this.#entries.delete(key)
      this.#entries.set(key, found)
    }
    return found
  }

  /** Joins work in flight for a key, if there is any, as `make` does. */
  join(generation: number, key: string, signal?: AbortSignal): Promise<Representation> | undefined {
    this.#useGeneration(generation)
    const making = this.#inFlight.get(key)
    if (!making || making.signal.aborted) return undefined
    making.signal.join(signal)
    return making.made
  }

  /**
   * Makes an answer after a cache miss, and caches it. Concurrent requests for it
   * share the work, which is aborted when the last of them has left.
   * @param make gets a signal for that
   * @param signal aborted when this request leaves
   * @throws what `make` throws, which is not cached
   */
  make(
    generation: number,
    key: string,
    make: (signal: AbortSignal) => Promise<Representation>,
    signal?: AbortSignal,
  ): Promise<Representation> {
    const inFlight = this.join(generation, key, signal)
    if (inFlight) return inFlight
    const shared = new SharedSignal()
    shared.join(signal)
    const making: Making = { signal: shared, made: this.#made(generation, key, () => make(shared.begin())) }
    this.#inFlight.set(key, making)
    const over = () => {
      if (this.#inFlight.get(key) === making) this.#inFlight.delete(key)
    }
    making.made.then(over, over)
    return making.made
  }

  async #made(generation: number, key: string, make: () => Promise<Representation>): Promise<Representation> {
    const made = await make()
    if (this.#generation === generation && !this.#entries.has(key)) this.#store(key, made)
    return made
  }

  #useGeneration(generation: number): void {
    if (this.#generation === generation) return
    this.#generation = generation
    for (const entry of this.#entries.values()) entry.isCached = false
    this.#entries.clear()
    this.#inFlight.clear()
    this.#bytes = 0
  }

  #store(key: string, made: Representation): void {
    const size = sizeOf(key, made)
    if (size > this.#limit) return
    this.#entries.set(key, made)
    made.isCached = true
    this.#last = key
    this.#bytes += size
    made.onSizeChange = (bytes) => {
      if (this.#entries.get(key) !== made) return
      this.#bytes += bytes
      this.#evict()
    }
    this.#evict()
  }

  #evict(): void {
    for (const [key, oldest] of this.#entries) {
      if (this.#bytes <= this.#limit) return
      this.#entries.delete(key)
      this.#bytes -= sizeOf(key, oldest)
      oldest.isCached = false
    }
  }
}

function sizeOf(key: string, { bytes }: Representation): number {
  return key.length + bytes + OVERHEAD
}
