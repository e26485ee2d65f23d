import { existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { acquirePidFile } from '../../lib/daemon/pid-file.ts'
import { start } from './programs/run.ts'

t.test('the file has our process id and mode 0600, until it is released', (t) => {
  const path = join(t.testdir(), 'daemon.pid')
  const file = acquirePidFile(path)
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  t.equal(statSync(path).mode & 0o777, 0o600)
  file.release()
  t.notOk(existsSync(path))
  t.end()
})

t.test('a file that a running daemon has locked is refused, with its process id', async (t) => {
  const path = join(t.testdir(), 'daemon.pid')
  const holder = start('pid-holder', [path, 'release'])
  t.equal(await holder.heard(), 'held')
  t.throws(() => acquirePidFile(path), {
    code: 'unavailable',
    message: `PID file '${path}' is already locked by another process, PID read from file is ${holder.child.pid}`,
  })
  t.equal(readFileSync(path, 'utf8'), `${holder.child.pid}\n`, 'its file is untouched')
  holder.child.stdin?.end()
  t.equal(await holder.ended, 0)
  t.notOk(existsSync(path))
  acquirePidFile(path).release()
})

t.test('a file left by a crash is taken over', async (t) => {
  const path = join(t.testdir(), 'daemon.pid')
  const holder = start('pid-holder', [path])
  await holder.heard()
  holder.child.kill('SIGKILL')
  await holder.ended
  t.equal(readFileSync(path, 'utf8'), `${holder.child.pid}\n`)
  const file = acquirePidFile(path)
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  file.release()
})

t.test('the content of an old file does not matter, only whether it is locked', (t) => {
  const contents = [`${process.ppid}\n`, '1\n', '', 'garbage', `${'9'.repeat(4000)}\n`]
  for (const content of contents) {
    const path = join(t.testdir({ 'daemon.pid': content }), 'daemon.pid')
    const file = acquirePidFile(path)
    t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`, content.slice(0, 10))
    t.equal(statSync(path).mode & 0o777, 0o600)
    file.release()
  }
  t.end()
})

t.test('of daemons starting at once over a stale file exactly one gets it', async (t) => {
  const path = join(t.testdir({ 'daemon.pid': '999999\n' }), 'daemon.pid')
  const holders = Array.from({ length: 5 }, () => start('pid-holder', [path]))
  const said = await Promise.all(holders.map((holder) => holder.heard()))
  t.equal(said.filter((line) => line === 'held').length, 1)
  t.equal(said.filter((line) => /already locked by another process/.test(line)).length, 4)
  for (const { child } of holders) child.stdin?.end()
  await Promise.all(holders.map((holder) => holder.ended))
})

t.test('a file that is no longer ours is not removed on release', (t) => {
  const dir = t.testdir()
  const path = join(dir, 'daemon.pid')
  const ours = acquirePidFile(path)
  renameSync(path, join(dir, 'moved.pid'))
  const theirs = acquirePidFile(path)
  ours.release()
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  theirs.release()
  t.notOk(existsSync(path))
  t.end()
})

t.test('a pid file that cannot be written is a failure of the configuration', (t) => {
  const dir = t.testdir({ target: 'precious' })
  symlinkSync(join(dir, 'target'), join(dir, 'link.pid'))
  for (const path of [join(dir, 'missing', 'daemon.pid'), dir, join(dir, 'link.pid')]) {
    t.throws(() => acquirePidFile(path), {
      code: 'configuration',
      message: `cannot open the pid file '${path}'`,
    })
  }
  t.equal(readFileSync(join(dir, 'target'), 'utf8'), 'precious', 'a link is not followed')
  t.end()
})

t.test('without flock(1) the daemon does not start unprotected', (t) => {
  const dir = t.testdir()
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = dir
  t.throws(() => acquirePidFile(join(dir, 'a.pid')), { code: 'configuration', message: /with flock$/ })
  writeFileSync(join(dir, 'flock'), '#!/bin/sh\necho "no locks here" >&2\nexit 71\n', { mode: 0o755 })
  t.throws(() => acquirePidFile(join(dir, 'b.pid')), { code: 'configuration', cause: 'no locks here' })
  t.end()
})

t.test('a file that its last owner removes while we lock it is made anew', (t) => {
  const dir = t.testdir()
  const path = join(dir, 'daemon.pid')
  const searched = process.env.PATH
  t.teardown(() => {
    process.env.PATH = searched
  })
  // The first time it is asked for the lock, the file is gone already.
  const flock = `#!/bin/sh\nPATH='${searched}'\n[ -e '${dir}/asked' ] || { touch '${dir}/asked'; rm '${path}'; }\nexec flock "$@"\n`
  writeFileSync(join(dir, 'flock'), flock, { mode: 0o755 })
  process.env.PATH = dir
  const file = acquirePidFile(path)
  t.ok(existsSync(join(dir, 'asked')))
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  file.release()
  t.notOk(existsSync(path))
  t.end()
})
