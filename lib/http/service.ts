/** The state that all connections of a server share. */
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { Limits } from './limits.ts'
import type { App, Request, RequestHeaders, Response } from './message.ts'

/** A request for the log; its texts are as the client sent them, so they must be escaped. */
export interface RequestRecord {
  /** Address and port. */
  readonly peer: string
  /** The first line; undefined if it is not known. */
  readonly line: string | undefined
  readonly id: string
  /** The id that the client gave to it; undefined if it gave none. */
  readonly clientsId: string | undefined
  /** The status that was sent; undefined if the connection was lost before. */
  readonly status: number | undefined
  readonly user: string | undefined
  /** Set if the log should have no line for it. */
  readonly quiet: boolean
  /** What was thrown, for server errors. */
  readonly cause: unknown
}

/** Who sent a request. */
export type Client = Pick<Request, 'peer' | 'network'>

export interface Service {
  readonly app: App
  readonly serverName: string
  readonly limits: Limits
  readonly metrics: HttpMetrics
  /** Gives the client for which a trusted proxy at an address has forwarded a request; undefined for none. */
  readonly clientBehind?: ((address: string, headers: RequestHeaders) => Client | undefined) | undefined
  readonly logRequest: (record: RequestRecord) => void
  readonly logDebug: (message: string) => void
  /** How many requests wait in the queues of their connections (pipelining), in total. */
  pipelined: number
  /** How many answers that go on are being sent. */
  streams: number
  /** How many requests were answered, in total. */
  answered: number
}

/**
 * Counts and logs a request that is over.
 * @param sent whether the answer reached the client
 */
export function report(
  { metrics, logRequest }: Service,
  peer: string,
  {
    line,
    id,
    clientsId,
    begun,
  }: Pick<RequestRecord, 'line' | 'id' | 'clientsId'> & { readonly begun: number },
  response: Response | undefined,
  sent: boolean,
): void {
  const status = sent ? response?.status : undefined
  metrics.answered(response?.counts, status, performance.now() - begun)
  const { user, quiet = false, cause } = response ?? {}
  logRequest({ peer, line, id, clientsId, status, user, quiet, cause })
}
