/** Our daemon as an operator runs it: detached, logging to its file. */
import { mkdirSync, readFileSync } from 'node:fs'
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { DaemonRoot } from '../support/daemon-root.ts'
import type { Sent } from './opponents.ts'

/** The header that names a user. */
export const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** Who may read what is guarded, here as on the real cluster. */
export const READER = basic('reader', 'reader-pw')
/** The users file that goes with it. */
export const USERS = 'reader reader-pw read\n'

export interface OurDaemon {
  readonly origin: string
  readonly root: DaemonRoot
  readonly pid: number
  /** Milliseconds from starting the program until the first answer was there. */
  readonly started: number
  stop(): Promise<void>
}

/**
 * Starts it over a cluster's state.
 * @param name of its folder in `folder`
 * @param args beside those that have it listen on any port of this machine
 */
export async function startOurs(
  folder: string,
  name: string,
  state: { readonly configData?: string; readonly clusterYaml?: string },
  { args = [], users = USERS }: { readonly args?: readonly string[]; readonly users?: string } = {},
): Promise<OurDaemon> {
  const place = join(folder, name)
  mkdirSync(place)
  const root = new DaemonRoot(place)
  root.fill(users, state)
  const begun = performance.now()
  const { status, stderr } = await root.start('-b', '127.0.0.1', '-p', '0', '--max-clients', '300', ...args)
  if (status !== 0) throw new Error(`our daemon did not start: ${stderr}`)
  const { origin, pid = 0 } = root
  await fetchOnce(`${origin}/version`)
  return { origin, root, pid, started: performance.now() - begun, stop: () => root.end() }
}

/** Asks once, over a connection of its own, trusting anyone. */
export async function fetchOnce(
  url: string,
  headers: { readonly [name: string]: string } = {},
  { method = 'GET', body }: { readonly method?: string; readonly body?: string } = {},
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, method, headers, rejectUnauthorized: false }
    const request = url.startsWith('https:') ? requestTls(url, options) : requestPlain(url, options)
    request.end(body)
    request.on('error', reject)
    request.on('response', (response) => {
      buffer(response).then((body) => {
        const { statusCode: status = 0, rawHeaders } = response
        resolve({ status, headers: rawHeaders, body })
      }, reject)
    })
  })
}

/** The memory of a process, in MiB, as Linux tells it. */
export function residentSize(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
