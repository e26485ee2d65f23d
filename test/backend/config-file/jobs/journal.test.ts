import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { JobStore } from '../../../../lib/backend/config-file/jobs/journal.ts'
import type { Job } from '../../../../lib/model/job.ts'

function job(id: number, padding = ''): Job {
  const input = { OP_ID: 'OP_X', padding, reason: [['x', '', 1795323452293720001n]] }
  const op = {
    input,
    status: 'success',
    result: null,
    log: [],
    priority: 0,
    start: null,
    exec: null,
    end: null,
  } as const
  return { id, ops: [op], received: [id, 0], start: null, end: [id, 1] }
}

const nothing = { state: () => ({ last: 0, jobs: [] }), sync: false }

t.test('what was added is read again, long integers too', async (t) => {
  const folder = join(t.testdir(), 'queue')
  t.strictSame(await JobStore.read(folder), { last: 0, jobs: new Map(), open: undefined, running: [] })
  const store = await JobStore.begin(folder, nothing)
  await Promise.all([store.append({ job: job(1) }), store.append({ job: job(2) }, { job: job(4) })])
  await store.close()
  const { last, jobs } = await JobStore.read(folder)
  t.equal(last, 4)
  t.strictSame([...jobs.values()], [job(1), job(2), job(4)])
})

t.test('a line that was cut off, or left empty by a loss of power, says nothing', async (t) => {
  for (const rest of ['{"job": {"id": 2', '\0\0\0\n{"last": 9}\n']) {
    const folder = t.testdir()
    const store = await JobStore.begin(folder, nothing)
    await store.append({ job: job(1) })
    await store.close()
    appendFileSync(join(folder, 'journal-1'), rest)
    t.strictSame([(await JobStore.read(folder)).last], [1])
  }
})

t.test('jobs of a replaced file count once that is known', async (t) => {
  const write = '{"write": {"before": "b", "after": "a", "temporary": "x"}, "jobs": [{"id": 1, "ops": []}]}\n'
  const cases: [text: string, jobs: number, open: boolean][] = [
    [write, 0, true],
    [`${write}{"written": true}\n`, 1, false],
    [`${write}{"written": false}\n`, 0, false],
    [`${write}{"written": true}\n${write.replace('"id": 1', '"id": 2')}`, 1, true],
  ]
  for (const [text, jobs, open] of cases) {
    const folder = t.testdir()
    writeFileSync(join(folder, 'journal-1'), text)
    const stored = await JobStore.read(folder)
    t.strictSame([stored.jobs.size, stored.open !== undefined], [jobs, open])
  }
})

t.test(
  'the archive begins anew at 16 MiB and keeps the one before, which makes 32 MiB at most',
  async (t) => {
    const folder = t.testdir()
    const store = await JobStore.begin(folder, nothing)
    const padding = 'x'.repeat(5 * 2 ** 20)
    const archived = (name: string) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^\{"id":(\d+),.*\}$/gm)].map(([, id]) =>
        Number(id),
      )
    for (let id = 1; id <= 12; id++) {
      store.archive(job(id, padding))
      // So that it is written now and then.
      if (id % 4 === 0) for (let count = 0; count < 4; count++) await store.append({ job: job(id, padding) })
    }
    await store.close()
    t.strictSame(
      [archived('archive.1'), archived('archive')],
      [
        [7, 8, 9],
        [10, 11, 12],
      ],
    )
  },
)

t.test('a job larger than an archive has one of its own', async (t) => {
  const folder = t.testdir()
  const store = await JobStore.begin(folder, nothing)
  for (const [id, size] of [1, 17, 1].entries()) store.archive(job(id, 'x'.repeat(size * 2 ** 20)))
  await store.append({ job: job(9) })
  await store.close()
  const lengths = ['archive.1', 'archive'].map((name) =>
    Math.round(readFileSync(join(folder, name)).length / 2 ** 20),
  )
  t.strictSame(lengths, [17, 1])
})

t.test('a full archive that cannot be put aside stays as it is, and jobs go on', async (t) => {
  const folder = t.testdir({ 'archive.1': { 'in the way': '' } })
  const store = await JobStore.begin(folder, nothing)
  writeFileSync(join(folder, 'archive'), 'x'.repeat(16 * 2 ** 20))
  store.archive(job(1, 'x'.repeat(17 * 2 ** 20)))
  await store.append({ job: job(2) })
  await store.append({ job: job(3) })
  await store.close()
  t.equal(readFileSync(join(folder, 'archive')).length, 16 * 2 ** 20)
  t.strictSame([...(await JobStore.read(folder)).jobs.keys()], [2, 3])
})

t.test(
  'a journal that has grown begins anew with what matters, and an unfinished replacement is not forgotten',
  async (t) => {
    const folder = t.testdir()
    const kept = [job(7)]
    const store = await JobStore.begin(folder, { state: () => ({ last: 9, jobs: kept }), sync: false })
    store.archive(job(3))
    await store.append({ write: { before: 'b', after: 'a', temporary: 'x' }, jobs: [] })
    const padding = 'x'.repeat(2 ** 20)
    for (let count = 0; count < 16; count++) await store.append({ job: job(8, padding) })
    await store.close()
    t.strictSame(readdirSync(folder).sort(), ['archive', 'journal-2', 'running'])
    t.ok(readFileSync(join(folder, 'journal-2')).length < 2 ** 20)
    t.match(readFileSync(join(folder, 'archive'), 'utf8'), /^\{"id":3,.*\}\n$/)
    const { last, jobs, open } = await JobStore.read(folder)
    t.strictSame([last, [...jobs.keys()], open?.before], [9, [7], 'b'])
  },
)

t.test('whether a journal can be begun is told without beginning one', async (t) => {
  const folder = t.testdir({ there: {}, file: '' })
  for (const name of ['there', 'made-later'])
    await t.resolves(JobStore.checkWritable(join(folder, name)), name)
  await t.rejects(JobStore.checkWritable(join(folder, 'nowhere/queue')), { code: 'ENOENT' })
  await t.rejects(JobStore.checkWritable(join(folder, 'file/queue')), { code: 'ENOTDIR' })
  t.strictSame(readdirSync(folder), ['file', 'there'])
})

t.test('what is being carried out is told to the next one, and no more than that', async (t) => {
  const folder = join(t.testdir(), 'queue')
  const store = await JobStore.begin(folder, nothing)
  t.strictSame((await JobStore.read(folder)).running, [])
  await store.carryOut([
    [1000, 0],
    [1001, 2],
  ])
  await store.carryOut([[7, 1]])
  t.strictSame((await JobStore.read(folder)).running, [[7, 1]])
  await store.close()
  writeFileSync(join(folder, 'running'), '[[7,')
  t.strictSame((await JobStore.read(folder)).running, [])
})
