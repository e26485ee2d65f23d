/**
 * The scheduler: which of the queued jobs start now. In their order (priority,
 * then id), those that the job filter, the jobs they depend on and the number
 * of running ones let.
 */
import type { Json } from '../../../json/json.ts'
import type { Config } from '../../../model/config.ts'
import type { FilterRule } from '../../../model/filter-rule.ts'
import { isFinal, type Job, priorityOf, statusOf } from '../../../model/job.ts'
import { JobFilter } from './job-filter.ts'
import { canceled, failed } from './job-states.ts'
import type { JobTable } from './job-table.ts'

export interface SchedulerOptions {
  readonly table: JobTable
  readonly config: () => Config
  /** Runs a job to its end; its signal is aborted to cancel it while it waits. Fails where that is a fault of ours. */
  readonly run: (id: number, signal: AbortSignal) => Promise<void>
  /** Makes the end of a job last, then known, that did not start. */
  readonly record: (job: Job) => Promise<void>
  readonly onFault: (id: number, error: unknown) => void
}

interface Running {
  readonly abort: AbortController
  /** The rule that limits it. */
  readonly rule: string | undefined
}

export class Scheduler {
  readonly #options: SchedulerOptions
  /** Ids of jobs that have not started, in the order in which they may. */
  readonly #queued: number[] = []
  readonly #running = new Map<number, Running>()
  #filter: { readonly rules: readonly FilterRule[]; readonly compiled: JobFilter } | undefined
  #stopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Takes a job into the queue, in its place. */
  add(job: Job): void {
    const priority = priorityOf(job)
    const later = (id: number | undefined) => {
      if (id === undefined) return false
      const other = priorityOf(this.#options.table.get(id) as Job)
      return other > priority || (other === priority && id > job.id)
    }
    let place = this.#queued.length
    while (later(this.#queued[place - 1])) place--
    this.#queued.splice(place, 0, job.id)
  }

  /** Starts whatever may start. */
  schedule(): void {
    if (this.#stopped) return
    const { record, onFault } = this.#options
    const config = this.#options.config()
    if (this.#filter?.rules !== config.filters) {
      this.#filter = { rules: config.filters, compiled: new JobFilter(config.filters) }
    }
    for (const id of [...this.#queued]) {
      if (this.#running.size >= config.cluster.max_running_jobs) return
      const job = this.#options.table.get(id) as Job
      const verdict = this.#filter.compiled.verdict(job, config)
      if (verdict.action === 'reject') {
        this.cancelQueued(job).catch((error) => onFault(id, error))
        continue
      }
      if (verdict.action === 'pause') continue
      const rule = verdict.action === 'limit' ? verdict.rule : undefined
      if (verdict.action === 'limit' && this.#runningUnder(verdict.rule) >= verdict.limit) continue
      const awaited = this.#dependencies(job)
      if (awaited === 'wait') continue
      this.#remove(id)
      if (awaited === 'go') {
        this.#start(id, rule)
      } else {
        const ended = awaited === 'cancel' ? canceled(job) : failed(job, ['OpExecError', [awaited.error]])
        record(ended).catch((error) => onFault(id, error))
      }
    }
  }

  #start(id: number, rule: string | undefined): void {
    const { run, onFault } = this.#options
    const abort = new AbortController()
    this.#running.set(id, { abort, rule })
    run(id, abort.signal).then(
      () => {
        this.#running.delete(id)
        this.schedule()
      },
      (error) => onFault(id, error),
    )
  }

  isQueued(id: number): boolean {
    return this.#queued.includes(id)
  }

  isRunning(id: number): boolean {
    return this.#running.has(id)
  }

  /** Cancels a job that has not started. */
  cancelQueued(job: Job): Promise<void> {
    this.#remove(job.id)
    return this.#options.record(canceled(job))
  }

  /** Has a job that has started, but waits, give up. */
  abort(id: number): void {
    this.#running.get(id)?.abort.abort()
  }

  /** Starts no more, and has those that have started give up waiting. */
  stop(): void {
    this.#stopped = true
    for (const { abort } of this.#running.values()) abort.abort()
  }

  #remove(id: number): void {
    this.#queued.splice(this.#queued.indexOf(id), 1)
  }

  #runningUnder(rule: string): number {
    return [...this.#running.values()].filter((one) => one.rule === rule).length
  }

  /** Whether the jobs that a job waits for have ended as it wants. */
  #dependencies(job: Job): 'go' | 'wait' | 'cancel' | { readonly error: string } {
    for (const { input } of job.ops) {
      for (const dependency of (input.depends ?? []) as readonly Json[]) {
        const [id, wanted] = dependency as unknown as readonly [number | string, readonly string[]]
        const other = this.#options.table.get(Number(id))
        // A job that has left the queue can be asked nothing any more.
        if (!other) return { error: `Dependency job ${id} is not in the queue` }
        const status = statusOf(other)
        if (!isFinal(status)) return 'wait'
        if (status === 'canceled' && !wanted.includes('canceled')) return 'cancel'
        if (wanted.length > 0 && !wanted.includes(status)) {
          const error = `Dependency job ${id} finished with status '${status}', not one of '${wanted.join(', ')}' as required`
          return { error }
        }
      }
    }
    return 'go'
  }
}
