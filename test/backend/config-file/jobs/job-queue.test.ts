import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Backend } from '../../../../lib/backend/backend.ts'
import { configFileBackend } from '../../../../lib/backend/config-file/config-file-backend.ts'
import { JobQueue, type JobQueueOptions } from '../../../../lib/backend/config-file/jobs/job-queue.ts'
import { OPERATIONS } from '../../../../lib/backend/config-file/operations/operations.ts'
import {
  type Operation,
  prerequisite,
} from '../../../../lib/backend/config-file/operations/shared/operation.ts'
import { ClusterFile } from '../../../../lib/backend/config-file/state/cluster-file.ts'
import { ConfigLoader, NO_DIGESTS } from '../../../../lib/backend/config-file/state/config-loader.ts'
import { hashOf } from '../../../../lib/backend/config-file/state/text-hash.ts'
import { makeYamlText } from '../../../../lib/backend/config-file/yaml/document/make-yaml-text.ts'
import { readYamlText } from '../../../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { writeChange } from '../../../../lib/backend/config-file/yaml/write/write-change.ts'
import { Failure, messageChain } from '../../../../lib/failure.ts'
import { identityOf } from '../../../../lib/files/file-identity.ts'
import { type Json, type JsonObject, stringifyJson } from '../../../../lib/json/json.ts'
import { indexConfig } from '../../../../lib/model/config.ts'
import { type Job, statusOf } from '../../../../lib/model/job.ts'
import { readConfigFile } from '../../../support/read-cluster.ts'
import { until } from '../../../support/until.ts'

const YAML = `# A small one
cluster: {name: c.example.com}   # nothing else
nodes:
  n1.example.com: {memory: 8g, disk: 100g}
  n2.example.com: {memory: 8g, disk: 100g}
instances:
  a1.example.com: {pnode: n1.example.com}
  # the other one
  a2.example.com: {pnode: n2.example.com}
`

interface Tried {
  readonly path: string
  readonly file: ClusterFile
  readonly queue: JobQueue
  readonly backend: Backend
  readonly log: string[]
  run(...opcodes: JsonObject[]): Promise<JsonObject>
  wait(id: number): Promise<JsonObject>
  /** Waits until a job has a status. */
  reaches(id: number, status: string): Promise<void>
}

async function open(
  t: Test,
  path: string,
  operations: { readonly [id: string]: Operation } = OPERATIONS,
  loader: Pick<ConfigLoader, 'load'> = new ConfigLoader(),
  time: Pick<JobQueueOptions, 'sleep'> = {},
): Promise<Tried> {
  const file = new ClusterFile([path], loader)
  await file.load()
  const lines: string[] = []
  const log = { warning: (line: string) => lines.push(line), error: (line: string) => lines.push(line) }
  const queue = await JobQueue.open({
    file,
    folder: `${path}.queue`,
    load: async () => ({ OPERATIONS: operations, writeChange, makeYamlText }),
    log,
    ...time,
  })
  const backend = configFileBackend(() => file.current, queue)
  let closed = false
  const close = async () => {
    if (!closed) await backend.close()
    closed = true
  }
  t.teardown(close)
  const fields = ['id', 'status', 'opstatus', 'opresult', 'oplog', 'summary', 'start_ts', 'end_ts']
  const wait = async (id: number) => {
    let jobInfo: Json = null
    let logSerial = 0
    for (;;) {
      const news = await backend.waitForJobChange(String(id), fields, { jobInfo, logSerial }, 10, never)
      jobInfo = news?.jobInfo ?? jobInfo
      for (const [serial] of (news?.logEntries ?? []) as [number][]) logSerial = serial
      const row = Object.fromEntries(
        fields.map((field, place) => [field, (jobInfo as Json[])?.[place] ?? null]),
      )
      if (['success', 'error', 'canceled'].includes(String(row.status))) return row
    }
  }
  const reaches = (id: number, status: string) =>
    until(() => statusOf(queue.job(String(id)) as Job) === status)
  const run = async (...opcodes: JsonObject[]) => wait(await backend.submitJob(opcodes))
  return { path, file, queue, backend: { ...backend, close } as Backend, log: lines, run, wait, reaches }
}

/** A queue in which the time that jobs take passes when told to. */
async function openAtRest(t: Test, path: string): Promise<Tried & { readonly pass: () => Promise<void> }> {
  const sleeping: (() => void)[] = []
  const sleep = (_: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      sleeping.push(resolve)
      signal.addEventListener('abort', () => resolve())
    })
  const tried = await open(t, path, OPERATIONS, new ConfigLoader(), { sleep })
  /** Ends the sleep that began first. */
  const pass = async () => {
    await until(() => sleeping.length > 0)
    sleeping.shift()?.()
  }
  return { ...tried, pass }
}

const never = new AbortController().signal

function cluster(t: Test, yaml = YAML): string {
  return join(t.testdir({ 'cluster.yaml': yaml }), 'cluster.yaml')
}

const COMMON = { dry_run: false, debug_level: null, priority: 0, depends: null, comment: null, reason: [] }

function tag(name: string, ...tags: string[]): JsonObject {
  return { ...COMMON, OP_ID: 'OP_TAGS_SET', kind: 'instance', name, tags }
}

function delay(duration: number, more: JsonObject = {}): JsonObject {
  return {
    ...COMMON,
    OP_ID: 'OP_TEST_DELAY',
    duration,
    on_nodes: ['n1.example.com'],
    repeat: 0,
    no_locks: false,
    ...more,
  }
}

t.test('a job is queued, runs, and what it changed stands in the file', async (t) => {
  const { backend, run, path, file } = await open(t, cluster(t))
  const job = await run({ ...tag('a1', 'web', 'x:y'), reason: [['gnt:user', 'because', 1]] })
  t.match(job, {
    id: 1,
    status: 'success',
    opstatus: ['success'],
    opresult: [null],
    oplog: [[]],
    summary: ['TAGS_SET'],
  })
  t.strictSame(await backend.queryTags('instance', 'a1'), ['web', 'x:y'])
  const text = readFileSync(path, 'utf8')
  t.match(text, /# A small one\ncluster: \{name: c\.example\.com, ctime: \d+\} {3}# nothing else/)
  t.match(
    text,
    /a1\.example\.com: \{pnode: n1\.example\.com, (mtime: \d+, )?serial_no: 2, tags: \[web, x:y\]\}\n {2}# the/,
  )
  t.strictSame((await readConfigFile(path)).instances.all, file.current.instances.all)
  const [[ops, received]] = (await backend.queryJobs(['1'], ['ops', 'received_ts'])) as [
    [JsonObject[], number[]],
  ]
  const [seconds = 0, microseconds = 0] = received
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(microseconds) * 1000n
  t.strictSame(ops[0], {
    OP_ID: 'OP_TAGS_SET',
    kind: 'instance',
    name: 'a1',
    tags: ['web', 'x:y'],
    dry_run: false,
    debug_level: 0,
    priority: 0,
    depends: null,
    comment: null,
    reason: [
      ['gnt:user', 'because', 1],
      ['gnt:opcode:tags_set', 'job=1;index=0', nanoseconds],
    ],
  })
})

t.test('what a job has of private parameters is told to nobody', async (t) => {
  const { run, backend } = await open(t, cluster(t))
  const osparams_private = { password: 'hunter2' }
  const modify = { OP_ID: 'OP_INSTANCE_SET_PARAMS', instance_name: 'a1', osparams_private }
  await run({ ...COMMON, ...modify })
  const { jobInfo = null } =
    (await backend.waitForJobChange(
      '1',
      ['ops'],
      { jobInfo: null, logSerial: null },
      0,
      new AbortController().signal,
    )) ?? {}
  const told = [
    await backend.queryJobs(['1'], ['ops', 'opresult', 'oplog']),
    [...(await backend.query('job', ['ops', 'opresult', 'oplog'], null)).data],
    jobInfo,
  ].map((one) => stringifyJson(one as Json))
  for (const text of told) {
    t.match(text, '"osparams_private":{"password":null}')
    t.notMatch(text, 'hunter2')
  }
})

t.test('a refusal ends the job, and those opcodes behind it, in error', async (t) => {
  const { run, path } = await open(t, cluster(t))
  t.match(await run(tag('nosuch', 'x'), tag('a1', 'y')), {
    status: 'error',
    opstatus: ['error', 'error'],
    opresult: [
      ['OpPrereqError', ["Instance 'nosuch' not known", 'unknown_entity']],
      ['OpExecError', ['Preceding opcode failed']],
    ],
  })
  t.equal(readFileSync(path, 'utf8'), YAML)
  t.match(await run(tag('a1', 'y'), tag('a1', 'b d')), {
    status: 'error',
    opstatus: ['success', 'error'],
    opresult: [null, ['TagError', ['Tag contains invalid characters']]],
  })
  t.match(await run({ ...COMMON, OP_ID: 'OP_NO_SUCH' }), {
    status: 'error',
    opresult: [['OpExecError', [String]]],
  })
})

t.test('a fault of an operation is told in the log, not to the client', async (t) => {
  const broken: Operation = () => {
    throw new TypeError('x is not a function')
  }
  const { run, log } = await open(t, cluster(t), { OP_BROKEN: broken })
  t.match(await run({ ...COMMON, OP_ID: 'OP_BROKEN' }), { opresult: [['OpExecError', ['Internal error']]] })
  t.match(log, ['Job 1: x is not a function'])
})

t.test('a dry run changes nothing', async (t) => {
  const { run, path } = await open(t, cluster(t))
  const job = await run({ ...tag('a1', 'x'), dry_run: true })
  t.match(job.oplog, [[[1, [Number, Number], 'message', / - INFO: dry-run mode requested/]]])
  t.equal(readFileSync(path, 'utf8'), YAML)
})

t.test('ids only grow, and jobs are as they were after a restart', async (t) => {
  const path = cluster(t)
  const first = await open(t, path)
  const done = await first.run(tag('a1', 'x'))
  await first.run(tag('nosuch', 'x'))
  await first.backend.close()
  const second = await open(t, path)
  t.strictSame(await second.wait(1), done)
  t.match(await second.wait(2), { status: 'error' })
  t.equal(await second.backend.submitJob([tag('a2', 'x')]), 3)
  await second.wait(3)
  t.strictSame((await second.backend.queryJobs([], ['id'])).flat(), [1, 2, 3])
  await t.rejects(second.backend.queryJobs(['4'], ['id']), { code: 'not-found' })
  await t.rejects(
    second.backend.waitForJobChange('4', ['id'], { jobInfo: null, logSerial: null }, 1, never),
    { code: 'not-found' },
  )
})

t.test('after a crash, running jobs have failed and waiting ones run', async (t) => {
  const path = cluster(t)
  const first = await open(t, path)
  await first.backend.submitJob([delay(60)])
  await first.backend.submitJob([delay(60, { on_nodes: ['n1'] })])
  await first.backend.submitJob([tag('a1', 'x')])
  await first.wait(3)
  // What a crash leaves is what stands on disk now.
  const crashed = join(path, '../again')
  mkdirSync(crashed)
  execFileSync('cp', ['-a', path, `${path}.queue`, crashed])
  const second = await open(t, join(crashed, 'cluster.yaml'))
  t.match(await second.wait(1), {
    status: 'error',
    opresult: [['OpExecError', ['Unclean master daemon shutdown']]],
  })
  t.match(await second.wait(3), { status: 'success' })
  await second.reaches(2, 'running')
  t.pass('the one that had been waiting for the lock runs')
})

t.test('an opcode in the midst of which the daemon dies is not carried out again', async (t) => {
  const path = cluster(t)
  const crashed = join(path, '../again')
  mkdirSync(crashed)
  let times = 0
  const fatal: Operation = () => {
    times++
    execFileSync('cp', ['-a', path, `${path}.queue`, crashed])
    return { change: {}, result: null }
  }
  const first = await open(t, path, { ...OPERATIONS, OP_FATAL: fatal })
  await first.run(tag('a1', 'x'))
  await first.backend.submitJob([tag('a1', 'w'), { ...COMMON, OP_ID: 'OP_FATAL' }, tag('a1', 'z')])
  t.match(await first.wait(2), { status: 'success' })
  t.equal(times, 1)
  const second = await open(t, join(crashed, 'cluster.yaml'), { ...OPERATIONS, OP_FATAL: fatal })
  t.match(await second.wait(2), {
    status: 'error',
    opstatus: ['success', 'error', 'error'],
    opresult: [null, ['OpExecError', ['Unclean master daemon shutdown']], Object],
  })
  t.equal(times, 1)
  t.match(await second.run(tag('a1', 'y')), { status: 'success' }, 'the next one is')
})

t.test('a job that takes time is seen running only once a crash would not make it run again', async (t) => {
  const path = cluster(t)
  const { queue, backend } = await open(t, path)
  const journal = () => readFileSync(join(`${path}.queue`, 'journal-1'), 'utf8')
  const id = await queue.submit([delay(60)])
  const seen = await queue.waitFor(
    id,
    () => (statusOf(queue.job(String(id)) as Job) === 'running' ? journal() : undefined),
    60,
    new AbortController().signal,
  )
  t.match(seen, /"status":"running"/)
  const next = await queue.submit([delay(60)])
  // Canceled while it is being written that it runs.
  await queue.waitFor(
    next,
    () => statusOf(queue.job(String(next)) as Job) === 'waiting' || undefined,
    60,
    new AbortController().signal,
  )
  t.strictSame(await queue.cancel(String(next)), [true, `Job ${next} will be canceled`])
  await until(() => statusOf(queue.job(String(next)) as Job) === 'canceled')
  await backend.close()
  t.match((await open(t, path)).queue.job(String(next)), { ops: [{ status: 'canceled' }] })
})

t.test('a job that has not begun when the daemon ends runs after the next start', async (t) => {
  const path = cluster(t)
  const { queue, backend } = await open(t, path)
  const id = await queue.submit([delay(60)])
  // It is being written that it runs.
  await queue.waitFor(
    id,
    () => statusOf(queue.job(String(id)) as Job) === 'waiting' || undefined,
    60,
    new AbortController().signal,
  )
  await backend.close()
  const second = await open(t, path)
  await second.reaches(id, 'running')
  t.match(second.queue.job(String(id)), { ops: [{ result: null, end: null }] })
})

t.test("jobs end in error where the file is Ganeti's own by the next start", async (t) => {
  const path = cluster(t)
  const first = await openAtRest(t, path)
  await first.backend.submitJob([delay(60)])
  const id = await first.backend.submitJob([{ ...delay(0), depends: [[-1, []]] }, tag('inst1', 'x')])
  await first.backend.close()
  writeFileSync(
    path,
    readFileSync(new URL('../../../../../test/fixtures/real-cluster/config.data', import.meta.url)),
  )
  const second = await open(t, path)
  t.match(await second.wait(id), {
    opstatus: ['success', 'error'],
    opresult: [null, ['OpExecError', ['This file is never written']]],
  })
})

t.test('a job that ends while it is to be canceled stays as it ended', async (t) => {
  const { file, backend, wait, pass, reaches } = await openAtRest(t, cluster(t))
  await backend.submitJob([delay(1)])
  const waiting = await backend.submitJob([delay(0)])
  await reaches(waiting, 'waiting')
  const { checkWritable } = file
  file.checkWritable = async () => {
    await pass()
    t.match(await wait(waiting), { status: 'success' })
    await checkWritable.call(file)
  }
  t.strictSame(await backend.cancelJob(String(waiting)), [false, `Job ${waiting} not found in queue`])
  t.match(await wait(waiting), { status: 'success' })
})

t.test('a crash between the journal and the file: the file tells how it went', async (t) => {
  const base = cluster(t)
  const before = await open(t, base)
  await before.run(tag('a1', 'x'))
  await before.backend.close()
  const [journal] = readdirSync(`${base}.queue`).filter((name) => name.startsWith('journal-'))
  const lines = readFileSync(join(`${base}.queue`, String(journal)), 'utf8').split('\n')
  const upTo = lines.findIndex((line) => line.startsWith('{"write"')) + 1
  const named = /"temporary": ?"(.*?)"/.exec(lines[upTo - 1] as string)?.[1] as string
  const written = readFileSync(base, 'utf8')
  const left = (name: string, yaml: string, temporary?: string) => {
    const path = join(base, '..', name, 'cluster.yaml')
    mkdirSync(`${path}.queue`, { recursive: true })
    writeFileSync(path, yaml)
    writeFileSync(join(`${path}.queue`, 'journal-1'), `${lines.slice(0, upTo).join('\n')}\n{"job": {"id": 9`)
    if (temporary !== undefined) writeFileSync(join(path, '..', named), temporary)
    return path
  }
  const cases: [title: string, yaml: string, temporary: string | undefined, status: string][] = [
    ['the file has been replaced', written, undefined, 'success'],
    ['it has not', YAML, written, 'queued or so'],
    ['it has, and somebody changed it since', `${written}# mine\n`, undefined, 'success'],
    ['somebody changed it, and it has not', `${YAML}# mine\n`, written, 'queued or so'],
  ]
  for (const [index, [title, yaml, temporary, status]] of cases.entries()) {
    const path = left(`case${index}`, yaml, temporary)
    const { wait, backend } = await open(t, path)
    const job = await wait(1)
    // A job that had not even been known to run runs now.
    t.match(job, { status: 'success' }, title)
    t.strictSame(await backend.queryTags('instance', 'a1'), ['x'], title)
    const serial = (await backend.queryInstances(['a1'], ['serial_no'])).flat()
    t.strictSame(serial, [2], `${title}: it was applied once (${status})`)
    t.strictSame(
      readdirSync(dirname(path)),
      ['cluster.yaml', 'cluster.yaml.queue'],
      'nothing is left lying about',
    )
    await backend.close()
  }
})

t.test('what tells how a write went is there until the journal tells it', async (t) => {
  const base = cluster(t)
  const before = await open(t, base)
  await before.run(tag('a1', 'x'))
  await before.backend.close()
  const [journal = ''] = readdirSync(`${base}.queue`).filter((name) => name.startsWith('journal-'))
  const lines = readFileSync(join(`${base}.queue`, journal), 'utf8').split('\n')
  const upTo = lines.findIndex((line) => line.startsWith('{"write"')) + 1
  const temporary = /"temporary": ?"(.*?)"/.exec(lines[upTo - 1] as string)?.[1] as string
  // Nothing came of the write, and somebody has changed the file since.
  const path = join(dirname(base), 'again', 'cluster.yaml')
  mkdirSync(`${path}.queue`, { recursive: true })
  writeFileSync(path, `${YAML}# mine\n`)
  writeFileSync(join(dirname(path), temporary), 'whatever')
  writeFileSync(join(`${path}.queue`, 'journal-1'), `${lines.slice(0, upTo).join('\n')}\n`)
  // No new journal can begin, as if it came to a crash right before.
  mkdirSync(join(`${path}.queue`, 'journal-2.new'))
  const file = new ClusterFile([path])
  await file.load()
  const log = { warning: () => {}, error: () => {} }
  const load = async () => ({ OPERATIONS, writeChange, makeYamlText })
  const queue = await JobQueue.open({ file, folder: `${path}.queue`, load, log })
  t.ok(await file.hasTemporary(temporary), 'it is kept')
  await queue.close()
  rmSync(join(`${path}.queue`, 'journal-2.new'), { recursive: true })
  const { wait, backend } = await open(t, path)
  t.match(await wait(1), { status: 'success' })
  t.strictSame(
    await backend.queryTags('instance', 'a1'),
    ['x'],
    'the job has run, rather than counting as done',
  )
  t.notOk(await file.hasTemporary(temporary), 'it is gone')
})

t.test('a new file that somebody came before stays until the journal tells so', async (t) => {
  const path = cluster(t)
  const file = new ClusterFile([path])
  await file.load()
  const prepare = file.prepare.bind(file)
  const journals: string[] = []
  let prepared = 0
  file.prepare = async (...args) => {
    const made = await prepare(...args)
    const isFirst = ++prepared === 1
    return {
      ...made,
      commit: async () => {
        if (isFirst) writeFileSync(path, `${YAML}# mine\n`)
        await made.commit()
      },
      discard: async () => {
        journals.push(readFileSync(join(`${path}.queue`, 'journal-1'), 'utf8'))
        await made.discard()
      },
    }
  }
  const load = async () => ({ OPERATIONS, writeChange, makeYamlText })
  const log = { warning: () => {}, error: () => {} }
  const queue = await JobQueue.open({ file, folder: `${path}.queue`, load, log })
  const id = await queue.submit([tag('a1', 'x')])
  await until(() => statusOf(queue.job(String(id)) as Job) === 'success')
  t.match(readFileSync(path, 'utf8'), '# mine')
  await until(() => journals.length > 0)
  t.match(journals[0], /"written": ?false/)
  await queue.close()
  t.strictSame(readdirSync(dirname(path)).sort(), ['cluster.yaml', 'cluster.yaml.queue'])
})

t.test('a damaged journal is no reason to forget jobs', async (t) => {
  const path = cluster(t)
  mkdirSync(`${path}.queue`)
  writeFileSync(join(`${path}.queue`, 'journal-3'), '{"last": 7}\nnonsense\n{"last": 8}\n')
  await t.rejects(open(t, path), { code: 'configuration', message: /journal-3:2: the job queue is damaged/ })
})

const reading = {
  ...COMMON,
  OP_ID: 'OP_INSTANCE_QUERY_DATA',
  use_locking: false,
  instances: [],
  static: true,
}

/** Runs a job, closes the queue, and adds to its journal as if there had been more jobs like it. */
async function jobsLike(t: Test, path: string, opcode: JsonObject, ids: readonly [number, number]) {
  const tried = await open(t, path)
  const { id } = await tried.run(opcode)
  await tried.backend.close()
  const name = readdirSync(`${path}.queue`).find((one) => one.startsWith('journal-'))
  const journal = join(`${path}.queue`, String(name))
  const [last = ''] = readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`{"job":{"id":${id},`))
    .slice(-1)
  const { job } = JSON.parse(last) as { job: JsonObject }
  const [from, to] = ids
  const more = Array.from({ length: to - from + 1 }, (_, index) => ({ job: { ...job, id: from + index } }))
  appendFileSync(journal, more.map((record) => `${JSON.stringify(record)}\n`).join(''))
}

async function idsOf({ backend }: Tried): Promise<Json[]> {
  return (await backend.queryJobs([], ['id'])).flat()
}

t.test('beyond 5000 finished jobs the oldest leave the queue, and stay away', async (t) => {
  const path = cluster(t)
  await jobsLike(t, path, delay(0), [2, 5010])

  const check = async (tried: Tried, oldest: number, latest: number) => {
    const jobs = await idsOf(tried)
    t.strictSame([jobs.length, jobs[0], jobs.at(-1)], [5000, oldest, latest])
    await t.rejects(
      tried.backend.waitForJobChange('1', ['id'], { jobInfo: null, logSerial: null }, 1, never),
      {
        code: 'not-found',
      },
    )
  }
  const second = await open(t, path)
  await check(second, 11, 5010)
  t.match(await second.run(delay(0)), { id: 5011, status: 'success' })
  await check(second, 12, 5011)
  await second.backend.close()
  await check(await open(t, path), 12, 5011)
})

t.test('of finished jobs that only read the newest 500 stay, and they push out no others', async (t) => {
  const path = cluster(t)
  await jobsLike(t, path, delay(0), [2, 5000])
  await jobsLike(t, path, reading, [5002, 5600])
  const check = async (tried: Tried, oldest: number, latest: number) => {
    const ids = await idsOf(tried)
    t.strictSame([ids.length, ids[0], ids[4999], ids[5000], ids.at(-1)], [5500, 1, 5000, oldest, latest])
  }
  const second = await open(t, path)
  await check(second, 5101, 5600)
  t.match(await second.run(reading), { id: 5601, status: 'success' })
  await check(second, 5102, 5601)
  await second.backend.close()
  await check(await open(t, path), 5102, 5601)
  t.notOk(readdirSync(`${path}.queue`).includes('archive'), 'what they told is not kept anywhere')
})

t.test('finished jobs of more than 32 MiB leave the queue, the newest one never', async (t) => {
  const tried = await open(t, cluster(t))
  const comment = 'x'.repeat(11 * 2 ** 20)
  for (let count = 0; count < 4; count++) await tried.run(delay(0, { comment }))
  t.strictSame(await idsOf(tried), [3, 4])
  await tried.run(delay(0, { comment: comment.repeat(3) }))
  t.strictSame(await idsOf(tried), [5])
  await tried.run(delay(0))
  t.strictSame(await idsOf(tried), [6])
})

const PAUSE = `${YAML}filters:\n  - {priority: 0, predicates: [], action: PAUSE}\n`

t.test('beyond 5000 unfinished jobs none is taken', async (t) => {
  const tried = await open(t, cluster(t, PAUSE))
  const submit = () => tried.backend.submitJob([reading])
  const outcomes = await Promise.allSettled(Array.from({ length: 5001 }, submit))
  t.equal((await idsOf(tried)).length, 5000)
  const full = { code: 'unavailable', message: 'The job queue is full: 5000 jobs in it have not finished' }
  t.match(
    outcomes.filter(({ status }) => status === 'rejected'),
    [{ reason: full }],
  )
  await tried.backend.cancelJob('1')
  t.equal(await submit(), 5001, 'but again when one has finished')
  await t.rejects(submit(), full)
})

t.test('beyond 32 MiB of unfinished jobs none is taken, also after a restart', async (t) => {
  const path = cluster(t, PAUSE)
  const tried = await open(t, path)
  const large = delay(0, { comment: 'x'.repeat(17 * 2 ** 20) })
  await tried.backend.submitJob([large])
  await tried.backend.submitJob([large])
  const full = { code: 'unavailable', message: /^The job queue is full: 2 jobs/ }
  await t.rejects(tried.backend.submitJob([reading]), full)
  await tried.backend.close()
  const again = await open(t, path)
  await t.rejects(again.backend.submitJob([reading]), full)
  await again.backend.cancelJob('1')
  t.equal(await again.backend.submitJob([reading]), 3)
})

t.test('jobs on the same object go in order, others beside them', async (t) => {
  const { backend, wait, pass } = await openAtRest(t, cluster(t))
  const slow = await backend.submitJob([delay(1)])
  const next = await backend.submitJob([delay(0)])
  const urgent = await backend.submitJob([delay(0, { priority: -10 })])
  const other = await backend.submitJob([delay(0, { on_nodes: ['n2'] })])
  t.match(await wait(other), { status: 'success' })
  t.match((await backend.queryJobs([String(slow), String(next)], ['status'])).flat(), ['running', 'waiting'])
  t.strictSame(
    [...(await backend.query('lock', ['name', 'mode', 'owner', 'pending'], null)).data].map((row) =>
      row.map(([, v]) => v),
    ),
    [['node/n1.example.com', 'exclusive', [String(slow)], [['exclusive', [String(urgent), String(next)]]]]],
  )
  await pass()
  const [first, second, third] = await Promise.all([wait(slow), wait(next), wait(urgent)])
  const order = [first, third, second].map(({ end_ts }) =>
    (end_ts as number[]).map((part) => String(part).padStart(6, '0')).join('.'),
  )
  t.strictSame([...order].sort(), order, 'the urgent one overtakes')
})

t.test('no more jobs run than the cluster allows', async (t) => {
  const { backend, wait } = await open(
    t,
    cluster(t, YAML.replace('{name: c.example.com}', '{name: c, max_running_jobs: 1}')),
  )
  await backend.submitJob([delay(60)])
  const next = await backend.submitJob([tag('a1', 'x')])
  t.match((await backend.queryJobs([String(next)], ['status', 'start_ts'])).flat(), ['queued', null])
  t.strictSame(await backend.cancelJob(String(next)), [true, `Dequeued job ${next}`])
  t.match(await wait(next), { status: 'canceled', opstatus: ['canceled'], opresult: [null], start_ts: null })
})

t.test('what can be canceled, and what is said', async (t) => {
  const { backend, wait, run, reaches } = await open(t, cluster(t))
  await run(tag('a1', 'x'))
  const running = await backend.submitJob([delay(60)])
  const waiting = await backend.submitJob([delay(0)])
  await reaches(running, 'running')
  await reaches(waiting, 'waiting')
  t.strictSame(await backend.cancelJob(String(running)), [
    false,
    `Job ${running} is no longer waiting in the queue`,
  ])
  t.strictSame(await backend.cancelJob(String(waiting)), [true, `Job ${waiting} will be canceled`])
  t.match(await wait(waiting), { status: 'canceled' })
  t.strictSame(await backend.cancelJob('1'), [false, 'Job 1 not found in queue'])
  t.strictSame(await backend.cancelJob('99'), [false, 'Job 99 not found in queue'])
})

t.test('jobs wait for those they depend on', async (t) => {
  const { backend, wait, pass } = await openAtRest(t, cluster(t))
  const first = await backend.submitJob([delay(1)])
  const failing = await backend.submitJob([tag('nosuch', 'x')])
  const after = (id: number, ...wanted: string[]) =>
    backend.submitJob([{ ...tag('a1', 'x'), depends: [[id, wanted]] }])
  const fine = await after(first, 'success')
  const any = await after(failing)
  const wrong = await after(failing, 'success')
  const lost = await after(77, 'success')
  t.match((await backend.queryJobs([String(fine)], ['status'])).flat(), ['queued'])
  await pass()
  t.match(await wait(fine), { status: 'success' })
  t.match(await wait(any), { status: 'success' })
  t.match(await wait(wrong), {
    status: 'error',
    opresult: [
      [
        'OpExecError',
        [`Dependency job ${failing} finished with status 'error', not one of 'success' as required`],
      ],
    ],
  })
  t.match(await wait(lost), { status: 'error' })
})

t.test('a job may name those it depends on by how many jobs before it they came', async (t) => {
  const { backend, run } = await open(t, cluster(t))
  await run(tag('a1', 'x'))
  await run(tag('a1', 'y'))
  const depends = (...ids: Json[]) => ids.map((id): Json => [id, ['success']])
  const job = await run({ ...tag('a1', 'z'), depends: depends(-1, '1', 2) })
  t.match(job, { id: 3, status: 'success' })
  const [[ops] = []] = await backend.queryJobs(['3'], ['ops'])
  t.match(ops, [{ depends: depends(2, 1, 2) }])
  await t.rejects(backend.submitJob([{ ...tag('a1', 'z'), depends: depends(-5) }]), {
    code: 'invalid',
    message: "Invalid value for job ID '-1'",
  })
  t.match(await run(tag('a1', 'z')), { id: 4 }, 'whose id is not lost')
})

t.test('a wait tells what is new, and only that', async (t) => {
  const { backend, pass, reaches } = await openAtRest(t, cluster(t))
  const job = await backend.submitJob([delay(1, { repeat: 2 })])
  const id = String(job)
  await reaches(job, 'running')
  const ask = (jobInfo: Json, logSerial: Json, timeout: number, signal = never) =>
    backend.waitForJobChange(id, ['id', 'status'], { jobInfo, logSerial }, timeout, signal)
  t.strictSame(await ask(null, null, 60), { jobInfo: [1, 'running'], logEntries: [] })
  t.equal(await ask([1, 'running'], null, 0.01), null, 'nothing new in time')
  const gone = new AbortController()
  const abandoned = ask([1, 'running'], null, 60, gone.signal)
  gone.abort()
  t.equal(await abandoned, null, 'nobody waits any more')
  const news = ask([1, 'running'], null, 60)
  await pass()
  t.match(await news, {
    jobInfo: [1, 'running'],
    logEntries: [[1, [Number, Number], 'message', ' - INFO: Test delay iteration 0/1']],
  })
  const more = ask([1, 'running'], 1, 60)
  await pass()
  t.match(await more, {
    logEntries: [[2, [Number, Number], 'message', ' - INFO: Test delay iteration 1/1']],
  })
  const last = ask([1, 'running'], 2, 60)
  await pass()
  t.strictSame(await last, { jobInfo: [1, 'success'], logEntries: [] })
  t.strictSame(
    await ask([1, 'success'], 2, 60),
    { jobInfo: [1, 'success'], logEntries: [] },
    'a job that has ended',
  )
  await t.rejects(
    ask(null, null, 60).then(() =>
      backend.waitForJobChange(id, ['no'], { jobInfo: null, logSerial: null }, 1, never),
    ),
    { code: 'invalid' },
  )
})

t.test('jobs take the time that the file says', async (t) => {
  const talking: Operation = () => ({ change: {}, result: null, log: ['one', 'two'] })
  const refusing: Operation = () => {
    throw prerequisite('no', 'wrong_state')
  }
  const yaml = YAML.replace(
    '{name: c.example.com}',
    '{name: c, job_time: {OP_TALK: 0.12, OP_REFUSE: 60, default: 0}}',
  )
  const { run } = await open(t, cluster(t, yaml), { OP_TALK: talking, OP_REFUSE: refusing })
  const { oplog, start_ts, end_ts } = await run({ ...COMMON, OP_ID: 'OP_TALK' })
  const [[one, two]] = oplog as [[[number, [number, number]], [number, [number, number]]]]
  const microseconds = ([seconds, rest]: readonly number[]) => Number(seconds) * 1e6 + Number(rest)
  const times = [start_ts as number[], one[1], two[1], end_ts as number[]].map(microseconds)
  for (const [index, time] of times.slice(1).entries())
    t.ok(time - (times[index] ?? 0) > 30_000, 'not all at once')
  t.match(
    await run({ ...COMMON, OP_ID: 'OP_REFUSE' }),
    { status: 'error' },
    'what cannot work does not take it',
  )
})

t.test('a filter rule has a thousand terms at most', async (t) => {
  const { backend } = await open(t, cluster(t))
  const rule = (terms: number) =>
    backend.replaceFilter(null, {
      priority: 0,
      predicates: [['jobid', ['|', ...Array.from({ length: terms }, (_, n): Json => ['=', 'id', n])]]],
      action: 'CONTINUE',
      reason: [],
    })
  await rule(900)
  await t.rejects(rule(1000), { code: 'invalid', message: 'Predicates of more than 1000 terms' })
})

t.test('filter rules pause, reject, slow down and accept', async (t) => {
  const { backend, wait, path, run } = await open(t, cluster(t))
  const rule = (priority: number, predicates: Json, action: Json) =>
    backend.replaceFilter(null, { priority, predicates, action, reason: [['me', 'why', 1]] })
  const later = [['jobid', ['>', 'id', 'watermark']]]
  const pause = await rule(10, later, 'PAUSE')
  t.match((await backend.queryFilters([pause], ['watermark', 'reason_trail'])).flat(), [
    0,
    [
      ['me', 'why', 1],
      ['luxid', '', BigInt],
    ],
  ])
  t.match(readFileSync(path, 'utf8'), /\nfilters:/)
  const paused = await backend.submitJob([tag('a1', 'paused')])
  await rule(5, [['opcode', ['=', 'OP_ID', 'OP_TEST_DELAY']]], 'ACCEPT')
  t.match(await run(delay(0)), { status: 'success' }, 'accepted before it is paused')
  await rule(1, [['reason', ['=~', 'reason', '^never']]], 'REJECT')
  t.match(await run({ ...tag('a1', 'x'), reason: [['gnt:user', 'never mind', 1]] }), { status: 'canceled' })
  t.match((await backend.queryJobs([String(paused)], ['status'])).flat(), ['queued'])
  t.equal(
    await backend.replaceFilter(pause, {
      priority: 10,
      predicates: later,
      action: ['RATE_LIMIT', 1],
      reason: [],
    }),
    pause,
  )
  t.match(await wait(paused), { status: 'success' })
  await backend.deleteFilter(pause)
  await t.rejects(backend.deleteFilter(pause), {
    code: 'not-found',
    message: `Filter rule with UUID ${pause} does not exist`,
  })
  await t.rejects(rule(1, [['jobid', ['bogus']]], 'PAUSE'), { code: 'invalid' })
  t.strictSame((await readConfigFile(path)).filters.length, 2)
})

t.test('a rule is kept in the words of the master daemon', async (t) => {
  const { backend } = await open(t, cluster(t))
  const uuid = await backend.replaceFilter(null, {
    priority: 0,
    predicates: [
      [
        'jobid',
        ['|', ['!=', 'id', 1], ['!', ['=', 'id', 'watermark']], ['==', 'id', 2], ['<', 'id', 3], null],
      ],
      ['opcode', null],
    ],
    action: 'CONTINUE',
    reason: [['me', 'why', 1.6]],
  })
  const [[predicates, trail] = []] = await backend.queryFilters([uuid], ['predicates', 'reason_trail'])
  t.strictSame(predicates, [
    [
      'jobid',
      ['|', ['!', ['==', 'id', 1]], ['!', ['==', 'id', 'watermark']], ['==', 'id', 2], ['<', 'id', 3], null],
    ],
    ['opcode', null],
  ])
  t.match(trail, [
    ['me', 'why', 2],
    ['luxid', '', BigInt],
  ])
})

t.test('a rate limit lets only so many run at once', async (t) => {
  const { backend, wait, pass } = await openAtRest(t, cluster(t))
  await backend.replaceFilter(null, {
    priority: 0,
    predicates: [['opcode', ['=', 'OP_ID', 'OP_TEST_DELAY']]],
    action: ['RATE_LIMIT', 1],
    reason: [],
  })
  const ids = [await backend.submitJob([delay(1)]), await backend.submitJob([delay(0, { on_nodes: ['n2'] })])]
  t.match((await backend.queryJobs(ids.map(String), ['status'])).flat(), [/running|waiting/, 'queued'])
  await pass()
  for (const id of ids) t.match(await wait(id), { status: 'success' })
})

t.test('somebody else edits the file meanwhile: both changes are there', async (t) => {
  const yaml = YAML.replace('{name: c.example.com}', '{name: c.example.com, hidden_os: [none]}')
  const { run, path, backend } = await open(t, cluster(t, yaml))
  await run(tag('a1', 'x'))
  for (let edit = 0; edit < 5; edit++) {
    const edited = readFileSync(path, 'utf8').replace(/hidden_os: \[\w+\]/, `hidden_os: [os${edit}]`)
    // In place and by renaming, as editors do.
    if (edit % 2 === 0) writeFileSync(path, edited)
    else {
      writeFileSync(`${path}~`, edited)
      renameSync(`${path}~`, path)
    }
    t.match(await run(tag('a1', `y${edit}`)), { status: 'success' })
    t.match(readFileSync(path, 'utf8'), `hidden_os: [os${edit}]`)
  }
  t.strictSame(await backend.queryTags('instance', 'a1'), ['x', 'y0', 'y1', 'y2', 'y3', 'y4'])
})

t.test('a file that is read anew while a job is applied: the job is applied to what is new', async (t) => {
  const path = cluster(t)
  // As the real one, but at once.
  const load = async () => {
    const text = readFileSync(path, 'utf8')
    const { objects, cuts } = readYamlText(text, { name: path })
    const identity = identityOf(statSync(path, { bigint: true }))
    const source = { identity, hash: hashOf(text), yaml: { text, cuts } }
    return { loaded: { config: indexConfig(objects), digests: NO_DIGESTS }, source }
  }
  let applied = 0
  const OP_TAGS_SET: Operation = (config, input, context) => {
    if (++applied === 1) {
      writeFileSync(path, YAML.replace('memory: 8g', 'memory: 16g'))
      void file.load()
      // So long that others have their turn before it is written.
      for (const begun = performance.now(); performance.now() - begun < 5; );
    }
    return (OPERATIONS.OP_TAGS_SET as Operation)(config, input, context)
  }
  const { run, file } = await open(t, path, { ...OPERATIONS, OP_TAGS_SET }, { load })
  t.match(await run(tag('a1', 'x')), { status: 'success' })
  t.equal(applied, 2)
  t.match(readFileSync(path, 'utf8'), /memory: 16g.*\n.*memory: 8g(.*\n)*.*a1.*tags: \[x\]/)
})

t.test('parameters of any name end their job, and are there after a restart', async (t) => {
  const path = cluster(t)
  const first = await open(t, path)
  const osparams = { '<<': 'x', ['__proto__']: 'y', constructor: 'z', '': '52:54:00:12:34:56' }
  const row = await first.run({
    ...COMMON,
    OP_ID: 'OP_INSTANCE_SET_PARAMS',
    instance_name: 'a1.example.com',
    ignore_ipolicy: true,
    osparams,
  })
  t.equal(row.status, 'success')
  await first.backend.close()
  const { file } = await open(t, path)
  const held = file.current.instances.byName.get('a1.example.com')?.osparams ?? {}
  t.strictSame(Object.entries(held).sort(), Object.entries(osparams).sort())
})

t.test('a file with anchors is edited on a thread of its own, and the anchors stay', async (t) => {
  const yaml = `${YAML.replace('{pnode: n1.example.com}', '&a {pnode: n1.example.com}')}  a3.example.com: {<<: *a} # alike\n`
  const { path, run, file } = await open(t, cluster(t, yaml))
  const rows = await Promise.all([run(tag('a2.example.com', 'x')), run(tag('a3.example.com', 'yes'))])
  t.strictSame(
    rows.map(({ status }) => status),
    ['success', 'success'],
  )
  const text = readFileSync(path, 'utf8')
  t.match(text, /a3\.example\.com: \{<<: \*a, .*tags: \["yes"\]\} # alike\n/)
  t.match(text, '  # the other one\n')
  t.strictSame(file.current.instances.byName.get('a3.example.com')?.tags, ['yes'])
})

t.test('a change that cannot be written fails its job alone, and leaves the file as it is', async (t) => {
  for (const yaml of [YAML, `${YAML}...\n`]) {
    const operations = {
      ...OPERATIONS,
      OP_TEST_DELAY: () => ({
        result: null,
        change: {
          filters: new Map([
            [
              'f',
              {
                uuid: 'f',
                watermark: 0,
                priority: 1,
                predicates: [],
                action: 'ACCEPT',
                // There is no such number in YAML as it is read here.
                reason_trail: [['a', 'b', Number.NEGATIVE_INFINITY]],
              },
            ],
          ]),
        },
      }),
    } as unknown as typeof OPERATIONS
    const { path, run, log } = await open(t, cluster(t, yaml), operations)
    const bad = { ...COMMON, OP_ID: 'OP_TEST_DELAY', duration: 0, on_nodes: [], on_master: true }
    const [failed, done] = await Promise.all([run(bad), run(tag('a1.example.com', 'x'))])
    t.equal(failed.status, 'error', yaml.slice(-4))
    t.match(JSON.stringify(failed.opresult), /Cannot write this change|no way to say/)
    t.notMatch(readFileSync(path, 'utf8'), 'filters')
    t.equal(done.status, 'success')
    t.match(readFileSync(path, 'utf8'), 'tags: [x]')
    t.ok(log.length > 0)
  }
})

t.test('a file that its editor broke is not touched', async (t) => {
  const { run, path } = await open(t, cluster(t))
  appendFileSync(path, 'nonsense: [\n')
  const broken = readFileSync(path, 'utf8')
  const job = await run(tag('a1', 'x'))
  t.match(job, {
    status: 'error',
    opresult: [
      ['OpExecError', ["Cannot write the cluster's file: it was changed by somebody else, and has mistakes"]],
    ],
  })
  t.equal(readFileSync(path, 'utf8'), broken)
  writeFileSync(path, YAML)
  t.match(await run(tag('a1', 'x')), { status: 'success' })
})

t.test('clients learn why a change could not be written, and not where', async (t) => {
  const { backend, run, path, log, file } = await open(t, cluster(t))
  file.prepare = async () => {
    throw Object.assign(new Error(`EISDIR: illegal operation on a directory, open '${path}'`), { errno: -21 })
  }
  const rule = { priority: 0, predicates: [], action: 'PAUSE', reason: [] }
  const job = await run(tag('a1', 'x'))
  t.match(job, {
    opresult: [['OpExecError', ["Cannot write the cluster's file: illegal operation on a directory"]]],
  })
  await t.rejects(backend.replaceFilter(null, rule), {
    code: 'unavailable',
    message: "Cannot write the cluster's file: illegal operation on a directory",
  })
  const logged = new RegExp(`^Cannot write ${path}: EISDIR`)
  t.match(log, [logged, /^Job 1: EISDIR/, logged])
  rmSync(path)
  const refused = await t.rejects(backend.submitJob([tag('a1', 'y')]), {
    code: 'unavailable',
    message: "No job can be taken: cannot write the cluster's file: no such file or directory",
  })
  t.match(messageChain(refused), path)
})

t.test('mode, owner and links of the file stay', async (t) => {
  const folder = t.testdir({ real: { 'c.yaml': YAML } })
  const real = join(folder, 'real/c.yaml')
  chmodSync(real, 0o664)
  if (process.geteuid?.() === 0) chownSync(real, 12345, 23456)
  const { uid, gid } = statSync(real)
  symlinkSync('real/c.yaml', join(folder, 'cluster.yaml'))
  const { run } = await open(t, join(folder, 'cluster.yaml'))
  t.match(await run(tag('a1', 'x')), { status: 'success' })
  t.ok(lstatSync(join(folder, 'cluster.yaml')).isSymbolicLink())
  t.match(statSync(real), { mode: 0o100664, uid, gid })
  t.match(readFileSync(real, 'utf8'), 'tags: [x]')
})

t.test('what changing a cluster takes is loaded at the start, for one that can be changed', async (t) => {
  const data = readFileSync(new URL('../../../../../test/fixtures/real-cluster/config.data', import.meta.url))
  const folder = t.testdir({ 'config.data': data, 'cluster.yaml': YAML })
  const loads: string[] = []
  for (const name of ['config.data', 'cluster.yaml']) {
    const file = new ClusterFile([join(folder, name)])
    await file.load()
    const load = async () => {
      loads.push(name)
      return { OPERATIONS, writeChange, makeYamlText }
    }
    const log = { warning: () => {}, error: () => {} }
    const queue = await JobQueue.open({ file, folder: join(folder, 'queue'), load, log })
    await queue.close()
  }
  t.strictSame(loads, ['cluster.yaml'])
})

t.test("Ganeti's own configuration is never written, and that is said", async (t) => {
  const data = readFileSync(new URL('../../../../../test/fixtures/real-cluster/config.data', import.meta.url))
  const path = join(t.testdir({ 'config.data': data }), 'config.data')
  const { backend } = await open(t, path)
  const refused = await t.rejects(backend.submitJob([tag('inst1', 'x')]), {
    code: 'unsupported',
    message: /^The cluster's state is Ganeti's own configuration, which only its master daemon may change/,
  })
  const told = refused as unknown as Error
  t.notMatch(told.message, path, 'where it is, clients are not told')
  t.match(messageChain(told), path, 'and the log is')
  await t.rejects(backend.replaceFilter(null, { priority: 0, predicates: [], action: 'PAUSE', reason: [] }), {
    code: 'unsupported',
  })
  t.strictSame(readdirSync(join(path, '..')), ['config.data'], 'no queue is made')
})

t.test(
  'where nothing can be written no job is taken',
  { skip: process.geteuid?.() === 0 && 'root may write anywhere (but see end-to-end/life)' },
  async (t) => {
    const path = cluster(t)
    const { backend } = await open(t, path)
    chmodSync(path, 0o444)
    await t.rejects(backend.submitJob([tag('a1', 'x')]), { code: 'unavailable', message: /cannot write/ })
    chmodSync(path, 0o644)
    chmodSync(join(path, '..'), 0o555)
    await t.rejects(backend.submitJob([tag('a1', 'x')]), { code: 'unavailable' })
    chmodSync(join(path, '..'), 0o755)
    t.strictSame(await backend.queryJobs([], ['id']), [])
  },
)

const canMount = process.geteuid?.() === 0 && process.platform === 'linux'

/** Does something on a small disk of its own; not at all where there is no mounting. */
async function onDisk(t: Test, size: string, use: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(t.testdir({ disk: {} }), 'disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    t.pass('mounting is not allowed here', { skip: true })
    return
  }
  try {
    await use(disk)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
}

t.test('a folder that is read-only takes no jobs', { skip: !canMount && 'needs root' }, async (t) => {
  await onDisk(t, '1m', async (disk) => {
    const path = join(disk, 'cluster.yaml')
    writeFileSync(path, YAML)
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const { backend } = await open(t, path)
    await t.rejects(backend.submitJob([tag('a1', 'x')]), { code: 'unavailable', message: /cannot write/ })
    t.strictSame(await backend.queryJobs([], ['id']), [])
  })
})

t.test(
  'a disk that is full fails jobs, and harms nothing',
  { skip: !canMount && 'needs root' },
  async (t) => {
    await onDisk(t, '128k', async (disk) => {
      const path = join(disk, 'cluster.yaml')
      writeFileSync(path, YAML)
      const first = await open(t, path)
      t.match(await first.run(tag('a1', 'x')), { status: 'success' })
      const before = readFileSync(path, 'utf8')
      try {
        for (;;) appendFileSync(join(disk, 'filler'), Buffer.alloc(4096))
      } catch {
        // Full.
      }
      const taken: number[] = []
      const refused: unknown[] = []
      for (let attempt = 0; attempt < 30; attempt++) {
        await first.backend.submitJob([tag('a2', `t${attempt}`)]).then(
          (id) => taken.push(id),
          (error) => refused.push(error),
        )
      }
      t.ok(
        refused.length > 0 &&
          refused.every((error) => error instanceof Failure && error.code === 'unavailable'),
      )
      await until(() => first.log.some((line) => line.startsWith(`Cannot write ${path}: ENOSPC`)))
      t.equal(readFileSync(path, 'utf8'), before)
      const rows = await first.backend.queryJobs(taken.map(String), ['id', 'status'])
      const failed = rows.flatMap(([id, status]) => (status === 'error' ? Number(id) : []))
      unlinkSync(join(disk, 'filler'))
      t.match(await first.run(tag('a2', 'y')), { status: 'success' })
      const ended = await Promise.all(taken.map((id) => first.wait(id)))
      for (const job of ended) if (failed.includes(Number(job.id))) t.match(job, { status: 'error' })
      t.ok(ended.some(({ status }) => status === 'error'))
      await first.backend.close()
      const second = await open(t, path)
      for (const job of ended) t.strictSame(await second.wait(Number(job.id)), job)
      const tags = ended.flatMap(({ id, status }) => (status === 'success' ? `t${Number(id) - 2}` : []))
      t.strictSame(await second.backend.queryTags('instance', 'a2'), [...tags, 'y'].sort())
      await second.backend.close()
    })
  },
)
