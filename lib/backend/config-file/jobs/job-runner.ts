/**
 * Runs a job, one opcode after the other: each waits for its locks, then runs,
 * which takes no time unless the cluster's file says that it does (`job_time`),
 * and at last is committed.
 */
import { randomUUID } from 'node:crypto'
import { sleep as sleepOnTheClock } from '../../../concurrency/sleep.ts'
import { messageLines } from '../../../failure.ts'
import type { JsonObject } from '../../../json/json.ts'
import type { Config } from '../../../model/config.ts'
import { type Job, type JobOp, timestamp } from '../../../model/job.ts'
import { delayOf } from '../operations/cluster/test-delay.ts'
import { type Context, OpError, type Operation, type Outcome } from '../operations/shared/operation.ts'
import type { GroupCommit } from './group-commit.ts'
import { canceled, failed, withLog, withOp } from './job-states.ts'
import type { JobTable } from './job-table.ts'
import type { Journal } from './journal.ts'
import type { LockTable } from './lock-table.ts'
import { locksOf } from './opcode-locks.ts'

export type Operations = { readonly [id: string]: Operation }

/** Lets time pass, in milliseconds, or less where the signal is aborted. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>

export interface JobRunnerOptions {
  readonly config: () => Config
  readonly operations: () => Operations
  readonly table: JobTable
  readonly locks: LockTable
  readonly journal: Journal
  readonly commits: GroupCommit
  /** Makes a job's state last, then known. */
  readonly record: (job: Job) => Promise<void>
  readonly log: { error(message: string): void }
  readonly sleep?: Sleep | undefined
  /** Aborted when the daemon is about to end: what runs is left as it is. */
  readonly closed: AbortSignal
}

export class JobRunner {
  readonly #options: JobRunnerOptions

  constructor(options: JobRunnerOptions) {
    this.#options = options
  }

  /**
   * Runs a job to its end.
   * @param signal has it canceled while it waits for locks
   */
  async run(id: number, signal: AbortSignal): Promise<void> {
    const { table } = this.#options
    const job = () => table.get(id) as Job
    table.put({ ...job(), start: timestamp() })
    for (const index of job().ops.keys()) {
      if (job().ops[index]?.status !== 'queued') continue
      await this.#runOp(job, index, signal)
      if (job().ops[index]?.status !== 'success') break
    }
  }

  async #runOp(job: () => Job, index: number, signal: AbortSignal): Promise<void> {
    const { table, locks, journal, config } = this.#options
    table.put(withOp(job(), index, { status: 'waiting', start: timestamp() }))
    const { input, priority } = job().ops[index] as JobOp
    const release = await locks.acquire(job().id, priority, locksOf(config(), input), signal)
    if (!release) return this.#cancel(job())
    try {
      const begun = (job().ops[index] as JobOp).input
      const running = withOp(job(), index, {
        status: 'running',
        exec: timestamp(),
        input: { ...begun, debug_level: begun.debug_level ?? 0 },
      })
      // Before a client can see it: what was running does not run again after a crash.
      if (timeOf(config(), begun) > 0) await journal.persist([running])
      if (signal.aborted) return await this.#cancel(job())
      table.put(running)
      if (await this.#takeTime(job, index)) await this.#commit(job, index)
    } finally {
      release()
    }
  }

  async #cancel(job: Job): Promise<void> {
    const { closed, record } = this.#options
    if (!closed.aborted) await record(canceled(job))
  }

  /**
   * Lets time pass as it would on a real cluster, and logs what would be logged.
   * @returns false where the daemon ends meanwhile
   */
  async #takeTime(job: () => Job, index: number): Promise<boolean> {
    const { config, sleep = sleepOnTheClock, closed, table } = this.#options
    const { input } = job().ops[index] as JobOp
    const seconds = timeOf(config(), input)
    if (seconds <= 0) return true
    let log: readonly string[] = []
    try {
      log = this.#outcome(config(), input).log ?? []
    } catch {
      // What will not work ends at once, and the commit logs why.
      return true
    }
    for (const message of [...log, undefined]) {
      await sleep((seconds * 1000) / (log.length + 1), closed)
      if (closed.aborted) return false
      if (message !== undefined) table.put(withLog(job(), index, [message]))
    }
    return true
  }

  #outcome(config: Config, input: JsonObject): Outcome {
    const operation = this.#options.operations()[String(input.OP_ID)]
    if (!operation) throw new OpError('OpExecError', [`${input.OP_ID} has no meaning on a cluster in a file`])
    // Whole seconds, as a person would write them.
    const context: Context = { now: Math.floor(Date.now() / 1000), newUuid: randomUUID, random: Math.random }
    return operation(config, input, context)
  }

  #commit(job: () => Job, index: number): Promise<void> {
    const { commits, log } = this.#options
    const { input } = job().ops[index] as JobOp
    return new Promise((resolve) => {
      commits.enqueue({
        op: [job().id, index],
        operate: (config) => this.#outcome(config, input),
        nextState: (result) => {
          // What was logged while time passed is not logged again.
          const before = job().ops[index]?.log.length ?? 0
          const logged = withLog(job(), index, result.log.slice(before))
          if (!result.ok) return failed(logged, result.error)
          return withOp(logged, index, { status: 'success', result: result.result, end: timestamp() })
        },
        done: (result) => {
          if (!result.ok && result.cause !== undefined) {
            for (const line of messageLines(result.cause, `Job ${job().id}: `)) log.error(line)
          }
          resolve()
        },
      })
    })
  }
}

/** For how long an opcode runs, in seconds. */
function timeOf({ jobTime }: Config, opcode: JsonObject): number {
  if (opcode.OP_ID === 'OP_TEST_DELAY') return delayOf(opcode)
  return jobTime[String(opcode.OP_ID)] ?? jobTime.default ?? 0
}
