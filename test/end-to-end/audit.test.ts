/** The audit log of the whole program, read as an operator reads it. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { DaemonRoot, eventually, fixture, signal } from '../support/daemon-root.ts'
import { EventFollower } from '../support/event-follower.ts'
import { until } from '../support/until.ts'

const USERS = 'alice alice-pw write\nbob bob-pw read\n'
const SAMPLE = readFileSync(fixture('cluster.yaml'), 'utf8')
const HERE = ['-b', '127.0.0.1', '-p', '0']
const SHUTDOWN = '/2/instances/web.example.com/shutdown'
const MANUAL = readFileSync(fileURLToPath(new URL('../../../man/ganeti-rapi.8.in', import.meta.url)), 'utf8')

function daemonRoot(t: Test): DaemonRoot {
  const root = new DaemonRoot(t.testdir())
  root.fill(USERS, { clusterYaml: SAMPLE })
  t.teardown(() => root.end())
  return root
}

function recordsOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** The commands that the manual has in its section on the audit log. */
const COMMANDS = [
  ...(/\n\.Sh AUDIT LOG\n([\s\S]*?)\n\.Sh /.exec(MANUAL)?.[1] ?? '').matchAll(/\n\$ ([\s\S]*?)\n\.Ed/g),
].map(([, command = '']) => command)

const hasJq = (() => {
  try {
    return execFileSync('jq', ['--version']).length > 0
  } catch {
    return false
  }
})()
const required = process.env.GANETI_RAPI_TEST_CLIENTS === 'required'

/** Runs a command of the manual beside the log; gives the columns of each line. */
function runBeside(file: string, command: string): string[][] {
  const text = execFileSync('sh', ['-c', command], { cwd: dirname(file), encoding: 'utf8' })
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'))
}

t.test(
  "the manual's commands answer an operator's questions",
  { skip: !hasJq && !required && 'needs jq' },
  async (t) => {
    const root = daemonRoot(t)
    await root.start(...HERE)
    t.equal(statSync(root.auditLog).mode & 0o777, 0o640)
    const asAlice = { credentials: 'alice:alice-pw' }
    const { body: job } = await root.ask('PUT', `${SHUTDOWN}?reason=for%09the%20night`, asAlice)
    t.match(JSON.parse(job), Number)
    t.equal((await root.ask('PUT', SHUTDOWN, { credentials: 'bob:bob-pw' })).status, 403)
    for (let tries = 0; tries < 3; tries++) t.equal((await root.ask('PUT', SHUTDOWN)).status, 401)
    t.equal((await root.get('/2/nodes')).status, 200)

    t.equal(COMMANDS.length, 3)
    const [whoShutDown = '', whoIsRefused = '', whatIsUndone = ''] = COMMANDS
    const [shutdown = [], ...others] = runBeside(
      root.auditLog,
      whoShutDown.replace('web1', 'web.example.com'),
    )
    t.strictSame(others, [])
    const [time = '', ...rest] = shutdown
    t.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time)
    t.strictSame(rest, ['alice', String(JSON.parse(job)), 'for\\tthe night'])
    await eventually(async () => {
      if (recordsOf(root.auditLog).length < 6) throw new Error('not yet')
    })
    const route = '/2/instances/{instance_name}/shutdown'
    t.strictSame(runBeside(root.auditLog, whoIsRefused), [
      ['-', 'PUT', route, '3'],
      ['bob', 'PUT', route, '1'],
    ])
    t.strictSame(runBeside(root.auditLog, whatIsUndone), [])
    const [begun] = recordsOf(root.auditLog)
    appendFileSync(root.auditLog, `${JSON.stringify({ ...begun, id: 'cut-short' })}\n`)
    t.strictSame(runBeside(root.auditLog, whatIsUndone), [[begun?.ts, 'alice', 'PUT', SHUTDOWN]])
  },
)

t.test(
  'the audit log is reopened by SIGHUP, and while it cannot be written nothing is changed',
  async (t) => {
    const root = daemonRoot(t)
    await root.start(...HERE)
    const shutdown = async () => (await root.ask('PUT', SHUTDOWN, { credentials: 'alice:alice-pw' })).status
    t.equal(await shutdown(), 200)
    const rotated = `${root.auditLog}.1`
    renameSync(root.auditLog, rotated)
    signal(root.pid as number, 'SIGHUP')
    await eventually(async () => {
      t.equal(await shutdown(), 200)
      if (!existsSync(root.auditLog)) throw new Error('not yet')
    })
    t.equal(recordsOf(rotated)[0]?.stage, 'begun')
    t.equal(recordsOf(root.auditLog).at(-1)?.stage, 'done')

    rmSync(root.auditLog)
    symlinkSync('/dev/full', root.auditLog)
    signal(root.pid as number, 'SIGHUP')
    await eventually(async () => {
      if ((await shutdown()) !== 503) throw new Error('not yet')
    })
    await root.logged(/ ERROR Cannot write to the audit log: cannot write to .*no space left/)
    t.equal((await root.get('/2/nodes')).status, 200)
    rmSync(root.auditLog)
    signal(root.pid as number, 'SIGHUP')
    await eventually(async () => {
      if ((await shutdown()) !== 200) throw new Error('not yet')
    })
    await root.logged(/ INFO The audit log can be written again$/)
  },
)

t.test('without --audit there is no audit log, and with --audit=all it has every request', async (t) => {
  const without = daemonRoot(t)
  await without.start(...HERE, '--audit=no')
  t.equal((await without.ask('PUT', SHUTDOWN, { credentials: 'alice:alice-pw' })).status, 200)
  t.notOk(existsSync(without.auditLog))

  const all = daemonRoot(t)
  await all.start(...HERE, '--audit=all')
  for (let reads = 0; reads < 3; reads++) await all.get('/2/nodes')
  // A read is recorded after its answer was sent.
  await until(() => recordsOf(all.auditLog).length === 3)
  t.match(recordsOf(all.auditLog), [{ stage: 'read' }, { stage: 'read' }, { stage: 'read', status: 200 }])
})

t.test('with --audit=all, the end of a stream of events is recorded, and why it ended', async (t) => {
  const root = daemonRoot(t)
  await root.start(...HERE, '--no-ssl', '--audit=all')
  const follower = () => {
    const one = new EventFollower({ url: () => `${root.origin}/2/events` })
    t.teardown(() => one.close())
    return one
  }
  const [leaving, staying] = [follower(), follower()]
  await until(() => [leaving, staying].every((one) => one.of('ready').length > 0))
  const ofStreams = () => recordsOf(root.auditLog).map(({ stage, ending }) => [stage, ending])
  t.strictSame(ofStreams(), [
    ['read', undefined],
    ['read', undefined],
  ])
  await leaving.close()
  await until(() => ofStreams().length === 3)
  const [first, second, third] = recordsOf(root.auditLog)
  t.match(third, { stage: 'ended', ending: 'left', path: '/2/events', status: 200 })
  const begun = [first, second].find(({ id } = {}) => id === third?.id)
  t.match(begun, { peer: third?.peer, stage: 'read' }, 'the same request')
  t.ok(Number(third?.ms) > Number(begun?.ms), 'it has how long it was')
  signal(root.pid as number, 'SIGTERM')
  await until(() => ofStreams().length === 4)
  t.match(recordsOf(root.auditLog)[3], { stage: 'ended', ending: 'shutdown', status: 200 })
})

t.test('with --log-format=json, every line of the log is an object', async (t) => {
  const root = daemonRoot(t)
  await root.start(...HERE, '--log-format=json')
  t.equal((await root.get('/2/nodes?x=%0a', 'bob:bob-pw')).status, 200)
  await root.logged(/2\/nodes/)
  const records = recordsOf(root.log)
  for (const record of records) {
    t.match(record, { program: 'ganeti-rapi', pid: Number, level: String, message: String, time: String })
  }
  t.match(records[0], { level: 'INFO', message: 'ganeti-rapi daemon startup' })
  t.match(records.at(-1), { peer: /^127/, line: 'GET /2/nodes?x=%0a HTTP/1.1', status: 200, user: 'bob' })
})
