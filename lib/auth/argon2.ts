/**
 * Checks argon2 passwords in a process of its own (argon2-process.ts), which
 * starts with the first one and ends when there was none for a while.
 *
 * A check keeps as many processors busy as the entry has lanes, for a tenth of a
 * second. Where passwords are guessed, that never ends, and a thread that wakes
 * to serve somebody would have to wait until the scheduler takes a processor from
 * those, which may be some milliseconds, whatever their priorities. So the
 * process leaves one out, for those who are served. It also takes the memory of
 * the checks with it when it ends.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/** What the process is asked; answers come in any order. */
export interface Question {
  readonly id: number
  /** What the users file has behind {ARGON2}. */
  readonly phc: string
  readonly password: string
}

/** Whether the password is the listed one, or why that could not be told. */
export type Answer =
  | { readonly id: number; readonly matches: boolean }
  | { readonly id: number; readonly error: string }

const PROGRAM = new URL('./argon2-process.js', import.meta.url)
/**
 * How it is started, with a list of processors and the program: on those, and
 * below the usual priority. A sandbox, or another system than Linux, may not
 * have the former; then any processor will do.
 */
const STARTER = 'taskset -cp "$0" $$ >/dev/null 2>&1; exec nice -n 10 "$@"'
/** How long the process stays without work, in milliseconds: it takes as much memory as it takes time to start. */
const IDLE = 60_000

let present: Argon2Process | undefined

/**
 * Whether `password` is the one in a PHC string.
 * @throws Failure `unavailable` where that cannot be computed now, say for want of memory, or not on this machine
 */
export async function verifyArgon2(phc: string, password: string): Promise<boolean> {
  try {
    present ??= new Argon2Process((gone) => {
      if (present === gone) present = undefined
    })
    return await present.verify(phc, password)
  } catch (cause) {
    throw new Failure('unavailable', 'The password cannot be checked now', { cause })
  }
}

interface Waiting {
  resolve(matches: boolean): void
  reject(error: Error): void
}

class Argon2Process {
  readonly #child: ChildProcess
  /** Called when no more is to be asked of it, and again when it has ended. */
  readonly #gone: (process: Argon2Process) => void
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0
  #idle: NodeJS.Timeout | undefined

  constructor(gone: (process: Argon2Process) => void) {
    this.#gone = gone
    this.#child = fork(PROGRAM, {
      execPath: '/bin/sh',
      execArgv: ['-c', STARTER, allButOne(ownProcessors()).join(), process.execPath],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (answer: Answer) => this.#take(answer))
    this.#child.on('error', (error) => this.#fail(error))
    this.#child.on('exit', (status, signal) => {
      this.#fail(new Error(`the process that checks passwords ended (${signal ?? status})`))
    })
  }

  verify(phc: string, password: string): Promise<boolean> {
    clearTimeout(this.#idle)
    this.#child.ref()
    this.#child.channel?.ref()
    const question: Question = { id: ++this.#asked, phc, password }
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject })
      // Where it could not be started, say for want of descriptors, an event will say so.
      if (this.#child.pid !== undefined) this.#child.send(question, (error) => error && this.#fail(error))
    })
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.matches)
    if (this.#waiting.size > 0) return
    // It does not keep us from ending, and ends with us.
    this.#child.unref()
    this.#child.channel?.unref()
    this.#idle = setTimeout(() => this.#retire(), IDLE).unref()
  }

  #retire(): void {
    this.#gone(this)
    this.#child.disconnect()
  }

  #fail(error: Error): void {
    this.#gone(this)
    clearTimeout(this.#idle)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** The numbers of the processors that we may run on; empty where that cannot be told. */
function ownProcessors(): number[] {
  let status: string
  try {
    status = readFileSync('/proc/self/status', 'latin1')
  } catch {
    return []
  }
  const [, list] = /^Cpus_allowed_list:\s*(.*)$/m.exec(status) ?? []
  if (list === undefined) return []
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

function allButOne(processors: readonly number[]): readonly number[] {
  return processors.length > 1 ? processors.slice(1) : processors
}
