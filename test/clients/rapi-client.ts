/** The client library of Debian's python3-ganeti-rapi, kept running: one call after another. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../lib/json/json.ts'
import type { DaemonRoot } from '../support/daemon-root.ts'
import { PYTHON, unless } from './programs.ts'

/** What keeps a test of it from running. */
export const here = unless([PYTHON, '-c', 'import ganeti.rapi.client'], 'python3-ganeti-rapi')

const script = fileURLToPath(new URL('../../../test/clients/call-rapi-client.py', import.meta.url))

export type Keywords = { readonly [name: string]: Json }
export type Arguments = readonly [positional: readonly Json[], keyword?: Keywords]
export type Result =
  | readonly ['returned', Json]
  | readonly ['raised', readonly [type: string, code: number | null, message: string]]

interface Answer {
  readonly results: readonly [Result]
  readonly methods: readonly string[]
  readonly readings: readonly string[]
}

export class RapiClient {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  readonly #complaints: Promise<string>
  /** The methods that were called. */
  readonly called = new Set<string>()
  #methods: readonly string[] = []
  #readings: readonly string[] = []

  /** A client of a daemon that runs, as one of its users; NAME has the password NAME-pw. */
  constructor({ origin, pem }: Pick<DaemonRoot, 'origin' | 'pem'>, user = 'writer') {
    const { hostname, port } = new URL(origin)
    // The certificates of tests are for this name, too.
    const host = hostname === '127.0.0.1' ? 'localhost' : hostname
    // Python's own warnings count as failures.
    this.#process = spawn(PYTHON, ['-W', 'error', script, port, pem, user, `${user}-pw`, host])
    this.#answers = createInterface(this.#process.stdout)[Symbol.asyncIterator]()
    this.#complaints = text(this.#process.stderr)
  }

  async call(method: string, [positional, keyword = {}]: Arguments): Promise<Result> {
    this.called.add(method)
    this.#process.stdin.write(`${JSON.stringify([[method, positional, keyword]])}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`the client ended: ${await this.#complaints}`)
    const { results, methods, readings } = JSON.parse(value) as Answer
    this.#methods = methods
    this.#readings = readings
    return results[0]
  }

  /** Methods that read, and were not called. */
  get unread(): readonly string[] {
    return this.#readings.filter((name) => !this.called.has(name))
  }

  /** Methods that do something else, and were not called. */
  get untried(): readonly string[] {
    return this.#methods.filter((name) => !this.called.has(name) && !this.#readings.includes(name))
  }

  /** @returns what it complained of */
  async end(): Promise<string> {
    const ended = once(this.#process, 'close')
    this.#process.stdin.end()
    await ended
    return this.#complaints
  }
}
