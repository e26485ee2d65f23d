/**
 * The application on a node that is perhaps not the master (decorator): what
 * depends on this daemon alone is answered here, the rest at the master. While
 * the master does not answer, a candidate says what it knows itself. What was
 * forwarded once is never forwarded again, so that nodes which take each other
 * for the master do not send it to and fro.
 *
 *     Ganeti-Master: node1.example.com      the master, as this node knows it
 *     Ganeti-Served-By: node1.example.com   the node that made the answer
 */
import { Failure } from '../failure.ts'
import { isTimed, kindOf } from '../http/app.ts'
import { changes } from '../http/audit.ts'
import { BodyPlaces } from '../http/body-places.ts'
import { endedStream, wantsStream } from '../http/event-streams.ts'
import type { App, Request, Response } from '../http/message.ts'
import { METRICS_PATH } from '../http/metrics-page.ts'
import { isPage } from '../http/page.ts'
import { isProbe } from '../http/probes.ts'
import { createRouter, pathOf } from '../http/router.ts'
import { failureResponse, HttpError } from '../http/status.ts'
import type { ForwardMetrics } from '../metrics/forward-metrics.ts'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import { BodyLimit, dependenceOf, type MethodName, type Resource } from '../resources/resource.ts'
import { FORWARDED } from './forwarded-header.ts'
import type { Forwarder } from './forwarder.ts'
import { Unanswered } from './master-client.ts'
import type { NodeRole } from './node-role.ts'

/** After how many seconds a change may be tried again that found no master. */
const RETRY_AFTER = 5

/** After how many milliseconds a client of events comes again. */
const RETRY_STREAM = 2000

/** Only what resources can have is forwarded. */
const METHODS: ReadonlySet<string> = new Set<MethodName>(['GET', 'PUT', 'POST', 'DELETE'])
/** What Node sends as a target; others name no resource. */
const SENDABLE = /^\/[\x21-\xff]*$/

export interface AnyNodeOptions {
  /** Answers what is not forwarded; asked for cluster state where this is not the master, it has an older one or fails. */
  readonly app: App
  readonly role: () => NodeRole
  readonly resources: readonly Resource[]
  readonly forwarder: Pick<Forwarder, 'forward'>
  readonly http: HttpMetrics
  readonly metrics: Pick<ForwardMetrics, 'requests'>
}

/** Makes the application. It never throws: errors become responses. */
export function createAnyNodeApp({ app, role, resources, forwarder, http, metrics }: AnyNodeOptions): App {
  const route = createRouter(resources)
  const bodies = new BodyPlaces()

  /** Whether a request is answered here, wherever the master is. */
  const isLocal = ({ method: name, target }: Request) => {
    const path = pathOf(target)
    if (!METHODS.has(name) || !SENDABLE.test(target)) return true
    if (path === METRICS_PATH || isPage(target) || isProbe(target)) return true
    const match = route(path)
    const method = match?.resource.methods.GET
    return method !== undefined && dependenceOf(method, match?.params ?? {}) === 'nothing'
  }

  const forward = async (request: Request, now: NodeRole): Promise<Response> => {
    const { method: name, target } = request
    const resource = route(pathOf(target))?.resource
    const method = resource?.methods[name as MethodName]
    const counts = resource && http.route(name, resource.path, isTimed(method))
    const kind = method && kindOf(name, method)
    if (kind) http.inFlight[kind]++
    try {
      if (request.headers[FORWARDED] !== undefined) {
        const { self, master } = now
        throw new HttpError(508, `${self} is not the master node, which is ${master} as far as it knows`)
      }
      const body = await receive(request, method?.bodyLimit ?? BodyLimit.unused)
      const isRead = method !== undefined && !changes(name, method)
      const signal = method?.waits === undefined ? request.lost : request.signal
      try {
        const response = await forwarder.forward(request, { role: now, body, isRead, signal })
        metrics.requests.add('answered')
        return { ...response, counts }
      } catch (thrown) {
        if (!isAway(thrown)) throw thrown
        if (method?.follows && wantsStream(request.headers)) {
          metrics.requests.add('failed')
          return marked({ ...endedStream(RETRY_STREAM, 'failover'), cause: thrown, counts }, now)
        }
        if (isRead && !method.follows && now.role === 'candidate') {
          const stale = await app(withBody(request, body))
          metrics.requests.add(stale.status < 500 ? 'stale' : 'failed')
          return marked(stale, now)
        }
        if (isRead || thrown instanceof Unanswered) throw thrown
        const headers = ['Retry-After', String(RETRY_AFTER)]
        const refusal = failureResponse(new HttpError(503, `${thrown.message}; nothing was changed`, headers))
        metrics.requests.add('failed')
        return marked({ ...refusal, cause: thrown, counts }, now)
      }
    } catch (thrown) {
      metrics.requests.add('failed')
      return marked({ ...failureResponse(thrown), counts }, now)
    } finally {
      if (kind) http.inFlight[kind]--
    }
  }

  const receive = async (request: Request, limit: number): Promise<Buffer> => {
    if (request.bodyLength === 0) return Buffer.alloc(0)
    return bodies.run(request, limit, () => request.readBody(limit))
  }

  return (request) => {
    const now = role()
    if (now.role !== 'master' && !isLocal(request)) return forward(request, now)
    const made = app(request)
    return made instanceof Promise ? made.then((response) => marked(response, now)) : marked(made, now)
  }
}

/** Whether the master could not be reached, or did not answer in time. */
function isAway(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && (thrown.code === 'no-master' || thrown.code === 'no-answer')
}

function marked(response: Response, { self, master }: NodeRole): Response {
  return {
    ...response,
    headers: [...response.headers, 'Ganeti-Master', master, 'Ganeti-Served-By', self],
  }
}

/** The same request, with its body as it was received. */
function withBody(request: Request, body: Buffer): Request {
  const { id, method, target, headers, peer, network, signal, lost } = request
  return {
    ...{ id, method, target, headers, peer, network, signal, lost },
    bodyLength: body.length,
    readBody: async () => body,
  }
}
