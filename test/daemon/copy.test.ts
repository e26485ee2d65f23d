import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startDetached, starterOfCopy } from '../../lib/daemon/copy.ts'
import { until } from '../support/until.ts'
import { start } from './programs/run.ts'

const WORD = { text: 'a key', more: ['ä'] }
const SORRY = 'Error when starting daemon process: '

t.test('the starter exits with 0 once the copy is ready, and the copy keeps running', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('copying', ['serve', report])
  t.equal(await program.ended, 0)
  const pid = Number(/^started (\d+)\n$/.exec(await program.stdout)?.[1])
  await until(() => existsSync(report))
  t.strictSame(JSON.parse(readFileSync(report, 'utf8')), {
    word: WORD,
    pid,
    cwd: '/',
    umask: 0o077,
    env: [],
    again: true,
  })
})

const failures: [behaviour: string, message: string][] = [
  ['fail', 'Address already in use: port 5080'],
  ['die', 'the daemon process ended with status 7 before it was ready'],
  ['crash', 'the daemon process ended by SIGKILL before it was ready'],
]
for (const [behaviour, message] of failures) {
  t.test(`the starter ends with 1 and says why: ${message}`, async (t) => {
    const program = start('copying', [behaviour])
    t.equal(await program.ended, 1)
    t.equal(await program.stderr, `${SORRY}${message}\n`)
  })
}

t.test('a copy that never reports is killed', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('copying', ['hang', report, '1000'])
  t.equal(await program.ended, 1)
  t.equal(await program.stderr, `${SORRY}the daemon process was not ready after 1 seconds\n`)
  // On a slow machine it may have been ended before it wrote anything.
  if (existsSync(report)) await until(() => !isAlive(Number(readFileSync(report, 'utf8'))))
})

t.test('a copy whose starter was interrupted ends too', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('copying', ['hang', report])
  await until(() => existsSync(report))
  const pid = Number(readFileSync(report, 'utf8'))
  t.ok(isAlive(pid))
  program.child.kill('SIGINT')
  t.equal(await program.ended, 'SIGINT')
  await until(() => !isAlive(pid))
})

t.test('a copy in the foreground gets the value, its folder, and a session', async (t) => {
  const program = start('copying', ['foreground'])
  const { pid, ...rest } = JSON.parse(await program.heard())
  t.strictSame(rest, { word: WORD, cwd: process.cwd(), umask: process.umask(), env: [], again: true })
  t.not(pid, program.child.pid)
  t.equal(sessionOf(pid), pid)
  program.child.kill('SIGTERM')
  program.child.kill('SIGINT')
  t.equal(await program.ended, 42)
})

t.test('signals and exit status pass between a foreground copy and its starter', async (t) => {
  const program = start('copying', ['foreground'])
  const { pid } = JSON.parse(await program.heard())
  program.child.kill('SIGHUP')
  t.equal(await program.heard(), 'reload')
  program.child.kill('SIGTERM')
  t.equal(await program.heard(), 'stop SIGTERM')
  process.kill(pid, 'SIGTERM')
  t.equal(await program.heard(), 'stop SIGTERM', 'one sent to both is not two')
  program.child.kill('SIGINT')
  t.equal(await program.heard(), 'end SIGINT')
  t.equal(await program.ended, 42)
  t.equal(await program.stderr, '')
})

t.test('a copy in the foreground stops when its starter is killed', async (t) => {
  const program = start('copying', ['foreground'])
  const { pid } = JSON.parse(await program.heard())
  program.child.kill('SIGKILL')
  t.equal(await program.heard(), 'stop SIGTERM')
  process.kill(pid, 'SIGKILL')
  t.equal(await program.ended, 'SIGKILL')
})

t.test('a copy in the foreground that listens to no signals yet is ended by them', async (t) => {
  const program = start('copying', ['foreground-deaf'])
  const pid = Number(await program.heard())
  program.child.kill('SIGINT')
  t.equal(await program.ended, 130)
  await until(() => !isAlive(pid))
})

t.test('a copy in the foreground prints itself why it fails', async (t) => {
  const failed = start('copying', ['foreground-fail'])
  t.equal(await failed.ended, 3)
  t.equal(await failed.stderr, 'Address already in use: port 5080\n')
})

t.test('a copy in the foreground that a signal ends gives the status that shells give', async (t) => {
  t.equal(await start('copying', ['foreground-crash']).ended, 137)
})

t.test('a program that cannot be started at all is a failure', async (t) => {
  await t.rejects(startDetached([process.execPath, join(t.testdir(), 'missing.js')], WORD), {
    code: 'internal',
    message: 'the daemon process ended with status 1 before it was ready',
  })
})

t.test('a program that was not started by a starter is not a copy', (t) => {
  t.equal(starterOfCopy(), undefined)
  t.end()
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // One that has ended but was not waited for yet counts as gone.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function sessionOf(pid: number): number {
  const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')
  return Number(session)
}
