/**
 * The jobs of a live cluster. What tells that jobs have changed (queue-folder.ts
 * or queue-poll.ts) is the same for all listeners; the master daemon is then
 * asked for these jobs alone, in one question for all that changed since the
 * last one, and for none while nobody listens.
 */
import type { MasterBackend } from '../backend/luxi/luxi-backend.ts'
import { messageChain } from '../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import type { Event } from './event.ts'
import { errorOf } from './job-error.ts'
import { type JobSubject, subjectOf } from './job-subject.ts'
import { type JobState, Jobs, type LogEntry, logEvents } from './jobs.ts'
import type { JobWatch } from './queue-folder.ts'
import { QueuePoll } from './queue-poll.ts'
import type { Present } from './source.ts'

/** Milliseconds in which changes of jobs gather until they are asked for. */
const GATHER = 25
/** Jobs in one question. */
const MOST_ASKED = 500
/** Milliseconds until a question is asked again that was not answered. */
const RETRY = 1000

const FIELDS = ['id', 'status', 'summary', 'opstatus', 'received_ts', 'start_ts', 'end_ts']

type Rows = readonly (readonly Json[])[]

export interface MasterJobsOptions {
  readonly backend: Pick<MasterBackend, 'jobsThere'>
  /** Watches the folder of the queue. */
  readonly folder: JobWatch
  readonly log: { warning(message: string): void; info(message: string): void }
}

/** What somebody wants to know. */
export interface WantedOfJobs {
  readonly jobs: boolean
  readonly logs: boolean
}

export class MasterJobs {
  readonly #backend: MasterJobsOptions['backend']
  readonly #folder: JobWatch
  readonly #log: MasterJobsOptions['log']
  readonly #jobs: Jobs
  readonly #poll: QueuePoll
  #watch: JobWatch
  /** The highest id that was ever seen. */
  #last = 0
  #wanted: WantedOfJobs = { jobs: false, logs: false }
  /** When jobs were found to have changed that were not asked for since, in milliseconds since 1970. */
  readonly #changed = new Map<number, number>()
  /** The earliest of these times; undefined if there are none, and none are being asked for. */
  #behindSince: number | undefined
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> | undefined
  #isAway = false
  /** How often it was begun. */
  #run = 0

  constructor({ backend, folder, log }: MasterJobsOptions, emit: (event: Event) => void) {
    this.#backend = backend
    this.#folder = folder
    this.#log = log
    const jobs = new Jobs(emit)
    this.#jobs = jobs
    const last = () => this.#last
    this.#poll = new QueuePoll({
      known: {
        get unfinished() {
          return jobs.unfinished
        },
        get last() {
          return last()
        },
        ids: () => jobs.ids(),
        get: (id) => jobs.get(id),
      },
      isWanted: () => this.#wanted.jobs,
      statuses: async () => {
        const rows = await backend.jobsThere(null, ['id', 'status'])
        return new Map(rows.map(([id, status]) => [Number(id), String(status)]))
      },
    })
    this.#watch = folder
  }

  /** See `EventSource`. */
  get toldUpTo(): number {
    return this.#behindSince ?? Date.now()
  }

  /** @throws Failure if the master daemon cannot be asked */
  async begin(): Promise<void> {
    const changed = (ids: readonly number[]) => this.#noticed(ids)
    const isReadable = await this.#folder.begin(changed)
    this.#watch = isReadable ? this.#folder : this.#poll
    if (!isReadable) {
      this.#log.warning(
        'Events: the folder of the job queue cannot be read, so that the master daemon is asked each second',
      )
      await this.#poll.begin(changed)
    }
    try {
      const rows = await this.#backend.jobsThere(null, [...FIELDS, 'ops'])
      for (const row of rows) {
        const state = stateOf(row, subjectOf(opcodesIn(row[FIELDS.length])))
        this.#jobs.note(state)
        this.#last = Math.max(this.#last, state.id)
      }
    } catch (error) {
      this.stop()
      throw error
    }
  }

  want(wanted: WantedOfJobs): void {
    this.#wanted = wanted
    if (this.#changed.size > 0) this.#askSoon(GATHER)
  }

  stop(): void {
    this.#run++
    this.#folder.stop()
    this.#poll.stop()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#changed.clear()
    this.#behindSince = undefined
    this.#jobs.clear()
  }

  /** @throws Failure if the master daemon cannot be asked */
  async present(asked: Present): Promise<Event[]> {
    await this.#ask()
    const ids = [...this.#jobs.present(asked)].map(({ job }) => String(job))
    const rows =
      asked.types.has('joblog') && ids.length > 0 ? await this.#backend.jobsThere(ids, ['id', 'oplog']) : []
    const logs = rows.flatMap(([id, logs]) => {
      const subject = this.#jobs.get(Number(id))?.subject
      return [...logEvents(Number(id), logsIn(logs), 0, subject)]
    })
    return [...this.#jobs.present(asked), ...logs]
  }

  #noticed(ids: readonly number[]): void {
    const now = Date.now()
    for (const id of ids) if (!this.#changed.has(id)) this.#changed.set(id, now)
    this.#behindSince ??= now
    if (ids.length > 0) this.#askSoon(GATHER)
  }

  #askSoon(milliseconds: number): void {
    if (!this.#wanted.jobs || this.#timer || this.#asking) return
    this.#timer = setTimeout(async () => {
      try {
        await this.#ask()
        this.#timer = undefined
        if (this.#isAway) this.#log.info('Events: the master daemon answers again')
        this.#isAway = false
        if (this.#changed.size > 0) this.#askSoon(GATHER)
      } catch (error) {
        if (!this.#isAway)
          this.#log.warning(`Events: the master daemon must be asked later: ${messageChain(error)}`)
        this.#isAway = true
        this.#timer = undefined
        this.#askSoon(RETRY)
      }
    }, milliseconds).unref()
  }

  /** Asks for the jobs that have changed. @throws Failure if the master daemon cannot be asked */
  #ask(): Promise<void> {
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #askAll(): Promise<void> {
    const run = this.#run
    while (this.#changed.size > 0 && run === this.#run) {
      const some = [...this.#changed].slice(0, MOST_ASKED)
      const ids = some.map(([id]) => id)
      await this.#watch.see(ids)
      // What changes from here on is asked for once more.
      for (const id of ids) this.#changed.delete(id)
      try {
        await this.#askFor(ids, run)
      } catch (error) {
        for (const [id, time] of some) this.#changed.set(id, time)
        throw error
      }
      this.#behindSince = earliest(this.#changed.values())
    }
  }

  async #askFor(ids: readonly number[], run: number): Promise<void> {
    const isKnown = (id: number) => this.#jobs.get(id) !== undefined
    const known = ids.filter(isKnown)
    const others = ids.filter((id) => !isKnown(id))
    const logs = this.#wanted.logs ? ['oplog'] : []
    // The opcodes of a job, which do not change, say what it is about.
    const rows = [
      ...(await this.#there(known, [...FIELDS, ...logs])).map((row) => ({
        row,
        more: row.slice(FIELDS.length),
      })),
      ...(await this.#there(others, [...FIELDS, ...logs, 'ops'])).map((row) => ({
        row,
        more: row.slice(FIELDS.length, -1),
        subject: subjectOf(opcodesIn(row.at(-1))),
      })),
    ].map(({ row, more, ...fresh }) => {
      const subject = 'subject' in fresh ? (fresh.subject as JobSubject) : undefined
      const id = Number(row[0])
      const state = stateOf(row, subject ?? (this.#jobs.get(id)?.subject as JobSubject))
      return { state, log: more[0] }
    })
    const errors = await this.#errorsOf(rows.map(({ state }) => state))
    if (run !== this.#run) return
    const found = new Set<number>()
    for (const { state, log } of rows.sort((one, other) => one.state.id - other.state.id)) {
      const { id } = state
      found.add(id)
      this.#last = Math.max(this.#last, id)
      const error = errors.get(id) ?? this.#jobs.get(id)?.error
      this.#jobs.put({ ...state, error })
      if (log !== undefined) this.#jobs.putLog(id, logsIn(log), true)
    }
    for (const id of ids) if (!found.has(id)) this.#jobs.delete(id)
  }

  /** What those have failed with that have failed now. */
  async #errorsOf(states: readonly JobState[]): Promise<ReadonlyMap<number, string>> {
    const failed = states.filter(
      ({ id, status }) => status === 'error' && this.#jobs.get(id)?.status !== 'error',
    )
    const rows = await this.#there(
      failed.map(({ id }) => id),
      ['id', 'opstatus', 'opresult'],
    )
    return new Map(
      rows.map(([id, statuses, results]) => [Number(id), errorOf(listIn(statuses), listIn(results)) ?? '']),
    )
  }

  async #there(ids: readonly number[], fields: readonly string[]): Promise<Rows> {
    return ids.length === 0 ? [] : this.#backend.jobsThere(ids.map(String), fields)
  }
}

function earliest(times: Iterable<number>): number | undefined {
  let least: number | undefined
  for (const time of times) if (least === undefined || time < least) least = time
  return least
}

function stateOf(row: readonly Json[], subject: JobSubject): JobState {
  const [id, status = null, summary = null, opstatus = null, received = null, start = null, end = null] = row
  const times = { received_ts: received, start_ts: start, end_ts: end }
  return { id: Number(id), status: String(status), summary, opstatus, ...times, subject }
}

function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

function opcodesIn(value: Json | undefined): readonly JsonObject[] {
  return listIn(value).filter(isJsonObject)
}

function logsIn(value: Json | undefined): readonly (readonly LogEntry[])[] {
  return listIn(value).map((entries) => listIn(entries) as unknown as readonly LogEntry[])
}
