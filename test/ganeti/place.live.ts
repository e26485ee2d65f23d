/**
 * Our program in the place of the original's, as Ganeti's own scripts start,
 * check, watch and stop it. Comes late: the watcher mends what is wrong with
 * instances.
 */
import { existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { on } from './nodes.ts'
import { must, run } from './sides.ts'

t.setTimeout(300_000)

const PROGRAM = '/usr/sbin/ganeti-rapi'
const PID_FILE = '/run/ganeti/ganeti-rapi.pid'
const LOG = '/var/log/ganeti/rapi-daemon.log'
// Without what tap has Node load in every process that it starts.
const util = (verb: string) =>
  run('env', '-u', 'NODE_OPTIONS', '/usr/lib/ganeti/daemon-util', verb, 'ganeti-rapi')

const pid = () => readFileSync(PID_FILE, 'utf8').trim()

/** What the daemon at the usual port says its version is; undefined where there is none. */
async function version(): Promise<string | undefined> {
  return new Promise((resolve) => {
    request('https://localhost:5080/version', { rejectUnauthorized: false }, (response) => {
      text(response).then(resolve)
    })
      .on('error', () => resolve(undefined))
      .end()
  })
}

t.test('daemon-util starts, checks and stops it', async (t) => {
  // Debian's start-stop-daemon does not trust a pid file that is not root's.
  const startedTwice = await util('start')
  t.equal((await util('stop')).status, 0)
  renameSync(PROGRAM, `${PROGRAM}.original`)
  symlinkSync('/opt/ganeti-rapi/bin/ganeti-rapi', PROGRAM)
  t.match(await util('check'), { status: 1 }, 'nothing runs')

  t.same(await util('start'), { status: 0, stdout: '', stderr: '' })
  t.equal(await version(), '2\n', 'it listens when it has been started')
  t.match(await util('check'), { status: 0 })
  const first = pid()
  t.match(await must('ps', '-o', 'user=,comm=', '-p', first), /^gnt-rapi\s+ganeti-rapi$/m)
  t.match(readFileSync(LOG, 'utf8'), /INFO Asking the master daemon on this node/)
  t.match(await must('curl', '-sk', 'https://localhost:5080/2/info'), /"name": "cluster\.example\.com"/)

  t.same(await util('start'), startedTwice, 'starting it again does what it does to the original')
  t.equal(pid(), first)

  t.same(await util('stop'), { status: 0, stdout: '', stderr: '' })
  t.notOk(existsSync(PID_FILE))
  t.match(await util('check'), { status: 1 })
  t.equal(await version(), undefined)
  t.match(await util('stop'), { status: 0 }, 'stopping it again does nothing')
})

t.test('the arguments of /etc/default/ganeti are its own', async (t) => {
  const { status } = await run(
    'env',
    '-u',
    'NODE_OPTIONS',
    'bash',
    '-c',
    'EXTRA_RAPI_ARGS="--require-authentication -b 127.0.0.1" /usr/lib/ganeti/daemon-util start ganeti-rapi',
  )
  t.equal(status, 0)
  t.match(await must('curl', '-sk', 'https://127.0.0.1:5080/version'), /"code": 401/)
  t.equal((await util('stop')).status, 0)
})

t.test('a node that is not the master does not serve', async (t) => {
  const outcome = await on('node2.example.com', '/project/bin/ganeti-rapi')
  t.same(outcome, {
    status: 11,
    stdout: '',
    stderr: 'This is node2.example.com, not the master node, which is node1.example.com\n',
  })
})

t.test('the watcher leaves it alone while it runs, and starts it when it does not', async (t) => {
  t.equal((await util('start')).status, 0)
  const first = pid()
  await must('ganeti-watcher')
  t.equal(pid(), first, 'left alone')
  t.match(readFileSync(LOG, 'utf8'), / GET \/version HTTP\/1\.1 200/)

  t.equal((await util('stop')).status, 0)
  await must('ganeti-watcher')
  while ((await version()) === undefined) await delay(200)
  t.equal(await version(), '2\n', 'started')
})

t.test('SIGHUP, by which logrotate tells Ganeti to open its logs anew, keeps it running', async (t) => {
  renameSync(LOG, `${LOG}.1`)
  const before = pid()
  process.kill(Number(before), 'SIGHUP')
  while (!existsSync(LOG)) await delay(100)
  t.equal(await version(), '2\n')
  t.equal(pid(), before)
  // Lines are written a moment later than answers.
  const line = / GET \/version HTTP\/1\.1 200/
  while (!line.test(readFileSync(LOG, 'utf8'))) await delay(100)
  t.match(readFileSync(LOG, 'utf8'), line)
})

t.test('the original takes its place back', async (t) => {
  t.equal((await util('stop')).status, 0)
  renameSync(`${PROGRAM}.original`, PROGRAM)
  t.same(await util('start'), { status: 0, stdout: '', stderr: '' })
  t.equal(await version(), '2\n')
})
