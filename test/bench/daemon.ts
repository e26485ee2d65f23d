/** Our daemon in the foreground over plain HTTP, in a tree of its own, watched from within (observe.ts). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { PROGRAM } from '../support/daemon-root.ts'
import type { Memory, Pauses, Question } from './observe.ts'

export class Daemon {
  readonly #process: ChildProcess
  #said = ''
  readonly port: number

  private constructor(process: ChildProcess, said: string) {
    this.#process = process
    this.#said = said
    this.port = Number(/Listening on http:.*:(\d+)\//.exec(said)?.[1])
    process.stderr?.on('data', (piece) => {
      this.#said += piece
    })
  }

  /**
   * @param folder what takes the place of `/`
   * @param preloads more files of this folder that are loaded into it
   * @param how the program, if it is another, a command that runs it, and more options
   */
  static async start(
    folder: string,
    preloads: readonly string[] = [],
    {
      program = PROGRAM,
      by = [],
      options = [],
    }: {
      readonly program?: string
      readonly by?: readonly string[]
      readonly options?: readonly string[]
    } = {},
  ): Promise<Daemon> {
    const [command = execPath, ...args] = [...by, execPath]
    const process = spawn(
      command,
      [
        ...args,
        ...['observe.js', ...preloads].map((file) => `--import=${new URL(file, import.meta.url)}`),
        ...[program, '-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0', '--max-clients', '100', ...options],
      ],
      {
        env: { ...globalThis.process.env, GANETI_ROOTDIR: folder },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    )
    let said = ''
    for await (const piece of process.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
      said += piece
      if (said.includes('Listening on')) return new Daemon(process, said)
    }
    throw new Error(`the daemon did not start: ${said}`)
  }

  /** Milliseconds that processors have worked for it, threads and all. */
  get processorTime(): number {
    return processorTime(this.#process.pid as number)
  }

  async ask(ask: 'pauses'): Promise<Pauses>
  async ask(ask: 'memory' | 'settled'): Promise<Memory>
  async ask(ask: Question['ask']): Promise<Pauses | Memory> {
    const answer = once(this.#process, 'message')
    this.#process.send({ ask })
    return (await answer)[0]
  }

  /** Makes it reload, and waits until it has; gives the milliseconds it took. */
  async reload(): Promise<number> {
    const before = this.#timesRead()
    const begun = performance.now()
    this.#process.kill('SIGHUP')
    while (this.#timesRead() === before)
      await once(this.#process.stderr as NonNullable<ChildProcess['stderr']>, 'data')
    return performance.now() - begun
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    await once(this.#process, 'exit')
  }

  #timesRead(): number {
    return this.#said.split(': cluster ').length
  }
}

/** Makes a folder with all that a daemon wants; gives the one for the cluster's state. */
export function prepareTree(folder: string): string {
  for (const part of ['var/lib/ganeti/rapi', 'var/log/ganeti', 'var/run/ganeti']) {
    mkdirSync(join(folder, part), { recursive: true })
  }
  return join(folder, 'var/lib/ganeti')
}

/** How long processors have worked for a process, in milliseconds. */
export function processorTime(pid: number): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\)/, '')
    .split(' ')
    .slice(12, 14)
  // Linux counts in hundredths of a second.
  return (Number(user) + Number(system)) * 10
}
