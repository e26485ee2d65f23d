/**
 * The application is a function from request to response with these steps: match
 * the path, find the method, authorize, decode the body, call the handler, encode.
 * The order is Ganeti's, as clients can see it from the statuses: 404 for an
 * unknown path and 501 for a method that the resource does not have come before
 * authorization (but see `Authorizer.requireAuthentication`); then 401 or 403,
 * 415, 400. answers.ts makes the answers and caches them.
 */
import type { Authorizer } from '../auth/authorize.ts'
import type { Right } from '../auth/rights.ts'
import type { Verdict } from '../auth/verdict.ts'
import { FairSemaphore } from '../concurrency/fair-semaphore.ts'
import { isSince } from '../model/version.ts'
import { BodyLimit, type Method, type MethodName, type Resource } from '../resources/resource.ts'
import { Answers, type AnswersOptions } from './answers.ts'
import type { Audit } from './audit.ts'
import { readJsonBody } from './body.ts'
import type { App, Request, Response } from './message.ts'
import type { Probes } from './probes.ts'
import { createRouter, pathOf } from './router.ts'
import { failureResponse, HttpError } from './status.ts'

/** Bodies up to this many bytes are received without a limit on their number. */
const SHORT_BODY = 64 * 1024
/** The semaphore for receiving and parsing longer bodies. */
const LONG_BODIES = {
  places: 8,
  share: 4,
  waiting: 100,
  refusal: 'Too many long request bodies at once, try again later',
}

const CHALLENGE = ['WWW-Authenticate', 'Basic realm="Ganeti Remote API"']

export interface AppOptions extends AnswersOptions {
  readonly resources: readonly Resource[]
  /** Decides whether a request may go on. */
  readonly authorizer: Authorizer
  /** Answers `/livez` and `/readyz`, before everything that may make a request wait. */
  readonly probes?: Probes
  /** Records changes and refusals. */
  readonly audit?: Audit | undefined
}

/** Makes the application. It never throws: errors become responses. */
export function createApp({
  resources,
  authorizer,
  probes = () => undefined,
  audit,
  ...options
}: AppOptions): App {
  const route = createRouter(resources)
  const answers = new Answers(options)
  const longBodies = new FairSemaphore(LONG_BODIES)
  const { debug } = options

  /**
   * The fast path for a cache hit that needs no user. `answer` below would give the same response, but with
   * promises, which cost more.
   */
  const cachedResponse = ({ method, target, headers, bodyLength }: Request) => {
    if (method !== 'GET' || bodyLength !== 0 || audit?.reads) return undefined
    const cached = answers.cached(target)
    if (!cached) return undefined
    if (authorizer.authorizeNow(headers.authorization, cached.access)?.kind !== 'granted') return undefined
    debug?.(`${method} ${target}: cache hit, open to everyone`)
    const response = cached.respond(headers)
    return response instanceof Promise ? response.catch(failureResponse) : response
  }

  const receiveBody = (request: Request, { bodyLimit = BodyLimit.unused }: Method) => {
    const { bodyLength = Number.POSITIVE_INFINITY, network, signal } = request
    const receive = () => readJsonBody(request, bodyLimit)
    return Math.min(bodyLength, bodyLimit) > SHORT_BODY ? longBodies.run(network, receive, signal) : receive()
  }

  /** Whether the cluster's version of Ganeti has a resource or method; true if the version is unknown. */
  const isThere = async ({ since }: Resource | Method) => {
    if (!since) return true
    const version = await options
      .backend()
      .version()
      .catch(() => undefined)
    return !version || isSince(version, since)
  }

  const answer = async (request: Request): Promise<Response> => {
    const { target, headers } = request
    const path = pathOf(target)
    const audited = audit?.of(request)
    const end = (response: Response) => audited?.end(response) ?? response
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
        audited?.found(match?.resource, method, verdict)
        debug?.(`${request.method} ${target}: ${inWords(verdict, method?.access ?? [])}`)
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

      await audited?.begin(method)
      const asked = { user, method, params: match.params, body, submit: audited?.submit }
      return await end({ ...(await answers.answer(request, asked)), user })
    } catch (thrown) {
      return end({ ...failureResponse(thrown), user })
    }
  }

  return (request) => cachedResponse(request) ?? probes(request) ?? answer(request)
}

/** A verdict as text, for debug messages. */
function inWords(verdict: Verdict, access: readonly Right[]): string {
  const needed = access.length === 0 ? 'open to everyone' : `needs ${access.join(' or ')}`
  switch (verdict.kind) {
    case 'granted':
      return verdict.user === undefined ? needed : `${needed}; user ${verdict.user} is let in`
    case 'unauthenticated':
      return `${needed}; not let in: no user and password, or wrong ones`
    case 'forbidden':
      return `${needed}; not let in: user ${verdict.user} has other rights`
    case 'malformed':
      return `${needed}; not let in: ${verdict.message}`
  }
}

/** The error for a verdict other than `granted`. */
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
