/**
 * The folder of Ganeti's job queue. Whoever changes a job writes its file anew
 * and renames it into place, so that one watch of the folder (inotify) tells of
 * every change. The kernel drops events when too many come at once, and libuv
 * does not tell that; so from time to time all files are looked at.
 *
 *     job-N      one job, until it is archived
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { identityOf } from '../files/file-identity.ts'

/** Milliseconds from one look at all files to the next. */
const INTERVAL = 30_000
/** Files that are looked at together. */
const AT_ONCE = 64

const JOB_FILE = /^job-(\d{1,15})$/

/** Tells which jobs have changed. */
export interface JobWatch {
  /**
   * @param changed called with the ids of jobs that may have changed, or left the queue
   * @returns whether jobs can be watched this way
   */
  begin(changed: (ids: readonly number[]) => void): Promise<boolean>
  /** Notes the state of jobs before they are asked for. */
  see(ids: readonly number[]): Promise<void>
  stop(): void
}

export interface QueueFolderOptions {
  /** As `watch` of node:fs. */
  readonly watchFolder?: (
    folder: string,
    listener: (event: string, name: string | null) => void,
  ) => Pick<FSWatcher, 'close' | 'on'>
  /** Milliseconds from one look at all files to the next. */
  readonly interval?: number
}

export class QueueFolder implements JobWatch {
  readonly #folder: string
  readonly #watch: NonNullable<QueueFolderOptions['watchFolder']>
  readonly #interval: number
  /** The state of each file when the job was last asked for. */
  readonly #seen = new Map<number, string>()
  #watcher: Pick<FSWatcher, 'close' | 'on'> | undefined
  #changed: (ids: readonly number[]) => void = () => {}
  #timer: NodeJS.Timeout | undefined

  constructor(
    folder: string,
    {
      watchFolder = (path, listener) => watch(path, { persistent: false }, listener),
      interval = INTERVAL,
    }: QueueFolderOptions = {},
  ) {
    this.#folder = folder
    this.#watch = watchFolder
    this.#interval = interval
  }

  async begin(changed: (ids: readonly number[]) => void): Promise<boolean> {
    this.stop()
    this.#changed = changed
    try {
      const watcher = this.#watch(this.#folder, (_event, name) => {
        const id = idOf(name ?? '')
        if (id !== undefined) this.#changed([id])
      })
      // Looking at all files goes on without it.
      watcher.on('error', () => watcher.close())
      this.#watcher = watcher
      await this.#differing()
    } catch {
      this.stop()
      return false
    }
    this.#lookLater()
    return true
  }

  async see(ids: readonly number[]): Promise<void> {
    await this.#look(ids)
  }

  stop(): void {
    this.#watcher?.close()
    this.#watcher = undefined
    clearTimeout(this.#timer)
    this.#seen.clear()
    this.#changed = () => {}
  }

  #lookLater(): void {
    this.#timer = setTimeout(async () => {
      const watcher = this.#watcher
      const ids = await this.#differing().catch(() => [])
      if (!this.#watcher || this.#watcher !== watcher) return
      if (ids.length > 0) this.#changed(ids)
      this.#lookLater()
    }, this.#interval).unref()
  }

  /** Looks at all files; gives the ids of those that are not as they were seen. */
  async #differing(): Promise<number[]> {
    const names = await readdir(this.#folder)
    const ids = names.map(idOf).filter((id) => id !== undefined)
    const there = new Set(ids)
    const gone = [...this.#seen.keys()].filter((id) => !there.has(id))
    for (const id of gone) this.#seen.delete(id)
    return [...(await this.#look(ids)), ...gone]
  }

  /** Notes the state of files; gives the ids of those that have changed. */
  async #look(ids: readonly number[]): Promise<number[]> {
    const changed: number[] = []
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      await Promise.all(
        ids.slice(at, at + AT_ONCE).map(async (id) => {
          const path = join(this.#folder, `job-${id}`)
          const state = await stat(path, { bigint: true }).then(identityOf, () => undefined)
          if (this.#seen.get(id) === state) return
          changed.push(id)
          if (state === undefined) this.#seen.delete(id)
          else this.#seen.set(id, state)
        }),
      )
    }
    return changed
  }
}

function idOf(name: string): number | undefined {
  const [, id] = JOB_FILE.exec(name) ?? []
  return id === undefined ? undefined : Number(id)
}
