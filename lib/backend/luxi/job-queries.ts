import { setTimeout as sleep } from 'node:timers/promises'
import { TokenBucket } from '../../concurrency/token-bucket.ts'
import { Failure } from '../../failure.ts'
import { type Json, type JsonObject, stringifyJson } from '../../json/json.ts'
import type { FieldDefinition, QueryResult } from '../backend.ts'
import { refusal } from './answer.ts'
import type { LuxiClient } from './client.ts'
import { timeUntil } from './connection.ts'
import { RequestCoalescer } from './request-coalescer.ts'
import { fieldDefinitions, jobChange, queryResult, unexpected } from './results.ts'
import { Semaphore } from './semaphore.ts'

/** Jobs at once that answer queries. */
const QUERY_JOBS = 4
/** So many of them go without a pause, then so many a second: every user may ask, and Ganeti keeps each job for hours. */
const QUERY_BURST = 500
const QUERIES_PER_SECOND = 1
/** Milliseconds until such a job must be through, its waiting for a turn included. */
const JOB_PATIENCE = 60_000
/** Seconds that we wait for a change of it at a time, as Ganeti's own daemon. */
const WAIT_STEP = 20

/** Milliseconds that a wait may take beyond what it asks for; as long as Ganeti's clients wait for any answer. */
export const WAIT_ALLOWANCE = 60_000

/**
 * Queries that only a job can answer, as Ganeti's own daemon does for `/2/os`.
 * They change nothing, so they are shared like other reads; and as fields are
 * part of Ganeti itself, a job for their definitions is submitted but once.
 */
export class JobQueries {
  readonly #client: LuxiClient
  readonly #places = new Semaphore(QUERY_JOBS)
  readonly #shared = new RequestCoalescer<Json>()
  readonly #definitions = new Map<string, readonly FieldDefinition[]>()
  readonly #rate: Pick<TokenBucket, 'reserve'>

  /** @param rate for how long to put off the next job */
  constructor(
    client: LuxiClient,
    rate: Pick<TokenBucket, 'reserve'> = new TokenBucket(QUERY_BURST, QUERIES_PER_SECOND),
  ) {
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

/** Submits a job, and gives its id. */
export async function submit(client: LuxiClient, opcodes: readonly JsonObject[]): Promise<number> {
  const id = await client.change('SubmitJob', [opcodes])
  if (typeof id !== 'number') throw unexpected('a job id')
  return id
}

function unknownField(name: string): FieldDefinition {
  return { name, title: name, kind: 'unknown', doc: `Unknown field '${name}'` }
}
