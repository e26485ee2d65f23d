import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { askCluster, clusterFamilies } from '../../lib/metrics/cluster-metrics.ts'

const NODES: readonly Record<string, Json>[] = [
  {
    name: 'n1',
    offline: false,
    ctotal: 8,
    dfree: 100,
    dtotal: 200,
    mfree: 10,
    mtotal: 20,
    pinst_cnt: 2,
    sinst_cnt: 0,
  },
  {
    name: 'n2',
    offline: true,
    ctotal: null,
    dfree: null,
    dtotal: null,
    mfree: null,
    mtotal: null,
    pinst_cnt: 0,
    sinst_cnt: 1,
  },
]
const INSTANCES: readonly Record<string, Json>[] = [
  {
    name: 'web',
    status: 'running',
    pnode: 'n1',
    snodes: ['n2'],
    oper_state: true,
    oper_vcpus: 3,
    oper_ram: 512,
    tags: ['service:dns', 'x'],
  },
  {
    name: 'two',
    status: 'running',
    pnode: 'n1',
    snodes: [],
    oper_state: true,
    oper_vcpus: 4,
    oper_ram: 64,
    tags: ['x', 'service:dns'],
  },
  {
    name: 'down',
    status: 'ADMIN_down',
    pnode: 'n1',
    snodes: ['n2'],
    oper_state: false,
    oper_vcpus: null,
    oper_ram: null,
  },
  {
    name: 'lost',
    status: 'ERROR_nodedown',
    pnode: 'n2',
    snodes: [],
    oper_state: null,
    oper_vcpus: null,
    oper_ram: null,
  },
]
const JOBS: readonly Record<string, Json>[] = [
  {
    id: 9,
    status: 'success',
    summary: ['INSTANCE_STARTUP(web)', 'TAGS_SET'],
    received_ts: [100, 999_999],
    start_ts: [103, 1],
    end_ts: [110, 0],
  },
  {
    id: 10,
    status: 'running',
    summary: ['CLUSTER_VERIFY'],
    received_ts: [100, 0],
    start_ts: [101, 0],
    end_ts: null,
  },
  { id: 11, status: 'queued', summary: [], received_ts: [100, 0], start_ts: null, end_ts: null },
]

const rowsOf = (objects: readonly Record<string, Json>[]) => async (_: unknown, fields: readonly string[]) =>
  objects.map((one) => fields.map((field) => one[field] ?? null))

function unknown(): never {
  throw new Failure('not-found', 'no such job')
}

async function samplesOf(jobs = JOBS, tags: readonly string[] = []) {
  const backend = {
    queryClusterInfo: async () => ({ name: 'c' }),
    queryTags: async () => tags,
    queryNodes: rowsOf(NODES),
    queryInstances: rowsOf(INSTANCES),
    queryJobs: async (ids: readonly string[], fields: readonly string[]) =>
      ids.length === 0
        ? rowsOf(jobs)(ids, fields)
        : rowsOf(ids.map((id) => jobs.find((job) => String(job.id) === id) ?? unknown()))(ids, fields),
  }
  const families = [...clusterFamilies(await askCluster(backend as unknown as Backend))]
  const found: Record<string, Record<string, number>> = {}
  for (const { name, samples } of families) {
    found[name] = {}
    for (const { labels, value } of samples) {
      const { cluster, ...others } = labels
      t.equal(cluster, 'c')
      ;(found[name] as Record<string, number>)[Object.entries(others).join(' ')] = value
    }
  }
  return found
}

t.test(
  'the cluster has the values of its nodes, instances and jobs, and none that are not known',
  async (t) => {
    t.strictSame(await samplesOf(), {
      ganeti_cluster_instance_count: { '': 4 },
      ganeti_cluster_node_count: { '': 2 },
      ganeti_cluster_offline_nodes: { '': 1 },
      ganeti_cluster_jobs: {
        'job_status,queued': 1,
        'job_status,waiting': 0,
        'job_status,canceling': 0,
        'job_status,running': 1,
        'job_status,canceled': 0,
        'job_status,success': 1,
        'job_status,error': 0,
      },
      ganeti_node_ctotal: { 'node,n1': 8 },
      ganeti_node_dfree: { 'node,n1': 100 },
      ganeti_node_dtotal: { 'node,n1': 200 },
      ganeti_node_mfree: { 'node,n1': 10 },
      ganeti_node_mtotal: { 'node,n1': 20 },
      ganeti_node_pinst_cnt: { 'node,n1': 2, 'node,n2': 0 },
      ganeti_node_sinst_cnt: { 'node,n1': 0, 'node,n2': 1 },
      ganeti_node_p_oper_vcpus: { 'node,n1': 7, 'node,n2': 0 },
      ganeti_node_s_oper_vcpus: { 'node,n1': 0, 'node,n2': 3 },
      ganeti_instance_oper_vcpus: {
        'instance,web': 3,
        'instance,two': 4,
        'instance,down': 0,
        'instance,lost': 0,
      },
      ganeti_instance_oper_ram: {
        'instance,web': 512,
        'instance,two': 64,
        'instance,down': 0,
        'instance,lost': 0,
      },
      ganeti_instances: { 'status,ADMIN_down': 1, 'status,ERROR_nodedown': 1, 'status,running': 2 },
      ganeti_instance_exclusion_tag_health: { '': 1 },
      ganeti_job_wait_time: {
        'job_id,10 job_operation,OP_CLUSTER_VERIFY': 1,
        'job_id,9 job_operation,OP_INSTANCE_STARTUP': 3,
      },
      ganeti_job_run_time: { 'job_id,9 job_operation,OP_INSTANCE_STARTUP': 7 },
    })
  },
)

t.test('only the newest five hundred jobs have series of their own', async (t) => {
  const [first = {}] = JOBS
  const many = Array.from({ length: 700 }, (_, index) => ({ ...first, id: index + 1 }))
  const { ganeti_job_run_time: times = {}, ganeti_cluster_jobs: counts } = await samplesOf(many)
  t.equal(Object.keys(times).length, 500)
  t.ok('job_id,700 job_operation,OP_INSTANCE_STARTUP' in times)
  t.notOk('job_id,200 job_operation,OP_INSTANCE_STARTUP' in times)
  t.equal(counts?.['job_status,success'], 700)
})

t.test('exclusion tags are kept unless two running instances of a node have the same', async (t) => {
  const health = async (...tags: string[]) => {
    const { ganeti_instance_exclusion_tag_health: found } = await samplesOf(JOBS, tags)
    return found?.['']
  }
  t.equal(await health(), 1)
  t.equal(await health('service', 'htools:iextags:web'), 1)
  t.equal(await health('htools:iextags:service'), 0)
  t.equal(await health('htools:iextags:web', 'htools:iextags:x'), 0)
})

t.test('of the verifications, the newest counts whose jobs have all ended', async (t) => {
  const times = { received_ts: [100, 0], start_ts: [100, 0] }
  const verify = (id: number, ...children: number[]) => ({
    ...times,
    id,
    status: 'success',
    summary: ['CLUSTER_VERIFY'],
    start_ts: [id * 10, 0],
    end_ts: [id * 10 + 1, 0],
    opresult: [{ jobs: children.map((child) => [true, child]) }],
  })
  const child = (id: number, result: Json, more: Record<string, Json> = {}) => ({
    ...times,
    id,
    status: 'success',
    summary: ['CLUSTER_VERIFY_GROUP(g)'],
    opresult: [result],
    end_ts: [id * 10, 5],
    ...more,
  })
  const verification = async (...jobs: Record<string, Json>[]) => {
    const found = await samplesOf(jobs)
    return ['', '_start_time', '_end_time'].map((name) => found[`ganeti_cluster_verify_job${name}`]?.[''])
  }
  const passed = [verify(1, 2, 3), child(2, true), child(3, true)]
  t.strictSame(await verification(...passed), [1, 10, 30])
  t.strictSame(await verification(verify(1, 2, 3), child(2, true), child(3, false)), [0, 10, 30])
  const broken = child(3, null, { status: 'error' })
  t.strictSame(await verification(verify(1, 2, 3), child(2, true), broken), [0, 10, 30])
  const running = child(5, null, { status: 'running', end_ts: null })
  t.strictSame(await verification(...passed, verify(4, 5), running), [1, 10, 30], 'the newest has not ended')
  t.strictSame(await verification(...passed, verify(4, 99)), [1, 10, 30], 'a job of the newest is archived')
  t.strictSame(await verification(...passed, verify(4, 5), child(5, true)), [1, 40, 50])
  t.strictSame(await verification(child(2, true)), [undefined, undefined, undefined])
})
