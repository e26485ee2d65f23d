import t, { type Test } from 'tap'
import { luxiBackend } from '../../../lib/backend/luxi/luxi-backend.ts'
import type { Json } from '../../../lib/json/json.ts'
import { deferred, refuse, type Script, scriptedMaster } from './scripted-master.ts'

async function backendOf(t: Test, script: Script) {
  const master = await scriptedMaster(t, script)
  const backend = luxiBackend([master.path])
  t.teardown(() => backend.close())
  return { master, backend }
}

/** Whoever meets a master daemon asks it for its version, beside what else is asked. */
const butForVersion = <T extends { readonly method: string }>(asked: readonly T[]): readonly T[] =>
  asked.filter(({ method }) => method !== 'QueryClusterInfo')

/** Nobody hangs up. */
const never = () => new AbortController().signal
const NOTHING_KNOWN = { jobInfo: null, logSerial: null }

t.test('each verb is the call that the original makes', async (t) => {
  const results: { [method: string]: Json } = {
    QueryClusterInfo: { name: 'c' },
    QueryTags: ['b', 'a'],
    Query: { fields: [], data: [] },
    QueryFields: { fields: [] },
    SubmitJob: 7,
    WaitForJobChange: [['running'], []],
    CancelJob: [false, 'Job 5 not found in queue'],
    ReplaceFilter: 'u',
    DeleteFilter: null,
  }
  const { master, backend } = await backendOf(t, ({ method }) =>
    method in results ? results[method] : [['x', 'success']],
  )
  const calls: [verb: () => Promise<unknown>, method: string, args: Json[], result: unknown][] = [
    [() => backend.queryClusterInfo(), 'QueryClusterInfo', [], { name: 'c' }],
    [() => backend.queryTags('cluster', ''), 'QueryTags', ['cluster', ''], ['a', 'b']],
    [
      () => backend.queryInstances(['x'], ['name']),
      'QueryInstances',
      [['x'], ['name'], false],
      [['x', 'success']],
    ],
    [() => backend.queryNodes([], ['name']), 'QueryNodes', [[], ['name'], false], [['x', 'success']]],
    [() => backend.queryGroups(['x'], ['name']), 'QueryGroups', [['x'], ['name'], false], [['x', 'success']]],
    [() => backend.queryNetworks(['x'], ['a']), 'QueryNetworks', [['x'], ['a'], false], [['x', 'success']]],
    [() => backend.queryJobs([], ['id']), 'QueryJobs', [null, ['id']], [['x', 'success']]],
    [() => backend.queryJobs(['5'], ['id']), 'QueryJobs', [['5'], ['id', 'status']], [['x']]],
    [() => backend.queryFilters([], ['uuid']), 'QueryFilters', [null, ['uuid']], [['x', 'success']]],
    [() => backend.queryFilters(['u'], ['uuid']), 'QueryFilters', [['u'], ['uuid']], [['x', 'success']]],
    [
      () => backend.query('node', ['name'], ['=', 'name', 'x']),
      'Query',
      ['node', ['name'], ['=', 'name', 'x']],
      { fields: [], data: [] },
    ],
    [() => backend.queryFields('node', null), 'QueryFields', ['node', null], []],
    [
      () => backend.submitJob([{ OP_ID: 'OP_A', reason: [['me', 'why', 1]] }, { OP_ID: 'OP_B' }]),
      'SubmitJob',
      [[{ OP_ID: 'OP_A', reason: [['me', 'why', 1]] }, { OP_ID: 'OP_B' }]],
      7,
    ],
    [() => backend.cancelJob('5'), 'CancelJob', [5, false], [false, 'Job 5 not found in queue']],
    [
      () =>
        backend.replaceFilter('u', { priority: 1, predicates: [], action: 'PAUSE', reason: [['me', '', 1]] }),
      'ReplaceFilter',
      ['u', 1, [], 'PAUSE', [['me', '', 1]]],
      'u',
    ],
    [
      () => backend.replaceFilter(null, { priority: 1, predicates: [], action: 'PAUSE', reason: [] }),
      'ReplaceFilter',
      [null, 1, [], 'PAUSE', []],
      'u',
    ],
    [() => backend.deleteFilter('u'), 'DeleteFilter', ['u'], undefined],
    [
      () => backend.waitForJobChange('5', ['status'], { jobInfo: ['queued'], logSerial: 3 }, 10, never()),
      'WaitForJobChange',
      ['5', ['status'], ['queued'], 3, 10],
      { jobInfo: ['running'], logEntries: [] },
    ],
  ]
  for (const [verb, method, args, result] of calls) {
    t.same(await verb(), result, method)
    const { method: asked, args: given } = master.asked.at(-1) ?? {}
    t.same([asked, given], [method, args], method)
  }
  t.equal(backend.generation, null)
})

t.test('what is unknown is not found', async (t) => {
  const { backend } = await backendOf(t, ({ method }) => {
    if (method === 'QueryJobs') return [[99, null]]
    if (method === 'WaitForJobChange') return refuse(['JobLost', ["Can't load job file"]])
    if (method === 'QueryTags') {
      return refuse(['OpPrereqError', ['Node name n9 not found', 'unknown_entity']])
    }
    return []
  })
  const calls: [call: () => Promise<unknown>, message: string][] = [
    [() => backend.queryInstances(['i9'], ['name']), 'Instance name i9 not found'],
    [() => backend.queryNodes(['n9'], ['name']), 'Node name n9 not found'],
    [() => backend.queryGroups(['g9'], ['name']), 'NodeGroup name g9 not found'],
    [() => backend.queryNetworks(['w9'], ['name']), 'Network name w9 not found'],
    [() => backend.queryFilters(['u9'], ['uuid']), 'Filter rule UUID u9 not found'],
    [() => backend.queryJobs(['99'], ['id', 'status']), 'Job 99 not found'],
    [() => backend.queryTags('node', 'n9'), 'Node name n9 not found'],
    [() => backend.waitForJobChange('99', ['id'], NOTHING_KNOWN, 10, never()), 'Job 99 not found'],
  ]
  for (const [call, message] of calls) await t.rejects(call(), { code: 'not-found', message }, message)
  t.same(await backend.queryInstances([], ['name']), [], 'none at all is no failure')
})

t.test('what no query knows is not asked for', async (t) => {
  const { master, backend } = await backendOf(t, () => ({ fields: [], data: [] }))
  for (const what of ['bogus', 'extstorage', 'constructor', '']) {
    const refusal = { code: 'invalid', message: `Unknown query resource '${what}'` }
    await t.rejects(backend.query(what, ['name'], null), refusal)
    await t.rejects(backend.queryFields(what, null), refusal)
  }
  t.same(master.asked, [])
})

t.test('ids that would wrap around to other jobs are not asked for', async (t) => {
  const { master, backend } = await backendOf(t, () => [[1, 'success']])
  const id = '99999999999999999999999'
  await t.rejects(backend.queryJobs([id], ['id']), { code: 'not-found' })
  await t.rejects(backend.waitForJobChange(id, ['id'], NOTHING_KNOWN, 10, never()), { code: 'not-found' })
  t.same(await backend.cancelJob(id), [false, `Job ${id} not found in queue`])
  t.same(master.asked, [])
})

t.test('results of another shape than they should have are no answers', async (t) => {
  for (const result of [5, 'text', null, {}, [1], { fields: [] }, { data: [] }, { fields: [], data: [1] }]) {
    const { backend } = await backendOf(t, () => result)
    const calls: [what: string, call: () => Promise<unknown>][] = [
      ['rows', () => backend.queryNodes([], ['name'])],
      ['jobs', () => backend.queryJobs([], ['id'])],
      ['job', () => backend.queryJobs(['1'], ['id'])],
      ['filters', () => backend.queryFilters([], ['uuid'])],
      ['query', () => backend.query('node', ['name'], null)],
    ]
    if (result !== 5) calls.push(['submit', () => backend.submitJob([])])
    calls.push(['cancel', () => backend.cancelJob('1')])
    if (!Array.isArray(result)) {
      calls.push(['tags', () => backend.queryTags('node', 'n')])
      calls.push(['wait', () => backend.waitForJobChange('1', ['id'], NOTHING_KNOWN, 10, never())])
      if (typeof result !== 'object' || result === null)
        calls.push(['info', () => backend.queryClusterInfo()])
    }
    for (const [what, call] of calls) {
      await t.rejects(call(), { code: 'bad-answer' }, `${what}: ${JSON.stringify(result)}`)
    }
  }
})

t.test('nothing new about a job is null', async (t) => {
  const { backend } = await backendOf(t, () => 'nochange')
  t.equal(await backend.waitForJobChange('5', ['id'], NOTHING_KNOWN, 10, never()), null)
})

t.test('a wait of no time is a look at how things are, which those who look share', async (t) => {
  const over = deferred()
  const { master, backend } = await backendOf(t, async ({ args }) => {
    await over.promise
    return [[args[4] === 0 ? 'looked' : 'waited'], []]
  })
  const wait = (seconds: number) => backend.waitForJobChange('5', ['status'], NOTHING_KNOWN, seconds, never())
  const changes = [wait(0), wait(0.5), wait(0), wait(0)]
  await master.heard(2)
  over.resolve()
  t.same(
    (await Promise.all(changes)).map((change) => change?.jobInfo),
    [['looked'], ['waited'], ['looked'], ['looked']],
  )
  const waits = butForVersion(master.asked)
  t.same(waits.map(({ args }) => args[4]).sort(), [0, 0, 1], 'seconds are whole ones')
})

t.test('a client that hangs up ends its wait', async (t) => {
  const { master, backend } = await backendOf(t, () => undefined)
  const client = new AbortController()
  const waiting = backend.waitForJobChange('5', ['id'], NOTHING_KNOWN, 10, client.signal)
  await master.heard(1)
  client.abort(new Error('hung up'))
  await t.rejects(waiting, { message: 'hung up' })
})

/** A script for queries that go by a job: gives the opcode's result in the end. */
function jobScript(results: readonly Json[], status = 'success'): Script {
  let submitted = 0
  return ({ method, args: [job, fields, known] }) => {
    if (method === 'SubmitJob') return ++submitted
    if (method !== 'WaitForJobChange') return refuse(['GenericError', [`${method}?`]])
    if (known === null) return [['queued', [null]], []]
    if (JSON.stringify(known) === '["queued",[null]]') return [['running', [null]], []]
    return [[status, [results[Number(job) - 1] ?? null]], [], fields ?? null]
  }
}

t.test('OSes and the cluster are queried by a job, which is waited for', async (t) => {
  const answer = { fields: [{ name: 'name', title: 'Name', kind: 'text', doc: '' }], data: [[[0, 'noop']]] }
  const { master, backend } = await backendOf(t, jobScript([answer, answer]))
  t.same(await backend.query('os', ['name'], null), answer)
  t.match(butForVersion(master.asked)[0], {
    method: 'SubmitJob',
    args: [[{ OP_ID: 'OP_QUERY', what: 'os', fields: ['name'], qfilter: null, reason: [] }]],
  })
  t.same(
    butForVersion(master.asked).map(({ method }) => method),
    ['SubmitJob', 'WaitForJobChange', 'WaitForJobChange', 'WaitForJobChange'],
  )
  t.same(await backend.query('cluster', ['name'], ['=', 'name', 'x']), answer)
  t.match(butForVersion(master.asked)[4]?.args, [
    [{ OP_ID: 'OP_QUERY', what: 'cluster', qfilter: ['=', 'name', 'x'] }],
  ])
})

t.test('identical queries by job share one job, of those submitted after they came', async (t) => {
  const answers = [1, 2, 3].map((number) => ({ fields: [], data: [[[0, number]]] }))
  const { master, backend } = await backendOf(t, jobScript(answers))
  const queries = [1, 2, 3, 4].map(() => backend.query('os', ['name'], null))
  t.same(await Promise.all(queries), [answers[0], answers[1], answers[1], answers[1]])
  t.equal(master.methods.filter((method) => method === 'SubmitJob').length, 2)
})

t.test('jobs for queries are put off where there are too many', async (t) => {
  const answer = { fields: [], data: [] }
  const master = await scriptedMaster(t, jobScript([answer, answer]))
  const waits = [0, 50]
  const backend = luxiBackend([master.path], { queryRate: { reserve: () => waits.shift() ?? 0 } })
  t.teardown(() => backend.close())
  t.same(await backend.query('os', ['name'], null), answer)
  const begun = performance.now()
  t.same(await backend.query('os', ['valid'], null), answer)
  t.ok(performance.now() - begun >= 45)
  t.strictSame(waits, [])
})

t.test('fields of OSes are asked for once', async (t) => {
  const name = { name: 'name', title: 'Name', kind: 'text', doc: 'Name of the OS' }
  const valid = { name: 'valid', title: 'Valid', kind: 'bool', doc: 'Whether it works' }
  const { master, backend } = await backendOf(t, jobScript([{ fields: [name, valid] }]))
  t.same(await backend.queryFields('os', null), [name, valid])
  t.same(await backend.queryFields('os', ['valid', 'bogus']), [
    valid,
    { name: 'bogus', title: 'bogus', kind: 'unknown', doc: "Unknown field 'bogus'" },
  ])
  t.equal(master.methods.filter((method) => method === 'SubmitJob').length, 1)
})

t.test('a query whose job fails fails as the job did', async (t) => {
  const error = ['ParameterError', ["Unknown field 'bogus'"]]
  const failed = await backendOf(t, jobScript([error], 'error'))
  await t.rejects(failed.backend.query('os', ['name'], ['=', 'bogus', 1]), {
    code: 'invalid',
    message: "Unknown field 'bogus'",
  })
  const canceled = await backendOf(t, jobScript([], 'canceled'))
  await t.rejects(canceled.backend.query('os', ['name'], null), { code: 'unavailable' })
  const drained = await backendOf(t, () => refuse(['GenericError', ['Queue drained']]))
  await t.rejects(drained.backend.query('os', ['name'], null), {
    code: 'unavailable',
    message: 'Queue drained',
  })
})

t.test('the version is asked of the master daemon, and again once another one may be there', async (t) => {
  let software_version = '3.0.2'
  const script: Script = ({ method }) => (method === 'QueryClusterInfo' ? { software_version } : ['a'])
  const first = await scriptedMaster(t, script)
  const backend = luxiBackend([first.path])
  t.teardown(() => backend.close())
  t.equal(backend.knownVersion, undefined, 'nobody has told')
  t.same(await backend.version(), { text: '3.0.2', number: 3000000 })
  await Promise.all([backend.version(), backend.version(), backend.queryTags('cluster', '')])
  t.equal(first.methods.filter((method) => method === 'QueryClusterInfo').length, 1, 'it is remembered')

  await first.stop()
  await t.rejects(backend.queryTags('cluster', ''), { code: 'no-master' })
  await t.rejects(backend.version(), { code: 'no-master' })
  t.match(backend.knownVersion, { text: '3.0.2' }, 'the last one that was heard of')
  software_version = '3.1.0~rc2'
  const second = await scriptedMaster(t, script, first.path)
  await backend.queryTags('cluster', '')
  await second.heard(2)
  t.same(second.methods.sort(), ['QueryClusterInfo', 'QueryTags'], 'whoever is met is asked')
  t.same(await backend.version(), { text: '3.1.0~rc2', number: 3010000 })
  t.match(backend.knownVersion, { text: '3.1.0~rc2' })
})

t.test('a ping is answered while all calls are busy, or fails in time', async (t) => {
  let answers = true
  const script: Script = ({ method }) => (method === 'QueryClusterInfo' && answers ? {} : undefined)
  const master = await scriptedMaster(t, script)
  const backend = luxiBackend([master.path], { limits: { calls: 1 } })
  t.teardown(() => backend.close())
  backend.queryTags('cluster', '').catch(() => {})
  await master.heard(1)
  await backend.ping(60_000)
  answers = false
  await t.rejects(backend.ping(20), { code: 'no-answer' })
  await master.stop()
  await t.rejects(backend.ping(60_000), { code: 'no-master' })
})

t.test('a version that cannot be one is a bad answer', async (t) => {
  for (const answer of [{}, { software_version: 'three' }, null, { software_version: '3' }]) {
    const { backend } = await backendOf(t, () => answer)
    await t.rejects(backend.version(), { code: 'bad-answer' }, JSON.stringify(answer))
  }
})

t.test('what a job has of private and secret parameters is told to nobody', async (t) => {
  const ops = [{ OP_ID: 'OP_INSTANCE_CREATE', osparams_private: { a: 'x' }, osparams_secret: { b: 'x' } }]
  const { backend } = await backendOf(t, ({ method }) => {
    if (method === 'QueryJobs') return [[ops, 'success']]
    if (method === 'WaitForJobChange') return [[ops], null]
    return { fields: [], data: [[[0, ops]]] }
  })
  const waited = await backend.waitForJobChange('1', ['ops'], NOTHING_KNOWN, 1, never())
  const told = [
    await backend.queryJobs([], ['ops']),
    await backend.queryJobs(['1'], ['ops']),
    (await backend.query('job', ['ops'], null)).data,
    waited?.jobInfo,
  ]
  for (const one of told) {
    const text = JSON.stringify(one)
    t.match(text, '"osparams_private":{"a":null},"osparams_secret":{"b":null}')
    t.notMatch(text, '"x"')
  }
})

t.test('nor is it told why a filter does not fit such parameters', async (t) => {
  const value = '[{"OP_ID":"OP_INSTANCE_CREATE","osparams_private":{"a":"x"}}]'
  for (const [text, told] of [
    [`Cannot convert value '${value}'`, 'The filter does not fit a value that has private parameters'],
    ["Cannot convert value 'queued'", "Cannot convert value 'queued'"],
  ]) {
    const { backend } = await backendOf(t, () => refuse(['OpPrereqError', [text as string, 'wrong_input']]))
    const query = backend.query('job', ['id'], ['=[]', 'ops', 'x'])
    await t.rejects(query, { code: 'invalid', message: told })
  }
})
