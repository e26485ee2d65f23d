/**
 * The backend of a live cluster: each verb of the seam is a call to the master
 * daemon on this node, whose answers are nearly the seam's own already.
 *
 * Nothing is kept from one request to the next, but what is the same for all
 * of them: the version (see MasterVersion), the fields of OSes and the like (see JobQueries).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json, type JsonObject, stringifyJson } from '../../json.ts'
import { withoutPrivateValues } from '../../model/private-values.ts'
import { type Version, versionFrom } from '../../model/version.ts'
import { TokenBucket } from '../../token-bucket.ts'
import {
  type Backend,
  type FieldDefinition,
  MOST_QUERY_BYTES,
  type QueryResource,
  type QueryResult,
} from '../backend.ts'
import { refusal } from './answer.ts'
import { type ClientLimits, LuxiClient } from './client.ts'
import { timeUntil } from './connection.ts'
import { RequestCoalescer } from './request-coalescer.ts'
import { Semaphore } from './semaphore.ts'

type Rows = readonly (readonly Json[])[]

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

/**
 * The most waits at once that may be asked of it. For each, the master daemon
 * needs an inotify instance, of which Linux allows a user 128, and it needs
 * them for running jobs too: when they are used up it drops connections.
 */
export const MAX_WAITS = 64
/** Milliseconds that a wait may take beyond what it asks for; as long as Ganeti's clients wait for any answer. */
const WAIT_ALLOWANCE = 60_000

/** Jobs at once that answer queries. */
const QUERY_JOBS = 4
/** So many of them go without a pause, then so many a second: every user may ask, and Ganeti keeps each job for hours. */
const QUERY_BURST = 500
const QUERIES_PER_SECOND = 1
/** Milliseconds until such a job must be through, its waiting for a turn included. */
const JOB_PATIENCE = 60_000
/** Seconds that we wait for a change of it at a time, as Ganeti's own daemon. */
const WAIT_STEP = 20

/** Greater job ids do not fit what Ganeti keeps them in, where they turn into others. */
const GREATEST_JOB = 2n ** 63n - 1n

/**
 * @param sockets the paths at which the master daemon may listen, the best one first
 * @param queryRate for how long to put off the next job that answers a query
 */
export function luxiBackend(
  sockets: readonly string[],
  limits?: Partial<ClientLimits>,
  queryRate: Pick<TokenBucket, 'reserve'> = new TokenBucket(QUERY_BURST, QUERIES_PER_SECOND),
): Backend {
  const client: LuxiClient = new LuxiClient(sockets, limits, () => version.meet())
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
      const answer = await client.read('Query', [what, fields, filter], signal, MOST_QUERY_BYTES)
      return queryResult(what === 'job' ? withoutPrivateValues(answer) : answer)
    },

    async queryFields(what, fields) {
      checkResource(what)
      if (BY_JOB.has(what)) return jobs.queryFields(what, fields)
      return fieldDefinitions(await client.read('QueryFields', [what, fields]))
    },

    submitJob: async (opcodes) => submit(client, opcodes),

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

    close: async () => client.close(),
  }
}

/**
 * The version of the master daemon. It stays the same as long as a connection
 * to it stands; the one that is met after that may be of another version.
 */
class MasterVersion {
  readonly #client: LuxiClient
  #known: Version | undefined
  #asking: Promise<Version> | undefined
  #isOld = true

  constructor(client: LuxiClient) {
    this.#client = client
  }

  /** The last one that was heard of. */
  get known(): Version | undefined {
    return this.#known
  }

  /** To be called when a master daemon is met. */
  meet(): void {
    this.#isOld = true
    this.ask().catch(() => {})
  }

  /** @throws Failure as `LuxiClient.read` */
  async ask(): Promise<Version> {
    if (this.#known && !this.#isOld && this.#client.connected) return this.#known
    this.#asking ??= this.#read().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #read(): Promise<Version> {
    const info = await this.#client.read('QueryClusterInfo', [])
    const version = isJsonObject(info) ? versionFrom(String(info.software_version)) : undefined
    if (!version) throw unexpected('its version')
    this.#known = version
    this.#isOld = false
    return version
  }
}

/**
 * Queries that only a job can answer, as Ganeti's own daemon does for `/2/os`.
 * They change nothing, so they are shared like other reads; and as fields are
 * part of Ganeti itself, a job for their definitions is submitted but once.
 */
class JobQueries {
  readonly #client: LuxiClient
  readonly #places = new Semaphore(QUERY_JOBS)
  readonly #shared = new RequestCoalescer<Json>()
  readonly #definitions = new Map<string, readonly FieldDefinition[]>()
  readonly #rate: Pick<TokenBucket, 'reserve'>

  constructor(client: LuxiClient, rate: Pick<TokenBucket, 'reserve'>) {
    this.#client = client
    this.#rate = rate
  }

  async query(
    what: string,
    fields: readonly string[],
    qfilter: Json,
    signal?: AbortSignal,
  ): Promise<QueryResult> {
    const opcode = { OP_ID: 'OP_QUERY', what, fields, qfilter, use_locking: false, reason: [] }
    return queryResult(await this.#run(opcode, signal))
  }

  async queryFields(what: string, fields: readonly string[] | null): Promise<readonly FieldDefinition[]> {
    let definitions = this.#definitions.get(what)
    if (!definitions) {
      definitions = fieldDefinitions(
        await this.#run({ OP_ID: 'OP_QUERY_FIELDS', what, fields: null, reason: [] }),
      )
      this.#definitions.set(what, definitions)
    }
    if (fields === null) return definitions
    const byName = new Map(definitions.map((definition) => [definition.name, definition]))
    return fields.map((name) => byName.get(name) ?? unknownField(name))
  }

  /** Gives the result of a job of one opcode; it is submitted once for all who ask the same. */
  #run(opcode: JsonObject, signal?: AbortSignal): Promise<Json> {
    const deadline = performance.now() + JOB_PATIENCE
    const ask = async () => {
      await sleep(this.#rate.reserve(), undefined, { ref: false })
      return this.#result(await submit(this.#client, [opcode]), deadline)
    }
    const inTurn = (wanted: AbortSignal) => this.#places.run(deadline, ask, wanted)
    return this.#shared.run(stringifyJson(opcode), inTurn, signal)
  }

  async #result(id: number, deadline: number): Promise<Json> {
    let known: Json = null
    while (timeUntil(deadline) > 0) {
      const args = [id, ['status', 'opresult'], known, null, WAIT_STEP]
      const change = jobChange(
        await this.#client.wait('WaitForJobChange', args, WAIT_STEP * 1000 + WAIT_ALLOWANCE),
      )
      known = change?.jobInfo ?? known
      const [status, results] = Array.isArray(known) ? known : []
      const result = Array.isArray(results) ? (results[0] ?? null) : null
      if (status === 'success') return result
      if (status === 'error') throw refusal(result)
      if (status === 'canceled')
        throw new Failure('unavailable', `Job ${id}, which was to answer this, was canceled`)
    }
    throw new Failure('no-answer', `Job ${id}, which was to answer this, has not ended in time`)
  }
}

async function submit(client: LuxiClient, opcodes: readonly JsonObject[]): Promise<number> {
  const id = await client.change('SubmitJob', [opcodes])
  if (typeof id !== 'number') throw unexpected('a job id')
  return id
}

function checkResource(what: string): void {
  if (BY_QUERY.has(what) || BY_JOB.has(what)) return
  throw new Failure('invalid', `Unknown query resource '${what}'`)
}

function unknownJob(id: string): Failure {
  return new Failure('not-found', `Job ${id} not found`)
}

/** Null for the answer that nothing has changed. */
function jobChange(result: Json): { readonly jobInfo: Json; readonly logEntries: Json } | null {
  if (result === 'nochange') return null
  if (!Array.isArray(result)) throw unexpected('a change of a job')
  const [jobInfo = null, logEntries = null] = result
  return { jobInfo: withoutPrivateValues(jobInfo), logEntries }
}

function rowsIn(result: Json): Rows {
  if (Array.isArray(result) && result.every((row) => Array.isArray(row))) return result
  throw unexpected('rows')
}

function jobRows(result: Json): Rows {
  return rowsIn(withoutPrivateValues(result))
}

function queryResult(result: Json): QueryResult {
  const fields = fieldDefinitions(result)
  return { fields, data: rowsIn((result as JsonObject).data ?? null) as QueryResult['data'] }
}

function fieldDefinitions(result: Json): readonly FieldDefinition[] {
  if (!isJsonObject(result) || !Array.isArray(result.fields)) throw unexpected('fields')
  return result.fields
}

function unknownField(name: string): FieldDefinition {
  return { name, title: name, kind: 'unknown', doc: `Unknown field '${name}'` }
}

function unexpected(what: string): Failure {
  return new Failure('bad-answer', `The master daemon answered with something else than ${what}`)
}
