/** Events on a real cluster: what the folder of the queue and the master daemon tell, and what that costs. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { quantile } from '../bench/report.ts'
import { EventFollower } from '../support/event-follower.ts'
import { luxiCalls, timeOf, untilKnown } from './measure.ts'
import { ask, must, ORIGINAL, OURS } from './sides.ts'
import { untilSeen } from './until-seen.ts'

t.setTimeout(600_000)

const JOBS = 20
/** One network may have more. */
const FOLLOWERS = 100

function follow(query: string): EventFollower {
  const follower = new EventFollower({ url: () => `http://localhost:${OURS.plain}/2/events?${query}` })
  t.teardown(() => follower.close())
  return follower
}

/** Waits until something holds, for two minutes at most. */
function until(what: string, holds: () => boolean, found: () => unknown = () => 'not yet'): Promise<void> {
  return untilSeen(what, 120, () => (holds() ? undefined : String(found())), 5)
}

function inWords(times: readonly number[]): string {
  return `p50 ${Math.round(quantile([...times], 0.5))} ms, p99 ${Math.round(quantile([...times], 0.99))} ms`
}

t.test(
  'every follower is told how each of many jobs has ended, and the master daemon is asked seldom',
  async (t) => {
    const followers = Array.from({ length: FOLLOWERS }, () => follow('types=job'))
    await until('all followers are ready', () => followers.every((one) => one.of('ready').length > 0))
    const before = (await luxiCalls()).get('QueryJobs') ?? 0
    const ids: number[] = []
    const waiting: Promise<number>[] = []
    for (let n = 0; n < JOBS; n++) {
      const tag = `/2/instances/inst${1 + (n % 5)}.example.com/tags?tag=events${n}`
      const id = Number((await ask(OURS, tag, { method: 'PUT', user: 'writer' })).body)
      ids.push(id)
      waiting.push(untilKnown(ORIGINAL, id))
    }
    const ends = (one: EventFollower) =>
      new Map(
        one
          .of('job')
          .filter(({ data }) => data.end_ts !== null)
          .map(({ data }) => [data.id, data.status]),
      )
    await until('each was told all ends', () =>
      followers.every((one) => ids.every((id) => ends(one).has(id))),
    )
    const rows = (await ask(OURS, '/2/jobs?bulk=1')).body as readonly { id: number; status: string }[]
    const known = new Map(rows.map(({ id, status }) => [id, status]))
    for (const one of followers) {
      t.ok(
        ids.every((id) => ends(one).get(id) === known.get(id)),
        'as the queue has it',
      )
    }
    const questions = ((await luxiCalls()).get('QueryJobs') ?? 0) - before
    const changes = followers[0]?.of('job').length ?? 0
    // Files change without a change of the status, too; and the list above is a question.
    t.ok(questions <= 2 * changes, `${questions} questions for ${changes} changes and ${FOLLOWERS} followers`)
    const told = followers.flatMap((one) =>
      one
        .of('job')
        .filter(({ data }) => ids.includes(data.id) && data.end_ts !== null)
        .map(({ data, time }) => time - timeOf(data.end_ts)),
    )
    t.comment(`from the end of a job, told by events: ${inWords(told)}`)
    t.comment(`waited for with the original: ${inWords(await Promise.all(waiting))}`)
    t.comment(`${questions} questions for ${changes} changes and ${FOLLOWERS} followers`)
  },
)

t.test('the log of a job is told as it is written, and the stream ends with the job', async (t) => {
  const id = (
    await must('gnt-instance', 'migrate', '--submit', '--print-jobid', '-f', 'inst1.example.com')
  ).match(/\d+/)?.[0]
  const follower = follow(`job=${id}&types=job,joblog&snapshot=1&end=1`)
  await until('the stream ends with the job', () => follower.of('end').length > 0)
  await follower.close()
  const path = `/var/lib/ganeti/queue/job-${id}`
  const { ops } = JSON.parse(readFileSync(path, 'utf8'))
  const serials = (ops as { log: [number][] }[]).flatMap(({ log }) => log.map(([serial]) => serial))
  t.strictSame(
    [...new Set(follower.of('joblog').map(({ data }) => data.serial))].sort((one, other) => one - other),
    serials.sort((one, other) => one - other),
  )
  t.match(follower.of('job').at(-1)?.data.status, /success|error/)
  t.equal(follower.of('end')[0]?.data.reason, 'done')
})

t.test('changes of objects are told, whoever makes them', async (t) => {
  const follower = follow('types=instance,node,group,network,cluster')
  await until('the follower is ready', () => follower.of('ready').length > 0)
  const changes = (kind: string) => follower.of(kind).map(({ data }) => `${data.change} ${data.name}`)
  // Changes in quick succession may be told as one: each is told before the next is made.
  const told = (kind: string, change: string) =>
    until(
      `${kind} ${change}`,
      () => changes(kind).includes(change),
      () => changes(kind),
    )
  await must('gnt-node', 'add-tags', 'node2.example.com', 'events')
  await told('node', 'changed node2.example.com')
  await must('gnt-group', 'add', 'events')
  await told('group', 'added events')
  await must('gnt-group', 'rename', 'events', 'events2')
  await told('group', 'renamed events2')
  await must('gnt-group', 'remove', 'events2')
  await told('group', 'removed events2')
  t.strictSame(changes('group'), ['added events', 'renamed events2', 'removed events2'])
})

t.test('of many changes in quick succession the last one is told', async (t) => {
  const follower = follow('types=instance')
  await until('the follower is ready', () => follower.of('ready').length > 0)
  const name = 'inst1.example.com'
  const serial = () => {
    const { instances } = JSON.parse(readFileSync('/var/lib/ganeti/config.data', 'utf8'))
    const all = Object.values(instances) as { name: string; serial_no: number }[]
    return all.find((one) => one.name === name)?.serial_no
  }
  const told = () =>
    follower
      .of('instance')
      .filter(({ data }) => data.name === name)
      .map(({ data }) => data.serial_no)
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 5; n++)
      await ask(OURS, `/2/instances/${name}/tags?tag=quick${round}.${n}`, { method: 'PUT', user: 'writer' })
    await must('gnt-instance', 'add-tags', name, `quick${round}`)
    const last = serial()
    await until(`serial number ${last}`, () => told().at(-1) === last, told)
  }
  t.ok(told().length >= 5, `${told().length} events for 30 changes`)
})

t.test('while the master daemon is away followers wait, and then miss nothing', async (t) => {
  const follower = follow('types=job')
  await until('the follower is ready', () => follower.of('ready').length > 0)
  const daemonUtil = '/usr/lib/ganeti/daemon-util'
  await must(daemonUtil, 'stop', 'ganeti-luxid')
  // A file that changes while it is away: a finished job's, as after a repair by hand.
  await must('bash', '-c', 'cd /var/lib/ganeti/queue && cp -p job-1 .job && mv .job job-1 || true')
  t.equal((await ask(OURS, '/2/jobs')).status, 502)
  await must(daemonUtil, 'start', 'ganeti-luxid')
  const id = Number(
    (await ask(OURS, '/2/instances/inst2.example.com/tags?tag=away', { method: 'PUT', user: 'writer' })).body,
  )
  await until(`the end of job ${id}`, () =>
    follower.of('job').some(({ data }) => data.id === id && data.end_ts !== null),
  )
  t.equal(follower.of('end').length, 0)
})
