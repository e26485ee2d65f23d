/**
 * A bounded LRU cache with a time to live (TTL): a key expires some time after its
 * last use, and the least recently used one is evicted for a new one.
 */
export interface Bounds {
  readonly capacity: number
  /** How long a key stays after its last use, in milliseconds. */
  readonly lifetime: number
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
}

interface Entry<V> {
  readonly value: V
  lastUse: number
}

export class TtlLruMap<V> {
  /** The least recently used one comes first. */
  readonly #entries = new Map<string, Entry<V>>()
  readonly #bounds: Bounds

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** The value of a key, if it is there; counts as a use. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const now = this.#bounds.now()
    this.#entries.delete(key)
    if (now - entry.lastUse >= this.#bounds.lifetime) return undefined
    entry.lastUse = now
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#bounds.capacity) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, { value, lastUse: this.#bounds.now() })
  }
}
