/**
 * Writes lines to an open file without making anyone wait: lines gather in
 * memory and go out in batches, one write at a time, on a thread of Node's pool.
 * The first line after a silence goes out at once; those that follow it closely
 * wait for each other, as a write with all it takes to have another thread do
 * it costs more than answering a request.
 *
 * A log must not take the daemon down with it. Where the file cannot be written
 * (disk full) or cannot keep up, lines are lost and counted, and the owner is
 * told when that begins and when it is over.
 */
import { close, write, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const writeBytes = promisify(write)
const closeFile = promisify(close)

export interface LineWriterEvents {
  /** Lines are being lost from now on. Called once, until `recovered`. */
  lost(error: Error): void
  /** Lines are written again; so many were lost in between. */
  recovered(lines: number): void
}

/** How many bytes may wait to be written. */
const WAITING_LIMIT = 4 * 1024 * 1024
/** Bytes to begin with for lines that wait; what a burst of them needed is not kept. */
const ROOM = 256 * 1024
/** With so many bytes, lines have gathered long enough: more room costs more than a write. */
const ENOUGH = ROOM / 2
/** How long lines gather after a write, in milliseconds: the most that a process which is killed has not told. */
const GATHERING = 50
/** How long to wait for a full pipe or terminal, in milliseconds. */
const FULL_PIPE_WAIT = 20
/** How often to wait for it while the process ends. */
const LAST_WAITS = 25

/** UTF-8 has no more for a unit of a string. */
const MOST_BYTES = 3
const NEWLINE = Buffer.from('\n')

export class LineWriter {
  #fd: number
  readonly #events: LineWriterEvents
  readonly #limit: number
  /** Lines are put into bytes as they come: as one long string they would keep the garbage collector busy. */
  #waiting = Buffer.allocUnsafe(ROOM)
  #waitingBytes = 0
  #waitingLines = 0
  /** Takes the place of `#waiting` while that is being written. */
  #spare = Buffer.allocUnsafe(ROOM)
  #lostLines = 0
  /** Whether a failed write has left a line unfinished. */
  #broken = false
  #draining: Promise<void> | undefined
  /** How many cannot wait while lines gather. */
  #impatient = 0
  /** Called to end the gathering of lines. */
  #hurry = () => {}
  readonly #replacements: { fd: number; done: () => void }[] = []
  readonly #atExit = () => this.#writeRest()

  /**
   * @param fd an open file, which becomes this writer's to close (but for standard error)
   * @param limit how many bytes may wait before lines are lost
   */
  constructor(fd: number, events: LineWriterEvents, limit: number = WAITING_LIMIT) {
    this.#fd = fd
    this.#events = events
    this.#limit = limit
    process.on('exit', this.#atExit)
  }

  /** Takes a line, which ends in a newline; returns at once. */
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

  /** Waits until everything taken so far is written or lost. */
  async flush(): Promise<void> {
    await this.#atOnce(async () => this.#draining)
  }

  /** Goes on with another open file and closes the old one; no line is lost or written twice. */
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
    // Lines of one turn of the event loop go out together.
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

  /** Does something that waits for lines to be written. */
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
      // At its end, the process writes what is left without being kept waiting.
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
      // Of a batch that broke off, all lines count as lost: which bytes arrived is not worth knowing.
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
   * At the end of the process nothing asynchronous happens any more. A batch already handed to the thread
   * pool is still written, as Node waits for its threads, but possibly after what is written here.
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

  /** Gives what waits; its bytes stay as they are until more was taken twice. */
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
    // Closing only says again what writing has said.
    if (this.#fd > 2) await closeFile(this.#fd).catch(() => undefined)
  }
}

/** Whether a pipe or terminal in non-blocking mode has no room just now. */
function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN'
}
