/**
 * A bounded LRU set with a time to live (TTL): a key expires some time after its
 * last use, and the least recently used one is evicted for a new one.
 */
export interface Bounds {
  readonly capacity: number
  /** How long a key stays after its last use, in milliseconds. */
  readonly lifetime: number
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
}

export class TtlLruSet {
  /** When each key was last used; the least recently used one comes first. */
  readonly #lastUse = new Map<string, number>()
  readonly #bounds: Bounds

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Whether `key` is in the set; counts as a use. */
  has(key: string): boolean {
    const lastUse = this.#lastUse.get(key)
    if (lastUse === undefined) return false
    this.#lastUse.delete(key)
    if (this.#bounds.now() - lastUse >= this.#bounds.lifetime) return false
    this.#lastUse.set(key, this.#bounds.now())
    return true
  }

  add(key: string): void {
    this.#lastUse.delete(key)
    if (this.#lastUse.size >= this.#bounds.capacity) {
      const [oldest] = this.#lastUse.keys()
      if (oldest !== undefined) this.#lastUse.delete(oldest)
    }
    this.#lastUse.set(key, this.#bounds.now())
  }
}
