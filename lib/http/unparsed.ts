/**
 * Node's HTTP parser gives up on things that Ganeti's daemon answers: methods
 * in lower case or unheard of, bytes outside ASCII in a path, HTTP/1.2. What
 * it read is still there, so we read it again, simply, and once: after such a
 * request the connection is closed, so nothing that follows can be
 * misunderstood. A request that did not arrive whole, in one piece, is refused.
 *
 *     METHOD SP TARGET SP HTTP/MAJOR.MINOR CRLF
 *     (NAME ":" VALUE CRLF)*
 *     CRLF
 *     BODY                                        Content-Length bytes
 */
import type { RequestHeaders } from './message.ts'
import { HttpError } from './status.ts'

export interface UnparsedRequest {
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly body: Buffer
}

/** The first line, as far as it is there; its bytes are taken for Latin 1, as everywhere in a head. */
export function requestLineOf(bytes: Buffer): string {
  const end = bytes.indexOf('\n')
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end).replace(/\r$/, '')
}

/**
 * Reads a request that the parser did not.
 * @param bytes from the beginning of the request on
 * @throws HttpError 400 or 505, in the words of Python's http.server
 */
export function readUnparsed(bytes: Buffer): UnparsedRequest {
  const line = requestLineOf(bytes)
  const words = line.split(' ')
  const [method = '', target = '', version = ''] = words
  if (words.length !== 3) throw new HttpError(400, `Bad request syntax ('${line}')`)
  const [, major, minor] = /^HTTP\/(\d+)\.(\d+)$/.exec(version) ?? []
  if (!major) throw new HttpError(400, `Bad request version ('${version}')`)
  if (major !== '1') throw unsupportedVersion(`${major}.${minor}`)

  const endOfHead = bytes.indexOf('\r\n\r\n')
  if (endOfHead < 0) throw new HttpError(400, 'The end of the headers was not found')
  const headers: Record<string, string> = {}
  for (const header of bytes.toString('latin1', 0, endOfHead).split('\r\n').slice(1)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(header) ?? []
    if (name === undefined || value === undefined) throw new HttpError(400, 'Invalid header')
    headers[name.toLowerCase()] ??= value
  }
  if (minor !== '0' && headers.host === undefined) throw new HttpError(400, 'Missing Host header')
  const length = headers['content-length'] ?? '0'
  const body = bytes.subarray(endOfHead + 4, endOfHead + 4 + Number(length))
  if (!/^\d+$/.test(length) || body.length < Number(length) || headers['transfer-encoding'] !== undefined) {
    throw new HttpError(400, 'The body did not come with the headers')
  }
  return { method: method.toUpperCase(), target, headers, body }
}

/** The answer to a request in another HTTP than 1. */
export function unsupportedVersion(version: string): HttpError {
  return new HttpError(505, `Invalid HTTP Version (${version})`)
}
