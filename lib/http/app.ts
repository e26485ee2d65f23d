/**
 * The application is a function from request to response, and a straight line:
 * match the path, find the method, ask access, decode the body, handle, encode.
 * The order is Ganeti's, as clients can tell it from the statuses: an unknown
 * path is 404 and a method the resource lacks 501, before anyone is asked for
 * a password (but see `Authorizer.requireAuthentication`); then 401 or 403, 415, 400.
 */
import type { Authorizer } from '../auth/authorize.ts'
import type { Verdict } from '../auth/verdict.ts'
import type { Backend, StaleState } from '../backend/backend.ts'
import { Failure } from '../failure.ts'
import { allButAQuarter, FairSemaphore } from '../fair-semaphore.ts'
import type { Json } from '../json.ts'
import { isSince } from '../model/version.ts'
import { QueryString } from '../resources/query-string.ts'
import {
  BodyLimit,
  type Call,
  type Dependence,
  dependenceOf,
  type Method,
  type MethodName,
  type Resource,
} from '../resources/resource.ts'
import { readJsonBody } from './body.ts'
import { encode } from './encode.ts'
import { type Hold, LARGE_ANSWER, LargeAnswers, LargeBody } from './large-answers.ts'
import type { App, Request, Response } from './message.ts'
import { Representation } from './representation.ts'
import { ResponseCache } from './response-cache.ts'
import { createRouter, type Match } from './router.ts'
import { errorResponse, failureResponse, HttpError } from './status.ts'
import { turnToWait } from './turn-to-wait.ts'

/** A body up to so many bytes is received beside any number of others. */
const SHORT_BODY = 64 * 1024
/** Longer ones are received and parsed so many at a time. */
const LONG_BODIES = {
  places: 8,
  share: 4,
  waiting: 100,
  refusal: 'Too many long request bodies at once, try again later',
}

const DEFAULT_MAX_CLIENTS = 20
/** Requests beyond the places for them that may wait for one. */
const WAITING_CLIENTS = 1000

/** Unless the backend can bear less. A quarter of them is for one network: a program seldom waits for more jobs. */
const DEFAULT_MAX_WAITS = 256

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024

const CHALLENGE = ['WWW-Authenticate', 'Basic realm="Ganeti Remote API"']

export interface AppOptions {
  readonly resources: readonly Resource[]
  /** The backend to ask now; it may be another one after a reload. */
  readonly backend: () => Backend
  /** The stale-if-error fallback: what open reads are answered from while the backend's master daemon is away. */
  readonly staleState?: (() => Promise<StaleState>) | undefined
  /** Decides whether a request may go on. */
  readonly authorizer: Authorizer
  /** How many requests are worked on at once, the others waiting for that; 20 unless given. */
  readonly maxClients?: number
  /** How many wait at once for something to happen (see Method); 256 unless given. */
  readonly maxWaits?: number
  /** How many bytes of answers to keep; 64 MiB unless given. */
  readonly cacheBytes?: number
}

/** Makes the application. It throws nothing: what goes wrong is a response too. */
export function createApp({
  resources,
  backend: presentBackend,
  staleState,
  authorizer,
  maxClients = DEFAULT_MAX_CLIENTS,
  maxWaits = DEFAULT_MAX_WAITS,
  cacheBytes = DEFAULT_CACHE_BYTES,
}: AppOptions): App {
  const route = createRouter(resources)
  const cache = new ResponseCache(cacheBytes)
  const largeAnswers = new LargeAnswers()
  const longBodies = new FairSemaphore(LONG_BODIES)
  const places = new FairSemaphore({
    places: maxClients,
    share: allButAQuarter(maxClients),
    waiting: WAITING_CLIENTS,
    refusal: 'Too many requests wait to be answered, try again later',
  })
  const waitPlaces = new FairSemaphore({
    places: maxWaits,
    share: Math.min(DEFAULT_MAX_WAITS / 4, allButAQuarter(maxWaits)),
    waiting: WAITING_CLIENTS,
    refusal: 'Too many clients wait for something to happen, try again later',
  })

  /**
   * The fast path of a cache hit: an answer that is cached already, for a request that may have it without
   * saying who it is from. The straight line below would come to the same, but with promises.
   */
  const cachedResponse = ({ method, target, headers, bodyLength }: Request) => {
    if (method !== 'GET' || bodyLength !== 0) return undefined
    const cached = cache.find(presentBackend().generation ?? STATIC_GENERATION, target)
    if (!cached) return undefined
    if (authorizer.authorizeNow(headers.authorization, cached.access)?.kind !== 'granted') return undefined
    const response = cached.respond(headers)
    return response instanceof Promise ? response.catch(failed) : response
  }

  const receiveBody = (request: Request, { bodyLimit = BodyLimit.unused }: Method) => {
    const { bodyLength = Number.POSITIVE_INFINITY, network, signal } = request
    const receive = () => readJsonBody(request, bodyLimit)
    return Math.min(bodyLength, bodyLimit) > SHORT_BODY ? longBodies.run(network, receive, signal) : receive()
  }

  /** Answers a request that may be answered. */
  const respond = async (
    request: Request,
    user: string | undefined,
    method: Method,
    params: Match['params'],
    body: Json | undefined,
  ): Promise<Response> => {
    const { target, headers, network } = request
    const { access } = method
    const dependence = dependenceOf(method, params)
    const tagged = dependence !== 'more'
    const queryString = () => new QueryString(target.slice(pathOf(target).length + 1))
    /** @param hold a place for a large answer */
    const handle = async (backend: Backend, signal: AbortSignal, hold?: Hold, patience = 0) => {
      const call: Call = { params, query: queryString(), body, user, backend, patience, signal }
      const encoded = await encode(await method.handle(call), { limit: method.answerLimit, signal })
      const isLarge = encoded.body.length >= LARGE_ANSWER
      const large = isLarge ? new LargeBody(largeAnswers, hold?.claim()) : undefined
      return new Representation(encoded, { tagged, access, large })
    }
    if (method.waits !== undefined) {
      const { signal } = request
      const { patience, release } = await turnToWait(waitPlaces, network, method.waits, signal)
      try {
        return await (await handle(presentBackend(), signal, undefined, patience)).respond(headers)
      } finally {
        release()
      }
    }
    const generation = generationOf(dependence, presentBackend())
    const cached = generation === null ? undefined : cache.find(generation, target)
    if (cached) return cached.respond(headers)
    // Who only said that there will be no more requests is answered, but does not wait where others do.
    const { signal, lost } = request
    /** What is cached, or else being made. Time passes while a request waits for a place, so ask again then. */
    const ready = () => {
      const generation = generationOf(dependence, presentBackend())
      if (generation === null) return undefined
      return cache.find(generation, target) ?? cache.join(generation, target, lost)
    }
    const make = async (hold?: Hold) => {
      const backend = presentBackend()
      const generation = generationOf(dependence, backend)
      if (generation === null) return handle(backend, lost, hold)
      // Others may come to wait for this answer, so it is made as long as any one of them is there.
      const make = (wanted: AbortSignal) => handle(backend, wanted, hold)
      return cache.find(generation, target) ?? cache.make(generation, target, make, lost)
    }
    const inPlace = (ready: () => Awaitable<Representation> | undefined, make: Make) => {
      const work = (hold?: Hold) => places.run(network, () => make(hold), signal)
      return method.large?.(queryString(), body) ? largeAnswers.make(network, ready, work, signal) : work()
    }
    try {
      return await (await inPlace(ready, make)).respond(headers)
    } catch (thrown) {
      const mayBeStale = tagged && access.length === 0
      if (!staleState || !mayBeStale || !isAway(thrown)) throw thrown
      const stale = await staleState().catch((cause) => {
        throw new Failure(thrown.code, thrown.message, { cause })
      })
      const made = inPlace(
        () => undefined,
        (hold) => handle(stale.backend, lost, hold),
      )
      const response = await made.then((representation) => representation.respond(headers)).catch(failed)
      // Also where something is not there: that is but as of then.
      return { ...response, headers: [...response.headers, 'Ganeti-State-As-Of', stale.asOf.toUTCString()] }
    }
  }

  /** Whether the cluster's Ganeti has a resource, or a method of one. What it is that does not tell, is found out later. */
  const isThere = async ({ since }: Resource | Method) => {
    if (!since) return true
    const version = await presentBackend()
      .version()
      .catch(() => undefined)
    return !version || isSince(version, since)
  }

  const answer = async (request: Request): Promise<Response> => {
    const { target, headers } = request
    const path = pathOf(target)
    let user: string | undefined
    try {
      const routed = route(path)
      const match = routed && (await isThere(routed.resource)) ? routed : undefined
      const named = match?.resource.methods[request.method as MethodName]
      const method = named && (await isThere(named)) ? named : undefined

      if (method || authorizer.requireAuthentication) {
        const verdict = await authorizer.authorize(
          headers.authorization,
          method?.access ?? [],
          request.network,
        )
        user = 'user' in verdict ? verdict.user : undefined
        if (authorizer.requireAuthentication && user === undefined)
          throw refusal(verdict) ?? unauthenticated()
        if (method) {
          const refused = refusal(verdict)
          if (refused) throw refused
        }
      }
      if (!match) throw new HttpError(404)
      if (!method) throw new HttpError(501, `Method ${request.method} is unsupported for path ${path}`)

      const body = request.bodyLength === 0 ? undefined : await receiveBody(request, method)

      return { ...(await respond(request, user, method, match.params, body)), user }
    } catch (thrown) {
      return { ...failed(thrown), user }
    }
  }

  return (request) => {
    let ready: Response | Promise<Response> | undefined
    try {
      ready = cachedResponse(request)
    } catch {
      // There is no state to answer from: whether that matters, the straight line tells in its order.
    }
    return ready ?? answer(request)
  }
}

/** The only generation of answers that depend on nothing, for a backend that cannot tell generations. */
const STATIC_GENERATION = 0

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

type Awaitable<T> = T | Promise<T>

type Make = (hold?: Hold) => Promise<Representation>

/** The answer to a request that failed. */
function failed(thrown: unknown): Response {
  if (!(thrown instanceof DOMException && thrown.name === 'AbortError')) return failureResponse(thrown)
  // Whoever hung up will not read it, but who only said that there will be no more requests does.
  return errorResponse(503, 'Given up, as the client has closed its side of the connection')
}

function pathOf(target: string): string {
  const question = target.indexOf('?')
  return question < 0 ? target : target.slice(0, question)
}

/** What a verdict other than `granted` is answered with. */
function refusal(verdict: Verdict): HttpError | undefined {
  switch (verdict.kind) {
    case 'granted':
      return undefined
    case 'unauthenticated':
      return unauthenticated()
    case 'forbidden':
      return new HttpError(403)
    case 'malformed':
      return new HttpError(400, verdict.message)
  }
}

function unauthenticated(): HttpError {
  return new HttpError(401, '', CHALLENGE)
}
