/**
 * What it costs that many clients are told of jobs, and how soon they are.
 *
 * A thousand clients in a process of their own follow a cluster in YAML over
 * plain HTTP, while a thousand jobs are submitted, 32 at a time; each submitter
 * waits for its job by long polling, as Ganeti's clients do. Measured is the time
 * from the end of a job, as the job says it, to a client's knowing of it. "work"
 * is what processors did for the daemon, beyond the same jobs without listeners.
 *
 * On the master node of a real cluster it is events-on-cluster.ts instead.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Settings } from './contest.ts'
import { Daemon, prepareTree } from './daemon.ts'
import { generateYaml } from './generate-yaml.ts'
import { quantile, type Report } from './report.ts'

const LISTENERS = 1000
const JOBS = 1000
const SUBMITTERS = 32

interface Measured {
  /** Jobs a second. */
  readonly rate: number
  /** Milliseconds from the end of a job, of those who listen and of those who wait. */
  readonly told: readonly number[]
  readonly waited: readonly number[]
  /** Processor time, in milliseconds. */
  readonly work: number
  /** MiB */
  readonly memory: number
  readonly pause: number
  /** Ends that listeners were not told of. */
  readonly missed: number
}

async function measure(folder: string, listeners: number): Promise<Measured> {
  const state = prepareTree(folder)
  writeFileSync(join(state, 'cluster.yaml'), generateYaml(1000))
  writeFileSync(join(state, 'rapi/users'), 'w pw write\n', { mode: 0o600 })
  const daemon = await Daemon.start(folder, [], { options: ['--max-streams', '10000'] })
  const { rss: before } = await daemon.ask('settled')
  const crowd = fork(new URL('event-crowd.js', import.meta.url), [
    String(daemon.port),
    String(listeners),
    '/2/events?types=job',
  ])
  if (listeners > 0) await once(crowd, 'message')
  const { rss: after } = await daemon.ask('settled')
  await daemon.ask('pauses')
  const agent = new Agent({ keepAlive: true, maxSockets: SUBMITTERS })
  const ask = async (method: string, path: string, body?: object) => {
    const sent = request({ port: daemon.port, method, path, agent, auth: 'w:pw' })
    const bytes = body && JSON.stringify(body)
    if (bytes) sent.setHeader('Content-Type', 'application/json').setHeader('Content-Length', bytes.length)
    const answered = once(sent, 'response')
    sent.end(bytes)
    const [response] = await answered
    const answer = await text(response)
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${answer}`)
    return JSON.parse(answer)
  }
  const workBefore = daemon.processorTime
  const begun = performance.now()
  const waited: number[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async () => {
      while (next < JOBS) {
        const n = next++
        const id = await ask('PUT', `/2/instances/inst${1 + (n % 100)}.example.com/tags?tag=t${n}`)
        for (let known = null; ; ) {
          const body = { fields: ['status', 'end_ts'], previous_job_info: known, previous_log_serial: 0 }
          const change = await ask('GET', `/2/jobs/${id}/wait`, body)
          known = change?.job_info ?? known
          if (!known?.[1]) continue
          waited.push(Date.now() - (known[1][0] * 1000 + known[1][1] / 1000))
          break
        }
      }
    }),
  )
  const rate = JOBS / ((performance.now() - begun) / 1000)
  const { ends, delays } = await reportOf(crowd, listeners, JOBS)
  const work = daemon.processorTime - workBefore
  const { loop } = await daemon.ask('pauses')
  agent.destroy()
  crowd.kill()
  await daemon.stop()
  const missed = ends.reduce((sum, count) => sum + JOBS - count, 0)
  return { rate, told: delays, waited, work, memory: after - before, pause: loop, missed }
}

/** What listeners were told, once all were told everything, or no more comes. */
export async function reportOf(
  crowd: ChildProcess,
  listeners: number,
  jobs: number,
): Promise<{ ends: number[]; delays: number[] }> {
  for (let last = -1; ; ) {
    crowd.send({ report: true })
    const [report] = await once(crowd, 'message')
    const told = report.ends.reduce((sum: number, count: number) => sum + count, 0)
    if (told === listeners * jobs || (told === last && told > 0)) return report
    last = told
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

export async function events(report: Report, { folder, rounds }: Settings): Promise<void> {
  report.part('events', `${LISTENERS} listeners and ${JOBS} jobs on a cluster in YAML`)
  const all: Measured[] = []
  const without: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    without.push(await measure(mkdtempSync(join(folder, 'events-')), 0))
    all.push(await measure(mkdtempSync(join(folder, 'events-')), LISTENERS))
  }
  const times = (times: readonly number[]) => ({
    value: quantile([...times], 0.5),
    p50: quantile([...times], 0.5),
    p99: quantile([...times], 0.99),
  })
  const values = (of: readonly Measured[], value: (one: Measured) => number) =>
    of.map((one) => ({ value: value(one) }))
  report.case('from the end of a job to knowing of it')
  const told = report.figure(
    'told by events',
    'ms',
    all.map(({ told }) => times(told)),
  )
  const polled = report.figure(
    'waited for (long poll)',
    'ms',
    all.map(({ waited }) => times(waited)),
  )
  report.figure(
    'the same, nobody listens',
    'ms',
    without.map(({ waited }) => times(waited)),
  )
  report.case('the daemon')
  report.figure(
    'jobs',
    '/s',
    values(all, ({ rate }) => rate),
  )
  report.figure(
    'jobs, nobody listens',
    '/s',
    values(without, ({ rate }) => rate),
  )
  report.figure(
    'longest pause',
    'ms',
    values(all, ({ pause }) => pause),
  )
  const work = all.map(({ work }, round) => ({ value: (work - (without[round]?.work ?? 0)) / LISTENERS }))
  report.figure('work for a listener', 'ms', work)
  report.figure(
    'memory of a listener',
    'MiB',
    values(all, ({ memory }) => memory / LISTENERS),
  )
  const missed = all.reduce((sum, one) => sum + one.missed, 0)
  report.goal('ends that were not told', missed, { below: 1 })
  report.goal('p50, events / long poll', (told.p50 ?? 0) / (polled.p50 ?? 1), { below: 3 })
  report.goal('p99, events / long poll', (told.p99 ?? 0) / (polled.p99 ?? 1), { below: 3 })
}
