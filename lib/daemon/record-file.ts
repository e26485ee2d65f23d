/**
 * A file of records that are acknowledged: unlike a line of the log, a record is
 * either in the file (in the kernel's memory, which outlives this process), or
 * its writer gets to know that it is not.
 *
 * Records that come while others are being written are written together (group
 * commit). What a failed write has left behind is cut off again, so that every
 * line is whole. A file that cannot be opened is tried again for each record.
 */
import { close, constants, fchmod, fstat, ftruncate, open, write } from 'node:fs'
import { promisify } from 'node:util'
import { Failure } from '../failure.ts'
import { openingStep } from './opening-step.ts'

const openFile = promisify(open)
const closeFile = promisify(close)
const writeBytes = promisify(write)
const statFile = promisify(fstat)
const truncate = promisify(ftruncate)
const setMode = promisify(fchmod)

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants
/** The most characters that may wait to be written. */
const MOST_WAITING = 4 * 1024 * 1024

interface Waiting {
  readonly line: string
  readonly settle: (error?: unknown) => void
}

export class RecordFile {
  readonly #path: string
  readonly #mode: number
  #fd: number | undefined
  #waiting: Waiting[] = []
  #waitingLength = 0
  #draining: Promise<void> | undefined
  /** Set if the file is to be opened again before the next write; why that has failed, if it has. */
  #reopening: { failure?: unknown } | undefined

  /** @param mode the permissions of a new file, whatever the umask */
  constructor(path: string, mode: number) {
    this.#path = path
    this.#mode = mode
  }

  /** @throws Failure `configuration` if the file cannot be opened */
  async open(): Promise<void> {
    this.#fd ??= await openRecords(this.#path, this.#mode)
  }

  /**
   * Appends a line, which must end in a newline.
   * @throws Failure `configuration` if it is not in the file
   */
  async append(line: string): Promise<void> {
    if (this.#waitingLength + line.length > MOST_WAITING)
      throw this.#failure(new Error('too many records wait'))
    this.#waitingLength += line.length
    const written = new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(this.#failure(error)))
      this.#waiting.push({ line, settle })
    })
    this.#draining ??= this.#drain()
    return written
  }

  /**
   * Opens the file again, after it was renamed (rotation).
   * @throws Failure `configuration` if that fails; then the old one is used, and it is tried again for each record
   */
  async reopen(): Promise<void> {
    const reopening: { failure?: unknown } = {}
    this.#reopening = reopening
    // Behind the records that wait.
    await this.append('')
    if (reopening.failure !== undefined) throw reopening.failure
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    await this.#draining
    if (this.#fd !== undefined) await closeFile(this.#fd).catch(() => {})
    this.#fd = undefined
  }

  async #drain(): Promise<void> {
    // Records of one turn of the event loop are written together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      this.#waitingLength = 0
      const error = await this.#write(batch.map(({ line }) => line).join('')).catch((thrown) => thrown)
      for (const { settle } of batch) settle(error)
    }
    this.#draining = undefined
  }

  async #write(text: string): Promise<void> {
    const fd = await this.#current()
    let bytes = Buffer.from(text)
    let written = 0
    try {
      while (bytes.length > 0) {
        const { bytesWritten } = await writeBytes(fd, bytes)
        written += bytesWritten
        bytes = bytes.subarray(bytesWritten)
      }
    } catch (error) {
      if (written > 0) await truncate(fd, (await statFile(fd)).size - written).catch(() => {})
      throw error
    }
  }

  /** The open file. If a new one cannot be opened after a rotation, the old one is used. */
  async #current(): Promise<number> {
    const old = this.#fd
    const reopening = this.#reopening
    if (old !== undefined && !reopening) return old
    try {
      this.#fd = await openRecords(this.#path, this.#mode)
      if (this.#reopening === reopening) this.#reopening = undefined
    } catch (error) {
      if (old === undefined) throw error
      if (reopening) reopening.failure = error
      return old
    }
    if (old !== undefined) await closeFile(old).catch(() => {})
    return this.#fd
  }

  #failure(cause: unknown): Failure {
    return new Failure('configuration', `cannot write to '${this.#path}'`, { cause })
  }
}

async function openRecords(path: string, mode: number): Promise<number> {
  try {
    try {
      const fd = await openFile(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, mode)
      await setMode(fd, mode)
      return fd
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      return await openFile(path, O_WRONLY | O_APPEND)
    }
  } catch (cause) {
    throw new Failure('configuration', `cannot open '${path}'`, { cause, nextStep: openingStep(cause, path) })
  }
}
