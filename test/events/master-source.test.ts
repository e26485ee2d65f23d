/**
 * Events of a live cluster: the queue is a real folder, as Ganeti writes it, and
 * the master daemon tells what a test says of its jobs and objects, and counts
 * what it is asked.
 */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { MasterBackend } from '../../lib/backend/luxi/luxi-backend.ts'
import type { Event, EventType } from '../../lib/events/event.ts'
import { LiveStates } from '../../lib/events/live-states.ts'
import { MasterJobs } from '../../lib/events/master-jobs.ts'
import { MasterObjects } from '../../lib/events/master-objects.ts'
import { MasterSource } from '../../lib/events/master-source.ts'
import type { JobWatch } from '../../lib/events/queue-folder.ts'
import { QueueFolder } from '../../lib/events/queue-folder.ts'
import { QueuePoll } from '../../lib/events/queue-poll.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { until } from '../support/until.ts'

interface TestJob {
  status: string
  ops: Json
  oplog: Json
  opresult: Json
}

const OPS = [
  {
    OP_ID: 'OP_INSTANCE_STARTUP',
    instance_name: 'web.example.com',
    reason: [['gnt:library:rlib2:instances_name_startup', 'user=alice;request=r1', 1n]],
  },
]

function master(t: Test) {
  const folder = t.testdir({ queue: {}, 'config.data': 'x', ssconf_master_node: 'n1\n' })
  const queue = join(folder, 'queue')
  const jobs = new Map<number, TestJob>()
  const asked: (readonly [string, ...Json[]])[] = []
  const objects: { [kind: string]: Json[][] } = {
    instance: [['u1', 'web', 1, 1]],
    node: [['u2', 'n1', 1, 1]],
    group: [],
    network: [],
  }
  const state = { isAway: false, clusterMtime: 1, info: 0 }
  const check = (...call: readonly [string, ...Json[]]) => {
    asked.push(call)
    if (state.isAway) throw new Failure('no-master', 'away')
  }
  const value = (id: number, job: TestJob, field: string): Json => {
    switch (field) {
      case 'id':
        return id
      case 'summary':
        return ['INSTANCE_STARTUP(web.example.com)']
      case 'opstatus':
        return [job.status]
      case 'end_ts':
        return ['success', 'error', 'canceled'].includes(job.status)
          ? [Math.floor(Date.now() / 1000), 0]
          : null
      case 'received_ts':
        return [1, 0]
      case 'start_ts':
        return null
      default:
        return (job as unknown as { [field: string]: Json })[field] ?? null
    }
  }
  const rowsOf = (kind: string) => async (_names: readonly string[], fields: readonly string[]) => {
    check(kind, [...fields])
    return (objects[kind] as Json[][]).map((row) =>
      fields[0] === 'uuid'
        ? row
        : fields.map((field) => (field === 'name' ? (row[1] as Json) : (row[4] ?? null))),
    )
  }
  const backend = {
    queryClusterInfo: async () => {
      check('cluster')
      return { name: 'c', uuid: 'uc', master: 'n1', mtime: state.clusterMtime }
    },
    jobsThere: async (ids: readonly string[] | null, fields: readonly string[]) => {
      check('jobs', ids && [...ids], [...fields])
      return [...jobs]
        .filter(([id]) => ids === null || ids.includes(String(id)))
        .map(([id, job]) => fields.map((field) => value(id, job, field)))
    },
    queryInstances: rowsOf('instance'),
    queryNodes: rowsOf('node'),
    queryGroups: rowsOf('group'),
    queryNetworks: rowsOf('network'),
  } as unknown as MasterBackend
  /** Changes a job as Ganeti does: its file is renamed into place. */
  const put = (id: number, status: string, more: Partial<TestJob> = {}) => {
    jobs.set(id, { ops: OPS, oplog: [[]], opresult: [null], ...jobs.get(id), status, ...more })
    writeFileSync(join(queue, `.job-${id}.tmp`), `${status} ${Math.random()}`)
    renameSync(join(queue, `.job-${id}.tmp`), join(queue, `job-${id}`))
  }
  const archive = (id: number) => {
    jobs.delete(id)
    rmSync(join(queue, `job-${id}`))
  }
  const log: string[] = []
  const logger = {
    warning: (message: string) => log.push(message),
    info: (message: string) => log.push(message),
  }
  const events: Event[] = []
  const emit = (event: Event) => events.push(event)
  const source = new MasterSource({
    backend,
    files: { queue, config: join(folder, 'config.data'), master: join(folder, 'ssconf_master_node') },
    node: 'n1',
    log: logger,
  })
  t.teardown(() => source.stop())
  const follow = async (...types: EventType[]) => {
    source.attend(new Set(types))
    await source.begin(emit)
  }
  const short = () =>
    events.filter(({ type }) => type === 'job').map(({ data }) => `${data.id} ${data.status}`)
  const jobCalls = () => asked.filter(([what]) => what === 'jobs')
  return {
    ...{ folder, queue, backend, jobs, asked, objects, state, put, archive, log, logger },
    ...{ events, emit, source, follow, short, jobCalls },
  }
}

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

t.test('a change that the master daemon does not know at first is told once it does', async (t) => {
  const { backend, objects, asked, events, emit } = master(t)
  const rounds = [5, 10, 20, 40, 80]
  const source = new MasterObjects(backend, emit, rounds)
  t.teardown(() => source.stop())
  await source.present(['group'])
  t.equal(asked.length, 1)
  source.want(['group'])
  source.changed()
  // It has the old state for some rounds; then nothing but the time tells that it has another one.
  await until(() => asked.length === 4)
  t.strictSame(events, [])
  objects.group = [['u4', 'late', 1, 1]]
  await until(() => events.length > 0)
  t.match(events, [{ type: 'group', data: { change: 'added', name: 'late' } }])
  await until(() => asked.length === 1 + rounds.length)
  const begun = performance.now()
  await until(() => performance.now() - begun > 200)
  t.equal(asked.length, 1 + rounds.length, 'a change is asked for in so many rounds, and no more')
  source.changed()
  source.want([])
  const [before, again] = [asked.length, performance.now()]
  await until(() => performance.now() - again > 100)
  t.equal(asked.length, before, 'while nobody listens nothing is asked')
})

t.test('changes without end are asked for, though not each', async (t) => {
  const { backend, objects, asked, events, emit } = master(t)
  const source = new MasterObjects(backend, emit, [50, 10_000])
  t.teardown(() => source.stop())
  await source.present(['group'])
  source.want(['group'])
  let changes = 0
  objects.group = [['u4', 'new', 1, 1]]
  await until(() => {
    source.changed()
    changes++
    return events.length > 0
  })
  objects.group = []
  await until(() => {
    source.changed()
    changes++
    return events.length > 1
  })
  t.ok(asked.length < changes, `${asked.length} questions for ${changes} changes`)
})

t.test('whoever wants the present at the same time shares the questions', async (t) => {
  const { backend, state, asked, emit } = master(t)
  const source = new MasterObjects(backend, emit)
  t.teardown(() => source.stop())
  const presents = () =>
    Promise.allSettled(Array.from({ length: 100 }, () => source.present(['instance', 'node'])))
  const told = await presents()
  t.ok(told.every((one) => one.status === 'fulfilled' && one.value.length === 2))
  t.equal(asked.length, 2)
  state.isAway = true
  source.changed()
  const failed = await presents()
  t.ok(failed.every(({ status }) => status === 'rejected'))
  t.equal(asked.length, 3)
  state.isAway = false
  t.ok((await presents()).every(({ status }) => status === 'fulfilled'))
  t.equal(asked.length, 5)
})

t.test('what is answered after the end is not told', async (t) => {
  const { backend, emit, events, asked, objects } = master(t)
  const source = new MasterObjects(backend, emit)
  await source.present(['group'])
  objects.group = [['u4', 'new', 1, 1]]
  source.changed()
  const present = source.present(['group'])
  source.stop()
  t.strictSame(await present, [])
  t.strictSame(events, [])
  t.equal(asked.length, 2)
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
