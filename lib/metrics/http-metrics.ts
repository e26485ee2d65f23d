/**
 * What is counted of connections, requests and their answers. Counting happens
 * for each request, so that it costs no allocation and no lookup there: an
 * answer that is cached has its counts with it.
 *
 * No label is a user, an address or a path as a client sent it.
 */
import { Counters, counter, type Family, gauge, Histogram, histogram, type Labels } from './family.ts'

/** In seconds; most answers take less than one millisecond. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE'])

/** The counts of one method of one route. */
export class RouteCounts {
  /** By status; 0 for answers that were not sent. */
  readonly statuses = new Map<number, number>()
  readonly durations: Histogram | undefined

  /** @param isTimed false for requests that wait for something to happen */
  constructor(
    readonly labels: { readonly method: string; readonly route: string },
    isTimed: boolean,
  ) {
    this.durations = isTimed ? new Histogram(DURATIONS) : undefined
  }

  /** @param status undefined if the answer was not sent */
  count(status: number | undefined, milliseconds: number): void {
    const key = status ?? 0
    this.statuses.set(key, (this.statuses.get(key) ?? 0) + 1)
    if (status !== undefined) this.durations?.observe(milliseconds / 1000)
  }
}

/** What a request is that is being answered. */
export type RequestKind = 'read' | 'write' | 'wait'

export type ConnectionState = 'active' | 'idle' | 'waiting' | 'stream'

export class HttpMetrics {
  readonly #routes = new Map<string, RouteCounts>()
  readonly #unknown = this.route('', 'unknown')
  readonly inFlight: Record<RequestKind, number> = { read: 0, write: 0, wait: 0 }
  /** By result: ok, wrong, forbidden, overloaded. */
  readonly authentications = new Counters('result')
  refusedConnections = 0
  handshakes = 0
  handshakeErrors = 0
  cacheHits = 0
  cacheMisses = 0
  /** Gives the bytes in the cache; set by the cache's owner. */
  cacheBytes: () => number = () => 0
  /** Counts connections; set by their owner. */
  connections: () => Readonly<Record<ConnectionState, number>> = () => ({
    active: 0,
    idle: 0,
    waiting: 0,
    stream: 0,
  })

  /**
   * The counts of a method and a route.
   * @param route the path of a resource, with its names in braces
   */
  route(method: string, route: string, isTimed = true): RouteCounts {
    const known = METHODS.has(method) ? method : 'other'
    const key = `${known} ${route}`
    const counts = this.#routes.get(key) ?? new RouteCounts({ method: known, route }, isTimed)
    this.#routes.set(key, counts)
    return counts
  }

  /** Counts an answer. @param counts undefined if it has no route */
  answered(counts: RouteCounts = this.#unknown, status: number | undefined, milliseconds: number): void {
    counts.count(status, milliseconds)
  }

  families(): Family[] {
    const routes = [...this.#routes.values()].filter(({ statuses }) => statuses.size > 0)
    const connections = this.connections()
    return [
      counter(
        'ganeti_rapi_http_requests',
        'Requests, by status of the answer; 0 if it was not sent.',
        statusesOf(routes),
      ),
      histogram(
        'ganeti_rapi_http_request_duration_seconds',
        'Time from a request to the end of sending its answer; without requests that wait for jobs.',
        routes.flatMap(({ labels, durations }) => (durations ? [[labels, durations] as const] : [])),
      ),
      gauge(
        'ganeti_rapi_http_requests_in_flight',
        'Requests whose answer is being made.',
        Object.entries(this.inFlight).map(([kind, value]) => [{ kind }, value]),
      ),
      gauge(
        'ganeti_rapi_connections',
        'Connections: active with a request, idle, waiting for or making a TLS handshake, or a stream of events.',
        Object.entries(connections).map(([state, value]) => [{ state }, value]),
      ),
      only(
        counter,
        'ganeti_rapi_connections_refused',
        'Connections that got no place.',
        this.refusedConnections,
      ),
      only(counter, 'ganeti_rapi_tls_handshakes', 'Completed TLS handshakes.', this.handshakes),
      only(counter, 'ganeti_rapi_tls_handshake_errors', 'Failed TLS handshakes.', this.handshakeErrors),
      counter('ganeti_rapi_authentications', 'Requests with credentials, by result.', this.authentications),
      only(counter, 'ganeti_rapi_response_cache_hits', 'Answers from the cache.', this.cacheHits),
      only(counter, 'ganeti_rapi_response_cache_misses', 'Answers that were made.', this.cacheMisses),
      only(gauge, 'ganeti_rapi_response_cache_bytes', 'Size of the cached answers.', this.cacheBytes()),
    ]
  }
}

/** A family of a single value without labels. */
export function only(make: typeof gauge, name: string, help: string, value: number): Family {
  return make(name, help, [[{}, value]])
}

function* statusesOf(routes: readonly RouteCounts[]): Generator<readonly [Labels, number]> {
  for (const { labels, statuses } of routes) {
    for (const [status, count] of statuses) yield [{ ...labels, code: String(status) }, count]
  }
}
