import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Journal, type JournalOptions } from '../../../../lib/backend/config-file/jobs/journal.ts'
import { readJournal } from '../../../../lib/backend/config-file/jobs/read-journal.ts'
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

function journalIn(folder: string, state: JournalOptions['state'] = () => ({ last: 0, jobs: [] })): Journal {
  return new Journal({
    folder,
    state,
    sync: false,
    log: { error: (message) => t.comment(message) },
    closed: new AbortController().signal,
  })
}

async function begin(folder: string, state?: JournalOptions['state']): Promise<Journal> {
  const journal = journalIn(folder, state)
  await journal.begin()
  return journal
}

t.test('what was added is read again, long integers too', async (t) => {
  const folder = join(t.testdir(), 'queue')
  t.strictSame(await readJournal(folder), { last: 0, jobs: new Map(), open: undefined, running: [] })
  const journal = await begin(folder)
  await Promise.all([journal.append({ job: job(1) }), journal.append({ job: job(2) }, { job: job(4) })])
  await journal.close()
  const { last, jobs } = await readJournal(folder)
  t.equal(last, 4)
  t.strictSame([...jobs.values()], [job(1), job(2), job(4)])
})

t.test('a line that was cut off, or left empty by a loss of power, says nothing', async (t) => {
  for (const rest of ['{"job": {"id": 2', '\0\0\0\n{"last": 9}\n']) {
    const folder = t.testdir()
    const journal = await begin(folder)
    await journal.append({ job: job(1) })
    await journal.close()
    appendFileSync(join(folder, 'journal-1'), rest)
    t.strictSame([(await readJournal(folder)).last], [1])
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
    const stored = await readJournal(folder)
    t.strictSame([stored.jobs.size, stored.open !== undefined], [jobs, open])
    t.equal(stored.last, text.includes('"id": 2') ? 2 : 1, 'their ids are never given again')
  }
})

t.test(
  'the archive begins anew at 16 MiB and keeps the one before, which makes 32 MiB at most',
  async (t) => {
    const folder = t.testdir()
    const journal = await begin(folder)
    const padding = 'x'.repeat(5 * 2 ** 20)
    const archived = (name: string) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^\{"id":(\d+),.*\}$/gm)].map(([, id]) =>
        Number(id),
      )
    for (let id = 1; id <= 12; id++) {
      journal.archive(job(id, padding))
      // So that it is written now and then.
      if (id % 4 === 0)
        for (let count = 0; count < 4; count++) await journal.append({ job: job(id, padding) })
    }
    await journal.close()
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
  const journal = await begin(folder)
  for (const [id, size] of [1, 17, 1].entries()) journal.archive(job(id, 'x'.repeat(size * 2 ** 20)))
  await journal.append({ job: job(9) })
  await journal.close()
  const lengths = ['archive.1', 'archive'].map((name) =>
    Math.round(readFileSync(join(folder, name)).length / 2 ** 20),
  )
  t.strictSame(lengths, [17, 1])
})

t.test('a full archive that cannot be put aside stays as it is, and jobs go on', async (t) => {
  const folder = t.testdir({ 'archive.1': { 'in the way': '' } })
  const journal = await begin(folder)
  writeFileSync(join(folder, 'archive'), 'x'.repeat(16 * 2 ** 20))
  journal.archive(job(1, 'x'.repeat(17 * 2 ** 20)))
  await journal.append({ job: job(2) })
  await journal.append({ job: job(3) })
  await journal.close()
  t.equal(readFileSync(join(folder, 'archive')).length, 16 * 2 ** 20)
  t.strictSame([...(await readJournal(folder)).jobs.keys()], [2, 3])
})

t.test(
  'a journal that has grown begins anew with what matters, and an unfinished replacement is not forgotten',
  async (t) => {
    const folder = t.testdir()
    const kept = [job(7)]
    const journal = await begin(folder, () => ({ last: 9, jobs: kept }))
    journal.archive(job(3))
    await journal.append({ write: { before: 'b', after: 'a', temporary: 'x' }, jobs: [] })
    const padding = 'x'.repeat(2 ** 20)
    for (let count = 0; count < 16; count++) await journal.append({ job: job(8, padding) })
    await journal.close()
    t.strictSame(readdirSync(folder).sort(), ['archive', 'journal-2', 'running'])
    t.ok(readFileSync(join(folder, 'journal-2')).length < 2 ** 20)
    t.match(readFileSync(join(folder, 'archive'), 'utf8'), /^\{"id":3,.*\}\n$/)
    const { last, jobs, open } = await readJournal(folder)
    t.strictSame([last, [...jobs.keys()], open?.before], [9, [7], 'b'])
  },
)

t.test('whether a journal can be begun is told without beginning one', async (t) => {
  const folder = t.testdir({ there: {}, file: '' })
  for (const name of ['there', 'made-later'])
    await t.resolves(journalIn(join(folder, name)).checkWritable(), name)
  await t.rejects(journalIn(join(folder, 'nowhere/queue')).checkWritable(), {
    code: 'unavailable',
    cause: { cause: { code: 'ENOENT' } },
  })
  await t.rejects(journalIn(join(folder, 'file/queue')).checkWritable(), {
    code: 'unavailable',
    cause: { cause: { code: 'ENOTDIR' } },
  })
  t.strictSame(readdirSync(folder), ['file', 'there'])
})

t.test('what is being carried out is told to the next one, and no more than that', async (t) => {
  const folder = join(t.testdir(), 'queue')
  const journal = await begin(folder)
  t.strictSame((await readJournal(folder)).running, [])
  await journal.noteRunning([
    [1000, 0],
    [1001, 2],
  ])
  await journal.noteRunning([[7, 1]])
  t.strictSame((await readJournal(folder)).running, [[7, 1]])
  await journal.close()
  writeFileSync(join(folder, 'running'), '[[7,')
  t.strictSame((await readJournal(folder)).running, [])
})
