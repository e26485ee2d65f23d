/**
 * Group commit: operations that are ready are applied one to the outcome of the
 * other, and share one write of the cluster's file.
 *
 * What a client has been told holds after a crash. Right before the file is
 * replaced, the journal says by what and which jobs end with it, so that a start
 * after a crash knows from the file which way it went.
 */
import { Failure, messageChain, messageLines, systemReason } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../json.ts'
import type { Change } from '../../../model/change.ts'
import type { Config } from '../../../model/config.ts'
import type { Job } from '../../../model/job.ts'
import { inSlices } from '../../../slices.ts'
import { OpError, type Outcome } from '../operations/shared/operation.ts'
import { type ClusterFile, FileChanged, type Prepared } from '../state/cluster-file.ts'
import { Irreplaceable } from '../state/file-attributes.ts'
import type { makeYamlText } from '../yaml/document/make-yaml-text.ts'
import type { YamlText } from '../yaml/document/yaml-text.ts'
import type { writeChange } from '../yaml/write/write-change.ts'
import type { JobStorage } from './job-storage.ts'
import type { Journal } from './journal.ts'
import type { RunningOp } from './read-journal.ts'

/** How often a file may change under a commit before its jobs fail. */
const MOST_RETRIES = 10

/** What it takes to put a change into the words of a file. */
export interface Writing {
  readonly writeChange: typeof writeChange
  readonly makeYamlText: typeof makeYamlText
}

/** Something to apply to the newest cluster, and to be told of what came of it. */
export interface Pending {
  /** The opcode that this carries out, if it is one. */
  readonly op?: RunningOp
  readonly operate: (config: Config) => Outcome
  /** Gives the job's next state, if it is one. */
  readonly nextState: (result: Result) => Job | undefined
  /** Called when that is on disk. */
  readonly done: (result: Result) => void
}

export type Result =
  | { readonly ok: true; readonly result: Json; readonly log: readonly string[] }
  | { readonly ok: false; readonly error: Json; readonly log: readonly string[]; readonly cause?: unknown }

export interface GroupCommitOptions {
  readonly file: ClusterFile
  readonly writing: () => Writing
  readonly storage: JobStorage
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
  /** How the last replacement of the file went, while the journal does not have it. */
  #untold: { readonly record: { readonly written: boolean }; readonly told: () => void } | undefined

  constructor(options: GroupCommitOptions) {
    this.#options = options
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
      const journal = await this.#options.storage.opened()
      await journal.noteRunning(group.flatMap(({ op }) => (op ? [op] : [])))
    } catch (error) {
      // A disk that takes nothing will not take the outcome either, and that is waited for.
      this.#options.log.warning(`Cannot note which jobs are running: ${messageChain(error)}`)
    }
  }

  *#apply(group: readonly Pending[]): Generator<void, Applied> {
    const { file, writing, newJob } = this.#options
    const { makeYamlText, writeChange } = writing()
    const base = { text: file.text(makeYamlText), config: file.current }
    let { text, config } = base
    const apply = (pending: Pending): Member => {
      try {
        const { change, result, log = [], submits = [] } = pending.operate(config)
        if (isChange(change)) {
          if (!text) throw new Failure('unsupported', 'This file is never written')
          const written = writeChange(text, config, change)
          text = written.text
          config = written.config
        }
        const jobs = submits.map((opcodes) => newJob(opcodes))
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
    const { file, storage, committed } = this.#options
    const journal = await storage.opened()
    const states = members.map(({ pending, result }) => pending.nextState(result))
    const jobs = [...states.filter((job) => job !== undefined), ...members.flatMap((member) => member.jobs)]
    if (change) {
      if (file.current !== change.base) throw new FileChanged('it was read anew meanwhile')
      await this.#replaceFile(journal, await file.prepare(change.text, change.config), jobs)
    } else if (jobs.length > 0) await storage.persist(jobs)
    committed(
      states.filter((job) => job !== undefined),
      members.flatMap((member) => member.jobs),
    )
    for (const { pending, result } of members) pending.done(result)
  }

  async #replaceFile(journal: Journal, prepared: Prepared, jobs: readonly Job[]): Promise<void> {
    const { before, after, temporary, commit } = prepared
    const tell = (written: boolean, told = () => {}) => {
      const untold = { record: { written }, told }
      this.#untold = untold
      // Should it come to a crash before this line lasts, the files themselves tell.
      journal.append(untold.record).then(
        () => {
          if (this.#untold === untold) this.#untold = undefined
          told()
        },
        () => {},
      )
    }
    try {
      const untold = this.#untold
      await journal.append(...(untold ? [untold.record] : []), { write: { before, after, temporary }, jobs })
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

/** Whether a change cannot be put into the file's words at all. */
function isNotSayable(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'internal'
}

/** What clients are told where the cluster's file could not be written; the log has all of it, with paths. */
export function notWritten(error: unknown): string {
  if (isNotSayable(error)) return error.message
  const theirs =
    error instanceof Failure ? 'it was changed by somebody else, and has mistakes' : 'Internal error'
  const told = error instanceof FileChanged || error instanceof Irreplaceable
  const reason = told ? error.message : (systemReason(error) ?? theirs)
  return `Cannot write the cluster's file: ${reason}`
}
