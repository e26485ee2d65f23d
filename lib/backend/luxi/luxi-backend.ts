/**
 * The backend of a live cluster: each verb of the seam is a call to the master
 * daemon on this node, whose answers are nearly the seam's own already.
 *
 * Nothing is kept from one request to the next, but what is the same for all
 * of them: the version (see MasterVersion), the fields of OSes and the like (see JobQueries).
 */
import type { TokenBucket } from '../../concurrency/token-bucket.ts'
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json } from '../../json/json.ts'
import { withoutPrivateValues } from '../../model/private-values.ts'
import { type Backend, MOST_QUERY_BYTES, type QueryResource } from '../backend.ts'
import { LuxiClient, type LuxiClientOptions } from './client.ts'
import { JobQueries, submit, WAIT_ALLOWANCE } from './job-queries.ts'
import { MasterVersion } from './master-version.ts'
import { fieldDefinitions, jobChange, jobRows, queryResult, rowsIn, unexpected } from './results.ts'

/** What the master daemon can be asked for. */
const BY_QUERY: ReadonlySet<string> = new Set<QueryResource>([
  'export',
  'filter',
  'group',
  'instance',
  'job',
  'lock',
  'network',
  'node',
])
/** What the master daemon cannot be asked for, though the opcode OP_QUERY can (Ganeti's qlang.py). */
const BY_JOB: ReadonlySet<string> = new Set<QueryResource>(['cluster', 'os'])

/** Greater job ids do not fit what Ganeti keeps them in, where they turn into others. */
const GREATEST_JOB = 2n ** 63n - 1n

export interface LuxiBackendOptions extends Omit<LuxiClientOptions, 'met'> {
  /** For how long to put off the next job that answers a query. */
  readonly queryRate?: Pick<TokenBucket, 'reserve'>
}

export interface MasterBackend extends Backend {
  /**
   * As `queryJobs`, but without those that do not exist.
   * @param ids null for all
   */
  jobsThere(ids: readonly string[] | null, fields: readonly string[]): Promise<readonly (readonly Json[])[]>
  /**
   * Asks the master daemon for something small, over a connection of its own, so that other calls do not delay it.
   * @param patience milliseconds until it must have answered
   * @throws Failure `no-master`, `no-answer`, `bad-answer`
   */
  ping(patience: number): Promise<void>
}

/** @param sockets the paths at which the master daemon may listen, the best one first */
export function luxiBackend(
  sockets: readonly string[],
  { queryRate, ...options }: LuxiBackendOptions = {},
): MasterBackend {
  const client: LuxiClient = new LuxiClient(sockets, { ...options, met: () => version.meet() })
  const version = new MasterVersion(client)
  const jobs = new JobQueries(client, queryRate)

  const rowsOf =
    (method: string, noun: string): Backend['queryInstances'] =>
    async (names, fields, signal) => {
      const rows = rowsIn(await client.read(method, [names, fields, false], signal))
      if (rows.length >= names.length) return rows
      throw new Failure('not-found', `${noun} name ${names.join(', ')} not found`)
    }

  return {
    generation: null,
    get knownVersion() {
      return version.known
    },
    version: () => version.ask(),

    async queryClusterInfo() {
      const info = await client.read('QueryClusterInfo', [])
      if (!isJsonObject(info)) throw unexpected('what it knows of the cluster')
      return info
    },

    async queryTags(kind, name) {
      const tags = await client.read('QueryTags', [kind, name])
      if (!Array.isArray(tags)) throw unexpected('tags')
      return [...tags].sort()
    },

    queryInstances: rowsOf('QueryInstances', 'Instance'),
    queryNodes: rowsOf('QueryNodes', 'Node'),
    queryGroups: rowsOf('QueryGroups', 'NodeGroup'),
    queryNetworks: rowsOf('QueryNetworks', 'Network'),

    async queryJobs(ids, fields, signal) {
      if (ids.length === 0) return jobRows(await client.read('QueryJobs', [null, fields], signal))
      for (const id of ids) if (BigInt(id) > GREATEST_JOB) throw unknownJob(id)
      // Unknown jobs have a row as well, of nulls; each known one has a status.
      const rows = jobRows(await client.read('QueryJobs', [ids, [...fields, 'status']], signal))
      for (const [place, id] of ids.entries()) {
        if ((rows[place]?.at(-1) ?? null) === null) throw unknownJob(id)
      }
      return rows.map((row) => row.slice(0, -1))
    },

    async jobsThere(ids, fields) {
      const rows = jobRows(await client.read('QueryJobs', [ids, [...fields, 'status']]))
      return rows.filter((row) => (row.at(-1) ?? null) !== null).map((row) => row.slice(0, -1))
    },

    async queryFilters(uuids, fields, signal) {
      const args = [uuids.length > 0 ? uuids : null, fields]
      const rows = rowsIn(await client.read('QueryFilters', args, signal))
      if (rows.length < uuids.length) {
        throw new Failure('not-found', `Filter rule UUID ${uuids.join(', ')} not found`)
      }
      return rows
    },

    async query(what, fields, filter, signal) {
      checkResource(what)
      if (BY_JOB.has(what)) return jobs.query(what, fields, filter, signal)
      const asked = client.read('Query', [what, fields, filter], signal, MOST_QUERY_BYTES)
      const answer = await (what === 'job' ? asked.catch(withoutPrivateText) : asked)
      return queryResult(what === 'job' ? withoutPrivateValues(answer) : answer)
    },

    async queryFields(what, fields) {
      checkResource(what)
      if (BY_JOB.has(what)) return jobs.queryFields(what, fields)
      return fieldDefinitions(await client.read('QueryFields', [what, fields]))
    },

    submitJob: async (opcodes) => submit(client, opcodes),

    /**
     * For each wait, the master daemon needs an inotify instance, of which Linux allows a user 128, and it needs them
     * for running jobs too: when they are used up it drops connections. See waitingByEvents.
     */
    async waitForJobChange(id, fields, { jobInfo, logSerial }, timeout, signal) {
      if (BigInt(id) > GREATEST_JOB) throw unknownJob(id)
      const seconds = Math.ceil(timeout)
      const args = [id, fields, jobInfo, logSerial, seconds]
      try {
        // Asked to wait no time at all, the master daemon tells at once how things are.
        if (seconds === 0) return jobChange(await client.read('WaitForJobChange', args))
        const patience = seconds * 1000 + WAIT_ALLOWANCE
        return jobChange(await client.wait('WaitForJobChange', args, patience, signal))
      } catch (error) {
        throw error instanceof Failure && error.code === 'not-found' ? unknownJob(id) : error
      }
    },

    async cancelJob(id) {
      const outcome =
        BigInt(id) > GREATEST_JOB
          ? [false, `Job ${id} not found in queue`]
          : await client.change('CancelJob', [BigInt(id), false])
      if (!Array.isArray(outcome) || outcome.length !== 2) throw unexpected('what became of a job')
      return [outcome[0] === true, String(outcome[1])]
    },

    async replaceFilter(uuid, { priority, predicates, action, reason }) {
      return String(await client.change('ReplaceFilter', [uuid, priority, predicates, action, reason]))
    },

    async deleteFilter(uuid) {
      await client.change('DeleteFilter', [uuid])
    },

    ping: async (patience) => {
      await client.wait('QueryClusterInfo', [], patience)
    },

    close: async () => client.close(),
  }
}

function checkResource(what: string): void {
  if (BY_QUERY.has(what) || BY_JOB.has(what)) return
  throw new Failure('invalid', `Unknown query resource '${what}'`)
}

function unknownJob(id: string): Failure {
  return new Failure('not-found', `Job ${id} not found`)
}

/** A filter that does not fit a value fails with a message that quotes it; one with private values is not told. */
function withoutPrivateText(error: unknown): never {
  if (error instanceof Failure && /osparams_(private|secret)/.test(error.message))
    throw new Failure(error.code, 'The filter does not fit a value that has private parameters')
  throw error
}
