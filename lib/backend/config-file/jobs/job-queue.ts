/**
 * The job queue over a cluster in a YAML file: takes opcodes, runs them in
 * their order, writes what comes of them.
 *
 * A job waits in the queue until the job filter, the jobs it depends on and
 * the number of running ones let it start; then for the locks of its opcode
 * (lock-table.ts); then it runs, which takes no time unless the cluster's file says
 * that it does (`job_time`); and at last it is committed: its operation is
 * applied to the newest cluster and written. Everything that is ready to be
 * committed shares one write of the file.
 *
 * What a client has been told holds after a crash (journal.ts). A job's id
 * is answered when the job is on disk; a job has succeeded when the cluster's
 * file is. Right before that file is replaced, the journal says by what and
 * which jobs end with it, so that a start after a crash knows from the file
 * which way it went.
 *
 * The queue is bounded. Finished jobs leave it when there are too many; those
 * that only read are counted apart, since strangers may submit them, and leave
 * without a trace. Of unfinished ones no more are taken than it can hold.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure, messageChain, messageLines, systemReason } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../json.ts'
import type { Change } from '../../../model/change.ts'
import type { Config } from '../../../model/config.ts'
import type { FilterRule, NewFilterRule } from '../../../model/filter-rule.ts'
import {
  isFinal,
  type Job,
  type JobOp,
  nanoseconds,
  priorityOf,
  shortName,
  statusOf,
  type Timestamp,
  timestamp,
} from '../../../model/job.ts'
import { completeOpcode } from '../../../model/opcodes/table.ts'
import type { LockState, QueueView } from '../../../model/queue-view.ts'
import { inSlices } from '../../../slices.ts'
import { delayOf } from '../operations/cluster/test-delay.ts'
import { type Context, OpError, type Operation, type Outcome } from '../operations/shared/operation.ts'
import { type ClusterFile, FileChanged, type Prepared } from '../state/cluster-file.ts'
import { Irreplaceable } from '../state/file-attributes.ts'
import type { makeYamlText } from '../yaml/document/make-yaml-text.ts'
import type { YamlText } from '../yaml/document/yaml-text.ts'
import type { writeChange } from '../yaml/write/write-change.ts'
import { canonicalPredicates, checkPredicates, JobFilter } from './job-filter.ts'
import { JobStore, lengthOf, type RunningOp, type StoredQueue } from './journal.ts'
import { Locks } from './lock-table.ts'
import { locksOf } from './opcode-locks.ts'
import { Quota } from './quota.ts'

const MIB = 2 ** 20

/** As many unfinished jobs as Ganeti allows (JOB_QUEUE_SIZE_HARD_LIMIT); more are not taken. */
const UNFINISHED = [5000, 32 * MIB] as const
/** Finished jobs beyond these leave the queue, the oldest first. */
const FINISHED = [5000, 32 * MIB] as const
/** The same for those that only read, which nobody asks for twice. */
const FINISHED_READINGS = [500, 4 * MIB] as const

/** Ganeti's words for a job that was running when its master daemon ended. */
const UNCLEAN = 'Unclean master daemon shutdown'

/** How long to wait for a disk that is full, in milliseconds. */
const RETRY_TIME = 500

/** How often a file may change under a commit before its jobs fail. */
const MOST_RETRIES = 10

export type Operations = { readonly [id: string]: Operation }

export interface JobQueueOptions {
  readonly file: ClusterFile
  /** Where jobs are kept; made where there is none. */
  readonly folder: string
  /** Loads what changing a cluster in YAML takes. */
  readonly load: () => Promise<Tools>
  readonly log: { warning(message: string): void; error(message: string): void }
  /** False gives up what is promised of crashes, for trials of speed. */
  readonly sync?: boolean
  /** Lets the time pass that a job takes, in milliseconds, or less where the signal is aborted; on the clock unless given. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** See change-yaml.ts. */
export interface Tools {
  /** What opcodes mean, by their ids. */
  readonly OPERATIONS: Operations
  readonly writeChange: typeof writeChange
  readonly makeYamlText: typeof makeYamlText
}

/** Something to apply to the newest cluster, and to be told of what came of it. */
interface Pending {
  /** The opcode that this carries out, if it is one. */
  readonly op?: RunningOp
  readonly operate: (config: Config) => Outcome
  /** Gives the job's next state, if it is one. */
  readonly settle: (result: Result) => Job | undefined
  /** Called when that is on disk. */
  readonly done: (result: Result) => void
}

type Result =
  | { readonly ok: true; readonly result: Json; readonly log: readonly string[] }
  | { readonly ok: false; readonly error: Json; readonly log: readonly string[]; readonly cause?: unknown }

interface Running {
  readonly abort: AbortController
  /** The rule that limits it. */
  readonly rule: string | undefined
}

export class JobQueue implements QueueView {
  readonly #options: JobQueueOptions
  readonly #jobs: Map<number, Job>
  #last: number
  #store: JobStore | undefined
  /** Ids of jobs that have not started, in the order in which they may. */
  #queued: number[] = []
  readonly #running = new Map<number, Running>()
  readonly #locks = new Locks()
  readonly #listeners = new Map<number, Set<() => void>>()
  #pending: Pending[] = []
  #committing: Promise<void> | undefined
  #filter: { readonly rules: readonly FilterRule[]; readonly compiled: JobFilter } | undefined
  readonly #unfinished = new Quota(...UNFINISHED)
  readonly #finished = new Quota(...FINISHED)
  readonly #finishedReadings = new Quota(...FINISHED_READINGS)
  #changes = 0
  /** How the last replacement of the file went, while the journal does not have it. */
  #untold: { readonly record: { readonly written: boolean }; readonly told: () => void } | undefined
  #closing = false
  readonly #closed = new AbortController()
  #tools: Tools | undefined

  private constructor(options: JobQueueOptions, stored: StoredQueue) {
    this.#options = options
    this.#jobs = stored.jobs
    this.#last = stored.last
  }

  /**
   * Takes up the queue where it was left.
   * @throws Failure `configuration` where what was left cannot be read
   */
  static async open(options: JobQueueOptions): Promise<JobQueue> {
    const { file, folder } = options
    const stored = await JobStore.read(folder)
    if (stored.open) {
      const { after, before, temporary, jobs } = stored.open
      const left = await file.hasTemporary(temporary)
      // Whoever changed the file since did so to what was there: our text, unless it still lay beside it.
      const written = file.hash === after || (file.hash !== before && !left)
      if (written) for (const job of jobs) stored.jobs.set(job.id, job)
    }
    const queue = new JobQueue(options, stored)
    // Now rather than for the first job: a module that cannot be loaded once, say for want of descriptors, never can.
    if (file.isYaml) await queue.#load()
    await queue.#resume(stored.running)
    // Only now, should the next crash come at once: until the journal has the outcome, this file tells it.
    const told = !stored.open?.jobs.length || queue.#store !== undefined
    if (told && stored.open) await file.removeTemporary(stored.open.temporary)
    if (told && file.isYaml) await file.removeLeftovers()
    return queue
  }

  /** Rises with every change of a job. */
  get changes(): number {
    return this.#changes
  }

  get jobs(): Iterable<Job> {
    return this.#jobs.values()
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(Number(id))
  }

  get locks(): readonly LockState[] {
    return this.#locks.states
  }

  // Taking jobs

  /**
   * Makes sure, as far as that can be told beforehand, that jobs can be taken and can change the cluster.
   * @throws Failure `unsupported` where the file is not ours to write, `unavailable` where it cannot be
   */
  async checkWritable(): Promise<void> {
    const { file, folder } = this.#options
    await file.checkWritable()
    if (!this.#store) await JobStore.checkWritable(folder).catch((cause) => this.#refuse(cause))
  }

  /** Clients learn why, and where only the log. */
  #refuse(cause: unknown): never {
    throw new Failure(
      'unavailable',
      `No job can be taken: cannot write the job queue: ${systemReason(cause) ?? 'Internal error'}`,
      { cause: new Error(`it is in ${this.#options.folder}`, { cause }) },
    )
  }

  /**
   * @param opcodes with what was given; the queue fills in the rest
   * @returns the job's id, once it is on disk
   * @throws Failure `unsupported` where the file is not ours to write, `unavailable` where it cannot be,
   *   or the queue is full, `invalid` where it depends on a job before the first
   */
  async submit(opcodes: readonly JsonObject[]): Promise<number> {
    const store = await this.#ready()
    if (this.#unfinished.isFull) {
      throw new Failure(
        'unavailable',
        `The job queue is full: ${this.#unfinished.jobs} jobs in it have not finished`,
      )
    }
    const job = this.#newJob(opcodes)
    const written = store.append({ job })
    // It has its place before anybody else asks for one.
    this.#unfinished.add(job.id, lengthOf(job))
    await written.catch((error) => {
      this.#unfinished.delete(job.id)
      this.#refuse(error)
    })
    this.#take(job)
    this.#schedule()
    return job.id
  }

  #newJob(opcodes: readonly JsonObject[]): Job {
    const id = this.#last + 1
    const { version } = this.#options.file.current
    const received = timestamp()
    const ops = opcodes.map((opcode, index): JobOp => {
      const input = withReason(withDependencies(completeOpcode(opcode, version), id), id, index, received)
      const priority = Number(opcode.priority ?? 0)
      return { input, status: 'queued', result: null, log: [], priority, start: null, exec: null, end: null }
    })
    this.#last = id
    return { id, ops, received, start: null, end: null }
  }

  #take(job: Job): void {
    this.#unfinished.add(job.id, lengthOf(job))
    this.#put(job)
    const priority = priorityOf(job)
    const later = (id: number | undefined) => {
      if (id === undefined) return false
      const other = priorityOf(this.#jobs.get(id) as Job)
      return other > priority || (other === priority && id > job.id)
    }
    let place = this.#queued.length
    while (later(this.#queued[place - 1])) place--
    this.#queued.splice(place, 0, job.id)
  }

  /** The store, if a job can be taken at all. */
  async #ready(): Promise<JobStore> {
    if (this.#closing) throw new Failure('unavailable', 'No job can be taken: the daemon is about to end')
    await this.checkWritable()
    return this.#opened()
  }

  async #opened(): Promise<JobStore> {
    this.#opening ??= this.#begin().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  #opening: Promise<JobStore> | undefined

  async #begin(): Promise<JobStore> {
    const { folder, sync = true } = this.#options
    // Loaded by now, unless it was Ganeti's own form that we started with.
    await this.#load()
    const state = () => ({ last: this.#last, jobs: this.#jobs.values() })
    try {
      this.#store = await JobStore.begin(folder, { state, sync })
      return this.#store
    } catch (error) {
      this.#refuse(error)
    }
  }

  async #load(): Promise<void> {
    this.#tools ??= await this.#options.load()
  }

  /** After a start: whoever was running has failed, the others wait again. */
  async #resume(running: readonly RunningOp[]): Promise<void> {
    const wasCarriedOut = ({ id, ops }: Job) =>
      running.some(([job, index]) => job === id && ops[index] && !isFinal(ops[index].status))
    const unfinished = [...this.#jobs.values()].filter((job) => !isFinal(statusOf(job)))
    if (this.#jobs.size === 0) return
    for (const job of unfinished) {
      const status = statusOf(job)
      if (status === 'running' || status === 'canceling' || wasCarriedOut(job)) {
        this.#jobs.set(job.id, failed(job, ['OpExecError', [UNCLEAN]]))
      } else {
        this.#take({ ...job, start: null, ops: job.ops.map((op) => (isFinal(op.status) ? op : fresh(op))) })
      }
    }
    await this.#opened().catch((error) => this.#options.log.warning(messageChain(error)))
    // What had left the queue is still in the journal, until that begins anew.
    for (const job of this.#jobs.values()) if (isFinal(statusOf(job))) this.#finish(job)
    this.#schedule()
  }

  // Starting them

  #schedule(): void {
    if (this.#closing) return
    const { current } = this.#options.file
    if (this.#filter?.rules !== current.filters) {
      this.#filter = { rules: current.filters, compiled: new JobFilter(current.filters) }
    }
    for (const id of [...this.#queued]) {
      if (this.#running.size >= current.cluster.max_running_jobs) return
      const job = this.#jobs.get(id) as Job
      const verdict = this.#filter.compiled.verdict(job, current)
      if (verdict.action === 'reject') {
        this.#cancelQueued(job)
        continue
      }
      if (verdict.action === 'pause') continue
      const rule = verdict.action === 'limit' ? verdict.rule : undefined
      if (verdict.action === 'limit' && this.#runningUnder(verdict.rule) >= verdict.limit) continue
      const awaited = this.#dependencies(job)
      if (awaited === 'wait') continue
      this.#queued.splice(this.#queued.indexOf(id), 1)
      if (awaited !== 'go') {
        const ended = awaited === 'cancel' ? canceled(job) : failed(job, ['OpExecError', [awaited.error]])
        void this.#record(ended)
        continue
      }
      const abort = new AbortController()
      this.#running.set(id, { abort, rule })
      this.#run(id, abort.signal).catch((error) =>
        this.#options.log.error(`Job ${id}: ${messageChain(error)}`),
      )
    }
  }

  #runningUnder(rule: string): number {
    return [...this.#running.values()].filter((one) => one.rule === rule).length
  }

  /** Whether the jobs that a job waits for have ended as it wants. */
  #dependencies(job: Job): 'go' | 'wait' | 'cancel' | { readonly error: string } {
    for (const { input } of job.ops) {
      for (const dependency of (input.depends ?? []) as readonly Json[]) {
        const [id, wanted] = dependency as unknown as readonly [number | string, readonly string[]]
        const other = this.#jobs.get(Number(id))
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

  // Running them

  async #run(id: number, signal: AbortSignal): Promise<void> {
    const job = () => this.#jobs.get(id) as Job
    this.#put({ ...job(), start: timestamp() })
    for (const index of job().ops.keys()) {
      if (job().ops[index]?.status !== 'queued') continue
      await this.#runOp(job, index, signal)
      if (job().ops[index]?.status !== 'success') break
    }
    this.#running.delete(id)
    this.#schedule()
  }

  async #runOp(job: () => Job, index: number, signal: AbortSignal): Promise<void> {
    const { file } = this.#options
    this.#put(withOp(job(), index, { status: 'waiting', start: timestamp() }))
    const { input, priority } = job().ops[index] as JobOp
    const release = await this.#locks.acquire(job().id, priority, locksOf(file.current, input), signal)
    if (!release) {
      if (!this.#closing) await this.#record(canceled(job()))
      return
    }
    try {
      const begun = (job().ops[index] as JobOp).input
      const running = withOp(job(), index, {
        status: 'running',
        exec: timestamp(),
        input: { ...begun, debug_level: begun.debug_level ?? 0 },
      })
      // Before anybody can see it: whoever was running does not run again after a crash.
      if (timeOf(file.current, begun) > 0) await this.#persist([running])
      if (signal.aborted) {
        if (!this.#closing) await this.#record(canceled(job()))
        return
      }
      this.#put(running)
      if (!(await this.#takeTime(job, index))) return
      await this.#commitOp(job, index)
    } finally {
      release()
    }
  }

  /**
   * Lets time pass as it would on a real cluster, telling what would be told.
   * @returns false where the daemon ends meanwhile
   */
  async #takeTime(job: () => Job, index: number): Promise<boolean> {
    const { file, sleep = sleepOnTheClock } = this.#options
    const { input } = job().ops[index] as JobOp
    const seconds = timeOf(file.current, input)
    if (seconds <= 0) return true
    let log: readonly string[] = []
    try {
      log = this.#outcome(file.current, input).log ?? []
    } catch {
      // What will not work ends at once, and the commit tells why.
      return true
    }
    for (const message of [...log, undefined]) {
      await sleep((seconds * 1000) / (log.length + 1), this.#closed.signal)
      if (this.#closing) return false
      if (message !== undefined) this.#put(withLog(job(), index, [message]))
    }
    return true
  }

  #outcome(config: Config, input: JsonObject): Outcome {
    const operation = (this.#tools as Tools).OPERATIONS[String(input.OP_ID)]
    if (!operation) throw new OpError('OpExecError', [`${input.OP_ID} has no meaning on a cluster in a file`])
    // Whole seconds, as a person would write them.
    const context: Context = { now: Math.floor(Date.now() / 1000), newUuid: randomUUID, random: Math.random }
    return operation(config, input, context)
  }

  #commitOp(job: () => Job, index: number): Promise<void> {
    const { input } = job().ops[index] as JobOp
    return new Promise((resolve) => {
      this.#enqueue({
        op: [job().id, index],
        operate: (config) => this.#outcome(config, input),
        settle: (result) => {
          // What was told while time passed is not told again.
          const told = job().ops[index]?.log.length ?? 0
          const logged = withLog(job(), index, result.log.slice(told))
          if (!result.ok) return failed(logged, result.error)
          return withOp(logged, index, { status: 'success', result: result.result, end: timestamp() })
        },
        done: (result) => {
          if (!result.ok && result.cause !== undefined) {
            for (const line of messageLines(result.cause, `Job ${job().id}: `)) this.#options.log.error(line)
          }
          resolve()
        },
      })
    })
  }

  // Committing

  #enqueue(pending: Pending): void {
    this.#pending.push(pending)
    this.#commitPending()
  }

  #commitPending(): void {
    if (this.#committing || this.#pending.length === 0) return
    this.#committing = this.#commitAll()
      .catch((error) => this.#options.log.error(`Cannot commit jobs: ${messageChain(error)}`))
      .finally(() => {
        this.#committing = undefined
        // Whoever came at the last moment.
        this.#commitPending()
      })
  }

  async #commitAll(): Promise<void> {
    // Whoever is ready at this moment takes part.
    await new Promise(setImmediate)
    while (this.#pending.length > 0) {
      const group = this.#pending
      this.#pending = []
      await this.#commit(group)
    }
  }

  /** Applies and writes what several want, as far as each of them can be. */
  async #commit(group: readonly Pending[]): Promise<void> {
    const { file } = this.#options
    for (let retries = 0; ; retries++) {
      await this.#noteRunning(group)
      // A millisecond or two for each, which is too long for others to wait for all of them.
      const applied = await inSlices(this.#apply(group))
      try {
        await applied.change?.text.ready()
        await this.#write(applied)
        return
      } catch (error) {
        // One that cannot be written shall not take the others with it.
        if (isNotSayable(error) && group.length > 1) {
          for (const pending of group) await this.#commit([pending])
          return
        }
        if (!(error instanceof FileChanged) || retries >= MOST_RETRIES) {
          await this.#giveUp(applied, error)
          return
        }
      }
      try {
        await file.load()
      } catch (error) {
        await this.#giveUp(applied, error)
        return
      }
    }
  }

  /** An opcode that brings the daemon down shall not do so again after each start. */
  async #noteRunning(group: readonly Pending[]): Promise<void> {
    try {
      const store = await this.#opened()
      await store.carryOut(group.flatMap(({ op }) => (op ? [op] : [])))
    } catch (error) {
      // A disk that takes nothing will not take the outcome either, and that is waited for.
      this.#options.log.warning(`Cannot note which jobs are running: ${messageChain(error)}`)
    }
  }

  *#apply(group: readonly Pending[]): Generator<void, Applied> {
    const { file } = this.#options
    const tools = this.#tools as Tools
    const base = { text: file.text(tools.makeYamlText), config: file.current }
    let { text, config } = base
    const apply = (pending: Pending): Member => {
      try {
        const { change, result, log = [], submits = [] } = pending.operate(config)
        if (isChange(change)) {
          if (!text) throw new Failure('unsupported', 'This file is never written')
          const written = tools.writeChange(text, config, change)
          text = written.text
          config = written.config
        }
        const jobs = submits.map((opcodes) => this.#newJob(opcodes))
        return {
          pending,
          jobs,
          writes: isChange(change),
          result: { ok: true, result: withJobs(result, jobs), log },
        }
      } catch (error) {
        return { pending, jobs: [], writes: false, result: refusal(error) }
      }
    }
    const members: Member[] = []
    for (const pending of group) {
      members.push(apply(pending))
      yield
    }
    return { members, change: text && text !== base.text ? { base: base.config, text, config } : undefined }
  }

  async #write({ members, change }: Applied): Promise<void> {
    const store = await this.#opened()
    const settled = members.map(({ pending, result }) => pending.settle(result))
    const jobs = [...settled.filter((job) => job !== undefined), ...members.flatMap((member) => member.jobs)]
    if (change) {
      const { file } = this.#options
      if (file.current !== change.base) throw new FileChanged('it was read anew meanwhile')
      await this.#replaceFile(store, await file.prepare(change.text, change.config), jobs)
    } else if (jobs.length > 0) await this.#persist(jobs)
    for (const job of settled) if (job) this.#put(job)
    for (const job of members.flatMap((member) => member.jobs)) this.#take(job)
    for (const { pending, result } of members) pending.done(result)
    this.#schedule()
  }

  async #replaceFile(store: JobStore, prepared: Prepared, jobs: readonly Job[]): Promise<void> {
    const { before, after, temporary, commit } = prepared
    const tell = (written: boolean, told = () => {}) => {
      const untold = { record: { written }, told }
      this.#untold = untold
      // Should it come to a crash before this line lasts, the files themselves tell.
      store.append(untold.record).then(
        () => {
          if (this.#untold === untold) this.#untold = undefined
          told()
        },
        () => {},
      )
    }
    try {
      const untold = this.#untold
      await store.append(...(untold ? [untold.record] : []), { write: { before, after, temporary }, jobs })
      untold?.told()
    } catch (error) {
      await prepared.discard()
      throw error
    }
    try {
      await commit()
    } catch (error) {
      // Without the new file beside it, one that somebody else has changed since would count as ours, changed.
      tell(false, () => void prepared.discard())
      throw error
    }
    tell(true)
  }

  /** Ends those in error whose change could not be written; what the others were told stands. */
  async #giveUp({ members }: Applied, error: unknown): Promise<void> {
    const { file, log } = this.#options
    for (const line of messageLines(error, `Cannot write ${file.path}: `)) log.error(line)
    const text = notWritten(error)
    const ended = members.map(({ pending, writes, result, jobs }): Member => {
      if (!writes) return { pending, writes, result, jobs }
      return {
        pending,
        writes,
        jobs: [],
        result: { ok: false, error: ['OpExecError', [text]], log: [], cause: error },
      }
    })
    await this.#write({ members: ended, change: undefined })
  }

  // Canceling, waiting, filters

  /** @returns whether it was done, and a sentence about it */
  async cancel(id: string): Promise<readonly [boolean, string]> {
    const job = this.job(id)
    const status = job && statusOf(job)
    if (!job || !status || isFinal(status)) return [false, `Job ${id} not found in queue`]
    await this.#ready()
    if (status === 'queued' && this.#queued.includes(job.id)) {
      await this.#cancelQueued(job)
      return [true, `Dequeued job ${id}`]
    }
    if (status === 'waiting') {
      const index = job.ops.findIndex((op) => op.status === 'waiting')
      this.#put(withOp(job, index, { status: 'canceling' }))
      this.#running.get(job.id)?.abort.abort()
      return [true, `Job ${id} will be canceled`]
    }
    return [false, `Job ${id} is no longer waiting in the queue`]
  }

  #cancelQueued(job: Job): Promise<void> {
    this.#queued.splice(this.#queued.indexOf(job.id), 1)
    return this.#record(canceled(job))
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

  /**
   * Puts a rule of the job filter in the place of the one with its UUID, or adds it.
   * @throws Failure `invalid` for predicates that make no sense
   */
  async replaceFilter(uuid: string, { priority, predicates, action, reason }: NewFilterRule): Promise<void> {
    checkPredicates(predicates)
    const now: Json = ['luxid', '', nanoseconds(timestamp())]
    const fresh: FilterRule = {
      uuid,
      watermark: this.#last,
      priority: Number(priority),
      predicates: canonicalPredicates(predicates),
      action,
      reason_trail: [...(reason as readonly Json[]).map(withWholeTime), now],
    }
    await this.#ready()
    await this.#change(() => ({ filters: new Map([[uuid, fresh]]) }))
  }

  /** @throws Failure `not-found` for an unknown UUID */
  async deleteFilter(uuid: string): Promise<void> {
    await this.#ready()
    await this.#change(({ filters }) => {
      if (filters.every((rule) => rule.uuid !== uuid)) {
        throw new Failure('not-found', `Filter rule with UUID ${uuid} does not exist`)
      }
      return { filters: new Map([[uuid, null]]) }
    })
  }

  /** A change that is no job. */
  #change(changeOf: (config: Config) => Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({
        operate: (config) => ({ change: changeOf(config), result: null }),
        settle: () => undefined,
        done: (result) => {
          if (result.ok) resolve()
          else if (result.cause instanceof Failure && result.cause.code !== 'configuration')
            reject(result.cause)
          else reject(new Failure('unavailable', notWritten(result.cause), { cause: result.cause }))
        },
      })
    })
  }

  // Keeping them

  /** Makes a job's state last, then known. */
  async #record(job: Job): Promise<void> {
    await this.#persist([job])
    this.#put(job)
    if (isFinal(statusOf(job))) this.#schedule()
  }

  /**
   * Writes jobs into the journal, however long it takes: a disk that is full
   * now may not be for ever, and until then nobody is told what might not last.
   */
  async #persist(jobs: readonly Job[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const store = await this.#opened()
        await store.append(...jobs.map((job) => ({ job })))
        return
      } catch (error) {
        if (this.#closing) throw error
        if (attempt === 0) this.#options.log.error(`Cannot write the job queue: ${messageChain(error)}`)
        await sleepOnTheClock(RETRY_TIME, this.#closed.signal)
      }
    }
  }

  #put(job: Job): void {
    const before = this.#jobs.get(job.id)
    this.#jobs.set(job.id, job)
    this.#changes++
    if (isFinal(statusOf(job)) && !(before && isFinal(statusOf(before)))) {
      this.#unfinished.delete(job.id)
      this.#finish(job)
    }
    for (const listener of this.#listeners.get(job.id) ?? []) listener()
  }

  /** Counts a job among those that have finished, of which the oldest may have to leave. */
  #finish(job: Job): void {
    const quota = onlyReads(job) ? this.#finishedReadings : this.#finished
    quota.add(job.id, lengthOf(job))
    for (let id = quota.surplus; id !== undefined; id = quota.surplus) {
      if (quota === this.#finished) this.#store?.archive(this.#jobs.get(id) as Job)
      quota.delete(id)
      this.#jobs.delete(id)
    }
  }

  /** Looks again at who may start, after the cluster's file has been read. */
  configChanged(): void {
    this.#changes++
    this.#schedule()
  }

  /** Lets what is being written be written; whoever takes time runs again after the next start. */
  async close(): Promise<void> {
    this.#closing = true
    this.#closed.abort()
    for (const { abort } of this.#running.values()) abort.abort()
    while (this.#committing) await this.#committing
    await new Promise(setImmediate)
    const store = this.#store
    if (!store) return
    for (const id of this.#running.keys()) {
      const job = this.#jobs.get(id) as Job
      if (isFinal(statusOf(job))) continue
      const ops = job.ops.map((op) => (isFinal(op.status) ? op : fresh(op)))
      await store.append({ job: { ...job, start: null, ops } })
    }
    await store.close()
  }
}

interface Member {
  readonly pending: Pending
  readonly result: Result
  /** Whether it changes the file. */
  readonly writes: boolean
  /** Jobs that it submits. */
  readonly jobs: readonly Job[]
}

/** What comes of several operations, one applied to the outcome of the other. */
interface Applied {
  readonly members: readonly Member[]
  /** What the file becomes, and what they were applied to; undefined where it stays as it is. */
  readonly change: { readonly base: Config; readonly text: YamlText; readonly config: Config } | undefined
}

function isChange(change: Change): boolean {
  return Object.values(change).some((part) => part !== undefined && (!(part instanceof Map) || part.size > 0))
}

/** As Ganeti puts ids of submitted jobs into a result: whether each was taken, and its id. */
function withJobs(result: Json, jobs: readonly Job[]): Json {
  if (jobs.length === 0) return result
  return { ...(isJsonObject(result) ? result : {}), jobs: jobs.map(({ id }) => [true, id]) }
}

/** Why something did not work, as a job tells it. */
function refusal(error: unknown): Result {
  if (error instanceof OpError) return { ok: false, error: [error.kind, error.args], log: error.log }
  const text = error instanceof Failure ? error.message : 'Internal error'
  return { ok: false, error: ['OpExecError', [text]], log: [], cause: error }
}

/** What tells something, and changes nothing. */
const READINGS: ReadonlySet<string> = new Set([
  'OP_CLUSTER_QUERY',
  'OP_INSTANCE_CONSOLE',
  'OP_INSTANCE_QUERY_DATA',
  'OP_NODE_QUERY_STORAGE',
  'OP_OS_DIAGNOSE',
  'OP_TAGS_GET',
])

function onlyReads({ ops }: Job): boolean {
  return ops.every(({ input }) => READINGS.has(String(input.OP_ID)))
}

/** Whether a change cannot be put into the file's words at all. */
function isNotSayable(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'internal'
}

/** What clients are told where the cluster's file could not be written; the log has all of it, with paths. */
function notWritten(error: unknown): string {
  if (isNotSayable(error)) return error.message
  const theirs =
    error instanceof Failure ? 'it was changed by somebody else, and has mistakes' : 'Internal error'
  const told = error instanceof FileChanged || error instanceof Irreplaceable
  const reason = told ? error.message : (systemReason(error) ?? theirs)
  return `Cannot write the cluster's file: ${reason}`
}

function sleepOnTheClock(milliseconds: number, signal: AbortSignal): Promise<void> {
  return delay(milliseconds, undefined, { signal }).catch(() => {})
}

/** For how long an opcode runs, in seconds. */
function timeOf({ jobTime }: Config, opcode: JsonObject): number {
  if (opcode.OP_ID === 'OP_TEST_DELAY') return delayOf(opcode)
  return jobTime[String(opcode.OP_ID)] ?? jobTime.default ?? 0
}

// States of a job

function withOp(job: Job, index: number, changes: Partial<JobOp>): Job {
  const ops = job.ops.map((op, place) => (place === index ? { ...op, ...changes } : op))
  const last = ops.every(({ status }) => isFinal(status))
  return { ...job, ops, end: last ? (changes.end ?? job.end) : null }
}

function withLog(job: Job, index: number, messages: readonly string[]): Job {
  if (messages.length === 0) return job
  const op = job.ops[index] as JobOp
  let serial = job.ops.reduce((count, { log }) => count + log.length, 0)
  const entries = messages.map((message) => [++serial, timestamp(), 'message', message] as const)
  return withOp(job, index, { log: [...op.log, ...entries] })
}

/** The opcode that is not done fails, and those behind it for its sake. */
function failed(job: Job, error: Json): Job {
  const end = timestamp()
  const first = job.ops.findIndex(({ status }) => !isFinal(status))
  const ops = job.ops.map((op, index): JobOp => {
    if (isFinal(op.status)) return op
    const result = index === first ? error : ['OpExecError', [PRECEDING]]
    return { ...op, status: 'error', result, end }
  })
  return { ...job, ops, end }
}

const PRECEDING = 'Preceding opcode failed'

function canceled(job: Job): Job {
  const end = timestamp()
  const ops = job.ops.map((op): JobOp => (isFinal(op.status) ? op : { ...op, status: 'canceled', end }))
  return { ...job, ops, end }
}

/** An entry of a reason trail, whose time may be said to have a fraction. */
function withWholeTime(entry: Json): Json {
  const [source = null, reason = null, time = null] = entry as readonly Json[]
  return [source, reason, typeof time === 'number' ? Math.round(time) : time]
}

/** As it was when it came. */
function fresh(op: JobOp): JobOp {
  return { ...op, status: 'queued', log: [], result: null, start: null, exec: null, end: null }
}

/**
 * An opcode with the ids of the jobs that it depends on as numbers; negative ones count back from its own.
 * @throws Failure `invalid` where that leads to a job before the first
 */
function withDependencies(opcode: JsonObject, id: number): JsonObject {
  const { depends } = opcode
  if (!Array.isArray(depends)) return opcode
  const absolute = depends.map((dependency: Json) => {
    const [other, wanted] = dependency as readonly [Json, Json]
    const named = Number(other)
    const meant = named < 0 ? id + named : named
    if (meant < 0) throw new Failure('invalid', `Invalid value for job ID '${meant}'`)
    return [meant, wanted]
  })
  return { ...opcode, depends: absolute }
}

/** An opcode as a job has it: with the job as the latest of its reasons. */
function withReason(opcode: JsonObject, id: number, index: number, received: Timestamp): JsonObject {
  const reason = Array.isArray(opcode.reason) ? (opcode.reason as readonly Json[]) : []
  const own: Json = [
    `gnt:opcode:${shortName(opcode).toLowerCase()}`,
    `job=${id};index=${index}`,
    nanoseconds(received),
  ]
  return { ...opcode, reason: [...reason, own] }
}
