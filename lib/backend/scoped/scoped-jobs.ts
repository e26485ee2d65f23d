/**
 * Which jobs are within a scope: those that the user submitted, and those of which
 * all objects are. That needs their opcodes, which are asked for once (see
 * job-objects.ts).
 */
import { eachInSlices } from '../../concurrency/time-slicing.ts'
import { Failure } from '../../failure.ts'
import type { Json } from '../../json/json.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import { shortNames } from '../../model/lookup.ts'
import type { Backend, Cell, QueryResult } from '../backend.ts'
import { isOnlyAbout, type JobObjects, knownJobs, rememberJob } from './job-objects.ts'
import { forbidden, type ScopedObjects } from './scoped-objects.ts'
import type { Kind, Within } from './things.ts'

/** So many jobs are asked for by their ids; if there are more, all of them. */
const FEW_JOBS = 50

export class ScopedJobs {
  readonly #backend: Backend
  readonly #objects: ScopedObjects

  constructor(backend: Backend, objects: ScopedObjects) {
    this.#backend = backend
    this.#objects = objects
  }

  /** As `query` of Backend, for jobs. */
  async query(fields: readonly string[], filter: Json, signal?: AbortSignal): Promise<QueryResult> {
    const { data } = await this.#backend.query('job', ['id'], null, signal)
    const all: number[] = []
    await eachInSlices(data, ([id]) => all.push(Number(id?.[1])), signal)
    const seen = await this.among(all.map(String), signal)
    // A filter that does not fit a value fails with a message that has the value, so it is for jobs of the scope alone.
    const asked = filter === null ? null : ['&', oneOfRuns(runsOf(all, seen)), filter]
    const result = await this.#backend.query('job', ['id', ...fields], asked, signal)
    const rows: (readonly Cell[])[] = []
    const add = (cells: readonly Cell[]) => {
      if (seen.has(String(cells[0]?.[1]))) rows.push(cells)
    }
    await eachInSlices(result.data, add, signal)
    return { fields: result.fields.slice(1), data: lazyMap(rows, ([, ...cells]) => cells) }
  }

  /** Which of the jobs are within the scope; perhaps others that are, too. */
  async among(ids: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const known = knownJobs(this.#backend)
    const jobs = new Map<string, JobObjects>()
    const others: string[] = []
    const lookUp = (id: string) => {
      const job = known.get(id)
      if (job) jobs.set(id, job)
      else others.push(id)
    }
    await eachInSlices(ids, lookUp, signal)
    if (others.length > 0) {
      const rows = others.length > FEW_JOBS ? await this.#allOpcodes() : await this.#opcodesOf(others)
      const read = ([id, ops]: readonly Json[]) =>
        jobs.set(String(id), rememberJob(this.#backend, String(id), ops ?? null))
      await eachInSlices(rows, read, signal)
    }
    const has = await this.#names(this.#objects.scope.within, [...jobs.values()])
    const seen = new Set<string>()
    const test = ([id, job]: readonly [string, JobObjects]) => {
      if (this.#isOwn(job) || has(job)) seen.add(id)
    }
    await eachInSlices(jobs, test, signal)
    return seen
  }

  /** The opcodes of some jobs, `[id, opcodes]` each; those that are gone are left out. */
  async #opcodesOf(ids: readonly string[]): Promise<readonly (readonly Json[])[]> {
    const filter: Json = ['|', ...ids.map((id) => ['=', 'id', Number(id)])]
    const { data } = await this.#backend.query('job', ['id', 'ops'], filter)
    return [...data].map((cells) => cells.map(([, value]) => value))
  }

  #allOpcodes(): Promise<readonly (readonly Json[])[]> {
    return this.#backend.queryJobs([], ['id', 'ops'])
  }

  /** @throws Failure `not-found` if the user does not see the job, `forbidden` if it is not within the scope */
  async check(id: string): Promise<void> {
    const job = await this.#job(id)
    if (await this.#isMine(job, this.#objects.scope.within)) return
    const seen = this.#objects.scope.sees('job')
    if (!seen || (await this.#isMine(job, [seen]))) throw forbidden(`job ${id}`)
    throw new Failure('not-found', `Job ${id} not found`)
  }

  async #job(id: string): Promise<JobObjects> {
    const known = knownJobs(this.#backend).get(id)
    if (known) return known
    const [row] = await this.#backend.queryJobs([id], ['ops'])
    return rememberJob(this.#backend, id, row?.[0] ?? null)
  }

  #isOwn({ owner }: JobObjects): boolean {
    return owner === this.#objects.scope.user
  }

  async #isMine(job: JobObjects, within: Within): Promise<boolean> {
    return this.#isOwn(job) || (await this.#names(within, [job]))(job)
  }

  /** Finds out about all objects of some jobs at once; gives whether a job has only objects that are selected. */
  async #names(within: Within, jobs: readonly JobObjects[]): Promise<(job: JobObjects) => boolean> {
    const there: { [kind in Kind]: ReadonlySet<string> } = {
      instance: await this.#selectedNames('instance', within, jobs),
      node: await this.#selectedNames('node', within, jobs),
    }
    return (job) => isOnlyAbout(job, within, (kind, name) => there[kind].has(name))
  }

  /** The names in jobs that mean a selected object. */
  async #selectedNames(
    kind: Kind,
    within: Within,
    jobs: readonly JobObjects[],
  ): Promise<ReadonlySet<string>> {
    const names = new Set<string>()
    await eachInSlices(jobs, ({ objects = [] }) => {
      for (const one of objects) if (one.kind === kind) names.add(one.name)
    })
    if (names.size === 0) return names
    const selected = new Set((await this.#objects.called(kind, within, [...names])).map(({ name }) => name))
    const short = shortNames([...selected].map((name) => ({ name })))
    for (const name of names) {
      if (selected.has(name) || !short.has(name)) continue
      const full = await this.#objects.fullName(kind, name).catch(ifNotFound(''))
      if (selected.has(full)) selected.add(name)
    }
    return selected
  }
}

/** Ids from one to another, between which there is no job outside of the scope. */
interface Run {
  readonly first: number
  readonly last: number
}

/** The runs of those ids that are seen. */
function runsOf(all: readonly number[], seen: ReadonlySet<string>): readonly Run[] {
  const runs: { first: number; last: number }[] = []
  let isOpen = false
  for (const id of [...all].sort((one, other) => one - other)) {
    const run = runs.at(-1)
    const isSeen = seen.has(String(id))
    if (isSeen && isOpen && run) run.last = id
    else if (isSeen) runs.push({ first: id, last: id })
    isOpen = isSeen
  }
  return runs
}

/** The filter for ids in one of some runs, as a tree, so that thousands of runs take a dozen comparisons. */
function oneOfRuns(runs: readonly Run[]): Json {
  const [run] = runs
  if (!run) return ['|']
  if (runs.length === 1) return ['&', ['>=', 'id', run.first], ['<=', 'id', run.last]]
  const middle = runs.length >> 1
  const [before, after] = [runs.slice(0, middle), runs.slice(middle)]
  const { first } = after[0] as Run
  return ['|', ['&', ['<', 'id', first], oneOfRuns(before)], ['&', ['>=', 'id', first], oneOfRuns(after)]]
}

/** Gives another value in the place of a Failure `not-found`. */
export function ifNotFound<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Failure && error.code === 'not-found') return value
    throw error
  }
}
