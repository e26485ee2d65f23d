/**
 * The client library that Ganeti's own users write scripts with (Debian:
 * python3-ganeti-rapi): every method of it that reads, over TLS with the
 * certificate checked. Each returns what a plain GET gives.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { isJsonObject, type Json } from '../../lib/json/json.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { type Arguments, here, RapiClient } from './rapi-client.ts'

/** A call, and what it comes to: the answer at a path, the ids in it, or an error of the server's. */
interface Call {
  readonly method: string
  readonly args: Arguments
  readonly gives: { readonly at: string; readonly ids?: string } | { readonly error: number } | 'a job'
}

const call = (method: string, args: Arguments, at: string, ids?: string): Call => ({
  method,
  args,
  gives: ids === undefined ? { at } : { at, ids },
})
const refused = (method: string, args: Arguments, error: number): Call => ({ method, args, gives: { error } })

const QUERIED = [
  'cluster',
  'export',
  'extstorage',
  'filter',
  'group',
  'instance',
  'job',
  'lock',
  'network',
  'node',
  'os',
]

/** @param names one of each kind of object there is */
function callsFor(names: Record<'instance' | 'node' | 'group' | 'network' | 'filter', string>): Call[] {
  const { instance, node, group, network, filter } = names
  return [
    call('GetVersion', [[]], '/version'),
    call('GetFeatures', [[]], '/2/features'),
    call('GetOperatingSystems', [[]], '/2/os'),
    call('GetInfo', [[]], '/2/info'),
    call('GetInfo', [[], { reason: 'a reason' }], '/2/info'),
    call('GetClusterTags', [[]], '/2/tags'),
    call('GetInstances', [[]], '/2/instances', 'id'),
    call('GetInstances', [[], { bulk: true }], '/2/instances?bulk=1'),
    call('GetInstance', [[instance]], `/2/instances/${instance}`),
    call('GetInstanceTags', [[instance]], `/2/instances/${instance}/tags`),
    call('GetNodes', [[]], '/2/nodes', 'id'),
    call('GetNodes', [[], { bulk: true }], '/2/nodes?bulk=1'),
    call('GetNode', [[node]], `/2/nodes/${node}`),
    call('GetNodeRole', [[node]], `/2/nodes/${node}/role`),
    call('GetNodeTags', [[node]], `/2/nodes/${node}/tags`),
    call('GetGroups', [[]], '/2/groups', 'name'),
    call('GetGroups', [[], { bulk: true }], '/2/groups?bulk=1'),
    call('GetGroup', [[group]], `/2/groups/${group}`),
    call('GetGroupTags', [[group]], `/2/groups/${group}/tags`),
    call('GetNetworks', [[]], '/2/networks', 'name'),
    call('GetNetworks', [[], { bulk: true }], '/2/networks?bulk=1'),
    call('GetNetwork', [[network]], `/2/networks/${network}`),
    call('GetNetworkTags', [[network]], `/2/networks/${network}/tags`),
    call('GetFilters', [[]], '/2/filters', 'uuid'),
    call('GetFilters', [[], { bulk: true }], '/2/filters?bulk=1'),
    call('GetFilter', [[filter]], `/2/filters/${filter}`),
    call('GetJobs', [[]], '/2/jobs', 'id'),
    call('GetJobs', [[], { bulk: true }], '/2/jobs?bulk=1'),
    ...QUERIED.flatMap((what) => [
      call('QueryFields', [[what]], `/2/query/${what}/fields`),
      call('QueryFields', [[what, ['name', 'uuid']]], `/2/query/${what}/fields?fields=name,uuid`),
      call('Query', [[what, ['name', 'tags', 'nope']]], `/2/query/${what}?fields=name,tags,nope`),
    ]),
    call(
      'Query',
      [['instance', ['name'], ['|', ['=', 'name', instance], ['!', ['=', 'name', instance]]]]],
      '/2/query/instance?fields=name',
    ),
    refused('GetInstance', [['nosuch']], 404),
    refused('GetGroup', [['nosuch']], 404),
    refused('GetNodeTags', [['nosuch']], 404),
    refused('GetJobStatus', [[1]], 404),
    refused('Query', [['nosuch', ['name']]], 400),
    refused('Query', [['node', ['name'], ['nosuch', 'name', 1]]], 400),
  ]
}

/** What is answered with the id of a job. */
function jobsFor(names: { instance: string; node: string }, gives: Call['gives']): Call[] {
  return [
    { method: 'GetInstanceInfo', args: [[names.instance]], gives },
    { method: 'GetInstanceInfo', args: [[names.instance], { static: true }], gives },
    { method: 'GetNodeStorageUnits', args: [[names.node, 'lvm-vg', 'name']], gives },
  ]
}

/** Makes the calls, and compares what they gave. */
async function check(t: Test, root: DaemonRoot, client: RapiClient, calls: readonly Call[]): Promise<void> {
  for (const { method, args, gives } of calls) {
    const name = `${method}${JSON.stringify(args)}`
    const [how, what] = await client.call(method, args)
    if (gives === 'a job') {
      t.equal(how, 'returned', name)
      t.ok(Number.isSafeInteger(what) && Number(what) > 0, `${name} gives a job`)
      continue
    }
    if ('error' in gives) {
      t.equal(how, 'raised', name)
      t.equal((what as readonly Json[])[1], gives.error, name)
      continue
    }
    t.equal(how, 'returned', `${name}: ${how === 'raised' ? what : ''}`)
    t.strictSame(
      what,
      idsIn(JSON.parse((await root.get(gives.at, 'writer:writer-pw')).body), gives.ids),
      name,
    )
  }
}

/** What the client makes of a plain list. */
function idsIn(answer: Json, key: string | undefined): Json {
  if (key === undefined || !Array.isArray(answer)) return answer
  return answer.map((one) => (isJsonObject(one) ? (one[key] ?? null) : null))
}

t.test('a cluster in YAML', here, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('writer writer-pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  const names = {
    instance: 'web.example.com',
    node: 'node1.example.com',
    group: 'branch',
    network: 'front',
    filter: '46968f25-9852-59d1-a770-0a510b6235fa',
  }
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  const console = call('GetInstanceConsole', [[names.instance]], '/2/instances/web.example.com/console')
  const client = new RapiClient(root)
  // Jobs at last, as they are then in every list of jobs.
  await check(t, root, client, [...callsFor(names), console, ...jobsFor(names, 'a job')])
  t.strictSame(client.unread, [], 'every method that reads was called')
  t.equal(await client.end(), '')
})

t.test("Ganeti's own config.data", here, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill(readFileSync(fixture('real-cluster/users'), 'utf8'), {
    configData: readFileSync(fixture('real-cluster/config.data'), 'utf8'),
  })
  const names = {
    instance: 'inst2.example.com',
    node: 'node2.example.com',
    group: 'group2',
    network: 'net1',
    filter: '17af7edd-9054-47eb-9099-998c9f2b84ac',
  }
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  // Nobody knows whether it runs, and the file is not ours to change.
  const console = refused('GetInstanceConsole', [[names.instance]], 503)
  const client = new RapiClient(root)
  await check(t, root, client, [...callsFor(names), console, ...jobsFor(names, { error: 501 })])
  t.equal(await client.end(), '')
})
