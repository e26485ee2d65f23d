/**
 * As many jobs as the queue keeps, submitted as fast as the daemon takes them,
 * and clients that follow them: one that stays, and some that are cut off again
 * and again and go on from the id of the last event.
 */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { DaemonRoot } from '../support/daemon-root.ts'
import { EventFollower } from '../support/event-follower.ts'
import { until } from '../support/until.ts'

/** Few in the usual tests, as in the others of this folder. */
const JOBS = process.env.GANETI_RAPI_TEST_KILLS ? 5000 : 500
const SUBMITTERS = 64
const INSTANCES = 100
/** How many events each follower is told until it is cut off; the first one never is. */
const CUTS = [Number.POSITIVE_INFINITY, 20, 200, 2000]

const CLUSTER = [
  'cluster: {name: cluster1.example.com}',
  'nodes: {node1.example.com: {}}',
  'instances:',
  ...Array.from(
    { length: INSTANCES },
    (_, n) => `  inst${n}.example.com: {os: debian, pnode: node1.example.com}`,
  ),
  'os: [debian]',
  '',
].join('\n')

t.test(`of ${JOBS} jobs in a burst, every follower was told every end`, { timeout: 600_000 }, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('w pw write\n', { clusterYaml: CLUSTER })
  await root.start('--no-ssl', '-b', '127.0.0.1', '-p', '0')
  const { origin } = root
  const followers = CUTS.map((cut) => {
    const ends = new Map<number, string[]>()
    let [count, resets] = [0, 0]
    const follower = new EventFollower({
      url: () => `${origin}/2/events?types=job`,
      told: ({ type, data }) => {
        if (type === 'reset') resets++
        if (type === 'job' && data.end_ts !== null)
          ends.set(data.id, [...(ends.get(data.id) ?? []), data.status])
        if (++count % cut === 0) follower.cut()
      },
    })
    t.teardown(() => follower.close())
    return { follower, ends, resets: () => resets }
  })
  await until(() => followers.every(({ follower }) => follower.lastId !== undefined))

  const agent = new Agent({ keepAlive: true, maxSockets: SUBMITTERS })
  t.teardown(() => agent.destroy())
  let next = 0
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async () => {
      while (next < JOBS) {
        const n = next++
        const target = `${origin}/2/instances/inst${n % INSTANCES}.example.com/tags?tag=t${n}`
        const sent = request(target, { method: 'PUT', agent, auth: 'w:pw' })
        const answered = once(sent, 'response')
        sent.end()
        const [response] = await answered
        const body = await text(response)
        if (response.statusCode !== 200) throw new Error(`${target}: ${body}`)
      }
    }),
  )
  const queue = async () => {
    const rows = JSON.parse((await root.get('/2/jobs?bulk=1')).body) as { id: number; status: string }[]
    return new Map(rows.map(({ id, status }) => [id, status]))
  }
  let jobs = await queue()
  while (![...jobs.values()].every((status) => status === 'success')) jobs = await queue()
  t.equal(jobs.size, JOBS)
  await until(() => followers.every(({ ends }) => ends.size >= JOBS))
  for (const [place, { ends, follower, resets }] of followers.entries()) {
    t.strictSame(
      [...jobs].filter(([id, status]) => ends.get(id)?.join() !== status),
      [],
      `follower ${place}, connected ${follower.connections} times, was told each end once`,
    )
    t.equal(resets(), 0)
  }
  t.ok((followers[1]?.follower.connections ?? 0) > JOBS / 50)
})
