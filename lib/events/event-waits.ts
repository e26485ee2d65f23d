/**
 * Waits for changes of jobs that cost the master daemon nothing while nothing
 * happens (decorator of the backend). The master daemon needs a connection and an
 * inotify instance for each wait; here all waits share what the events come from,
 * and it is asked for a job only when that has changed.
 */
import type { Backend } from '../backend/backend.ts'
import { Failure } from '../failure.ts'
import { equalJson, type Json } from '../json/json.ts'
import { isFinal, type JobStatus } from '../model/job.ts'
import type { EventHub } from './event-hub.ts'

/** How often a job is asked for that does not change, as not all of a job is told as an event, in milliseconds. */
const LOOK_AGAIN = 5000

interface News {
  readonly jobInfo: Json
  readonly logEntries: Json
}

/** Gives a backend that waits for jobs with the events of a hub, and is the same otherwise. */
export function waitingByEvents(backend: Backend, hub: Pick<EventHub, 'followJob'>): Backend {
  /** What differs from what the caller knows of a job; also what does not, once it has ended: no more will come. */
  const newsOf: (...args: Parameters<Backend['waitForJobChange']>) => Promise<News | undefined> = async (
    id,
    fields,
    known,
    _timeout,
    signal,
  ) => {
    const rows = await backend.queryJobs([id], [...fields, 'status', 'oplog']).catch(ifInvalid)
    // Of fields that do not exist, only a wait gives nulls, as in the original.
    const news = rows ? newsIn(rows[0] ?? [], fields.length, known.logSerial) : undefined
    const now = news ?? (await backend.waitForJobChange(id, fields, known, 0, signal))
    if (!now) return undefined
    const isSame = equalJson(now.jobInfo, known.jobInfo) && isEmpty(now.logEntries)
    return isSame && !news?.isFinal ? undefined : { jobInfo: now.jobInfo, logEntries: now.logEntries }
  }

  const waitForJobChange: Backend['waitForJobChange'] = async (...args) => {
    const [id, fields, previous, timeout, signal] = args
    if (timeout === 0) return backend.waitForJobChange(...args)
    const end = performance.now() + timeout * 1000
    let isChanged = false
    let wake = () => {}
    const changed = () => {
      isChanged = true
      wake()
    }
    const stop = await followed(hub.followJob(Number(id), changed), timeout * 1000, signal)
    // Without events there is only the present, or the reason why there is none.
    if (!stop) return backend.waitForJobChange(id, fields, previous, 0, signal)
    signal.addEventListener('abort', changed)
    try {
      for (;;) {
        isChanged = false
        const news = await newsOf(...args)
        if (news) return news
        const left = end - performance.now()
        if (left <= 0) return null
        // What happened while it was asked is asked for once more.
        if (!isChanged)
          await within(Math.min(left, LOOK_AGAIN), (resolve) => {
            wake = resolve
          })
        signal.throwIfAborted()
      }
    } finally {
      signal.removeEventListener('abort', changed)
      stop()
    }
  }
  return Object.create(backend, { waitForJobChange: { value: waitForJobChange, enumerable: true } })
}

/** Reads the values of the fields, then status and log. */
function newsIn(row: readonly Json[], count: number, logSerial: Json): News & { readonly isFinal: boolean } {
  const [status, oplog] = row.slice(count)
  const entries = Array.isArray(oplog) ? (oplog as Json[][]).flat() : []
  const isNew = (entry: Json) => Array.isArray(entry) && Number(entry[0]) > Number(logSerial ?? 0)
  return {
    jobInfo: row.slice(0, count) as Json,
    logEntries: entries.filter(isNew),
    isFinal: isFinal(status as JobStatus),
  }
}

const isEmpty = (value: Json) => !Array.isArray(value) || value.length === 0

function ifInvalid(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'invalid') return undefined
  throw error
}

/**
 * What ends it to follow a job.
 * @returns undefined if it cannot be followed, or not in time
 * @throws the signal's reason
 */
async function followed(
  following: Promise<() => void>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<(() => void) | undefined> {
  const given = following.catch((error) => {
    if (error instanceof Failure) return undefined
    throw error
  })
  let left = () => {}
  const over = within(milliseconds, (wake) => {
    left = wake
  })
  signal.addEventListener('abort', left)
  const stop = await Promise.race([given, over.then(() => undefined)])
  signal.removeEventListener('abort', left)
  left()
  // It may be followed from now on, or later: nobody waits any more.
  if (stop === undefined || signal.aborted) given.then((late) => late?.()).catch(() => {})
  signal.throwIfAborted()
  return stop
}

/** Waits until it is woken, or some milliseconds have passed. */
async function within(milliseconds: number, onWake: (wake: () => void) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
    onWake(resolve)
  })
  clearTimeout(timer)
}
