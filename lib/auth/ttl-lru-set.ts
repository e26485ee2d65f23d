/**
 * A bounded set in LRU order, with a time to live: a key stays for a while after
 * it was last seen, and the one not seen for longest makes room for a new one.
 */
export interface Bounds {
  readonly capacity: number
  /** How long a key stays after it was last seen, in milliseconds. */
  readonly lifetime: number
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number
}

export class TtlLruSet {
  /** When each key was last seen; the one not seen for longest comes first. */
  readonly #seen = new Map<string, number>()
  readonly #bounds: Bounds

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Whether `key` is in the set; asking counts as seeing it. */
  has(key: string): boolean {
    const seen = this.#seen.get(key)
    if (seen === undefined) return false
    this.#seen.delete(key)
    if (this.#bounds.now() - seen >= this.#bounds.lifetime) return false
    this.#seen.set(key, this.#bounds.now())
    return true
  }

  add(key: string): void {
    this.#seen.delete(key)
    if (this.#seen.size >= this.#bounds.capacity) {
      const [oldest] = this.#seen.keys()
      if (oldest !== undefined) this.#seen.delete(oldest)
    }
    this.#seen.set(key, this.#bounds.now())
  }
}
