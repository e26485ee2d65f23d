/** The nodes of the real cluster, each with our daemon, and how to ask one of them. */
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { type Json, parseJson } from '../../lib/json/json.ts'
import { isFinal, type JobStatus } from '../../lib/model/job.ts'
import type { Outcome } from '../support/daemon-root.ts'
import { type FullAnswer, must, run } from './sides.ts'
import { untilSeen } from './until-seen.ts'

export const NODES = ['node1', 'node2', 'node3'].map((name) => `${name}.example.com`)
const PORT = 5080

const SSH = ['-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR']

/** Runs a command of the shell on a node. */
export const on = (node: string, command: string): Promise<Outcome> => run('ssh', ...SSH, node, command)

/** Runs one that has to succeed; gives what it printed. */
export const mustOn = (node: string, command: string): Promise<string> => must('ssh', ...SSH, node, command)

/** Copies a folder from this node to the same place on another. */
export const copyTo = (node: string, folder: string): Promise<string> =>
  must('scp', '-q', '-r', ...SSH, folder, `${node}:${folder.slice(0, folder.lastIndexOf('/') + 1)}`)

export interface Asking {
  /** A user of the cluster's; nobody unless given. */
  readonly user?: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What asks for the present state. */
export const FRESH: Asking = { headers: { 'Cache-Control': 'no-cache' } }

/** Asks the daemon of a node, over a new connection; status 0 if there was no answer. */
export async function ask(
  node: string,
  target: string,
  { user, method = 'GET', body, headers }: Asking = {},
): Promise<FullAnswer> {
  return new Promise((resolve) => {
    const sent = request({
      ...{ host: node, port: PORT, path: target, method, agent: false },
      ...{ rejectUnauthorized: false, timeout: 20_000 },
      ...(user !== undefined && { auth: `${user}:${user}-pw` }),
      headers: {
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        }),
        ...headers,
      },
    })
    const failed = () => resolve({ status: 0, headers: {}, body: null })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', failed)
    sent.on('response', (response) => {
      text(response).then((answer) => {
        const { statusCode = 0, headers: got } = response
        resolve({ status: statusCode, headers: got, body: answer === '' ? null : parseJson(answer) })
      }, failed)
    })
    sent.end(body)
  })
}

/** Waits until a node answers from another one, and not from its copy. */
export const served = (node: string, by: string): Promise<void> =>
  untilSeen(`${node} answers from ${by}`, 60, async () => {
    const { status, headers } = await ask(node, '/2/info', FRESH)
    const { 'ganeti-served-by': server, 'ganeti-master': master } = headers
    if (status === 200 && server === by) return
    return `status ${status} by ${server}, for which ${master} is the master`
  })

export interface JobTold {
  readonly id: number
  readonly status: JobStatus
  readonly ops: readonly { readonly tags?: readonly string[] }[]
}

/** Waits for a job's end; gives its status. */
export async function jobEnded(node: string, id: Json): Promise<string> {
  let job = ''
  await untilSeen(`job ${id} ends`, 60, async () => {
    const { status, body } = await ask(node, `/2/jobs/${id}`, FRESH)
    if (status !== 200) return `status ${status}`
    const now = (body as unknown as JobTold).status
    job = now
    return isFinal(now) ? undefined : now
  })
  return job
}

/** Waits until all jobs have ended but those that never will; gives all. */
export async function allEnded(
  node: string,
  dead: ReadonlySet<string> = new Set(),
): Promise<readonly JobTold[]> {
  let jobs: readonly JobTold[] = []
  await untilSeen('all jobs end', 60, async () => {
    const { status, body } = await ask(node, '/2/jobs?bulk=1', FRESH)
    if (status !== 200) return `status ${status}`
    jobs = body as unknown as readonly JobTold[]
    const going = jobs.filter(({ id, status }) => !isFinal(status) && !dead.has(String(id)))
    return going.length === 0 ? undefined : going.map((job) => `${job.id} is ${job.status}`).join(', ')
  })
  return jobs
}
