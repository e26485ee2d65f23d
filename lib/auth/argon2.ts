/**
 * Checks argon2 passwords in a separate process (argon2-process.ts), which
 * starts with the first check and ends after a time without any.
 *
 * A check keeps as many processors busy as the entry has lanes, for a tenth of a
 * second. While someone guesses passwords, that never ends, and the thread that
 * serves requests would have to wait some milliseconds for a processor, at any
 * priority. So the process does not run on one of the processors (CPU affinity).
 * Also, the memory of the checks is freed when the process ends.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/** A request to the process; answers come in any order. */
export interface Question {
  readonly id: number
  /** What follows {ARGON2} in the users file. */
  readonly phc: string
  readonly password: string
}

/** Whether the password matches, or why that could not be checked. */
export type Answer =
  | { readonly id: number; readonly matches: boolean }
  | { readonly id: number; readonly error: string }

const PROGRAM = new URL('./argon2-process.js', import.meta.url)
/**
 * Starts the program with a low priority, on a list of processors if taskset(1)
 * works, which may be missing in a sandbox or on systems other than Linux.
 */
const STARTER = 'taskset -cp "$0" $$ >/dev/null 2>&1; exec nice -n 10 "$@"'
/** How long the idle process stays, in milliseconds: a balance between its memory and the time to start it. */
const IDLE = 60_000

let present: Argon2Process | undefined

/**
 * Whether `password` is the one in a PHC string.
 * @throws Failure `unavailable` if that cannot be computed now, e.g. for lack of memory, or not on this machine
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
  /** Called when it must not be used any more, and again when it has ended. */
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
      // If it could not be started, e.g. for lack of file descriptors, an 'error' event follows.
      if (this.#child.pid !== undefined) this.#child.send(question, (error) => error && this.#fail(error))
    })
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.matches)
    if (this.#waiting.size > 0) return
    // An idle process does not keep the daemon alive, and ends with it.
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

/** The numbers of the processors that we may run on; empty if unknown. */
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
