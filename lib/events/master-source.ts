/**
 * What happens in a live cluster: files that Ganeti writes anew with each change
 * tell that there was one, and the master daemon tells which.
 */
import { readFile } from 'node:fs/promises'
import type { MasterBackend } from '../backend/luxi/luxi-backend.ts'
import { WatchedFiles } from '../daemon/watched-files.ts'
import type { JsonObject } from '../json/json.ts'
import type { MasterFiles } from '../source.ts'
import type { Event, EventType } from './event.ts'
import { LiveStates } from './live-states.ts'
import { MasterJobs } from './master-jobs.ts'
import { MasterObjects, OBJECT_KINDS } from './master-objects.ts'
import { NO_OBJECTS } from './objects.ts'
import { QueueFolder } from './queue-folder.ts'
import type { EventSource, Present } from './source.ts'
import type { FindThing } from './view.ts'

export interface MasterSourceOptions {
  readonly backend: MasterBackend
  readonly files: MasterFiles
  /** The name of this machine. */
  readonly node: string
  readonly log: { warning(message: string): void; info(message: string): void }
}

export class MasterSource implements EventSource {
  readonly #options: MasterSourceOptions
  readonly #jobs: MasterJobs
  readonly #objects: MasterObjects
  readonly #states: LiveStates
  #emit: (event: Event) => void = () => {}
  #watched: { config: WatchedFiles; master: WatchedFiles } | undefined
  #about: JsonObject = {}

  constructor(options: MasterSourceOptions) {
    const { backend, files, log } = options
    const emit = (event: Event) => this.#emit(event)
    this.#options = options
    this.#jobs = new MasterJobs({ backend, folder: new QueueFolder(files.queue), log }, emit)
    this.#objects = new MasterObjects(backend, emit)
    this.#states = new LiveStates(() => backend, emit)
  }

  get toldUpTo(): number {
    return this.#jobs.toldUpTo
  }

  async begin(emit: (event: Event) => void): Promise<void> {
    const { backend, node } = this.#options
    const { name = null, master = null } = await backend.queryClusterInfo()
    this.#about = { cluster: name, master, node, source: 'luxi' }
    this.#emit = emit
    await this.#jobs.begin()
    await this.#watch()
  }

  attend(types: ReadonlySet<EventType>): void {
    this.#jobs.want({ jobs: types.has('job') || types.has('joblog'), logs: types.has('joblog') })
    this.#objects.want(OBJECT_KINDS.filter((kind) => types.has(kind)))
    this.#states.want(types.has('state'))
  }

  stop(): void {
    this.#emit = () => {}
    this.#watched?.config.close()
    this.#watched?.master.close()
    this.#watched = undefined
    this.#states.want(false)
    this.#jobs.stop()
    this.#objects.stop()
  }

  get find(): FindThing {
    return this.#objects.find
  }

  about(): JsonObject {
    return this.#about
  }

  async present(asked: Present): Promise<Iterable<Event>> {
    const { types, objects, isSelective } = asked
    const states = objects && types.has('state') ? await this.#states.present() : []
    const kinds = OBJECT_KINDS.filter((kind) => types.has(kind))
    const there = objects ? await this.#objects.present(kinds) : []
    if (isSelective) await this.#objects.present(['instance', 'node'])
    const jobs = types.has('job') || types.has('joblog') ? await this.#jobs.present(asked) : []
    return [...jobs, ...there, ...states]
  }

  async #watch(): Promise<void> {
    const { files } = this.#options
    const config = new WatchedFiles([files.config], {})
    const master = new WatchedFiles([files.master], {})
    this.#watched = { config, master }
    await config.see()
    await master.see()
    // What it was changed to just before may not be known yet.
    this.#objects.changed()
    config.follow(async () => {
      await config.see()
      this.#objects.changed()
    })
    master.follow(async () => {
      await master.see()
      await this.#masterChanged()
    })
  }

  /** After a failover, another node has the events. */
  async #masterChanged(): Promise<void> {
    const name = await readFile(this.#options.files.master, 'utf8').catch(() => '')
    const master = name.trim()
    if (master === '' || master === this.#about.master) return
    this.#about = { ...this.#about, master }
    this.#emit({ type: 'master', data: { master }, objects: { ...NO_OBJECTS, nodes: [master] } })
  }
}
