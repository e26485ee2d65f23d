/**
 * A semaphore that is fair by key: so many places, of which one key (the
 * network a client comes from) holds at most its share, and a bounded queue for
 * them in which keys take turns. Whoever asks a thousand times waits for most
 * of that, and others wait for a place or two.
 */
import { Failure } from './failure.ts'

export interface FairSemaphoreOptions {
  /** How many hold a place at once. */
  readonly places: number
  /** The most of them that one key holds; all of them unless given. */
  readonly share?: number
  /** How many may wait. */
  readonly waiting: number
  /** Whether, of those of one key, the one that came last is next; else the one that waits longest. */
  readonly newestFirst?: boolean
  /** What those are told for whom there is not even room to wait. */
  readonly refusal: string
}

/** A share by which one key leaves some of the places to others, but for a single one. */
export function allButAQuarter(places: number): number {
  return Math.max(1, places - Math.ceil(places / 4))
}

/** Gives a place back; further calls do nothing. */
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
  /** Those who wait, by key; the key whose turn is next comes first, and none is empty. */
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

  /** How many hold a place. */
  get taken(): number {
    return this.#taken
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Runs `job` in a place, once there is one, and gives what it gives.
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
   * Waits for a place. In a full queue, the longest of all keys loses the one whose turn is furthest away to a
   * clearly shorter one.
   * @param signal gives up waiting; where there is a place, it counts for nothing
   * @throws Failure `unavailable` where there is no room to wait; the signal's reason where it was given up
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
   * As `acquire`, for so long.
   * @param milliseconds how long to wait
   * @returns undefined where there was no place in that time
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

  /** Takes a place if there is one now. */
  tryAcquire(key: string): Release | undefined {
    return this.#mayEnter(key) ? this.take(key) : undefined
  }

  /** Takes a place without waiting, even beyond their number: others then wait until there are fewer. */
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
      // To the end of those who wait, as it had its turn.
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
    // The one whose turn is furthest away.
    const last = this.#newestFirst ? longest[0] : longest.at(-1)
    if (!last || longest.length < (this.#queues.get(key)?.length ?? 0) + 2) return false
    this.#leaveQueue(longestKey, last)
    last.refuse()
    return true
  }
}
