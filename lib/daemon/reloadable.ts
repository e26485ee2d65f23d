/**
 * Everything reloadable is one mechanism: a value made from files, made anew
 * when told to or when the files change. The new value is built whole and then
 * swapped in; one that does not load leaves the old one in place.
 *
 * Whether files changed is decided by stat(2) alone; watching their folders
 * only makes us look sooner. So a replaced, missing or network folder, a link to
 * elsewhere or a system without watches costs two seconds, never a change. It
 * is the folder that is watched, since careful writers replace a file by
 * renaming over it, which ends a watch on the file itself.
 */
import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageChain, messageLines } from '../failure.ts'
import { identityOf } from '../file-identity.ts'
import { descriptorsFailure } from './descriptors.ts'
import type { Log } from './log.ts'

/** Why a value is loaded: the program starts, someone asked, a file changed. */
export type Reason = 'start' | 'signal' | 'change'

export interface ReloadableOptions<T> {
  /** What it is, for the log: `the users file`. */
  readonly name: string
  /** Makes a new value from the files as they are now; a failure's message should say which file. */
  readonly load: (reason: Reason) => Promise<T>
  /** Files whose change means a new value; they need not exist. */
  readonly watch?: readonly string[]
  readonly log: Log
  /** How often to look at the files without being called, in milliseconds. */
  readonly pollInterval?: number
  /** Watches a folder, as node:fs does; may throw. */
  readonly watchFolder?: (path: string, changed: () => void) => Pick<FSWatcher, 'close' | 'on'>
}

export interface Reloadable<T> {
  /** The last value that loaded. */
  readonly current: T
  /**
   * Loads anew, from the files as they are after this call; never while another load runs.
   * @returns whether that worked; if not, the log says why
   */
  reload(): Promise<boolean>
  /** Calls a listener with each new value, until the function it gives is called. */
  onChange(listener: (value: T) => void): () => void
  /** Stops watching; a load under way comes to nothing. */
  close(): void
}

const POLL_INTERVAL = 2000
/** A changed file must look the same for so long before it is read: its writer may not be done. In milliseconds. */
const SETTLE_TIME = 50
/** How often to find a file still changing before it is read all the same. */
const SETTLE_LOOKS = 20

/**
 * Loads a value and keeps it up to date.
 * @throws what the first load throws; later failures are logged
 */
export async function reloadable<T>(options: ReloadableOptions<T>): Promise<Reloadable<T>> {
  const files = new WatchedFiles(options)
  try {
    // Looked at before it is read: a change in between is noticed at the next look.
    const seen = await files.look()
    return new Reloader(options, files, seen, await options.load('start'))
  } catch (error) {
    files.close()
    throw error
  }
}

class Reloader<T> implements Reloadable<T> {
  #current: T
  readonly #options: ReloadableOptions<T>
  readonly #files: WatchedFiles
  readonly #listeners = new Set<(value: T) => void>()
  /** How the files looked when they were last read. */
  #seen: string
  /** The load under way, or the last one. */
  #loading: Promise<boolean> = Promise.resolve(true)
  /** The load that will follow; there is no use in a third one. */
  #next: Promise<boolean> | undefined
  #closed = false

  constructor(options: ReloadableOptions<T>, files: WatchedFiles, seen: string, first: T) {
    this.#options = options
    this.#files = files
    this.#seen = seen
    this.#current = first
    files.follow(
      (look) => look !== this.#seen,
      () => this.#load('change'),
    )
  }

  get current(): T {
    return this.#current
  }

  reload(): Promise<boolean> {
    return this.#load('signal')
  }

  onChange(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
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
      this.#seen = await this.#files.look()
      const value = await load(reason)
      if (this.#closed) return false
      this.#current = value
    } catch (error) {
      if (this.#closed) return false
      // Not the files are at fault: as if they had not been looked at, they are read at the next look.
      if (descriptorsFailure(error)) this.#seen = ''
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

/** Looks at files again and again, sooner when something happens in their folders. */
class WatchedFiles {
  readonly #paths: readonly string[]
  readonly #folders: Map<string, WatchedFolder>
  readonly #pollInterval: number
  #timer: NodeJS.Timeout | undefined
  #onHint = () => {}
  #closed = false

  constructor({ watch = [], pollInterval, watchFolder: watcher }: Omit<ReloadableOptions<never>, 'load'>) {
    this.#paths = watch
    this.#pollInterval = pollInterval ?? POLL_INTERVAL
    const hint = () => this.#onHint()
    this.#folders = new Map(
      watch.map((path) => [dirname(path), new WatchedFolder(dirname(path), hint, watcher)]),
    )
  }

  /** Describes the files so that two descriptions differ when a file does. */
  async look(): Promise<string> {
    await Promise.all([...this.#folders.values()].map((folder) => folder.watch()))
    return (await Promise.all(this.#paths.map(lookAt))).join(' ')
  }

  /**
   * Starts to look.
   * @param isNew whether a description is another than that of the last load
   * @param changed called when it is, and has stopped changing; no look happens until it is done
   */
  follow(isNew: (look: string) => boolean, changed: () => Promise<unknown>): void {
    if (this.#paths.length === 0 || this.#closed) return
    let hinted = false
    let looking = false
    let unsettled = ''
    let looks = 0
    const wait = (time: number) => {
      clearTimeout(this.#timer)
      if (!this.#closed) this.#timer = setTimeout(lookAgain, time).unref()
    }
    const lookAgain = async () => {
      looking = true
      hinted = false
      const look = await this.look()
      if (!isNew(look)) {
        unsettled = ''
        looks = 0
      } else if (look === unsettled || ++looks >= SETTLE_LOOKS) {
        unsettled = ''
        looks = 0
        await changed()
      } else {
        unsettled = look
      }
      looking = false
      wait(hinted || unsettled !== '' ? SETTLE_TIME : this.#pollInterval)
    }
    // Many hints make one look: a busy folder puts it off no further.
    this.#onHint = () => {
      if (!hinted && !looking) wait(SETTLE_TIME)
      hinted = true
    }
    // The first look follows at once, for what happened during the first load.
    wait(SETTLE_TIME)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const folder of this.#folders.values()) folder.close()
  }
}

class WatchedFolder {
  readonly #path: string
  readonly #changed: () => void
  readonly #start: NonNullable<ReloadableOptions<unknown>['watchFolder']>
  #watcher: Pick<FSWatcher, 'close'> | undefined
  /** Which folder is watched: its path may lead to another one by now. */
  #watched = ''
  #closed = false

  constructor(path: string, changed: () => void, start: ReloadableOptions<unknown>['watchFolder']) {
    this.#path = path
    this.#changed = changed
    this.#start = start ?? ((folder, listener) => watchFolder(folder, { persistent: false }, listener))
  }

  /** Sees to it that the folder is watched, if it can be. */
  async watch(): Promise<void> {
    const found = await stat(this.#path, { bigint: true }).catch(() => undefined)
    const folder = found ? `${found.dev}:${found.ino}` : ''
    if (this.#closed || (folder === this.#watched && this.#watcher)) return
    this.#stop()
    if (!found) return
    try {
      const watcher = this.#start(this.#path, this.#changed)
      watcher.on('error', () => this.#stop())
      this.#watcher = watcher
      this.#watched = folder
    } catch {
      // No watches here, or none left: the files are looked at from time to time anyway.
    }
  }

  close(): void {
    this.#closed = true
    this.#stop()
  }

  #stop(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}

/** How a file is now, or why it cannot be looked at; follows links. */
async function lookAt(path: string): Promise<string> {
  try {
    return identityOf(await stat(path, { bigint: true }))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
