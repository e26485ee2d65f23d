/**
 * A whole tree for one daemon under a folder of its own, as GANETI_ROOTDIR has
 * it, and the real program running in it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { userToBecome } from '../../lib/daemon/privileges.ts'
import { makeCertificate } from './certificate.ts'

export const PROGRAM = fileURLToPath(new URL('../../../bin/ganeti-rapi', import.meta.url))

/**
 * The command line of the program for another user: the test runner adds to the
 * environment of every process, which makes theirs write where they may not.
 */
export function withBareEnvironment(environment: Record<string, string>, ...args: string[]): string[] {
  const settings = Object.entries({ PATH: process.env.PATH, ...environment }).map(
    ([name, value]) => `${name}=${value}`,
  )
  return ['env', '-i', ...settings, PROGRAM, ...args]
}

/** A file of test/fixtures. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url))
}

export interface Outcome {
  /** Exit status, or the signal that ended the program. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Reply {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

export class DaemonRoot {
  readonly pem: string
  readonly users: string
  readonly configData: string
  readonly clusterYaml: string
  readonly log: string
  readonly auditLog: string
  readonly pidFile: string
  readonly #children: ChildProcess[] = []
  /** Process ids of daemons that have left us. */
  readonly #daemons = new Set<number>()
  #origin = ''

  /**
   * @param root an empty folder
   * @param uid whom to run the program as, if not as ourselves
   * @param hostName the name that the machine has for the program, if not its own
   */
  constructor(
    readonly root: string,
    readonly uid?: number,
    readonly hostName?: string,
  ) {
    const state = join(root, 'var/lib/ganeti')
    this.pem = join(state, 'rapi.pem')
    this.users = join(state, 'rapi/users')
    this.configData = join(state, 'config.data')
    this.clusterYaml = join(state, 'cluster.yaml')
    this.log = join(root, 'var/log/ganeti/rapi-daemon.log')
    this.auditLog = join(root, 'var/log/ganeti/rapi-audit.log')
    this.pidFile = join(root, 'var/run/ganeti/ganeti-rapi.pid')
    for (const file of [this.users, this.log, this.pidFile]) mkdirSync(dirname(file), { recursive: true })
  }

  /** Fills the tree: a certificate, users, and a cluster's state. */
  fill(users: string, state: { configData?: string; clusterYaml?: string }): void {
    renameSync(makeCertificate(this.root).pem, this.pem)
    writeFileSync(this.users, users, { mode: 0o600 })
    if (state.configData !== undefined) writeFileSync(this.configData, state.configData)
    if (state.clusterYaml !== undefined) writeFileSync(this.clusterYaml, state.clusterYaml)
    this.#handOver()
  }

  /** Started by root, the daemon serves as Ganeti's user for it, if there is that user: the tree is to be theirs. */
  #handOver(): void {
    const user = this.uid === undefined ? userToBecome('gnt-rapi') : undefined
    if (user) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, this.root])
  }

  /** Runs the program to its end. */
  async run(...args: string[]): Promise<Outcome> {
    return outcome(this.spawn(...args))
  }

  /** Starts a daemon that leaves its terminal; once this is done it serves at `origin`. */
  async start(...args: string[]): Promise<Outcome> {
    const before = this.logLines.length
    const started = await this.run(...args)
    if (started.status !== 0) return started
    if (this.pid !== undefined) this.#daemons.add(this.pid)
    // The log is written while other things happen.
    await this.logged(/\bListening on /, before)
    return started
  }

  /** Starts the program; what is not waited for is ended by `end`. */
  spawn(...args: string[]): ChildProcess {
    const environment = {
      GANETI_ROOTDIR: this.root,
      ...(this.hostName !== undefined && { GANETI_HOSTNAME: this.hostName }),
    }
    const [program = PROGRAM, ...rest] =
      this.uid === undefined ? [PROGRAM, ...args] : withBareEnvironment(environment, ...args)
    const child = spawn(program, rest, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(this.uid !== undefined && { uid: this.uid, gid: this.uid }),
    })
    this.#children.push(child)
    return child
  }

  /** The number in the pid file; undefined without one. */
  get pid(): number | undefined {
    return existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8')) : undefined
  }

  get logText(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8') : ''
  }

  get logLines(): string[] {
    return this.logText.split('\n').slice(0, -1)
  }

  /** Where the daemon last said that it listens, be it in a log that was since rotated: `https://127.0.0.1:40123`. */
  get origin(): string {
    this.#origin = this.logText.match(/(?<=Listening on )\S+(?=\/(?:"\})?$)/gm)?.at(-1) ?? this.#origin
    return this.#origin
  }

  /** Waits until the log has a line that was not among the first `after` lines. */
  async logged(pattern: RegExp, after = 0): Promise<string> {
    for (;;) {
      const line = this.logLines.slice(after).find((one) => pattern.test(one))
      if (line !== undefined) return line
      await delay(10)
    }
  }

  /** Does something and waits for a line in the log that follows from it. */
  async loggedAfter(act: () => unknown, pattern: RegExp): Promise<string> {
    const before = this.logLines.length
    act()
    return this.logged(pattern, before)
  }

  /** Asks the daemon, trusting no certificate but ours. */
  async get(target: string, credentials?: string): Promise<Reply> {
    return this.ask('GET', target, { credentials })
  }

  /**
   * As `get`, with any method.
   * @param body a JSON text
   */
  async ask(
    method: string,
    target: string,
    {
      credentials,
      headers = {},
      body,
    }: { credentials?: string | undefined; headers?: Record<string, string>; body?: string | undefined } = {},
  ): Promise<Reply> {
    const url = this.origin + target
    const options = {
      method,
      headers: {
        ...headers,
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        }),
      },
      ...(credentials !== undefined && { auth: credentials }),
      agent: false as const,
    }
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ...options, ca: readFileSync(this.pem) })
      : httpRequest(url, options)
    const answered = once(request, 'response')
    request.end(body)
    const [response] = await answered
    return { status: response.statusCode, headers: response.headers, body: await text(response) }
  }

  /** Ends whatever still runs, without ceremony, and waits until it has ended; the folder may be gone. */
  async end(): Promise<void> {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL')
    for (const pid of this.#daemons) {
      if (this.#isOurs(pid)) signal(pid, 'SIGKILL')
      while (this.#isOurs(pid)) await delay(10)
    }
  }

  /** Whether a process was started in this root: its number may be somebody else's by now. */
  #isOurs(pid: number): boolean {
    if (!isRunning(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`GANETI_ROOTDIR=${this.root}`)
    } catch {
      return false
    }
  }
}

/** What becomes of a program. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  const [stdout, stderr, [code, ended]] = await Promise.all([
    text(child.stdout as NonNullable<typeof child.stdout>),
    text(child.stderr as NonNullable<typeof child.stderr>),
    once(child, 'close'),
  ])
  return { status: ended ?? code, stdout, stderr }
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {}
}

/** Tries until it works; the test's own time limit ends the tries at what never does. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch {
      await delay(10)
    }
  }
}

/** Whether there is such a process, other than one that has ended and whose parent has not looked yet. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Puts a file in the place of another as careful writers do: by renaming. */
export function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
