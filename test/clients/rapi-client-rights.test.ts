/** Ganeti's client library, as users who may do only some things, or only with some objects. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { here, type Keywords, RapiClient } from './rapi-client.ts'

const USERS = `
operator operator-pw @operator
team team-pw @operator!tag=mail
portal portal-pw @admin!instance=*.cust.example.com,+cluster.info
`

interface Client {
  /** What a method returns; or the status of the error that it raises. */
  call(method: string, args?: readonly Json[], keywords?: Keywords): Promise<Json>
  /** Checks that a job that a method submits succeeds. */
  succeeds(method: string, args: readonly Json[], keywords?: Keywords): Promise<void>
}

/** Does something with a daemon that only users may ask, and clients of it. */
async function withDaemon(t: Test, act: (client: (user: string) => Client) => Promise<void>) {
  const clients: RapiClient[] = []
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(USERS, { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0', '--require-authentication')).status, 0)

  await act((user) => {
    const client = new RapiClient(root, user)
    clients.push(client)
    const call = async (method: string, args: readonly Json[] = [], keywords?: Keywords): Promise<Json> => {
      const [how, result] = await client.call(method, [args, ...(keywords ? [keywords] : [])] as never)
      return how === 'returned' ? result : (result[1] as number)
    }
    const succeeds = async (method: string, args: readonly Json[], keywords?: Keywords) => {
      const job = await call(method, args, keywords)
      await call('WaitForJobCompletion', [job], { period: 0.1 })
      const { status, opresult } = (await call('GetJobStatus', [job])) as JsonObject
      t.equal(status, 'success', `${method} ${args.join(' ')}: ${JSON.stringify(opresult)}`)
    }
    return { call, succeeds }
  })
  for (const client of clients) t.equal(await client.end(), '', 'no complaints')
}

const has = (object: Json, name: string) => (object as JsonObject)[name]

t.test('an operator starts, stops and moves instances, and does no more', here, (t) =>
  withDaemon(t, async (client) => {
    const { call, succeeds } = client('operator')
    t.equal(((await call('GetInstances')) as Json[]).length, 8)
    await succeeds('ShutdownInstance', ['web.example.com'])
    t.equal(has(await call('GetInstance', ['web.example.com']), 'status'), 'ADMIN_down')
    await succeeds('StartupInstance', ['web.example.com'])
    await succeeds('RebootInstance', ['web.example.com'])
    await succeeds('MigrateInstance', ['web.example.com'])
    t.equal(has(await call('GetInstance', ['web.example.com']), 'pnode'), 'node2.example.com')
    t.type(await call('Query', ['instance', ['name', 'status']]), 'object')
    t.equal(await call('DeleteInstance', ['web.example.com']), 403)
    t.equal(await call('CancelJob', [1]), 403)
    t.equal(await call('AddInstanceTags', ['web.example.com', ['x']]), 403)
    t.equal(await call('ModifyCluster', [], { candidate_pool_size: 2 }), 403)
  }),
)

t.test('a team works with its own instances, and sees nothing else', here, (t) =>
  withDaemon(t, async (client) => {
    const { call, succeeds } = client('team')
    await client('operator').succeeds('ShutdownInstance', ['web.example.com'])
    t.strictSame(await call('GetInstances'), ['mail.example.com'])
    t.equal(((await call('GetInstances', [], { bulk: true })) as Json[]).length, 1)
    t.strictSame(await call('GetNodes'), [])
    t.strictSame(await call('GetJobs'), [])
    await succeeds('ShutdownInstance', ['mail.example.com'])
    await succeeds('StartupInstance', ['mail'])
    t.equal(((await call('GetJobs')) as Json[]).length, 2)
    t.equal(has(await call('GetInstance', ['mail.example.com']), 'status'), 'running')
    t.type(has(await call('GetInstanceConsole', ['mail.example.com']), 'kind'), 'string')
    t.equal(has(await call('GetInfo'), 'name'), 'cluster1.example.com')
    t.equal(await call('GetInstance', ['web.example.com']), 404)
    t.equal(await call('StartupInstance', ['web.example.com']), 404)
    t.equal(await call('GetJobStatus', [1]), 404)
    t.equal(await call('GetGroups'), 403)
  }),
)

t.test('a portal makes, changes and removes instances of its names', here, (t) =>
  withDaemon(t, async (client) => {
    const { call, succeeds } = client('portal')
    const creation = { os: 'debian+bookworm', iallocator: 'hail', name_check: false, ip_check: false }
    t.strictSame(await call('GetInstances'), [])
    for (const name of ['a.cust.example.com', 'b.cust.example.com'])
      await succeeds('CreateInstance', ['create', name, 'plain', [{ size: 1024 }], [{}]], creation)
    t.equal(
      await call('CreateInstance', ['create', 'c.example.com', 'plain', [{ size: 1024 }], [{}]], creation),
      403,
    )
    await succeeds('ModifyInstance', ['a.cust.example.com'], { beparams: { vcpus: 2 } })
    await succeeds('AddInstanceTags', ['a.cust.example.com', ['paid']])
    t.equal(
      await call('RenameInstance', ['a.cust.example.com', 'web2.example.com'], { name_check: false }),
      403,
    )
    await succeeds('ShutdownInstance', ['a.cust.example.com'])
    await succeeds('RenameInstance', ['a.cust.example.com', 'z.cust.example.com'], {
      name_check: false,
      ip_check: false,
    })
    await succeeds('DeleteInstance', ['b.cust.example.com'])
    t.strictSame(await call('GetInstances'), ['z.cust.example.com'])
    t.strictSame(await call('GetInstanceTags', ['z.cust.example.com']), ['paid'])
  }),
)
