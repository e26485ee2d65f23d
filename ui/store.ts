/**
 * What was read from the API, by path, and kept fresh as long as it is shown:
 * a drawing reads paths, and those that the last drawing read are read again when
 * an event tells of a change, or from time to time while there are no events.
 */
import { type Api, ApiError } from './api.ts'

/** What is known of a path. */
export interface Reading<T> {
  /** Undefined until it has been read. */
  readonly data: T | undefined
  /** Why it could not be read last. */
  readonly error: ApiError | undefined
}

interface Entry {
  data: unknown
  error: ApiError | undefined
  /** Set while it is being read. */
  reading: Promise<void> | undefined
  /** Whether it has changed since, or may have. */
  isOld: boolean
  /** When it was read last, and how long that took, in milliseconds by the clock of `performance`. */
  readAt: number
  took: number
  /** How often it is read without events, in milliseconds. */
  every: number
}

/** The least time between two readings of a path after events, in milliseconds; longer for what takes long. */
const LEAST_PAUSE = 100
const PAUSES_PER_READING = 3
/** How often a path is read without events, in milliseconds. */
const POLL = 10_000
/** How long after a failure it is tried again. */
const AFTER_ERROR = 2000
/** How long what is not shown is kept. */
const KEPT = 300_000

export class Store {
  readonly #api: Api
  readonly #entries = new Map<string, Entry>()
  /** The paths that the last drawing has read. */
  #shown = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Whether events tell of changes, so that nothing is polled. */
  hasEvents = false
  /** Since when the daemon cannot be reached. */
  lostSince: Date | undefined
  /** Of what time the data is, if the master daemon could not be asked. */
  staleSince: Date | undefined
  /** Called when something that is shown has changed. */
  onChange: () => void = () => {}

  constructor(api: Api) {
    this.#api = api
  }

  /** Draws, and shows from now on what is read in it. */
  draw<T>(drawing: () => T): T {
    const before = this.#shown
    this.#shown = new Set()
    const drawn = drawing()
    for (const path of this.#shown) if (!before.has(path)) this.#refresh(path)
    this.#schedule()
    return drawn
  }

  /**
   * What is known of a path; from now on it is kept fresh.
   * @param every how often it is read while there are no events, in milliseconds
   */
  read<T>(path: string, every = POLL): Reading<T> {
    this.#shown.add(path)
    const entry = this.#entry(path)
    entry.every = every
    return { data: entry.data as T | undefined, error: entry.error }
  }

  /** The data of a path if it is known, without keeping it fresh. */
  peek<T>(path: string): T | undefined {
    return this.#entries.get(path)?.data as T | undefined
  }

  /** Tells that what is read at some paths may have changed. */
  invalidate(concerns: (path: string) => boolean): void {
    for (const [path, entry] of this.#entries) if (concerns(path)) entry.isOld = true
    this.#schedule()
  }

  /** Revises what is known of a path; nothing if it is not known. */
  revise<T>(path: string, revised: (data: T) => T): void {
    const entry = this.#entries.get(path)
    if (entry?.data === undefined) return
    entry.data = revised(entry.data as T)
    // What is being read may be from before.
    if (entry.reading) entry.isOld = true
    if (this.#shown.has(path)) this.onChange()
  }

  /** Forgets everything, as another user may see other things. */
  clear(): void {
    this.#entries.clear()
    this.#shown = new Set()
    this.onChange()
  }

  #entry(path: string): Entry {
    let entry = this.#entries.get(path)
    if (!entry) {
      entry = {
        data: undefined,
        error: undefined,
        reading: undefined,
        isOld: true,
        readAt: -POLL,
        took: 0,
        every: POLL,
      }
      this.#entries.set(path, entry)
    }
    return entry
  }

  #refresh(path: string): void {
    const entry = this.#entry(path)
    if (!entry.isOld && !entry.error && this.hasEvents) return
    entry.isOld = true
    entry.readAt = -POLL
    this.#schedule()
  }

  /** When a path is to be read again. */
  #due(entry: Entry): number {
    if (entry.isOld && !entry.error)
      return entry.readAt + Math.max(LEAST_PAUSE, entry.took * PAUSES_PER_READING)
    if (entry.error && !entry.error.isPassing && !entry.isOld) return Number.POSITIVE_INFINITY
    if (this.hasEvents && !entry.error) return Number.POSITIVE_INFINITY
    return entry.readAt + (entry.error ? AFTER_ERROR : entry.every)
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (document.hidden) return
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const path of this.#shown) {
      const entry = this.#entry(path)
      if (entry.reading) continue
      const due = this.#due(entry)
      if (due <= now) this.#readAgain(path, entry)
      else next = Math.min(next, due)
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#schedule(), next - now)
  }

  /** Begins or ends to rest, as the page is shown or hidden. */
  visibilityChanged(): void {
    this.#schedule()
  }

  #readAgain(path: string, entry: Entry): void {
    const begun = performance.now()
    entry.isOld = false
    entry.reading = this.#api
      .get(path)
      .then(
        ({ data, isSame, staleSince }) => {
          const changed = !isSame || entry.error !== undefined || this.lostSince !== undefined
          const wasStale = this.staleSince
          this.staleSince = staleSince
          this.lostSince = undefined
          entry.error = undefined
          entry.data = data
          return changed || wasStale?.getTime() !== staleSince?.getTime()
        },
        (thrown) => {
          const error = thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown))
          if (error.status === 0) this.lostSince ??= new Date()
          else this.lostSince = undefined
          entry.error = error
          if (!error.isPassing) entry.data = undefined
          return true
        },
      )
      .then((changed) => {
        entry.reading = undefined
        entry.readAt = performance.now()
        entry.took = entry.readAt - begun
        if (this.#entries.get(path) !== entry) return
        if (changed && this.#shown.has(path)) this.onChange()
        this.#forget()
        this.#schedule()
      })
  }

  #forget(): void {
    const now = performance.now()
    for (const [path, entry] of this.#entries) {
      if (!this.#shown.has(path) && !entry.reading && now - entry.readAt > KEPT) this.#entries.delete(path)
    }
  }
}
