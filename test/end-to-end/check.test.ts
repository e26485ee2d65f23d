/** `--check` tells what is wrong before a start does, and changes nothing. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'

const USERS = `
alice pw @operator!tag=mail
bob pw write
carol pw
dave s3cret @oprator
monitor pw @readonly
eve pw instances.startup!instance=w*,jobs.query
`
const clusterYaml = readFileSync(fixture('cluster.yaml'), 'utf8')

t.test('what is right is said, with what each user may do', async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, { clusterYaml })
  const { status, stdout, stderr } = await root.run('--check')
  t.equal(stderr, '')
  t.equal(status, 0)
  t.match(stdout, new RegExp(`^certificate: ${root.pem}, valid until 2\\d\\d\\d-`))
  for (const line of [
    'users: 6 in ',
    '  alice: @operator!tag=mail, 22 permissions, 1 instance now\n',
    '  bob: write, as in Ganeti 3.0\n',
    '  carol: what strangers may\n',
    '  dave: nothing, 0 permissions, 0 instances now\n',
    '  monitor: @readonly, 18 permissions, all 8 instances now\n',
    '  eve: instances.startup!instance=w*,jobs.query, 2 permissions, 2 instances now\n',
    `cluster: cluster1.example.com, Ganeti 3.2.0, 5 nodes, 8 instances, from ${root.clusterYaml}\n`,
    `warning: ${root.users}: line 5: option "@oprator" is not known and is ignored (meant: @operator?)\n`,
    `warning: ${root.users}: strangers may read everything, `,
  ])
    t.ok(stdout.includes(line), line)
  t.notMatch(stdout, /s3cret/)
  const closed = await root.run('--check', '--require-authentication')
  t.equal(closed.status, 0)
  t.notMatch(closed.stdout, /strangers may read everything/)
})

t.test('it starts and writes nothing, and works beside a daemon', async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, { clusterYaml })
  t.equal((await root.run('--check')).status, 0)
  for (const file of [root.log, root.auditLog, root.pidFile, `${root.clusterYaml}.queue`])
    t.notOk(existsSync(file), file)
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  const log = statSync(root.log).size
  t.equal((await root.run('--check')).status, 0)
  t.equal(statSync(root.log).size, log)
  t.equal((await root.get('/version')).status, 200)
})

t.test('all that would fail is said at once, with file and line', async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, { clusterYaml: 'cluster: {}\nnodes:\n  n1: {cpus: "8"}\n' })
  rmSync(root.pem)
  rmSync(root.users)
  mkdirSync(root.users)
  rmSync(dirname(root.log), { recursive: true })
  writeFileSync(dirname(root.log), '')
  const { status, stdout, stderr } = await root.run('--check', '-i', 'nosuch0')
  t.equal(status, 1)
  t.equal(stderr, '')
  for (const error of [
    /^error: SSL certificate file '\S+' was not found; to make one: openssl /m,
    /^error: Network interface 'nosuch0' has no address$/m,
    /^error: cannot write \S+rapi-daemon\.log: /m,
    /^error: \S+cluster\.yaml: 1:\d+: the cluster needs a name$/m,
    /^error: \S+cluster\.yaml: 3:\d+: /m,
    /^error: cannot read users file /m,
  ])
    t.match(stdout, error)
  const foreground = await root.run('--check', '--no-ssl', '-f')
  t.equal(foreground.status, 1)
  t.match(foreground.stdout, /^warning: cannot write \S+rapi-daemon\.log: /m)
})

t.test('a node that is not the master would not start', async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, {})
  mkdirSync(`${root.root}/var/run/ganeti/socket`)
  writeFileSync(`${root.root}/var/lib/ganeti/ssconf_master_node`, 'another.example.com\n')
  const { status, stdout } = await root.run('--check')
  t.equal(status, 1)
  t.match(stdout, /^error: This is \S+, not the master node, which is another\.example\.com$/m)
  t.match(stdout, /^ {2}alice: @operator!tag=mail, 22 permissions$/m)
})
