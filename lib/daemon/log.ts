/**
 * The log, in the line format of Ganeti's daemons, so that people and programs
 * which read those logs can read ours:
 *
 *     2026-11-22 04:50:39,082: ganeti-rapi pid=905 INFO 127.0.0.1:54442 GET /2/info HTTP/1.1 200
 *
 * Local time, milliseconds after a comma. With debugging on, file and line of
 * the caller come before the level:
 *
 *     2026-11-22 05:09:51,708: ganeti-rapi pid=9531 users-file:42 INFO Reading users file at ...
 *
 * As JSON, each line is an object with the same information, and for a request
 * with its parts:
 *
 *     {"time": "2026-11-22T04:50:39.082+01:00", "program": "ganeti-rapi", "pid": 905,
 *      "level": "INFO", "message": "127.0.0.1:54442 GET /2/info HTTP/1.1 200", "status": 200, ...}
 *
 * A message is always one line without control characters. Text from clients
 * goes through `escapeForLog` first (against log injection), so that it cannot
 * imitate our escapes either.
 */
import { constants, openSync } from 'node:fs'
import { Failure } from '../failure.ts'
import { jsonLine } from './json-line.ts'
import { LineWriter, type LineWriterEvents } from './line-writer.ts'
import { openingStep } from './opening-step.ts'
import { rfc3339 } from './rfc3339.ts'
import { Syslog } from './syslog.ts'

/** The log for all parts of the daemon. Messages must not contain passwords. */
export interface Log {
  /** For debugging; dropped unless that is on. */
  debug(message: string): void
  info(message: string): void
  warning(message: string): void
  error(message: string): void
  /** The daemon cannot go on. */
  critical(message: string): void
}

/** Ganeti's names of the levels and syslog's numbers for them. */
const PRIORITIES = { DEBUG: 7, INFO: 6, WARNING: 4, ERROR: 3, CRITICAL: 2 } as const
type Level = keyof typeof PRIORITIES

export interface LogOptions {
  /** The daemon's name in each line. */
  readonly program: string
  /** Whether to log debug messages, and the caller's file and line. */
  readonly debug: boolean
  /** The log file; created with mode 0600. Ignored if syslog is `only`. */
  readonly file?: string
  /** Whether to write to standard error as well. */
  readonly stderr: boolean
  /** The form of each line, except in syslog. */
  readonly format?: 'ganeti' | 'json'
  /** Syslog besides the file (`yes`), instead of it (`only`) or not at all; debug messages never go there. */
  readonly syslog: 'no' | 'yes' | 'only'
  /** The socket of syslogd; default: that of logger(1). */
  readonly syslogSocket?: string
}

/** A destination of log lines. */
interface Destination {
  /** Its name in messages about failures of the log. */
  readonly name: string
  /**
   * @param line the message in the form of the log, ending in a newline
   * @param message the message alone
   */
  write(level: Level, line: string, message: string): void
  reopen?(): Promise<void>
  flush(): Promise<void>
  close(): Promise<void>
}

/** The daemon's own log. Buffered lines are written when the process exits. */
export class DaemonLog implements Log {
  readonly #program: string
  readonly #debug: boolean
  /** Whether lines are JSON. */
  readonly isJson: boolean
  readonly #destinations: Destination[] = []
  /** Why lines are lost, by the name of the destination. */
  readonly #lost = new Map<string, string>()
  #second = -1
  #secondText = ''
  #millisecond = -1
  #stamp = ''

  /**
   * Opens every destination.
   * @throws Failure `configuration` if the file cannot be opened or logger(1) is missing
   */
  constructor(options: LogOptions) {
    this.#program = options.program
    this.#debug = options.debug
    this.isJson = options.format === 'json'
    if (options.file !== undefined && options.syslog !== 'only') {
      this.#destinations.push(this.#fileDestination(options.file))
    }
    if (options.syslog !== 'no') this.#destinations.push(this.#syslogDestination(options.syslogSocket))
    if (options.stderr) this.#destinations.push(this.#stderrDestination())
  }

  debug(message: string): void {
    if (this.#debug) this.#write('DEBUG', onOneLine(message), this.debug)
  }

  info(message: string): void {
    this.#write('INFO', onOneLine(message), this.info)
  }

  /**
   * Logs the line of a request; texts from clients in it must have gone through `escapeForLog`.
   * @param parts for a log in JSON: its parts, in which the texts of clients are as they were sent
   */
  request(line: string, parts?: object): void {
    this.#write('INFO', line, this.request, parts)
  }

  warning(message: string): void {
    this.#write('WARNING', onOneLine(message), this.warning)
  }

  error(message: string): void {
    this.#write('ERROR', onOneLine(message), this.error)
  }

  critical(message: string): void {
    this.#write('CRITICAL', onOneLine(message), this.critical)
  }

  /** Reopens the log file after rotation; if that fails, logs it and keeps the old one. */
  async reopen(): Promise<void> {
    for (const destination of this.#destinations) {
      try {
        await destination.reopen?.()
      } catch (error) {
        this.error(
          `Cannot reopen ${destination.name}, going on with the old one: ${(error as Error).message}`,
        )
      }
    }
  }

  /**
   * Checks that lines can be written to every destination, and writes one to those that lost some.
   * @throws Failure `configuration` with the reason
   */
  check(): void {
    const [lost, ...others] = [...this.#lost]
    if (!lost) return
    const [, reason] = lost
    for (const [name] of [lost, ...others]) {
      const destination = this.#destinations.find((one) => one.name === name)
      const message = 'Trying whether this log can be written again'
      destination?.write('INFO', this.#line('INFO', message), message)
    }
    throw new Failure('configuration', reason)
  }

  /** Waits until all lines so far are written. */
  async flush(): Promise<void> {
    await Promise.all(this.#destinations.map((destination) => destination.flush()))
  }

  /** Writes buffered lines and closes every destination; nothing may be logged afterwards. */
  async close(): Promise<void> {
    await Promise.all(this.#destinations.splice(0).map((destination) => destination.close()))
  }

  /**
   * @param message without control characters
   * @param verb the method that was called, whose caller is named
   */
  #write(level: Level, message: string, verb: (message: string) => void, parts?: object): void {
    const line = this.#line(level, message, this.#debug ? callerOf(verb) : '', parts)
    for (const destination of this.#destinations) destination.write(level, line, message)
  }

  #line(level: Level, message: string, caller = '', parts?: object): string {
    if (!this.isJson) return `${this.#head(caller === '' ? '' : ` ${caller}`)} ${level} ${message}\n`
    const time = rfc3339(Date.now())
    const [program, at] = [this.#program, caller === '' ? undefined : caller]
    return jsonLine({ time, program, pid: process.pid, at, level, message, ...parts })
  }

  /** Logs the failure of one destination to the others. */
  #report(level: Level, message: string, except: string): void {
    const text = onOneLine(message)
    const line = this.#line(level, text)
    for (const destination of this.#destinations) {
      if (destination.name !== except) destination.write(level, line, text)
    }
  }

  #head(caller: string): string {
    const now = Date.now()
    if (now !== this.#millisecond) {
      this.#millisecond = now
      const second = Math.floor(now / 1000)
      if (second !== this.#second) {
        this.#second = second
        this.#secondText = localTime(new Date(now))
      }
      const milliseconds = String(now % 1000).padStart(3, '0')
      this.#stamp = `${this.#secondText},${milliseconds}: ${this.#program} pid=${process.pid}`
    }
    return caller === '' ? this.#stamp : this.#stamp + caller
  }

  #eventsOf(name: string): LineWriterEvents {
    return {
      lost: (error) => {
        const reason = `Cannot write to ${name}: ${error.message}`
        this.#lost.set(name, reason)
        this.#report('ERROR', reason, name)
      },
      recovered: (lines) => {
        this.#lost.delete(name)
        this.#report('WARNING', `${lines} lines could not be written to ${name}`, '')
      },
    }
  }

  #fileDestination(path: string): Destination {
    const name = `the log file '${path}'`
    const writer = new LineWriter(openLogFile(path), this.#eventsOf(name))
    return {
      name,
      ...lineDestination(writer),
      reopen: async () => writer.replace(openLogFile(path)),
    }
  }

  #stderrDestination(): Destination {
    const name = 'standard error'
    return { name, ...lineDestination(new LineWriter(2, this.#eventsOf(name))) }
  }

  #syslogDestination(socket: string | undefined): Destination {
    const name = 'syslog'
    const events = this.#eventsOf(name)
    const syslog = new Syslog({ program: this.#program, events, ...(socket === undefined ? {} : { socket }) })
    return {
      name,
      write: (level, _line, message) => {
        // The level is in the text too, as a remote syslog often drops its number.
        if (level !== 'DEBUG') syslog.write(PRIORITIES[level], `${level} ${message}`)
      },
      flush: async () => undefined,
      close: () => syslog.close(),
    }
  }
}

function lineDestination(writer: LineWriter): Pick<Destination, 'write' | 'flush' | 'close'> {
  return {
    write: (_level, line) => writer.write(line),
    flush: () => writer.flush(),
    close: () => writer.close(),
  }
}

function openLogFile(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
  } catch (error) {
    throw new Failure('configuration', `cannot open the log file '${path}'`, {
      cause: error,
      nextStep: openingStep(error, path),
    })
  }
}

function localTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Names file and line of the caller of a function: `users-file:42`. */
function callerOf(callee: (message: string) => void): string {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, callee)
  const caller = trace.stack?.split('\n', 2)[1] ?? ''
  const [, file, line] = /([^/\\]+)\.[cm]?[jt]s:(\d+):\d+\)?$/.exec(caller) ?? []
  return file === undefined ? 'unknown:0' : `${file}:${line}`
}

/** Invisible characters: control, format and private characters, lone surrogates, line separators. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu
const INVISIBLE_OR_BACKSLASH = /[\\\p{C}\p{Zl}\p{Zp}]/gu
const SOMETHING_UNUSUAL = /[^\x20-\x7e]|\\/

/** The most characters of a client's text in the log: as many as a request line may have. */
const LONGEST = 8192

/**
 * Escapes a client's text for the log: on one line, without control sequences
 * for terminals. Such characters become `\x0a` or `\u{202e}`, and a backslash is
 * doubled, so that escaping is reversible. After 8192 characters the text is cut,
 * with `\...` at its end.
 */
export function escapeForLog(text: string): string {
  if (text.length > LONGEST) return `${escapeForLog(text.slice(0, LONGEST))}\\...`
  return SOMETHING_UNUSUAL.test(text) ? text.replace(INVISIBLE_OR_BACKSLASH, escaped) : text
}

/** Escapes control characters in any message; does not change the result of `escapeForLog`. */
function onOneLine(message: string): string {
  return SOMETHING_UNUSUAL.test(message) ? message.replace(INVISIBLE, escaped) : message
}

function escaped(character: string): string {
  if (character === '\\') return '\\\\'
  const code = (character.codePointAt(0) as number).toString(16)
  return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`
}
