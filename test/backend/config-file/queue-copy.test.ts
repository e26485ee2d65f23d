import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { QueueCopy } from '../../../lib/backend/config-file/queue-copy.ts'
import { statusOf, summaryOf } from '../../../lib/model/job.ts'

/** A job as Ganeti 3.1 writes it. */
const job = (id: number, status = 'success') => ({
  id,
  ops: [
    {
      input: { instance_name: 'a.example.com', reason: [], OP_ID: 'OP_INSTANCE_STARTUP' },
      status,
      result: null,
      log: [[1, [1795897712, 5], 'message', 'hello']],
      start_timestamp: [1795897712, 388454],
      exec_timestamp: [1795897712, 472199],
      end_timestamp: status === 'success' ? [1795897712, 970718] : null,
      priority: 0,
    },
  ],
  start_timestamp: [1795897712, 388454],
  end_timestamp: status === 'success' ? [1795897712, 970735] : null,
  received_timestamp: [1795897710, 441330],
  livelock: '/var/run/ganeti/livelocks/job_000052_1795897712',
  process_id: 818,
})

function queue(t: Test, ...jobs: object[]) {
  const folder = t.testdir({ serial: '9\n', lock: '', version: '1\n', archive: { 0: {}, 1: {} } })
  const put = (one: object, path = `job-${(one as { id?: number }).id}`) => {
    writeFileSync(`${folder}/new`, JSON.stringify(one))
    renameSync(`${folder}/new`, `${folder}/${path}`)
  }
  for (const one of jobs) put(one)
  return { folder, put, copy: new QueueCopy(folder) }
}

const ids = async (copy: QueueCopy, ...wanted: string[]) =>
  [...(await copy.jobs(wanted)).jobs].map(({ id }) => id)

t.test('jobs are as in their files', async (t) => {
  const { copy } = queue(t, job(52), job(7, 'running'))
  const view = await copy.jobs([])
  t.strictSame(
    [...view.jobs].map((one) => [one.id, statusOf(one)]),
    [
      [7, 'running'],
      [52, 'success'],
    ],
    'in the order of their ids',
  )
  const one = view.job('52')
  t.match(one, {
    received: [1795897710, 441330],
    start: [1795897712, 388454],
    end: [1795897712, 970735],
    ops: [{ log: [[1, [1795897712, 5], 'message', 'hello']], exec: [1795897712, 472199], priority: 0 }],
  })
  t.equal(one?.ops[0] && summaryOf(one.ops[0]), 'INSTANCE_STARTUP(a.example.com)')
  t.strictSame(view.locks, [])
})

t.test('a job that changes, comes or goes is noticed', async (t) => {
  const { folder, put, copy } = queue(t, job(7, 'running'))
  await copy.jobs([])
  put(job(7))
  put(job(8, 'queued'))
  const view = await copy.jobs([])
  t.strictSame([...view.jobs].map(statusOf), ['success', 'queued'])
  rmSync(`${folder}/job-7`)
  t.strictSame(await ids(copy), [8])
  utimesSync(folder, 5000, 5000)
  t.strictSame(await copy.changed(), new Date(5_000_000))
})

t.test('archived jobs are found by their ids only', async (t) => {
  const { put, copy } = queue(t, job(3))
  put(job(12_345), 'archive/1/job-12345')
  put(job(2), 'archive/0/job-2')
  t.strictSame(await ids(copy), [3])
  t.strictSame((await ids(copy, '2', '3', '12345', '4', '99999')).sort(), [12_345, 2, 3])
  t.strictSame(await ids(copy, '../job-3', '-1', '1e3', ''), [])
})

t.test('a file that holds no job is left out', async (t) => {
  const { folder, put, copy } = queue(t, job(3))
  writeFileSync(`${folder}/job-4`, '{"id": 4, "ops": [')
  put({ ...job(5), ops: [] })
  put({ ...job(6), ops: [{ input: {}, status: 'odd' }] })
  put({ ...job(8), received_timestamp: null })
  put([], 'job-9')
  put({ ...job(10), id: '10' })
  mkdirSync(`${folder}/job-x`)
  t.strictSame(await ids(copy), [3, 10], 'older versions wrote ids as text')
})

t.test('a folder that cannot be read is no empty queue', async (t) => {
  const copy = new QueueCopy(`${t.testdir()}/none`)
  await t.rejects(copy.jobs([]), { code: 'configuration', cause: { code: 'ENOENT' } })
  await t.rejects(copy.changed(), { code: 'configuration', cause: { code: 'ENOENT' } })
})

t.test('nobody waits for what nobody wants any more', async (t) => {
  const { copy } = queue(t, job(3))
  await t.rejects(copy.jobs([], AbortSignal.abort()), { name: 'AbortError' })
})
