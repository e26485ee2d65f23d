/** The fields of jobs. */
import { Failure } from '../../../../failure.ts'
import type { Json } from '../../../../json/json.ts'
import { oneOf, orNull, type Schema } from '../../../../model/check.ts'
import type { Config } from '../../../../model/config.ts'
import {
  type Job,
  type JobOp,
  priorityOf,
  STATUSES,
  shownOpcode,
  statusOf,
  summaryOf,
} from '../../../../model/job.ts'
import { withoutPrivateValues } from '../../../../model/private-values.ts'
import { asJson, type Field, field } from './field.ts'
import { anyValue, count, list, object, schemaOfKind, text, time, tuple } from './value-schemas.ts'

/** Of a job and of each opcode. */
const jobStatus = oneOf(...STATUSES).schema
/** Number, time, kind and text. */
const logEntry = tuple(count, time, text, anyValue)

export const jobFields: readonly Field<Job>[] = [
  field('id', 'ID', 'number', 'Number of the job', ({ id }) => id),
  field('status', 'Status', 'text', 'How far the job is', statusOf),
  field('priority', 'Priority', 'number', 'Jobs of a lower number go first (-20 to 19)', priorityOf),
  field('archived', 'Archived', 'bool', 'Whether the job has left the queue', () => false),
  ofOps('ops', 'OpCodes', object, 'The opcodes of the job', ({ input }) =>
    withoutPrivateValues(shownOpcode(input)),
  ),
  ofOps('opresult', 'OpCode_result', anyValue, 'What each opcode gave', ({ result }) =>
    withoutPrivateValues(result),
  ),
  ofOps('opstatus', 'OpCode_status', jobStatus, 'How far each opcode is', ({ status }) => status),
  ofOps('oplog', 'OpCode_log', list(logEntry), 'What each opcode has logged', ({ log }) => log),
  ofOps(
    'opstart',
    'OpCode_start',
    orNull(time),
    'When each opcode began to wait for its locks',
    ({ start }) => start,
  ),
  ofOps('opexec', 'OpCode_exec', orNull(time), 'When each opcode got its locks', ({ exec }) => exec),
  ofOps('opend', 'OpCode_end', orNull(time), 'When each opcode ended', ({ end }) => end),
  ofOps(
    'oppriority',
    'OpCode_prio',
    schemaOfKind('number'),
    'Priority of each opcode',
    ({ priority }) => priority,
  ),
  ofOps('summary', 'Summary', text, 'Each opcode in a few words', summaryOf),
  field('received_ts', 'Received', time, 'When the job came in: seconds, microseconds', (job) =>
    asJson(job.received),
  ),
  field(
    'start_ts',
    'Start',
    orNull(time),
    'When the job started: seconds, microseconds',
    ({ start }) => start,
  ),
  field('end_ts', 'End', orNull(time), 'When the job ended: seconds, microseconds', ({ end }) => end),
]

/** A list with a value for each opcode. */
function ofOps(
  name: string,
  title: string,
  each: Schema,
  doc: string,
  value: (op: JobOp) => Json,
): Field<Job> {
  return field(name, title, list(each), doc, ({ ops }) => ops.map(value))
}

/**
 * Gives what takes the named fields from a job.
 * @throws Failure `invalid` for an unknown field
 */
export function jobRow(names: readonly string[]): (job: Job, config: Config) => readonly Json[] {
  const fields = names.map((name) => {
    const found = jobFields.find((one) => one.name === name)
    if (!found) throw new Failure('invalid', `Unknown output fields selected: ${name}`)
    return found
  })
  return (job, config) => fields.map(({ cell }) => cell(job, config)[1])
}
