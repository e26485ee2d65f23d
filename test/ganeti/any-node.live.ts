/**
 * Our program on all nodes of the cluster in the place of the original's, with
 * --any-node: through each node the same, and failovers under load. Comes
 * last: it moves the master.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Json, stringifyJson } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { compareAnswers } from '../differential/compare-json.ts'
import { type Asking, allEnded, ask, copyTo, FRESH, jobEnded, mustOn, NODES, on, served } from './nodes.ts'
import { type FullAnswer, must } from './sides.ts'
import { checkJobs, underLoad } from './under-load.ts'
import { untilSeen } from './until-seen.ts'

t.setTimeout(400_000)

const [FIRST = '', SECOND = '', THIRD = ''] = NODES

/** Values of nodes move between two readings. */
const MOVING = / (dfree|mfree|mnode)( 1)?: \d+ -> \d+$/

/** Of names that this run makes. */
const RUN = `run${Date.now()}`

const CONFIG = '/var/lib/ganeti/config.data'
const LOG = '/var/log/ganeti/rapi-daemon.log'
const PID_FILE = '/run/ganeti/ganeti-rapi-any-node.pid'
const START = '/usr/lib/ganeti/daemon-util start ganeti-rapi'
const STOP = `start-stop-daemon --stop --retry 30 --name ganeti-rapi --pidfile ${PID_FILE}`

t.before(async () => {
  // Candidates keep the configuration and the jobs.
  await must('gnt-cluster', 'modify', '--candidate-pool-size=2')
  await must('gnt-node', 'modify', '--auto-promote', '-C', 'yes', SECOND)
  for (const node of NODES) {
    await on(node, '/usr/lib/ganeti/daemon-util stop ganeti-rapi')
    if (node !== FIRST) await copyTo(node, '/opt/ganeti-rapi')
    await mustOn(
      node,
      [
        'test -e /usr/sbin/ganeti-rapi.original || mv /usr/sbin/ganeti-rapi /usr/sbin/ganeti-rapi.original',
        'ln -sf /opt/ganeti-rapi/bin/ganeti-rapi /usr/sbin/ganeti-rapi',
        'sed -i \'s/^RAPI_ARGS=.*/RAPI_ARGS="--any-node"/\' /etc/default/ganeti',
        'adduser --quiet gnt-rapi gnt-confd',
        START,
      ].join(' && '),
    )
  }
  for (const node of NODES) await served(node, FIRST)
  // The tests before may have removed all there was.
  await must('gnt-network', 'add', '--network=192.0.2.0/24', `${RUN}-net`)
  await must(
    ...['gnt-instance', 'add', '-t', 'diskless', '-o', 'noop+default', '-n', SECOND],
    ...[
      '--ignore-ipolicy',
      '--no-ip-check',
      '--no-name-check',
      '--no-nics',
      '--no-start',
      `${RUN}.example.com`,
    ],
  )
})

t.test('every GET is answered through each node as at the master', async (t) => {
  const names = async (target: string, key: string) => {
    const { body } = await ask(FIRST, target)
    return (body as { [key: string]: Json }[]).slice(0, 2).map((one) => String(one[key]))
  }
  const values: { readonly [name: string]: readonly string[] } = {
    instance_name: [...(await names('/2/instances', 'id')), 'nosuch.example.com'],
    node_name: await names('/2/nodes', 'id'),
    group_name: await names('/2/groups', 'name'),
    network_name: await names('/2/networks', 'name'),
    filter_uuid: ['00000000-0000-0000-0000-000000000000'],
    job_id: [...(await names('/2/jobs', 'id')), '99999'],
    resource: ['instance', 'node', 'group', 'network', 'bogus'],
  }
  const targets = resources.flatMap(({ path, methods }) => {
    // Those are answered with jobs, or wait, or go on.
    if (!methods.GET || methods.GET.submits || methods.GET.waits || methods.GET.follows) return []
    const name = /\{(\w+)\}/.exec(path)?.[1]
    const filled =
      name === undefined ? [path] : (values[name] ?? []).map((value) => path.replace(`{${name}}`, value))
    return filled.flatMap((one) => (/^\/2\/\w+$/.test(one) ? [one, `${one}?bulk=1`] : [one]))
  })
  let same = 0
  for (const target of targets) {
    let different: readonly string[] = []
    for (let tries = 0; tries < 3; tries++) {
      const [there, ...others] = await Promise.all(NODES.map((node) => ask(node, target, { user: 'writer' })))
      different = others.flatMap((here, at) =>
        compareAnswers(there as FullAnswer, here)
          .differences.filter((line) => !MOVING.test(line))
          .map((line) => `${NODES[at + 1]}: ${line}`),
      )
      if (different.length === 0) break
      await delay(100)
    }
    if (t.same(different, [], target)) same++
  }
  t.comment(`${same} of ${targets.length} GETs are equal through each node`)
  t.ok(targets.length > 60, 'there was something to compare')
})

t.test('errors are the same, too', async (t) => {
  const cases: [target: string, asking: Asking, status: number][] = [
    ['/2/nosuch', {}, 404],
    ['/2/instances/inst1.example.com', { method: 'PUT', user: 'writer' }, 501],
    ['/2/instances', { method: 'POST', body: '{}' }, 401],
    ['/2/instances', { method: 'POST', body: '{}', user: 'reader' }, 403],
    ['/2/instances', { method: 'POST', body: '{}', user: 'writer' }, 400],
    ['/2/instances', { method: 'POST', body: '{', user: 'writer' }, 400],
    [
      '/2/instances',
      { method: 'POST', body: 'x', user: 'writer', headers: { 'Content-Type': 'text/plain' } },
      415,
    ],
    ['/2/query/node', {}, 401],
    ['/2/jobs/99999/wait', { user: 'writer', body: '{"fields": ["status"]}' }, 404],
  ]
  for (const [target, asking, status] of cases) {
    const [there, ...others] = await Promise.all(NODES.map((node) => ask(node, target, asking)))
    t.equal(there?.status, status, `${asking.method ?? 'GET'} ${target}`)
    for (const here of others) t.same([here.status, here.body], [there?.status, there?.body])
  }
})

t.test('changes through each node are made once, for the user who asks', async (t) => {
  for (const node of NODES) {
    const { status, body } = await ask(node, `/2/tags?tag=${RUN}-${node}`, { method: 'PUT', user: 'writer' })
    t.equal(status, 200)
    t.equal(await jobEnded(node, body), 'success')
    const group = { method: 'POST', user: 'writer', body: stringifyJson({ group_name: `${RUN}-${node}` }) }
    t.equal(await jobEnded(node, (await ask(node, '/2/groups', group)).body), 'success')
    t.equal(
      await jobEnded(
        node,
        (await ask(node, `/2/groups/${RUN}-${node}`, { ...group, method: 'DELETE' })).body,
      ),
      'success',
    )
  }
  const { body } = await ask(FIRST, '/2/tags')
  for (const node of NODES) t.ok((body as string[]).includes(`${RUN}-${node}`))
  const audit = await must('cat', '/var/log/ganeti/rapi-audit.log')
  const records = audit
    .split('\n')
    .filter((line) => /"stage":\s*"done"/.test(line) && line.includes(`${RUN}-node`))
  t.equal(records.length, 9, 'the master keeps the audit log')
  // This test is the client, on the first node.
  for (const record of records) t.match(record, /"peer":"10\.99\.0\.11:/)
})

t.test('nodes that take each other for the master send a request on once', async (t) => {
  const file = '/var/lib/ganeti/ssconf_master_node'
  const name = (master: string) =>
    `cp -p ${file} ${file}.new && chmod u+w ${file}.new && echo ${master} >${file}.new && mv ${file}.new ${file}`
  const takesForMaster = (node: string, master: string) =>
    untilSeen(`${node} takes ${master} for the master`, 20, async () => {
      const now = (await ask(node, '/version')).headers['ganeti-master']
      return now === master ? undefined : String(now)
    })
  await mustOn(SECOND, name(THIRD))
  await mustOn(THIRD, name(SECOND))
  await takesForMaster(SECOND, THIRD)
  await takesForMaster(THIRD, SECOND)
  for (const asking of [{}, { method: 'PUT', user: 'writer' }]) {
    const { status, headers, body } = await ask(THIRD, '/2/tags?tag=never', asking)
    t.equal(status, 508)
    t.equal(headers['ganeti-served-by'], SECOND, 'after one hop')
    t.match(body, { message: `${SECOND} is not the master node, which is ${THIRD} as far as it knows` })
  }
  for (const node of [SECOND, THIRD]) {
    await mustOn(node, name(FIRST))
    await served(node, FIRST)
  }
})

t.test('to a daemon with another certificate nothing is sent', async (t) => {
  const kept = '/var/lib/ganeti/rapi.pem'
  const restart = [STOP, START].join(' && ')
  await mustOn(
    THIRD,
    [
      `cp -p ${kept} ${kept}.kept`,
      'openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=other -keyout /root/key -out /root/cert 2>/dev/null',
      `cat /root/key /root/cert >${kept}`,
      restart,
    ].join(' && '),
  )
  const tag = `${RUN}-secret`
  const { status, body } = await ask(THIRD, `/2/tags?tag=${tag}`, { method: 'PUT', user: 'writer' })
  t.equal(status, 502)
  t.match(body, { message: `The master node ${FIRST} has another certificate than expected` })
  t.match(await mustOn(THIRD, `tail -n 100 ${LOG}`), /another certificate than expected/)
  t.notMatch(await mustOn(FIRST, `cat ${LOG} /var/log/ganeti/rapi-audit.log`), tag)
  await mustOn(THIRD, `cat ${kept}.kept >${kept} && rm ${kept}.kept && ${restart}`)
  await served(THIRD, FIRST)
})

t.test('the daemon of the master is killed, and started again', async (t) => {
  const load = await underLoad(t, `${RUN}-kill`, async () => {
    await mustOn(FIRST, `pkill -KILL -F ${PID_FILE}`)
    await delay(1000)
    const stale = await ask(SECOND, '/2/info')
    t.equal(stale.status, 200)
    t.match(stale.headers['ganeti-state-as-of'], /GMT$/)
    t.match(stale.headers['ganeti-config-serial'], /^\d+$/)
    t.equal(stale.headers['ganeti-served-by'], SECOND)
    t.equal((await ask(SECOND, '/2/info', FRESH)).status, 502)
    t.equal((await ask(THIRD, '/2/info')).status, 502)
    const refused = await ask(SECOND, '/2/tags?tag=never', { method: 'PUT', user: 'writer' })
    t.same([refused.status, refused.headers['retry-after']], [503, '5'])
    await mustOn(FIRST, START)
    for (const node of NODES) await served(node, FIRST)
  })
  t.same([...(load.reads[1]?.statuses.keys() ?? [])], [200], 'a candidate goes on with reads')
  for (const { node, statuses } of load.changes.slice(1)) isOnlyOf(t, [200, 502, 503], node, statuses)
  await checkJobs(t, FIRST, load)
})

/** Checks which statuses answers had. */
function isOnlyOf(t: Test, expected: readonly number[], node: string, statuses: ReadonlyMap<number, number>) {
  const others = [...statuses.keys()].filter((status) => !expected.includes(status))
  t.same(others, [], `${node} answered honestly`)
}

/** Makes a node the master; no daemon of ours is started again. */
async function failOver(t: Test, to: string): Promise<void> {
  const pids = () => Promise.all(NODES.map((node) => mustOn(node, `cat ${PID_FILE}`)))
  const before = await pids()
  const { status, stderr } = await on(to, 'timeout 120 gnt-cluster master-failover --yes-do-it')
  // Nobody on this network is told where the address of the cluster is now.
  if (status !== 0) t.match(stderr, /^The master IP (did not come up|is still reachable)/)
  for (const node of NODES) await served(node, to)
  t.same(await pids(), before, 'the daemons went on')
}

/**
 * What may be answered while the master moves. With 500 the original, too, says that it may not connect to the master
 * daemon, whose socket is there a moment before it has its group.
 */
const WHILE_MOVED = [200, 500, 502, 503, 504, 508]

/** Jobs that had begun on a master which is no more; it may take Ganeti long to find out that they have failed. */
let dead: ReadonlySet<string> = new Set()

t.test('the daemons of Ganeti are killed on the master, and another node takes over', async (t) => {
  const load = await underLoad(t, `${RUN}-outage`, async () => {
    // luxid, wconfd and the jobs that run. With what remains of their pid files, Debian would not start them again.
    await mustOn(FIRST, 'pkill -KILL -u gnt-masterd; rm /run/ganeti/ganeti-{luxid,wconfd}.pid')
    const begun = await on(SECOND, `grep -lE '"status": "(waiting|running)"' /var/lib/ganeti/queue/job-*`)
    dead = new Set(begun.stdout.match(/\d+$/gm))
    await failOver(t, SECOND)
  })
  for (const { node, statuses, servers } of load.reads) {
    isOnlyOf(t, WHILE_MOVED, node, statuses)
    t.notOk(servers.has(THIRD), 'what is not marked comes from a master')
  }
  for (const { node, statuses } of load.changes) isOnlyOf(t, WHILE_MOVED, node, statuses)
  await checkJobs(t, THIRD, load, dead)
  t.match(await mustOn(THIRD, `tail -n 2000 ${LOG}`), new RegExp(`the master node is ${SECOND}`))
})

t.test('a failover while no job runs loses nothing', async (t) => {
  const load = await underLoad(t, `${RUN}-move`, async () => {
    await mustOn(SECOND, 'gnt-cluster queue drain')
    await allEnded(SECOND, dead)
    await untilSeen('the copy of the configuration is as new', 20, async () => {
      const sums = await Promise.all([SECOND, FIRST].map((node) => mustOn(node, `md5sum ${CONFIG}`)))
      return sums[0] === sums[1] ? undefined : sums.join(' ')
    })
    // What the old master still hands out to the nodes during a failover would undo it, or stop it halfway.
    await mustOn(SECOND, '/usr/lib/ganeti/daemon-util stop-master')
    await failOver(t, FIRST)
  })
  for (const { node, statuses } of load.changes) isOnlyOf(t, WHILE_MOVED, node, statuses)
  await checkJobs(t, THIRD, load, dead)
  for (const node of NODES) {
    const { body } = await ask(THIRD, `/2/nodes/${node}/tags`, FRESH)
    const there = new Set(body as string[])
    const missing = [...load.acknowledged.keys()].filter((tag) => tag.includes(node) && !there.has(tag))
    t.same(missing, [], `all tags of ${node} are there`)
  }
})
