/**
 * A reloadable value: loaded from files, and loaded again on request or when the
 * files change. A new value is built completely, and then replaces the old one;
 * if loading fails, the old one is kept.
 */
import { messageChain, messageLines } from '../failure.ts'
import { descriptorsFailure } from './descriptors.ts'
import type { Log } from './log.ts'
import { WatchedFiles, type WatchOptions } from './watched-files.ts'

/** Why a value is loaded: the program starts, someone asked, a file changed. */
export type Reason = 'start' | 'signal' | 'change'

export interface ReloadableOptions<T> extends WatchOptions {
  /** A name for the log: `the users file`. */
  readonly name: string
  /** Loads a new value from the files; the message of a failure should name the file. */
  readonly load: (reason: Reason) => Promise<T>
  /** Files whose change causes a reload; they need not exist. */
  readonly watch?: readonly string[]
  readonly log: Log
  /** Called after each load but the first, with whether it succeeded. */
  readonly loaded?: ((succeeded: boolean) => void) | undefined
}

export interface Reloadable<T> {
  /** The last value that was loaded successfully. */
  readonly current: T
  /** Why the last load failed; undefined if it did not. */
  readonly failure: string | undefined
  /**
   * Loads again, from the files as they are after this call; never while another load runs.
   * @returns whether that succeeded; if not, the log says why
   */
  reload(): Promise<boolean>
  /** Calls a listener with each new value, until the function it gives is called. */
  onChange(listener: (value: T) => void): () => void
  /**
   * Marks a state of a watched file as known, as we have just written it: it need not be loaded.
   * @param identity see `identityOf`
   */
  written(path: string, identity: string): void
  /** Stops watching; the result of a load in progress is discarded. */
  close(): void
}

/**
 * Loads a value, and reloads it when its files change.
 * @throws what the first load throws; later failures are logged
 */
export async function reloadable<T>(options: ReloadableOptions<T>): Promise<Reloadable<T>> {
  const files = new WatchedFiles(options.watch ?? [], options)
  try {
    await files.see()
    return new Reloader(options, files, await options.load('start'))
  } catch (error) {
    files.close()
    throw error
  }
}

class Reloader<T> implements Reloadable<T> {
  #current: T
  #failure: string | undefined
  readonly #options: ReloadableOptions<T>
  readonly #files: WatchedFiles
  readonly #listeners = new Set<(value: T) => void>()
  /** The load in progress, or the last one. */
  #loading: Promise<boolean> = Promise.resolve(true)
  /** The next load, shared by all requests until it starts (request coalescing). */
  #next: Promise<boolean> | undefined
  #closed = false

  constructor(options: ReloadableOptions<T>, files: WatchedFiles, first: T) {
    this.#options = options
    this.#files = files
    this.#current = first
    files.follow(() => this.#load('change'))
  }

  get current(): T {
    return this.#current
  }

  get failure(): string | undefined {
    return this.#failure
  }

  reload(): Promise<boolean> {
    return this.#load('signal')
  }

  onChange(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  written(path: string, identity: string): void {
    this.#files.written(path, identity)
  }

  close(): void {
    this.#closed = true
    this.#files.close()
  }

  #load(reason: Reason): Promise<boolean> {
    this.#next ??= this.#loading.then(() => {
      this.#next = undefined
      this.#loading = this.#loadNow(reason)
      return this.#loading
    })
    return this.#next
  }

  async #loadNow(reason: Reason): Promise<boolean> {
    const { name, load, log } = this.#options
    try {
      await this.#files.see()
      const value = await load(reason)
      if (this.#closed) return false
      this.#current = value
      this.#failure = undefined
      this.#options.loaded?.(true)
    } catch (error) {
      if (this.#closed) return false
      this.#failure = messageChain(error)
      this.#options.loaded?.(false)
      // The failure is not caused by the files: read them again at the next check, even if unchanged.
      if (descriptorsFailure(error)) this.#files.forget()
      const head = `Cannot reload ${name}, keeping what was loaded before: `
      for (const line of messageLines(error, head)) log.error(line)
      return false
    }
    for (const listener of this.#listeners) {
      try {
        listener(this.#current)
      } catch (error) {
        log.error(`Cannot make use of ${name} after reloading it: ${messageChain(error)}`)
      }
    }
    return true
  }
}
