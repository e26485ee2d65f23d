/**
 * Rights that end at an object, and roles, on a real cluster: what a master daemon
 * makes of the questions that have a scope in them, and Ganeti's own client and
 * planning tools as such users. See `fill` for the users.
 */
import t from 'tap'
import { type Json, type JsonObject, stringifyJson } from '../../lib/json/json.ts'
import { run } from '../clients/programs.ts'
import { RapiClient } from '../clients/rapi-client.ts'
import { ask, OURS } from './sides.ts'

t.setTimeout(300_000)

// The name in the cluster's certificate.
const rapi = { origin: `https://ganeti.example.com:${OURS.tls}`, pem: '/var/lib/ganeti/rapi.pem' }
const names = async (user: string, target: string) =>
  ((await ask(OURS, target, { user })).body as { id: string }[]).map(({ id }) => id)
const status = async (user: string, target: string, method = 'GET', body?: Json) =>
  (await ask(OURS, target, { user, method, body })).status

/** Calls methods of the client library as a user. */
async function as(user: string, act: (client: Client) => Promise<void>): Promise<void> {
  const client = new RapiClient(rapi, user)
  const call = async (method: string, ...args: readonly Json[]) => {
    const last = args.at(-1)
    const hasKeywords = last !== null && typeof last === 'object' && !Array.isArray(last)
    const positional = hasKeywords ? args.slice(0, -1) : args
    const [how, result] = await client.call(method, [
      positional,
      ...(hasKeywords ? [last as JsonObject] : []),
    ] as never)
    return how === 'returned' ? result : (result[1] as number)
  }
  const succeeds = async (method: string, ...args: readonly Json[]) => {
    const job = await call(method, ...args)
    await call('WaitForJobCompletion', job, { period: 0.2 })
    const { status, opresult } = (await call('GetJobStatus', job)) as JsonObject
    t.equal(status, 'success', `${user}: ${method} ${args.join(' ')}: ${JSON.stringify(opresult)}`)
  }
  await act({ call, succeeds })
  t.equal(await client.end(), '', `${user}: no complaints`)
}

interface Client {
  /** What a method returns; or the status of the error that it raises. The last argument may be keywords. */
  call(method: string, ...args: readonly Json[]): Promise<Json>
  succeeds(method: string, ...args: readonly Json[]): Promise<void>
}

t.test('what is outside of a scope is not there', async (t) => {
  t.strictSame(await names('web', '/2/instances'), ['inst1.example.com'])
  t.strictSame(await names('web', '/2/nodes'), [])
  t.strictSame(await names('lonely', '/2/nodes'), ['node3.example.com'])
  t.strictSame(await names('lonely', '/2/instances'), ['inst8.example.com'])
  const bulk = (await ask(OURS, '/2/nodes?bulk=1', { user: 'lonely' })).body as JsonObject[]
  t.match(bulk, [{ name: 'node3.example.com', pinst_list: ['inst8.example.com'] }])
  t.equal(bulk.length, 1)
  const plain = (await ask(OURS, '/2/instances/inst1.example.com', { user: 'operator' })).body
  const scoped = (await ask(OURS, '/2/instances/inst1.example.com', { user: 'web' })).body
  const [inBulk] = (await ask(OURS, '/2/instances?bulk=1', { user: 'web' })).body as Json[]
  t.strictSame(scoped, plain)
  t.strictSame(inBulk, plain)
  for (const [user, target, expected] of [
    ['web', '/2/instances/inst2.example.com', 404],
    ['web', '/2/instances/nosuch', 404],
    ['web', '/2/instances/inst1', 200],
    ['web', '/2/instances/inst1/tags', 200],
    ['web', '/2/instances/inst1.example.com/console', 200],
    ['web', '/2/nodes/node1.example.com', 404],
    ['web', '/2/query/instance?fields=name,status,tags', 200],
    ['web', '/2/query/group?fields=name', 403],
    ['web', '/2/info', 200],
    ['web', '/2/os', 200],
    ['lonely', '/2/nodes/node3/role', 200],
    ['lonely', '/2/nodes/node1/role', 404],
  ] as const)
    t.equal(await status(user, target), expected, `${user} ${target}`)
  const query = async (filter: Json) => {
    const body = { fields: ['name'], qfilter: filter }
    const { body: answer } = await ask(OURS, '/2/query/instance', { user: 'web', method: 'PUT', body })
    return (answer as { data: [[number, string]][] }).data.map(([[, name]]) => name)
  }
  t.strictSame(await query(null), ['inst1.example.com'])
  t.strictSame(await query(['=~', 'name', 'inst']), ['inst1.example.com'])
  t.strictSame(await query(['!', ['=', 'name', 'inst1.example.com']]), [])
  t.strictSame(await query(['|', ['=', 'name', 'inst1'], ['=[]', 'tags', 'db']]), ['inst1.example.com'])
  t.strictSame(await query(['=', 'name', 'inst1.example.com']), ['inst1.example.com'])
})

t.test('a team stops and starts its instance, and sees the jobs of it', async (t) => {
  await as('web', async ({ call, succeeds }) => {
    await succeeds('ShutdownInstance', 'inst1.example.com')
    await succeeds('StartupInstance', 'inst1')
    t.equal(await call('ShutdownInstance', 'inst2.example.com'), 404)
    t.equal(await call('DeleteInstance', 'inst1.example.com'), 403)
    const jobs = (await call('GetJobs', { bulk: true })) as JsonObject[]
    t.ok(jobs.length >= 2)
    for (const { ops } of jobs) {
      const text = stringifyJson(ops ?? null)
      t.match(text, /"inst1(\.example\.com)?"/)
      t.notMatch(text, /"(inst([2-9]|1\d)|node\d)\b/)
    }
  })
  const all = await names('operator', '/2/jobs')
  const own = await names('web', '/2/jobs')
  t.ok(own.length < all.length)
  const other = all.find((id) => !own.includes(id))
  t.equal(await status('web', `/2/jobs/${other}`), 404)
})

t.test('rights on a node: instances are made and removed there alone', async (t) => {
  const creation = {
    os: 'noop+default',
    hypervisor: 'fake',
    name_check: false,
    ip_check: false,
    ignore_ipolicy: true,
  }
  await as('lonely', async ({ call, succeeds }) => {
    const make = (name: string, node: string) =>
      ['CreateInstance', 'create', name, 'diskless', [], [], { ...creation, pnode: node }] as const
    t.equal(await call(...make('rights1.example.com', 'node1.example.com')), 403)
    await succeeds(...make('rights1.example.com', 'node3.example.com'))
    t.strictSame(await call('GetInstances'), ['inst8.example.com', 'rights1.example.com'])
    await succeeds('AddInstanceTags', 'rights1.example.com', ['trial'])
    await succeeds('ModifyInstance', 'rights1.example.com', { beparams: { vcpus: 2 }, ignore_ipolicy: true })
    t.equal(await call('MigrateInstance', 'rights1.example.com', { target_node: 'node1.example.com' }), 403)
    await succeeds('DeleteInstance', 'rights1.example.com')
    t.equal(await call('PowercycleNode', 'node1.example.com'), 404)
    t.equal(await call('ModifyCluster', { candidate_pool_size: 3 }), 403)
  })
})

t.test('an operator and a viewer do what their roles are for', async (t) => {
  await as('operator', async ({ call, succeeds }) => {
    await succeeds('RebootInstance', 'inst1.example.com', { reboot_type: 'hard' })
    t.equal(await call('DeleteInstance', 'inst1.example.com'), 403)
    t.equal(await call('AddNodeTags', 'node1.example.com', ['x']), 403)
  })
  for (const [tool, ...args] of [['hinfo'], ['hbal', '-G', 'default']] as const) {
    const command = [tool, ...args, '-m', `http://viewer:viewer-pw@localhost:${OURS.strict}`]
    const { status, stdout, stderr } = await run(command)
    t.equal(status, 0, stderr)
    t.match(stdout, /^Loaded \d+ nodes, \d+ instances/m)
  }
})
