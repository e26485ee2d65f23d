/**
 * Keeps the store fresh: what each event says has changed is read again. A job
 * comes whole with its event; and once a job is over, what it may have changed is
 * read again, whether or not there are events.
 */

import type { Cluster } from './cluster.ts'
import type { StreamEvent } from './event-parser.ts'
import { Live, type LiveState } from './live.ts'
import { isOver, type Job, withJob } from './model.ts'
import type { Session } from './session.ts'
import type { Store } from './store.ts'

const TYPES = 'job,joblog,instance,node,group,network,cluster,state'

/** What a path depends on. */
const CONCERNS: readonly (readonly [path: RegExp, events: readonly string[]])[] = [
  [/^\/2\/info/, ['cluster', 'master']],
  [/^\/2\/nodes/, ['node', 'instance', 'group', 'state', 'job']],
  [/^\/2\/(instances|query\/instance)/, ['instance', 'node', 'state', 'job']],
  [/^\/2\/groups/, ['group', 'node']],
  [/^\/2\/networks/, ['network', 'instance']],
]

export class Feed {
  readonly #cluster: Cluster
  readonly #store: Store
  readonly #live: Live
  /** Unfinished jobs, as they were seen last. */
  readonly #unfinished = new Set<number>()
  onChange: () => void = () => {}

  constructor({ api }: Session, store: Store, cluster: Cluster) {
    this.#cluster = cluster
    this.#store = store
    this.#live = new Live(api, `/2/events?types=${TYPES}`)
    this.#live.onEvent = (event) => this.#take(event)
    this.#live.onState = (isAnew) => {
      store.hasEvents = this.#live.state === 'live'
      if (isAnew) store.invalidate(() => true)
      this.onChange()
    }
  }

  get state(): LiveState {
    return this.#live.state
  }

  /** Listens with the rights of the present user. */
  begin(): void {
    this.#unfinished.clear()
    this.#live.begin()
  }

  /** Called with each list of jobs that was read. */
  jobsSeen(jobs: readonly Job[]): void {
    let isAnyOver = false
    for (const job of jobs) {
      if (!isOver(job)) this.#unfinished.add(Number(job.id))
      else if (this.#unfinished.delete(Number(job.id))) isAnyOver = true
    }
    if (isAnyOver) this.#changed('job')
  }

  #take({ type, data }: StreamEvent): void {
    const said = JSON.parse(data) as Record<string, unknown>
    const store = this.#store
    if (type === 'reset') store.invalidate(() => true)
    else if (type === 'job') {
      const job = said as unknown as Job
      store.revise<object>(this.#cluster.jobsPath, (known) => withJob(known, job))
      store.invalidate((path) => path === `/2/jobs/${job.id}`)
      this.jobsSeen([job])
    } else if (type === 'joblog') store.invalidate((path) => path === `/2/jobs/${said.id}`)
    else this.#changed(type)
  }

  #changed(what: string): void {
    this.#store.invalidate((path) =>
      CONCERNS.some(([pattern, events]) => events.includes(what) && pattern.test(path)),
    )
  }
}
