import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { LineWriter } from '../../lib/daemon/line-writer.ts'

function remembered() {
  const events: string[] = []
  return {
    events,
    lost: (error: Error) => void events.push(`lost: ${error.message.split(',')[0]}`),
    recovered: (lines: number) => void events.push(`recovered after ${lines}`),
  }
}

t.test('lines arrive whole and in order, however many', async (t) => {
  const path = join(t.testdir(), 'file')
  const events = remembered()
  const writer = new LineWriter(openSync(path, 'a'), events)
  const lines = Array.from({ length: 5000 }, (_, line) => `${line} ☃\n`)
  for (const line of lines) writer.write(line)
  await writer.flush()
  t.equal(readFileSync(path, 'utf8'), lines.join(''))
  await writer.close()
  t.strictSame(events.events, [])
})

t.test('lines beyond the speed of writing are dropped, counted, reported once', async (t) => {
  const path = join(t.testdir(), 'file')
  const events = remembered()
  const writer = new LineWriter(openSync(path, 'a'), events, 100)
  for (let line = 0; line < 30; line++) writer.write('123456789\n')
  t.strictSame(events.events, ['lost: it cannot be written as fast as lines come'])
  await writer.flush()
  t.equal(readFileSync(path, 'utf8'), '123456789\n'.repeat(10))
  t.strictSame(events.events.slice(1), ['recovered after 20'])
  writer.write('again\n')
  await writer.close()
  t.equal(readFileSync(path, 'utf8'), `${'123456789\n'.repeat(10)}again\n`)
})

t.test('a failing file is reported once, and the dropped lines when it recovers', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file')
  const events = remembered()
  const writer = new LineWriter(openSync(path, constants.O_RDONLY), events)
  for (let line = 0; line < 3; line++) {
    writer.write('lost\n')
    await writer.flush()
  }
  t.strictSame(events.events, ['lost: EBADF: bad file descriptor'])
  await writer.replace(openSync(path, 'a'))
  writer.write('written\n')
  await writer.close()
  t.strictSame(events.events.slice(1), ['recovered after 3'])
  t.equal(readFileSync(path, 'utf8'), 'written\n')
})

t.test('an incomplete line does not damage the next one', async (t) => {
  const path = join(t.testdir(), 'file')
  const events = remembered()
  const writer = new LineWriter(openSync(path, 'a'), events)
  // What a full disk does, a limit on the size of files does too: some bytes are written, then no more.
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  limitFileSize('8192')
  t.teardown(() => {
    limitFileSize('unlimited')
    process.off('SIGXFSZ', ignore)
  })
  writer.write(`${'x'.repeat(10_000)}\n`)
  await writer.flush()
  t.strictSame(events.events, ['lost: EFBIG: file too large'])
  limitFileSize('unlimited')
  writer.write('next\n')
  await writer.close()
  t.equal(readFileSync(path, 'utf8'), `${'x'.repeat(8192)}\nnext\n`)
  t.strictSame(events.events.slice(1), ['recovered after 1'])
})

function limitFileSize(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
}

t.test('a full pipe is waited for', async (t) => {
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const holder = await open(fifo, constants.O_RDWR)
  const writer = new LineWriter(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK), remembered())
  const lines = Array.from({ length: 20000 }, (_, line) => `line ${line}\n`)
  for (const line of lines) writer.write(line)
  // The pipe holds less than a third of it.
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
  const read = text(reader.stdout)
  await once(reader, 'spawn')
  await writer.flush()
  await writer.close()
  await holder.close()
  t.equal(await read, lines.join(''))
})
