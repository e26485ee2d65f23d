/**
 * One request on a connection and the response to it: an adapter between Node's
 * pair of objects and our Request and Response.
 *
 * Simplified on purpose: a body is received whole or not at all, and an answer
 * has a known length, unless it goes on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from './limits.ts'
import type { Request, RequestHeaders, Response } from './message.ts'
import { ResponseOutlet } from './outlet.ts'
import { isProbe } from './probes.ts'
import { makeRequestId, validRequestId } from './request-id.ts'
import { HttpError, phraseOf, unsupportedVersion } from './status.ts'

/** An unread body up to this length is received and discarded, so that the connection can be kept (keep-alive). */
const CHEAP_TO_DISCARD = 64 * 1024

/**
 * Bytes of an answer that are written at a time (backpressure). TLS encrypts them
 * synchronously, into memory that counts toward V8's heap; and a client that
 * does not read costs this much memory.
 */
const PIECE = 256 * 1024

/** A body up to this length is sent as text: Node sends text in one packet with the head, bytes in a separate one. */
const SHORT = 4096

const JSON_TYPE = 'application/json'

/** The first size of the buffer for a body of unknown length. */
const FIRST_ROOM = 4096
/** The largest first size of the buffer, for any announced length. */
const MOST_FIRST_ROOM = 64 * 1024

/** Chunks of a body (of one byte each, if the client sends it so) that are accepted in one turn of the event loop. */
const PIECES_AT_ONCE = 64

export class Exchange implements Request {
  /** The first line of the request, as it was sent. */
  readonly line: string
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly peer: string
  readonly network: string
  readonly bodyLength: number | undefined
  /** When it came, by the clock of `performance`. */
  readonly begun = performance.now()
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  /** Whether the client waits for `100 Continue` before it sends its body. */
  #wantsContinue: boolean
  #controller: AbortController | undefined
  #lostController: AbortController | undefined
  /** Why the rest of the body cannot be received. */
  #bodyFailure: HttpError | undefined
  #rejectBody: ((reason: HttpError) => void) | undefined
  #clientLeft = false
  #isLost = false
  #response: Response | undefined
  #id: string | undefined
  /** Bytes of the body received so far; undefined while it is not being received. */
  #received: number | undefined
  /** How long the body is being received, or the answer being sent, in milliseconds; and its current piece. */
  #elapsed = 0
  #elapsedInPiece = 0
  /** Set for an answer that goes on. */
  #outlet: ResponseOutlet | undefined

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { peer, network }: Pick<Request, 'peer' | 'network'>,
    wantsContinue: boolean,
  ) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#wantsContinue = wantsContinue
    this.method = incoming.method ?? ''
    this.target = incoming.url ?? ''
    this.line = `${this.method} ${this.target} HTTP/${incoming.httpVersion}`
    this.headers = incoming.headers
    this.peer = peer
    this.network = network
    const { 'transfer-encoding': encoding, 'content-length': length } = incoming.headers
    this.bodyLength = encoding === undefined ? Number(length ?? 0) : undefined
  }

  get id(): string {
    this.#id ??= this.clientsId ?? makeRequestId()
    return this.#id
  }

  /** The id that the client gave to the request, if it is valid. */
  get clientsId(): string | undefined {
    return validRequestId(this.headers['x-request-id'])
  }

  get httpVersion(): string {
    return this.#incoming.httpVersion
  }

  /** The number of Host headers; Node's `headers` has only the first. */
  get hosts(): number {
    const { rawHeaders } = this.#incoming
    let count = 0
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string
      if (name.length === 4 && name.toLowerCase() === 'host') count++
    }
    return count
  }

  /**
   * Whether the connection is kept after this request (keep-alive). It is not if the client says so, or asks for
   * another protocol (Node's parser then accepts no further request). Nor is it if the client sends neither
   * Connection nor User-Agent, like Python's http.client: programs written for Ganeti's daemon, which closes each
   * connection, send their next request without having read the last answer.
   */
  get keepAlive(): boolean {
    const { connection, upgrade, 'user-agent': userAgent } = this.#incoming.headers
    if (connection === undefined && userAgent === undefined) return false
    return this.#outgoing.shouldKeepAlive && upgrade === undefined
  }

  /** The transfer coding of the body. */
  get coding(): string | undefined {
    return this.#incoming.headers['transfer-encoding']
  }

  /**
   * An error in the request that is found before the application is called; all further input is then ignored.
   * @param onlyForProbes whether its connection has a place that is kept for probes
   * @returns undefined if there is none
   */
  fault({ requestLine }: Pick<Limits, 'requestLine'>, onlyForProbes: boolean): HttpError | undefined {
    if (onlyForProbes && !isProbe(this.target))
      return new HttpError(503, 'Too many connections, try again later')
    const { httpVersion, hosts, coding } = this
    if (!httpVersion.startsWith('1.')) return unsupportedVersion(httpVersion)
    if (this.line.length > requestLine) return new HttpError(414)
    if (hosts > 1) return new HttpError(400, 'More than one Host header')
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      return new HttpError(400, 'Of transfer codings, only chunked is known')
    }
    if (httpVersion !== '1.0') return hosts === 0 ? new HttpError(400, 'Missing Host header') : undefined
    // An HTTP/1.0 proxy may take such a body for the next request (request smuggling; RFC 9112, 6.1).
    return this.bodyLength === undefined ? new HttpError(400, 'HTTP/1.0 has no chunked bodies') : undefined
  }

  /** The answer, whether or not it reached the client. */
  get response(): Response | undefined {
    return this.#response
  }

  /** Whether the whole answer was given to the kernel. */
  get sent(): boolean {
    return this.#outgoing.writableEnded && this.#outgoing.writableLength === 0
  }

  /** Whether part of the body has not arrived yet. */
  get incomplete(): boolean {
    return this.bodyLength !== 0 && !this.#incoming.complete
  }

  /**
   * Whether the connection must be closed after the answer: the rest of the body is too long to be discarded, or
   * the client got no 100 Continue, and may send the body or not.
   */
  get mustClose(): boolean {
    if (this.#wantsContinue) return true
    return this.incomplete && !(Number(this.bodyLength) <= CHEAP_TO_DISCARD)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#clientLeft) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get lost(): AbortSignal {
    if (!this.#lostController) {
      this.#lostController = new AbortController()
      if (this.#isLost) this.#lostController.abort()
    }
    return this.#lostController.signal
  }

  async readBody(limit: number): Promise<Buffer> {
    if (this.bodyLength !== undefined && this.bodyLength > limit) throw new HttpError(413)
    if (this.#bodyFailure) throw this.#bodyFailure
    if (this.#wantsContinue) this.#outgoing.writeContinue()
    this.#wantsContinue = false
    const incoming = this.#incoming
    this.#received = 0
    this.#elapsed = 0
    // Bytes are copied together as they come: a body in pieces of one byte takes no more memory than another.
    let bytes: Buffer = Buffer.allocUnsafe(Math.min(this.bodyLength ?? FIRST_ROOM, MOST_FIRST_ROOM))
    let length = 0
    let pieces = 0
    try {
      return await new Promise((resolve, reject) => {
        this.#rejectBody = reject
        // Node would have the socket go on with each piece; here it rests when we say so.
        incoming._read = ignore
        if (this.incomplete) incoming.socket.resume()
        incoming.on('data', (chunk: Buffer) => {
          if (++pieces === PIECES_AT_ONCE) {
            const { socket } = incoming
            socket.pause()
            setImmediate(() => {
              pieces = 0
              if (length <= limit) socket.resume()
            })
          }
          const end = length + chunk.length
          this.#received = end
          if (end > limit) {
            length = end
            // Stop receiving until the answer decides whether the connection is closed.
            incoming.socket.pause()
            reject(new HttpError(413))
            return
          }
          if (end > bytes.length)
            bytes = grown(bytes, length, Math.max(end, Math.min(2 * bytes.length, limit)))
          bytes.set(chunk, length)
          length = end
        })
        incoming.on('end', () => resolve(bytes.subarray(0, length)))
        incoming.on('close', () => reject(new HttpError(400, 'The body did not arrive whole')))
        incoming.on('error', () => {})
      })
    } finally {
      this.#received = undefined
      // The rest is discarded.
      incoming.removeAllListeners('data')
    }
  }

  /**
   * Called when the rest of the body cannot be received.
   * @returns whether part of it was missing; then `reason` is the answer, unless there is one already
   */
  failBody(reason: HttpError): boolean {
    if (!this.incomplete) return false
    this.#bodyFailure = reason
    this.#rejectBody?.(reason)
    return true
  }

  /** Called when the client has disconnected or half-closed. */
  clientLeft(): void {
    this.#clientLeft = true
    this.#controller?.abort()
  }

  /** Called when the connection is lost. */
  connectionLost(): void {
    this.#isLost = true
    this.#lostController?.abort()
    this.clientLeft()
  }

  /**
   * Sends the answer.
   * @param last whether it is the connection's last one (Connection: close)
   */
  send(response: Response, serverName: string, last: boolean): void {
    this.#response = response
    this.#elapsed = 0
    const { status, body } = response
    const headers = headersOf(response, serverName, this.id)
    if (last) headers.push('Connection', 'close')
    this.#outgoing.writeHead(status, phraseOf(status), headers)
    if (!response.stream) {
      this.#sendFrom(body, 0)
      return
    }
    this.#outgoing.write(body)
    this.#outlet = new ResponseOutlet(this.#outgoing)
    response.stream.begin(this.#outlet)
  }

  /** Calls back once the answer has been sent, or discarded. */
  onFinish(listener: () => void): void {
    this.#outgoing.on('finish', listener)
  }

  /** Sends a body piece by piece as the client reads it (backpressure), with a turn of the event loop in between. */
  #sendFrom(body: Buffer, at: number): void {
    const outgoing = this.#outgoing
    const end = at + PIECE
    this.#elapsedInPiece = 0
    if (end >= body.length) {
      if (body.length <= SHORT) outgoing.end(body.toString('latin1'), 'latin1')
      else outgoing.end(at === 0 ? body : body.subarray(at))
      return
    }
    outgoing.write(body.subarray(at, end), (error) => {
      if (error) return
      setImmediate(() => {
        if (!outgoing.destroyed) this.#sendFrom(body, end)
      })
    })
  }

  /**
   * Called periodically, to check whether the client is too slow. A body that comes too slowly fails.
   * @param passed milliseconds since the last call
   * @returns 'answer' if the client reads the answer too slowly
   */
  checkPace(passed: number, limits: Limits): 'answer' | undefined {
    this.#elapsed += passed
    if (this.#received !== undefined) {
      const due = ((this.#elapsed - limits.grace) / 1000) * limits.leastRate
      if (this.#received < due) this.failBody(new HttpError(408))
      return undefined
    }
    if (!this.#response) return undefined
    if (this.#outlet) return this.#outlet.isStalled(passed, limits.stalled) ? 'answer' : undefined
    this.#elapsedInPiece += passed
    const { length } = this.#response.body
    const most = length >= limits.largeAnswer ? (length / limits.leastLargeRate) * 1000 : Infinity
    return this.#elapsedInPiece > limits.piece || this.#elapsed > limits.piece + most ? 'answer' : undefined
  }
}

function ignore(): void {}

function grown(bytes: Buffer, length: number, room: number): Buffer {
  const larger = Buffer.allocUnsafe(room)
  bytes.copy(larger, 0, 0, length)
  return larger
}

/** Alternating names and values, without Date and Connection. */
export function headersOf(
  { status, type = JSON_TYPE, headers, body, stream }: Response,
  serverName: string,
  id: string,
): string[] {
  if (status === 304) return ['Server', serverName, 'X-Request-Id', id, ...headers]
  const common = ['Server', serverName, 'X-Request-Id', id, 'Content-Type', type]
  if (stream) return [...common, ...headers]
  return [...common, 'Content-Length', String(body.length), ...headers]
}
