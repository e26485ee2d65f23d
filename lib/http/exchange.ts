/**
 * One request on a connection and the response to it: Node's pair of objects
 * seen as our Request, and our Response sent through them.
 *
 * Simplified on purpose: a body is received whole or not at all, and an answer
 * has a known length.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Limits } from './limits.ts'
import type { Request, RequestHeaders, Response } from './message.ts'
import { HttpError, phraseOf, unsupportedVersion } from './status.ts'

/** An unread body up to this length is received and thrown away, so that the connection can go on. */
const CHEAP_TO_DISCARD = 64 * 1024

/**
 * Bytes that are handed over at a time. TLS encrypts at once whatever it is
 * given, while everyone waits, into memory that weighs on V8's heap; and that
 * much is what a client that does not read costs.
 */
const PIECE = 256 * 1024

/** A body up to so many bytes is copied into text: Node sends text in one piece with the head, bytes in one of their own. */
const SHORT = 4096

/** What there is room for when a body begins whose length is not known. */
const FIRST_ROOM = 4096
/** What there is room for at most when a body begins, however long it is announced to be. */
const MOST_FIRST_ROOM = 64 * 1024

/** Pieces of a body, of a byte each if the client wants it so, that are taken before others have their turn. */
const PIECES_AT_ONCE = 64

export class Exchange implements Request {
  /** The first line of the request, as it was sent. */
  readonly line: string
  readonly method: string
  readonly target: string
  readonly headers: RequestHeaders
  readonly network: string
  readonly bodyLength: number | undefined
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  /** Whether the client waits for `100 Continue` before it sends its body. */
  #wantsContinue: boolean
  #controller: AbortController | undefined
  #lostController: AbortController | undefined
  /** Why no more of the body will come. */
  #bodyFailure: HttpError | undefined
  #rejectBody: ((reason: HttpError) => void) | undefined
  #clientLeft = false
  #isLost = false
  #response: Response | undefined
  /** Bytes of the body that came; undefined while nobody receives it. */
  #received: number | undefined
  /** For how long, in milliseconds, the body is being received, or the answer being sent; and its present piece. */
  #elapsed = 0
  #elapsedInPiece = 0

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, network: string, wantsContinue: boolean) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#wantsContinue = wantsContinue
    this.method = incoming.method ?? ''
    this.target = incoming.url ?? ''
    this.line = `${this.method} ${this.target} HTTP/${incoming.httpVersion}`
    this.headers = incoming.headers
    this.network = network
    const { 'transfer-encoding': encoding, 'content-length': length } = incoming.headers
    this.bodyLength = encoding === undefined ? Number(length ?? 0) : undefined
  }

  get httpVersion(): string {
    return this.#incoming.httpVersion
  }

  /** How many Host headers there are; Node shows the first alone. */
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
   * Whether the connection can go on after this request. It cannot where the client said so, nor where it asked
   * for another protocol: Node's parser then waits for that, and takes no request any more. Nor does it where the
   * client says nothing of connections and not who it is, as Python's http.client: programs written for Ganeti's
   * daemon, which closes each, go on to their next request without having read the answer to the last.
   */
  get mayBeFollowed(): boolean {
    const { connection, upgrade, 'user-agent': userAgent } = this.#incoming.headers
    if (connection === undefined && userAgent === undefined) return false
    return this.#outgoing.shouldKeepAlive && upgrade === undefined
  }

  /** How the body is coded for its transfer. */
  get coding(): string | undefined {
    return this.#incoming.headers['transfer-encoding']
  }

  /**
   * What is wrong with it before the application is asked, and after which nothing more of the client is believed.
   * @returns undefined where it may go on
   */
  fault({ requestLine }: Pick<Limits, 'requestLine'>): HttpError | undefined {
    const { httpVersion, hosts, coding } = this
    if (!httpVersion.startsWith('1.')) return unsupportedVersion(httpVersion)
    if (this.line.length > requestLine) return new HttpError(414)
    if (hosts > 1) return new HttpError(400, 'More than one Host header')
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      return new HttpError(400, 'Of transfer codings, only chunked is known')
    }
    if (httpVersion !== '1.0') return hosts === 0 ? new HttpError(400, 'Missing Host header') : undefined
    // Who forwards HTTP/1.0 may well take such a body for the next request (RFC 9112, 6.1).
    return this.bodyLength === undefined ? new HttpError(400, 'HTTP/1.0 has no chunked bodies') : undefined
  }

  /** What was decided to answer, whether or not it reached the client. */
  get response(): Response | undefined {
    return this.#response
  }

  /** Whether the answer has left as a whole, as far as we are concerned. */
  get sent(): boolean {
    return this.#outgoing.writableEnded && this.#outgoing.writableLength === 0
  }

  /** Whether part of the body is still to come. */
  get incomplete(): boolean {
    return this.bodyLength !== 0 && !this.#incoming.complete
  }

  /**
   * Whether the connection has to end with the answer: what is left of the body is too much to wait for, or the
   * client was not told to send it, and may do so or not.
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
            // Until it is decided what becomes of the connection, no more of this is received.
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
      // What still comes is thrown away.
      incoming.removeAllListeners('data')
    }
  }

  /**
   * Tells that no more of the body can be received.
   * @returns whether that was news; then it is the answer, unless there is one already
   */
  failBody(reason: HttpError): boolean {
    if (!this.incomplete) return false
    this.#bodyFailure = reason
    this.#rejectBody?.(reason)
    return true
  }

  /** Tells that the client is gone, or has said all it had to say. */
  clientLeft(): void {
    this.#clientLeft = true
    this.#controller?.abort()
  }

  /** Tells that the connection is lost. */
  connectionLost(): void {
    this.#isLost = true
    this.#lostController?.abort()
    this.clientLeft()
  }

  /**
   * Sends the answer.
   * @param last whether it is the connection's last one
   */
  send(response: Response, serverName: string, last: boolean): void {
    this.#response = response
    this.#elapsed = 0
    const { status, body } = response
    const headers = headersOf(response, serverName)
    if (last) headers.push('Connection', 'close')
    this.#outgoing.writeHead(status, phraseOf(status), headers)
    this.#sendFrom(body, 0)
  }

  /** Calls back once the answer has been sent, or thrown away. */
  onFinish(listener: () => void): void {
    this.#outgoing.on('finish', listener)
  }

  /** Sends a body as the client takes it, and lets others have their turn between two pieces. */
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
   * Called every so often: whether the client is too slow. Too slow a body fails; too slow a reader is told about.
   * @param passed milliseconds since the last time
   */
  checkPace(passed: number, limits: Limits): 'answer' | undefined {
    this.#elapsed += passed
    if (this.#received !== undefined) {
      const due = ((this.#elapsed - limits.grace) / 1000) * limits.leastRate
      if (this.#received < due) this.failBody(new HttpError(408))
      return undefined
    }
    if (!this.#response) return undefined
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

/** Names and values by turns, all but Date and Connection. */
export function headersOf({ status, headers, body }: Response, serverName: string): string[] {
  if (status === 304) return ['Server', serverName, ...headers]
  const length = String(body.length)
  return ['Server', serverName, 'Content-Type', 'application/json', 'Content-Length', length, ...headers]
}
