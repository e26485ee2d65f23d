/**
 * How soon many clients are told of the jobs of a real cluster, and what that
 * costs: on the master node that test/ganeti/cluster starts, with our daemon as
 * test/ganeti/serve starts it.
 *
 * Each job adds a tag. Of those who submit them, half wait for the end by the
 * original's long polling, and half by ours; there are few of them, as a wait
 * keeps the original and the master daemon busy. How much of that our daemon does
 * for listeners is told by the same with nobody listening, which comes first; what
 * it asks the master daemon for them, by some jobs that are waited for with the
 * original alone, which come last.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { luxiCalls, untilKnown } from '../ganeti/measure.ts'
import { ask, ORIGINAL, OURS, type Side } from '../ganeti/sides.ts'
import type { Settings } from './contest.ts'
import { processorTime } from './daemon.ts'
import { reportOf } from './events.ts'
import { pidIn } from './original.ts'
import { residentSize } from './our-daemon.ts'
import { quantile, type Report } from './report.ts'

const LISTENERS = 1000
const SUBMITTERS = 12
/** Jobs that are only there to compare with, or to count. */
const FEW_JOBS = 40
const QUEUE = '/var/lib/ganeti/queue'
/** Those that can be changed without a node. */
const INSTANCES = 11

export async function eventsOnCluster(report: Report, { jobs }: Settings): Promise<void> {
  report.part('events', `${LISTENERS} listeners and ${jobs} jobs on a real cluster`)
  const pid = pidIn('/run/ours-plain/var/run/ganeti/ganeti-rapi.pid')
  const alone = await withJobs(pid, FEW_JOBS)
  const before = residentSize(pid)
  const crowd = fork(new URL('event-crowd.js', import.meta.url), [
    String(OURS.plain),
    String(LISTENERS),
    '/2/events?types=job',
  ])
  await once(crowd, 'message')
  const memory = residentSize(pid) - before
  const all = await withJobs(pid, jobs)
  const counted = await withJobs(pid, FEW_JOBS, [ORIGINAL])
  const { ends, delays } = await reportOf(crowd, LISTENERS, jobs + FEW_JOBS)
  const after = residentSize(pid) - before
  crowd.kill()

  report.case('from the end of a job to knowing of it')
  const told = figure(report, 'told by events', delays)
  const theirs = figure(report, 'the original, long poll', all.waited.get(ORIGINAL) ?? [])
  figure(report, 'ours, long poll', all.waited.get(OURS) ?? [])
  report.goal('p50, events / the original', told.p50 / theirs.p50, { below: 1 })
  report.goal('p99, events / the original', told.p99 / theirs.p99, { below: 1 })
  const missed = ends.reduce((sum, count) => sum + jobs + FEW_JOBS - count, 0)
  report.goal('ends that were not told', missed, { below: 1 })
  report.case('the daemon')
  report.figure('jobs', '/s', [{ value: all.rate }])
  report.figure('jobs, nobody listens', '/s', [{ value: alone.rate }])
  report.figure('work for a job', 'ms', [{ value: all.work / jobs }])
  report.figure('the same, nobody listens', 'ms', [{ value: alone.work / FEW_JOBS }])
  const work = all.work / jobs - alone.work / FEW_JOBS
  report.figure('for a job and listener', 'ms', [{ value: work / LISTENERS }])
  report.figure('memory of a listener', 'MiB', [{ value: memory / LISTENERS }])
  report.figure('the same after all jobs', 'MiB', [{ value: after / LISTENERS }])
  report.case('for a job that nobody waits for with our daemon')
  report.goal('its file was written', counted.changes / FEW_JOBS)
  for (const [call, count] of counted.calls) report.goal(call, count / FEW_JOBS)
  const questions = counted.calls.get('QueryJobs') ?? 0
  report.goal('questions for a change', questions / counted.changes, { below: 1.1 })
}

function figure(report: Report, name: string, times: readonly number[]) {
  const [p50, p99] = [quantile([...times], 0.5), quantile([...times], 0.99)]
  report.figure(name, 'ms', [{ value: p50, p50, p99 }])
  return { p50, p99 }
}

interface Measured {
  /** Jobs a second. */
  readonly rate: number
  /** Milliseconds from the end of a job until who waited for it knew, by whom they asked. */
  readonly waited: ReadonlyMap<Side, readonly number[]>
  /** Processor time of our daemon, in milliseconds. */
  readonly work: number
  /** How often our daemon has asked the master daemon, by call. */
  readonly calls: ReadonlyMap<string, number>
  /** How often files of jobs were written. */
  readonly changes: number
}

/** Submits jobs and waits for them, with several sides in turn. */
async function withJobs(pid: number, jobs: number, sides = [ORIGINAL, OURS]): Promise<Measured> {
  const waited = new Map<Side, number[]>(sides.map((side) => [side, []]))
  const [callsBefore, workBefore, begun] = [await luxiCalls(), processorTime(pid), performance.now()]
  const series = Date.now()
  let changes = 0
  const watcher = watch(QUEUE, (_event, name) => {
    if (/^job-\d+$/.test(name ?? '')) changes++
  })
  let next = 0
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async (_, place) => {
      const side = sides[place % sides.length] as Side
      while (next < jobs) {
        const n = next++
        const target = `/2/instances/inst${1 + (n % INSTANCES)}.example.com/tags?tag=t${series}.${n}`
        const { status, body } = await ask(OURS, target, { method: 'PUT', user: 'writer' })
        if (status !== 200) throw new Error(`${target}: ${status}`)
        waited.get(side)?.push(await untilKnown(side, Number(body)))
      }
    }),
  )
  watcher.close()
  const rate = jobs / ((performance.now() - begun) / 1000)
  const work = processorTime(pid) - workBefore
  const asked = [...(await luxiCalls())].map(
    ([call, count]) => [call, count - (callsBefore.get(call) ?? 0)] as const,
  )
  return { rate, waited, work, changes, calls: new Map(asked.filter(([, count]) => count > 0)) }
}
