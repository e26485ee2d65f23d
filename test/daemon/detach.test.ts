import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { detachedFrom, startDetached } from '../../lib/daemon/detach.ts'
import { start } from './programs/run.ts'
import { until } from './until.ts'

const SORRY = 'Error when starting daemon process: '

t.test('the starter ends with 0 once the copy is ready, and the copy lives on by itself', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('detaching', ['serve', report])
  t.equal(await program.ended, 0)
  const pid = Number(/^started (\d+)\n$/.exec(await program.stdout)?.[1])
  await until(() => existsSync(report))
  t.strictSame(JSON.parse(readFileSync(report, 'utf8')), {
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
    const program = start('detaching', [behaviour])
    t.equal(await program.ended, 1)
    t.equal(await program.stderr, `${SORRY}${message}\n`)
  })
}

t.test('a copy that never reports is ended', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('detaching', ['hang', report, '1000'])
  t.equal(await program.ended, 1)
  t.equal(await program.stderr, `${SORRY}the daemon process was not ready after 1 seconds\n`)
  // On a slow machine it may have been ended before it wrote anything.
  if (existsSync(report)) await until(() => !isAlive(Number(readFileSync(report, 'utf8'))))
})

t.test('a copy whose starter was interrupted ends too', async (t) => {
  const report = join(t.testdir(), 'report')
  const program = start('detaching', ['hang', report])
  await until(() => existsSync(report))
  const pid = Number(readFileSync(report, 'utf8'))
  t.ok(isAlive(pid))
  program.child.kill('SIGINT')
  t.equal(await program.ended, 'SIGINT')
  await until(() => !isAlive(pid))
})

t.test('a program that cannot be started at all is a failure', async (t) => {
  await t.rejects(startDetached([join(t.testdir(), 'missing.js')]), {
    code: 'internal',
    message: 'the daemon process ended with status 1 before it was ready',
  })
})

t.test('a program that was started as any other is no copy', (t) => {
  t.equal(detachedFrom(), undefined)
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
