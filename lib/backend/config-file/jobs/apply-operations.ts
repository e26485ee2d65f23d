/**
 * Applies operations one to the outcome of the other, and puts what they change
 * into the words of the cluster's file. Nothing is written yet.
 */
import { Failure } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../json/json.ts'
import type { Change } from '../../../model/change.ts'
import type { Config } from '../../../model/config.ts'
import type { Job } from '../../../model/job.ts'
import { OpError, type Outcome } from '../operations/shared/operation.ts'
import type { ClusterFile } from '../state/cluster-file.ts'
import type { makeYamlText } from '../yaml/document/make-yaml-text.ts'
import type { YamlText } from '../yaml/document/yaml-text.ts'
import type { writeChange } from '../yaml/write/write-change.ts'
import type { RunningOp } from './read-journal.ts'

/** What it takes to put a change into the words of a file. */
export interface Writing {
  readonly writeChange: typeof writeChange
  readonly makeYamlText: typeof makeYamlText
}

/** Something to apply to the newest cluster. */
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

export interface Member {
  readonly pending: Pending
  readonly result: Result
  /** Whether it changes the file. */
  readonly writes: boolean
  /** Jobs that it submits. */
  readonly jobs: readonly Job[]
}

/** What comes of several operations, one applied to the outcome of the other. */
export interface Applied {
  readonly members: readonly Member[]
  /** What the file becomes, and what they were applied to; undefined where it stays as it is. */
  readonly change: { readonly base: Config; readonly text: YamlText; readonly config: Config } | undefined
}

/**
 * Applies operations to the newest cluster, in their order; pauses after each.
 * @param newJob makes a job of opcodes that an operation submits
 */
export function* applyOperations(
  group: readonly Pending[],
  file: ClusterFile,
  { makeYamlText, writeChange }: Writing,
  newJob: (opcodes: readonly JsonObject[]) => Job,
): Generator<void, Applied> {
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

function isChange(change: Change): boolean {
  return Object.values(change).some((part) => part !== undefined && (!(part instanceof Map) || part.size > 0))
}

/** As Ganeti puts ids of submitted jobs into a result: whether each was taken, and its id. */
function withJobs(result: Json, jobs: readonly Job[]): Json {
  if (jobs.length === 0) return result
  return { ...(isJsonObject(result) ? result : {}), jobs: jobs.map(({ id }) => [true, id]) }
}

/** Why something did not work, as in a job's result. */
function refusal(error: unknown): Result {
  if (error instanceof OpError) return { ok: false, error: [error.kind, error.args], log: error.log }
  const text = error instanceof Failure ? error.message : 'Internal error'
  return { ok: false, error: ['OpExecError', [text]], log: [], cause: error }
}
