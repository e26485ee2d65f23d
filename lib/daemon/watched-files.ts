/**
 * Tells when files change.
 *
 * Whether they did is decided by stat(2) alone; watching their folders only
 * makes us look sooner. So a replaced, missing or network folder, a link to
 * elsewhere or a system without watches costs two seconds, never a change. It
 * is the folder that is watched, since careful writers replace a file by
 * renaming over it, which ends a watch on the file itself.
 *
 * Events of the folder are gathered for a moment (throttled), so that a busy
 * folder costs no more than a quiet one. Whether a writer is done with a file
 * is not decided here: see stable-read.ts.
 */
import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { identityOf } from '../file-identity.ts'

export interface WatchOptions {
  /** How often to look at the files without an event, in milliseconds. */
  readonly pollInterval?: number
  /** Watches a folder, as node:fs does; may throw. */
  readonly watchFolder?: (path: string, changed: () => void) => Pick<FSWatcher, 'close' | 'on'>
}

const POLL_INTERVAL = 2000
/** How long events are gathered before the files are looked at, in milliseconds. */
const THROTTLE = 50

type Look = readonly [path: string, identity: string]

export class WatchedFiles {
  /** For each file what it was like when it was last read or written; see `lookAt`. */
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

  /** Takes the files as they are now for known. Call it before reading them: a change in between is found at the next look. */
  async see(): Promise<void> {
    for (const [path, identity] of await this.#look()) this.#seen.set(path, identity)
  }

  /** Takes one of the files for known in another state than the one seen. */
  written(path: string, identity: string): void {
    this.#seen.set(path, identity)
  }

  /** Takes the files for changed at the next look. */
  forget(): void {
    for (const path of this.#seen.keys()) this.#seen.set(path, '')
  }

  /** Whether a file is not as it was seen. */
  async haveChanged(): Promise<boolean> {
    const before = new Map(this.#seen)
    const looks = await this.#look()
    // Its owner may have written a file meanwhile, before or after it was looked at.
    return looks.some(([path, identity]) => ![before.get(path), this.#seen.get(path)].includes(identity))
  }

  /**
   * Starts to look.
   * @param changed called when a file is not as it was seen; should see it. No look happens until it is done
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
    // The first look follows at once, for what happened during the first load.
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
  /** Which folder is watched: its path may lead to another one by now. */
  #watched = ''
  #closed = false

  constructor(path: string, changed: () => void, start: WatchOptions['watchFolder']) {
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
