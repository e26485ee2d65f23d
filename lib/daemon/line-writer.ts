/**
 * Writes lines to an open file asynchronously: lines are buffered and written in
 * batches, one write at a time, on Node's thread pool. The first line after a
 * pause is written at once; those that follow within a short time are batched,
 * as a write on another thread costs more than answering a request.
 *
 * A log must not stop the daemon. If the file cannot be written (disk full) or
 * is too slow, lines are dropped and counted, and the owner is notified when that
 * begins and when it ends.
 */
import { close, write, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const writeBytes = promisify(write)
const closeFile = promisify(close)

export interface LineWriterEvents {
  /** Lines are being dropped from now on. Called once, until `recovered`. */
  lost(error: Error): void
  /** Lines are written again; gets the number of dropped ones. */
  recovered(lines: number): void
}

/** The most bytes in the buffer. */
const WAITING_LIMIT = 4 * 1024 * 1024
/** The initial size of the buffer in bytes; it shrinks to this again after a burst. */
const ROOM = 256 * 1024
/** With this many bytes in the buffer it is written at once: a larger buffer costs more than a write. */
const ENOUGH = ROOM / 2
/** How long lines are batched after a write, in milliseconds; if the process is killed, these are lost. */
const GATHERING = 50
/** How long to wait for a full pipe or terminal, in milliseconds. */
const FULL_PIPE_WAIT = 20
/** How often to wait for it while the process ends. */
const LAST_WAITS = 25

/** The most bytes in UTF-8 for a UTF-16 unit. */
const MOST_BYTES = 3
const NEWLINE = Buffer.from('\n')

export class LineWriter {
  #fd: number
  readonly #events: LineWriterEvents
  readonly #limit: number
  /** Lines are encoded when they come: one long string would cost the garbage collector much. */
  #waiting = Buffer.allocUnsafe(ROOM)
  #waitingBytes = 0
  #waitingLines = 0
  /** Replaces `#waiting` while that is being written (double buffering). */
  #spare = Buffer.allocUnsafe(ROOM)
  #lostLines = 0
  /** Whether a failed write has left an incomplete line in the file. */
  #broken = false
  #draining: Promise<void> | undefined
  /** How many callers wait for a write, so that lines must not be batched any longer. */
  #impatient = 0
  /** Ends batching at once. */
  #hurry = () => {}
  readonly #replacements: { fd: number; done: () => void }[] = []
  readonly #atExit = () => this.#writeRest()

  /**
   * @param fd an open file, which this writer closes (except standard error)
   * @param limit how many bytes may be buffered before lines are dropped
   */
  constructor(fd: number, events: LineWriterEvents, limit: number = WAITING_LIMIT) {
    this.#fd = fd
    this.#events = events
    this.#limit = limit
    process.on('exit', this.#atExit)
  }

  /** Writes a line, which must end in a newline; returns at once. */
  write(line: string): void {
    if (this.#waitingBytes + line.length > this.#limit) {
      this.#lose(1, new Error('it cannot be written as fast as lines come'))
      return
    }
    this.#makeRoom(line.length * MOST_BYTES)
    this.#waitingBytes += this.#waiting.write(line, this.#waitingBytes)
    this.#waitingLines++
    this.#draining ??= this.#drain()
    if (this.#waitingBytes > ENOUGH) this.#hurry()
  }

  #makeRoom(bytes: number): void {
    const wanted = this.#waitingBytes + bytes
    if (wanted <= this.#waiting.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#waiting.length))
    this.#waiting.copy(larger, 0, 0, this.#waitingBytes)
    this.#waiting = larger
  }

  /** Waits until all lines so far are written or dropped. */
  async flush(): Promise<void> {
    await this.#atOnce(async () => this.#draining)
  }

  /** Switches to another open file and closes the old one; no line is lost or written twice. */
  async replace(fd: number): Promise<void> {
    await this.#atOnce(
      () =>
        new Promise<void>((done) => {
          this.#replacements.push({ fd, done })
          this.#draining ??= this.#drain()
        }),
    )
  }

  async close(): Promise<void> {
    await this.flush()
    process.off('exit', this.#atExit)
    await this.#closeFile()
  }

  async #drain(): Promise<void> {
    // Lines of one turn of the event loop are written together.
    await new Promise(setImmediate)
    while (this.#waitingBytes > 0 || this.#replacements.length > 0) {
      const replacement = this.#replacements.shift()
      if (replacement) {
        await this.#closeFile()
        this.#fd = replacement.fd
        this.#broken = false
        replacement.done()
      }
      if (this.#waitingBytes > 0) await this.#writeBatch()
      if (this.#impatient === 0) await this.#gather()
    }
    this.#draining = undefined
  }

  /** Runs something that waits for lines to be written, and ends batching. */
  async #atOnce(action: () => Promise<void>): Promise<void> {
    this.#impatient++
    try {
      const done = action()
      this.#hurry()
      await done
    } finally {
      this.#impatient--
    }
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      this.#hurry = resolve
      // The timer must not keep the process alive; at its end, the process writes what is left.
      setTimeout(resolve, GATHERING).unref()
    })
  }

  async #writeBatch(): Promise<void> {
    const lines = this.#waitingLines
    let batch = this.#takeWaiting()
    let written = 0
    try {
      while (batch.length > 0) {
        try {
          const { bytesWritten } = await writeBytes(this.#fd, batch)
          written += bytesWritten
          batch = batch.subarray(bytesWritten)
        } catch (error) {
          if (!isFull(error)) throw error
          await delay(FULL_PIPE_WAIT)
        }
      }
      this.#broken = false
    } catch (error) {
      // All lines of a failed batch count as dropped, although some may have been written.
      if (written > 0) this.#broken = true
      this.#lose(lines, error as Error)
      return
    }
    if (this.#lostLines > 0) {
      const lost = this.#lostLines
      this.#lostLines = 0
      this.#events.recovered(lost)
    }
  }

  /**
   * At the end of the process, asynchronous writes are not possible any more. A batch in the thread pool
   * is still written, as Node waits for its threads, but possibly after what is written here.
   */
  #writeRest(): void {
    let rest = this.#takeWaiting()
    for (let waits = 0; rest.length > 0 && waits < LAST_WAITS; ) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest))
      } catch (error) {
        if (!isFull(error)) return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT)
        waits++
      }
    }
  }

  /** Takes the buffered bytes; they stay valid until this was called twice more. */
  #takeWaiting(): Buffer {
    const taken = this.#waiting
    const batch = taken.subarray(0, this.#waitingBytes)
    this.#waiting = this.#spare
    this.#spare = taken.length > ROOM ? Buffer.allocUnsafe(ROOM) : taken
    this.#waitingBytes = 0
    this.#waitingLines = 0
    return this.#broken && batch.length > 0 ? Buffer.concat([NEWLINE, batch]) : batch
  }

  #lose(lines: number, error: Error): void {
    const first = this.#lostLines === 0
    this.#lostLines += lines
    if (first) this.#events.lost(error)
  }

  async #closeFile(): Promise<void> {
    // Errors of closing were reported by writing already.
    if (this.#fd > 2) await closeFile(this.#fd).catch(() => undefined)
  }
}

/** Whether a pipe or terminal in non-blocking mode has no room just now. */
function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN'
}
