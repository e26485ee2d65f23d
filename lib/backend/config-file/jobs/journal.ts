/**
 * The job queue on disk: a folder beside the cluster's file, with a write-ahead
 * journal of everything that happened to jobs, and an archive of those that have
 * left the queue.
 *
 *     cluster.yaml.queue/journal-7    one JSON object a line, in order:
 *         {"last": 70}                  the latest id ever given
 *         {"job": {"id": 71, ...}}      the state of a job, whole
 *         {"write": {"before": H, "after": H, "temporary": NAME}, "jobs": [{...}]}
 *                                       the cluster's file is about to be replaced (hashes of both texts),
 *                                       and with that these jobs become what they are here
 *         {"written": true}             it has been; false: it has not, and nothing came of those jobs
 *     cluster.yaml.queue/running      the opcodes that are being carried out, as [[71, 0], ...]; not synced, since
 *                                     it is for a daemon that dies of an opcode, not for a machine that does
 *     cluster.yaml.queue/archive      finished jobs that left the queue, one a line, oldest first
 *     cluster.yaml.queue/archive.1    those before them; when the archive is full it takes this one's place
 *
 * All that happens at once shares one wait for the disk (group commit), where a
 * file for each job would take several for each. A line that a crash cut off
 * says nothing, since no client was told of it yet. When the journal has grown
 * enough, and at each start, it is compacted: a new one begins with what still
 * matters, and takes the old one's place by its higher number.
 */
import { access, constants, type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sleep } from '../../../concurrency/sleep.ts'
import { Failure, messageChain, systemReason } from '../../../failure.ts'
import { syncFolder } from '../../../files/atomic-replace.ts'
import { stringifyJson } from '../../../json/json.ts'
import type { Job } from '../../../model/job.ts'
import { Archive } from './archive.ts'
import { type JournalRecord, jobText, lineOf } from './journal-records.ts'
import { latestJournal, RUNNING, type RunningOp } from './read-journal.ts'

/** The journal is compacted when it has grown by this much, and by as much as it began with. In bytes. */
const GROWTH = 16 * 2 ** 20

/** How long to wait for a disk that is full, in milliseconds. */
const RETRY_TIME = 500

export interface JournalOptions {
  readonly folder: string
  /** What a new journal begins with. */
  readonly state: () => { readonly last: number; readonly jobs: Iterable<Job> }
  /** Whether to wait for the disk. */
  readonly sync: boolean
  readonly log: { error(message: string): void }
  /** Aborted when nothing is to be tried again. */
  readonly closed: AbortSignal
}

/** The file that is written to. */
interface JournalFile {
  readonly number: number
  readonly handle: FileHandle
  /** In bytes, as the next one is. */
  readonly begunWith: number
  /** What is known to be whole. */
  size: number
}

interface Append {
  readonly text: string
  readonly records: readonly JournalRecord[]
  readonly done: (error?: unknown) => void
}

/** It is begun when it is first needed: a cluster whose file cannot be written needs none. */
export class Journal {
  readonly #options: JournalOptions
  readonly #archive: Archive
  #beginning: Promise<void> | undefined
  #begun: JournalFile | undefined
  #running: FileHandle | undefined
  #waiting: Append[] = []
  #writing: Promise<void> | undefined
  #openWrite: JournalRecord | undefined

  constructor(options: JournalOptions) {
    this.#options = options
    this.#archive = new Archive(options.folder, options.sync)
  }

  get isBegun(): boolean {
    return this.#begun !== undefined
  }

  get #file(): JournalFile {
    if (!this.#begun) throw new Error('the journal has not been begun')
    return this.#begun
  }

  /**
   * Makes sure, as far as that can be told beforehand, that the journal can be written.
   * @throws Failure `unavailable`
   */
  async checkWritable(): Promise<void> {
    if (this.#begun) return
    const { folder } = this.#options
    const mode = constants.W_OK | constants.X_OK
    try {
      await access(folder, mode).catch(async (error) => {
        if (error.code !== 'ENOENT') throw error
        await access(dirname(folder), mode)
      })
    } catch (error) {
      this.refuse(error)
    }
  }

  /** @throws Failure that a job cannot be taken: clients learn why, and where only the log */
  refuse(cause: unknown): never {
    throw new Failure(
      'unavailable',
      `No job can be taken: cannot write the job queue: ${systemReason(cause) ?? 'Internal error'}`,
      { cause: new Error(`it is in ${this.#options.folder}`, { cause }) },
    )
  }

  /**
   * Begins a new journal with the state as it is, unless that has been done.
   * @throws Failure `unavailable`
   */
  begin(): Promise<void> {
    this.#beginning ??= this.#begin().catch((error) => {
      this.#beginning = undefined
      this.refuse(error)
    })
    return this.#beginning
  }

  async #begin(): Promise<void> {
    const { folder } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o750 })
    const file = await newJournal(((await latestJournal(folder)) ?? 0) + 1, this.#options)
    await removeOthers(folder, file.number)
    this.#running = await open(join(folder, RUNNING), 'w', 0o640)
    this.#begun = file
  }

  /**
   * Writes jobs, however long it takes: a disk that is full now may have room
   * later, and until then no client is told what might not last.
   * @throws whatever keeps it from it once nothing is to be tried again
   */
  async persist(jobs: readonly Job[]): Promise<void> {
    const { log, closed } = this.#options
    for (let attempt = 0; ; attempt++) {
      try {
        await this.begin()
        await this.append(...jobs.map((job) => ({ job })))
        return
      } catch (error) {
        if (closed.aborted) throw error
        if (attempt === 0) log.error(`Cannot write the job queue: ${messageChain(error)}`)
        await sleep(RETRY_TIME, closed)
      }
    }
  }

  /**
   * Adds lines to a journal that has been begun, all of them or none.
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
  async noteRunning(ops: readonly RunningOp[]): Promise<void> {
    // What a longer line has left behind this one is not read.
    const bytes = Buffer.from(`${stringifyJson(ops)}\n`)
    await this.begin()
    await this.#running?.write(bytes, 0, bytes.length, 0)
  }

  #writeWaiting(): void {
    if (this.#writing || this.#waiting.length === 0) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      // What came at the last moment.
      this.#writeWaiting()
    })
  }

  /** Has a job archived when the journal is compacted; it is gone from the state by now. */
  archive(job: Job): void {
    this.#archive.add(`${jobText(job)}\n`)
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing
    await this.#running?.close()
    await this.#begun?.handle.close()
  }

  /** Writes all that waits, again and again: what comes while the disk is busy shares the next turn. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const appends = this.#waiting
      this.#waiting = []
      try {
        const bytes = Buffer.from(appends.map(({ text }) => text).join(''))
        await this.#writeBytes(bytes)
        for (const { records } of appends) for (const record of records) this.#follow(record)
        for (const { done } of appends) done()
      } catch (error) {
        for (const { done } of appends) done(error)
      }
      const { size, begunWith } = this.#file
      const grown = size - begunWith > Math.max(GROWTH, begunWith)
      // What is yet to be archived is in memory as well.
      if (grown || this.#archive.length > GROWTH) await this.#compact().catch(() => {})
    }
  }

  /** Keeps the record of a replacement of the file that is under way, which a new journal needs too. */
  #follow(record: JournalRecord): void {
    if ('write' in record) this.#openWrite = record
    if ('written' in record) this.#openWrite = undefined
  }

  async #writeBytes(bytes: Buffer): Promise<void> {
    const file = this.#file
    const { handle, size } = file
    try {
      let written = 0
      while (written < bytes.length) {
        written += (await handle.write(bytes, written, bytes.length - written, size + written)).bytesWritten
      }
      if (this.#options.sync) await handle.datasync()
      file.size += bytes.length
    } catch (error) {
      // A disk that is full may have taken a part.
      await handle.truncate(size).catch(() => {})
      throw error
    }
  }

  async #compact(): Promise<void> {
    await this.#archive.write()
    const { number, handle } = this.#file
    const file = await newJournal(number + 1, this.#options, this.#openWrite)
    await handle.close()
    this.#begun = file
    await removeOthers(this.#options.folder, file.number)
  }
}

async function newJournal(
  number: number,
  { folder, state, sync }: JournalOptions,
  openWrite?: JournalRecord,
): Promise<JournalFile> {
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
    return { number, handle, begunWith: bytes.length, size: bytes.length }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function removeOthers(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^journal-\d+(\.new)?$/.test(name) && name !== `journal-${number}`) await unlink(join(folder, name))
  }
}
