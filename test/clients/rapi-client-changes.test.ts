/**
 * The client library that Ganeti's own users write scripts with (Debian:
 * python3-ganeti-rapi): every method of it that changes something, on a cluster
 * in YAML. Each change is waited for, and what it did is then there for
 * everybody to read; or it is refused, in Ganeti's words.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isJsonObject, type Json, type JsonObject } from '../../lib/json/json.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { type Arguments, here, type Keywords, RapiClient } from './rapi-client.ts'

/** A call that makes a job, and what comes of it. */
interface Change {
  readonly method: string
  readonly args: Arguments
  /** What the job's opcode gives. */
  readonly result?: Json
  /** What an answer has afterwards: `nic.links`, or `beparams.vcpus` for a key in a key; null for nothing there. */
  readonly at?: string
  readonly shows?: Json
  /** What the job ends in. */
  readonly error?: Json
}

/** A change that is there to read afterwards. */
const change = (
  method: string,
  positional: readonly Json[],
  keyword: Keywords,
  at: string,
  shows: Json,
): Change => ({ method, args: [positional, keyword], at, shows })

/** One of which only its job tells. */
const told = (method: string, positional: readonly Json[], keyword: Keywords, result: Json): Change => ({
  method,
  args: [positional, keyword],
  result,
})

const refused = (method: string, positional: readonly Json[], keyword: Keywords, error: Json): Change => ({
  method,
  args: [positional, keyword],
  error,
})

const node1 = 'node1.example.com'
const node2 = 'node2.example.com'
const node3 = 'node3.example.com'
const node4 = 'node4.example.com'
const node5 = 'node5.example.com'
const web = 'web.example.com'
const mail = 'mail.example.com'
const db = 'db.example.com'
const fresh = 'fresh.example.com'
const placed = 'placed.example.com'
const exported = 'exported.example.com'

/** The state of an instance. */
const at = (instance: string) => `/2/instances/${instance}`
const onNode = (node: string) => `/2/nodes/${node}`

/** In this order, as each meets what those before it left. */
const CHANGES: { readonly [what: string]: readonly Change[] } = {
  tags: [
    change('AddClusterTags', [['a', 'b:c']], {}, '/2/tags', ['a', 'b:c', 'production', 'site:berlin']),
    change('DeleteClusterTags', [['a', 'site:berlin']], {}, '/2/tags', ['b:c', 'production']),
    change('AddGroupTags', ['branch', ['a']], {}, '/2/groups/branch/tags', ['a']),
    change('DeleteGroupTags', ['branch', ['a']], {}, '/2/groups/branch/tags', []),
    change('AddInstanceTags', [web, ['a', 'b/c']], {}, `${at(web)}/tags`, ['a', 'b/c', 'tag1', 'tag2']),
    change('DeleteInstanceTags', [web, ['tag1', 'b/c']], {}, `${at(web)}/tags`, ['a', 'tag2']),
    refused('DeleteInstanceTags', [web, ['tag1']], {}, [
      'OpPrereqError',
      ["Tag(s) 'tag1' not found", 'unknown_entity'],
    ]),
    change('AddNetworkTags', ['front', ['a']], {}, '/2/networks/front/tags', ['a', 'public']),
    change('DeleteNetworkTags', ['front', ['a']], {}, '/2/networks/front/tags', ['public']),
    change('AddNodeTags', [node1, ['a']], { reason: 'why' }, `${onNode(node1)}/tags`, ['a', 'rack-a']),
    change('DeleteNodeTags', [node1, ['a']], {}, `${onNode(node1)}/tags`, ['rack-a']),
    // A dry run is checked, and nothing comes of it.
    change('AddNodeTags', [node1, ['a']], { dry_run: true }, `${onNode(node1)}/tags`, ['rack-a']),
  ],

  groups: [
    change('CreateGroup', ['lab'], { alloc_policy: 'last_resort' }, '/2/groups/lab', {
      alloc_policy: 'last_resort',
      node_list: [],
    }),
    change('ModifyGroup', ['lab'], { alloc_policy: 'unallocable' }, '/2/groups/lab', {
      alloc_policy: 'unallocable',
    }),
    change('RenameGroup', ['lab', 'attic'], {}, '/2/groups/attic', { alloc_policy: 'unallocable' }),
    change('AssignGroupNodes', ['attic', [node5]], {}, '/2/groups/attic', { node_list: [node5] }),
    refused('DeleteGroup', ['attic'], {}, [
      'OpPrereqError',
      [`Group 'attic' not empty, has the following nodes: `, 'wrong_state'],
    ]),
    change('AssignGroupNodes', ['branch', [node5]], { force: true }, '/2/groups/branch', {
      node_list: [node5, node4],
    }),
    change('DeleteGroup', ['attic'], {}, '/2/groups/attic', null),
  ],

  networks: [
    change(
      'CreateNetwork',
      ['lan', '10.9.0.0/29'],
      { gateway: '10.9.0.1', add_reserved_ips: '10.9.0.5', tags: 'x,y' },
      '/2/networks/lan',
      { network: '10.9.0.0/29', gateway: '10.9.0.1', map: 'XX...X.X', tags: ['x', 'y'] },
    ),
    change('ModifyNetwork', ['lan'], { gateway: '10.9.0.2' }, '/2/networks/lan', {
      gateway: '10.9.0.2',
      map: 'X.X..X.X',
    }),
    change('ConnectNetwork', ['lan', 'default', 'bridged', 'br0'], { vlan: '10' }, '/2/networks/lan', {
      group_list: [['default', 'bridged', 'br0', '10']],
    }),
    refused('DeleteNetwork', ['lan'], {}, ['OpPrereqError', ['Network still connected', 'wrong_state']]),
    change('DisconnectNetwork', ['lan', 'default'], {}, '/2/networks/lan', { group_list: [] }),
    change('DeleteNetwork', ['lan'], {}, '/2/networks/lan', null),
  ],

  'the cluster': [
    change('ModifyCluster', [], { candidate_pool_size: 4 }, '/2/info', { candidate_pool_size: 4 }),
    told('RedistributeConfig', [], {}, null),
  ],

  nodes: [
    change('ModifyNode', [node3], { drained: false }, onNode(node3), { drained: false, role: 'C' }),
    change('SetNodeRole', [node3, 'regular'], { force: true }, `${onNode(node3)}/role`, 'regular'),
    change('SetNodeRole', [node3, 'master-candidate'], { auto_promote: true }, onNode(node3), {
      master_candidate: true,
    }),
    told('PowercycleNode', [node4], { force: true }, 'Reboot scheduled in 5 seconds'),
    told('RepairNodeStorageUnits', [node1, 'lvm-vg', 'xenvg'], {}, null),
    // A file tells of no physical volumes.
    refused('ModifyNodeStorageUnits', [node1, 'lvm-pv', 'sda'], { allocatable: false }, [
      'OpExecError',
      [`Failed to modify storage unit 'sda' on ${node1}: Failed to find physical volume "sda".`],
    ]),
  ],

  instances: [
    change(
      'CreateInstance',
      ['create', fresh, 'plain', [{ size: 1024 }], [{ link: 'xen-br0' }]],
      { os: 'debian-etch', pnode: node1, ip_check: false, name_check: false },
      at(fresh),
      { pnode: node1, os: 'debian-etch', 'disk.sizes': [1024], status: 'running' },
    ),
    change(
      'CreateInstance',
      ['create', placed, 'drbd', [{ size: 1024 }], [{}]],
      { os: 'debian-etch', iallocator: 'hail', ip_check: false, name_check: false, tags: ['x'] },
      at(placed),
      { disk_template: 'drbd', tags: ['x'], status: 'running' },
    ),
    refused(
      'CreateInstance',
      ['create', fresh, 'plain', [{ size: 1024 }], [{}]],
      { os: 'debian-etch', pnode: node1, ip_check: false, name_check: false },
      ['OpPrereqError', [`Instance '${fresh}' is already in the cluster`, 'already_exists']],
    ),
    change(
      'ModifyInstance',
      [fresh],
      { beparams: { vcpus: 2 }, nics: [['add', -1, { mode: 'bridged', link: 'xen-br1' }]] },
      at(fresh),
      { 'beparams.vcpus': 2, 'nic.links': ['xen-br0', 'xen-br1'] },
    ),
    change('GrowInstanceDisk', [fresh, 0, 64], { wait_for_sync: false }, at(fresh), { 'disk.sizes': [1088] }),
    change('ShutdownInstance', [fresh], { timeout: 5 }, at(fresh), { status: 'ADMIN_down' }),
    change('ReinstallInstance', [fresh], { os: 'windows', no_startup: true }, at(fresh), {
      os: 'windows',
      status: 'ADMIN_down',
    }),
    change('RenameInstance', [fresh, exported], { ip_check: false, name_check: false }, at(exported), {
      name: exported,
      os: 'windows',
    }),
    change('RecreateInstanceDisks', [exported], { disks: [0], nodes: [node2] }, at(exported), {
      pnode: node2,
    }),
    told('ActivateInstanceDisks', [exported], { ignore_size: true }, [
      [node2, 'disk/0', /^\/dev\//],
    ] as unknown as Json),
    told('DeactivateInstanceDisks', [exported], { force: true }, null),
    change('StartupInstance', [exported], { no_remember: false }, at(exported), { status: 'running' }),
    told('RebootInstance', [exported], { reboot_type: 'hard', ignore_secondaries: true }, null),
    told('PrepareExport', [exported, 'local'], {}, null),
    // The file keeps no exports: it is checked, told of, and forgotten.
    told('ExportInstance', [exported, 'local', node1], { shutdown: true }, [true, [true]]),
    change('DeleteInstance', [exported], { shutdown_timeout: 5 }, at(exported), null),

    change('FailoverInstance', [web], { ignore_consistency: true }, at(web), {
      pnode: node2,
      snodes: [node1],
    }),
    change('MigrateInstance', [web], { mode: 'live', cleanup: false }, at(web), {
      pnode: node1,
      snodes: [node2],
    }),
    refused('FailoverInstance', [db], {}, [
      'OpPrereqError',
      ["Instance's disk layout 'plain' does not allow failovers", 'wrong_state'],
    ]),
    change('ReplaceInstanceDisks', [web], { mode: 'replace_new_secondary', remote_node: node3 }, at(web), {
      pnode: node1,
      snodes: [node3],
    }),
    // A job for each instance; that of a plain one fails, as it cannot move.
    change('MigrateNode', [node2], { mode: 'live' }, at(mail), { pnode: node1 }),
    change('EvacuateNode', [node3], { remote_node: node2, mode: 'secondary-only' }, at(web), {
      snodes: [node2],
    }),
  ],
}

t.test('every method that changes something', here, async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('writer writer-pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)
  const client = new RapiClient(root)

  const get = async (target: string): Promise<Json> => {
    const { status, body } = await root.get(target, 'writer:writer-pw')
    return status === 404 ? null : JSON.parse(body)
  }
  const returned = async (method: string, ...args: Arguments): Promise<Json> => {
    const [how, what] = await client.call(method, args)
    if (how === 'raised') throw new Error(`${method}: ${what.join(' ')}`)
    return what
  }
  /** Waits for a job, and for those that it made. */
  const finished = async (id: Json): Promise<JsonObject> => {
    await returned('WaitForJobCompletion', [id], { period: 0.02 })
    const job = (await returned('GetJobStatus', [id])) as JsonObject
    for (const result of job.opresult as readonly Json[]) {
      const jobs = isJsonObject(result) && Array.isArray(result.jobs) ? (result.jobs as Json[][]) : []
      for (const [, other = null] of jobs) await finished(other)
    }
    return job
  }

  for (const [what, changes] of Object.entries(CHANGES)) {
    await t.test(what, async (t) => {
      for (const { method, args, result, at, shows, error } of changes) {
        const name = `${method}${JSON.stringify(args)}`
        const job = await finished(await returned(method, ...args))
        const { status, opresult } = job
        if (error !== undefined) {
          t.match({ status, opresult }, { status: 'error', opresult: [error] }, name)
          continue
        }
        t.equal(status, 'success', `${name}: ${JSON.stringify(opresult)}`)
        if (result !== undefined) t.match(opresult, [result], name)
        if (at !== undefined)
          t.strictSame(parts(await get(at), shows ?? null), shows, `${name} shows in ${at}`)
      }
    })
  }

  await t.test('several instances at once', async (t) => {
    const allocations = []
    for (const name of ['one.example.com', 'two.example.com']) {
      const what = { os: 'debian-etch', ip_check: false, name_check: false }
      allocations.push(
        await returned('InstanceAllocation', ['create', name, 'plain', [{ size: 1024 }], [{}]], what),
      )
    }
    const { status, opresult } = await finished(
      await returned('InstancesMultiAlloc', [allocations], { iallocator: 'hail' }),
    )
    t.equal(status, 'success', JSON.stringify(opresult))
    for (const name of ['one.example.com', 'two.example.com']) {
      t.strictSame(parts(await get(at(name)), { status: '' }), { status: 'running' }, name)
    }
  })

  await t.test('filters and jobs', async (t) => {
    const uuid = String(await returned('AddFilter', [1, [['jobid', ['>', 'id', 0]]], 'PAUSE']))
    t.strictSame(parts(await get(`/2/filters/${uuid}`), { action: '', priority: 0 }), {
      action: 'PAUSE',
      priority: 1,
    })
    const held = await returned('ShutdownInstance', [web])
    t.strictSame(await returned('WaitForJobChange', [held, ['id', 'status'], null, null]), {
      job_info: [held, 'queued'],
      log_entries: [],
    })
    t.equal(await returned('WaitForJobCompletion', [held], { period: 0.02, retries: 2 }), false)
    t.strictSame(await returned('CancelJob', [held]), [true, `Dequeued job ${held}`])
    t.strictSame(parts(await get(`/2/jobs/${held}`), { status: '' }), { status: 'canceled' })

    // What waits runs as soon as it may.
    const next = await returned('ShutdownInstance', [web])
    const accepts = [uuid, 1, [['jobid', ['>', 'id', 0]]], 'ACCEPT'] as const
    t.equal(await returned('ReplaceFilter', accepts), uuid)
    t.equal((await finished(next)).status, 'success')
    t.strictSame(parts(await get(at(web)), { status: '' }), { status: 'ADMIN_down' })

    await returned('DeleteFilter', [uuid])
    t.equal(await get(`/2/filters/${uuid}`), null)
  })

  t.strictSame(client.untried, [], 'every method that changes something was called')
  t.equal(await client.end(), '')
})

/** Those parts of an answer that are spoken of. */
function parts(answer: Json, spokenOf: Json): Json {
  if (!isJsonObject(answer) || !isJsonObject(spokenOf)) return answer
  const part = (key: string): Json | undefined => {
    if (Object.hasOwn(answer, key)) return answer[key]
    const [outer = '', inner = ''] = key.split('.')
    const value = answer[outer]
    return isJsonObject(value) ? value[inner] : undefined
  }
  return Object.fromEntries(Object.keys(spokenOf).map((key) => [key, part(key) ?? null]))
}
