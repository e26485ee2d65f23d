/**
 * The life of a daemon as an operator sees it: bin/ganeti-rapi itself, started
 * in a tree of its own, and nothing known of it but exit statuses, files and
 * what it answers.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { request } from 'node:https'
import { dirname, resolve } from 'node:path'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { makeCertificate as makeKeyAndCertificate } from '../http/certificates.ts'
import { makeCertificate } from '../support/certificate.ts'
import {
  DaemonRoot,
  eventually,
  fixture,
  isRunning,
  outcome,
  replaceFile,
  signal,
  withBareEnvironment,
} from '../support/daemon-root.ts'

const USERS = 'reader reader-pw read\nwriter {cleartext}writer-pw write\n'
const SAMPLE = readFileSync(fixture('cluster.yaml'), 'utf8')
const CONFIG_DATA = readFileSync(fixture('real-cluster/config.data'), 'utf8')
/** A resource for which one needs a right, and so a user. */
const GUARDED = '/2/query/instance?fields=name'
/** On this machine, at a port of the system's choice. */
const HERE = ['-b', '127.0.0.1', '-p', '0']

/** The line format of Ganeti's daemons. */
const LOG_LINE =
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}: ganeti-rapi pid=\d+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) .+$/
const DEBUG_LINE =
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}: ganeti-rapi pid=\d+ [\w.-]+:\d+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) .+$/

function daemonRoot(t: Test): DaemonRoot {
  const root = new DaemonRoot(t.testdir())
  root.fill(USERS, { clusterYaml: SAMPLE })
  t.teardown(() => root.end())
  return root
}

t.test('a daemon that has left its terminal', async (t) => {
  const root = daemonRoot(t)

  await t.test('serves once the program has returned', async (t) => {
    t.strictSame(await root.start(...HERE), { status: 0, stdout: '', stderr: '' })
    const { status, headers, body } = await root.get('/2/instances/web')
    t.equal(status, 200)
    t.equal(headers['content-type'], 'application/json')
    t.equal(JSON.parse(body).name, 'web.example.com')
  })
  const pid = root.pid as number

  await t.test('runs in a session of its own, in /, with its number in the pid file', async (t) => {
    t.ok(isRunning(pid))
    t.equal(statSync(root.pidFile).mode & 0o777, 0o600)
    t.equal(readlinkSync(`/proc/${pid}/cwd`), '/')
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '')
    const [, , , session, terminal] = stat.split(' ')
    t.equal(Number(session), pid)
    t.equal(terminal, '0')
  })

  await t.test('keeps a second one out', async (t) => {
    const { status, stdout, stderr } = await root.run(...HERE)
    t.equal(status, 1)
    t.equal(stdout, '')
    t.equal(
      stderr,
      `Error when starting daemon process: PID file '${root.pidFile}' is already locked by another process, PID read from file is ${pid}\n`,
    )
    t.equal((await root.get('/version')).body, '2\n')
  })

  await t.test('takes users from a file that is renamed into place', async (t) => {
    t.equal((await root.get(GUARDED, 'reader:changed-pw')).status, 401)
    await root.loggedAfter(
      () => replaceFile(root.users, 'reader changed-pw read\nbroken\n'),
      /WARNING .*users: line 2: no password/,
    )
    t.equal((await root.get(GUARDED, 'reader:changed-pw')).status, 200)
    t.equal((await root.get(GUARDED, 'reader:reader-pw')).status, 401)
  })

  await t.test('keeps its users when their file cannot be read, and has none when it is gone', async (t) => {
    await root.loggedAfter(() => {
      renameSync(root.users, `${root.users}.away`)
      mkdirSync(root.users)
    }, /ERROR Cannot reload the users file, .*: it is not a regular file/)
    t.equal((await root.get(GUARDED, 'reader:changed-pw')).status, 200)
    await root.loggedAfter(
      () => rmdirSync(root.users),
      /WARNING no users file at .*, so nobody can change anything/,
    )
    t.equal((await root.get(GUARDED, 'reader:changed-pw')).status, 401)
    await root.loggedAfter(() => replaceFile(root.users, USERS), /INFO Reading users file/)
    await eventually(async () => t.equal((await root.get(GUARDED, 'reader:reader-pw')).status, 200))
  })

  await t.test('takes cluster state from a file that is renamed into place', async (t) => {
    await root.loggedAfter(
      () => replaceFile(root.clusterYaml, SAMPLE.replaceAll('retired.example.com', 'resting.example.com')),
      /INFO Read .*cluster\.yaml/,
    )
    t.equal((await root.get('/instances/resting.example.com')).status, 200)
    t.equal((await root.get('/instances/retired.example.com')).status, 404)
  })

  await t.test('keeps the old state when the new is broken, and says where', async (t) => {
    const broken = SAMPLE.replace('pnode: node5.example.com', 'pnode: nosuch.example.com')
    const line = await root.loggedAfter(
      () => replaceFile(root.clusterYaml, broken),
      /ERROR Cannot reload the cluster state/,
    )
    t.match(line, /cluster\.yaml.*nosuch\.example\.com/)
    t.equal((await root.get('/instances/resting.example.com')).status, 200)
  })

  await t.test('keeps the old state when the file is gone, and takes the next one', async (t) => {
    await root.loggedAfter(() => rmSync(root.clusterYaml), /ERROR .*cannot read cluster state/)
    t.equal((await root.get('/instances/resting.example.com')).status, 200)
    await root.loggedAfter(() => replaceFile(root.clusterYaml, SAMPLE), /INFO Read .*cluster\.yaml/)
    t.equal((await root.get('/instances/retired.example.com')).status, 200)
  })

  await t.test("prefers Ganeti's own config.data once there is one", async (t) => {
    await root.loggedAfter(
      () => replaceFile(root.configData, CONFIG_DATA),
      /INFO Read .*config\.data: cluster cluster\.example\.com, 3 nodes, 11 instances/,
    )
    t.equal((await root.get('/instances/inst1.example.com')).status, 200)
  })

  const rotated = `${root.log}.1`
  await t.test('goes on with a rotated log until SIGHUP, then with a new one', async (t) => {
    renameSync(root.log, rotated)
    await root.get('/2/features')
    await eventually(async () => {
      if (!/GET \/2\/features .* 200\n$/.test(readFileSync(rotated, 'utf8'))) throw new Error('not yet')
    })
    signal(pid, 'SIGHUP')
    await root.logged(/INFO Reading users file/)
    await root.logged(/INFO Read .*config\.data/)
    const { length } = readFileSync(rotated)
    await root.get('/2/features')
    await root.logged(/GET \/2\/features HTTP\/1\.1 200$/)
    t.equal(readFileSync(rotated).length, length)
  })

  await t.test('shows a renewed certificate after SIGHUP', async (t) => {
    renameSync(makeCertificate(t.testdir()).pem, root.pem)
    await t.rejects(root.get('/version'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    signal(pid, 'SIGHUP')
    t.equal((await eventually(() => root.get('/version'))).status, 200)
  })

  await t.test('logs who asked for what, in the format of Ganeti, and never a password', async (t) => {
    await root.get(GUARDED, 'writer:writer-pw')
    await root.get(GUARDED, 'writer:wrong-pw')
    await root.get('/%0a2026-01-01%20forged?x=%1b[31m')
    await root.logged(/GET \/%0a2026-01-01%20forged\S* HTTP\/1\.1 404$/)
    await root.logged(
      / INFO 127\.0\.0\.1:\d+ GET \/2\/query\/instance\?fields=name HTTP\/1\.1 200 user=writer$/,
    )
    const text = readFileSync(rotated, 'utf8') + root.logText
    for (const line of text.split('\n').slice(0, -1)) t.match(line, LOG_LINE)
    for (const password of ['reader-pw', 'changed-pw', 'writer-pw', 'wrong-pw']) {
      t.notOk(text.includes(password), password)
      t.notOk(text.includes(btoa(`reader:${password}`)) || text.includes(btoa(`writer:${password}`)))
    }
  })

  await t.test('names each request, and in the log those that the client has named', async (t) => {
    t.match((await root.get('/2/features')).headers['x-request-id'], /^[0-9a-z]{1,7}-[0-9a-z]+$/)
    const options = { ca: readFileSync(root.pem), headers: { 'X-Request-Id': 'from.the-client_1' } }
    const named = request(`${root.origin}/2/features`, options)
    named.end()
    const [response] = await once(named, 'response')
    response.resume()
    t.equal(response.headers['x-request-id'], 'from.the-client_1')
    await root.logged(/ INFO \S+ GET \/2\/features HTTP\/1\.1 200 request=from\.the-client_1$/)
  })

  await t.test('ends at SIGTERM, and leaves no pid file and no open port', async (t) => {
    signal(pid, 'SIGTERM')
    await root.logged(/INFO Received signal 15 asking for shutdown/)
    await eventually(async () => {
      if (isRunning(pid)) throw new Error('not yet')
    })
    t.equal(root.pid, undefined)
    await t.rejects(root.get('/version'), { code: 'ECONNREFUSED' })
  })
})

t.test('a second pair of key and certificate is offered beside the first, and renewed with it', async (t) => {
  const root = daemonRoot(t)
  const rsa = makeKeyAndCertificate(root.root, 'first', 'rsa')
  const pairs = ['-K', root.pem, '-C', root.pem, '-K', rsa.key, '-C', rsa.certificate]
  t.equal((await root.start(...HERE, ...pairs)).status, 0)
  const shownTo = async (sigalgs: string) => {
    const port = Number(new URL(root.origin).port)
    const socket = connect({ host: '127.0.0.1', port, sigalgs, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return CN
  }
  t.equal(await shownTo('rsa_pss_rsae_sha256'), 'first')
  t.equal(await shownTo('ecdsa_secp256r1_sha256'), 'localhost')
  const renewed = makeKeyAndCertificate(root.root, 'renewed', 'rsa')
  renameSync(renewed.key, rsa.key)
  renameSync(renewed.certificate, rsa.certificate)
  signal(root.pid as number, 'SIGHUP')
  await eventually(async () => {
    if ((await shownTo('rsa_pss_rsae_sha256')) !== 'renewed') throw new Error('not yet')
  })
  t.equal(await shownTo('ecdsa_secp256r1_sha256'), 'localhost')
})

t.test('a daemon that was killed keeps no other from starting', async (t) => {
  const root = daemonRoot(t)
  t.equal((await root.start(...HERE)).status, 0)
  const killed = root.pid as number
  signal(killed, 'SIGKILL')
  await eventually(async () => {
    if (isRunning(killed)) throw new Error('not yet')
  })
  t.equal(root.pid, killed, 'its pid file is still there')
  t.strictSame(await root.start(...HERE), { status: 0, stdout: '', stderr: '' })
  t.not(root.pid, killed)
  t.equal((await root.get('/version')).status, 200)
})

t.test('a daemon in the foreground', async (t) => {
  await t.test('logs to standard error too, and ends with status 0 when asked to', async (t) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const root = daemonRoot(t)
      const child = root.spawn('-fd', '--no-ssl', ...HERE)
      const ended = outcome(child)
      await root.logged(/Listening on http:/)
      t.equal(root.pid, child.pid)
      t.equal((await root.get('/version')).body, '2\n')
      child.kill(name)
      const { status, stdout, stderr } = await ended
      t.equal(status, 0, name)
      t.equal(stdout, '')
      t.equal(stderr, root.logText)
      for (const line of root.logLines) t.match(line, DEBUG_LINE)
      t.equal(root.pid, undefined)
    }
  })

  await t.test('does without log and pid file where it may not write them', async (t) => {
    const root = daemonRoot(t)
    // A file where a folder is looked for stops root as well.
    for (const folder of ['var/log', 'var/run']) {
      rmSync(`${root.root}/${folder}`, { recursive: true })
      replaceFile(`${root.root}/${folder}`, '')
    }
    const child = root.spawn('-f', ...HERE)
    const ended = outcome(child)
    child.stderr?.on('data', (lines) => {
      if (String(lines).includes('Listening on')) child.kill()
    })
    const { status, stderr } = await ended
    t.equal(status, 0)
    t.match(stderr, /WARNING Going on without a log file: .*ENOTDIR/)
    t.match(stderr, /WARNING Going on without a pid file: .*ENOTDIR/)
  })
})

/** Somebody without rights; only root can become them. */
const NOBODY = 65534
const [program = '', ...version] = withBareEnvironment({}, '--version')
const asNobody = spawnSync(program, version, { uid: NOBODY, gid: NOBODY }).status === 0
const needsNobody = { skip: !asNobody && 'only as root, in a folder all may read' }

function nobodysRoot(t: Test): DaemonRoot {
  const root = new DaemonRoot(t.testdir(), NOBODY)
  root.fill(USERS, { clusterYaml: SAMPLE })
  t.teardown(() => root.end())
  for (const entry of [root.root, ...readdirSync(root.root, { recursive: true }).map(String)]) {
    chownSync(resolve(root.root, entry), NOBODY, NOBODY)
  }
  return root
}

t.test('any user may run a daemon', needsNobody, async (t) => {
  const root = nobodysRoot(t)
  t.strictSame(await root.start(...HERE), { status: 0, stdout: '', stderr: '' })
  t.equal(statSync(`/proc/${root.pid}`).uid, NOBODY)
  t.equal((await root.get('/version')).status, 200)
})

t.test('a cluster that its user may not write takes no changes, and says why', needsNobody, async (t) => {
  const root = nobodysRoot(t)
  const folder = dirname(root.clusterYaml)
  t.equal((await root.start(...HERE, '--no-ssl')).status, 0)
  const headers = { authorization: `Basic ${btoa('writer:writer-pw')}` }
  const change = () => fetch(`${root.origin}/2/tags?tag=x`, { method: 'PUT', headers })
  const cases: [name: string, owner: number, file: number, folder: number, why: RegExp][] = [
    ['a file that is read-only', NOBODY, 0o444, 0o755, /permission denied/],
    ['a folder that is', NOBODY, 0o644, 0o555, /its folder is not writable/],
    ["somebody else's file", 0, 0o644, 0o755, /it belongs to another user/],
    ['one that all may write', 0, 0o666, 0o755, /it belongs to another user/],
  ]
  for (const [name, owner, fileMode, folderMode, why] of cases) {
    chownSync(root.clusterYaml, owner, owner)
    chmodSync(root.clusterYaml, fileMode)
    chmodSync(folder, folderMode)
    const before = root.logLines.length
    const response = await change()
    t.equal(response.status, 503, name)
    const { message } = (await response.json()) as { message: string }
    t.match(message, /^No job can be taken: cannot write the cluster&#x27;s file: /, name)
    t.match(message, why, name)
    t.notMatch(message, root.root, `${name}: where it is, only the log tells`)
    t.match(await root.logged(why, before), `it is ${root.clusterYaml}`, name)
  }
  t.strictSame(JSON.parse((await root.get('/2/jobs')).body), [], 'there are no jobs')
  t.notOk(existsSync(`${root.clusterYaml}.queue`), 'nor a queue')
  chownSync(root.clusterYaml, NOBODY, NOBODY)
  t.equal((await change()).status, 200)
})
