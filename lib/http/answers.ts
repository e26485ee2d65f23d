/**
 * Makes answers of requests that may have them: taken from the cache, shared
 * with others who ask for the same at this moment, or made where there is a
 * place for one more. While the master daemon is away, an older state may have
 * to do (stale-if-error).
 */
import type { Backend, StaleState } from '../backend/backend.ts'
import { Failure } from '../failure.ts'
import { allButAQuarter, FairSemaphore } from '../fair-semaphore.ts'
import type { Json } from '../json.ts'
import { QueryString } from '../resources/query-string.ts'
import { type Call, type Dependence, dependenceOf, type Method } from '../resources/resource.ts'
import { encode } from './encode.ts'
import { type Hold, LARGE_ANSWER, LargeAnswers, LargeBody } from './large-answers.ts'
import type { Request, Response } from './message.ts'
import { Representation } from './representation.ts'
import { ResponseCache } from './response-cache.ts'
import { pathOf } from './router.ts'
import { failureResponse } from './status.ts'
import { turnToWait } from './turn-to-wait.ts'

const DEFAULT_MAX_CLIENTS = 20
/** Requests beyond the places for them that may wait for one. */
const WAITING_CLIENTS = 1000

/** Unless the backend can bear less. A quarter of them is for one network: a program seldom waits for more jobs. */
const DEFAULT_MAX_WAITS = 256

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024

/** The only generation of answers that depend on nothing, for a backend that cannot tell generations. */
const STATIC_GENERATION = 0

export interface AnswersOptions {
  /** The backend to ask now; it may be another one after a reload. */
  readonly backend: () => Backend
  /** The stale-if-error fallback: what open reads are answered from while the backend's master daemon is away. */
  readonly staleState?: (() => Promise<StaleState>) | undefined
  /** How many requests are worked on at once, the others waiting for that; 20 unless given. */
  readonly maxClients?: number
  /** How many wait at once for something to happen (see Method); 256 unless given. */
  readonly maxWaits?: number
  /** How many bytes of answers to keep; 64 MiB unless given. */
  readonly cacheBytes?: number
  /** Gets a line for each step of a request, where somebody wants to read them; texts in it are as the client sent them. */
  readonly debug?: ((message: string) => void) | undefined
}

/** What of a request is known once it may be answered. */
export interface Asked {
  /** Who asks, where they proved it. */
  readonly user: string | undefined
  readonly method: Method
  /** The names in the path. */
  readonly params: Readonly<Record<string, string>>
  readonly body: Json | undefined
}

type Make<T> = (hold?: Hold) => Promise<T>

export class Answers {
  readonly #backend: () => Backend
  readonly #staleState: AnswersOptions['staleState']
  readonly #debug: AnswersOptions['debug']
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
    debug,
  }: AnswersOptions) {
    this.#backend = backend
    this.#staleState = staleState
    this.#debug = debug
    this.#cache = new ResponseCache(cacheBytes)
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

  /** The answer that is cached for a target; who may see it, it says itself. */
  cached(target: string): Representation | undefined {
    return this.#cache.find(this.#backend().generation ?? STATIC_GENERATION, target)
  }

  /**
   * Answers a request.
   * @throws what the method's handler throws; Failure `unavailable` where too many wait
   */
  async answer(request: Request, asked: Asked): Promise<Response> {
    const { method, params } = asked
    if (method.waits !== undefined) return this.#answerWaiting(request, asked, method.waits)
    const dependence = dependenceOf(method, params)
    const generation = generationOf(dependence, this.#backend())
    const cached = generation === null ? undefined : this.#cache.find(generation, request.target)
    if (cached) {
      this.#debug?.(`${request.method} ${request.target}: cache hit`)
      return cached.respond(request.headers)
    }
    try {
      return await (await this.#shared(request, asked, dependence)).respond(request.headers)
    } catch (thrown) {
      const mayBeStale = dependence !== 'more' && method.access.length === 0
      if (!this.#staleState || !mayBeStale || !isAway(thrown)) throw thrown
      const stale = await this.#staleState().catch((cause) => {
        throw new Failure(thrown.code, thrown.message, { cause })
      })
      const time = stale.asOf.toISOString()
      this.#debug?.(
        `${request.method} ${request.target}: ${thrown.message}; answered from the state of ${time}`,
      )
      return this.#answerStale(request, asked, stale)
    }
  }

  /** Answers a request that waits for something to happen. */
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

  async #answerStale(request: Request, asked: Asked, { backend, asOf }: StaleState): Promise<Response> {
    const made = this.#inPlace(
      request,
      asked,
      () => undefined,
      (hold) => this.#make(request, asked, backend, { signal: request.lost, hold }),
    )
    const response = await made
      .then((representation) => representation.respond(request.headers))
      .catch(failureResponse)
    // Also where something is not there: that is but as of then.
    return { ...response, headers: [...response.headers, 'Ganeti-State-As-Of', asOf.toUTCString()] }
  }

  /** Makes an answer that is not cached, where it may be cached together with all who ask for it. */
  #shared(request: Request, asked: Asked, dependence: Dependence): Promise<Representation> {
    const { target, lost } = request
    const cache = this.#cache
    /** What is cached, or else being made. Time passes while a request waits for a place, so ask again then. */
    const ready = () => {
      const generation = generationOf(dependence, this.#backend())
      if (generation === null) return undefined
      return cache.find(generation, target) ?? cache.join(generation, target, lost)
    }
    return this.#inPlace(request, asked, ready, async (hold) => {
      const backend = this.#backend()
      const generation = generationOf(dependence, backend)
      if (generation === null) return this.#make(request, asked, backend, { signal: lost, hold })
      // Others may come to wait for this answer, so it is made as long as any one of them is there.
      const make = (signal: AbortSignal) => this.#make(request, asked, backend, { signal, hold })
      return cache.find(generation, target) ?? cache.make(generation, target, make, lost)
    })
  }

  /** Makes an answer when there is a place for it, and for a large one if it may be that. */
  #inPlace<T>(
    { network, signal, target }: Request,
    { method, body }: Asked,
    ready: () => Promise<T> | T | undefined,
    make: Make<T>,
  ): Promise<T> {
    // Who only said that there will be no more requests is answered, but does not wait where others do.
    const work: Make<T> = (hold) => this.#places.run(network, () => make(hold), signal)
    const isLarge = method.large?.(queryOf(target), body)
    return isLarge ? this.#largeAnswers.make(network, ready, work, signal) : work()
  }

  /** @param hold a place for a large answer */
  async #make(
    { method: name, target }: Request,
    { user, method, params, body }: Asked,
    backend: Backend,
    { signal, hold, patience = 0 }: { signal: AbortSignal; hold?: Hold | undefined; patience?: number },
  ): Promise<Representation> {
    const begun = performance.now()
    const call: Call = { params, query: queryOf(target), body, user, backend, patience, signal }
    const encoded = await encode(await method.handle(call), { limit: method.answerLimit, signal })
    const time = (performance.now() - begun).toFixed(1)
    this.#debug?.(`${name} ${target}: made in ${time} ms, ${encoded.body.length} bytes`)
    const isLarge = encoded.body.length >= LARGE_ANSWER
    const large = isLarge ? new LargeBody(this.#largeAnswers, hold?.claim()) : undefined
    const tagged = dependenceOf(method, params) !== 'more'
    return new Representation(encoded, { tagged, access: method.access, large })
  }
}

function queryOf(target: string): QueryString {
  return new QueryString(target.slice(pathOf(target).length + 1))
}

/** The generation under which an answer may be cached; null where it may not. */
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

/** Whether the master daemon could not be reached at all. */
function isAway(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && (thrown.code === 'no-master' || thrown.code === 'no-answer')
}
