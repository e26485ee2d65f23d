/**
 * Answers requests that are authorized: from the cache, from work that is shared
 * with equal requests (request coalescing), or by calling the handler once a
 * semaphore has a free place. While the master daemon cannot be reached, an
 * older state may be used (stale-if-error).
 */
import { createHash } from 'node:crypto'
import type { Scope } from '../auth/scope.ts'
import type { Backend, StaleState } from '../backend/backend.ts'
import { scopedBackend } from '../backend/scoped/scoped-backend.ts'
import { allButAQuarter, FairSemaphore } from '../concurrency/fair-semaphore.ts'
import { Failure } from '../failure.ts'
import type { Json } from '../json/json.ts'
import { HttpMetrics, type RouteCounts } from '../metrics/http-metrics.ts'
import { type Call, type Dependence, dependenceOf, type Method, needOf } from '../resources/resource.ts'
import { encode } from './encode.ts'
import { type Hold, LARGE_ANSWER, LargeAnswers, LargeBody } from './large-answers.ts'
import type { Request, RequestHeaders, Response } from './message.ts'
import { Representation } from './representation.ts'
import { ResponseCache } from './response-cache.ts'
import { queryOf } from './router.ts'
import { failureResponse } from './status.ts'
import { turnToWait } from './turn-to-wait.ts'

const DEFAULT_MAX_CLIENTS = 20
/** How many requests may wait for a place (backlog). */
const WAITING_CLIENTS = 1000

/** Requests that wait for jobs at once. One network may have a quarter: a program seldom waits for more jobs. */
const DEFAULT_MAX_WAITS = 1024

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024

/** The only generation of constant answers, for a backend without generations. */
const STATIC_GENERATION = 0

export interface AnswersOptions {
  /** The backend to ask now; it may be another one after a reload. */
  readonly backend: () => Backend
  /** The stale-if-error fallback for reads that need no right, while the master daemon cannot be reached. */
  readonly staleState?: ((ofJobs: boolean) => Promise<StaleState>) | undefined
  /** How many requests are worked on at once; further ones wait. Default: 20. */
  readonly maxClients?: number
  /** How many requests of waiting methods (see Method) wait at once. Default: 1024. */
  readonly maxWaits?: number
  /** The size of the cache in bytes. Default: 64 MiB. */
  readonly cacheBytes?: number
  /** Counts hits and misses of the cache. */
  readonly metrics?: HttpMetrics
  /** Whether the reason trail of a job has user and request. */
  readonly namesRequester?: boolean
  /** Called for each step of a request if debugging is on; texts of clients in it are not escaped. */
  readonly debug?: ((message: string) => void) | undefined
}

/** The parts of a request that are known once it is authorized and decoded. */
export interface Asked {
  /** The authenticated user. */
  readonly user: string | undefined
  /** What the user reaches; undefined for everything. */
  readonly scope: Scope | undefined
  /** Whether anything else that the user may do has limits. */
  readonly isLimited: boolean
  /** Within what that user may do something else. */
  readonly within: NonNullable<Call['within']>
  readonly method: Method
  /** The names in the path. */
  readonly params: Readonly<Record<string, string>>
  readonly body: Json | undefined
  /** Where it is counted. */
  readonly counts: RouteCounts | undefined
  /** Submits a job with a record of it, if there are records. */
  readonly submit: Call['submit']
}

type Make<T> = (hold?: Hold) => Promise<T>

export class Answers {
  readonly #backend: () => Backend
  readonly #staleState: AnswersOptions['staleState']
  readonly #debug: AnswersOptions['debug']
  readonly #namesRequester: boolean
  readonly #metrics: HttpMetrics
  readonly #cache: ResponseCache
  readonly #largeAnswers = new LargeAnswers()
  readonly #places: FairSemaphore
  readonly #waitPlaces: FairSemaphore

  constructor({
    backend,
    staleState,
    maxClients = DEFAULT_MAX_CLIENTS,
    maxWaits = DEFAULT_MAX_WAITS,
    cacheBytes = DEFAULT_CACHE_BYTES,
    namesRequester = false,
    metrics = new HttpMetrics(),
    debug,
  }: AnswersOptions) {
    this.#backend = backend
    this.#staleState = staleState
    this.#debug = debug
    this.#namesRequester = namesRequester
    this.#cache = new ResponseCache(cacheBytes)
    this.#metrics = metrics
    metrics.cacheBytes = () => this.#cache.bytes
    this.#places = new FairSemaphore({
      places: maxClients,
      share: allButAQuarter(maxClients),
      waiting: WAITING_CLIENTS,
      refusal: 'Too many requests wait to be answered, try again later',
    })
    this.#waitPlaces = new FairSemaphore({
      places: maxWaits,
      share: Math.min(DEFAULT_MAX_WAITS / 4, allButAQuarter(maxWaits)),
      waiting: WAITING_CLIENTS,
      refusal: 'Too many clients wait for something to happen, try again later',
    })
  }

  /** The cached answer for a target; the caller must check its `need`, and count the hit. */
  cached(target: string): Representation | undefined {
    return this.#cache.find(this.#backend().generation ?? STATIC_GENERATION, target)
  }

  /**
   * Answers a request.
   * @throws what the method's handler throws; Failure `unavailable` if too many requests wait
   */
  async answer(request: Request, asked: Asked): Promise<Response> {
    const { method, params } = asked
    if (method.waits !== undefined) return this.#answerWaiting(request, asked, method.waits)
    const dependence = dependenceOf(method, params)
    const generation = this.#generationFor(asked, dependence)
    const cached = generation === null ? undefined : this.#cache.find(generation, request.target)
    if (cached) {
      this.#metrics.cacheHits++
      this.#debug?.(`${request.method} ${request.target}: cache hit`)
      return cached.respond(request.headers)
    }
    try {
      return await (await this.#shared(request, asked, dependence)).respond(request.headers)
    } catch (thrown) {
      const ofJobs = method.ofJobFiles === true
      const isInFiles = dependence !== 'more' || ofJobs
      const mayBeStale = isInFiles && method.access.length === 0 && !wantsFresh(request.headers)
      if (!this.#staleState || !mayBeStale || !isAway(thrown)) throw thrown
      const stale = await this.#staleState(ofJobs).catch((cause) => {
        throw new Failure(thrown.code, thrown.message, { cause })
      })
      const time = stale.asOf.toISOString()
      this.#debug?.(
        `${request.method} ${request.target}: ${thrown.message}; answered from the state of ${time}`,
      )
      return this.#answerStale(request, asked, stale)
    }
  }

  /** Answers a request of a method that waits for an event (long polling). */
  async #answerWaiting(request: Request, asked: Asked, seconds: number): Promise<Response> {
    const { network, signal, headers } = request
    const { patience, release } = await turnToWait(this.#waitPlaces, network, seconds, signal)
    try {
      const made = await this.#make(request, asked, this.#backend(), { signal, patience })
      return await made.respond(headers)
    } finally {
      release()
    }
  }

  async #answerStale(
    request: Request,
    asked: Asked,
    { backend, asOf, serial }: StaleState,
  ): Promise<Response> {
    const made = this.#inPlace(
      request,
      asked,
      () => undefined,
      (hold) => this.#make(request, asked, backend, { signal: request.lost, hold }),
    )
    const response = await made
      .then((representation) => representation.respond(request.headers))
      .catch(failureResponse)
    // Errors too get the header: an object that does not exist did not exist at that time.
    const marks = ['Ganeti-State-As-Of', asOf.toUTCString(), 'Ganeti-Config-Serial', String(serial)]
    return { ...response, headers: [...response.headers, ...marks] }
  }

  /** The generation under which an answer may be shared; null if it may not: within a scope it is nobody else's. */
  #generationFor({ scope }: Asked, dependence: Dependence): number | null {
    return scope ? null : generationOf(dependence, this.#backend())
  }

  /** Makes an answer after a cache miss; if it may be cached, equal requests share it (request coalescing). */
  #shared(request: Request, asked: Asked, dependence: Dependence): Promise<Representation> {
    const { target, lost } = request
    const cache = this.#cache
    /** The cached answer, or one that is being made. Checked again after waiting for a place. */
    const ready = () => {
      const generation = this.#generationFor(asked, dependence)
      if (generation === null) return undefined
      return cache.find(generation, target) ?? cache.join(generation, target, lost)
    }
    return this.#inPlace(request, asked, ready, async (hold) => {
      const backend = this.#backend()
      const generation = this.#generationFor(asked, dependence)
      if (generation === null) return this.#make(request, asked, backend, { signal: lost, hold })
      // Other requests may share this answer, so it is aborted only when the last of them has left.
      const make = (signal: AbortSignal) => this.#make(request, asked, backend, { signal, hold })
      return cache.find(generation, target) ?? cache.make(generation, target, make, lost)
    })
  }

  /** Makes an answer when a place is free, and, if it may be large, also a place for a large answer. */
  #inPlace<T>(
    { network, signal, target }: Request,
    { method, body }: Asked,
    ready: () => Promise<T> | T | undefined,
    make: Make<T>,
  ): Promise<T> {
    // A client that has half-closed its connection is answered, but does not wait in the backlog.
    const work: Make<T> = (hold) => this.#places.run(network, () => make(hold), signal)
    const isLarge = method.large?.(queryOf(target), body)
    return isLarge ? this.#largeAnswers.make(network, ready, work, signal) : work()
  }

  /** @param hold a place for a large answer */
  async #make(
    { method: name, target, id }: Request,
    { user, within, scope, isLimited, method, params, body, submit, counts }: Asked,
    wholeBackend: Backend,
    { signal, hold, patience = 0 }: { signal: AbortSignal; hold?: Hold | undefined; patience?: number },
  ): Promise<Representation> {
    this.#metrics.cacheMisses++
    const begun = performance.now()
    const backend = scope ? scopedBackend(wholeBackend, scope) : wholeBackend
    // By this, users of whom anything is limited are known to be those who submitted a job.
    const requester = this.#namesRequester || isLimited ? requesterIn(user, id) : ''
    const query = queryOf(target)
    const call: Call = {
      ...{ params, query, body, user, within, requester, backend, patience, signal },
      ...(submit && { submit }),
    }
    const encoded = await encode(await method.handle(call), { limit: method.answerLimit, signal })
    this.#debug?.(
      `${name} ${target}: made in ${(performance.now() - begun).toFixed(1)} ms, ${encoded.body.length} bytes`,
    )
    const isLarge = encoded.body.length >= LARGE_ANSWER
    const large = isLarge ? new LargeBody(this.#largeAnswers, hold?.claim()) : undefined
    const tagged = dependenceOf(method, params) !== 'more'
    return new Representation(encoded, {
      tagged,
      variant: scope && variantOf(scope),
      need: needOf(method, call.query, body),
      large,
      counts,
    })
  }
}

/** What tells answers within a scope from others, even if they are equal. */
function variantOf({ user, within }: Scope): string {
  return createHash('sha256')
    .update(JSON.stringify([user, within]))
    .digest('base64url')
    .slice(0, 12)
}

/** Who asks, for the reason trail of a job. An id has no semicolon, so that the last one ends the name of the user. */
function requesterIn(user: string | undefined, id: string): string {
  return `${user === undefined ? '' : `user=${user};`}request=${id}`
}

/** The generation under which an answer may be cached; null if it may not. */
function generationOf(dependence: Dependence, { generation }: Backend): number | null {
  switch (dependence) {
    case 'nothing':
      return generation ?? STATIC_GENERATION
    case 'state':
      return generation
    case 'more':
      return null
  }
}

/** Whether a client asks for no older state than the current one (RFC 9111, 5.2.1.4). */
function wantsFresh({ 'cache-control': directives }: RequestHeaders): boolean {
  return directives !== undefined && /(?:^|[\s,])no-cache(?:[\s,]|$)/i.test(directives)
}

/** Whether the failure is that the master daemon could not be reached, or did not answer in time. */
function isAway(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && (thrown.code === 'no-master' || thrown.code === 'no-answer')
}
