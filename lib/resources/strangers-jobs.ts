/**
 * Jobs of clients without credentials. A few read requests submit a job and need
 * no right, so any client could fill the job queue, and on a live cluster
 * prevent Ganeti from running other jobs: it runs about twenty at once, including
 * those that wait for the lock of a busy instance.
 *
 * So there are three limits, for every backend. Equal requests share an
 * unfinished job (request coalescing), while Ganeti would submit another one. The
 * number of unfinished jobs of this kind is limited. And there is a rate limit (a
 * token bucket), as finished jobs are kept for a while. Jobs of users are not
 * counted.
 */
import type { Backend } from '../backend/backend.ts'
import { TokenBucket } from '../concurrency/token-bucket.ts'
import { Failure } from '../failure.ts'
import { type JsonObject, stringifyJson } from '../json/json.ts'
import { isFinal, type JobStatus } from '../model/job.ts'

const MOST_UNFINISHED = 100
/** Enough for a client that makes a request for each of several hundred instances. */
const BURST = 500
const PER_SECOND = 1

export class StrangersJobs {
  readonly #backend: Backend
  readonly #rate: TokenBucket
  /** Ids of jobs that may not have finished, by their opcodes as JSON. */
  readonly #jobs = new Map<string, Promise<number>>()

  constructor(backend: Backend, rate = new TokenBucket(BURST, PER_SECOND)) {
    this.#backend = backend
    this.#rate = rate
  }

  /**
   * Submits a job, or finds an equal one that has not finished.
   * @returns its id
   * @throws Failure `unavailable` beyond a limit
   */
  async submit(opcodes: readonly JsonObject[]): Promise<number> {
    const about = stringifyJson(opcodes.map(({ reason, ...others }) => others))
    for (let job = this.#jobs.get(about); job !== undefined; job = this.#jobs.get(about)) {
      const id = await job.catch(() => undefined)
      if (id !== undefined && (await this.#finishedOf([id])).length === 0) return id
      this.#forget(about, job)
    }
    if (this.#jobs.size >= MOST_UNFINISHED) {
      await this.#forgetFinished()
      // Others may have been added in the meantime, so check again.
      if (this.#jobs.size < MOST_UNFINISHED) return this.submit(opcodes)
      throw tooMany(`no more than ${MOST_UNFINISHED} jobs may be unfinished`)
    }
    if (!this.#rate.take()) {
      throw tooMany(`no more than ${BURST} jobs are taken at once, and ${PER_SECOND} a second after that`)
    }
    const job = this.#backend.submitJob(opcodes)
    this.#jobs.set(about, job)
    job.catch(() => this.#forget(about, job))
    return job
  }

  async #forgetFinished(): Promise<void> {
    const jobs = [...this.#jobs]
    const outcomes = await Promise.allSettled(jobs.map(([, job]) => job))
    const finished = new Set(
      await this.#finishedOf(outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))),
    )
    for (const [place, [about, job]] of jobs.entries()) {
      const outcome = outcomes[place]
      if (outcome?.status === 'fulfilled' && finished.has(outcome.value)) this.#forget(about, job)
    }
  }

  #forget(about: string, job: Promise<number>): void {
    if (this.#jobs.get(about) === job) this.#jobs.delete(about)
  }

  /** Which of the jobs have finished; one that is not in the queue any more counts as finished. */
  async #finishedOf(ids: readonly number[]): Promise<readonly number[]> {
    try {
      const rows = await this.#backend.queryJobs(ids.map(String), ['status'])
      return ids.filter((_, place) => isFinal(rows[place]?.[0] as JobStatus))
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'not-found')) throw error
      // The failure does not say which of them is unknown, so query them one by one.
      if (ids.length === 1) return ids
      return (await Promise.all(ids.map((id) => this.#finishedOf([id])))).flat()
    }
  }
}

function tooMany(bound: string): Failure {
  return new Failure(
    'unavailable',
    `Without user name and password, ${bound}: say who you are, or try again later`,
  )
}
