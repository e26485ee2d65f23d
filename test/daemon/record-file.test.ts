import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { RecordFile } from '../../lib/daemon/record-file.ts'

function recordFile(t: Test, file = join(t.testdir(), 'records')) {
  const records = new RecordFile(file, 0o640)
  t.teardown(() => records.close())
  return { records, file, text: () => readFileSync(file, 'utf8') }
}

t.test('an acknowledged record is in the file, after those before it', async (t) => {
  const { records, text } = recordFile(t)
  await records.append('one\n')
  t.equal(text(), 'one\n')
  const many = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`)
  await Promise.all(many.map((line) => records.append(line)))
  t.equal(text(), `one\n${many.join('')}`)
})

t.test('a new file has the mode, whatever the umask; an existing one keeps its own', async (t) => {
  const old = process.umask(0o077)
  t.teardown(() => process.umask(old))
  const { records, file, text } = recordFile(t)
  await records.open()
  t.equal(statSync(file).mode & 0o777, 0o640)
  await records.append('one\n')
  await records.close()
  const again = new RecordFile(file, 0o600)
  await again.append('two\n')
  await again.close()
  t.equal(statSync(file).mode & 0o777, 0o640)
  t.equal(text(), 'one\ntwo\n')
})

t.test('a file that cannot be opened is tried again for each record', async (t) => {
  const folder = join(t.testdir(), 'folder')
  const { records, file, text } = recordFile(t, join(folder, 'records'))
  await t.rejects(records.open(), { code: 'configuration', message: `cannot open '${file}'` })
  await t.rejects(records.append('lost\n'), { code: 'configuration', message: `cannot write to '${file}'` })
  mkdirSync(folder)
  await records.append('found\n')
  t.equal(text(), 'found\n')
})

t.test('after a rotation, records go to a new file once that is said', async (t) => {
  const { records, file, text } = recordFile(t)
  await records.append('one\n')
  renameSync(file, `${file}.1`)
  await records.append('two\n')
  t.notOk(existsSync(file))
  await records.reopen()
  await records.append('three\n')
  t.equal(text(), 'three\n')
  t.equal(readFileSync(`${file}.1`, 'utf8'), 'one\ntwo\n')
})

t.test('if no new file can be made after a rotation, the old one is used until one can', async (t) => {
  const { records, file, text } = recordFile(t)
  await records.append('one\n')
  renameSync(file, `${file}.1`)
  mkdirSync(file)
  await t.rejects(records.reopen(), { code: 'configuration', message: `cannot open '${file}'` })
  await records.append('two\n')
  t.equal(readFileSync(`${file}.1`, 'utf8'), 'one\ntwo\n')
  rmdirSync(file)
  await records.append('three\n')
  t.equal(text(), 'three\n')
})

t.test('records that wait are in the file when it is closed', async (t) => {
  const { records, text } = recordFile(t)
  const written = records.append('one\n')
  await records.close()
  t.equal(text(), 'one\n')
  await written
})

t.test('more than 4 MiB do not wait', async (t) => {
  const { records, text } = recordFile(t)
  const most = `${'x'.repeat(4 * 1024 * 1024 - 1)}\n`
  const written = records.append(most)
  await t.rejects(records.append('y\n'), { code: 'configuration' })
  await written
  await records.append('z\n')
  t.equal(text(), `${most}z\n`)
})

t.test(
  'a full disk is said for each record',
  { skip: !existsSync('/dev/full') && 'needs /dev/full' },
  async (t) => {
    const file = join(t.testdir(), 'records')
    symlinkSync('/dev/full', file)
    const { records } = recordFile(t, file)
    for (const line of ['one\n', 'two\n']) {
      await t.rejects(records.append(line), { code: 'configuration', cause: { code: 'ENOSPC' } })
    }
  },
)
