/**
 * A job: opcodes run one after the other, and how far each has come. Never
 * changed, only replaced by its next state.
 */
import type { Json, JsonObject } from '../json/json.ts'

export const STATUSES = ['queued', 'waiting', 'canceling', 'running', 'canceled', 'success', 'error'] as const
export type OpStatus = (typeof STATUSES)[number]
export type JobStatus = OpStatus

/** Seconds since the epoch, and microseconds. */
export type Timestamp = readonly [seconds: number, microseconds: number]

/** Serials count through the whole job, from 1. */
export type LogEntry = readonly [serial: number, time: Timestamp, kind: 'message', message: string]

export interface JobOp {
  /** The opcode with every parameter filled in, its reason trail ending in the job itself. */
  readonly input: JsonObject
  readonly status: OpStatus
  readonly result: Json
  readonly log: readonly LogEntry[]
  /** Lower ones go first. */
  readonly priority: number
  /** When it began to wait for its locks, when it had them, when it ended. */
  readonly start: Timestamp | null
  readonly exec: Timestamp | null
  readonly end: Timestamp | null
}

export interface Job {
  readonly id: number
  readonly ops: readonly JobOp[]
  readonly received: Timestamp
  readonly start: Timestamp | null
  readonly end: Timestamp | null
}

const FINAL: readonly OpStatus[] = ['canceled', 'success', 'error']

/** Whether nothing will become of it any more. */
export function isFinal(status: OpStatus): boolean {
  return FINAL.includes(status)
}

/** How far a job is, which is how far its opcodes are. */
export function statusOf({ ops }: Job): JobStatus {
  for (const { status } of ops) {
    // The first opcode that is not done decides.
    if (status !== 'success') return status === 'queued' && ops[0]?.status === 'success' ? 'waiting' : status
  }
  return 'success'
}

/** The job's own priority: that of the most urgent opcode still to come. */
export function priorityOf({ ops }: Job): number {
  const left = ops.filter(({ status }) => !isFinal(status)).map(({ priority }) => priority)
  return left.length === 0 ? 0 : Math.min(...left)
}

/** The name an opcode goes by in summaries and reasons: `TAGS_SET`. */
export function shortName(opcode: JsonObject): string {
  return String(opcode.OP_ID).replace(/^OP_/, '')
}

/**
 * The parameters that a summary tells what its opcode is about by (Ganeti's OP_DSC_FIELD): of several, the first. A
 * network is connected to a group.
 */
const SUMMARY_FIELDS: readonly string[] = [
  'instance_name',
  'node_name',
  'network_name',
  'group_name',
  'duration',
]

/** An opcode in a few words: `INSTANCE_SHUTDOWN(web.example.com)`. */
export function summaryOf({ input }: JobOp): string {
  const name = shortName(input)
  // As in Ganeti, these tell nothing although they could.
  if (name.endsWith('_RENAME')) return name
  const field = input.OP_ID === 'OP_TAGS_GET' ? 'name' : SUMMARY_FIELDS.find((one) => one in input)
  const value = field === undefined ? undefined : input[field]
  if (value === undefined || value === null) return name
  return `${name}(${field === 'duration' && Number.isInteger(value) ? `${value}.0` : value})`
}

/** Common parameters are shown first, in Ganeti's order; of the others those that have a value. */
const COMMON: readonly string[] = [
  'dry_run',
  'debug_level',
  'priority',
  'depends',
  'comment',
  'reason',
  'OP_ID',
]
/** These are shown without a value too. */
const ALWAYS: readonly string[] = ['depends', 'comment']

/** An opcode as clients see it in a job. */
export function shownOpcode(input: JsonObject): JsonObject {
  const keys = [...COMMON, ...Object.keys(input).filter((key) => !COMMON.includes(key))]
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = input[key] ?? null
      return value === null && !ALWAYS.includes(key) ? [] : [[key, value]]
    }),
  )
}

/** Now, to the microsecond. */
export function timestamp(): Timestamp {
  const microseconds = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000))
  return [Number(microseconds / 1_000_000n), Number(microseconds % 1_000_000n)]
}

/** A time stamp in nanoseconds, as reason trails have it. */
export function nanoseconds([seconds, microseconds]: Timestamp): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(microseconds) * 1000n
}
