/**
 * The job queue on disk: a folder beside the cluster's file, with a journal of
 * everything that happened to jobs, and an archive of those that have left the
 * queue.
 *
 *     cluster.yaml.queue/journal-7    one JSON object a line, in order:
 *         {"last": 70}                  the latest id ever given
 *         {"job": {"id": 71, ...}}      the state of a job, whole
 *         {"write": {"before": H, "after": H, "temporary": NAME}, "jobs": [{...}]}
 *                                       the cluster's file is about to be replaced (hashes of both texts),
 *                                       and with that these jobs become what they are here
 *         {"written": true}             it has been; false: it has not, and nothing came of those jobs
 *     cluster.yaml.queue/running      the opcodes that are being carried out, as [[71, 0], ...]; not synced, since
 *                                     only a daemon that dies has to be told what it died of, not a machine
 *     cluster.yaml.queue/archive      finished jobs that left the queue, one a line, oldest first
 *     cluster.yaml.queue/archive.1    those before them; when the archive is full it takes this one's place
 *
 * One file that only grows takes one wait for the disk for all that happens
 * at once, where a file for each job would take several for each. A line that
 * a crash cut off says nothing, since nobody was told of it yet. When the
 * journal has grown enough, and at each start, a new one begins with what
 * still matters, and takes the old one's place by its higher number.
 */
import {
  access,
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../../json.ts'
import type { Job } from '../../../model/job.ts'
import { syncFolder } from '../state/cluster-file.ts'

/** The journal begins anew when it has grown by this much, and by as much as it began with. In bytes. */
const GROWTH = 16 * 2 ** 20

/** An archive is full when the next line would make it larger than this, in bytes; there are at most two. */
const ARCHIVE_BYTES = 16 * 2 ** 20

/** A replacement of the cluster's file of which the journal does not tell the outcome. */
export interface OpenWrite {
  readonly before: string
  readonly after: string
  readonly temporary: string
  readonly jobs: readonly Job[]
}

/** What the journal tells. */
export interface StoredQueue {
  readonly last: number
  readonly jobs: Map<number, Job>
  readonly open: OpenWrite | undefined
  /** What was being carried out when the daemon that wrote this was last at it. */
  readonly running: readonly RunningOp[]
}

/** An opcode by its job and its place there. */
export type RunningOp = readonly [job: number, index: number]

export interface JobStoreOptions {
  /** What a new journal has to tell. */
  readonly state: () => { readonly last: number; readonly jobs: Iterable<Job> }
  /** Whether to wait for the disk. */
  readonly sync: boolean
}

/** What is added to the journal: a line. */
export type JournalRecord =
  | { readonly job: Job }
  | { readonly write: Omit<OpenWrite, 'jobs'>; readonly jobs: readonly Job[] }
  | { readonly written: boolean }

interface Append {
  readonly text: string
  readonly records: readonly JournalRecord[]
  readonly done: (error?: unknown) => void
}

export class JobStore {
  readonly #folder: string
  readonly #options: JobStoreOptions
  #number: number
  #handle: FileHandle
  readonly #running: FileHandle
  #size: number
  #begunWith: number
  #waiting: Append[] = []
  #writing: Promise<void> | undefined
  #openWrite: JournalRecord | undefined
  /** Jobs that have left the queue, as lines of the archive. */
  #archived: string[] = []
  #archivedLength = 0

  private constructor(
    folder: string,
    number: number,
    handle: FileHandle,
    running: FileHandle,
    size: number,
    options: JobStoreOptions,
  ) {
    this.#folder = folder
    this.#number = number
    this.#handle = handle
    this.#running = running
    this.#size = size
    this.#begunWith = size
    this.#options = options
  }

  /**
   * Reads what the folder has, without changing it.
   * @throws Failure `configuration` where it cannot be read or makes no sense
   */
  static async read(folder: string): Promise<StoredQueue> {
    const number = await latestJournal(folder)
    if (number === undefined) return { last: 0, jobs: new Map(), open: undefined, running: [] }
    const path = join(folder, `journal-${number}`)
    try {
      return { ...replay(await readFile(path, 'utf8'), path), running: await readRunning(folder) }
    } catch (error) {
      if (error instanceof Failure) throw error
      throw new Failure('configuration', `cannot read the job queue in ${folder}`, { cause: error })
    }
  }

  /**
   * Makes sure that a journal can be begun.
   * @throws the error of the system that would keep us from it
   */
  static async checkWritable(folder: string): Promise<void> {
    await access(folder, constants.W_OK | constants.X_OK).catch(async (error) => {
      if (error.code !== 'ENOENT') throw error
      await access(dirname(folder), constants.W_OK | constants.X_OK)
    })
  }

  /** Begins a new journal with the state as it is. */
  static async begin(folder: string, options: JobStoreOptions): Promise<JobStore> {
    await mkdir(folder, { recursive: true, mode: 0o750 })
    const before = await latestJournal(folder)
    const number = (before ?? 0) + 1
    const { handle, size } = await newJournal(folder, number, options)
    await removeOthers(folder, number)
    const running = await open(join(folder, RUNNING), 'w', 0o640)
    return new JobStore(folder, number, handle, running, size, options)
  }

  /**
   * Adds lines to the journal, all of them or none.
   * @throws whatever the file system has to say
   */
  append(...records: readonly JournalRecord[]): Promise<void> {
    const text = records.map(lineOf).join('')
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error))
      this.#waiting.push({ text, done, records })
      this.#writeWaiting()
    })
  }

  /**
   * Notes what is carried out from now on, in place of what was before.
   * @throws whatever the file system has to say
   */
  async carryOut(ops: readonly RunningOp[]): Promise<void> {
    // What a longer line has left behind this one is not read.
    const bytes = Buffer.from(`${stringifyJson(ops)}\n`)
    await this.#running.write(bytes, 0, bytes.length, 0)
  }

  #writeWaiting(): void {
    if (this.#writing || this.#waiting.length === 0) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      // Whoever came at the last moment.
      this.#writeWaiting()
    })
  }

  /** Puts finished jobs away when the journal begins anew; they are gone from the state by now. */
  archive(job: Job): void {
    const line = `${jobText(job)}\n`
    this.#archived.push(line)
    this.#archivedLength += line.length
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing
    await this.#running.close()
    await this.#handle.close()
  }

  /** Writes all that waits, again and again: whoever comes while the disk is busy shares the next turn. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const appends = this.#waiting
      this.#waiting = []
      try {
        const bytes = Buffer.from(appends.map(({ text }) => text).join(''))
        await this.#put(bytes)
        for (const { records } of appends) for (const record of records) this.#follow(record)
        for (const { done } of appends) done()
      } catch (error) {
        for (const { done } of appends) done(error)
      }
      const grown = this.#size - this.#begunWith > Math.max(GROWTH, this.#begunWith)
      // What is yet to be archived is in memory as well.
      if (grown || this.#archivedLength > GROWTH) await this.#beginAnew().catch(() => {})
    }
  }

  /** Knows whether a replacement of the file is under way, which a new journal has to tell too. */
  #follow(record: JournalRecord): void {
    if ('write' in record) this.#openWrite = record
    if ('written' in record) this.#openWrite = undefined
  }

  async #put(bytes: Buffer): Promise<void> {
    try {
      let written = 0
      while (written < bytes.length) {
        const { bytesWritten } = await this.#handle.write(
          bytes,
          written,
          bytes.length - written,
          this.#size + written,
        )
        written += bytesWritten
      }
      if (this.#options.sync) await this.#handle.datasync()
      this.#size += bytes.length
    } catch (error) {
      // A disk that is full may have taken a part.
      await this.#handle.truncate(this.#size).catch(() => {})
      throw error
    }
  }

  async #beginAnew(): Promise<void> {
    await this.#writeArchive()
    const { handle, size } = await newJournal(this.#folder, this.#number + 1, this.#options, this.#openWrite)
    await this.#handle.close()
    this.#number++
    this.#handle = handle
    this.#size = size
    this.#begunWith = size
    await removeOthers(this.#folder, this.#number)
  }

  /** Adds what has left the queue to the archive, and begins another where that is full. */
  async #writeArchive(): Promise<void> {
    const path = join(this.#folder, 'archive')
    while (this.#archived.length > 0) {
      const size = await sizeOf(path)
      const count = fitting(this.#archived, ARCHIVE_BYTES - size)
      if (count === 0 && size > 0) {
        await rename(path, `${path}.1`)
        continue
      }
      // A line that is larger than any archive has one of its own.
      const lines = this.#archived.slice(0, Math.max(count, 1))
      await this.#appendTo(path, lines.join(''))
      this.#archived = this.#archived.slice(lines.length)
    }
    this.#archivedLength = 0
  }

  async #appendTo(path: string, text: string): Promise<void> {
    const file = await open(path, 'a', 0o640)
    try {
      await file.appendFile(text)
      if (this.#options.sync) await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** In bytes; 0 where there is no such file. */
async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return stats?.size ?? 0
}

/** How many of the first lines go into so many bytes. */
function fitting(lines: readonly string[], bytes: number): number {
  let left = bytes
  const over = lines.findIndex((line) => {
    left -= Buffer.byteLength(line)
    return left < 0
  })
  return over < 0 ? lines.length : over
}

async function newJournal(
  folder: string,
  number: number,
  { state, sync }: JobStoreOptions,
  openWrite?: JournalRecord,
): Promise<{ handle: FileHandle; size: number }> {
  const path = join(folder, `journal-${number}`)
  const handle = await open(`${path}.new`, 'w', 0o640)
  try {
    const { last, jobs } = state()
    const lines = [`${stringifyJson({ last })}\n`]
    for (const job of jobs) lines.push(lineOf({ job }))
    if (openWrite) lines.push(lineOf(openWrite))
    const bytes = Buffer.from(lines.join(''))
    await handle.write(bytes, 0, bytes.length, 0)
    if (sync) await handle.sync()
    await rename(`${path}.new`, path)
    if (sync) await syncFolder(folder)
    return { handle, size: bytes.length }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const JOURNAL = /^journal-(\d+)$/

async function latestJournal(folder: string): Promise<number | undefined> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw new Failure('configuration', `cannot read the job queue in ${folder}`, { cause: error })
  })
  const numbers = names.flatMap((name) => JOURNAL.exec(name)?.[1] ?? []).map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

const RUNNING = 'running'

async function readRunning(folder: string): Promise<readonly RunningOp[]> {
  const text = await readFile(join(folder, RUNNING), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  try {
    return parseJson(text.slice(0, text.indexOf('\n'))) as unknown as readonly RunningOp[]
  } catch {
    // Nothing was noted, or a loss of power left something else.
    return []
  }
}

async function removeOthers(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^journal-\d+(\.new)?$/.test(name) && name !== `journal-${number}`) await unlink(join(folder, name))
  }
}

/** A record as it stands in the journal. */
function lineOf(record: JournalRecord): string {
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

function jobText(job: Job): string {
  // Jobs are JSON by their making; their interface only lacks the index signature.
  const text = stringifyJson(job as unknown as JsonObject)
  lengths.set(job, text.length)
  return text
}

function replay(text: string, path: string): Omit<StoredQueue, 'running'> {
  const jobs = new Map<number, Job>()
  let last = 0
  let open: OpenWrite | undefined
  const put = (job: Job) => {
    jobs.set(job.id, job)
    last = Math.max(last, job.id)
  }
  const lines = text.split('\n')
  // What stands behind the last line break was cut off; so was what a loss of power left empty.
  lines.pop()
  const hole = lines.findIndex((line) => line.includes('\0'))
  if (hole >= 0) lines.length = hole
  for (const [index, line] of lines.entries()) {
    const record = parseLine(line)
    if (!record) throw new Failure('configuration', `${path}:${index + 1}: the job queue is damaged`)
    const { job, write, written, jobs: members } = record
    if (typeof record.last === 'number') last = Math.max(last, record.last)
    if (isJsonObject(job)) put(job as unknown as Job)
    if (isJsonObject(write))
      open = { ...(write as unknown as OpenWrite), jobs: members as unknown as readonly Job[] }
    if (written !== undefined) {
      if (written) for (const member of open?.jobs ?? []) put(member)
      open = undefined
    }
  }
  return { last, jobs, open }
}

function parseLine(line: string): JsonObject | undefined {
  try {
    const record: Json = parseJson(line)
    return isJsonObject(record) ? record : undefined
  } catch {
    return undefined
  }
}
