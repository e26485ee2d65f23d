/** The records of the journal, and how they are written as lines. Their format is shown in journal.ts. */
import { type JsonObject, stringifyJson } from '../../../json/json.ts'
import type { Job } from '../../../model/job.ts'

/** A replacement of the cluster's file whose outcome the journal does not have. */
export interface OpenWrite {
  readonly before: string
  readonly after: string
  readonly temporary: string
  readonly jobs: readonly Job[]
}

/** A line of the journal. */
export type JournalRecord =
  | { readonly job: Job }
  | { readonly write: Omit<OpenWrite, 'jobs'>; readonly jobs: readonly Job[] }
  | { readonly written: boolean }

/** A record as it stands in the journal. */
export function lineOf(record: JournalRecord): string {
  if ('job' in record) return `{"job":${jobText(record.job)}}\n`
  if ('written' in record) return `${stringifyJson(record)}\n`
  return `{"write":${stringifyJson(record.write)},"jobs":[${record.jobs.map(jobText).join(',')}]}\n`
}

/** Of jobs that have been written, how long their text is. */
const lengths = new WeakMap<Job, number>()

/** How many characters of JSON a job is; known already where the journal has it. */
export function lengthOf(job: Job): number {
  return lengths.get(job) ?? jobText(job).length
}

/** A job as it stands in the journal and in the archive. */
export function jobText(job: Job): string {
  // Jobs are JSON by their making; their interface only lacks the index signature.
  const text = stringifyJson(job as unknown as JsonObject)
  lengths.set(job, text.length)
  return text
}
