/**
 * The backend that answers from a file, as read into a Config. Where the
 * answer lies outside the file, it is the one that Ganeti's master daemon
 * would give if no node could be reached.
 */
import { randomUUID } from 'node:crypto'
import { Failure } from '../../failure.ts'
import { equalJson, type Json } from '../../json/json.ts'
import type { Config } from '../../model/config.ts'
import { isFinal, type Job, statusOf } from '../../model/job.ts'
import { findHost, findNamed } from '../../model/lookup.ts'
import type { Backend, TagKind } from '../backend.ts'
import type { JobQueue } from './jobs/job-queue.ts'
import { clusterInfo } from './query/fields/cluster-info.ts'
import { jobRow } from './query/fields/job.ts'
import { query, queryFields, queryRows } from './query/query.ts'

/**
 * @param current gives the newest Config; a new object means that something may have changed
 * @param queue runs jobs; without one none can be taken
 */
export function configFileBackend(current: () => Config, queue?: JobQueue): Backend {
  let seen = current()
  let generation = 1
  const rowsOf =
    (what: Parameters<typeof queryRows>[1]): Backend['queryInstances'] =>
    (names, fields, signal) =>
      queryRows(current(), what, names, fields, queue, signal)
  return {
    get generation() {
      const config = current()
      if (config !== seen) generation++
      seen = config
      return generation
    },
    get knownVersion() {
      return current().version
    },
    version: async () => current().version,
    queryClusterInfo: async () => clusterInfo(current()),
    queryTags: async (kind, name) => [...tagsOf(current(), kind, name)].sort(),
    queryInstances: rowsOf('instance'),
    queryNodes: rowsOf('node'),
    queryGroups: rowsOf('group'),
    queryNetworks: rowsOf('network'),
    queryJobs: rowsOf('job'),
    queryFilters: rowsOf('filter'),
    query: (what, fields, filter, signal) => query(current(), what, fields, filter, queue, signal),
    queryFields: async (what, fields) => queryFields(what, fields),
    submitJob: async (opcodes) => (queue ?? noQueue()).submit(opcodes),
    cancelJob: async (id) => (queue ?? noQueue()).cancel(id),
    replaceFilter: async (uuid, rule) => {
      const known = uuid ?? randomUUID()
      await (queue ?? noQueue()).replaceFilter(known, rule)
      return known
    },
    deleteFilter: async (uuid) => (queue ?? noQueue()).deleteFilter(uuid),
    async waitForJobChange(id, fields, { jobInfo, logSerial }, timeout, signal) {
      const job = queue?.job(id)
      if (!queue || !job) throw new Failure('not-found', `Job ${id} not found`)
      const row = jobRow(fields)
      const look = () => jobNews(queue.job(id), (one) => row(one, current()), jobInfo, logSerial)
      return (await queue.waitFor(job.id, look, timeout, signal)) ?? null
    },
    close: async () => queue?.close(),
  }
}

function noQueue(): never {
  throw new Failure('unavailable', 'No job can be taken: cluster state is read from a file')
}

interface JobNews {
  readonly jobInfo: Json
  readonly logEntries: Json
}

/**
 * What somebody does not know of a job who knows this much.
 * @returns undefined for nothing, unless the job has ended: there will be no more
 */
function jobNews(
  job: Job | undefined,
  row: (job: Job) => readonly Json[],
  knownInfo: Json,
  knownSerial: Json,
): JobNews | undefined {
  if (!job) return undefined
  const jobInfo = row(job)
  const logEntries = job.ops.flatMap(({ log }) => log).filter(([serial]) => serial > Number(knownSerial ?? 0))
  const nothing = !isFinal(statusOf(job)) && equalJson(jobInfo, knownInfo) && logEntries.length === 0
  return nothing ? undefined : { jobInfo, logEntries }
}

function tagsOf(
  { cluster, instances, networks, nodes, groups }: Config,
  kind: TagKind,
  name: string,
): readonly string[] {
  switch (kind) {
    case 'cluster':
      return cluster.tags
    case 'instance':
      return findHost('Instance', instances, name).tags
    case 'network':
      return findNamed('Network', networks, name).tags
    case 'node':
      return findHost('Node', nodes, name).tags
    case 'nodegroup':
      return findNamed('NodeGroup', groups, name).tags
  }
}
