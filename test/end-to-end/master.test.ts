/**
 * The whole program on what looks like the master node of a Ganeti cluster,
 * with a master daemon that plays a script.
 */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import t, { type Test } from 'tap'
import type { Json } from '../../lib/json/json.ts'
import { defaultPaths } from '../../lib/paths.ts'
import { type Script, scriptedMaster, socketDir } from '../backend/luxi/scripted-master.ts'
import { DaemonRoot, eventually } from '../support/daemon-root.ts'

const yaml = 'cluster: {name: old.example.com}\nnodes: {node1.example.com: {}}\n'
process.env.GANETI_HOSTNAME = 'node1.example.com'

/** A node whose cluster has this master. */
function nodeOf(t: Test, master: string) {
  const root = new DaemonRoot(socketDir(t))
  const paths = defaultPaths(root.root)
  root.fill('', { configData: yaml })
  mkdirSync(paths.socketDir)
  writeFileSync(`${paths.ssconfDir}/ssconf_master_node`, `${master}\n`)
  t.teardown(() => root.end())
  return { root, paths }
}

const tags = async (root: DaemonRoot, path = '/2/tags') => {
  const { status, headers, body } = await root.get(path)
  return [status, JSON.parse(body), headers['ganeti-state-as-of']]
}

t.test('on the master node the master daemon is asked, whenever it is there', async (t) => {
  const { root, paths } = nodeOf(t, 'node1.example.com')
  root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
  await root.logged(/Listening on/)
  t.match(
    root.logText,
    / INFO Asking the master daemon on this node, at \S+ganeti-query or \S+ganeti-master\n/,
  )
  t.same((await root.get('/2/tags')).status, 502)
  const master = await scriptedMaster(t, () => ['live'], paths.querySocket)
  t.same(await tags(root), [200, ['live'], undefined])
  await master.stop()
  t.same((await root.get('/2/tags')).status, 502)
  await scriptedMaster(t, () => ['older'], paths.masterSocket)
  t.same(await tags(root), [200, ['older'], undefined], 'also at the socket of older Ganetis')
  t.same((await root.get('/version')).status, 200)
})

t.test('with --stale-reads, config.data answers while the master daemon is away', async (t) => {
  const { root, paths } = nodeOf(t, 'node1.example.com')
  root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0', '--stale-reads')
  await root.logged(/Listening on/)
  const [status, , asOf] = await tags(root)
  t.equal(status, 200)
  t.ok(Math.abs(Date.parse(String(asOf)) - Date.now()) < 60_000, `as of ${asOf}`)
  t.match(JSON.parse((await root.get('/2/info')).body), { name: 'old.example.com' })
  t.same((await root.get('/2/jobs')).status, 502)
  await scriptedMaster(t, () => ['live'], paths.querySocket)
  t.same(await tags(root), [200, ['live'], undefined])
})

t.test('another node than the master does not serve', async (t) => {
  const { root, paths } = nodeOf(t, 'node2.example.com')
  const refusal = {
    status: 11,
    stdout: '',
    stderr: 'This is node1.example.com, not the master node, which is node2.example.com\n',
  }
  t.same(await root.run('-p', '0'), refusal)
  t.same(await root.run('-f', '-p', '0'), refusal)
  t.equal(root.pid, undefined)
  writeFileSync(`${paths.ssconfDir}/ssconf_master_node`, '')
  t.match(await root.run('-p', '0'), { status: 12, stderr: /^Cluster configuration incomplete: .*\n$/ })
  t.equal(root.logText, '', 'and leaves no trace')
})

t.test('a client that hangs up ends its wait for a job', async (t) => {
  const { root, paths } = nodeOf(t, 'node1.example.com')
  writeFileSync(paths.users, 'w pw write\n')
  const script: Script = ({ method, args }) => {
    if (method === 'QueryClusterInfo') return { software_version: '3.1.0', name: 'c', master: 'node1' }
    if (method === 'QueryJobs')
      return [(args[1] as Json[]).map((field) => (field === 'status' ? 'running' : null))]
    return []
  }
  const master = await scriptedMaster(t, script, paths.querySocket)
  root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
  await root.logged(/Listening on/)
  const body = '{"fields": ["status"], "previous_job_info": ["running"]}'
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length }
  const wait = request(`${root.origin}/2/jobs/5/wait`, { auth: 'w:pw', headers })
  const broken = once(wait, 'error')
  wait.end(body)
  const inFlight = async () => {
    const { body: text } = await root.get('/metrics')
    return /^ganeti_rapi_http_requests_in_flight\{kind="wait"\} (\d)$/m.exec(text)?.[1]
  }
  await eventually(async () => {
    if ((await inFlight()) !== '1') throw new Error('not waiting yet')
  })
  t.notOk(master.methods.includes('WaitForJobChange'), 'the master daemon waits for nobody')
  wait.destroy(new Error('hung up'))
  await broken
  await eventually(async () => {
    if ((await inFlight()) !== '0') throw new Error('still waiting')
  })
})

t.test('the Ganeti of the master daemon counts, and after an upgrade the new one', async (t) => {
  const { root, paths } = nodeOf(t, 'node1.example.com')
  writeFileSync(paths.users, 'w pw write\n')
  let software_version = '3.0.2'
  const script: Script = ({ method, args }) => {
    if (method === 'QueryClusterInfo') return { software_version }
    if (method === 'SubmitJob') return 7
    return [(args[1] as Json[]).map(() => null)]
  }
  const before = await scriptedMaster(t, script, paths.querySocket)
  root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
  await root.logged(/Listening on/)
  const look = async () => {
    const { headers: sent, body } = await root.get('/2/instances/i')
    const headers = { Authorization: `Basic ${btoa('w:pw')}`, 'Content-Type': 'application/json' }
    const rename = {
      method: 'PUT',
      headers,
      body: '{"new_name": "n"}',
    }
    const { status } = await fetch(`${root.origin}/2/networks/m/rename`, rename)
    return [sent.server, 'custom_osparams' in JSON.parse(body), status]
  }
  t.same(await look(), ['Ganeti 3.0.2', false, 404])
  await before.stop()
  t.equal((await root.get('/2/instances/i')).status, 502)
  software_version = '3.1.0~rc2'
  await scriptedMaster(t, script, paths.querySocket)
  t.same(await look(), ['Ganeti 3.1.0~rc2', true, 200])
})
