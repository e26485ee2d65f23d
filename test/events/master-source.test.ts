/** Events of a live cluster. */
import { chmodSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Event, EventType } from '../../lib/events/event.ts'
import { LiveStates } from '../../lib/events/live-states.ts'
import { MasterJobs } from '../../lib/events/master-jobs.ts'
import type { JobWatch } from '../../lib/events/queue-folder.ts'
import { QueueFolder } from '../../lib/events/queue-folder.ts'
import { QueuePoll } from '../../lib/events/queue-poll.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { until } from '../support/until.ts'
import { master } from './master.ts'

t.test('a job whose file changes is asked for, and no other', async (t) => {
  const { follow, put, short, jobCalls, events, source } = master(t)
  put(1, 'success')
  put(2, 'running')
  await follow('job')
  t.strictSame(short(), [], 'how things are is no event')
  const before = jobCalls().length
  put(2, 'success')
  await until(() => short().includes('2 success'))
  t.equal(events[0]?.data.previous, 'running')
  put(3, 'queued')
  await until(() => short().includes('3 queued'))
  t.match(events[1]?.data, {
    id: 3,
    previous: null,
    user: 'alice',
    request: 'r1',
    instances: ['web.example.com'],
    summary: ['INSTANCE_STARTUP(web.example.com)'],
  })
  const ids = jobCalls()
    .slice(before)
    .flatMap(([, ids]) => ids)
  t.ok(
    ids.every((id) => id === '2' || id === '3'),
    `asked for ${ids}`,
  )
  t.strictSame(source.about(), { cluster: 'c', master: 'n1', node: 'n1', source: 'luxi' })
})

t.test('changes of many jobs are asked for together', async (t) => {
  const { follow, put, short, jobCalls } = master(t)
  await follow('job')
  const before = jobCalls().length
  for (let id = 1; id <= 400; id++) put(id, 'queued')
  await until(() => new Set(short()).size === 400)
  t.ok(jobCalls().length - before < 100, `${jobCalls().length - before} questions`)
})

t.test('a job that failed tells why', async (t) => {
  const { follow, put, events, short } = master(t)
  put(1, 'running')
  await follow('job')
  put(1, 'error', { opresult: [['OpExecError', ['it broke\nbadly', 1]]] })
  await until(() => short().includes('1 error'))
  t.equal(events[0]?.data.error, 'it broke')
  t.equal(events[0]?.data.user, 'alice', 'what was known of it before is kept')
})

t.test('while nobody listens nothing is asked, and what happens then is told later', async (t) => {
  const { follow, put, short, asked, source, objects, folder, events } = master(t)
  put(1, 'running')
  await follow('job', 'instance')
  await until(() => asked.some(([kind]) => kind === 'instance'))
  source.attend(new Set())
  const before = asked.length
  put(1, 'success')
  put(2, 'queued')
  objects.instance = [['u1', 'web', 2, 2]]
  writeFileSync(join(folder, 'config.data'), 'changed')
  await until(() => Date.now() - source.toldUpTo > 200)
  t.equal(asked.length, before, 'for longer than changes gather')
  source.attend(new Set(['job', 'instance']))
  await until(() => short().length === 2 && events.some(({ type }) => type === 'instance'))
  t.strictSame(short(), ['1 success', '2 queued'])
})

t.test('lines of logs are asked for while somebody wants them', async (t) => {
  const { follow, put, events, source, jobCalls } = master(t)
  put(1, 'running', { oplog: [[[1, [1, 0], 'message', 'one']]] })
  await follow('job')
  put(1, 'running', {
    oplog: [
      [
        [1, [1, 0], 'message', 'one'],
        [2, [2, 0], 'message', 'two'],
      ],
    ],
  })
  await until(() => jobCalls().length >= 2)
  t.notOk(jobCalls().some(([, , fields]) => (fields as Json[]).includes('oplog')))
  source.attend(new Set(['job', 'joblog']))
  put(1, 'success')
  await until(() => events.filter(({ type }) => type === 'joblog').length === 2)
  t.strictSame(
    events
      .filter(({ type }) => type === 'joblog')
      .map(({ data }) => [data.id, data.op, data.serial, data.message]),
    [
      [1, 0, 1, 'one'],
      [1, 0, 2, 'two'],
    ],
  )
})

t.test('the present has what is unfinished, what was named, and what has ended since', async (t) => {
  const { follow, put, source } = master(t)
  put(1, 'success')
  put(2, 'running', { oplog: [[[1, [1, 0], 'message', 'one']]] })
  put(3, 'error')
  await follow('job', 'joblog')
  const ids = async (more: { jobs?: ReadonlySet<number>; endedSince?: number }) => {
    const types = new Set<EventType>(['job'])
    return [...(await source.present({ types, objects: false, ...more }))].map(({ job }) => job)
  }
  t.strictSame(await ids({}), [2])
  t.strictSame(await ids({ jobs: new Set([1, 9]) }), [1, 2])
  t.strictSame(await ids({ endedSince: Date.now() - 60_000 }), [1, 2, 3])
  t.strictSame(await ids({ endedSince: Date.now() + 60_000 }), [2])
  put(4, 'queued')
  await until(() => source.toldUpTo < Date.now())
  t.strictSame(await ids({}), [2, 4], 'what has just changed is asked for first')
  const logs = [...(await source.present({ types: new Set(['joblog']), objects: false }))]
  t.strictSame(
    logs.filter(({ type }) => type === 'joblog').map(({ data }) => data.message),
    ['one'],
  )
})

t.test('objects whose serial number has changed are told', async (t) => {
  const { follow, objects, events, folder, source, state, asked } = master(t)
  await follow('instance', 'node', 'cluster')
  await until(() => ['instance', 'node'].every((kind) => asked.some(([what]) => what === kind)))
  await source.present({ types: new Set(['instance', 'node', 'cluster']), objects: true })
  objects.instance = [
    ['u1', 'www', 2, 5],
    ['u3', 'new', 1, 5],
  ]
  objects.node = []
  state.clusterMtime = 5
  writeFileSync(join(folder, 'config.data'), 'changed')
  await until(() => events.length >= 4)
  t.strictSame(
    events.map(({ type, data }) => [type, data.change, data.name]),
    [
      ['cluster', 'changed', 'c'],
      ['node', 'removed', 'n1'],
      ['instance', 'renamed', 'www'],
      ['instance', 'added', 'new'],
    ],
  )
  t.equal(events[2]?.data.previous, 'web')
  t.strictSame(events[2]?.objects.instances, ['www', 'web'], 'who follows the old name is told too')
  t.notOk(
    asked.some(([kind]) => kind === 'group' || kind === 'network'),
    'of kinds that nobody wants, nothing is asked',
  )
})

t.test('a master daemon that is away is asked again, and nothing is lost', async (t) => {
  const { follow, put, short, state, log } = master(t)
  await follow('job')
  state.isAway = true
  put(1, 'queued')
  await until(() => log.length > 0)
  put(1, 'success')
  put(2, 'queued')
  state.isAway = false
  await until(() => short().length >= 2)
  t.strictSame(short(), ['1 success', '2 queued'])
  await until(() => log.length === 2)
  t.match(log, [/must be asked later: away/, /answers again/])
})

t.test('it cannot begin without the master daemon, and can later', async (t) => {
  const { follow, state, put, short } = master(t)
  state.isAway = true
  await t.rejects(follow('job'), new Failure('no-master', 'away'))
  state.isAway = false
  await follow('job')
  put(1, 'queued')
  await until(() => short().length === 1)
})

t.test('a job that leaves the queue is forgotten', async (t) => {
  const { follow, put, archive, source } = master(t)
  put(1, 'success')
  await follow('job')
  const told = async () => [
    ...(await source.present({ types: new Set(['job']), objects: false, jobs: new Set([1]) })),
  ]
  t.equal((await told()).length, 1)
  archive(1)
  await until(() => source.toldUpTo < Date.now())
  t.equal((await told()).length, 0)
})

t.test('another master ends it', async (t) => {
  const { follow, folder, events } = master(t)
  await follow('cluster')
  writeFileSync(join(folder, 'ssconf_master_node'), 'n2\n')
  await until(() => events.length > 0)
  t.match(events, [{ type: 'master', data: { master: 'n2' } }])
})

t.test('what the kernel drops is found by looking at all files', async (t) => {
  const { backend, logger, emit, short, put, queue, archive } = master(t)
  /** A watch that never tells. */
  const deaf = { close: () => {}, on: () => deaf } as never
  const folder = new QueueFolder(queue, { watchFolder: () => deaf, interval: 20 })
  const jobs = new MasterJobs({ backend, folder, log: logger }, emit)
  t.teardown(() => jobs.stop())
  put(1, 'queued')
  jobs.want({ jobs: true, logs: false })
  await jobs.begin()
  for (let id = 1; id <= 1000; id++) put(id, 'success')
  await until(() => new Set(short()).size === 1000)
  t.equal(short().length, 1000)
  archive(1)
  const there = async () =>
    (await jobs.present({ types: new Set(['job']), objects: false, jobs: new Set([1]) })).length
  while ((await there()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})

/** How many events the kernel keeps for a watch that nobody reads from; undefined if this is not Linux. */
const QUEUED = (() => {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
  } catch {
    return undefined
  }
})()
/** Writing a file and renaming it into place are four events at least. */
const OVERFLOW = Math.ceil((QUEUED ?? 0) / 4) + 500

t.test(
  'all changes are told when there are more at once than the kernel keeps',
  { skip: (!QUEUED || OVERFLOW > 20_000) && 'the kernel keeps too many to try' },
  async (t) => {
    const { backend, logger, emit, short, put, queue } = master(t)
    const heard = new Set<string | null>()
    const folder = new QueueFolder(queue, {
      watchFolder: (path, listener) =>
        watch(path, { persistent: false }, (event, name) => {
          if (name?.startsWith('job-')) heard.add(name)
          listener(event, name)
        }),
      interval: 200,
    })
    const jobs = new MasterJobs({ backend, folder, log: logger }, emit)
    t.teardown(() => jobs.stop())
    for (let id = 1; id <= OVERFLOW; id++) put(id, 'running')
    jobs.want({ jobs: true, logs: false })
    await jobs.begin()
    // In one turn of the event loop, so that nothing is read meanwhile.
    for (let id = 1; id <= OVERFLOW; id++) put(id, 'success')
    await until(() => short().length >= OVERFLOW)
    t.equal(new Set(short()).size, OVERFLOW)
    t.ok(short().every((one) => one.endsWith(' success')))
    t.ok(heard.size < OVERFLOW, `${heard.size} of ${OVERFLOW} were heard of`)
    heard.clear()
    put(1, 'error')
    await until(() => short().at(-1) === '1 error')
    await until(() => heard.has('job-1'))
  },
)

t.test('a queue that may not be read is asked for each second, while somebody listens', async (t) => {
  const { backend, logger, emit, short, put, log } = master(t)
  const unreadable: JobWatch = { begin: async () => false, see: async () => {}, stop: () => {} }
  const source = new MasterJobs({ backend, folder: unreadable, log: logger }, emit)
  t.teardown(() => source.stop())
  put(1, 'running')
  put(2, 'success')
  source.want({ jobs: true, logs: false })
  await source.begin()
  t.match(log, [/folder of the job queue cannot be read/])
  put(1, 'success')
  put(3, 'queued')
  await until(() => short().length === 2)
  t.strictSame(short(), ['1 success', '3 queued'])
})

t.test('while nobody listens such a queue is not asked for', async (t) => {
  const counts = { rounds: 0, statuses: 0 }
  const poll = new QueuePoll({
    known: { unfinished: [1], last: 1, ids: () => [1], get: () => undefined },
    isWanted: () => counts.rounds++ > 20,
    statuses: async () => {
      counts.statuses++
      return new Map()
    },
    interval: 1,
  })
  t.teardown(() => poll.stop())
  const changed: number[] = []
  await poll.begin((ids) => changed.push(...ids))
  await until(() => counts.rounds > 15)
  t.equal(counts.statuses, 0)
  t.strictSame(changed, [])
  await until(() => counts.statuses > 0 && changed.length > 0)
  t.ok(changed.includes(1))
  t.ok(changed.includes(2), 'jobs that may have come')
})

t.test('a folder that is not there, or may not be read, cannot be watched', async (t) => {
  const folder = t.testdir({ closed: {} })
  t.notOk(await new QueueFolder(join(folder, 'none')).begin(() => {}))
  if (process.getuid?.() === 0) return
  chmodSync(join(folder, 'closed'), 0)
  t.notOk(await new QueueFolder(join(folder, 'closed')).begin(() => {}))
})

t.test('live states are asked for while somebody wants them, and their changes told', async (t) => {
  const rows = {
    instances: [['web', 'running']] as Json[][],
    nodes: [['n1', false, 100]] as Json[][],
    asked: 0,
  }
  const events: Event[] = []
  const states = new LiveStates(
    () => ({
      queryInstances: async () => {
        rows.asked++
        return rows.instances
      },
      queryNodes: async () => rows.nodes,
    }),
    (event) => events.push(event),
    5,
  )
  const present = [...(await states.present())].map(({ data }) => data)
  t.strictSame(present, [
    { kind: 'instance', name: 'web', status: 'running', previous: null },
    { kind: 'node', name: 'n1', status: 'up', previous: null },
  ])
  states.want(true)
  rows.instances = [
    ['web', 'ERROR_down'],
    ['new', 'running'],
  ]
  rows.nodes = [['n1', false, null]]
  await until(() => events.length === 3)
  t.strictSame(events.map(({ data }) => [data.name, data.previous, data.status]).sort(), [
    ['n1', 'up', 'down'],
    ['new', null, 'running'],
    ['web', 'running', 'ERROR_down'],
  ])
  states.want(false)
})
