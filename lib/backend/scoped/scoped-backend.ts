/**
 * A backend that shows and changes only what is within a scope (decorator): of
 * instances, nodes and jobs. What is about the whole cluster it refuses. What is
 * not within the scope does not exist, unless the user sees it by other rights;
 * then it is forbidden.
 */
import type { Scope } from '../../auth/scope.ts'
import { eachInSlices } from '../../concurrency/time-slicing.ts'
import { Failure } from '../../failure.ts'
import type { Json, JsonObject } from '../../json/json.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import type { Backend, QueryResult, TagKind } from '../backend.ts'
import { mentions, namesIn } from '../filters.ts'
import { checkOpcode, type Reach } from './check-opcodes.ts'
import { ifNotFound, ScopedJobs } from './scoped-jobs.ts'
import { forbidden, NAMES_INSTANCES, ScopedObjects } from './scoped-objects.ts'
import type { Kind } from './things.ts'

export function scopedBackend(backend: Backend, scope: Scope): Backend {
  return new ScopedBackend(backend, scope)
}

class ScopedBackend implements Backend {
  /** Its answers differ from those of others, so that none is shared. */
  readonly generation = null
  readonly #backend: Backend
  readonly #objects: ScopedObjects
  readonly #jobs: ScopedJobs

  constructor(backend: Backend, scope: Scope) {
    this.#backend = backend
    this.#objects = new ScopedObjects(backend, scope)
    this.#jobs = new ScopedJobs(backend, this.#objects)
  }

  get knownVersion() {
    return this.#backend.knownVersion
  }

  version() {
    return this.#backend.version()
  }

  async queryTags(kind: TagKind, name: string): Promise<readonly string[]> {
    if (kind !== 'instance' && kind !== 'node')
      throw forbidden('tags of other objects than instances and nodes')
    return [...(await this.#objects.subject(kind, name)).tags].sort()
  }

  queryInstances(names: readonly string[], fields: readonly string[], signal?: AbortSignal) {
    return this.#rows('instance', names, fields, signal)
  }

  queryNodes(names: readonly string[], fields: readonly string[], signal?: AbortSignal) {
    return this.#rows('node', names, fields, signal)
  }

  async query(
    what: string,
    fields: readonly string[],
    filter: Json,
    signal?: AbortSignal,
  ): Promise<QueryResult> {
    if (what === 'job') return this.#jobs.query(fields, filter, signal)
    if (what !== 'instance' && what !== 'node') {
      // An unknown kind is an error of the request, for everybody.
      await this.#backend.queryFields(what, [])
      throw forbidden(`queries for objects of the kind ${what}`)
    }
    if (what === 'node') {
      for (const field of NAMES_INSTANCES) if (mentions(filter, field)) throw forbidden(`filters by ${field}`)
    }
    const names = namesIn(filter)
    const selected = names
      ? await this.#objects.askFor(what, names, fields, signal)
      : await this.#objects.ask(what, this.#objects.scope.within, fields, filter, signal)
    return { fields: selected.fields, data: lazyMap(selected.rows, ({ cells }) => cells) }
  }

  queryFields(what: string, fields: readonly string[] | null) {
    return this.#backend.queryFields(what, fields)
  }

  async queryJobs(ids: readonly string[], fields: readonly string[], signal?: AbortSignal) {
    if (ids.length > 0) {
      for (const id of ids) await this.#jobs.check(id)
      return this.#backend.queryJobs(ids, fields, signal)
    }
    const rows = await this.#backend.queryJobs([], ['id', ...fields], signal)
    const seen = await this.#jobs.among(
      rows.map(([id]) => String(id)),
      signal,
    )
    const own: (readonly Json[])[] = []
    const test = ([id, ...values]: readonly Json[]) => {
      if (seen.has(String(id))) own.push(values)
    }
    await eachInSlices(rows, test, signal)
    return own
  }

  async submitJob(opcodes: readonly JsonObject[]): Promise<number> {
    const objects = this.#objects
    const reach: Reach = {
      scope: objects.scope,
      subject: (kind, name) => objects.subject(kind, name),
      find: memoized((kind, name) => objects.find(kind, name)),
      hasAllOn: (node) => objects.hasAllOn(node),
      jobsAmong: (ids) => this.#jobs.among(ids),
    }
    const checked: JsonObject[] = []
    for (const opcode of opcodes) checked.push(await checkOpcode(opcode, reach))
    return this.#backend.submitJob(checked)
  }

  async waitForJobChange(...args: Parameters<Backend['waitForJobChange']>) {
    const [id] = args
    await this.#jobs.check(id)
    return this.#backend.waitForJobChange(...args)
  }

  async cancelJob(id: string): Promise<readonly [boolean, string]> {
    const isSeen = await this.#jobs.check(id).then(() => true, ifNotFound(false))
    return isSeen ? this.#backend.cancelJob(id) : [false, `Job ${id} not found in queue`]
  }

  async queryClusterInfo(): Promise<never> {
    throw forbidden('the cluster as a whole')
  }

  async queryGroups(): Promise<never> {
    throw forbidden('node groups')
  }

  async queryNetworks(): Promise<never> {
    throw forbidden('networks')
  }

  async queryFilters(): Promise<never> {
    throw forbidden('the job filter')
  }

  async replaceFilter(): Promise<never> {
    throw forbidden('the job filter')
  }

  async deleteFilter(): Promise<never> {
    throw forbidden('the job filter')
  }

  /** The backend is that of other requests, too. */
  async close(): Promise<void> {}

  /** As `queryInstances` of Backend. */
  async #rows(kind: Kind, names: readonly string[], fields: readonly string[], signal?: AbortSignal) {
    const asked =
      names.length > 0
        ? await this.#objects.askFor(kind, names, fields, signal)
        : await this.#objects.ask(kind, this.#objects.scope.within, fields, null, signal)
    const unknown = asked.fields.flatMap(({ kind, name }) => (kind === 'unknown' ? name : []))
    if (unknown.length > 0)
      throw new Failure('invalid', `Unknown output fields selected: ${unknown.join(', ')}`)
    return asked.rows.map(({ cells }) => cells.map(([, value]) => value))
  }
}

/** Looks for each object once: one request may name the same ones thousands of times. */
function memoized(find: Reach['find']): Reach['find'] {
  const known = new Map<string, ReturnType<Reach['find']>>()
  return (kind, name) => {
    const key = `${kind} ${name}`
    const found = known.get(key) ?? find(kind, name)
    known.set(key, found)
    return found
  }
}
