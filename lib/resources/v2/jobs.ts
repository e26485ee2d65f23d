import { toChange, toRead } from '../../auth/permissions.ts'
import type { Backend } from '../../backend/backend.ts'
import { Failure } from '../../failure.ts'
import type { Json } from '../../json/json.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import {
  boolean,
  integer,
  list as listCheck,
  listOf,
  maybe,
  number,
  orNull,
  string,
  tupleOf,
} from '../../model/check.ts'
import { fieldSchema, listSchema, objectOf, rowSchema, uriListSchema } from '../answer-schemas.ts'
import { bodyObject } from '../expect-type.ts'
import { type Body, BodyLimit, flagSchema, live, resource } from '../resource.ts'
import { onlyRow, rowObject } from '../rows.ts'
import { isDryRun } from '../submit.ts'
import { bulk, isBulk } from './parameters.ts'

const BULK_FIELDS = ['id', 'ops', 'status', 'summary', 'opstatus', 'received_ts', 'start_ts', 'end_ts']
const FIELDS = [...BULK_FIELDS, 'oplog', 'opresult']

/** How long a request may wait for a change of a job, in seconds. */
const WAIT_TIMEOUT = 10

/** The log and the results are too long for lists. */
const jobSchema = rowSchema('Job', 'job', BULK_FIELDS, {
  optional: { oplog: fieldSchema('job', 'oplog'), opresult: fieldSchema('job', 'opresult') },
})

const list = resource('/2/jobs', 'The jobs in the queue.', {
  GET: {
    ...live(
      toRead('jobs.list'),
      'Lists jobs; with bulk, what they do and how far they are.',
      async ({ backend, query, signal }) => {
        if (query.flag('bulk')) {
          return lazyMap(await backend.queryJobs([], BULK_FIELDS, signal), (row) =>
            rowObject(BULK_FIELDS, row),
          )
        }
        const rows = await backend.queryJobs([], ['id'], signal)
        return rows.map(([id]) => ({ id: id ?? null, uri: `/2/jobs/${id}` }))
      },
      {
        operationId: 'GetJobs',
        parameters: [bulk],
        answer: listSchema(uriListSchema('id', 'JobUri', integer.schema), jobSchema),
        example: { query: 'bulk=1' },
      },
    ),
    large: isBulk,
    ofJobFiles: true,
  },
})

const one = resource('/2/jobs/{job_id}', 'One job.', {
  GET: {
    ...live(
      toRead('jobs.query'),
      'Gives all details of a job.',
      async ({ backend, params, signal }) =>
        rowObject(FIELDS, onlyRow(await backend.queryJobs([params.job_id], FIELDS, signal))),
      { operationId: 'GetJobStatus', answer: jobSchema, example: {} },
    ),
    ofJobFiles: true,
  },
  DELETE: live(
    toChange('jobs.cancel'),
    'Cancels a job that has not begun; answers with whether that was done, and a sentence about it.',
    ({ backend, params, query }) =>
      isDryRun(query) ? tryToCancel(backend, params.job_id) : backend.cancelJob(params.job_id),
    {
      operationId: 'CancelJob',
      answer: tupleOf(boolean, string).schema,
      parameters: [
        { name: 'dry-run', doc: 'If not 0, it only tells whether that would be done.', schema: flagSchema },
      ],
      example: {},
    },
  ),
})

/** The result that canceling a job would have, according to its state. */
async function tryToCancel(backend: Backend, id: string): Promise<readonly [boolean, string]> {
  const rows = await backend.queryJobs([id], ['status']).catch((error) => {
    if (error instanceof Failure && error.code === 'not-found') return []
    throw error
  })
  switch (rows[0]?.[0]) {
    case undefined:
      return [false, `Job ${id} not found in queue`]
    case 'queued':
    case 'waiting':
      return [true, `Job ${id} would be canceled`]
    default:
      return [false, `Job ${id} is no longer waiting in the queue`]
  }
}

const changeSchema = orNull({
  anyOf: [
    objectOf('JobChange', {
      job_info: { ...listCheck.schema, description: 'Values of the fields that were asked for.' },
      log_entries: { ...maybe(listCheck).schema, description: 'New entries of the log.' },
    }),
  ],
})

/** What a client that waits knows of the job so far. */
const known = {
  fields: listOf(string),
  previous_job_info: maybe(listCheck),
  previous_log_serial: maybe(number),
}

const waitBody: Body = {
  schema: {
    type: 'object',
    properties: {
      fields: { ...known.fields.schema, description: 'Names of the fields of the job to watch.' },
      previous_job_info: {
        ...known.previous_job_info.schema,
        description: 'The `job_info` of the change before; null at first.',
      },
      previous_log_serial: {
        ...known.previous_log_serial.schema,
        description: 'The highest number of the log entries so far; null or absent for none.',
      },
    },
    required: ['fields'],
  },
  required: true,
}

const wait = resource('/2/jobs/{job_id}/wait', 'Changes of a job.', {
  // A GET with a body: R_2_jobs_id_wait, rlib2.py.
  GET: {
    ...live(
      toChange('jobs.wait'),
      `Waits until a job changes and gives the change, or null after ${WAIT_TIMEOUT} seconds without one.`,
      async ({ backend, params, body, patience, signal }) => {
        const { fields, jobInfo, logSerial } = waitRequest(body)
        const change = await backend.waitForJobChange(
          params.job_id,
          fields,
          { jobInfo, logSerial },
          patience,
          signal,
        )
        return change && { job_info: change.jobInfo, log_entries: change.logEntries }
      },
      {
        operationId: 'WaitForJobChange',
        answer: changeSchema,
        body: waitBody,
        example: { body: { fields: ['status'], previous_job_info: ['queued'], previous_log_serial: 0 } },
      },
    ),
    waits: WAIT_TIMEOUT,
    bodyLimit: BodyLimit.question,
  },
})

/** @throws Failure `invalid` in the original's words */
function waitRequest(body: Json | undefined): { fields: string[]; jobInfo: Json; logSerial: Json } {
  const { fields, previous_job_info = null, previous_log_serial = null } = bodyObject(body)
  if (fields === undefined) throw new Failure('invalid', "Required parameter 'fields' is missing")
  if (!known.fields(fields)) {
    throw new Failure('invalid', "The 'fields' parameter should be a list")
  }
  if (!known.previous_job_info(previous_job_info)) {
    throw new Failure('invalid', "The 'previous_job_info' parameter should be a list")
  }
  if (!known.previous_log_serial(previous_log_serial)) {
    throw new Failure('invalid', "The 'previous_log_serial' parameter should be a number")
  }
  return { fields: fields as string[], jobInfo: previous_job_info, logSerial: previous_log_serial }
}

export const jobs = [list, one, wait]
