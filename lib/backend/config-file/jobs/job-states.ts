/** How a job comes about, and what becomes of it step by step: pure functions from one state to the next. */
import { Failure } from '../../../failure.ts'
import type { Json, JsonObject } from '../../../json/json.ts'
import {
  isFinal,
  type Job,
  type JobOp,
  nanoseconds,
  shortName,
  type Timestamp,
  timestamp,
} from '../../../model/job.ts'
import { completeOpcode } from '../../../model/opcodes/table.ts'
import type { Version } from '../../../model/version.ts'

/**
 * A new job.
 * @param opcodes with what was given; the rest is filled in
 * @throws Failure `invalid` where it depends on a job before the first
 */
export function newJob(id: number, opcodes: readonly JsonObject[], version: Version): Job {
  const received = timestamp()
  const ops = opcodes.map((opcode, index): JobOp => {
    const input = withReason(withDependencies(completeOpcode(opcode, version), id), id, index, received)
    const priority = Number(opcode.priority ?? 0)
    return { input, status: 'queued', result: null, log: [], priority, start: null, exec: null, end: null }
  })
  return { id, ops, received, start: null, end: null }
}

export function withOp(job: Job, index: number, changes: Partial<JobOp>): Job {
  const ops = job.ops.map((op, place) => (place === index ? { ...op, ...changes } : op))
  const last = ops.every(({ status }) => isFinal(status))
  return { ...job, ops, end: last ? (changes.end ?? job.end) : null }
}

export function withLog(job: Job, index: number, messages: readonly string[]): Job {
  if (messages.length === 0) return job
  const op = job.ops[index] as JobOp
  let serial = job.ops.reduce((count, { log }) => count + log.length, 0)
  const entries = messages.map((message) => [++serial, timestamp(), 'message', message] as const)
  return withOp(job, index, { log: [...op.log, ...entries] })
}

/** The opcode that is not done fails, and those behind it for its sake. */
export function failed(job: Job, error: Json): Job {
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

export function canceled(job: Job): Job {
  const end = timestamp()
  const ops = job.ops.map((op): JobOp => (isFinal(op.status) ? op : { ...op, status: 'canceled', end }))
  return { ...job, ops, end }
}

/** What has not ended is again as it was when it came. */
export function requeued(job: Job): Job {
  const ops = job.ops.map((op): JobOp => {
    if (isFinal(op.status)) return op
    return { ...op, status: 'queued', log: [], result: null, start: null, exec: null, end: null }
  })
  return { ...job, start: null, ops }
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
