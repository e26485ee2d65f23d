import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { readStable } from '../../lib/files/stable-read.ts'
import { rewrite } from '../support/rewriting.ts'

const read = async (path: string) => (await readStable(path)).bytes.toString()

t.test('what a file has is read, with what the system tells of it', async (t) => {
  const path = join(t.testdir({ file: 'some text' }), 'file')
  const { bytes, stats } = await readStable(path)
  t.equal(bytes.toString(), 'some text')
  t.equal(stats.size, 9n)
  writeFileSync(path, 'x'.repeat(3_000_000))
  t.equal((await readStable(path)).bytes.length, 3_000_000)
})

/**
 * How a file is written bit by bit. After each step it is left alone for a while that is shorter than the reader's
 * patience with what that step leaves. Both wait on this event loop, so on a machine that is busy, too, the next step
 * is done before the reader looks.
 */
const writers: [how: string, pause: number, steps: ((path: string) => void)[]][] = [
  ['emptied, and written later', 10, [...many(30, truncateSync), (path) => writeFileSync(path, 'new text')]],
  ['written in two parts', 10, [...many(10, half), (path) => appendFileSync(path, ' text')]],
  [
    'removed, and made anew',
    100,
    [rmSync, (path) => writeFileSync(path, ''), (path) => writeFileSync(path, 'new text')],
  ],
  [
    'emptied, and replaced',
    100,
    [
      truncateSync,
      (path) => {
        writeFileSync(`${path}.new`, 'new text')
        renameSync(`${path}.new`, path)
      },
    ],
  ],
]

function many(times: number, step: (path: string) => void): ((path: string) => void)[] {
  return Array.from({ length: times }, () => step)
}

function half(path: string): void {
  writeFileSync(path, 'new')
}

for (const [how, pause, steps] of writers) {
  t.test(`of a file that is ${how}, nothing is read before it is done`, async (t) => {
    const path = join(t.testdir({ file: 'old text' }), 'file')
    const [first, ...others] = steps
    first?.(path)
    const reading = read(path)
    for (const step of others) {
      await delay(pause)
      step(path)
    }
    t.equal(await reading, 'new text')
  })
}

t.test('a file that is written in place again and again is read whole each time', async (t) => {
  const path = join(t.testdir({ file: 'text 0' }), 'file')
  const writer = rewrite(path, (time) => `text ${time}`, { empty: 30, whole: 70, longest: 2000 })
  for (let time = 0; time < 10; time++) {
    t.match(await read(path), /^text \d+$/)
    writer.wasRead()
  }
  await writer.stop()
})

t.test(
  'one that never rests is believed when it says the same twice, and otherwise is an error',
  async (t) => {
    const folder = t.testdir({ same: 'text', other: '' })
    // Neither is left alone for the 50 ms after which it would be believed at once.
    const same = rewrite(join(folder, 'same'), () => 'text', { empty: 2, whole: 40 })
    const other = rewrite(join(folder, 'other'), String, { empty: 2, whole: 8 })
    await Promise.all([
      read(join(folder, 'same')).then((text) => t.equal(text, 'text')),
      t.rejects(read(join(folder, 'other')), { message: 'it is being written all the time' }),
    ])
    await Promise.all([same.stop(), other.stop()])
  },
)

t.test('what stays empty is empty, and what stays away is missing', async (t) => {
  const path = join(t.testdir({ file: 'text' }), 'file')
  truncateSync(path)
  t.equal(await read(path), '')
  rmSync(path)
  await t.rejects(read(path), { code: 'ENOENT' })
  await t.rejects(read(join(path, 'folder', 'file')), { code: 'ENOENT' })
})

t.test(
  'files that the kernel makes up and pipes are read as they come, unless they are refused',
  async (t) => {
    t.match(await read('/proc/self/status'), /^Name:/)
    const folder = t.testdir({})
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const written = writeFile(pipe, 'from a pipe')
    t.equal(await read(pipe), 'from a pipe')
    await written
    await t.rejects(readStable(pipe, { regularOnly: true }), { message: 'it is not a regular file' })
    mkdirSync(join(folder, 'folder'))
    await t.rejects(read(join(folder, 'folder')), { code: 'EISDIR' })
  },
)

t.test('a file that is too large is refused', async (t) => {
  const path = join(t.testdir({ file: 'x'.repeat(2048) }), 'file')
  t.equal((await readStable(path, { largest: 2048 })).bytes.length, 2048)
  await t.rejects(readStable(path, { largest: 2047 }), { message: /^it is larger than/ })
})
