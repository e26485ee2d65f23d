/**
 * A request and a response as the application sees them: two small types of
 * our own, so that the application is a plain function and a test needs no
 * socket. The web's Request cannot be used, as it forbids a body on GET, and
 * `/2/jobs/{job_id}/wait` is a GET with a body.
 */

import type { RouteCounts } from '../metrics/http-metrics.ts'

/** The headers that are used; of a repeated header, the first counts. */
export interface RequestHeaders {
  readonly authorization?: string | undefined
  readonly 'content-type'?: string | undefined
  readonly accept?: string | undefined
  readonly 'accept-encoding'?: string | undefined
  readonly 'if-none-match'?: string | undefined
  readonly 'last-event-id'?: string | undefined
  readonly 'cache-control'?: string | undefined
  readonly 'x-request-id'?: string | undefined
  readonly 'user-agent'?: string | undefined
  readonly 'ganeti-forwarded'?: string | undefined
}

export interface Request {
  /** See request-id.ts. */
  readonly id: string
  /** In upper case. */
  readonly method: string
  /** Path and query string as sent: never decoded, never normalized. */
  readonly target: string
  readonly headers: RequestHeaders
  /** The client's address and port, for logs. */
  readonly peer: string
  /** The network of the client, for fair limits (see client-network.ts). */
  readonly network: string
  /** The announced length of the body; undefined if it is chunked, 0 for none. */
  readonly bodyLength: number | undefined
  /**
   * Receives the body, or refuses it; must be called at most once.
   * @param limit the most bytes to accept
   * @throws HttpError 413 for a longer one, 400 or 408 if it does not arrive whole
   */
  readonly readBody: (limit: number) => Promise<Buffer>
  /**
   * Aborted once the client has disconnected or half-closed, which cannot be told apart at first: the request should
   * then not wait for anything. Created on first use.
   */
  readonly signal: AbortSignal
  /** Aborted once the connection is lost, so that no answer can be sent. Created on first use. */
  readonly lost: AbortSignal
}

export interface Response {
  readonly status: number
  /** The Content-Type; default: that of JSON. */
  readonly type?: string
  /** Alternating names and values, without those of every answer (Server, Date, type and length). */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** What follows the body, for an answer that goes on. */
  readonly stream?: Stream
  /** The authenticated user. */
  readonly user?: string | undefined
  /** Where it is counted; under no route unless given. */
  readonly counts?: RouteCounts | undefined
  /** Whether the log should have no line for the request. */
  readonly quiet?: boolean
  /** Called once when the whole answer was sent, or can no longer be sent. */
  readonly release?: (() => void) | undefined
  /** What was thrown, if the log should have more than the status. */
  readonly cause?: unknown
}

/**
 * What an answer that goes on consists of, for instance server-sent events. It is the last one of its connection,
 * which does not count towards the limit of connections meanwhile. Its request is logged when it begins.
 */
export interface Stream {
  /** Called once, when the head was sent; the client may have left already. */
  begin(outlet: Outlet): void
  /** Called when the daemon stops: the answer should end soon. */
  stop(): void
  /** Why it has ended; undefined if the client has left. */
  readonly ending?: string | undefined
}

/** Where such an answer is written. Nothing happens once it is over. */
export interface Outlet {
  /** Bytes that the client has not taken yet; if some wait for long, it is disconnected. */
  readonly pending: number
  /**
   * Sends bytes, which must not be changed afterwards.
   * @param taken called when the client, or the kernel for it, has taken them
   */
  write(bytes: Buffer, taken?: () => void): void
  /** Ends the answer. */
  end(): void
  /** Breaks the connection off, so that the client can tell that the answer is not whole. */
  abort(): void
}

/** The application: answers synchronously if it can, so that a cache hit costs no promise. */
export type App = (request: Request) => Response | Promise<Response>
