/**
 * A copy of this program in a process of its own, as Node can neither fork nor
 * exec: detached from the terminal, or in the foreground as another user.
 *
 * The one that starts it is its starter. Over a pipe between them the starter
 * hands over a value, once, which the copy may be unable to read itself, and
 * passes on signals; a detached copy says that it serves, or why not. Whoever
 * started us therefore learns of every failure of the start by message and
 * exit status.
 *
 * A copy gets the same arguments in the same folder, so relative paths mean the
 * same in it; a detached one must make them absolute before it reports ready, as
 * that moves it to `/`. It is in a session of its own. That keeps it alive when
 * the terminal closes, and in the foreground it keeps the terminal from another
 * user, and Ctrl-C from reaching the copy twice.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { Failure } from '../failure.ts'
import type { Command } from './privileges.ts'
import { signalNumber } from './signals.ts'

/** Tells a copy that it is one, and of which kind. */
const MARK = 'GANETI_RAPI_COPY'
type Kind = 'detached' | 'foreground'

/** What the starter says: a value as JSON has it, first and once; signals. */
type Word = { readonly handedOver: unknown } | { readonly signal: NodeJS.Signals }
/** What a detached copy reports, once. */
type Report = { readonly ready: true } | { readonly ready: false; readonly message: string }

/** Those that ask a daemon for something; others do to the starter what they always do, which ends the copy too. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Starts a detached copy of this program.
 *
 * @param command the interpreter, the script to run and its arguments
 * @param handedOver what the copy is given
 * @param patience how long the copy may take to report, in milliseconds
 * @returns its process id, once it has reported that it is ready
 * @throws Failure `internal` with the copy's own message, or saying how it ended without one
 */
export async function startDetached(
  command: Command,
  handedOver: unknown,
  patience = 60_000,
): Promise<number> {
  const child = startCopy('detached', command, handedOver)
  let timer: NodeJS.Timeout | undefined
  try {
    const report = await new Promise<Report>((resolve, reject) => {
      child.once('message', resolve)
      child.once('error', reject)
      // A report may still be on its way when the copy has ended; none comes once the pipe is closed too.
      const fail = () => {
        if (child.connected || (child.exitCode === null && child.signalCode === null)) return
        const how = child.signalCode === null ? `with status ${child.exitCode}` : `by ${child.signalCode}`
        reject(new Failure('internal', `the daemon process ended ${how} before it was ready`))
      }
      child.once('exit', fail)
      child.once('disconnect', fail)
      timer = setTimeout(() => {
        child.kill('SIGKILL')
        reject(new Failure('internal', `the daemon process was not ready after ${patience / 1000} seconds`))
      }, patience)
    })
    if (!report.ready) throw new Failure('internal', report.message)
    return child.pid as number
  } finally {
    clearTimeout(timer)
    if (child.connected) child.disconnect()
    child.unref()
  }
}

/**
 * Runs a copy of this program in the foreground, to its end. It stops, as if
 * asked to, should we be killed.
 *
 * @param command the interpreter, the script to run and its arguments
 * @param handedOver what the copy is given
 * @returns its exit status; for one that a signal ended, 128 and the signal's number
 */
export async function runInForeground(command: Command, handedOver: unknown): Promise<number> {
  const child = startCopy('foreground', command, handedOver)
  const passOn = (signal: NodeJS.Signals) => tell(child, { signal })
  for (const signal of PASSED_ON) process.on(signal, passOn)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (status, signal) => resolve(status ?? 128 + signalNumber(signal as NodeJS.Signals)))
    })
  } finally {
    for (const signal of PASSED_ON) process.off(signal, passOn)
  }
}

function startCopy(kind: Kind, [program, ...args]: Command, handedOver: unknown): ChildProcess {
  const output = kind === 'detached' ? 'ignore' : 'inherit'
  const child = spawn(program, args, {
    detached: true,
    env: { ...process.env, [MARK]: kind },
    stdio: ['ignore', output, output, 'ipc'],
  })
  tell(child, { handedOver })
  return child
}

/** Says something to a copy that may be ending; how it ended, we hear anyway. */
function tell(child: ChildProcess, word: Word): void {
  if (child.connected) child.send(word, () => {})
}

/** The process that started this copy. */
export interface Starter {
  /** What it hands over. */
  readonly handedOver: Promise<unknown>
  /** Emits signals that it passes on, as `process` does our own; to a copy in the foreground SIGTERM where it has gone. */
  readonly signals: EventEmitter
  /** Says that we serve: where we are detached the starter may end, and we move to `/`. */
  reportReady(): Promise<void>
  /** Says in one line why there is nothing to wait for; the copy must end now. */
  reportFailure(message: string): Promise<void>
}

/**
 * Whether we are a copy; to be asked once, before anything is opened. Until
 * something listens to the signals that are passed on, they end this process.
 * So does the end of a starter that was told nothing yet: the operator
 * interrupted it. A detached copy gets the file mode mask that Ganeti's daemons
 * have (077).
 *
 * @returns the starter, or undefined in a program that was started as any other
 */
export function starterOfCopy(): Starter | undefined {
  const kind = process.env[MARK] as Kind | undefined
  if (kind === undefined || process.send === undefined) return undefined
  // Our own children are no copies.
  delete process.env[MARK]

  const signals = new EventEmitter()
  const pass = (signal: NodeJS.Signals) => {
    if (!signals.emit(signal, signal)) process.exit(128 + signalNumber(signal))
  }
  const handedOver = new Promise<unknown>((resolve) => {
    process.on('message', (word: Word) => {
      if ('signal' in word) pass(word.signal)
      else resolve(word.handedOver)
    })
  })
  const common = { handedOver, signals }
  return kind === 'detached'
    ? { ...common, ...detached() }
    : { ...common, ...inForeground(handedOver, () => pass('SIGTERM')) }
}

type Reporting = Pick<Starter, 'reportReady' | 'reportFailure'>

function detached(): Reporting {
  process.umask(0o077)
  const abandoned = () => process.exit(1)
  process.once('disconnect', abandoned)
  const report = (what: Report) =>
    new Promise<void>((resolve) => {
      process.off('disconnect', abandoned)
      // A starter that has just gone needs no word.
      process.send?.(what, undefined, undefined, () => {
        if (process.connected) process.disconnect?.()
        resolve()
      })
    })
  return {
    reportReady: () => {
      process.chdir('/')
      return report({ ready: true })
    },
    reportFailure: (message) => report({ ready: false, message }),
  }
}

/** Such a starter waits for our end alone, and has the same standard error. */
function inForeground(handedOver: Promise<unknown>, stop: () => void): Reporting {
  process.once('disconnect', stop)
  // The pipe does not keep us from ending.
  handedOver.then(() => process.channel?.unref())
  return {
    reportReady: async () => {},
    reportFailure: async (message) => {
      process.stderr.write(`${message}\n`)
    },
  }
}
