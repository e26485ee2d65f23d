/**
 * The job queue over a cluster in a YAML file: takes opcodes, runs them in
 * their order, writes what comes of them.
 *
 * A job waits in the queue until the scheduler lets it start (scheduler.ts);
 * then each of its opcodes waits for locks (lock-table.ts), runs (job-runner.ts)
 * and is committed: its operation is applied to the newest cluster and written,
 * together with whatever else is ready (group-commit.ts). A job's id is answered
 * when the job is on disk, in the write-ahead journal (journal.ts); a job has
 * succeeded when the cluster's file is.
 *
 * The queue is bounded (job-table.ts). Of unfinished jobs no more are taken than
 * it can hold.
 */
import { Failure, messageChain } from '../../../failure.ts'
import type { JsonObject } from '../../../json/json.ts'
import type { NewFilterRule } from '../../../model/filter-rule.ts'
import { isFinal, type Job, statusOf } from '../../../model/job.ts'
import type { LockState, QueueView } from '../../../model/queue-view.ts'
import type { ClusterFile } from '../state/cluster-file.ts'
import type { Writing } from './apply-operations.ts'
import { wasReplaced } from './file-replacement.ts'
import { GroupCommit } from './group-commit.ts'
import { makeRule } from './job-filter.ts'
import { JobRunner, type Operations, type Sleep } from './job-runner.ts'
import { failed, requeued, withOp } from './job-states.ts'
import { JobTable } from './job-table.ts'
import { Journal } from './journal.ts'
import { LockTable } from './lock-table.ts'
import { type RunningOp, readJournal, type StoredQueue } from './read-journal.ts'
import { Scheduler } from './scheduler.ts'

/** Ganeti's words for a job that was running when its master daemon ended. */
const UNCLEAN = 'Unclean master daemon shutdown'

export interface JobQueueOptions {
  readonly file: ClusterFile
  /** Where jobs are kept; made where there is none. */
  readonly folder: string
  /** Loads what changing a cluster in YAML takes. */
  readonly load: () => Promise<Tools>
  readonly log: { warning(message: string): void; error(message: string): void }
  /** False gives up what is promised of crashes, for trials of speed. */
  readonly sync?: boolean
  /** Lets the time pass that a job takes; on the clock unless given. */
  readonly sleep?: Sleep
}

/** See change-yaml.ts. */
export interface Tools extends Writing {
  /** What opcodes mean, by their ids. */
  readonly OPERATIONS: Operations
}

export class JobQueue implements QueueView {
  readonly #options: JobQueueOptions
  readonly #table: JobTable
  readonly #locks = new LockTable()
  readonly #journal: Journal
  readonly #commits: GroupCommit
  readonly #scheduler: Scheduler
  readonly #closed = new AbortController()
  #tools: Tools | undefined

  private constructor(options: JobQueueOptions, stored: StoredQueue) {
    const { file, folder, log, sync = true, sleep } = options
    const closed = this.#closed.signal
    const record = (job: Job) => this.#record(job)
    const config = () => file.current
    const tools = () => this.#tools as Tools
    const table = new JobTable(stored.jobs, stored.last, (job) => journal.archive(job))
    const state = () => ({ last: table.last, jobs: table.all })
    const journal = new Journal({ folder, sync, log, state, closed })
    const commits = new GroupCommit({
      file,
      journal,
      log,
      writing: tools,
      newJob: (opcodes) => table.create(opcodes, file.current.version),
      committed: (states, submitted) => {
        for (const job of states) table.put(job)
        for (const job of submitted) this.#take(job)
        this.#scheduler.schedule()
      },
    })
    const runner = new JobRunner({
      ...{ config, table, journal, commits, record, log, sleep, closed },
      operations: () => tools().OPERATIONS,
      locks: this.#locks,
    })
    this.#options = options
    this.#table = table
    this.#journal = journal
    this.#commits = commits
    this.#scheduler = new Scheduler({
      ...{ config, table, record },
      run: (id, signal) => runner.run(id, signal),
      onFault: (id, error) => log.error(`Job ${id}: ${messageChain(error)}`),
    })
  }

  /**
   * Takes up the queue where it was left.
   * @throws Failure `configuration` where what was left cannot be read
   */
  static async open(options: JobQueueOptions): Promise<JobQueue> {
    const { file, folder } = options
    const stored = await readJournal(folder)
    if (stored.open && (await wasReplaced(file, stored.open))) {
      for (const job of stored.open.jobs) stored.jobs.set(job.id, job)
    }
    const queue = new JobQueue(options, stored)
    // Now rather than for the first job: a module that cannot be loaded once, say for want of descriptors, never can.
    if (file.isYaml || stored.jobs.size > 0) await queue.#load()
    await queue.#resume(stored.running)
    // Only now, as another crash may follow: until the journal has the outcome, it shows in this file.
    const isRecorded = !stored.open?.jobs.length || queue.#journal.isBegun
    if (isRecorded && stored.open) await file.removeTemporary(stored.open.temporary)
    if (isRecorded && file.isYaml) await file.removeLeftovers()
    return queue
  }

  async #load(): Promise<void> {
    this.#tools ??= await this.#options.load()
  }

  /** After a start: what was running has failed, the others wait again. */
  async #resume(running: readonly RunningOp[]): Promise<void> {
    if (this.#table.size === 0) return
    const wasCarriedOut = ({ id, ops }: Job) =>
      running.some(([job, index]) => job === id && ops[index] && !isFinal(ops[index].status))
    for (const job of [...this.#table.all].filter((job) => !isFinal(statusOf(job)))) {
      const status = statusOf(job)
      if (status === 'running' || status === 'canceling' || wasCarriedOut(job)) {
        this.#table.correct(failed(job, ['OpExecError', [UNCLEAN]]))
      } else {
        this.#take(requeued(job))
      }
    }
    await this.#journal.begin().catch((error) => this.#options.log.warning(messageChain(error)))
    // What had left the queue is still in the journal, until that is compacted.
    this.#table.countFinished()
    this.#scheduler.schedule()
  }

  get jobs(): Iterable<Job> {
    return this.#table.all
  }

  job(id: string): Job | undefined {
    return this.#table.get(Number(id))
  }

  get locks(): readonly LockState[] {
    return this.#locks.states
  }

  /** Waits for a change of a job; see `JobTable`. */
  waitFor<T>(
    id: number,
    look: () => T | undefined,
    timeout: number,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    return this.#table.waitFor(id, look, timeout, signal)
  }

  /** Follows all jobs; see `JobTable`. */
  follow(listener: (job: Job | number) => void): () => void {
    return this.#table.follow(listener)
  }

  /**
   * Makes sure, as far as that can be told beforehand, that jobs can be taken and can change the cluster.
   * @throws Failure `unsupported` where the file is not ours to write, `unavailable` where it cannot be
   */
  async checkWritable(): Promise<void> {
    await this.#options.file.checkWritable()
    await this.#journal.checkWritable()
  }

  /**
   * @param opcodes with what was given; the queue fills in the rest
   * @returns the job's id, once it is on disk
   * @throws Failure `unsupported` where the file is not ours to write, `unavailable` where it cannot be,
   *   or the queue is full, `invalid` where it depends on a job before the first
   */
  async submit(opcodes: readonly JsonObject[]): Promise<number> {
    await this.#ready()
    const table = this.#table
    if (table.isFull) {
      throw new Failure(
        'unavailable',
        `The job queue is full: ${table.unfinished} jobs in it have not finished`,
      )
    }
    const job = table.create(opcodes, this.#options.file.current.version)
    // In this turn of the event loop, so that jobs stand in the journal in the order of their ids.
    const written = this.#journal.append({ job })
    table.reserve(job)
    await written.catch((error) => {
      table.release(job.id)
      this.#journal.refuse(error)
    })
    this.#take(job)
    this.#scheduler.schedule()
    return job.id
  }

  #take(job: Job): void {
    this.#table.reserve(job)
    this.#table.put(job)
    this.#scheduler.add(job)
  }

  /** Makes sure that a job can be taken at all. */
  async #ready(): Promise<void> {
    if (this.#closed.signal.aborted) {
      throw new Failure('unavailable', 'No job can be taken: the daemon is about to end')
    }
    await this.checkWritable()
    // Loaded by now, unless it was Ganeti's own form that we started with.
    await this.#load()
    await this.#journal.begin()
  }

  /** Makes a job's state last, then known. */
  async #record(job: Job): Promise<void> {
    await this.#journal.persist([job])
    this.#table.put(job)
    if (isFinal(statusOf(job))) this.#scheduler.schedule()
  }

  /** @returns whether it was done, and a sentence about it */
  async cancel(id: string): Promise<readonly [boolean, string]> {
    if (this.#unfinished(id)) await this.#ready()
    // It may have come further meanwhile.
    const job = this.#unfinished(id)
    if (!job) return [false, `Job ${id} not found in queue`]
    const status = statusOf(job)
    if (status === 'queued' && this.#scheduler.isQueued(job.id)) {
      await this.#scheduler.cancelQueued(job)
      return [true, `Dequeued job ${id}`]
    }
    if (status === 'waiting') {
      const index = job.ops.findIndex((op) => op.status === 'waiting')
      this.#table.put(withOp(job, index, { status: 'canceling' }))
      this.#scheduler.abort(job.id)
      return [true, `Job ${id} will be canceled`]
    }
    return [false, `Job ${id} is no longer waiting in the queue`]
  }

  #unfinished(id: string): Job | undefined {
    const job = this.job(id)
    return job && !isFinal(statusOf(job)) ? job : undefined
  }

  /**
   * Puts a rule of the job filter in the place of the one with its UUID, or adds it.
   * @throws Failure `invalid` for predicates that make no sense
   */
  async replaceFilter(uuid: string, given: NewFilterRule): Promise<void> {
    const rule = makeRule(uuid, given, this.#table.last)
    await this.#ready()
    await this.#commits.change(() => ({ filters: new Map([[uuid, rule]]) }))
  }

  /** @throws Failure `not-found` for an unknown UUID */
  async deleteFilter(uuid: string): Promise<void> {
    await this.#ready()
    await this.#commits.change(({ filters }) => {
      if (filters.every((rule) => rule.uuid !== uuid)) {
        throw new Failure('not-found', `Filter rule with UUID ${uuid} does not exist`)
      }
      return { filters: new Map([[uuid, null]]) }
    })
  }

  /** Looks again at which jobs may start, after the cluster's file has been read. */
  configChanged(): void {
    this.#scheduler.schedule()
  }

  /** Lets what is being written be written; what runs at this moment counts as interrupted at the next start. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.#scheduler.stop()
    await this.#commits.idle()
    // Those that gave up waiting have their turn.
    await new Promise(setImmediate)
    // The journal may have these as running, but they have not begun.
    const waiting = [...this.#table.all].filter(
      (job) => statusOf(job) === 'waiting' && this.#scheduler.isRunning(job.id),
    )
    if (waiting.length > 0 && this.#journal.isBegun) await this.#journal.persist(waiting.map(requeued))
    await this.#journal.close()
  }
}
