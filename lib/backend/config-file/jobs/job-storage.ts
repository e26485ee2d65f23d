/**
 * The journal of a queue, begun when it is first needed: a cluster whose file
 * cannot be written needs none.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Failure, messageChain, systemReason } from '../../../failure.ts'
import type { Job } from '../../../model/job.ts'
import { Journal, type JournalOptions } from './journal.ts'

/** How long to wait for a disk that is full, in milliseconds. */
const RETRY_TIME = 500

export interface JobStorageOptions extends JournalOptions {
  readonly folder: string
  readonly log: { error(message: string): void }
  /** Aborted when nothing is to be tried again. */
  readonly closed: AbortSignal
}

export class JobStorage {
  readonly #options: JobStorageOptions
  #journal: Journal | undefined
  #opening: Promise<Journal> | undefined

  constructor(options: JobStorageOptions) {
    this.#options = options
  }

  /** Whether there is a journal of this daemon's own. */
  get isOpen(): boolean {
    return this.#journal !== undefined
  }

  /**
   * Makes sure, as far as that can be told beforehand, that the journal can be written.
   * @throws Failure `unavailable`
   */
  async checkWritable(): Promise<void> {
    if (!this.#journal) await Journal.checkWritable(this.#options.folder).catch((cause) => this.refuse(cause))
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
   * The journal, begun unless it has been.
   * @throws Failure `unavailable`
   */
  async opened(): Promise<Journal> {
    this.#opening ??= this.#begin().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #begin(): Promise<Journal> {
    try {
      this.#journal = await Journal.begin(this.#options.folder, this.#options)
      return this.#journal
    } catch (error) {
      this.refuse(error)
    }
  }

  /**
   * Writes jobs into the journal, however long it takes: a disk that is full
   * now may have room later, and until then no client is told what might not last.
   */
  async persist(jobs: readonly Job[]): Promise<void> {
    const { log, closed } = this.#options
    for (let attempt = 0; ; attempt++) {
      try {
        const journal = await this.opened()
        await journal.append(...jobs.map((job) => ({ job })))
        return
      } catch (error) {
        if (closed.aborted) throw error
        if (attempt === 0) log.error(`Cannot write the job queue: ${messageChain(error)}`)
        await delay(RETRY_TIME, undefined, { signal: closed }).catch(() => {})
      }
    }
  }

  /** Keeps a job that leaves the queue. */
  archive(job: Job): void {
    this.#journal?.archive(job)
  }

  async close(): Promise<void> {
    await this.#journal?.close()
  }
}
