/**
 * Leaving the terminal. Node cannot fork, so the daemon starts a second copy of
 * itself in a session of its own and waits until that copy says over a pipe
 * that it serves, or why not. Whoever started us therefore learns of every
 * failure of the start by message and exit status.
 *
 * The copy gets the same arguments in the same folder, so relative paths mean
 * the same in it; it must make them absolute before it reports ready, as that
 * moves it to `/`.
 */
import { spawn } from 'node:child_process'
import { Failure } from '../failure.ts'

/** Tells a copy that it is one. */
const MARK = 'GANETI_RAPI_DETACHED'

/** What a copy reports, once. */
type Report = { readonly ready: true } | { readonly ready: false; readonly message: string }

/**
 * Starts a detached copy of this program.
 *
 * @param args the script to run and its arguments
 * @param patience how long the copy may take to report, in milliseconds
 * @returns its process id, once it has reported that it is ready
 * @throws Failure `internal` with the copy's own message, or saying how it ended without one
 */
export async function startDetached(args: readonly string[], patience = 60_000): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
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

/** The process that started this copy and waits for word from it. */
export interface Starter {
  /** Lets go: we serve, and the starter may end. Moves us to `/`. */
  reportReady(): Promise<void>
  /** Says in one line why there is nothing to wait for; the copy must end now. */
  reportFailure(message: string): Promise<void>
}

/**
 * Whether we are a detached copy; to be asked once, before anything is opened.
 * Takes the file mode mask that Ganeti's daemons have (077), and ends this
 * process if the starter goes away before it was told anything (the operator
 * interrupted it).
 *
 * @returns the starter, or undefined in a program that was started as any other
 */
export function detachedFrom(): Starter | undefined {
  if (process.env[MARK] === undefined || process.send === undefined) return undefined
  // Our own children are no copies.
  delete process.env[MARK]
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
