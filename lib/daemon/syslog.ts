/**
 * Syslog by means of logger(1): syslogd listens on a Unix datagram socket, which
 * Node does not support. One logger process runs as long as the daemon and reads
 * lines, each with its priority in front:
 *
 *     <6>INFO 192.0.2.1:54442 GET /2/info HTTP/1.1 200
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../failure.ts'
import type { LineWriterEvents } from './line-writer.ts'

/** How many bytes may be buffered for the logger before lines are dropped. */
const WAITING_LIMIT = 1024 * 1024
/** The pause before a logger that ended is started again, in milliseconds. */
const RESTART_PAUSE = 10_000
/** How long a logger must run to count as connected to syslogd, in milliseconds. */
const PROBATION = 1000
/** The timeout for the logger to finish at the end, in milliseconds. */
const LAST_WAIT = 2000

export interface SyslogOptions {
  /** The name before each message, which is followed by our process id. */
  readonly program: string
  readonly events: LineWriterEvents
  /** The socket of syslogd; default: that of logger(1). */
  readonly socket?: string
}

type Logger = ChildProcessByStdio<Writable, null, null>

export class Syslog {
  readonly #options: SyslogOptions
  #logger: Logger | undefined
  #startedAt = 0
  #lostLines = 0

  /** @throws Failure `configuration` if there is no logger(1) */
  constructor(options: SyslogOptions) {
    this.#options = options
    this.#logger = this.#start()
    if (!this.#logger) throw new Failure('configuration', 'cannot log to syslog: logger(1) cannot be started')
  }

  /**
   * Sends a message; returns at once.
   * @param priority syslog's number: 2 critical, 3 error, 4 warning, 6 info
   */
  write(priority: number, message: string): void {
    if (!this.#logger && Date.now() - this.#startedAt >= RESTART_PAUSE) this.#logger = this.#start()
    const pipe = this.#logger?.stdin
    if (!pipe || pipe.writableLength > WAITING_LIMIT) {
      this.#lose(new Error(pipe ? 'it does not take lines as fast as they come' : 'logger(1) has ended'))
      return
    }
    pipe.write(`<${priority}>${message}\n`)
    if (this.#lostLines > 0 && Date.now() - this.#startedAt >= PROBATION) {
      const lost = this.#lostLines
      this.#lostLines = 0
      this.#options.events.recovered(lost)
    }
  }

  /** Closes the logger after it has sent its lines. */
  async close(): Promise<void> {
    const logger = this.#logger
    this.#logger = undefined
    if (!logger) return
    const ended = once(logger, 'exit')
    logger.ref()
    logger.stdin.end()
    await Promise.race([ended, delay(LAST_WAIT, undefined, { ref: false })])
  }

  #start(): Logger | undefined {
    const { program, socket } = this.#options
    this.#startedAt = Date.now()
    const args = ['--tag', program, `--id=${process.pid}`, '--priority', 'daemon.info', '--prio-prefix']
    // A request line alone may have 8192 bytes; without a syslogd the logger must end, not silently drop lines.
    args.push('--size', '16384', '--socket-errors=on', ...(socket === undefined ? [] : ['--socket', socket]))
    // In a session of its own, so that Ctrl-C in the terminal does not end it before our last lines.
    const logger = spawn('logger', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    const gone = () => {
      if (this.#logger !== logger) return
      this.#logger = undefined
      this.#lose(new Error('logger(1) has ended'))
    }
    logger.on('error', gone).on('exit', gone)
    // Ignore a broken pipe: the logger's 'exit' event follows.
    logger.stdin.on('error', () => undefined)
    if (logger.pid === undefined) return undefined
    logger.unref()
    ;(logger.stdin as Writable & { unref?(): void }).unref?.()
    return logger
  }

  #lose(error: Error): void {
    if (this.#lostLines++ === 0) this.#options.events.lost(error)
  }
}
