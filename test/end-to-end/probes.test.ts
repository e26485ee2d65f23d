/** Probes of the whole program, as a load balancer or a supervisor makes them. */
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { defaultPaths } from '../../lib/paths.ts'
import { scriptedMaster, socketDir } from '../backend/luxi/scripted-master.ts'
import { DaemonRoot, eventually, isRunning, replaceFile, signal } from '../support/daemon-root.ts'

const YAML = 'cluster: {name: old.example.com}\nnodes: {node1.example.com: {}}\n'
const HERE = ['-b', '127.0.0.1', '-p', '0']

process.env.GANETI_HOSTNAME = 'node1.example.com'

function daemonRoot(t: Test, state: { configData?: string; clusterYaml?: string }): DaemonRoot {
  const root = new DaemonRoot(socketDir(t))
  root.fill('reader reader-pw read\n', state)
  t.teardown(() => root.end())
  return root
}

/** Waits until a probe has an answer. */
async function answers(root: DaemonRoot, target: string, wanted: number): Promise<string> {
  return eventually(async () => {
    const { status, body } = await root.get(target)
    if (status !== wanted) throw new Error(`${target}: ${status} ${body}`)
    return body
  })
}

t.test('probes are open to everyone, and say what is wrong but not why', async (t) => {
  const root = daemonRoot(t, { clusterYaml: YAML })
  await root.start(...HERE, '--require-authentication')
  t.equal((await root.get('/version')).status, 401)
  const { status, headers, body } = await root.get('/readyz?verbose')
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  t.equal(body, '[+]state ok\n[+]users ok\n[+]certificate ok\n[+]shutdown ok\nreadyz check passed\n')
  t.equal((await root.get('/livez', 'nobody:wrong')).body, 'ok', 'credentials are not looked at')

  renameSync(root.users, `${root.users}.away`)
  mkdirSync(root.users)
  t.match(await answers(root, '/readyz', 503), '[-]users failed: the log says why\n')
  t.equal((await root.get('/livez')).body, 'ok')
  rmdirSync(root.users)
  await answers(root, '/readyz', 200)

  replaceFile(root.clusterYaml, 'nodes: []\n')
  t.match(await answers(root, '/readyz', 503), '[-]state failed: the log says why\n')
  t.equal((await root.get('/readyz?exclude=state')).body, 'ok')
  replaceFile(root.clusterYaml, YAML)
  await answers(root, '/readyz', 200)
  await root.logged(/ INFO readyz: state is ok again$/)
  const lines = root.logLines.filter((line) => /readyz|livez/.test(line))
  t.match(lines, [
    / WARNING readyz: users fails: cannot read users file /,
    / INFO readyz: users is ok again$/,
    / WARNING readyz: state fails: /,
    / INFO readyz: state is ok again$/,
  ])
  t.equal(lines.length, 4, 'there is no line for each probe')
})

t.test('on the master node, ready means that the master daemon answers', async (t) => {
  const root = daemonRoot(t, {})
  const paths = defaultPaths(root.root)
  mkdirSync(paths.socketDir)
  writeFileSync(`${paths.ssconfDir}/ssconf_master_node`, 'node1.example.com\n')
  await root.start(...HERE)
  await answers(root, '/readyz/state', 503)
  const master = await scriptedMaster(t, () => ({}), paths.querySocket)
  await answers(root, '/readyz/state', 200)
  const asked = master.asked.length
  await Promise.all(Array.from({ length: 20 }, () => root.get('/readyz')))
  t.ok(master.asked.length < asked + 20, 'not asked for each probe')
  await master.stop()
  await answers(root, '/readyz/state', 503)
  t.equal((await root.get('/livez')).body, 'ok')
})

t.test('with a delay of the shutdown, it is not ready while it still serves', async (t) => {
  const root = daemonRoot(t, { clusterYaml: YAML })
  await root.start(...HERE, '--shutdown-delay=600')
  const pid = root.pid as number
  signal(pid, 'SIGTERM')
  t.equal(
    await answers(root, '/readyz', 503),
    '[+]state ok\n[+]users ok\n[+]certificate ok\n[-]shutdown failed: the log says why\nreadyz check failed\n',
  )
  t.equal((await root.get('/livez')).body, 'ok')
  t.equal((await root.get('/version')).status, 200)
  signal(pid, 'SIGTERM')
  while (isRunning(pid)) await delay(10)
  t.pass('a second signal ends it at once')
})

t.test('the delay of the shutdown ends by itself', async (t) => {
  const root = daemonRoot(t, { clusterYaml: YAML })
  await root.start(...HERE, '--shutdown-delay=1')
  const pid = root.pid as number
  signal(pid, 'SIGTERM')
  while (isRunning(pid)) await delay(10)
  t.equal(root.pid, undefined)
})
