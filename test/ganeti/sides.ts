/**
 * The two daemons that are compared, side by side on the master node of a real
 * cluster (see `serve`), and how to ask them.
 */
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Json, parseJson, stringifyJson } from '../../lib/json/json.ts'
import type { Answer } from '../differential/compare-json.ts'
import { type Outcome, outcome } from '../support/daemon-root.ts'

export interface Side {
  readonly name: string
  /** Ports: with TLS, without, and without but for users only. */
  readonly tls: number
  readonly plain: number
  readonly strict: number
}

export const ORIGINAL: Side = { name: 'the original', tls: 5080, plain: 5081, strict: 5082 }
export const OURS: Side = { name: 'ours', tls: 5090, plain: 5091, strict: 5092 }

export interface Asking {
  /** A user of the cluster's; the password is theirs. Nobody unless given. */
  readonly user?: string | undefined
  readonly method?: string
  readonly body?: Json | undefined
  readonly signal?: AbortSignal
}

export interface FullAnswer extends Answer {
  readonly headers: NodeJS.Dict<string | string[]>
}

/** Asks one of the two, over plain HTTP. */
export async function ask(
  side: Side,
  target: string,
  { user, method = 'GET', body, signal }: Asking = {},
): Promise<FullAnswer> {
  const bytes = body === undefined ? undefined : stringifyJson(body)
  return new Promise((resolve, reject) => {
    const sent = request({
      port: side.plain,
      path: target,
      method,
      ...(user !== undefined && { auth: `${user}:${user}-pw` }),
      ...(signal && { signal }),
      headers:
        bytes === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(bytes) },
      agent: false,
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      text(response).then((answer) => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, body: parseJson(answer) })
      }, reject)
    })
    sent.end(bytes)
  })
}

/** Which Ganeti it is: 3.1.0~rc2. */
export async function ganetiVersion(): Promise<string> {
  const { body } = await ask(ORIGINAL, '/2/info')
  return (body as { software_version: string }).software_version
}

/** Runs a command to its end. */
export async function run(command: string, ...args: string[]): Promise<Outcome> {
  return outcome(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Runs a command that has to succeed; gives what it printed. */
export async function must(command: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(command, ...args)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status} ${stderr}${stdout}`)
  return stdout
}

/** Starts or stops one of Ganeti's daemons. */
export async function daemon(verb: 'start' | 'stop', name: string): Promise<void> {
  await must('/usr/lib/ganeti/daemon-util', verb, name)
}

/**
 * Makes the master the only node that keeps jobs: writing them down on each
 * master candidate takes ten times as long. Readings come before this, as it
 * leaves no candidate to be seen.
 */
export async function keepJobsOnTheMaster(): Promise<void> {
  await must('gnt-cluster', 'modify', '--candidate-pool-size=1')
  await must('gnt-node', 'modify', '-C', 'no', 'node2.example.com')
}

/** A job as it is told, but for times and ids. */
export interface Job {
  readonly status: string
  readonly ops: readonly Json[]
  readonly opresult: Json
}

/** Gives a job; of its reasons only who and what, not when. */
export async function jobOf(id: Json): Promise<Job> {
  const { body } = await ask(ORIGINAL, `/2/jobs/${id}`)
  return timeless(body) as unknown as Job
}

/** Waits for a job's end. */
export async function ended(id: Json): Promise<Job> {
  for (;;) {
    const job = await jobOf(id)
    if (['success', 'error', 'canceled'].includes(job.status)) return job
    await delay(200)
  }
}

/** Replaces what differs from one job to the next: ids, and times in nanoseconds. */
export function timeless(value: Json): Json {
  const text = stringifyJson(value)
    .replace(/\b\d{19}\b/g, '0')
    .replace(/"job=\d+;/g, '"job=0;')
  return parseJson(text)
}
