/**
 * Detects changes of files.
 *
 * Changes are detected by polling with stat(2); watching the folders (inotify)
 * only triggers a check sooner. So with a replaced, missing or network folder, a
 * link to elsewhere or a system without watches, a change is noticed after two
 * seconds, but never missed. The folder is watched, as an atomic replace by a
 * rename ends a watch on the file itself.
 *
 * Checks after events of the folder are throttled, so that a busy folder costs
 * no more than a quiet one. Whether a writer has finished a file is not checked
 * here: see stable-read.ts.
 */
import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { identityOf } from '../files/file-identity.ts'

export interface WatchOptions {
  /** The interval of checking the files without an event (polling), in milliseconds. */
  readonly pollInterval?: number
  /** Watches a folder, as node:fs does; may throw. */
  readonly watchFolder?: (path: string, changed: () => void) => Pick<FSWatcher, 'close' | 'on'>
}

const POLL_INTERVAL = 2000
/** The delay from the first event to checking the files (throttle), in milliseconds. */
const THROTTLE = 50

type Look = readonly [path: string, identity: string]

export class WatchedFiles {
  /** The state of each file when it was last read or written; see `lookAt`. */
  readonly #seen: Map<string, string>
  readonly #folders: Map<string, WatchedFolder>
  readonly #pollInterval: number
  #timer: NodeJS.Timeout | undefined
  #onEvent = () => {}
  #closed = false

  constructor(
    paths: readonly string[],
    { pollInterval = POLL_INTERVAL, watchFolder: watcher }: WatchOptions,
  ) {
    this.#seen = new Map(paths.map((path) => [path, '']))
    this.#pollInterval = pollInterval
    const onEvent = () => this.#onEvent()
    this.#folders = new Map(
      paths.map((path) => [dirname(path), new WatchedFolder(dirname(path), onEvent, watcher)]),
    )
  }

  /** Records the files as they are now. To be called before reading them, so that no change is missed. */
  async see(): Promise<void> {
    for (const [path, identity] of await this.#look()) this.#seen.set(path, identity)
  }

  /** Records another state of one of the files. */
  written(path: string, identity: string): void {
    this.#seen.set(path, identity)
  }

  /** Makes the files count as changed at the next check. */
  forget(): void {
    for (const path of this.#seen.keys()) this.#seen.set(path, '')
  }

  /** Whether a file differs from its recorded state. */
  async haveChanged(): Promise<boolean> {
    const before = new Map(this.#seen)
    const looks = await this.#look()
    // The daemon may have written a file in the meantime, before or after the check.
    return looks.some(([path, identity]) => ![before.get(path), this.#seen.get(path)].includes(identity))
  }

  /**
   * Starts to check.
   * @param changed called when a file differs from its recorded state, which it should record; no check happens
   *   until it is done
   */
  follow(changed: () => Promise<unknown>): void {
    if (this.#seen.size === 0 || this.#closed) return
    let hadEvent = false
    let looking = false
    const wait = (time: number) => {
      clearTimeout(this.#timer)
      if (!this.#closed) this.#timer = setTimeout(look, time).unref()
    }
    const look = async () => {
      looking = true
      hadEvent = false
      if (await this.haveChanged()) await changed()
      looking = false
      wait(hadEvent ? THROTTLE : this.#pollInterval)
    }
    this.#onEvent = () => {
      if (!hadEvent && !looking) wait(THROTTLE)
      hadEvent = true
    }
    // The first check follows at once, for changes during the first load.
    wait(THROTTLE)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const folder of this.#folders.values()) folder.close()
  }

  async #look(): Promise<Look[]> {
    await Promise.all([...this.#folders.values()].map((folder) => folder.watch()))
    return Promise.all([...this.#seen.keys()].map(async (path): Promise<Look> => [path, await lookAt(path)]))
  }
}

class WatchedFolder {
  readonly #path: string
  readonly #changed: () => void
  readonly #start: NonNullable<WatchOptions['watchFolder']>
  #watcher: Pick<FSWatcher, 'close'> | undefined
  /** The identity of the watched folder, as its path may lead to another folder later. */
  #watched = ''
  #closed = false

  constructor(path: string, changed: () => void, start: WatchOptions['watchFolder']) {
    this.#path = path
    this.#changed = changed
    this.#start = start ?? ((folder, listener) => watchFolder(folder, { persistent: false }, listener))
  }

  /** Watches the folder, if possible. */
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
      // No watches on this system, or none left: polling is enough.
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

/** The state of a file, or why it cannot be read; follows links. */
async function lookAt(path: string): Promise<string> {
  try {
    return identityOf(await stat(path, { bigint: true }))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
