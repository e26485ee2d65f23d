/**
 * The jobs that there are, in memory. Finished ones leave when there are too
 * many; those that only read are counted apart, since clients without a user may
 * submit them, and leave without a trace. Clients may wait for a change of one.
 */
import type { JsonObject } from '../../../json/json.ts'
import { isFinal, type Job, statusOf } from '../../../model/job.ts'
import { readsOnly } from '../../../model/opcodes/table.ts'
import type { Version } from '../../../model/version.ts'
import { newJob } from './job-states.ts'
import { lengthOf } from './journal-records.ts'
import { Quota } from './quota.ts'

const MIB = 2 ** 20

/** As many unfinished jobs as Ganeti allows (JOB_QUEUE_SIZE_HARD_LIMIT); more are not taken. */
const UNFINISHED = [5000, 32 * MIB] as const
/** Finished jobs beyond these leave the queue, the oldest first. */
const FINISHED = [5000, 32 * MIB] as const
/** The same for those that only read, whose result is asked for once. */
const FINISHED_READINGS = [500, 4 * MIB] as const

export class JobTable {
  readonly #jobs: Map<number, Job>
  #last: number
  readonly #archive: (job: Job) => void
  readonly #unfinished = new Quota(...UNFINISHED)
  readonly #finished = new Quota(...FINISHED)
  readonly #finishedReadings = new Quota(...FINISHED_READINGS)
  readonly #listeners = new Map<number, Set<() => void>>()
  readonly #followers = new Set<(job: Job | number) => void>()

  /**
   * @param jobs those that are there already, which `countFinished` counts
   * @param last the latest id ever given
   * @param archive gets finished jobs that leave, but for those that only read
   */
  constructor(jobs: Map<number, Job>, last: number, archive: (job: Job) => void) {
    this.#jobs = jobs
    this.#last = last
    this.#archive = archive
  }

  /** In the order of their ids. */
  get all(): Iterable<Job> {
    return this.#jobs.values()
  }

  get size(): number {
    return this.#jobs.size
  }

  /** The latest id ever given. */
  get last(): number {
    return this.#last
  }

  /** Makes a job with the next id, which is not known yet; see `newJob`. */
  create(opcodes: readonly JsonObject[], version: Version): Job {
    const job = newJob(this.#last + 1, opcodes, version)
    this.#last = job.id
    return job
  }

  get(id: number): Job | undefined {
    return this.#jobs.get(id)
  }

  /** How many have not finished. */
  get unfinished(): number {
    return this.#unfinished.jobs
  }

  /** Whether that is as many as there may be. */
  get isFull(): boolean {
    return this.#unfinished.isFull
  }

  /** Reserves the place of a job that is yet to be known. */
  reserve(job: Job): void {
    this.#unfinished.add(job.id, lengthOf(job))
  }

  /** Gives that place up. */
  release(id: number): void {
    this.#unfinished.delete(id)
  }

  /** Makes a job's next state known. */
  put(job: Job): void {
    const before = this.#jobs.get(job.id)
    this.#jobs.set(job.id, job)
    // Before it, or another, may leave.
    for (const follower of this.#followers) follower(job)
    if (isFinal(statusOf(job)) && !(before && isFinal(statusOf(before)))) {
      this.release(job.id)
      this.#finish(job)
    }
    for (const listener of this.#listeners.get(job.id) ?? []) listener()
  }

  /** Calls a listener with each new state of a job, or the id of one that left, until the function it gives is called. */
  follow(listener: (job: Job | number) => void): () => void {
    this.#followers.add(listener)
    return () => this.#followers.delete(listener)
  }

  /** Corrects a job that was left by an earlier daemon, before any is counted. */
  correct(job: Job): void {
    this.#jobs.set(job.id, job)
  }

  /** Counts the finished jobs that were there from the start. */
  countFinished(): void {
    for (const job of this.#jobs.values()) if (isFinal(statusOf(job))) this.#finish(job)
  }

  #finish(job: Job): void {
    const quota = job.ops.every(({ input }) => readsOnly(input)) ? this.#finishedReadings : this.#finished
    quota.add(job.id, lengthOf(job))
    for (let id = quota.surplus; id !== undefined; id = quota.surplus) {
      if (quota === this.#finished) this.#archive(this.#jobs.get(id) as Job)
      quota.delete(id)
      this.#jobs.delete(id)
      for (const follower of this.#followers) follower(id)
    }
  }

  /**
   * Waits until a job's fields are not what they were, or it has logged more.
   * @param look what is known of the job now; undefined while that is nothing new
   * @returns undefined after `timeout` seconds
   */
  async waitFor<T>(
    id: number,
    look: () => T | undefined,
    timeout: number,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const seen = look()
    if (seen !== undefined || signal.aborted) return seen
    return new Promise((resolve) => {
      const listeners = this.#listeners.get(id) ?? new Set()
      this.#listeners.set(id, listeners)
      const end = () => {
        clearTimeout(timer)
        listeners.delete(changed)
        if (listeners.size === 0) this.#listeners.delete(id)
        signal.removeEventListener('abort', end)
        resolve(look())
      }
      const changed = () => {
        if (look() !== undefined) end()
      }
      const timer = setTimeout(end, timeout * 1000)
      listeners.add(changed)
      signal.addEventListener('abort', end)
    })
  }
}
