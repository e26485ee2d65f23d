/**
 * Daemonizing: starts a copy of this program in another process, as Node can
 * neither fork nor exec: detached from the terminal, or in the foreground as
 * another user.
 *
 * The process that starts it is its starter. Over a pipe, the starter sends a
 * value once, which the copy may not be able to read itself, and forwards
 * signals; a detached copy reports that it is ready, or why not. So every
 * failure of the start is visible as a message and an exit status.
 *
 * A copy gets the same arguments in the same folder, so relative paths are valid
 * in it; a detached copy must make them absolute before it reports ready, as it
 * then changes its folder to `/`. A copy has a session of its own, so that it
 * survives when the terminal closes, and, in the foreground, so that the other
 * user does not get the terminal, and Ctrl-C does not reach the copy twice.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { Failure } from '../failure.ts'
import type { Command } from './privileges.ts'
import { signalNumber } from './signals.ts'

/** The environment variable that tells a copy of which kind it is. */
const MARK = 'GANETI_RAPI_COPY'
type Kind = 'detached' | 'foreground'

/** Messages of the starter: first a JSON value, once; then signals. */
type Word = { readonly handedOver: unknown } | { readonly signal: NodeJS.Signals }
/** The report of a detached copy, sent once. */
type Report = { readonly ready: true } | { readonly ready: false; readonly message: string }

/** The forwarded signals. Others have their default effect on the starter, and when it ends, the copy ends too. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Starts a detached copy of this program.
 *
 * @param command the interpreter, the script to run and its arguments
 * @param handedOver the value for the copy
 * @param patience the timeout for its report, in milliseconds
 * @returns its process id, once it has reported that it is ready
 * @throws Failure `internal` with the copy's own message, or with how it ended without one
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
      // A report may still arrive after the copy has ended, but not after the pipe is closed too.
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
 * Runs a copy of this program in the foreground until it ends. If this process
 * is killed, the copy stops as after SIGTERM.
 *
 * @param command the interpreter, the script to run and its arguments
 * @param handedOver the value for the copy
 * @returns its exit status; if a signal ended it, 128 plus the signal's number
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

/** Sends a message to a copy; errors are ignored, as its end is noticed by other events. */
function tell(child: ChildProcess, word: Word): void {
  if (child.connected) child.send(word, () => {})
}

/** The process that started this copy. */
export interface Starter {
  /** The value that it sends. */
  readonly handedOver: Promise<unknown>
  /** Emits forwarded signals, like `process`; in the foreground also SIGTERM when the starter has ended. */
  readonly signals: EventEmitter
  /** Reports that we serve; a detached copy then changes its folder to `/`, and its starter may end. */
  reportReady(): Promise<void>
  /** Reports in one line why the start failed; the copy must then end. */
  reportFailure(message: string): Promise<void>
}

/**
 * Gives the starter if this process is a copy; must be called once, before
 * anything is opened. Until there is a listener for forwarded signals, they end
 * this process. If the starter ends before the report (the operator interrupted
 * it), this process ends too. A detached copy gets the umask of Ganeti's daemons
 * (077).
 *
 * @returns the starter, or undefined if this process is not a copy
 */
export function starterOfCopy(): Starter | undefined {
  const kind = process.env[MARK] as Kind | undefined
  if (kind === undefined || process.send === undefined) return undefined
  // Our own child processes are not copies.
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
      // Errors are ignored: the starter may have just ended.
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

/** This starter waits only for the end of the copy, and shares its standard error. */
function inForeground(handedOver: Promise<unknown>, stop: () => void): Reporting {
  process.once('disconnect', stop)
  // The pipe must not keep this process alive.
  handedOver.then(() => process.channel?.unref())
  return {
    reportReady: async () => {},
    reportFailure: async (message) => {
      process.stderr.write(`${message}\n`)
    },
  }
}
