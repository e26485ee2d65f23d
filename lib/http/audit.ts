/**
 * The audit log: who changed what, and who was refused what, one JSON object on
 * each line.
 *
 * A change has two records (write-ahead log): `begun` before it is made, without
 * which it is not made, and `done` before it is answered. So a change whose
 * `done` is missing was cut short, or is one that the daemon could not complete.
 * A refusal has one record, `refused`; it is answered also if that cannot be
 * written. With `reads`, everything else has one as well, `read`; and an answer
 * that goes on has another one once it is over, `ended`.
 *
 * Records name opcodes and their objects, never a body: that may have secrets.
 */
import type { Need } from '../auth/permissions.ts'
import type { Verdict } from '../auth/verdict.ts'
import { jsonLine, lengthInJson } from '../daemon/json-line.ts'
import type { Log } from '../daemon/log.ts'
import type { RecordFile } from '../daemon/record-file.ts'
import { rfc3339 } from '../daemon/rfc3339.ts'
import { Failure, messageChain } from '../failure.ts'
import type { Json, JsonObject } from '../json/json.ts'
import type { Method, Resource } from '../resources/resource.ts'
import type { Request, Response } from './message.ts'
import { RecordLimit } from './record-limit.ts'
import { pathOf } from './router.ts'

/** The most bytes of a client's text in a record. */
const LONGEST_TEXT = 1024
/** The most opcodes of a job in a record, and names of each. */
const MOST_NAMED = 100

export interface AuditOptions {
  readonly file: Pick<RecordFile, 'append'>
  /** Whether to record what changes nothing, too. */
  readonly reads: boolean
  /** Whether changes are made also if they cannot be recorded. */
  readonly optional: boolean
  readonly log: Pick<Log, 'error' | 'info'>
}

export class Audit {
  readonly reads: boolean
  readonly #file: AuditOptions['file']
  readonly #optional: boolean
  readonly #log: AuditOptions['log']
  readonly #limits = {
    refused: this.#limit('refused'),
    /** Of strangers, who may submit jobs that change nothing: /2/instances/NAME/info. */
    submitted: this.#limit('submitted'),
  }
  #isBroken = false

  constructor({ file, reads, optional, log }: AuditOptions) {
    this.#file = file
    this.reads = reads
    this.#optional = optional
    this.#log = log
  }

  /** Begins with a request that is not answered yet. */
  of(request: Request): AuditedRequest {
    return new AuditedRequest(this, request)
  }

  /** Whether a refusal should have a record of its own. */
  countRefusal(network: string, user: string | undefined): boolean {
    return this.#limits.refused.count(network, ...(user === undefined ? [] : [user]))
  }

  /** Whether a stranger's job should have records of its own. */
  countStrangersJob(network: string): boolean {
    return this.#limits.submitted.count(network)
  }

  #limit(stage: string): RecordLimit {
    return new RecordLimit(([network, user], more) => {
      void this.tryToAppend({ ts: rfc3339(Date.now()), stage, network, user, more })
    })
  }

  /**
   * Writes a record.
   * @throws Failure `unavailable` if that fails, and must not
   */
  async append(record: object): Promise<void> {
    const isWritten = await this.tryToAppend(record)
    if (!isWritten && !this.#optional) {
      throw new Failure('unavailable', 'The audit log cannot be written, so that nothing is changed')
    }
  }

  /** Writes a record; a failure is only logged, once until it is over. */
  async tryToAppend(record: object): Promise<boolean> {
    try {
      await this.#file.append(jsonLine(record))
    } catch (error) {
      if (!this.#isBroken) this.#log.error(`Cannot write to the audit log: ${messageChain(error)}`)
      this.#isBroken = true
      return false
    }
    if (this.#isBroken) this.#log.info('The audit log can be written again')
    this.#isBroken = false
    return true
  }

  /** Records how many refusals and strangers' jobs had no record of their own. */
  close(): void {
    for (const limit of Object.values(this.#limits)) limit.flush()
  }
}

type Stage = 'begun' | 'done' | 'refused' | 'read' | 'ended'

/** What there is to record of one request. */
export class AuditedRequest {
  readonly #audit: Audit
  readonly #request: Request
  readonly #begun = performance.now()
  #route: string | undefined
  #permissions: readonly string[] = []
  #verdict: Verdict | undefined
  #isChange = false
  /** Whether only the number of such requests is recorded. */
  #isLeftOut = false
  #opcodes: readonly JsonObject[] | undefined
  #job: number | undefined

  constructor(audit: Audit, request: Request) {
    this.#audit = audit
    this.#request = request
  }

  /** Notes what was found out about it. */
  found(resource: Resource | undefined, method: Method | undefined, need: Need, verdict: Verdict): void {
    this.#route = resource?.path
    this.#permissions = need.permissions
    this.#verdict = verdict
    this.#isChange = method !== undefined && changes(this.#request.method, method)
  }

  /**
   * Records that a change begins, unless it is a job's: see `submit`.
   * @throws Failure `unavailable` if it must not begin
   */
  async begin(method: Method): Promise<void> {
    if (this.#isChange && !method.submits) await this.#audit.append(this.#record('begun'))
  }

  /**
   * Records that a job is submitted, and submits it.
   * @throws Failure `unavailable` if it must not be submitted
   */
  submit = async (opcodes: readonly JsonObject[], submit: () => Promise<number>): Promise<number> => {
    this.#opcodes = opcodes
    const isStrangers = this.#verdict?.kind === 'granted' && this.#verdict.user === undefined
    this.#isLeftOut = isStrangers && !this.#audit.countStrangersJob(this.#request.network)
    if (!this.#isLeftOut) await this.#audit.append(this.#record('begun'))
    this.#job = await submit()
    return this.#job
  }

  /** Records its answer; gives it once it may be sent. */
  async end(response: Response): Promise<Response> {
    const { status } = response
    const isRefused = status === 401 || status === 403
    // What has begun, a scope may still refuse.
    if (isRefused && !this.#opcodes) {
      if (this.#audit.countRefusal(this.#request.network, response.user)) {
        void this.#audit.tryToAppend(this.#record('refused', response))
      }
    } else if (this.#isLeftOut) {
      // Counted.
    } else if (this.#isChange) {
      await this.#audit.tryToAppend(this.#record('done', response))
    } else if (this.#audit.reads) {
      void this.#audit.tryToAppend(this.#record('read', response))
      if (response.stream) return this.#untilItsEnd(response)
    }
    return response
  }

  /** Records the end of an answer that goes on. */
  #untilItsEnd(response: Response): Response {
    const release = () => {
      response.release?.()
      void this.#audit.tryToAppend(this.#record('ended', response))
    }
    return { ...response, release }
  }

  #record(stage: Stage, response?: Response): object {
    const { id, peer, method, target, headers } = this.#request
    const path = pathOf(target)
    const query = target.slice(path.length + 1)
    const verdict = this.#verdict
    const isRefusal = stage === 'refused' || response?.status === 403
    const opcodes = this.#opcodes?.slice(0, MOST_NAMED).map(shortened)
    return {
      ts: rfc3339(Date.now()),
      stage,
      id,
      peer,
      user: response?.user ?? (verdict && 'user' in verdict ? verdict.user : undefined),
      method,
      path: cut(path),
      query: query === '' ? undefined : cut(query),
      route: this.#route,
      permission: this.#permissions.length > 0 ? this.#permissions.join(' ') : undefined,
      granted: verdict?.kind === 'granted' ? verdict.by : undefined,
      decision: verdict && (verdict.kind === 'granted' && !isRefusal ? 'allow' : 'deny'),
      status: response?.status,
      ms: response && Math.round((performance.now() - this.#begun) * 10) / 10,
      ending: stage === 'ended' ? (response?.stream?.ending ?? 'left') : undefined,
      job: this.#job,
      opcodes,
      reason: reasonIn(query),
      dry_run: this.#opcodes?.some(({ dry_run }) => dry_run === true) || undefined,
      agent: headers['user-agent'] === undefined ? undefined : cut(headers['user-agent']),
    }
  }
}

/** Whether a method changes something, or submits a job. */
export function changes(name: string, { submits, onlyReads }: Method): boolean {
  return submits !== undefined || (name !== 'GET' && !onlyReads)
}

/** The parameters of opcodes that name objects. */
const NAMES = [
  'instance_name',
  'node_name',
  'group_name',
  'network_name',
  'name',
  'nodes',
  'instances',
] as const

/** An opcode's name and the objects that it names. */
function shortened(opcode: JsonObject): object {
  const objects = NAMES.flatMap((key) => namesIn(opcode[key]))
  return { op: opcode.OP_ID, objects: objects.slice(0, MOST_NAMED) }
}

/** The names in a value: a text, or a list of texts, or of objects with names (OP_INSTANCE_MULTI_ALLOC). */
function namesIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [cut(value)]
  if (!Array.isArray(value)) return []
  return value.slice(0, MOST_NAMED).flatMap((one: Json) => {
    if (typeof one === 'string') return [cut(one)]
    return one !== null && typeof one === 'object' && !Array.isArray(one)
      ? namesIn((one as JsonObject).instance_name)
      : []
  })
}

function reasonIn(query: string): string | undefined {
  if (!query.includes('reason=')) return undefined
  const reason = new URLSearchParams(query).get('reason')
  return reason === null ? undefined : cut(reason)
}

/** A client's text, shortened to what takes no more than so many bytes in a record. */
function cut(text: string): string {
  // No character takes more than twelve.
  if (text.length <= LONGEST_TEXT / 12 || lengthInJson(text) <= LONGEST_TEXT) return text
  let [end, bytes] = [0, 0]
  for (const character of text) {
    bytes += lengthInJson(character)
    if (bytes > LONGEST_TEXT) break
    end += character.length
  }
  return `${text.slice(0, end)}...`
}
