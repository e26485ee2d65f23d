import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { TokenBucket } from '../../lib/concurrency/token-bucket.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { NEWEST } from '../../lib/model/version.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { StrangersJobs } from '../../lib/resources/strangers-jobs.ts'
import { resources } from '../../lib/resources/table.ts'

/** A queue in which jobs are as a test says; those that it does not know any more are gone. */
function queue() {
  const statuses = new Map<string, string>()
  const submitted: (readonly JsonObject[])[] = []
  const asked: (readonly string[])[] = []
  const backend = {
    version: async () => NEWEST,
    async submitJob(opcodes: readonly JsonObject[]) {
      submitted.push(opcodes)
      statuses.set(String(submitted.length), 'queued')
      return submitted.length
    },
    async queryJobs(ids: readonly string[]) {
      asked.push(ids)
      return ids.map((id) => {
        const status = statuses.get(id)
        if (status === undefined) throw new Failure('not-found', `Job ${id} not found`)
        return [status]
      })
    },
  } as unknown as Backend
  return { backend, statuses, submitted, asked }
}

function about(name: string, reason: Json = []): JsonObject[] {
  return [{ OP_ID: 'OP_INSTANCE_QUERY_DATA', instances: [name], reason }]
}

t.test('who asks for what an unfinished job will tell gets the number of that job', async (t) => {
  const { backend, statuses } = queue()
  const strangers = new StrangersJobs(backend)
  t.equal(await strangers.submit(about('web', ['mine'])), 1)
  for (const status of ['queued', 'waiting', 'running']) {
    statuses.set('1', status)
    t.equal(await strangers.submit(about('web', ['yours'])), 1, status)
  }
  t.equal(await strangers.submit(about('db')), 2)
  statuses.set('1', 'success')
  t.equal(await strangers.submit(about('web')), 3)
  statuses.delete('3')
  t.equal(await strangers.submit(about('web')), 4, 'a job that has left the queue has finished')
})

t.test('those who ask at once share one job', async (t) => {
  const { backend, submitted } = queue()
  const strangers = new StrangersJobs(backend)
  const ids = await Promise.all(Array.from({ length: 5 }, () => strangers.submit(about('web'))))
  t.strictSame(ids, [1, 1, 1, 1, 1])
  t.equal(submitted.length, 1)
})

t.test('100 unfinished jobs are enough, until some have finished', async (t) => {
  const { backend, statuses, asked } = queue()
  const strangers = new StrangersJobs(backend)
  for (let count = 1; count <= 100; count++) await strangers.submit(about(`web${count}`))
  t.strictSame(asked, [], 'up to there nothing is asked')
  const refused = { code: 'unavailable', message: /no more than 100 jobs may be unfinished/ }
  await t.rejects(strangers.submit(about('other')), refused)
  t.equal(asked.length, 1, 'one question tells of all')
  t.equal(await strangers.submit(about('web7')), 7, 'what is asked already can still be asked')
  statuses.set('3', 'error')
  statuses.delete('4')
  t.equal(await strangers.submit(about('other')), 101)
  t.equal(await strangers.submit(about('another')), 102)
  await t.rejects(strangers.submit(about('one more')), refused)
})

t.test('500 jobs are taken at once, then one a second', async (t) => {
  const { backend, statuses } = queue()
  let now = 0
  const strangers = new StrangersJobs(backend, new TokenBucket(500, 1, () => now))
  const submit = async () => statuses.set(String(await strangers.submit(about('web'))), 'success')
  for (let count = 0; count < 500; count++) await submit()
  const refused = { code: 'unavailable', message: /no more than 500 jobs are taken at once, and 1 a second/ }
  await t.rejects(submit(), refused)
  now = 1000
  await submit()
  await t.rejects(submit(), refused)
})

t.test('a job that could not be submitted is no job', async (t) => {
  const { backend } = queue()
  let fails = true
  const strangers = new StrangersJobs({
    ...backend,
    submitJob: async (opcodes: readonly JsonObject[]) => {
      if (fails) throw new Failure('unavailable', 'Queue drained')
      return backend.submitJob(opcodes)
    },
  })
  await t.rejects(strangers.submit(about('web')), { message: 'Queue drained' })
  fails = false
  t.equal(await strangers.submit(about('web')), 1)
})

t.test('users are not bounded, nor is anybody by what strangers do', async (t) => {
  const { backend, submitted } = queue()
  const info = resources.find(({ path }) => path === '/2/instances/{instance_name}/info')?.methods.GET
  const ask = async (user: string | undefined, instance_name = 'web') =>
    info?.handle({
      params: { instance_name },
      query: new QueryString(''),
      body: undefined,
      user,
      patience: 0,
      backend,
      signal: new AbortController().signal,
    })
  for (let count = 1; count <= 100; count++) await ask(undefined, `web${count}`)
  await t.rejects(ask(undefined), { code: 'unavailable' })
  for (let count = 1; count <= 600; count++) t.equal(await ask('monitor'), 100 + count)
  t.equal(submitted.length, 700)
})

t.test('every method that anybody may use to submit a job only reads', async (t) => {
  const open = resources.flatMap(({ methods }) =>
    Object.values(methods).flatMap(({ access, submits = [] }) => (access.length === 0 ? submits : [])),
  )
  t.strictSame(open, ['OP_INSTANCE_QUERY_DATA'])
})
