/** Three daemons as those of three nodes: where the master is not, they forward to it. */
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Script, scriptedMaster } from '../backend/luxi/scripted-master.ts'
import { makeCertificate } from '../support/certificate.ts'
import type { Reply } from '../support/daemon-root.ts'
import { eventually } from '../support/daemon-root.ts'
import { type TestNode, TestNodes } from '../support/nodes.ts'

const USERS = 'w pw write\n'

/** A master daemon that gives its name as a tag. */
const masterOn = (t: Test, { paths }: TestNode, name: string) => {
  const script: Script = ({ method }) => {
    if (method === 'QueryClusterInfo') return { software_version: '3.0.2', name }
    if (method === 'SubmitJob') return 7
    return [name]
  }
  return scriptedMaster(t, script, paths.querySocket)
}

const mark = ({ headers }: Reply) => [headers['ganeti-master'], headers['ganeti-served-by']]
const change = {
  credentials: 'w:pw',
  body: '{"group_name": "new"}',
}

t.test('what a node that is not the master is asked, the master answers', async (t) => {
  const nodes = await TestNodes.make(t, USERS)
  const [first, second, third] = nodes.all
  const master = await masterOn(t, first, 'first')
  for (const node of nodes.all) await nodes.start(node)
  for (const { root } of nodes.all) {
    const tags = await root.get('/2/tags')
    t.same([tags.status, JSON.parse(tags.body)], [200, ['first']])
    t.same(mark(tags), [first.name, first.name])
    t.equal((await root.get('/2/nope')).status, 404)
    const refused = await root.ask('POST', '/2/groups', { body: change.body })
    t.same([refused.status, refused.headers['www-authenticate']], [401, 'Basic realm="Ganeti Remote API"'])
    const job = await root.ask('POST', '/2/groups', change)
    t.same([job.status, job.body], [200, '7\n'])
  }
  t.equal(master.methods.filter((method) => method === 'SubmitJob').length, 3)
  const named = await third.root.ask('GET', '/2/tags', { headers: { 'X-Request-Id': 'abc' } })
  t.equal(named.headers['x-request-id'], 'abc')
  await first.root.logged(/127\.0\.0\.1:\d+ GET \/2\/tags HTTP\/1\.1 200 request=abc/)
  t.match(
    second.root.logText,
    / INFO This is node2\.example\.com, a master candidate; the master node is node1/,
  )

  const own = await second.root.get('/version')
  t.same([own.status, own.body, own.headers.server], [200, '2\n', 'Ganeti 3.0.2'])
  t.same(mark(own), [first.name, second.name])
  t.match((await second.root.get('/metrics')).body, /^ganeti_rapi_node_role\{role="candidate"\} 1$/m)
  t.match(
    (await second.root.get('/metrics')).body,
    /^ganeti_rapi_forwarded_requests_total\{result="answered"\} 4$/m,
  )
  const ready = async ({ root }: TestNode) => [
    (await root.get('/readyz')).status,
    (await root.get('/readyz/master')).status,
  ]
  t.same(await ready(first), [200, 200])
  t.same(await ready(second), [200, 503])
  t.same(await ready(third), [200, 503])
})

t.test('a client is believed to come from elsewhere if a node says so', async (t) => {
  const nodes = await TestNodes.make(t)
  const [first] = nodes.all
  await masterOn(t, first, 'first')
  await nodes.start(first)
  const headers = { 'Ganeti-Forwarded': 'for=192.0.2.7:1234;by=node2.example.com', 'X-Request-Id': 'one' }
  const { status } = await first.root.ask('GET', '/2/tags', { headers })
  const line = await first.root.logged(/ request=one$/)
  t.match(line, ` INFO 192.0.2.7:1234 GET /2/tags HTTP/1.1 ${status} request=one`)
})

t.test('a failover moves everything to the new master, without a restart', async (t) => {
  const nodes = await TestNodes.make(t, USERS)
  const [first, second, third] = nodes.all
  const before = await masterOn(t, first, 'first')
  for (const node of nodes.all) await nodes.start(node)
  const tagsAt = async ({ root }: TestNode) => {
    const reply = await root.get('/2/tags')
    return [reply.status, reply.body, ...mark(reply)]
  }
  for (const node of nodes.all) t.same(await tagsAt(node), [200, '["first"]\n', first.name, first.name])
  await before.stop()
  await masterOn(t, second, 'second')
  nodes.setMaster(second)
  for (const node of nodes.all) {
    await eventually(async () => {
      const seen = JSON.stringify(await tagsAt(node))
      if (seen !== JSON.stringify([200, '["second"]\n', second.name, second.name])) throw new Error(seen)
    })
    t.equal((await node.root.ask('POST', '/2/groups', change)).status, 200)
  }
  t.match(second.root.logText, / INFO This is node2\.example\.com, the master node\n/)
  t.equal((await third.root.get('/readyz/master')).status, 503)
  t.equal((await second.root.get('/readyz/master')).status, 200)
})

t.test(
  'while the master does not answer, a candidate says what it knows, and nothing is changed',
  async (t) => {
    const nodes = await TestNodes.make(t, USERS)
    const [first, second, third] = nodes.all
    await masterOn(t, first, 'first')
    const [daemon] = [await nodes.start(first), await nodes.start(second), await nodes.start(third)]
    t.equal((await second.root.get('/2/info')).status, 200)
    const ended = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await ended

    const stale = await second.root.get('/2/info')
    t.match(JSON.parse(stale.body), { name: 'copy.example.com' })
    t.same(mark(stale), [first.name, second.name])
    t.ok(Math.abs(Date.parse(String(stale.headers['ganeti-state-as-of'])) - Date.now()) < 60_000)
    t.equal(stale.headers['ganeti-config-serial'], '1')
    t.equal(
      (await second.root.ask('GET', '/2/info', { headers: { 'Cache-Control': 'no-cache' } })).status,
      502,
    )
    t.equal((await second.root.get('/2/jobs')).status, 502, 'as there is no queue')
    mkdirSync(second.paths.queueDir)
    const op = { input: { OP_ID: 'OP_TEST_DELAY', duration: 1 }, status: 'running' }
    const file = JSON.stringify({ id: 7, ops: [op], received_timestamp: [1, 2] })
    writeFileSync(`${second.paths.queueDir}/job-7`, file)
    const job = await second.root.get('/2/jobs/7')
    t.match(JSON.parse(job.body), { id: 7, status: 'running', summary: ['TEST_DELAY(1.0)'] })
    t.match(job.headers['ganeti-state-as-of'], /GMT$/)
    t.equal((await second.root.get('/2/nodes/nope')).status, 404)
    const refused = await second.root.ask('POST', '/2/groups', change)
    t.same([refused.status, refused.headers['retry-after']], [503, '5'])

    t.equal((await third.root.get('/2/info')).status, 502)
    t.equal((await third.root.ask('POST', '/2/groups', change)).status, 503)
    t.equal((await third.root.get('/version')).status, 200)
    t.equal((await second.root.get('/readyz')).status, 200)
    t.equal((await third.root.get('/readyz')).status, 503)

    await nodes.start(first)
    t.same(JSON.parse((await second.root.get('/2/info')).body).name, 'first')
    t.equal((await third.root.ask('POST', '/2/groups', change)).status, 200)
  },
)

t.test('nodes that take each other for the master do not send a request to and fro', async (t) => {
  const nodes = await TestNodes.make(t, USERS)
  const [first, second] = nodes.all
  nodes.setMaster(second, [first])
  nodes.setMaster(first, [second])
  for (const node of [first, second]) await nodes.start(node)
  for (const [node, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const reply = await node.root.get('/2/info')
    t.equal(reply.status, 508)
    t.same(mark(reply), [node.name, other.name], 'as the other node says')
    t.match(JSON.parse(reply.body), {
      code: 508,
      message: `${other.name} is not the master node, which is ${node.name} as far as it knows`,
    })
    t.equal((await node.root.ask('POST', '/2/groups', change)).status, 508)
  }
})

t.test('a master with another certificate is sent nothing', async (t) => {
  const nodes = await TestNodes.make(t, USERS)
  const [first, second] = nodes.all
  await masterOn(t, first, 'first')
  copyFileSync(makeCertificate(first.root.root, 'other').pem, first.root.pem)
  await nodes.start(first)
  await nodes.start(second)
  t.equal((await second.root.get('/2/info', 'w:pw')).status, 502, 'nor is an older state shown')
  t.equal((await second.root.ask('POST', '/2/groups', change)).status, 502)
  await second.root.logged(
    /ERROR .* GET \/2\/info HTTP\/1\.1: The master node node1\.example\.com has another certificate/,
  )
  t.notMatch(first.root.logText, /GET|POST/)
})

t.test(
  'to start what serves already succeeds, and Ganeti knows no pid file by which to stop it',
  async (t) => {
    const nodes = await TestNodes.make(t)
    const [, second] = nodes.all
    const child = await nodes.start(second)
    t.notOk(existsSync(second.paths.pidFile))
    t.equal(readFileSync(second.paths.anyNodePidFile, 'utf8'), `${child.pid}\n`)
    for (const args of [['--any-node'], ['--any-node', '-f']]) {
      t.match(await second.root.run(...args, '-p', '0'), { status: 0, stdout: '' }, args.join(' '))
    }
    await second.root.logged(/INFO Another daemon serves on this node already/)
    t.equal((await second.root.get('/version')).status, 200)
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    t.notOk(existsSync(second.paths.anyNodePidFile))
  },
)

t.test('--check says what a node is', async (t) => {
  const nodes = await TestNodes.make(t, USERS)
  const { status, stdout } = await nodes.all[1].root.run('--any-node', '--check', '-p', '0')
  t.equal(status, 0)
  t.match(stdout, /^This is node2\.example\.com, a master candidate; the master node is node1/m)
  t.match(stdout, /^users: 1 in /m)
})

t.test('without the option nothing else than the master serves', async (t) => {
  const nodes = await TestNodes.make(t)
  t.match(await nodes.all[1].root.run('-p', '0'), { status: 11, stderr: /not the master node/ })
})
