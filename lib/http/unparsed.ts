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

/** What Node's parser says; `rawPacket` is the piece it could not go on with. */
export interface ParserError extends Error {
  readonly code?: string
  readonly reason?: string
  readonly bytesParsed?: number
  readonly rawPacket?: Buffer
}

/** The parser's complaints about a first line, which may well be in order. */
const IN_FIRST_LINE = new Set([
  'HPE_INVALID_METHOD',
  'HPE_INVALID_URL',
  'HPE_INVALID_VERSION',
  'HPE_INVALID_CONSTANT',
])

/** How the parser says that HTTP/2 begins, which it does with a request of its own (RFC 9113, 3.4), however it is cut. */
const PREFACE = 'HPE_PAUSED_H2_UPGRADE'
const PREFACE_LINE = 'PRI * HTTP/2.0'

/** Whether it is the first line that the parser complains about. */
export function mayBeReadAgain({ code = '' }: ParserError): boolean {
  return IN_FIRST_LINE.has(code)
}

/**
 * What the parser could not go on with, from the beginning of the request on.
 * @param received how many bytes came since the request before
 * @returns undefined where that beginning is not at hand
 */
export function beginningOf(error: ParserError, received: number): Buffer | undefined {
  const { rawPacket, bytesParsed = 0 } = error
  if (rawPacket?.length === received) return rawPacket
  if (!rawPacket || bytesParsed === 0 || !mayBeReadAgain(error)) return undefined
  const endOfLineBefore = rawPacket.lastIndexOf('\n', bytesParsed - 1)
  return endOfLineBefore < 0 ? undefined : rawPacket.subarray(endOfLineBefore + 1)
}

/** How to answer what the parser complains about; undefined where nobody is left to be answered. */
export function reasonOf({ code, reason }: ParserError, bytes: Buffer | undefined): HttpError | undefined {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408)
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(!bytes || bytes.includes('\n') ? 431 : 414)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError(413)
    case PREFACE:
      return unsupportedVersion('2.0')
    case 'HPE_INVALID_EOF_STATE':
      return new HttpError(400, 'The request ended early')
    default:
      return code?.startsWith('HPE_') ? new HttpError(400, reason ?? '') : undefined
  }
}

/** What methods and names of headers are made of (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/

/** Whether a first line looks like one, and not like a piece of something else that should not be logged. */
export function isRequestLine(line: string | undefined): boolean {
  return line !== undefined && /^\S+ \S+ HTTP\/\d/.test(line)
}

export interface UnparsedRequest {
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly body: Buffer
}

/** The first line of what the parser complains about, for the log; undefined where there is none to be seen. */
export function lineOf({ code }: ParserError, bytes: Buffer | undefined): string | undefined {
  if (code === PREFACE) return PREFACE_LINE
  const line = bytes && requestLineOf(bytes)
  return isRequestLine(line) ? line : undefined
}

/** The first line, as far as it is there; its bytes are taken for Latin 1, as everywhere in a head. */
export function requestLineOf(bytes: Buffer): string {
  const end = bytes.indexOf('\n')
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end).replace(/\r$/, '')
}

/** What stands from a place on, without the blanks and tabs around it. */
function withoutSpace(header: string, from: number): string {
  let [begin, end] = [from, header.length]
  while (header[begin] === ' ' || header[begin] === '\t') begin++
  while (end > begin && (header[end - 1] === ' ' || header[end - 1] === '\t')) end--
  return header.slice(begin, end)
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
  if (words.length !== 3 || !TOKEN.test(method)) {
    throw new HttpError(400, `Bad request syntax ('${line}')`)
  }
  const [, major, minor] = /^HTTP\/(\d+)\.(\d+)$/.exec(version) ?? []
  if (!major) throw new HttpError(400, `Bad request version ('${version}')`)
  if (major !== '1') throw unsupportedVersion(`${major}.${minor}`)

  const endOfHead = bytes.indexOf('\r\n\r\n')
  if (endOfHead < 0) throw new HttpError(400, 'The end of the headers was not found')
  const headers: Record<string, string> = {}
  for (const header of bytes.toString('latin1', 0, endOfHead).split('\r\n').slice(1)) {
    const colon = header.indexOf(':')
    const name = header.slice(0, Math.max(colon, 0)).toLowerCase()
    if (!TOKEN.test(name) || /[\r\n]/.test(header)) throw new HttpError(400, 'Invalid header')
    if (name === 'host' && headers.host !== undefined) throw new HttpError(400, 'More than one Host header')
    headers[name] ??= withoutSpace(header, colon + 1)
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
