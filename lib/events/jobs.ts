/**
 * The jobs of a cluster as they were last told: a new state of one gives an
 * event if its status has changed.
 */
import type { Json, JsonObject } from '../json/json.ts'
import { isFinal, type OpStatus } from '../model/job.ts'
import type { Event } from './event.ts'
import type { JobSubject } from './job-subject.ts'
import { NO_OBJECTS } from './objects.ts'
import type { Present } from './source.ts'

export interface JobState {
  readonly id: number
  readonly status: string
  readonly summary: Json
  readonly opstatus: Json
  readonly received_ts: Json
  readonly start_ts: Json
  readonly end_ts: Json
  /** The first line of what a job failed with. */
  readonly error?: string | undefined
  readonly subject: JobSubject
}

interface Told {
  readonly state: JobState
  /** As an event of the present. */
  readonly event: Event
}

/** An entry of a job's log, as Ganeti has it. */
export type LogEntry = readonly [serial: number, time: Json, type: Json, message: Json]

export class Jobs {
  readonly #emit: (event: Event) => void
  readonly #told = new Map<number, Told>()
  /** The highest number in the log of each job, as far as it was told. */
  readonly #logged = new Map<number, number>()

  constructor(emit: (event: Event) => void) {
    this.#emit = emit
  }

  get size(): number {
    return this.#told.size
  }

  get(id: number): JobState | undefined {
    return this.#told.get(id)?.state
  }

  /** Notes how a job is at the beginning, which is no event. */
  note(state: JobState): void {
    this.#told.set(state.id, { state, event: jobEvent(state, null) })
  }

  /** Tells a new state of a job. */
  put(state: JobState): void {
    const before = this.#told.get(state.id)?.state
    this.note(state)
    if (before?.status === state.status && String(before.opstatus) === String(state.opstatus)) return
    this.#emit(jobEvent(state, before?.status ?? null))
  }

  /**
   * Tells what is new in the log of a job's opcodes.
   * @param logs a list of entries for each opcode
   * @param isTold false if nobody listens to that
   */
  putLog(id: number, logs: readonly (readonly LogEntry[])[], isTold: boolean): void {
    let last = this.#logged.get(id) ?? 0
    for (const event of logEvents(id, logs, last, this.get(id)?.subject)) {
      if (isTold) this.#emit(event)
      last = Number(event.data.serial)
    }
    if (last > 0) this.#logged.set(id, last)
  }

  /** A job has left the queue. */
  delete(id: number): void {
    this.#told.delete(id)
    this.#logged.delete(id)
  }

  clear(): void {
    this.#told.clear()
    this.#logged.clear()
  }

  ids(): Iterable<number> {
    return this.#told.keys()
  }

  /** The ids of those that have not ended. */
  get unfinished(): number[] {
    const ids: number[] = []
    for (const [id, { state }] of this.#told) if (!hasEnded(state)) ids.push(id)
    return ids
  }

  /**
   * Those that have not ended, those that are named, and those that have ended after a time.
   * @param endedSince in milliseconds since 1970
   */
  *present({
    jobs,
    endedSince = Number.POSITIVE_INFINITY,
  }: Pick<Present, 'jobs' | 'endedSince'>): Generator<Event, undefined> {
    for (const { state, event } of this.#told.values()) {
      if (!hasEnded(state) || endOf(state) >= endedSince || jobs?.has(state.id)) yield event
    }
  }
}

/** Whether an event tells that a job has ended. */
export function isEnd({ type, data }: Event): boolean {
  return type === 'job' && isFinal(data.status as OpStatus)
}

export function hasEnded({ status }: JobState): boolean {
  return isFinal(status as OpStatus)
}

/** When a job ended, in milliseconds since 1970; that is unknown of one that was canceled before it began. */
function endOf({ end_ts, received_ts }: JobState): number {
  const [seconds, microseconds = 0] = (Array.isArray(end_ts) ? end_ts : received_ts) as readonly number[]
  return Number(seconds) * 1000 + Number(microseconds) / 1000
}

function jobEvent(state: JobState, previous: string | null): Event {
  const { id, status, summary, opstatus, received_ts, start_ts, end_ts, error, subject } = state
  const { user, request, instances, nodes, groups, networks } = subject
  const data: JsonObject = {
    ...{ id, status, previous, summary, opstatus, received_ts, start_ts, end_ts },
    ...(error !== undefined && { error }),
    ...(user !== undefined && { user }),
    ...(request !== undefined && { request }),
    ...{ instances, nodes, groups, networks },
  }
  return { type: 'job', data, job: id, objects: subject, subject }
}

/** The events for entries of a log after a serial number, in their order. */
export function* logEvents(
  id: number,
  logs: readonly (readonly LogEntry[])[],
  after: number,
  subject: JobSubject | undefined,
): Generator<Event, undefined> {
  const objects = subject ?? NO_OBJECTS
  for (const [op, entries] of logs.entries()) {
    for (const [serial, ts, type, message] of entries) {
      if (Number(serial) <= after) continue
      yield { type: 'joblog', data: { id, op, serial, ts, type, message }, job: id, objects, subject }
    }
  }
}
