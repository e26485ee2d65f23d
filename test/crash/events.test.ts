/**
 * What clients of events are promised, tried: the daemon is killed again and
 * again amid jobs, while clients follow them that come again with the id of the
 * last event, and are cut off at other moments too. Each must have been told how
 * every job has ended, as the queue has it.
 */
import t from 'tap'
import { DaemonRoot } from '../support/daemon-root.ts'
import { EventFollower } from '../support/event-follower.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

/** Half of those of the other crash tests, as there is one cluster. */
const KILLS = Math.ceil(Number(process.env.GANETI_RAPI_TEST_KILLS || 6) / 2)
const FOLLOWERS = 4
/** Jobs that are submitted between two kills, or fewer if the daemon is killed before. */
const JOBS = 40

const CLUSTER = [
  'cluster: {name: cluster1.example.com, job_time: {OP_INSTANCE_REBOOT: 0.02}}',
  'nodes: {node1.example.com: {}}',
  'instances:',
  ...Array.from({ length: 20 }, (_, n) => `  inst${n}.example.com: {os: debian, pnode: node1.example.com}`),
  'os: [debian]',
  '',
].join('\n')

t.test(`${KILLS} times killed, every follower was told every end`, { timeout: 1_800_000 }, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('w pw write\n', { clusterYaml: CLUSTER })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/2/events?types=job`
  const start = async () => {
    const before = root.logLines.length
    const child = root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', String(port), '--max-streams', '256')
    await root.logged(/Listening on/, before)
    return child
  }
  let daemon = await start()

  /** By job, the final statuses that each follower was told. */
  const told = Array.from({ length: FOLLOWERS }, () => new Map<number, Set<string>>())
  const resets = { count: 0 }
  const followers = told.map((ends) => {
    const follower = new EventFollower({
      url: () => url,
      told: ({ type, data }) => {
        if (type === 'reset') resets.count++
        if (type !== 'job' || !/^(success|error|canceled)$/.test(data.status)) return
        ends.set(data.id, (ends.get(data.id) ?? new Set()).add(data.status))
      },
    })
    t.teardown(() => follower.close())
    return follower
  })
  // Who has no id yet is promised nothing.
  await until(() => followers.every(({ lastId }) => lastId !== undefined))

  const jobs: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const killAfter = Math.ceil(Math.random() * JOBS)
    let answered = 0
    const submitting = Promise.all(
      Array.from({ length: JOBS }, async (_, n) => {
        const target = `/2/instances/inst${n % 20}.example.com/reboot`
        const reply = await root.ask('POST', target, { credentials: 'w:pw' }).catch(() => undefined)
        if (reply?.status === 200) jobs.push(Number(reply.body))
        if (++answered === killAfter) daemon.kill('SIGKILL')
        if (answered % 10 === 0) followers[kill % FOLLOWERS]?.cut()
      }),
    )
    await submitting
    daemon.kill('SIGKILL')
    await until(() => daemon.exitCode !== null || daemon.signalCode !== null)
    daemon = await start()
  }
  t.ok(jobs.length > KILLS)

  const ended = new Map<number, string>()
  const finals = async () => {
    for (const { id, status } of JSON.parse((await root.get('/2/jobs?bulk=1')).body)) {
      if (/^(success|error|canceled)$/.test(status)) ended.set(id, status)
    }
  }
  while (!jobs.every((id) => ended.has(id))) await finals()
  const isTold = (ends: ReadonlyMap<number, ReadonlySet<string>>) =>
    [...ended].every(([id, status]) => ends.get(id)?.has(status))
  await until(() => told.every(isTold))
  for (const [place, ends] of told.entries()) {
    t.strictSame(
      [...ended].filter(([id, status]) => [...(ends.get(id) ?? [])].join() !== status),
      [],
      `follower ${place} was told how each of ${ended.size} jobs has ended, and nothing else of it`,
    )
  }
  t.ok(resets.count >= KILLS, `${resets.count} resets`)
})
