/**
 * Node's HTTP parser rejects requests that Ganeti's daemon answers: methods in
 * lower case or unknown ones, bytes outside ASCII in a path, HTTP/1.2, a line
 * feed after a value or a target, as some base64 encoders append. The bytes are
 * still available, so such a request is parsed again here, by a simple parser.
 * The connection is then closed, so that nothing that follows can be
 * misinterpreted (request smuggling). A request that did not arrive whole, in
 * one chunk, is refused.
 *
 *     METHOD SPACE TARGET SPACE HTTP/MAJOR.MINOR CRLF
 *     (NAME ":" VALUE (CRLF | LF))*
 *     CRLF
 *     BODY                                        Content-Length bytes
 *
 * SPACE is any white space but CRLF, and a line feed alone ends a header, as
 * RFC 9112 allows (2.2 and 3) and Ganeti's daemon does. If such a line feed makes
 * an empty line, implementations differ on whether the head continues: here it
 * continues up to the first CRLF CRLF, but a header after a line feed cannot
 * give the length of the body.
 */
import { headersOf } from './exchange.ts'
import type { Limits } from './limits.ts'
import type { Request, RequestHeaders, Response } from './message.ts'
import { HttpError, phraseOf, unsupportedVersion } from './status.ts'

/** An error of Node's parser; `rawPacket` is the chunk in which it occurred. */
export interface ParserError extends Error {
  readonly code?: string
  readonly reason?: string
  readonly bytesParsed?: number
  readonly rawPacket?: Buffer
}

/** The parser's errors about a first line, which may be valid for us. */
const IN_FIRST_LINE = new Set([
  'HPE_INVALID_METHOD',
  'HPE_INVALID_URL',
  'HPE_INVALID_VERSION',
  'HPE_INVALID_CONSTANT',
])

/** The parser's error for the connection preface of HTTP/2 (RFC 9113, 3.4), even if it is incomplete. */
const PREFACE = 'HPE_PAUSED_H2_UPGRADE'
const PREFACE_LINE = 'PRI * HTTP/2.0'

/** The parser's errors about a line feed without a carriage return that are handled; it has others. */
const AFTER_LINE_FEED = new Set(['HPE_CR_EXPECTED', 'HPE_INVALID_HEADER_TOKEN', 'HPE_UNEXPECTED_SPACE'])

/**
 * Whether the rejected request may be valid for us.
 * @param bytes from the beginning of the request on, if that is certain
 */
export function mayBeReadAgain({ code = '' }: ParserError, bytes: Buffer | undefined): boolean {
  return IN_FIRST_LINE.has(code) || (AFTER_LINE_FEED.has(code) && hasBareLineFeed(bytes))
}

/** Whether a complete head has a line feed without a carriage return. */
function hasBareLineFeed(bytes: Buffer | undefined): boolean {
  const head = bytes?.toString('latin1', 0, bytes.indexOf(END_OF_HEAD)) ?? ''
  return head.replaceAll('\r\n', '').includes('\n')
}

/**
 * The bytes of the rejected request, from its beginning on.
 * @param received how many bytes were received since the request before
 * @returns undefined if the beginning is not available
 */
export function beginningOf(error: ParserError, received: number): Buffer | undefined {
  const { code = '', rawPacket, bytesParsed = 0 } = error
  if (rawPacket?.length === received) return rawPacket
  if (!rawPacket || !IN_FIRST_LINE.has(code)) return undefined
  const endOfLineBefore = rawPacket.subarray(0, bytesParsed).lastIndexOf('\r\n')
  return endOfLineBefore < 0 ? undefined : rawPacket.subarray(endOfLineBefore + 2)
}

/** The answer to an error of the parser; undefined if the connection is lost. */
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

/** The syntax of methods and header names (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/

/** Characters that are forbidden in headers. */
const CONTROL = /[^\t\P{Cc}]/u

/** The end of a head. */
const END_OF_HEAD = '\r\n\r\n'

export interface RejectedRequest {
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly body: Buffer
}

/** Gives it as a request for the application. @param lost aborted when the connection is lost */
export function asRequest(
  { body, ...head }: RejectedRequest,
  client: Pick<Request, 'id' | 'peer' | 'network'>,
  lost: AbortSignal,
): Request {
  return { ...head, ...client, bodyLength: body.length, readBody: async () => body, signal: lost, lost }
}

/** The first line of the rejected request, for the log; undefined if it cannot be found. */
export function lineOf({ code }: ParserError, bytes: Buffer | undefined): string | undefined {
  if (code === PREFACE) return PREFACE_LINE
  return bytes && asRequestLine(requestLineOf(bytes))
}

/**
 * Gives a line if it looks like a request line, and not like a piece of something else that should not be logged;
 * without what follows a line feed, which is a header.
 */
export function asRequestLine(line: string): string | undefined {
  return /^\S+\s+\S+\s+HTTP\/\d[^\n]*/.exec(line)?.[0]
}

/** The first line, or its available part, decoded as Latin 1 like the whole head. */
export function requestLineOf(bytes: Buffer): string {
  const end = bytes.indexOf('\r\n')
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
}

/** The text from a position on, without spaces and tabs around it. */
function withoutSpace(header: string, from: number): string {
  let [begin, end] = [from, header.length]
  while (header[begin] === ' ' || header[begin] === '\t') begin++
  while (end > begin && (header[end - 1] === ' ' || header[end - 1] === '\t')) end--
  return header.slice(begin, end)
}

/**
 * Parses a request that Node's parser rejected.
 * @param bytes from the beginning of the request on
 * @throws HttpError 400, 414, 431 or 505, with the messages of Python's http.server
 */
export function readAgain(bytes: Buffer, limits: Pick<Limits, 'requestLine' | 'headBytes'>): RejectedRequest {
  const line = requestLineOf(bytes)
  if (line.length > limits.requestLine) throw new HttpError(414)
  const words = line.split(/[\t-\r ]+/)
  // White space after the first line is harmless; before it, it may belong to the previous request.
  if (words.at(-1) === '') words.pop()
  const [method = '', target = '', version = ''] = words
  if (words.length !== 3 || !TOKEN.test(method)) {
    throw new HttpError(400, `Bad request syntax ('${asInPython(line)}')`)
  }
  const [, major, minor] = /^HTTP\/(\d+)\.(\d+)$/.exec(version) ?? []
  if (!major) throw new HttpError(400, `Bad request version ('${version}')`)
  if (major !== '1') throw unsupportedVersion(`${major}.${minor}`)

  const endOfHead = bytes.indexOf(END_OF_HEAD)
  if (endOfHead < 0) throw new HttpError(400, 'The end of the headers was not found')
  if (endOfHead > limits.headBytes) throw new HttpError(431)
  const headers = readHeaders(bytes.toString('latin1', line.length, endOfHead))
  if (minor !== '0' && headers.host === undefined) throw new HttpError(400, 'Missing Host header')
  const length = headers['content-length'] ?? '0'
  const begin = endOfHead + END_OF_HEAD.length
  const body = bytes.subarray(begin, begin + Number(length))
  if (!/^\d+$/.test(length) || body.length < Number(length) || headers['transfer-encoding'] !== undefined) {
    throw new HttpError(400, 'The body did not come with the headers')
  }
  return { method: method.toUpperCase(), target, headers, body }
}

/** Escapes white space like Python's repr(). */
function asInPython(line: string): string {
  return line.replace(/[\t\n\r]/g, (character) => ({ '\t': '\\t', '\n': '\\n' })[character] ?? '\\r')
}

/** Headers that may occur only once. */
const SINGLE: Readonly<Record<string, string>> = { host: 'Host', 'content-length': 'Content-Length' }

/** Parses the headers: the text between the first line and the end of the head. */
function readHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {}
  let afterLineFeed = false
  for (const between of text.split('\r\n')) {
    for (const [index, header] of between.split('\n').entries()) {
      afterLineFeed ||= index > 0
      if (header === '') continue
      const colon = header.indexOf(':')
      const name = header.slice(0, Math.max(colon, 0)).toLowerCase()
      if (!TOKEN.test(name) || CONTROL.test(header)) throw new HttpError(400, 'Invalid header')
      const value = withoutSpace(header, colon + 1)
      const single = SINGLE[name]
      if (single && headers[name] !== undefined) throw new HttpError(400, `More than one ${single} header`)
      if (afterLineFeed && name === 'content-length' && value !== '0') {
        throw new HttpError(400, 'A line feed without a carriage return before the Content-Length header')
      }
      headers[name] ??= value
    }
  }
  return headers
}

/** Serializes an answer: for a rejected request, Node has no response object. */
export function serialize(response: Response, serverName: string, id: string, withBody: boolean): Buffer {
  const { status, body } = response
  const headers = headersOf(response, serverName, id)
  headers.push('Date', new Date().toUTCString(), 'Connection', 'close')
  let head = `HTTP/1.1 ${status} ${phraseOf(status)}\r\n`
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), withBody ? body : Buffer.alloc(0)])
}
