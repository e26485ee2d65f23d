/** What the audit log has of requests, as the application answers them. */
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { jsonLine } from '../../lib/daemon/json-line.ts'
import { Failure } from '../../lib/failure.ts'
import { createApp } from '../../lib/http/app.ts'
import { Audit, type AuditOptions, changes } from '../../lib/http/audit.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { MemoryLog } from '../support/memory-log.ts'

const users = parseUsers('alice pw write\nbob pw read\n')
const never = new AbortController().signal

interface Sent {
  readonly user?: string
  readonly body?: Json
  readonly agent?: string
}

/** An application over a cluster that takes every job, and what it records. */
function audited(options: Partial<AuditOptions> = {}) {
  const events: JsonObject[] = []
  const log = new MemoryLog()
  const state = { isFull: false }
  const audit = new Audit({
    file: {
      append: async (line) => {
        if (state.isFull) throw new Failure('configuration', 'disk full')
        events.push(JSON.parse(line))
      },
    },
    reads: false,
    optional: false,
    log,
    ...options,
  })
  let jobs = 41
  const backend = {
    generation: 1,
    version: async () => ({ text: '3.0.2', number: 3000000 }),
    submitJob: async (opcodes: readonly JsonObject[]) => {
      events.push({ submitted: opcodes.length })
      return ++jobs
    },
    queryTags: async () => [],
    queryJobs: async () => [],
    query: async () => ({ fields: [], data: [] }),
    cancelJob: async (id: string) => {
      events.push({ canceled: id })
      return [true, 'yes']
    },
  }
  const app = createApp({
    resources,
    backend: () => backend as unknown as Backend,
    authorizer: createAuthorizer({ users: () => users, requireAuthentication: false }),
    audit,
  })
  const ask = async (line: string, { user, body, agent }: Sent = {}) => {
    const [method = '', target = ''] = line.split(' ')
    const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
    const response = await app({
      id: 'r1',
      method,
      target,
      peer: '192.0.2.7:4711',
      network: '192.0.2.7',
      headers: {
        ...(user !== undefined && { authorization: `Basic ${btoa(user)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        'user-agent': agent,
      },
      bodyLength: bytes.length,
      readBody: async () => bytes,
      signal: never,
      lost: never,
    })
    return { status: response.status, body: JSON.parse(response.body.toString() || 'null') }
  }
  return { ask, events, log, state, audit }
}

t.test('a job is recorded before it is submitted, and again before it is answered', async (t) => {
  const { ask, events } = audited()
  const line = 'PUT /2/instances/web1/shutdown?reason=too%20old&dry-run=1'
  t.same(await ask(line, { user: 'alice:pw', agent: 'curl/8' }), { status: 200, body: 42 })
  const both = {
    id: 'r1',
    peer: '192.0.2.7:4711',
    user: 'alice',
    method: 'PUT',
    path: '/2/instances/web1/shutdown',
    query: 'reason=too%20old&dry-run=1',
    route: '/2/instances/{instance_name}/shutdown',
    permission: 'instances.shutdown',
    granted: 'write',
    decision: 'allow',
    opcodes: [{ op: 'OP_INSTANCE_SHUTDOWN', objects: ['web1'] }],
    reason: 'too old',
    dry_run: true,
    agent: 'curl/8',
  }
  const [begun, submitted, done, ...others] = events
  t.strictSame(others, [])
  t.strictSame(submitted, { submitted: 1 })
  const { ts, ...rest } = begun as JsonObject
  t.ok(Math.abs(Date.parse(String(ts)) - Date.now()) < 60_000)
  t.strictSame(rest, { stage: 'begun', ...both })
  const { ts: _, ms, ...last } = done as JsonObject
  t.type(ms, 'number')
  t.strictSame(last, { stage: 'done', ...both, status: 200, job: 42 })
})

t.test('never a body: of opcodes there are names only', async (t) => {
  const { ask, events } = audited()
  const instance = {
    mode: 'create',
    disks: [],
    nics: [],
    disk_template: 'diskless',
    osparams_private: { root_password: 'sesame' },
  }
  await ask('POST /2/instances', {
    user: 'alice:pw',
    body: { __version__: 1, instance_name: 'web1', ...instance },
  })
  const many = await ask('POST /2/instances-multi-alloc', {
    user: 'alice:pw',
    body: { instances: [1, 2].map((number) => ({ ...instance, instance_name: `many${number}` })) },
  })
  t.equal(many.status, 200, JSON.stringify(many.body))
  await ask('PUT /2/instances/web1/tags?tag=a', { user: 'alice:pw' })
  const text = JSON.stringify(events)
  t.notMatch(text, 'sesame')
  t.notMatch(text, 'pw')
  const opcodes = events.flatMap((one) => (one.stage === 'done' ? [one.opcodes] : []))
  t.strictSame(opcodes, [
    [{ op: 'OP_INSTANCE_CREATE', objects: ['web1'] }],
    [{ op: 'OP_INSTANCE_MULTI_ALLOC', objects: ['many1', 'many2'] }],
    [{ op: 'OP_TAGS_SET', objects: ['web1'] }],
  ])
})

t.test('a change without a job has both records too', async (t) => {
  const { ask, events } = audited()
  await ask('DELETE /2/jobs/17', { user: 'alice:pw' })
  t.match(events, [
    { stage: 'begun', path: '/2/jobs/17', user: 'alice' },
    { canceled: '17' },
    { stage: 'done', status: 200 },
  ])
  t.equal(events.length, 3)
})

t.test('a change that fails is done, with its status', async (t) => {
  const { ask, events } = audited()
  t.equal((await ask('PUT /2/instances/web1/modify', { user: 'alice:pw', body: [] })).status, 400)
  t.match(events, [{ stage: 'done', status: 400, user: 'alice', decision: 'allow', job: undefined }])
  t.equal(events.length, 1, 'it has not begun')
})

t.test('refusals are recorded, with who was refused what', async (t) => {
  const { ask, events } = audited()
  t.equal((await ask('PUT /2/instances/web1/startup')).status, 401)
  t.equal((await ask('PUT /2/instances/web1/startup', { user: 'alice:wrong' })).status, 401)
  t.equal((await ask('PUT /2/instances/web1/startup', { user: 'bob:pw' })).status, 403)
  t.equal((await ask('GET /2/tags', { user: 'bob:wrong' })).status, 401)
  t.match(events, [
    { stage: 'refused', status: 401, decision: 'deny', user: undefined, permission: 'instances.startup' },
    { stage: 'refused', status: 401, decision: 'deny', user: undefined },
    { stage: 'refused', status: 403, decision: 'deny', user: 'bob', granted: undefined },
    { stage: 'refused', status: 401, path: '/2/tags' },
  ])
  t.notMatch(JSON.stringify(events), 'wrong')
})

t.test("of a flood of strangers' jobs, which change nothing, most are only counted", async (t) => {
  const { ask, events, audit } = audited()
  for (let count = 0; count < 60; count++) t.equal((await ask('GET /2/instances/web1/info')).status, 200)
  const records = () => events.filter(({ stage }) => stage !== undefined)
  t.equal(records().length, 40, 'two records each of twenty')
  audit.close()
  await Promise.resolve()
  t.match(events.at(-1), { stage: 'submitted', network: '192.0.2.7', user: undefined, more: 40 })
})

t.test(
  'a text of a client takes no more bytes in a record than it may, whatever its characters',
  async (t) => {
    const { ask, events } = audited()
    for (const character of ['a', '\u00e9', '\u{1f600}', '"', '\u2028']) {
      await ask('PUT /2/instances/web1/shutdown', { user: 'alice:pw', agent: character.repeat(2000) })
      const { agent } = events.at(-1) as { agent: string }
      t.match(agent, /^.+\.\.\.$/su)
      t.ok(jsonLine({ agent }).length < 1100, character)
    }
  },
)

t.test('of a flood of refusals, most are only counted', async (t) => {
  const { ask, events, audit } = audited()
  for (let count = 0; count < 140; count++) t.equal((await ask('PUT /2/tags?tag=a')).status, 401)
  t.equal(events.length, 20)
  audit.close()
  await Promise.resolve()
  t.match(events.at(-1), { stage: 'refused', network: '192.0.2.7', more: 120 })
})

t.test('what changes nothing is recorded only on request', async (t) => {
  const reads = ['GET /2/tags', 'GET /2/tags', 'GET /nowhere']
  const quiet = audited()
  for (const line of reads) await quiet.ask(line)
  await quiet.ask('PUT /2/query/instance', { user: 'bob:pw', body: { fields: ['name'] } })
  t.strictSame(quiet.events, [])
  const all = audited({ reads: true })
  for (const line of reads) await all.ask(line)
  await all.ask('PUT /2/query/instance', { user: 'bob:pw', body: { fields: ['name'] } })
  t.match(all.events, [
    { stage: 'read', status: 200, decision: 'allow', route: '/2/tags' },
    { stage: 'read', status: 200 },
    { stage: 'read', status: 404, route: undefined, decision: undefined },
    { stage: 'read', user: 'bob', granted: 'read', status: 200 },
  ])
  t.equal(all.events.length, 4, 'also from the cache')
})

t.test('what cannot be recorded is not done, and answered with 503', async (t) => {
  const { ask, events, state, log } = audited()
  state.isFull = true
  const put = () => ask('PUT /2/instances/web1/shutdown', { user: 'alice:pw' })
  const { status, body } = await put()
  t.equal(status, 503)
  t.match(body.message, /audit log cannot be written/)
  t.equal((await put()).status, 503)
  t.equal((await ask('DELETE /2/jobs/17', { user: 'alice:pw' })).status, 503)
  t.equal((await ask('GET /2/tags')).status, 200, 'reading goes on')
  t.equal((await ask('PUT /2/tags?tag=a')).status, 401, 'refusing too')
  t.strictSame(events, [])
  state.isFull = false
  t.equal((await put()).status, 200)
  t.strictSame(log.lines, [
    'ERROR Cannot write to the audit log: disk full',
    'INFO The audit log can be written again',
  ])
})

t.test('unless it is optional', async (t) => {
  const { ask, events, state, log } = audited({ optional: true })
  state.isFull = true
  t.equal((await ask('PUT /2/instances/web1/shutdown', { user: 'alice:pw' })).status, 200)
  t.strictSame(events, [{ submitted: 1 }])
  t.strictSame(log.lines, ['ERROR Cannot write to the audit log: disk full'])
})

t.test('long texts of clients are cut', async (t) => {
  const { ask, events } = audited()
  const long = 'x'.repeat(5000)
  await ask(`PUT /2/instances/${long}/shutdown?reason=${long}`, { user: 'alice:pw', agent: long })
  for (const { stage, ...others } of events) if (stage) t.ok(JSON.stringify(others).length < 7000)
})

t.test(
  'every method that needs the right to write is a change, and no GET but those that submit jobs',
  async (t) => {
    for (const { path, methods } of resources) {
      for (const [name, method] of Object.entries(methods)) {
        const writes = name !== 'GET' && method.access.includes('write') && !method.access.includes('read')
        t.equal(changes(name, method), writes || method.submits !== undefined, `${name} ${path}`)
      }
    }
  },
)
