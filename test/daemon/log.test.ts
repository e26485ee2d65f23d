import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DaemonLog, escapeForLog, type LogOptions } from '../../lib/daemon/log.ts'
import { MemoryLog } from '../support/memory-log.ts'
import { until } from '../support/until.ts'
import { start } from './programs/run.ts'

const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const

/** A log into a file of its own. */
function fileLog(t: Test, options: Partial<LogOptions> = {}) {
  const file = join(t.testdir(), 'rapi-daemon.log')
  const log = new DaemonLog({
    program: 'ganeti-rapi',
    debug: false,
    file,
    stderr: false,
    syslog: 'no',
    ...options,
  })
  return { log, file, lines: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) }
}

t.test('a line has local time, program, pid, level and message, as Ganeti writes it', async (t) => {
  const { log, lines } = fileLog(t)
  const before = Date.now()
  log.info('127.0.0.1:54442 GET /2/info HTTP/1.1 200')
  const after = Date.now()
  await log.close()
  const [line = '', ...others] = lines()
  t.strictSame(others, [])
  const [, date, time, milliseconds, rest] = /^(\S+) (\S+),(\d{3}): (.*)$/.exec(line) ?? []
  t.equal(rest, `ganeti-rapi pid=${process.pid} INFO 127.0.0.1:54442 GET /2/info HTTP/1.1 200`)
  // Without a zone, a date and time is read as local time.
  const written = new Date(`${date}T${time}.${milliseconds}`).getTime()
  t.ok(written >= before && written <= after, `${date} ${time} is now`)
})

t.test('as JSON, a line is an object, for a request with its parts', async (t) => {
  const { log, lines } = fileLog(t, { format: 'json', debug: true })
  log.request('192.0.2.1:5 GET /\\x0a HTTP/1.1 200 user=a', {
    line: 'GET /\n HTTP/1.1',
    status: 200,
    user: 'a',
  })
  log.warning('of warning')
  await log.close()
  const [request, warning, ...others] = lines().map((line) => JSON.parse(line))
  t.strictSame(others, [])
  const { time, at, ...parts } = request
  t.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
  t.match(at, /^log\.test:\d+$/)
  t.strictSame(parts, {
    program: 'ganeti-rapi',
    pid: process.pid,
    level: 'INFO',
    message: '192.0.2.1:5 GET /\\x0a HTTP/1.1 200 user=a',
    line: 'GET /\n HTTP/1.1',
    status: 200,
    user: 'a',
  })
  t.match(warning, { level: 'WARNING', message: 'of warning' })
})

t.test('without debugging there are no debug messages', async (t) => {
  const { log, lines } = fileLog(t)
  for (const level of LEVELS) log[level](`of ${level}`)
  await log.close()
  t.strictSame(
    lines().map((line) => line.replace(/^.* pid=\d+ /, '')),
    ['INFO of info', 'WARNING of warning', 'ERROR of error', 'CRITICAL of critical'],
  )
})

t.test('with debugging there are, and each line names file and line of its caller', async (t) => {
  const { log, lines } = fileLog(t, { debug: true })
  for (const level of LEVELS) log[level](`of ${level}`)
  await log.close()
  t.equal(lines().length, LEVELS.length)
  for (const [place, line] of lines().entries()) {
    const level = LEVELS[place] as string
    t.match(line, new RegExp(` pid=\\d+ log\\.test:\\d+ ${level.toUpperCase()} of ${level}$`))
  }
})

t.test('the log file is appended to, and created with mode 0600', async (t) => {
  const { log, file, lines } = fileLog(t)
  log.info('first')
  await log.close()
  t.equal(statSync(file).mode & 0o777, 0o600)
  const again = new DaemonLog({ program: 'ganeti-rapi', debug: false, file, stderr: false, syslog: 'no' })
  again.info('second')
  await again.flush()
  t.match(lines(), [/INFO first$/, /INFO second$/])
  await again.close()
})

t.test('a message stays one line without control characters', async (t) => {
  const { log, lines } = fileLog(t)
  log.info('two\nlines\r\u0000 and \u001b[31mred\u001b[0m \u009b31m \u2028 \u202e')
  log.info(`from a client: ${escapeForLog('a\nb\\x0a')}`)
  log.info('è ordinary ☃ text')
  await log.close()
  t.match(lines(), [
    /INFO two\\x0alines\\x0d\\x00 and \\x1b\[31mred\\x1b\[0m \\x9b31m \\u\{2028\} \\u\{202e\}$/,
    /INFO from a client: a\\x0ab\\\\x0a$/,
    /INFO è ordinary ☃ text$/,
  ])
})

const escapes: [text: string, escaped: string][] = [
  ['GET /2/nodes?bulk=1 HTTP/1.1', 'GET /2/nodes?bulk=1 HTTP/1.1'],
  ['', ''],
  ['\n', '\\x0a'],
  ['\\n', '\\\\n'],
  ['\\\n', '\\\\\\x0a'],
  ['\u007f', '\\x7f'],
  ['\u0085', '\\x85'],
  ['\u200b\ufeff', '\\u{200b}\\u{feff}'],
  ['\u2029', '\\u{2029}'],
  ['\ud800x', '\\u{d800}x'],
  ['\u{e0041}', '\\u{e0041}'],
  ['é ☃ \u{1f600}', 'é ☃ \u{1f600}'],
]

t.test('what a client sent is escaped so that it can be read back', (t) => {
  for (const [text, escaped] of escapes) t.equal(escapeForLog(text), escaped, escaped)
  t.equal(escapeForLog('\n'.repeat(8192)), '\\x0a'.repeat(8192))
  t.equal(escapeForLog('\n'.repeat(1_000_000)), `${'\\x0a'.repeat(8192)}\\...`)
  t.end()
})

t.test('after the file was moved away, lines go to a new one, and none is lost', async (t) => {
  const { log, file, lines } = fileLog(t)
  const count = 3000
  for (let line = 0; line < count; line++) {
    log.info(`line ${line}`)
    if (line % 500 === 250) {
      renameSync(file, `${file}.${line}`)
      await log.reopen()
    } else if (line % 100 === 0) {
      await new Promise(setImmediate)
    }
  }
  await log.close()
  const moved = [250, 750, 1250, 1750, 2250, 2750].flatMap((line) =>
    readFileSync(`${file}.${line}`, 'utf8').split('\n').slice(0, -1),
  )
  t.strictSame(
    [...moved, ...lines()].map((line) => line.replace(/^.* line /, '')),
    Array.from({ length: count }, (_, line) => String(line)),
  )
})

t.test('where the file cannot be opened anew, logging goes on in the old one', async (t) => {
  const folder = join(t.testdir({ log: {} }), 'log')
  const file = join(folder, 'file')
  const log = new DaemonLog({ program: 'ganeti-rapi', debug: false, file, stderr: false, syslog: 'no' })
  renameSync(folder, `${folder}.moved`)
  await log.reopen()
  log.info('afterwards')
  await log.close()
  const lines = readFileSync(join(`${folder}.moved`, 'file'), 'utf8')
  t.match(
    lines,
    /ERROR Cannot reopen the log file '.*', going on with the old one: cannot open.*\n.*INFO afterwards\n$/,
  )
})

t.test('a log file that cannot be opened is a failure of the configuration', (t) => {
  const file = join(t.testdir(), 'missing', 'file')
  t.throws(() => new DaemonLog({ program: 'x', debug: false, file, stderr: false, syslog: 'no' }), {
    code: 'configuration',
    message: `cannot open the log file '${file}'`,
  })
  t.end()
})

t.test(
  'a full disk does not stop the daemon',
  { skip: !existsSync('/dev/full') && 'needs /dev/full' },
  async (t) => {
    const log = new DaemonLog({ program: 'x', debug: false, file: '/dev/full', stderr: false, syslog: 'no' })
    for (let line = 0; line < 1000; line++) log.info(`line ${line}`)
    await log.flush()
    log.info('still here')
    await log.flush()
    t.throws(() => log.check(), {
      code: 'configuration',
      message: /^Cannot write to the log file '\/dev\/full': .*no space left/,
    })
    await t.resolves(log.close())
  },
)

t.test(
  'a log that lost lines is found to be writable again, though nobody else writes to it',
  { skip: !existsSync('/dev/full') && 'needs /dev/full' },
  async (t) => {
    const file = join(t.testdir(), 'log')
    symlinkSync('/dev/full', file)
    const log = new DaemonLog({ program: 'x', debug: false, file, stderr: false, syslog: 'no' })
    t.teardown(() => log.close())
    log.check()
    log.info('lost')
    await log.flush()
    t.throws(() => log.check(), { code: 'configuration' })
    rmSync(file)
    await log.reopen()
    t.throws(() => log.check(), { code: 'configuration' }, 'it is not known yet')
    await log.flush()
    log.check()
    await log.flush()
    t.match(readFileSync(file, 'utf8').trimEnd().split('\n'), [
      / INFO Trying whether this log can be written again$/,
      / INFO Trying whether this log can be written again$/,
      / WARNING \d lines could not be written to the log file/,
    ])
  },
)

for (const [ending, status] of [
  ['exit', 3],
  ['throw', 1],
  ['return', 0],
] as const) {
  t.test(`nothing is lost when the process ends by ${ending}`, async (t) => {
    const file = join(t.testdir(), 'log')
    const program = start('logger', [file, '20500', ending])
    t.equal(await program.ended, status)
    const numbers = readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => Number(line.replace(/^.* line /, '')))
    // Cut off in the middle, the last two batches may change places.
    if (ending !== 'return') numbers.sort((a, b) => a - b)
    t.strictSame(
      numbers,
      Array.from({ length: 20500 }, (_, line) => line),
    )
  })
}

t.test('in the foreground the same lines go to standard error', async (t) => {
  const file = join(t.testdir(), 'log')
  const program = start('logger', [file, '2500', 'stderr'])
  t.equal(await program.stderr, readFileSync(file, 'utf8'))
  t.equal((await program.stderr).split('\n').length, 2501)
})

/** A syslogd, which understands streams as well as datagrams. */
async function syslogd(t: Test) {
  // The path of a socket must be short.
  const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-test-'))
  const socket = join(folder, 'log')
  let received = ''
  const server = createServer((connection) => {
    connection.on('data', (data) => {
      received += data
    })
  })
  await new Promise<void>((listening) => server.listen(socket, listening))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  return {
    socket,
    messages: () =>
      received
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replace(/^(<\d+>)\w+ +\d+ [\d:]+ /, '$1')),
  }
}

t.test('syslog gets level and message with the facility daemon, but no debug messages', async (t) => {
  const { socket, messages } = await syslogd(t)
  const { log, lines } = fileLog(t, { debug: true, syslog: 'yes', syslogSocket: socket })
  for (const level of LEVELS) log[level](`of ${level}`)
  log.info(`<0>${'x'.repeat(9000)}`)
  await log.close()
  await until(() => messages().length >= 5)
  const tag = `ganeti-rapi[${process.pid}]: `
  t.strictSame(messages(), [
    `<30>${tag}INFO of info`,
    `<28>${tag}WARNING of warning`,
    `<27>${tag}ERROR of error`,
    `<26>${tag}CRITICAL of critical`,
    `<30>${tag}INFO <0>${'x'.repeat(9000)}`,
  ])
  t.equal(lines().length, 6, 'the file gets all of them')
})

t.test('with syslog only there is no log file', async (t) => {
  const { socket, messages } = await syslogd(t)
  const { log, file } = fileLog(t, { syslog: 'only', syslogSocket: socket })
  log.info('hello')
  await log.close()
  await until(() => messages().length === 1)
  t.notOk(existsSync(file))
})

t.test('without a syslogd, the log file says so once', async (t) => {
  const { log, lines } = fileLog(t, { syslog: 'yes', syslogSocket: join(t.testdir(), 'nobody') })
  await until(() => {
    log.info('hello')
    return lines().some((line) => line.includes('ERROR'))
  })
  for (let line = 0; line < 100; line++) log.info('hello')
  await log.close()
  t.match(
    lines().filter((line) => !line.includes('hello')),
    [/ERROR Cannot write to syslog: logger\(1\) has ended$/],
  )
})

t.test('without logger(1) a log to syslog is refused at once', (t) => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir()
  t.throws(() => new DaemonLog({ program: 'x', debug: false, stderr: false, syslog: 'only' }), {
    code: 'configuration',
    message: /logger\(1\) cannot be started/,
  })
  t.end()
})

t.test('a log into memory keeps level and message', (t) => {
  const log = new MemoryLog()
  for (const level of LEVELS) log[level](`of ${level}`)
  t.strictSame(log.lines, [
    'DEBUG of debug',
    'INFO of info',
    'WARNING of warning',
    'ERROR of error',
    'CRITICAL of critical',
  ])
  t.end()
})

t.test('a file that is there already keeps its mode', async (t) => {
  const { log, file } = fileLog(t)
  await log.close()
  writeFileSync(`${file}.2`, '', { mode: 0o640 })
  const other = new DaemonLog({ program: 'x', debug: false, file: `${file}.2`, stderr: false, syslog: 'no' })
  await other.close()
  t.equal(statSync(`${file}.2`).mode & 0o777, 0o640)
})
