/** Events of the whole program over a cluster in YAML, over TLS. */
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { run, unless } from '../clients/programs.ts'
import { DaemonRoot, eventually, fixture, signal } from '../support/daemon-root.ts'
import { EventFollower } from '../support/event-follower.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const SLOW = 'cluster:\n  job_time: {OP_TEST_DELAY: 0.2, OP_INSTANCE_MIGRATE: 0.3}\n'

async function daemon(t: Test) {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  const yaml = readFileSync(fixture('cluster.yaml'), 'utf8').replace('cluster:\n', SLOW)
  root.fill('alice pw write\ncarol pw @operator!tag=tag1\n', { clusterYaml: yaml })
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  const follow = (target: string, user?: string) => {
    const follower = new EventFollower({
      ...(user !== undefined && {
        headers: { Authorization: `Basic ${Buffer.from(`${user}:pw`).toString('base64')}` },
      }),
      url: () => root.origin + target,
      ca: readFileSync(root.pem, 'utf8'),
    })
    t.teardown(() => follower.close())
    return follower
  }
  const change = async (method: string, target: string, user = 'alice') => {
    const { status, body } = await root.ask(method, target, { credentials: `${user}:pw` })
    t.equal(status, 200, body)
    return Number(body)
  }
  return { root, follow, change }
}

t.test('a job is told from its submission to its end, and what it has changed', async (t) => {
  const { follow, change } = await daemon(t)
  const follower = follow('/2/events?types=job,joblog,instance')
  await until(() => follower.of('ready').length > 0)
  const id = await change('PUT', '/2/instances/web.example.com/migrate')
  await until(
    () => follower.of('instance').length > 0 && follower.of('job').at(-1)?.data.status === 'success',
  )
  const jobs = follower.of('job').map(({ data }) => data)
  t.strictSame(
    jobs.map(({ previous, status }) => [previous, status]),
    [
      [null, 'queued'],
      ['queued', 'waiting'],
      ['waiting', 'running'],
      ['running', 'success'],
    ],
  )
  t.match(jobs.at(-1), {
    id,
    summary: ['INSTANCE_MIGRATE(web.example.com)'],
    opstatus: ['success'],
    user: 'alice',
    instances: ['web.example.com'],
  })
  t.match(follower.of('instance')[0]?.data, { change: 'changed', name: 'web.example.com' })
  const logs = follower.of('joblog').map(({ data }) => data)
  t.ok(logs.length > 0)
  t.strictSame(
    logs.map(({ id, op, serial }) => [id, op, serial]),
    logs.map((_, place) => [id, 0, place + 1]),
    'each line of its log once',
  )

  const end = follow(`/2/events?job=${id}&types=job,joblog&snapshot=1&end=1`)
  await until(() => end.of('end').length > 0)
  await end.close()
  t.equal(end.of('job')[0]?.data.status, 'success')
  t.equal(end.of('joblog').length, logs.length)
  t.equal(end.of('end')[0]?.data.reason, 'done')
})

t.test('a job that fails tells why', async (t) => {
  const { follow, change } = await daemon(t)
  const follower = follow('/2/events?types=job')
  await until(() => follower.of('ready').length > 0)
  await change('DELETE', '/2/nodes/node1.example.com/tags?tag=none')
  await until(() => follower.of('job').at(-1)?.data.status === 'error')
  t.match(follower.of('job').at(-1)?.data.error, /not found/)
})

t.test('what a person changes in the file is told', async (t) => {
  const { root, follow } = await daemon(t)
  const follower = follow('/2/events?types=instance,node,group,network,cluster')
  await until(() => follower.of('ready').length > 0)
  const before = readFileSync(root.clusterYaml, 'utf8')
  const after = before
    .replace('  web.example.com:', '  www.example.com:')
    .replace('tags: [production', 'tags: [test, production')
  t.not(before, after)
  writeFileSync(root.clusterYaml, after)
  await until(() => follower.of('cluster').length > 0 && follower.of('instance').length > 1)
  t.strictSame(
    follower
      .of('instance')
      .map(({ data: { change, name } }) => `${change} ${name}`)
      .sort(),
    // The UUID comes from the name, so that another name is another instance.
    ['added www.example.com', 'removed web.example.com'],
  )
  t.match(follower.of('cluster')[0]?.data, { change: 'changed', name: 'cluster1.example.com' })
})

t.test('a user whose rights end in selectors is told of what these select', async (t) => {
  const { follow, change } = await daemon(t)
  const carol = follow('/2/events?snapshot=1&types=job,instance', 'carol')
  await until(() => carol.of('ready').length > 0)
  const instances = () => carol.of('instance').map(({ data }) => `${data.change} ${data.name}`)
  t.strictSame(instances(), ['present web.example.com'])
  await change('PUT', '/2/instances/db.example.com/shutdown')
  const own = await change('PUT', '/2/instances/web.example.com/shutdown', 'carol')
  const theirs = await change('PUT', '/2/instances/web.example.com/startup')
  await change('PUT', '/2/instances/db.example.com/tags?tag=tag1')
  await until(() => instances().includes('added db.example.com'))
  await change('DELETE', '/2/instances/web.example.com/tags?tag=tag1')
  await until(() => instances().includes('removed web.example.com'))
  const last = await change('PUT', '/2/instances/web.example.com/shutdown')
  const seen = await change('PUT', '/2/instances/db.example.com/startup')
  const jobs = () => new Set(carol.of('job').map(({ data }) => data.id))
  await until(() => jobs().has(seen))
  t.ok(jobs().has(own) && jobs().has(theirs))
  t.notOk(jobs().has(last), 'what is not selected any more')
  t.notOk(
    carol.of('job').some(({ data }) => data.summary[0] === 'INSTANCE_SHUTDOWN(db.example.com)'),
    'what was not selected yet',
  )
})

t.test('a snapshot has all that there is', async (t) => {
  const { root, follow } = await daemon(t)
  const follower = follow('/2/events?snapshot=1&types=instance,node,group,network,cluster,state')
  await until(() => follower.of('ready').length > 0)
  for (const [kind, path] of [
    ['instance', 'instances'],
    ['node', 'nodes'],
    ['group', 'groups'],
    ['network', 'networks'],
  ] as const) {
    const names = JSON.parse((await root.get(`/2/${path}?bulk=1`)).body).map(
      ({ name }: { name: string }) => name,
    )
    t.strictSame(
      follower.of(kind).map(({ data }) => data.name),
      names,
      kind,
    )
  }
  const instances = JSON.parse((await root.get('/2/instances?bulk=1')).body)
  t.strictSame(
    follower
      .of('state')
      .filter(({ data }) => data.kind === 'instance')
      .map(({ data: { name, status } }) => [name, status]),
    instances.map(({ name, status }: Record<string, string>) => [name, status]),
  )
})

t.test(
  'a signal to stop ends streams with a word, and after a restart they go on with what has ended',
  async (t) => {
    const { root, follow, change } = await daemon(t)
    const follower = follow('/2/events?types=job')
    await until(() => follower.of('ready').length > 0)
    const first = await change('PUT', '/2/instances/web.example.com/migrate')
    await until(() => follower.of('job').length > 0)
    const { pid } = root
    process.kill(pid as number, 'SIGTERM')
    await until(() => follower.of('end').length > 0)
    t.equal(follower.of('end')[0]?.data.reason, 'shutdown')
    await until(() => root.pid === undefined)
    t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
    await until(() => follower.of('reset').length > 0 && follower.of('ready').length > 1)
    t.equal(follower.of('reset')[0]?.data.reason, 'restarted')
    await until(() => /success|error/.test(follower.of('job').at(-1)?.data.status))
    t.equal(follower.of('job').at(-1)?.data.id, first)
  },
)

/** The shell function that the manual has for following a job. */
const FOLLOW = /^follow\(\) \{[\s\S]*?^\}$/m.exec(
  readFileSync(new URL('../../../man/ganeti-rapi.8.in', import.meta.url), 'utf8'),
)?.[0]

t.test(
  "the manual's shell function follows a job to its end, also while the daemon is killed",
  unless(['curl', '--version'], 'curl'),
  async (t) => {
    const root = new DaemonRoot(t.testdir())
    t.teardown(() => root.end())
    const slow = SLOW.replace('OP_INSTANCE_MIGRATE: 0.3', 'OP_INSTANCE_MIGRATE: 2')
    const yaml = readFileSync(fixture('cluster.yaml'), 'utf8').replace('cluster:\n', slow)
    root.fill('alice pw write\n', { clusterYaml: yaml })
    const port = String(await freePort())
    const start = () => root.start('--no-ssl', '-b', '127.0.0.1', '-p', port)
    t.equal((await start()).status, 0)
    const follow = (job: number | string) =>
      run(['sh', '-c', `${FOLLOW}; follow "$1" "$2"`, '-', root.origin, `${job}`])
    const submit = async (method: string, target: string, body?: string) =>
      Number((await root.ask(method, target, { credentials: 'alice:pw', body })).body)

    const quick = await submit('PUT', '/2/instances/web.example.com/tags?tag=followed')
    t.match(await follow(quick), { status: 0, stdout: /"status":"success"[\s\S]*event: end/ })
    const wrong = await submit('PUT', '/2/instances/web.example.com/rename', '{"new_name": "db.example.com"}')
    t.match(await follow(wrong), { status: 1, stdout: /"error":"Instance 'db.example.com' is already/ })
    t.match(await follow(999), { status: 1, stdout: /"reason":"done"/ }, 'a job that is not there')
    t.match(await follow('x'), { status: 1, stdout: /"code": 400/ }, 'a mistake')

    const long = await submit('PUT', '/2/instances/web.example.com/migrate')
    const following = follow(long)
    await eventually(async () => {
      if (!/event_listeners 1$/m.test((await root.get('/metrics')).body)) throw new Error('not yet')
    })
    signal(root.pid as number, 'SIGKILL')
    await start()
    const { status, stdout } = await following
    const { body } = await root.get(`/2/jobs/${long}`)
    const end = JSON.parse(body).status
    t.match(end, /^(success|error)$/)
    t.equal(status, end === 'success' ? 0 : 1)
    t.match(stdout, `"id":${long},"status":"${end}"`)
  },
)
