/**
 * Maps errors to what the client gets: a status, and Ganeti's body `{"code",
 * "message", "explain"}`. Clients compare these texts, so where Ganeti's daemon
 * has only the standard ones, more information is in an additional key, `detail`.
 *
 * Failures come from other folders; an HttpError exists only in HTTP and comes
 * from this folder. Anything else is a bug of ours, for which the client gets
 * only the standard phrase.
 */
import { Failure, type FailureCode } from '../failure.ts'
import { encodeSmall } from './encode.ts'
import type { Response } from './message.ts'

/** Phrase and explanation of every status that is sent, as in Ganeti's daemon (from Python's http.server). */
const STANDARD_TEXTS: Readonly<Record<number, readonly [phrase: string, explain: string]>> = {
  200: ['OK', 'Request fulfilled, document follows'],
  301: ['Moved Permanently', 'Object moved permanently -- see URI list'],
  302: ['Found', 'Object moved temporarily -- see URI list'],
  304: ['Not Modified', 'Document has not changed since given time'],
  400: ['Bad Request', 'Bad request syntax or unsupported method'],
  401: ['Unauthorized', 'No permission -- see authorization schemes'],
  403: ['Forbidden', 'Request forbidden -- authorization will not help'],
  404: ['Not Found', 'Nothing matches the given URI'],
  408: ['Request Timeout', 'Request timed out; try again later'],
  413: ['Request Entity Too Large', 'Entity is too large'],
  414: ['Request-URI Too Long', 'URI is too long'],
  415: ['Unsupported Media Type', 'Entity body in unsupported format'],
  431: [
    'Request Header Fields Too Large',
    'The server is unwilling to process the request because its header fields are too large',
  ],
  500: ['Internal Server Error', 'Server got itself in trouble'],
  501: ['Not Implemented', 'Server does not support this operation'],
  502: ['Bad Gateway', 'Invalid responses from another server/proxy'],
  503: ['Service Unavailable', 'The server cannot process the request due to a high load'],
  504: ['Gateway Timeout', 'The gateway server did not receive a timely response'],
  505: ['HTTP Version Not Supported', 'Cannot fulfill request'],
  508: ['Loop Detected', 'The server detected an infinite loop while processing the request'],
}

const STATUS_OF: Readonly<Record<FailureCode, number>> = {
  'not-found': 404,
  invalid: 400,
  'too-large': 413,
  forbidden: 403,
  unavailable: 503,
  'no-master': 502,
  'no-answer': 504,
  'bad-answer': 502,
  unsupported: 501,
  configuration: 500,
  internal: 500,
}

/** Statuses to which Ganeti's daemon never gives a message of its own. */
const WITHOUT_MESSAGE: ReadonlySet<number> = new Set([404, 504])

/** A refusal that exists only in HTTP. */
export class HttpError extends Error {
  override readonly name = 'HttpError'

  /**
   * @param status one of the statuses above
   * @param message for the client; '' for the standard phrase
   * @param headers alternating names and values, e.g. a challenge
   */
  constructor(
    readonly status: number,
    message = '',
    readonly headers: readonly string[] = [],
  ) {
    super(message)
  }
}

/** The error for a request in a major version of HTTP other than 1. */
export function unsupportedVersion(version: string): HttpError {
  return new HttpError(505, `Invalid HTTP Version (${version})`)
}

/** The reason phrase of a status line. */
export function phraseOf(status: number): string {
  return STANDARD_TEXTS[status]?.[0] ?? ''
}

/**
 * Gives the answer to a request that failed with `thrown`.
 *
 * A Failure `configuration` names files of the server, which only the operator
 * may see: like a bug, it is only logged.
 */
export function failureResponse(thrown: unknown): Response {
  if (thrown instanceof HttpError) return errorResponse(thrown.status, thrown.message, thrown.headers)
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    // A client that has only half-closed still reads this.
    return errorResponse(503, 'Given up, as the client has closed its side of the connection')
  }
  if (!(thrown instanceof Failure)) return { ...errorResponse(500), cause: thrown }
  const status = STATUS_OF[thrown.code]
  const text = thrown.code === 'configuration' ? '' : thrown.message
  const response = WITHOUT_MESSAGE.has(status)
    ? errorResponse(status, '', [], text)
    : errorResponse(status, text)
  return status < 500 ? response : { ...response, cause: thrown }
}

/** The most characters of a message. Many repeat a wrong value, which can have megabytes. */
const LONGEST_MESSAGE = 2048

/**
 * Makes the answer for an error; the default message is the phrase.
 * Message and detail are cut after 2048 characters, and HTML-escaped like Ganeti's: some clients show them in pages.
 * @param detail additional information
 */
export function errorResponse(
  status: number,
  message = '',
  headers: readonly string[] = [],
  detail = '',
): Response {
  const [phrase, explain] = STANDARD_TEXTS[status] ?? ['', '']
  const standard = { code: status, message: forClients(message) || phrase, explain }
  const body = encodeSmall(detail === '' ? standard : { ...standard, detail: forClients(detail) })
  return { status, headers, body }
}

function forClients(text: string): string {
  return escapeHtml(text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}...` : text)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
