/**
 * The last verification of the cluster that has ended. OP_CLUSTER_VERIFY only
 * submits jobs, for the configuration and for each group; whether the cluster
 * is in order is what these give: true or false.
 */
import type { Backend } from '../backend/backend.ts'
import type { Json } from '../json/json.ts'

/** Verifications that are looked at, the newest first: the jobs of one may still run, or be archived. */
const MOST_TRIED = 5

export interface Verification {
  readonly passed: boolean
  /** In whole seconds since 1970. */
  readonly begin: number
  readonly end: number
}

interface Child {
  readonly passed: boolean
  readonly end: number
}

/**
 * Asks for the results of the newest verification whose jobs have all ended.
 * @param ids the numbers of the jobs of OP_CLUSTER_VERIFY that have succeeded, the newest first
 */
export async function lastVerification(
  backend: Backend,
  ids: readonly string[],
): Promise<Verification | undefined> {
  for (const id of ids.slice(0, MOST_TRIED)) {
    const [row] = await backend.queryJobs([id], ['opresult', 'start_ts'])
    const children = childrenIn(row?.[0])
    const begin = secondsOf(row?.[1])
    if (children.length === 0 || begin === undefined) continue
    const rows = await backend
      .queryJobs(children, ['status', 'opresult', 'end_ts'])
      // A job that is archived is not found.
      .catch(() => [])
    const results = rows.map(resultOf)
    const ended = results.filter((result) => result !== undefined)
    if (ended.length < children.length) continue
    return {
      passed: ended.every(({ passed }) => passed),
      begin,
      end: Math.max(...ended.map(({ end }) => end)),
    }
  }
  return undefined
}

/** The numbers of the jobs that a job has submitted: `[{"jobs": [[true, 12], [true, 13]]}]`. */
function childrenIn(results: Json | undefined): readonly string[] {
  const [result] = Array.isArray(results) ? results : []
  const { jobs } = (result ?? {}) as { readonly jobs?: Json }
  return Array.isArray(jobs) ? jobs.flatMap((job: Json) => (Array.isArray(job) ? [String(job[1])] : [])) : []
}

/** The result of a job; undefined while it has none. */
function resultOf([status, results, ended]: readonly Json[]): Child | undefined {
  const end = secondsOf(ended)
  if (end === undefined) return undefined
  const passed = status === 'success' && Array.isArray(results) && results.every((result) => result === true)
  return { passed, end }
}

/** The whole seconds of a time, which Ganeti gives as seconds and microseconds. */
export function secondsOf(time: Json | undefined): number | undefined {
  if (!Array.isArray(time)) return undefined
  const [seconds] = time
  return seconds === undefined || seconds === null ? undefined : Number(seconds)
}
