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

/** The types of events, with the permissions that each needs. */
const TYPES: readonly (readonly [type: string, permissions: readonly string[]])[] = [
  ['job', ['jobs.list', 'jobs.query']],
  ['joblog', ['jobs.list', 'jobs.query']],
  ['instance', ['instances.list']],
  ['node', ['nodes.list']],
  ['group', ['groups.list']],
  ['network', ['networks.list']],
  ['cluster', ['cluster.info']],
  ['state', ['instances.list', 'nodes.list']],
]

/** What a path depends on. */
const CONCERNS: readonly (readonly [path: RegExp, events: readonly string[]])[] = [
  [/^\/2\/info/, ['cluster', 'master']],
  [/^\/2\/nodes/, ['node', 'instance', 'group', 'state', 'job']],
  [/^\/2\/(instances|query\/instance)/, ['instance', 'node', 'state', 'job']],
  [/^\/2\/groups/, ['group', 'node']],
  [/^\/2\/networks/, ['network', 'instance']],
]

export class Feed {
  readonly #session: Session
  readonly #store: Store
  readonly #cluster: Cluster
  readonly #live: Live
  /** The types of events that the user may see. */
  #types: readonly string[] = []
  /** Unfinished jobs, as they were seen last. */
  readonly #unfinished = new Set<number>()
  /** Whether all that has happened since what was read was told. */
  #isResumed = false
  onChange: () => void = () => {}
  /** Called when the user may do other things than before. */
  onRights: () => void = () => {}

  constructor(session: Session, store: Store, cluster: Cluster) {
    this.#session = session
    this.#cluster = cluster
    this.#store = store
    this.#live = new Live(session.api)
    this.#live.onEvent = (event) => this.#take(event)
    this.#live.onState = () => {
      if (this.#live.state !== 'live') store.hasEvents = false
      this.onChange()
    }
  }

  /** Whether there are events; `none` also if they tell less than the user may read. */
  get state(): LiveState {
    const { state } = this.#live
    return state === 'live' && !this.#store.hasEvents ? 'none' : state
  }

  /** Whether jobs are known that are not over. */
  get isBusy(): boolean {
    return this.#unfinished.size > 0
  }

  /** Listens with the rights of the present user. */
  begin(): void {
    this.#unfinished.clear()
    this.#isResumed = false
    this.#store.hasEvents = false
    const may = (permission: string) => this.#session.may(permission)
    this.#types = TYPES.filter(([, permissions]) => permissions.every(may)).map(([type]) => type)
    this.#live.begin(this.#types.length > 0 ? `/2/events?types=${this.#types.join()}` : undefined)
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
    switch (type) {
      case 'hello':
        // A user may be told less than it may read.
        this.#store.hasEvents = this.#types.every((wanted) => (said.types as string[]).includes(wanted))
        this.onChange()
        return
      case 'ready':
        // It is not known what happened before, unless the stream went on from an event.
        if (!this.#isResumed) this.#store.invalidate(() => true)
        this.#isResumed = true
        return
      case 'reset':
        this.#isResumed = false
        return
      case 'end':
        if (said.reason === 'rights') this.onRights()
        return
      case 'job':
        this.#takeJob(said as unknown as Job)
        return
      case 'joblog':
        this.#store.invalidate((path) => path === `/2/jobs/${said.id}`)
        return
      default:
        this.#changed(type)
    }
  }

  #takeJob(job: Job): void {
    const store = this.#store
    store.revise<object>(this.#cluster.jobsPath, (known) => withJob(known, job))
    store.invalidate((path) => path === `/2/jobs/${job.id}`)
    this.jobsSeen([job])
  }

  #changed(what: string): void {
    this.#store.invalidate((path) =>
      CONCERNS.some(([pattern, events]) => events.includes(what) && pattern.test(path)),
    )
  }
}
