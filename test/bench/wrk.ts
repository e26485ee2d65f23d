/** Load from wrk (Debian: wrk): so many clients that ask again as soon as they are answered. */
import { fileURLToPath } from 'node:url'
import { run } from '../clients/programs.ts'

export interface Load {
  readonly url: string
  readonly clients: number
  readonly seconds: number
  /** Whether each request comes over a connection of its own. */
  readonly close?: boolean
  readonly method?: string
  readonly body?: string | undefined
  readonly headers?: { readonly [name: string]: string }
}

/** What clients saw. Times are milliseconds, from sending a request until its whole answer has come. */
export interface Served {
  readonly perSecond: number
  readonly p50?: number
  readonly p99?: number
}

const SCRIPT = fileURLToPath(new URL('../../../test/bench/wrk.lua', import.meta.url))

/**
 * Puts a server under load for a while.
 * @throws Error where requests failed, as numbers about those say nothing
 */
export async function load(what: Load): Promise<Served> {
  const { url, clients, seconds, close = false, method = 'GET', body, headers = {} } = what
  // wrk says nothing of its connection nor who it is, and such a client is not kept.
  const all = { 'User-Agent': 'wrk', ...headers, ...(close && { Connection: 'close' }) }
  const { status, stdout, stderr } = await run([
    'wrk',
    ...['--threads', '1', '--connections', String(clients), '--duration', `${seconds}s`, '--timeout', '60s'],
    ...Object.entries(all).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...['--script', SCRIPT, url, '--', method, ...(body === undefined ? [] : [body])],
  ])
  const last = stdout.trim().split('\n').at(-1) ?? ''
  if (status !== 0 || !last.startsWith('{')) throw new Error(`wrk ${url}: ${stderr}${stdout}`)
  const { errors, ...served } = JSON.parse(last) as Served & { errors: number }
  if (errors > 0 || served.perSecond === 0)
    throw new Error(`wrk ${url}: ${errors} requests failed\n${stdout}`)
  return served
}
