/**
 * A semaphore that is fair by key (the network a client comes from): it has a
 * number of places, of which one key holds at most its share, and a bounded
 * queue (backlog) in which keys take turns (round robin). So a network with a
 * thousand requests mostly delays itself.
 */
import { Failure } from '../failure.ts'

export interface FairSemaphoreOptions {
  /** How many places there are. */
  readonly places: number
  /** The most places that one key holds; default: all. */
  readonly share?: number
  /** How many may wait. */
  readonly waiting: number
  /** Whether the queue of a key is last in, first out; default: first in, first out. */
  readonly newestFirst?: boolean
  /** The message of the failure when the queue is full. */
  readonly refusal: string
}

/** A share of three quarters of the places, but at least one: some places are always left for other keys. */
export function allButAQuarter(places: number): number {
  return Math.max(1, places - Math.ceil(places / 4))
}

/** Releases a place; idempotent. */
export type Release = () => void

interface Waiter {
  readonly admit: () => void
  readonly refuse: () => void
}

export class FairSemaphore {
  readonly #places: number
  readonly #share: number
  readonly #mostWaiting: number
  readonly #newestFirst: boolean
  readonly #refusal: string
  /** The waiters, by key; the key whose turn is next comes first, and no queue is empty. */
  readonly #queues = new Map<string, Waiter[]>()
  readonly #held = new Map<string, number>()
  #taken = 0
  #waiting = 0

  constructor({ places, share = places, waiting, newestFirst = false, refusal }: FairSemaphoreOptions) {
    this.#places = places
    this.#share = share
    this.#mostWaiting = waiting
    this.#newestFirst = newestFirst
    this.#refusal = refusal
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Runs `job` while holding a place, and gives its result.
   * @throws what `acquire` throws, and what the job does
   */
  async run<T>(key: string, job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(key, signal)
    try {
      return await job()
    } finally {
      release()
    }
  }

  /**
   * Waits for a place. If the queue is full, a new waiter replaces the last one of the key with the longest queue,
   * unless the new waiter's own key has nearly as many.
   * @param signal aborts waiting; ignored if a place is free
   * @throws Failure `unavailable` if the queue is full; the signal's reason if it was aborted
   */
  acquire(key: string, signal?: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      const release = this.tryAcquire(key)
      if (release) {
        resolve(release)
        return
      }
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const abort = () => {
        this.#leaveQueue(key, waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        admit: () => {
          signal?.removeEventListener('abort', abort)
          resolve(this.take(key))
        },
        refuse: () => {
          signal?.removeEventListener('abort', abort)
          reject(new Failure('unavailable', this.#refusal))
        },
      }
      if (this.#waiting >= this.#mostWaiting && !this.#makeRoom(key)) {
        waiter.refuse()
        return
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting++
      const others = this.#queues.get(key)
      if (others) others.push(waiter)
      else this.#queues.set(key, [waiter])
    })
  }

  /**
   * Like `acquire`, with a timeout.
   * @param milliseconds how long to wait
   * @returns undefined if no place became free in that time
   */
  async acquireWithin(key: string, milliseconds: number, signal?: AbortSignal): Promise<Release | undefined> {
    const release = this.tryAcquire(key)
    if (release) return release
    const late = AbortSignal.timeout(Math.ceil(milliseconds))
    try {
      return await this.acquire(key, signal ? AbortSignal.any([signal, late]) : late)
    } catch (thrown) {
      if (thrown !== late.reason || signal?.aborted) throw thrown
      return undefined
    }
  }

  /** Takes a place if one is free now. */
  tryAcquire(key: string): Release | undefined {
    return this.#mayEnter(key) ? this.take(key) : undefined
  }

  /** Takes a place without waiting, even if none is free. */
  take(key: string): Release {
    this.#taken++
    this.#held.set(key, this.#heldBy(key) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#taken--
      const left = this.#heldBy(key) - 1
      if (left > 0) this.#held.set(key, left)
      else this.#held.delete(key)
      this.#admitNext()
    }
  }

  #heldBy(key: string): number {
    return this.#held.get(key) ?? 0
  }

  #mayEnter(key: string): boolean {
    return this.#taken < this.#places && this.#heldBy(key) < this.#share
  }

  #admitNext(): void {
    for (const [key, queue] of this.#queues) {
      if (this.#taken >= this.#places) return
      if (!this.#mayEnter(key)) continue
      const next = this.#newestFirst ? queue.pop() : queue.shift()
      this.#waiting--
      // Round robin: the key moves to the end.
      this.#queues.delete(key)
      if (queue.length > 0) this.#queues.set(key, queue)
      next?.admit()
    }
  }

  #leaveQueue(key: string, waiter: Waiter): void {
    const queue = this.#queues.get(key)
    const place = queue?.indexOf(waiter) ?? -1
    if (!queue || place < 0) return
    queue.splice(place, 1)
    if (queue.length === 0) this.#queues.delete(key)
    this.#waiting--
  }

  #makeRoom(key: string): boolean {
    let longest: Waiter[] = []
    let longestKey = ''
    for (const [other, queue] of this.#queues) {
      if (queue.length > longest.length) [longestKey, longest] = [other, queue]
    }
    // The waiter that would be served last.
    const last = this.#newestFirst ? longest[0] : longest.at(-1)
    if (!last || longest.length < (this.#queues.get(key)?.length ?? 0) + 2) return false
    this.#leaveQueue(longestKey, last)
    last.refuse()
    return true
  }
}
