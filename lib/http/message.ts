/**
 * A request and a response as the application sees them: two small types of
 * our own, so that the application is a plain function and a test needs no
 * socket. We do not borrow the web's Request, which forbids a body on GET:
 * `/2/jobs/{job_id}/wait` is a GET with one.
 */

/** The few headers anyone here reads; where one is repeated, the first counts. */
export interface RequestHeaders {
  readonly authorization?: string | undefined
  readonly 'content-type'?: string | undefined
  readonly 'accept-encoding'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

export interface Request {
  /** In upper case. */
  readonly method: string
  /** Path and query string as sent: never decoded, never normalized. */
  readonly target: string
  readonly headers: RequestHeaders
  /** Whom the client counts with where something is shared out (see client-network.ts). */
  readonly network: string
  /** The length of the body as announced; undefined where only its end will tell (chunked), 0 for none. */
  readonly bodyLength: number | undefined
  /**
   * Receives the body, or refuses to, and must be called at most once.
   * @param limit the most bytes to take
   * @throws HttpError 413 for a longer one, 400 or 408 where it does not arrive whole
   */
  readonly readBody: (limit: number) => Promise<Buffer>
  /**
   * Aborted once the client has hung up, or said that it will send no more, which looks the same: reason enough not to
   * wait for anything any longer. Made when first asked for.
   */
  readonly signal: AbortSignal
  /** Aborted once the connection is lost, so that nobody can read an answer; made when first asked for. */
  readonly lost: AbortSignal
}

export interface Response {
  readonly status: number
  /** Names and values by turns, without those every answer has (Server, Date, type and length). */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Who asked, where they proved it. */
  readonly user?: string | undefined
  /** Called once when the answer has left as a whole, or will not any more. */
  readonly release?: (() => void) | undefined
  /** What was thrown, where the log should tell more than the status. */
  readonly cause?: unknown
}

/** Answers at once where it can, so that what is at hand costs no promise. */
export type App = (request: Request) => Response | Promise<Response>
