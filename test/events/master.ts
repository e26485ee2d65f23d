/**
 * A live cluster for the tests of its events: the queue is a real folder, as
 * Ganeti writes it, and the master daemon tells what a test says of its jobs and
 * objects, and counts what it is asked.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { MasterBackend } from '../../lib/backend/luxi/luxi-backend.ts'
import type { Event, EventType } from '../../lib/events/event.ts'
import { MasterSource } from '../../lib/events/master-source.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { isFinal, type JobStatus } from '../../lib/model/job.ts'

interface TestJob {
  status: JobStatus
  ops: Json
  oplog: Json
  opresult: Json
}

const OPS = [
  {
    OP_ID: 'OP_INSTANCE_STARTUP',
    instance_name: 'web.example.com',
    reason: [['gnt:library:rlib2:instances_name_startup', 'user=alice;request=r1', 1n]],
  },
]

export function master(t: Test) {
  const folder = t.testdir({ queue: {}, 'config.data': 'x', ssconf_master_node: 'n1\n' })
  const queue = join(folder, 'queue')
  const jobs = new Map<number, TestJob>()
  const asked: (readonly [string, ...Json[]])[] = []
  const objects: { [kind: string]: Json[][] } = {
    instance: [['u1', 'web', 1, 1]],
    node: [['u2', 'n1', 1, 1]],
    group: [],
    network: [],
  }
  const state = { isAway: false, clusterMtime: 1, info: 0 }
  const check = (...call: readonly [string, ...Json[]]) => {
    asked.push(call)
    if (state.isAway) throw new Failure('no-master', 'away')
  }
  const value = (id: number, job: TestJob, field: string): Json => {
    switch (field) {
      case 'id':
        return id
      case 'summary':
        return ['INSTANCE_STARTUP(web.example.com)']
      case 'opstatus':
        return [job.status]
      case 'end_ts':
        return isFinal(job.status) ? [Math.floor(Date.now() / 1000), 0] : null
      case 'received_ts':
        return [1, 0]
      case 'start_ts':
        return null
      default:
        return (job as unknown as { [field: string]: Json })[field] ?? null
    }
  }
  const rowsOf = (kind: string) => async (_names: readonly string[], fields: readonly string[]) => {
    check(kind, [...fields])
    return (objects[kind] as Json[][]).map((row) =>
      fields[0] === 'uuid'
        ? row
        : fields.map((field) => (field === 'name' ? (row[1] as Json) : (row[4] ?? null))),
    )
  }
  const backend = {
    queryClusterInfo: async () => {
      check('cluster')
      return { name: 'c', uuid: 'uc', master: 'n1', mtime: state.clusterMtime }
    },
    jobsThere: async (ids: readonly string[] | null, fields: readonly string[]) => {
      check('jobs', ids && [...ids], [...fields])
      return [...jobs]
        .filter(([id]) => ids === null || ids.includes(String(id)))
        .map(([id, job]) => fields.map((field) => value(id, job, field)))
    },
    queryInstances: rowsOf('instance'),
    queryNodes: rowsOf('node'),
    queryGroups: rowsOf('group'),
    queryNetworks: rowsOf('network'),
  } as unknown as MasterBackend
  /** Changes a job as Ganeti does: its file is renamed into place. */
  const put = (id: number, status: JobStatus, more: Partial<TestJob> = {}) => {
    jobs.set(id, { ops: OPS, oplog: [[]], opresult: [null], ...jobs.get(id), status, ...more })
    writeFileSync(join(queue, `.job-${id}.tmp`), `${status} ${Math.random()}`)
    renameSync(join(queue, `.job-${id}.tmp`), join(queue, `job-${id}`))
  }
  const archive = (id: number) => {
    jobs.delete(id)
    rmSync(join(queue, `job-${id}`))
  }
  const log: string[] = []
  const logger = {
    warning: (message: string) => log.push(message),
    info: (message: string) => log.push(message),
  }
  const events: Event[] = []
  const emit = (event: Event) => events.push(event)
  const source = new MasterSource({
    backend,
    files: { queue, config: join(folder, 'config.data'), master: join(folder, 'ssconf_master_node') },
    node: 'n1',
    log: logger,
  })
  t.teardown(() => source.stop())
  const follow = async (...types: EventType[]) => {
    source.attend(new Set(types))
    await source.begin(emit)
  }
  const short = () =>
    events.filter(({ type }) => type === 'job').map(({ data }) => `${data.id} ${data.status}`)
  const jobCalls = () => asked.filter(([what]) => what === 'jobs')
  return {
    ...{ folder, queue, backend, jobs, asked, objects, state, put, archive, log, logger },
    ...{ events, emit, source, follow, short, jobCalls },
  }
}
