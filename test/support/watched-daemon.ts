/**
 * A daemon in the foreground with little memory, watched while clients do their
 * worst to it: whether it lives, how long its event loop stood still, what
 * memory it takes, and what its log says of each connection.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DaemonRoot, PROGRAM, withBareEnvironment } from './daemon-root.ts'
import type { ProbeMessage, ProbeQuestion } from './event-loop-probe.ts'

const PROBE = new URL('./event-loop-probe.js', import.meta.url).href

/** Of the heap for long-lived objects, in MiB. */
export const HEAP_LIMIT = 256

/** How long a daemon may do nothing at all before it counts as dead, in milliseconds: long on a machine that is busy. */
const PATIENCE = 60_000

/** A request as the log has it. */
export interface LogLine {
  readonly line: string
  /** What was sent; undefined where the connection was lost before. */
  readonly status: number | undefined
}

export interface Memory {
  /** Bytes of live objects. */
  readonly heapUsed: number
  /** Bytes outside of the heap that live objects hold. */
  readonly external: number
}

export interface WatchedDaemonOptions {
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Runs it with a `ulimit -n` of so many descriptors. */
  readonly descriptors?: number
}

export class WatchedDaemon {
  readonly #root: DaemonRoot
  readonly #child: ChildProcess
  readonly #log: LogTail
  readonly #pauses: number[] = []
  readonly #errors: string
  readonly #memoryAnswers: ((memory: Memory) => void)[] = []
  /** How it ended, with what it said on standard error; undefined while it runs. */
  ended: string | undefined
  port = 0

  private constructor(root: DaemonRoot, { args = [], environment = {}, descriptors }: WatchedDaemonOptions) {
    this.#root = root
    this.#log = new LogTail(root.log)
    this.#errors = join(root.root, 'stderr')
    writeFileSync(this.#errors, '')
    const errors = openSync(this.#errors, 'a')
    const nodeOptions = `--max-old-space-size=${HEAP_LIMIT} --import=${PROBE}`
    const command = withBareEnvironment(
      { GANETI_ROOTDIR: root.root, NODE_OPTIONS: nodeOptions, ...environment },
      ...['-f', '-b', '127.0.0.1', '-p', '0', ...args],
    )
    // Within `env -i` the number of the channel would be forgotten.
    command.splice(command.indexOf(PROGRAM), 0, 'NODE_CHANNEL_FD=3')
    if (descriptors !== undefined) {
      command.unshift('sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh')
    }
    const [program = '', ...rest] = command
    this.#child = spawn(program, rest, { stdio: ['ignore', 'ignore', errors, 'ipc'] })
    closeSync(errors)
    this.#child.on('message', (message: ProbeMessage) => {
      if (message.kind === 'pause') this.#pauses.push(message.milliseconds)
      else this.#memoryAnswers.shift()?.(message)
    })
    this.#child.on('exit', (code, signal) => {
      this.ended ??= `the daemon ended (${signal ?? `status ${code}`}): ${this.errors.slice(-2000)}`
      for (const answer of this.#memoryAnswers.splice(0)) answer({ heapUsed: 0, external: 0 })
    })
  }

  /** Starts a daemon in a tree that is filled already, and waits until it listens. */
  static async start(root: DaemonRoot, options: WatchedDaemonOptions = {}): Promise<WatchedDaemon> {
    const daemon = new WatchedDaemon(root, options)
    for (;;) {
      const [, port] = /Listening on \S+:(\d+)\/$/m.exec(daemon.errors) ?? []
      if (port !== undefined) {
        daemon.port = Number(port)
        return daemon
      }
      if (daemon.ended !== undefined) throw new Error(daemon.ended)
      await delay(10)
    }
  }

  /** What it said on standard error, which is its log and what is said of a crash; '' once the folder is gone. */
  get errors(): string {
    return existsSync(this.#errors) ? readFileSync(this.#errors, 'utf8') : ''
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** How long the event loop has stood still since this was last asked, in milliseconds, the longest pause first. */
  async takePauses(): Promise<readonly number[]> {
    await this.memory()
    return this.#pauses.splice(0).sort((a, b) => b - a)
  }

  /** @param collect whether to throw away first what nobody needs any more */
  async memory(collect = false): Promise<Memory> {
    if (this.ended !== undefined) return { heapUsed: 0, external: 0 }
    const answer = new Promise<Memory>((resolve) => this.#memoryAnswers.push(resolve))
    const question: ProbeQuestion = { kind: 'memory', collect }
    this.#child.send(question, () => {})
    const timer = setTimeout(() => {
      this.ended = `the daemon ended as it did nothing for ${PATIENCE / 1000} s: ${this.errors.slice(-2000)}`
      this.#child.kill('SIGKILL')
    }, PATIENCE)
    return answer.finally(() => clearTimeout(timer))
  }

  /** Its memory now and at the most since `forgetPeak`, in MiB, as the system sees it. */
  get resident(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const of = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
    return { now: of('VmRSS'), peak: of('VmHWM') }
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5')
  }

  /** What it has logged so far of the requests on a connection, in order; `peer` is address and port of its client. */
  requests(peer: string): readonly LogLine[] {
    this.#log.read()
    return this.#log.requests.get(peer) ?? []
  }

  /** Waits until it has logged so many requests of a connection; gives up in the end. */
  async requestsLogged(peer: string, count: number): Promise<readonly LogLine[]> {
    const until = performance.now() + PATIENCE
    for (;;) {
      const requests = this.requests(peer)
      if (requests.length >= count || performance.now() > until || this.ended !== undefined) return requests
      await delay(5)
    }
  }

  /** How many requests it has logged altogether. */
  get requestCount(): number {
    this.#log.read()
    return this.#log.count
  }

  /** Forgets the requests on a connection that is over: another may come to have its port. */
  forgetRequests(peer: string): void {
    this.#log.read()
    this.#log.requests.delete(peer)
  }

  /** Has it read everything anew, which empties its caches, and waits until it has. */
  async reload(): Promise<void> {
    const before = this.#root.logLines.length
    this.#child.kill('SIGHUP')
    await this.#root.logged(/Read \S+: cluster/, before)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

const REQUEST_LINE = /: ganeti-rapi pid=\d+ INFO (\S+:\d+) (.*) (\d{3}|-)(?: user=\S+)?$/

/** Reads a log as it grows. */
class LogTail {
  readonly #path: string
  readonly #piece = Buffer.alloc(256 * 1024)
  #position = 0
  #rest = Buffer.alloc(0)
  count = 0
  /** By peer. */
  readonly requests = new Map<string, LogLine[]>()

  constructor(path: string) {
    this.#path = path
  }

  read(): void {
    const file = openSync(this.#path, 'r')
    try {
      for (;;) {
        const bytes = readSync(file, this.#piece, 0, this.#piece.length, this.#position)
        if (bytes === 0) return
        this.#position += bytes
        this.#take(this.#piece.subarray(0, bytes))
      }
    } finally {
      closeSync(file)
    }
  }

  #take(piece: Buffer): void {
    const bytes = Buffer.concat([this.#rest, piece])
    const end = bytes.lastIndexOf('\n') + 1
    this.#rest = Buffer.from(bytes.subarray(end))
    for (const text of bytes.toString('utf8', 0, end).split('\n')) {
      const [, peer, line, status] = REQUEST_LINE.exec(text) ?? []
      if (peer === undefined || line === undefined) continue
      this.count++
      const of = this.requests.get(peer)
      const request = { line, status: status === '-' ? undefined : Number(status) }
      if (of) of.push(request)
      else this.requests.set(peer, [request])
    }
  }
}
