import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** A program of this folder under way; its standard input stays open until `child.stdin.end()`. */
export interface Running {
  readonly child: ChildProcess
  /** What it prints until it ends. */
  readonly stdout: Promise<string>
  readonly stderr: Promise<string>
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Waits for the next line it prints. */
  heard(): Promise<string>
}

/** Starts a program of this folder. */
export function start(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
  const path = fileURLToPath(new URL(`${program}.js`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { env: { ...process.env, ...env } })
  let printed = ''
  let heard = 0
  child.stdout.setEncoding('utf8').on('data', (more) => {
    printed += more
  })
  return {
    child,
    stdout: once(child.stdout, 'end').then(() => printed),
    stderr: text(child.stderr),
    ended: once(child, 'exit').then(([code, signal]) => signal ?? code),
    heard: async () => {
      while (!printed.includes('\n', heard)) await once(child.stdout, 'data')
      const line = printed.slice(heard, printed.indexOf('\n', heard))
      heard += line.length + 1
      return line
    },
  }
}
