/**
 * Jobs as their files in Ganeti's queue folder have them, of which master
 * candidates have copies. They are read when somebody asks for them; a file that
 * has not changed is not read again.
 *
 *     job-N                           one job, until it is archived
 *     archive/(N div 10000)/job-N     after that
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../failure.ts'
import { identityOf } from '../../files/file-identity.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../json/json.ts'
import { type Job, type JobOp, type OpStatus, STATUSES, type Timestamp } from '../../model/job.ts'
import type { QueueView } from '../../model/queue-view.ts'

/** Files that are read at the same time. */
const AT_ONCE = 32
const JOBS_OF_A_FOLDER = 10_000
const JOB_FILE = /^job-(\d{1,15})$/

interface Read {
  readonly identity: string
  readonly job: Job | undefined
}

export class QueueCopy {
  readonly #folder: string
  #read: ReadonlyMap<number, Read> = new Map()

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * When a job last changed.
   * @throws Failure `configuration` if the folder cannot be read
   */
  async changed(): Promise<Date> {
    const { mtime } = await stat(this.#folder).catch((cause) => {
      throw unreadable(this.#folder, cause)
    })
    return mtime
  }

  /**
   * Gives jobs.
   * @param ids which; those that are not there are left out. Empty: all that are not archived
   * @throws Failure `configuration` if the folder cannot be read; the signal's reason
   */
  async jobs(ids: readonly string[], signal?: AbortSignal): Promise<QueueView> {
    const jobs = ids.length === 0 ? await this.#all(signal) : await this.#some(ids, signal)
    const byId = new Map(jobs.map((job) => [String(job.id), job]))
    return { jobs, job: (id) => byId.get(id), locks: [] }
  }

  async #all(signal: AbortSignal | undefined): Promise<readonly Job[]> {
    const names = await readdir(this.#folder).catch((cause) => {
      throw unreadable(this.#folder, cause)
    })
    const ids = names.flatMap((name) => {
      const [, id] = JOB_FILE.exec(name) ?? []
      return id === undefined ? [] : [Number(id)]
    })
    const before = this.#read
    const read = new Map<number, Read>()
    await inTurns(
      ids.sort((one, other) => one - other),
      signal,
      async (id) => {
        const path = join(this.#folder, `job-${id}`)
        const stats = await stat(path, { bigint: true }).catch(() => undefined)
        if (!stats) return
        const identity = identityOf(stats)
        const known = before.get(id)
        read.set(id, known?.identity === identity ? known : { identity, job: await readJob(path) })
      },
    )
    this.#read = read
    return ids.flatMap((id) => read.get(id)?.job ?? [])
  }

  async #some(ids: readonly string[], signal: AbortSignal | undefined): Promise<readonly Job[]> {
    const found: Job[] = []
    await inTurns(ids, signal, async (id) => {
      if (!JOB_FILE.test(`job-${id}`)) return
      const archive = join(this.#folder, 'archive', String(Math.floor(Number(id) / JOBS_OF_A_FOLDER)))
      const name = `job-${Number(id)}`
      const job = (await readJob(join(this.#folder, name))) ?? (await readJob(join(archive, name)))
      if (job) found.push(job)
    })
    return found
  }
}

async function inTurns<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  action: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    signal?.throwIfAborted()
    await Promise.all(items.slice(at, at + AT_ONCE).map(action))
  }
}

/** Reads a job; undefined for a file that is not there, or holds none: the master daemon, too, knows no such job. */
async function readJob(path: string): Promise<Job | undefined> {
  try {
    return jobIn(parseJson(await readFile(path, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): Failure {
  return new Failure('configuration', `cannot read jobs from ${path}`, { cause })
}

/** A job in Ganeti's form (Ganeti/JQueue/Objects.hs); undefined if it is none. */
function jobIn(value: Json): Job | undefined {
  if (!isJsonObject(value)) return undefined
  const id = Number(value.id)
  const received = timeIn(value.received_timestamp)
  const ops = Array.isArray(value.ops) ? value.ops.map(opIn) : []
  if (!Number.isSafeInteger(id) || !received || ops.length === 0) return undefined
  if (!ops.every((op) => op !== undefined)) return undefined
  return {
    ...{ id, ops, received },
    start: timeIn(value.start_timestamp),
    end: timeIn(value.end_timestamp),
  }
}

function opIn(value: Json): JobOp | undefined {
  if (!isJsonObject(value)) return undefined
  const { input, status, result = null, priority } = value
  if (!isJsonObject(input ?? null) || !STATUSES.includes(status as OpStatus)) return undefined
  return {
    input: input as JsonObject,
    status: status as OpStatus,
    result,
    // Entries are as clients get them.
    log: (Array.isArray(value.log) ? value.log : []) as unknown as JobOp['log'],
    priority: typeof priority === 'number' ? priority : 0,
    start: timeIn(value.start_timestamp),
    exec: timeIn(value.exec_timestamp),
    end: timeIn(value.end_timestamp),
  }
}

function timeIn(value: Json | undefined): Timestamp | null {
  if (!Array.isArray(value) || value.length !== 2 || !value.every((part) => typeof part === 'number'))
    return null
  return value as unknown as Timestamp
}
