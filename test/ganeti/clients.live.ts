/**
 * Ganeti's own clients, against both daemons: every method of its client
 * library, and its planning tools. With the job queue paused, so that the jobs
 * that methods submit can be compared, and nothing happens.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isJsonObject, type Json, parseJson } from '../../lib/json/json.ts'
import { PYTHON, run } from '../clients/programs.ts'
import { whilePaused } from './paused.ts'
import { ask, ganetiVersion, jobOf, ORIGINAL, OURS, type Side, timeless } from './sides.ts'

t.setTimeout(600_000)

const script = fileURLToPath(new URL('../../../test/clients/call-rapi-client.py', import.meta.url))

type Call = readonly [
  method: string,
  positional: readonly Json[],
  keyword?: { readonly [name: string]: Json },
]
type Result =
  | readonly ['returned', Json]
  | readonly ['raised', readonly [type: string, code: number, message: string]]

const [done] = ((await ask(ORIGINAL, '/2/jobs')).body as { id: number }[]).map(({ id }) => id)
const [rule = ''] = ((await ask(ORIGINAL, '/2/filters')).body as { uuid: string }[]).map(({ uuid }) => uuid)
const inst1 = 'inst1.example.com'
const inst3 = 'inst3.example.com'
const node1 = 'node1.example.com'
const node2 = 'node2.example.com'
const disk = { size: 1024 }
const newInstance: Call[1] = ['create', 'inst40.example.com', 'file', [disk], [{}]]
const placed = {
  os: 'noop+default',
  pnode: node1,
  hypervisor: 'fake',
  beparams: { maxmem: 256, minmem: 256 },
}

const READS: readonly Call[] = [
  ['GetVersion', []],
  ['GetFeatures', []],
  ['GetOperatingSystems', []],
  ['GetInfo', [], { reason: 'why' }],
  ['GetClusterTags', []],
  ['GetInstances', []],
  ['GetInstances', [], { bulk: true }],
  ['GetInstance', [inst1]],
  ['GetInstance', ['nosuch']],
  ['GetInstanceTags', [inst1]],
  ['GetInstanceConsole', [inst1]],
  ['GetInstanceConsole', [inst3]],
  ['GetNodes', []],
  ['GetNode', [node1]],
  ['GetNodeRole', [node1]],
  ['GetNodeTags', [node1]],
  ['GetGroups', []],
  ['GetGroups', [], { bulk: true }],
  ['GetGroup', ['default']],
  ['GetGroupTags', ['default']],
  ['GetNetworks', []],
  ['GetNetworks', [], { bulk: true }],
  ['GetNetwork', ['net1']],
  ['GetNetworkTags', ['net1']],
  ['GetFilters', []],
  ['GetFilters', [], { bulk: true }],
  ['GetFilter', [rule]],
  ['GetJobStatus', [done ?? 0]],
  ['WaitForJobChange', [done ?? 0, ['status'], null, null]],
  ['WaitForJobCompletion', [done ?? 0]],
  ['Query', ['node', ['name', 'role', 'nope']]],
  ['Query', ['instance', ['name', 'status'], ['|', ['=', 'name', inst1], ['=~', 'name', 'inst1[01]']]]],
  ['QueryFields', ['group']],
  ['QueryFields', ['network', ['name', 'nope']]],
]

/** These tell of jobs, and some of the others submit one. */
const LISTS: readonly Call[] = [
  ['GetJobs', []],
  ['GetJobs', [], { bulk: true }],
]

/** These submit a job. */
const JOBS: readonly Call[] = [
  ['GetInstanceInfo', [inst1], { static: true }],
  ['GetNodeStorageUnits', [node1, 'file', 'name,size']],
  ['ActivateInstanceDisks', [inst3], { ignore_size: true, reason: 'why' }],
  ['AddClusterTags', [['a', 'b:c']], { dry_run: true }],
  ['AddGroupTags', ['default', ['a']]],
  ['AddInstanceTags', [inst1, ['a', 'b/c']]],
  ['AddNetworkTags', ['net1', ['a']]],
  ['AddNodeTags', [node1, ['a']], { reason: 'why' }],
  ['AssignGroupNodes', ['group2', [node2]], { force: true, dry_run: true }],
  ['ConnectNetwork', ['net2', 'default', 'bridged', 'br0'], { vlan: '10' }],
  ['CreateGroup', ['group9'], { alloc_policy: 'preferred' }],
  ['CreateInstance', newInstance, placed],
  ['CreateInstance', newInstance, { ...placed, iallocator: 'hail', pnode: null, dry_run: true, tags: ['x'] }],
  [
    'CreateNetwork',
    ['net9', '10.9.0.0/24'],
    { gateway: '10.9.0.1', add_reserved_ips: '10.9.0.5', tags: 'x,y' },
  ],
  ['DeactivateInstanceDisks', [inst3], { force: true }],
  ['DeleteClusterTags', [['env:test']]],
  ['DeleteGroup', ['group2'], { dry_run: true }],
  ['DeleteGroupTags', ['default', ['dc:one']]],
  ['DeleteInstance', [inst3], { shutdown_timeout: 5 }],
  ['DeleteInstanceTags', [inst1, ['web']]],
  ['DeleteNetwork', ['net2']],
  ['DeleteNetworkTags', ['net1', ['lab']]],
  ['DeleteNodeTags', [node1, ['ssd']]],
  ['DisconnectNetwork', ['net1', 'group2']],
  ['EvacuateNode', [node1], { iallocator: 'hail', mode: 'primary-only' }],
  ['ExportInstance', [inst1, 'local', node2], { shutdown: true }],
  ['FailoverInstance', [inst1], { ignore_consistency: true, target_node: node2 }],
  ['GrowInstanceDisk', [inst3, 0, 64], { wait_for_sync: false }],
  ['InstancesMultiAlloc', [[]], { iallocator: 'hail' }],
  ['MigrateInstance', [inst1], { mode: 'live', cleanup: false }],
  ['MigrateNode', [node1], { mode: 'non-live', target_node: node2 }],
  ['ModifyCluster', [], { candidate_pool_size: 5 }],
  ['ModifyGroup', ['group2'], { alloc_policy: 'unallocable' }],
  [
    'ModifyInstance',
    [inst1],
    { beparams: { vcpus: 2 }, nics: [['add', -1, { mode: 'bridged', link: 'br1' }]] },
  ],
  ['ModifyNetwork', ['net2'], { gateway: '10.99.2.1' }],
  ['ModifyNode', [node2], { drained: true }],
  ['ModifyNodeStorageUnits', [node1, 'lvm-pv', 'sda'], { allocatable: false }],
  ['PowercycleNode', [node2], { force: true }],
  ['PrepareExport', [inst1, 'remote']],
  ['RebootInstance', [inst1], { reboot_type: 'soft', ignore_secondaries: true }],
  ['RecreateInstanceDisks', [inst3], { disks: [0], nodes: [node2] }],
  ['RedistributeConfig', []],
  ['ReinstallInstance', [inst3], { os: 'noop+minimal', no_startup: true, osparams: { size: '1' } }],
  ['RenameGroup', ['group2', 'group3']],
  ['RenameInstance', [inst3, 'renamed.example.com'], { ip_check: false, name_check: false }],
  ['RepairNodeStorageUnits', [node1, 'lvm-vg', 'xenvg']],
  [
    'ReplaceInstanceDisks',
    ['inst11.example.com'],
    { disks: [0], mode: 'replace_new_secondary', remote_node: 'node3.example.com' },
  ],
  ['SetNodeRole', [node2, 'regular'], { force: true, auto_promote: true }],
  ['ShutdownInstance', [inst1], { no_remember: true, timeout: 5 }],
  ['StartupInstance', [inst3], { dry_run: true, no_remember: true }],
]

/** Of the library of 3.1; before, it has no such method. */
const LATER_JOBS: readonly Call[] = [['RenameNetwork', ['net2', 'net3']]]

/** These are refused, by the daemon or by the client itself. */
const REFUSED: readonly Call[] = [
  ['CreateInstance', ['create', 'inst40.example.com', 'bogus', [disk], [{}]]],
  ['ModifyInstance', [inst1], { beparams: 5 }],
  ['GrowInstanceDisk', [inst3, 0, 'much']],
  ['SetNodeRole', [node2, 'bogus']],
  ['RenameInstance', [inst3, 5]],
]

/** Made along with others, or compared elsewhere (modifications.live.ts). */
const ELSEWHERE = ['InstanceAllocation', 'AddFilter', 'ReplaceFilter', 'DeleteFilter', 'CancelJob']

async function callAll(side: Side, calls: readonly Call[]) {
  const { stdout, stderr, status } = await run(
    [
      PYTHON,
      script,
      String(side.tls),
      '/var/lib/ganeti/rapi.pem',
      'writer',
      'writer-pw',
      'ganeti.example.com',
    ],
    {
      input: JSON.stringify(calls.map(([method, positional, keyword = {}]) => [method, positional, keyword])),
    },
  )
  if (status !== 0) throw new Error(stderr)
  return parseJson(stdout) as unknown as { results: Result[]; methods: string[] }
}

t.test('every method of the client library does with ours what it does with the original', async (t) => {
  const jobs = [...JOBS, ...((await ganetiVersion()).startsWith('3.0.') ? [] : LATER_JOBS)]
  const calls = [...READS, ...LISTS, ...jobs, ...REFUSED]
  for (const reads of [READS, LISTS]) {
    const [theirs, ours] = [await callAll(ORIGINAL, reads), await callAll(OURS, reads)]
    for (const [i, [method, positional]] of reads.entries()) {
      t.same(steady(ours.results[i]), steady(theirs.results[i]), `${method}${JSON.stringify(positional)}`)
    }
  }

  await whilePaused(async () => {
    const others = [...jobs, ...REFUSED]
    const [theirs, ours] = [await callAll(ORIGINAL, others), await callAll(OURS, others)]
    for (const [i, [method, positional]] of others.entries()) {
      const name = `${method}${JSON.stringify(positional)}`
      const [their, our] = [theirs.results[i] as Result, ours.results[i] as Result]
      if (their[0] === 'returned' && our[0] === 'returned' && i < jobs.length) {
        t.same((await jobOf(our[1])).ops, (await jobOf(their[1])).ops, name)
      } else {
        t.same(our, their, name)
        t.equal(their[0], 'raised', `${name} is refused`)
      }
    }
    const called = new Set([...calls.map(([method]) => method), ...ELSEWHERE])
    for (const method of ours.methods) t.ok(called.has(method), `${method} was called`)
  })
})

/** What was returned, without what moves from one reading to the next. */
function steady(result: Result | undefined): Json {
  return JSON.parse(JSON.stringify(timeless((result ?? null) as unknown as Json)), (key, value) => {
    if (/^(dfree|mfree|mnode)$/.test(key)) return 'some'
    // The features are a set.
    return Array.isArray(value) && value.includes('node-evac-res1') ? [...value].sort() : value
  })
}

/**
 * What a tool prints of a cluster, without its numbers, and without the nodes
 * whose numbers it doubts: free memory moves from one moment to the next.
 */
async function printed(side: Side, tool: string, args: readonly string[]) {
  const { status, stdout, stderr } = await run([tool, ...args, '-m', `https://localhost:${side.tls}`])
  const text = `${stderr}\n${stdout}`
  const told = text.replace(/^Warning: cluster has inconsistent data:\n(?: *- .*\n)+\n*/m, '')
  return { status, text, wording: told.replace(/-?\d[\d.]*/g, '0').replace(/ +/g, ' ') }
}

t.test("Ganeti's planning tools see the same cluster through both", async (t) => {
  const tools: [tool: string, args: string[], status: number, says: RegExp][] = [
    ['hinfo', [], 0, /^Loaded 3 nodes, 11 instances, 2 node groups$/m],
    ['hbal', ['-G', 'default', '-p', '-C'], 0, /^Selected node group: default$/m],
    ['hspace', ['--machine-readable'], 0, /^HTS_OK=1$/m],
    // It has something to say of this cluster.
    ['hcheck', [], 1, /^Cluster needs rebalancing\.$/m],
  ]
  for (const [tool, args, status, says] of tools) {
    const [theirs, ours] = [await printed(ORIGINAL, tool, args), await printed(OURS, tool, args)]
    t.equal(ours.wording, theirs.wording, tool)
    t.equal(ours.status, status, tool)
    t.match(ours.text, says, tool)
  }
})

t.test('hscan writes the same data of both', async (t) => {
  const scan = async (side: Side) => {
    const dir = mkdtempSync(join(tmpdir(), 'hscan-'))
    const { status } = await run(['hscan', '-d', dir, `https://localhost:${side.tls}`])
    t.equal(status, 0)
    const [file = ''] = readdirSync(dir)
    // Free memory and disk of nodes are the third to the sixth column.
    return readFileSync(join(dir, file), 'utf8').replace(/^(node[^|]*)(\|[^|]*){5}/gm, '$1')
  }
  const [theirs, ours] = [await scan(ORIGINAL), await scan(OURS)]
  t.equal(ours, theirs)
  t.match(ours, /^inst1\.example\.com\|256\|/m)
})

t.test('a client is told what the original tells it, in the same JSON', async (t) => {
  for (const target of ['/2/instances/nosuch', '/2/nope', '/2/instances?bulk=x']) {
    const [theirs, ours] = [await ask(ORIGINAL, target), await ask(OURS, target)]
    if (!isJsonObject(ours.body)) return t.fail(target)
    const { detail, ...body } = ours.body
    t.strictSame(body, theirs.body, target)
    t.equal(detail !== undefined, target.endsWith('nosuch'), 'only what is not there has more to it')
  }
})
