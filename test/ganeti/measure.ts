/** What tests and benchmarks of events measure on a real cluster. */
import type { Json } from '../../lib/json/json.ts'
import { ask, must, OURS, type Side } from './sides.ts'

/** How often our daemon has asked the master daemon, by call. */
export async function luxiCalls(): Promise<ReadonlyMap<string, number>> {
  const text = await must('curl', '-s', `http://localhost:${OURS.plain}/metrics`)
  const pattern = /^ganeti_rapi_luxi_request_duration_seconds_count\{call="(\w+)"\} (\d+)/gm
  return new Map([...text.matchAll(pattern)].map(([, call = '', count]) => [call, Number(count)]))
}

/** Waits for a job with long polling; gives how long after its end that was known, in milliseconds. */
export async function untilKnown(side: Side, id: number): Promise<number> {
  for (let known: Json = null; ; ) {
    const body: Json = { fields: ['status', 'end_ts'], previous_job_info: known, previous_log_serial: null }
    const { body: change } = await ask(side, `/2/jobs/${id}/wait`, { user: 'writer', body })
    known = (change as { job_info?: Json } | null)?.job_info ?? known
    const end = Array.isArray(known) ? known[1] : null
    if (Array.isArray(end)) return Date.now() - timeOf(end as readonly number[])
  }
}

/** A time stamp of Ganeti's in milliseconds since 1970. */
export function timeOf([seconds = 0, microseconds = 0]: readonly number[]): number {
  return seconds * 1000 + microseconds / 1000
}
