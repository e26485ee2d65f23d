/**
 * Node's HTTP parser gives up on things that Ganeti's daemon answers: methods
 * in lower case or unheard of, bytes outside ASCII in a path, HTTP/1.2, a line
 * feed behind a value or a target, as some encoders of base64 append. What
 * it read is still there, so we read it again, simply, and once: after such a
 * request the connection is closed, so nothing that follows can be
 * misunderstood. A request that did not arrive whole, in one piece, is refused.
 *
 *     METHOD SPACE TARGET SPACE HTTP/MAJOR.MINOR CRLF
 *     (NAME ":" VALUE (CRLF | LF))*
 *     CRLF
 *     BODY                                        Content-Length bytes
 *
 * SPACE is any white space but CRLF, and a line feed alone ends a header, as
 * RFC 9112 allows (2.2 and 3) and Ganeti's daemon has it. Where such a line feed
 * leaves an empty line, readers differ on whether the head goes on: here it does
 * up to the first CRLF CRLF, but nothing behind a line feed says how long the
 * body is.
 */
import { headersOf } from './exchange.ts'
import type { Limits } from './limits.ts'
import type { RequestHeaders, Response } from './message.ts'
import { HttpError, phraseOf, unsupportedVersion } from './status.ts'

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

/** The parser's complaints about a line feed without a carriage return, as far as they are of use; others mean it, too. */
const AFTER_LINE_FEED = new Set(['HPE_CR_EXPECTED', 'HPE_INVALID_HEADER_TOKEN', 'HPE_UNEXPECTED_SPACE'])

/**
 * Whether the parser complains about something that may be in order.
 * @param bytes from the beginning of the request on, where that is certain
 */
export function mayBeReadAgain({ code = '' }: ParserError, bytes: Buffer | undefined): boolean {
  return IN_FIRST_LINE.has(code) || (AFTER_LINE_FEED.has(code) && hasBareLineFeed(bytes))
}

/** Whether a head that is there as a whole has a line feed that no carriage return precedes. */
function hasBareLineFeed(bytes: Buffer | undefined): boolean {
  const head = bytes?.toString('latin1', 0, bytes.indexOf(END_OF_HEAD)) ?? ''
  return head.replaceAll('\r\n', '').includes('\n')
}

/**
 * What the parser could not go on with, from the beginning of the request on.
 * @param received how many bytes came since the request before
 * @returns undefined where that beginning is not at hand
 */
export function beginningOf(error: ParserError, received: number): Buffer | undefined {
  const { code = '', rawPacket, bytesParsed = 0 } = error
  if (rawPacket?.length === received) return rawPacket
  if (!rawPacket || !IN_FIRST_LINE.has(code)) return undefined
  const endOfLineBefore = rawPacket.subarray(0, bytesParsed).lastIndexOf('\r\n')
  return endOfLineBefore < 0 ? undefined : rawPacket.subarray(endOfLineBefore + 2)
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

/** What no header may have. */
const CONTROL = /[^\t\P{Cc}]/u

/** What a head ends with. */
const END_OF_HEAD = '\r\n\r\n'

export interface RejectedRequest {
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly body: Buffer
}

/** The first line of what the parser complains about, for the log; undefined where there is none to be seen. */
export function lineOf({ code }: ParserError, bytes: Buffer | undefined): string | undefined {
  if (code === PREFACE) return PREFACE_LINE
  return bytes && asRequestLine(requestLineOf(bytes))
}

/**
 * Gives a line where it looks like a request's first, and not like a piece of something else that should not be
 * logged; without what follows a line feed behind it, which is a header.
 */
export function asRequestLine(line: string): string | undefined {
  return /^\S+\s+\S+\s+HTTP\/\d[^\n]*/.exec(line)?.[0]
}

/** The first line, as far as it is there; its bytes are taken for Latin 1, as everywhere in a head. */
export function requestLineOf(bytes: Buffer): string {
  const end = bytes.indexOf('\r\n')
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
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
 * @throws HttpError 400, 414, 431 or 505, in the words of Python's http.server
 */
export function readAgain(bytes: Buffer, limits: Pick<Limits, 'requestLine' | 'headBytes'>): RejectedRequest {
  const line = requestLineOf(bytes)
  if (line.length > limits.requestLine) throw new HttpError(414)
  const words = line.split(/[\t-\r ]+/)
  // Behind the first line white space is no harm; before it, it may belong to what came before.
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

/** White space as Python shows it. */
function asInPython(line: string): string {
  return line.replace(/[\t\n\r]/g, (character) => ({ '\t': '\\t', '\n': '\\n' })[character] ?? '\\r')
}

/** What may stand but once. */
const SINGLE: Readonly<Record<string, string>> = { host: 'Host', 'content-length': 'Content-Length' }

/** Reads what stands between the first line and the end of the head. */
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

/** Puts an answer into bytes: for a request that was rejected, Node has no object to send one with. */
export function serialize(response: Response, serverName: string, withBody: boolean): Buffer {
  const { status, body } = response
  const headers = headersOf(response, serverName)
  headers.push('Date', new Date().toUTCString(), 'Connection', 'close')
  let head = `HTTP/1.1 ${status} ${phraseOf(status)}\r\n`
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), withBody ? body : Buffer.alloc(0)])
}
