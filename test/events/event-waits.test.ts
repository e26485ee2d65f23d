/** Waiting for jobs of a live cluster, without a wait of the master daemon's. */
import t, { type Test } from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { waitingByEvents } from '../../lib/events/event-waits.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { until } from '../support/until.ts'

/** A job that a test changes, and what is asked of its master daemon. */
function world(_t: Test, { canFollow = true } = {}) {
  const job = { status: 'queued', log: [] as Json[] }
  const followers = new Set<() => void>()
  const asked: string[] = []
  const master = {
    get knownVersion() {
      return undefined
    },
    queryJobs: async ([id]: readonly string[], fields: readonly string[]) => {
      asked.push('QueryJobs')
      if (id !== '7') throw new Failure('not-found', `Job ${id} not found`)
      if (fields.includes('bogus')) throw new Failure('invalid', 'Unknown output fields selected: bogus')
      const values: { [field: string]: Json } = { status: job.status, oplog: [job.log], id: 7 }
      return [fields.map((field) => values[field] ?? null)]
    },
    waitForJobChange: async (...[, , , timeout]: Parameters<Backend['waitForJobChange']>) => {
      asked.push(`WaitForJobChange ${timeout}`)
      return { jobInfo: [job.status], logEntries: job.log }
    },
  } as unknown as Backend
  const hub = {
    followJob: async (id: number, changed: () => void) => {
      if (!canFollow) throw new Failure('no-master', 'away')
      const one = () => id === 7 && changed()
      followers.add(one)
      return () => void followers.delete(one)
    },
  }
  const backend = waitingByEvents(master, hub)
  const wait = (
    known: Json,
    { serial = null as Json, timeout = 60, id = '7', signal = new AbortController().signal } = {},
  ) => backend.waitForJobChange(id, ['status'], { jobInfo: known, logSerial: serial }, timeout, signal)
  const change = (news: Partial<typeof job>) => {
    Object.assign(job, news)
    for (const follower of followers) follower()
  }
  return { asked, backend, change, followers, job, wait }
}

t.test('what is known already is waited for until the job changes', async (t) => {
  const { wait, change, followers, asked } = world(t)
  t.strictSame(await wait(null), { jobInfo: ['queued'], logEntries: [] }, 'nothing is known')
  t.equal(followers.size, 0)
  const waiting = wait(['queued'])
  await until(() => asked.length === 2)
  change({})
  await until(() => asked.length === 3)
  t.equal(followers.size, 1, 'another change than one of what is asked for')
  change({ status: 'running' })
  t.strictSame(await waiting, { jobInfo: ['running'], logEntries: [] })
  t.equal(followers.size, 0)
  t.strictSame(new Set(asked), new Set(['QueryJobs']))
})

t.test('new entries of the log are a change, and only they are given', async (t) => {
  const { wait, change, asked } = world(t)
  const first = [1, [0, 0], 'message', 'a']
  const second = [2, [0, 0], 'message', 'b']
  change({ status: 'running', log: [first] })
  const waiting = wait(['running'], { serial: 1 })
  await until(() => asked.length === 1)
  change({ log: [first, second] })
  t.strictSame(await waiting, { jobInfo: ['running'], logEntries: [second] })
})

t.test('a job that has ended is not waited for', async (t) => {
  const { wait, change } = world(t)
  change({ status: 'success' })
  t.strictSame(await wait(['success']), { jobInfo: ['success'], logEntries: [] })
})

t.test('what changes while the job is asked for is not missed', async (t) => {
  const { wait, change, job, backend } = world(t)
  const { queryJobs } = backend
  let isFirst = true
  Object.getPrototypeOf(backend).queryJobs = async (...args: Parameters<Backend['queryJobs']>) => {
    const rows = await queryJobs(...args)
    if (isFirst) change({ status: 'running' })
    isFirst = false
    return rows
  }
  t.strictSame(await wait(['queued']), { jobInfo: ['running'], logEntries: [] })
  t.equal(job.status, 'running')
})

t.test('of fields that do not exist the master daemon gives what it gives', async (t) => {
  const { backend, asked } = world(t)
  const { signal } = new AbortController()
  const wait = (jobInfo: Json, timeout: number) =>
    backend.waitForJobChange('7', ['bogus'], { jobInfo, logSerial: null }, timeout, signal)
  t.strictSame(await wait(null, 60), { jobInfo: ['queued'], logEntries: [] })
  t.strictSame(asked, ['QueryJobs', 'WaitForJobChange 0'])
  t.equal(await wait(['queued'], 0.05), null)
})

t.test('a wait ends after its time, with its client, and without a job', async (t) => {
  const { wait, followers, asked } = world(t)
  t.equal(await wait(['queued'], { timeout: 0.05 }), null)
  const left = new AbortController()
  const waiting = wait(['queued'], { signal: left.signal })
  await until(() => asked.length >= 3)
  left.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  await t.rejects(wait(['queued'], { id: '8' }), { code: 'not-found' })
  t.equal(followers.size, 0)
})

t.test('without events the present is told at once', async (t) => {
  const { wait, asked } = world(t, { canFollow: false })
  t.strictSame(await wait(['queued']), { jobInfo: ['queued'], logEntries: [] })
  t.strictSame(asked, ['WaitForJobChange 0'])
})

t.test('who waits does not wait longer for events to begin, and leaves nothing behind', async (t) => {
  let begin = (_stop: () => void) => {}
  let stopped = 0
  const following = () =>
    new Promise<() => void>((resolve) => {
      begin = resolve
    })
  const present = { jobInfo: ['queued'], logEntries: [] }
  const backend = waitingByEvents({ waitForJobChange: async () => present } as never, {
    followJob: following,
  })
  const known = { jobInfo: ['queued'], logSerial: null }
  const wait = (timeout: number, signal = new AbortController().signal) =>
    backend.waitForJobChange('7', ['status'], known, timeout, signal)
  t.strictSame(await wait(0.05), present)
  begin(() => stopped++)
  await until(() => stopped === 1)
  const left = new AbortController()
  const waiting = wait(60, left.signal)
  left.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  begin(() => stopped++)
  await until(() => stopped === 2)
})

t.test('a thousand who wait ask when something changes, and not before', async (t) => {
  const { wait, change, asked } = world(t)
  const waiting = Array.from({ length: 1000 }, () => wait(['queued']))
  await until(() => asked.length === 1000)
  change({ status: 'running' })
  for (const news of await Promise.all(waiting)) t.strictSame(news?.jobInfo, ['running'])
  t.equal(asked.length, 2000)
})

t.test('everything else is that of the backend', async (t) => {
  const { backend, wait, asked } = world(t)
  t.equal(backend.knownVersion, undefined)
  t.strictSame(await backend.queryJobs(['7'], ['id']), [[7]])
  asked.length = 0
  await wait(['queued'], { timeout: 0 })
  t.strictSame(asked, ['WaitForJobChange 0'])
})
