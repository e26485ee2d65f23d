/** Jobs through the API, over a backend that notes what is asked of it. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { type MethodName, plainAnswer } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { parseConfig } from '../support/read-cluster.ts'

const text = readFileSync(new URL('../../../test/fixtures/cluster.yaml', import.meta.url), 'utf8')
const config = parseConfig(text, { name: 'cluster.yaml' })
const signal = new AbortController().signal

/** A backend with two jobs. */
function withJobs(changes: Partial<Backend> = {}): Backend {
  const jobs: { [id: string]: { [field: string]: Json } } = {
    7: { id: 7, status: 'success', summary: ['INSTANCE_STARTUP(web.example.com)'] },
    12: { id: 12, status: 'running', summary: ['CLUSTER_VERIFY'] },
  }
  return {
    ...configFileBackend(() => config),
    queryJobs: async (ids, fields) =>
      (ids.length === 0 ? Object.keys(jobs) : ids).map((id) =>
        fields.map((field) => jobs[id]?.[field] ?? null),
      ),
    ...changes,
  }
}

async function ask(
  backend: Backend,
  method: MethodName,
  path: string,
  { id = '', query = '', body }: { id?: string; query?: string; body?: Json } = {},
) {
  const found = resources.find((resource) => resource.path === path)?.methods[method]
  if (!found) throw new Error(`no ${method} ${path}`)
  const answer = await found.handle({
    params: { job_id: id },
    query: new QueryString(query),
    body,
    user: undefined,
    backend,
    patience: 7.5,
    signal,
  })
  return plainAnswer(answer)
}

t.test('the list has ids as numbers, and where to ask for more', async (t) => {
  t.strictSame(await ask(withJobs(), 'GET', '/2/jobs'), [
    { id: 7, uri: '/2/jobs/7' },
    { id: 12, uri: '/2/jobs/12' },
  ])
})

t.test('bulk tells of each job all but its log and results', async (t) => {
  const [job] = (await ask(withJobs(), 'GET', '/2/jobs', { query: 'bulk=1' })) as readonly {
    [field: string]: Json
  }[]
  t.match(job, { id: 7, status: 'success', summary: ['INSTANCE_STARTUP(web.example.com)'] })
  t.strictSame(Object.keys(job ?? {}), [
    'id',
    'ops',
    'status',
    'summary',
    'opstatus',
    'received_ts',
    'start_ts',
    'end_ts',
  ])
})

t.test('a job alone is shown with its log and results', async (t) => {
  const job = (await ask(withJobs(), 'GET', '/2/jobs/{job_id}', { id: '12' })) as { [field: string]: Json }
  t.match(job, { id: 12, status: 'running' })
  t.strictSame(Object.keys(job).slice(-2), ['oplog', 'opresult'])
})

t.test('waiting hands over what the client knows, and gives back what changed', async (t) => {
  const asked: unknown[] = []
  const backend = withJobs({
    waitForJobChange: async (...args) => {
      asked.push(args)
      return { jobInfo: [12, 'success'], logEntries: [[1, [1700000000, 0], 'message', 'done']] }
    },
  })
  const body = { fields: ['id', 'status'], previous_job_info: [12, 'running'], previous_log_serial: 3 }
  t.strictSame(await ask(backend, 'GET', '/2/jobs/{job_id}/wait', { id: '12', body }), {
    job_info: [12, 'success'],
    log_entries: [[1, [1700000000, 0], 'message', 'done']],
  })
  await ask(backend, 'GET', '/2/jobs/{job_id}/wait', { id: '12', body: { fields: ['id'] } })
  t.strictSame(asked, [
    ['12', ['id', 'status'], { jobInfo: [12, 'running'], logSerial: 3 }, 7.5, signal],
    ['12', ['id'], { jobInfo: null, logSerial: null }, 7.5, signal],
  ])
})

t.test('waiting in vain gives null', async (t) => {
  const backend = withJobs({ waitForJobChange: async () => null })
  t.equal(await ask(backend, 'GET', '/2/jobs/{job_id}/wait', { id: '12', body: { fields: ['id'] } }), null)
})

t.test('a request to wait must make sense', async (t) => {
  const broken: [body: Json | undefined, message: RegExp][] = [
    [undefined, /Body/],
    [null, /Body/],
    [[], /Body/],
    [{}, /'fields'/],
    [{ fields: 'id' }, /'fields'/],
    [{ fields: ['id', 1] }, /'fields'/],
    [{ fields: ['id'], previous_job_info: 'running' }, /'previous_job_info'/],
    [{ fields: ['id'], previous_log_serial: 'x' }, /'previous_log_serial'/],
  ]
  for (const [body, message] of broken) {
    const asked = ask(withJobs(), 'GET', '/2/jobs/{job_id}/wait', {
      id: '12',
      ...(body !== undefined && { body }),
    })
    await t.rejects(asked, { code: 'invalid', message }, JSON.stringify(body))
  }
})

t.test('canceling answers whether it was done, and how it went', async (t) => {
  const backend = withJobs({ cancelJob: async (id) => [false, `Job ${id} not found in queue`] })
  t.strictSame(await ask(backend, 'DELETE', '/2/jobs/{job_id}', { id: '7' }), [
    false,
    'Job 7 not found in queue',
  ])
})

t.test('canceling with dry-run=1 tells what would be, and asks for nothing', async (t) => {
  const statuses: { [id: string]: string } = { 1: 'queued', 2: 'waiting', 3: 'running', 4: 'success' }
  const backend = withJobs({
    queryJobs: async ([id = '']) => {
      const status = statuses[id]
      if (status === undefined) throw new Failure('not-found', `Job ${id} not found`)
      return [[status]]
    },
    cancelJob: async (id) => [true, `Job ${id} will be canceled`],
  })
  const cancel = (id: string, query: string) =>
    ask(backend, 'DELETE', '/2/jobs/{job_id}', { id, query }) as Promise<Json>
  t.strictSame(await cancel('1', 'dry-run=1'), [true, 'Job 1 would be canceled'])
  t.strictSame(await cancel('2', 'dry-run=1'), [true, 'Job 2 would be canceled'])
  t.strictSame(await cancel('3', 'dry-run=1'), [false, 'Job 3 is no longer waiting in the queue'])
  t.strictSame(await cancel('4', 'dry-run=1'), [false, 'Job 4 is no longer waiting in the queue'])
  t.strictSame(await cancel('5', 'dry-run=1'), [false, 'Job 5 not found in queue'])
  t.strictSame(await cancel('1', 'dry-run=0'), [true, 'Job 1 will be canceled'])
})
