/**
 * The cluster, under the names, labels and units of Ganeti's own exporter
 * (prometheus-ganeti-exporter 1.1, and what was added to it since), so that its dashboards work without it.
 * Missing are the values that need another program, hbal or hspace.
 *
 * A value that Ganeti does not know, such as the memory of an offline node, has
 * no sample.
 */
import type { Backend } from '../backend/backend.ts'
import type { Json } from '../json/json.ts'
import type { JobStatus } from '../model/job.ts'
import { lastVerification, secondsOf, type Verification } from './cluster-verify.ts'
import { exclusionIsKept } from './exclusion-tags.ts'
import { type Family, gauge, type Labels } from './family.ts'

const NODE_FIELDS = [
  'name',
  'offline',
  'ctotal',
  'dfree',
  'dtotal',
  'mfree',
  'mtotal',
  'pinst_cnt',
  'sinst_cnt',
]
/** The fields with a metric of their own, and what they are. */
const NODE_METRICS: readonly (readonly [field: string, help: string])[] = [
  ['ctotal', 'CPUs of the node.'],
  ['dfree', 'Free disk space of the node in MiB.'],
  ['dtotal', 'Disk space of the node in MiB.'],
  ['mfree', 'Free memory of the node in MiB.'],
  ['mtotal', 'Memory of the node in MiB.'],
  ['pinst_cnt', 'Instances whose primary node it is.'],
  ['sinst_cnt', 'Instances whose secondary node it is.'],
]
const INSTANCE_FIELDS = ['name', 'status', 'pnode', 'snodes', 'oper_state', 'oper_vcpus', 'oper_ram', 'tags']
const JOB_FIELDS = ['id', 'status', 'summary', 'received_ts', 'start_ts', 'end_ts']

/**
 * The newest jobs that have series of their own. The dashboards need them, but each job makes new series, of which
 * Prometheus keeps an index.
 */
const JOBS_SHOWN = 500

/** Every status of a job: each has a sample, if only of 0. */
const JOB_STATUSES: readonly JobStatus[] = [
  'queued',
  'waiting',
  'canceling',
  'running',
  'canceled',
  'success',
  'error',
]

type Row = readonly Json[]

/** What was asked of a cluster at one time. */
export interface ClusterValues {
  readonly name: string
  readonly nodes: readonly Row[]
  readonly instances: readonly Row[]
  /** The newest first. */
  readonly jobs: readonly Row[]
  readonly tags: readonly string[]
  /** The last verification; undefined if there is none in the queue. */
  readonly verification: Verification | undefined
}

/**
 * Asks for everything that is needed.
 * @throws Failure as the backend has them
 */
export async function askCluster(backend: Backend): Promise<ClusterValues> {
  const [info, tags, nodes, instances, jobs] = await Promise.all([
    backend.queryClusterInfo(),
    backend.queryTags('cluster', ''),
    backend.queryNodes([], NODE_FIELDS),
    backend.queryInstances([], INSTANCE_FIELDS),
    backend.queryJobs([], JOB_FIELDS),
  ])
  const newest = [...jobs].sort((one, other) => Number(other[0]) - Number(one[0]))
  const verifications = newest.filter(
    (job) => job[1] === 'success' && operationOf(job[2]) === 'OP_CLUSTER_VERIFY',
  )
  const verification = await lastVerification(
    backend,
    verifications.map(([id]) => String(id)),
  )
  return { name: String(info.name), nodes, instances, jobs: newest, tags, verification }
}

/** The families of a cluster. */
export function* clusterFamilies(values: ClusterValues): Generator<Family> {
  const { name: cluster, nodes, instances, jobs, tags, verification } = values
  const one = (name: string, help: string, value: number) => gauge(name, help, [[{ cluster }, value]])
  const offline = nodes.filter((row) => row[1] === true).length
  yield one('ganeti_cluster_instance_count', 'Instances.', instances.length)
  yield one('ganeti_cluster_node_count', 'Nodes.', nodes.length)
  yield one('ganeti_cluster_offline_nodes', 'Nodes that are marked offline.', offline)
  yield gauge(
    'ganeti_cluster_jobs',
    'Jobs in the queue, by status.',
    counted(JOB_STATUSES, jobs, 1).map(([job_status, count]) => [{ cluster, job_status }, count]),
  )
  for (const [field, help] of NODE_METRICS) {
    yield gauge(`ganeti_node_${field}`, help, known(nodes, { cluster }, 'node', NODE_FIELDS.indexOf(field)))
  }
  const running = instances.filter((row) => row[4] === true)
  const [primary, secondary] = [new Map<string, number>(), new Map<string, number>()]
  for (const [, , pnode, snodes, , vcpus] of running) {
    add(primary, pnode, vcpus)
    for (const snode of Array.isArray(snodes) ? snodes : []) add(secondary, snode, vcpus)
  }
  const ofNodes = (sums: ReadonlyMap<string, number>) =>
    nodes.map(([node]) => [{ cluster, node: String(node) }, sums.get(String(node)) ?? 0] as const)
  yield gauge(
    'ganeti_node_p_oper_vcpus',
    'CPUs of the running instances whose primary node it is.',
    ofNodes(primary),
  )
  yield gauge(
    'ganeti_node_s_oper_vcpus',
    'CPUs of the running instances whose secondary node it is.',
    ofNodes(secondary),
  )
  const orZero = instances.map((row) => (row[4] === true ? row : [row[0] ?? null, ...ZEROS]))
  yield gauge(
    'ganeti_instance_oper_vcpus',
    'CPUs of the instance; 0 if it does not run.',
    known(orZero, { cluster }, 'instance', 5),
  )
  yield gauge(
    'ganeti_instance_oper_ram',
    'Memory of the instance in MiB; 0 if it does not run.',
    known(orZero, { cluster }, 'instance', 6),
  )
  const statuses = [...new Set(instances.map((row) => String(row[1])))].sort()
  yield gauge(
    'ganeti_instances',
    'Instances, by status.',
    counted(statuses, instances, 1).map(([status, count]) => [{ cluster, status }, count]),
  )
  const onNodes = running.map((row) => ({ node: String(row[2]), tags: Array.isArray(row[7]) ? row[7] : [] }))
  yield one(
    'ganeti_instance_exclusion_tag_health',
    'Whether no two running instances with a common exclusion tag (htools:iextags) are on one node.',
    exclusionIsKept(tags, onNodes) ? 1 : 0,
  )
  if (verification) {
    const { passed, begin, end } = verification
    yield one('ganeti_cluster_verify_job', 'Whether the last verification found no errors.', passed ? 1 : 0)
    yield one('ganeti_cluster_verify_job_start_time', 'When the last verification began.', begin)
    yield one('ganeti_cluster_verify_job_end_time', 'When the last verification ended.', end)
  }
  const newest = jobs.slice(0, JOBS_SHOWN)
  yield gauge(
    'ganeti_job_wait_time',
    'Seconds that the job waited in the queue.',
    times(newest, cluster, 3, 4),
  )
  yield gauge('ganeti_job_run_time', 'Seconds that the job ran.', times(newest, cluster, 4, 5))
}

/** In place of the fields of an instance that does not run. */
const ZEROS = INSTANCE_FIELDS.slice(1).map(() => 0)

/** The values of a column that are numbers. */
function* known(
  rows: readonly Row[],
  common: Labels,
  label: string,
  column: number,
): Generator<readonly [Labels, number]> {
  for (const row of rows) {
    const value = row[column]
    if (typeof value === 'number') yield [{ ...common, [label]: String(row[0]) }, value]
  }
}

function counted(
  values: readonly string[],
  rows: readonly Row[],
  column: number,
): readonly (readonly [value: string, count: number])[] {
  const counts = new Map<string, number>(values.map((value) => [value, 0]))
  for (const row of rows) counts.set(String(row[column]), (counts.get(String(row[column])) ?? 0) + 1)
  return [...counts]
}

function add(sums: Map<string, number>, name: Json | undefined, value: Json | undefined): void {
  if (typeof value === 'number') sums.set(String(name), (sums.get(String(name)) ?? 0) + value)
}

/** The seconds from one time of each job to another; without jobs that have not both. */
function* times(
  jobs: readonly Row[],
  cluster: string,
  from: number,
  to: number,
): Generator<readonly [Labels, number]> {
  for (const job of jobs) {
    const [begin, end] = [secondsOf(job[from]), secondsOf(job[to])]
    if (begin === undefined || end === undefined) continue
    yield [{ cluster, job_id: String(job[0]), job_operation: operationOf(job[2]) }, end - begin]
  }
}

/** The first opcode of a job, from its summary: `INSTANCE_STARTUP(web1)` is of OP_INSTANCE_STARTUP. */
function operationOf(summary: Json | undefined): string {
  const [, name] = /^(\w+)/.exec(Array.isArray(summary) ? String(summary[0]) : '') ?? []
  return name === undefined ? 'unknown' : `OP_${name}`
}
