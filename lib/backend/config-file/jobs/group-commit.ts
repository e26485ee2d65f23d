/**
 * Group commit: operations that are ready are applied one to the outcome of the
 * other, and share one write of the cluster's file. What a client has been told
 * holds after a crash (file-replacement.ts).
 */
import { inSlices } from '../../../concurrency/time-slicing.ts'
import { Failure, messageChain, messageLines, systemReason } from '../../../failure.ts'
import type { JsonObject } from '../../../json/json.ts'
import type { Change } from '../../../model/change.ts'
import type { Config } from '../../../model/config.ts'
import type { Job } from '../../../model/job.ts'
import { type ClusterFile, FileChanged } from '../state/cluster-file.ts'
import { Irreplaceable } from '../state/file-attributes.ts'
import { type Applied, applyOperations, type Pending, type Result, type Writing } from './apply-operations.ts'
import { FileReplacement } from './file-replacement.ts'
import type { Journal } from './journal.ts'

/** How often a file may change under a commit before its jobs fail. */
const MOST_RETRIES = 10

export interface GroupCommitOptions {
  readonly file: ClusterFile
  readonly writing: () => Writing
  readonly journal: Journal
  readonly log: { warning(message: string): void; error(message: string): void }
  /** Makes a job of opcodes that an operation submits. */
  readonly newJob: (opcodes: readonly JsonObject[]) => Job
  /** Called when the next states of jobs, and new jobs, are on disk. */
  readonly committed: (states: readonly Job[], submitted: readonly Job[]) => void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #pending: Pending[] = []
  #committing: Promise<void> | undefined
  readonly #replacement: FileReplacement

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#replacement = new FileReplacement(options.journal)
  }

  /** Waits until nothing is being committed. */
  async idle(): Promise<void> {
    while (this.#committing) await this.#committing
  }

  /** Has something applied with the next group. */
  enqueue(pending: Pending): void {
    this.#pending.push(pending)
    this.#commitPending()
  }

  #commitPending(): void {
    if (this.#committing || this.#pending.length === 0) return
    this.#committing = this.#commitAll()
      .catch((error) => this.#options.log.error(`Cannot commit jobs: ${messageChain(error)}`))
      .finally(() => {
        this.#committing = undefined
        // What was added at the last moment.
        this.#commitPending()
      })
  }

  async #commitAll(): Promise<void> {
    // What becomes ready in this turn of the event loop takes part.
    await new Promise(setImmediate)
    while (this.#pending.length > 0) {
      const group = this.#pending
      this.#pending = []
      await this.#commit(group)
    }
  }

  /** Applies and writes a group, as far as each of it can be. */
  async #commit(group: readonly Pending[]): Promise<void> {
    const { file, writing, newJob } = this.#options
    for (let retries = 0; ; retries++) {
      await this.#noteRunning(group)
      // A millisecond or two for each, which is too long for others to wait for all of them.
      const applied = await inSlices(applyOperations(group, file, writing(), newJob))
      try {
        await applied.change?.text.ready()
        await this.#write(applied)
        return
      } catch (error) {
        // One that cannot be written shall not take the others with it.
        if (isInexpressible(error) && group.length > 1) {
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
      await this.#options.journal.noteRunning(group.flatMap(({ op }) => (op ? [op] : [])))
    } catch (error) {
      // A disk that takes nothing will not take the outcome either, and that is waited for.
      this.#options.log.warning(`Cannot note which jobs are running: ${messageChain(error)}`)
    }
  }

  async #write({ members, change }: Applied): Promise<void> {
    const { file, journal, committed } = this.#options
    await journal.begin()
    const states = members.flatMap(({ pending, result }) => pending.nextState(result) ?? [])
    const submitted = members.flatMap((member) => member.jobs)
    const jobs = [...states, ...submitted]
    if (change) {
      if (file.current !== change.base) throw new FileChanged('it was read anew meanwhile')
      await this.#replacement.replace(await file.prepare(change.text, change.config), jobs)
    } else if (jobs.length > 0) await journal.persist(jobs)
    committed(states, submitted)
    for (const { pending, result } of members) pending.done(result)
  }

  /**
   * Commits a change that is no job.
   * @throws Failure of `changeOf`, or `unavailable` where the file cannot be written
   */
  change(changeOf: (config: Config) => Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({
        operate: (config) => ({ change: changeOf(config), result: null }),
        nextState: () => undefined,
        done: (result) => {
          if (result.ok) resolve()
          else if (result.cause instanceof Failure && result.cause.code !== 'configuration')
            reject(result.cause)
          else reject(new Failure('unavailable', notWritten(result.cause), { cause: result.cause }))
        },
      })
    })
  }

  /** Ends those in error whose change could not be written; the results of the others stand. */
  async #giveUp({ members }: Applied, error: unknown): Promise<void> {
    const { file, log } = this.#options
    for (const line of messageLines(error, `Cannot write ${file.path}: `)) log.error(line)
    const result: Result = { ok: false, error: ['OpExecError', [notWritten(error)]], log: [], cause: error }
    const ended = members.map((member) => (member.writes ? { ...member, jobs: [], result } : member))
    await this.#write({ members: ended, change: undefined })
  }
}

/** Whether the file's format has no words for a change. */
function isInexpressible(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'internal'
}

/** What clients are told where the cluster's file could not be written; the log has all of it, with paths. */
function notWritten(error: unknown): string {
  if (isInexpressible(error)) return error.message
  const theirs =
    error instanceof Failure ? 'it was changed by somebody else, and has mistakes' : 'Internal error'
  const isForClients = error instanceof FileChanged || error instanceof Irreplaceable
  const reason = isForClients ? error.message : (systemReason(error) ?? theirs)
  return `Cannot write the cluster's file: ${reason}`
}
