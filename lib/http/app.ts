/**
 * The application is a function from request to response with these steps: match
 * the path, find the method, authorize, decode the body, call the handler, encode.
 * The order is Ganeti's, as clients can see it from the statuses: 404 for an
 * unknown path and 501 for a method that the resource does not have come before
 * authorization (but see `Authorizer.requireAuthentication`); then 401 or 403,
 * 415, 400. answers.ts makes the answers and caches them.
 */
import type { Authorizer } from '../auth/authorize.ts'
import { type Need, PUBLIC } from '../auth/permissions.ts'
import type { Scope } from '../auth/scope.ts'
import type { Verdict } from '../auth/verdict.ts'
import { forbidden } from '../backend/scoped/scoped-objects.ts'
import { Failure } from '../failure.ts'
import { HttpMetrics, type RequestKind } from '../metrics/http-metrics.ts'
import { isSince } from '../model/version.ts'
import { BodyLimit, type Method, type MethodName, needOf, type Resource } from '../resources/resource.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import { type Audit, changes } from './audit.ts'
import { readJsonBody } from './body.ts'
import { BodyPlaces } from './body-places.ts'
import type { EventStreams } from './event-streams.ts'
import type { App, Request, RequestHeaders, Response } from './message.ts'
import { METRICS_NEED, METRICS_PATH } from './metrics-page.ts'
import type { Page } from './page.ts'
import type { Probes } from './probes.ts'
import { createRouter, pathOf, queryOf } from './router.ts'
import { failureResponse, HttpError } from './status.ts'

const CHALLENGE = ['WWW-Authenticate', 'Basic realm="Ganeti Remote API"']

export interface AppOptions extends AnswersOptions {
  readonly resources: readonly Resource[]
  /** Decides whether a request may go on. */
  readonly authorizer: Authorizer
  /** Answers `/livez` and `/readyz`, before everything that may make a request wait. */
  readonly probes?: Probes
  /** Answers requests for the page at `/ui/`; there is none unless given. */
  readonly page?: Page | undefined
  /** Gives the answer to `/metrics`, which is open as other reads are. */
  readonly metricsPage?: (headers: RequestHeaders) => Promise<Response>
  /** Answers with what happens in the cluster. */
  readonly events?: Pick<EventStreams, 'open'>
  /** Records changes and refusals. */
  readonly audit?: Audit | undefined
  /** Called with what a known user may not do, which the client is not told; clients' texts in it are not escaped. */
  readonly logForbidden?: (message: string) => void
  /** Makes an application of this one, which then gets only what the other passes on. */
  readonly around?: ((app: App) => App) | undefined
}

/** Makes the application. It never throws: errors become responses. */
export function createApp({
  resources,
  authorizer,
  probes = () => undefined,
  page: pageFor = () => undefined,
  audit,
  metricsPage,
  events,
  logForbidden,
  around = (app) => app,
  ...options
}: AppOptions): App {
  const route = createRouter(resources)
  const { metrics = new HttpMetrics() } = options
  const answers = new Answers({ ...options, metrics })
  const bodyPlaces = new BodyPlaces()
  const { debug } = options

  /**
   * The fast path for a cache hit that needs no user, or one whose password was checked before. `answer` below would
   * give the same response, but with promises, which cost more.
   */
  const cachedResponse = ({ method, target, headers, bodyLength }: Request) => {
    if (method !== 'GET' || bodyLength !== 0 || audit?.reads) return undefined
    const cached = answers.cached(target)
    if (!cached) return undefined
    const verdict = authorizer.authorizeNow(headers.authorization, cached.need)
    if (verdict?.kind !== 'granted' || verdict.scope) return undefined
    const { user } = verdict
    if (headers.authorization !== undefined) metrics.authentications.add(RESULTS.granted)
    metrics.cacheHits++
    debug?.(`${method} ${target}: cache hit, ${inWords(verdict, cached.need)}`)
    const response = cached.respond(headers, user)
    return response instanceof Promise ? response.catch(failureResponse) : response
  }

  const receiveBody = (request: Request, { bodyLimit = BodyLimit.unused }: Method) =>
    bodyPlaces.run(request, bodyLimit, () => readJsonBody(request, bodyLimit))

  /** Whether the cluster's version of Ganeti has a resource or method; true if the version is unknown. */
  const isThere = async ({ since }: Resource | Method) => {
    if (!since) return true
    const version = await options
      .backend()
      .version()
      .catch(() => undefined)
    return !version || isSince(version, since)
  }

  const authorize = async (request: Request, need: Need): Promise<Verdict> => {
    const { headers, network } = request
    try {
      const verdict = await authorizer.authorize(headers.authorization, need, network)
      if (headers.authorization !== undefined) metrics.authentications.add(RESULTS[verdict.kind])
      debug?.(`${request.method} ${request.target}: ${inWords(verdict, need)}`)
      return verdict
    } catch (thrown) {
      metrics.authentications.add('overloaded')
      throw thrown
    }
  }

  /** Of several needs the first that is met; if none is, the first. */
  const firstMet = async ({ headers, network }: Request, needs: readonly Need[]): Promise<Need> => {
    for (const need of needs) {
      if ((await authorizer.authorize(headers.authorization, need, network)).kind === 'granted') return need
    }
    return needs[0] ?? PUBLIC
  }

  /** The error for a verdict other than `granted`. */
  const refusal = (verdict: Verdict, need: Need, { method, target }: Request): HttpError | undefined => {
    switch (verdict.kind) {
      case 'granted':
        return undefined
      case 'unauthenticated':
        return unauthenticated()
      case 'forbidden':
        logForbidden?.(`User ${verdict.user} may not ${method} ${pathOf(target)}: needs ${inNames(need)}`)
        return new HttpError(403)
      case 'malformed':
        return new HttpError(400, verdict.message)
    }
  }

  const answer = async (request: Request): Promise<Response> => {
    const { target, headers, network } = request
    const path = pathOf(target)
    const page = path === METRICS_PATH ? metricsPage : undefined
    const served = request.method === 'GET' ? page : undefined
    const audited = audit?.of(request)
    let user: string | undefined
    let scope: Scope | undefined
    let isLimited = false
    let needed: Need = PUBLIC
    let counts = page && metrics.route(request.method, path)
    let kind: RequestKind | undefined
    const end = (response: Response) => {
      if (kind) metrics.inFlight[kind]--
      const counted = { ...response, user, counts }
      return audited?.end(counted) ?? counted
    }
    try {
      const routed = route(path)
      const match = routed && (await isThere(routed.resource)) ? routed : undefined
      const named = match?.resource.methods[request.method as MethodName]
      const method = named && (await isThere(named)) ? named : undefined
      if (match) counts = metrics.route(request.method, match.resource.path, isTimed(method))
      if (method) {
        kind = kindOf(request.method, method)
        metrics.inFlight[kind]++
      }

      if (method || served || authorizer.requireAuthentication) {
        const needs = method?.needsOneOf?.(queryOf(target))
        const need = needs ? await firstMet(request, needs) : (method ?? (served ? METRICS_NEED : PUBLIC))
        const verdict = await authorize(request, need)
        user = 'user' in verdict ? verdict.user : undefined
        scope = verdict.kind === 'granted' ? verdict.scope : undefined
        isLimited = verdict.kind === 'granted' && verdict.isLimited === true
        needed = need
        audited?.found(match?.resource, method, need, verdict)
        if (authorizer.requireAuthentication && user === undefined)
          throw refusal(verdict, need, request) ?? unauthenticated()
        if (method || served) {
          const refused = refusal(verdict, need, request)
          if (refused) throw refused
        }
      }
      if (served && scope) throw forbidden('the metrics')
      if (served) return await end(await served(headers))
      if (!match && !page) throw new HttpError(404)
      if (!match || !method)
        throw new HttpError(501, `Method ${request.method} is unsupported for path ${path}`)

      const body = request.bodyLength === 0 ? undefined : await receiveBody(request, method)

      const need = method.furtherPermissions ? needOf(method, queryOf(target), body) : method
      if (need.permissions.length > method.permissions.length) {
        const verdict = await authorizer.authorize(headers.authorization, need, network)
        audited?.found(match.resource, method, need, verdict)
        const refused = refusal(verdict, need, request)
        if (refused) throw refused
        needed = need
        scope = verdict.kind === 'granted' ? verdict.scope : undefined
      }

      if (events && method.follows) {
        const wanted = method.follows(queryOf(target), headers['last-event-id'])
        return await end(await events.open(request, wanted, user))
      }

      await audited?.begin(method)
      const within = (other: Need) => authorizer.within(user, other)
      const asked = {
        ...{ user, within, scope, isLimited, method, params: match.params },
        ...{ body, submit: audited?.submit, counts },
      }
      return await end(await answers.answer(request, asked))
    } catch (thrown) {
      if (scope && thrown instanceof Failure && thrown.code === 'forbidden')
        logForbidden?.(
          `User ${scope.user} may not ${request.method} ${path}: needs ${inNames(needed)}; ${thrown.message}`,
        )
      return end(failureResponse(thrown))
    }
  }

  /** The answer to a probe, counted under its path. */
  const probed = (request: Request) => {
    const made = probes(request)
    if (!made) return undefined
    const [, name = ''] = request.target.split(/[/?]/, 2)
    return made.then((response) => ({ ...response, counts: metrics.route(request.method, `/${name}`) }))
  }

  return around(
    (request) => pageFor(request) ?? cachedResponse(request) ?? probed(request) ?? answer(request),
  )
}

/** The results of authentication, for metrics. */
const RESULTS: Readonly<Record<Verdict['kind'], string>> = {
  granted: 'ok',
  unauthenticated: 'wrong',
  forbidden: 'forbidden',
  malformed: 'wrong',
}

/** Whether the time until the end of an answer tells something: not if it waits for something to happen. */
export function isTimed(method: Method | undefined): boolean {
  return method?.waits === undefined && method?.follows === undefined
}

/** What a request is. */
export function kindOf(name: string, method: Method): RequestKind {
  if (method.waits !== undefined) return 'wait'
  return changes(name, method) ? 'write' : 'read'
}

/** A verdict as text, for debug messages. */
function inWords(verdict: Verdict, need: Need): string {
  const needed = need.permissions.length === 0 ? 'public' : `needs ${inNames(need)}`
  switch (verdict.kind) {
    case 'granted':
      if (verdict.user === undefined) return 'open to everyone'
      return `${needed}; user ${verdict.user} is let in${verdict.by === undefined ? '' : ` by ${verdict.by}`}`
    case 'unauthenticated':
      return `${needed}; not let in: no user and password, or wrong ones`
    case 'forbidden':
      return `${needed}; not let in: user ${verdict.user} has other rights`
    case 'malformed':
      return `${needed}; not let in: ${verdict.message}`
  }
}

/** The permissions that a request needs, and the rights that are enough for users of old words. */
function inNames({ permissions, access }: Need): string {
  const rights = access.length === 0 ? '' : ` (${access.join(' or ')})`
  return `${permissions.join(' and ')}${rights}`
}

function unauthenticated(): HttpError {
  return new HttpError(401, '', CHALLENGE)
}
