/**
 * One request on a connection and the response to it: Node's pair of objects
 * seen as our Request, and our Response sent through them.
 *
 * Simplified on purpose: a body is received whole or not at all, and an answer
 * has a known length.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request, RequestHeaders, Response } from './message.ts'
import { HttpError, phraseOf } from './status.ts'

/** An unread body up to this length is received and thrown away, so that the connection can go on. */
const CHEAP_TO_DISCARD = 64 * 1024

/**
 * Bytes that are handed over at a time. TLS encrypts at once whatever it is
 * given, while everyone waits, into memory that weighs on V8's heap: a few long
 * answers together would have all of it collected again and again.
 */
const PIECE = 1024 * 1024

/** A body up to so many bytes is copied into text: Node sends text in one piece with the head, bytes in one of their own. */
const SHORT = 4096

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
  readonly #wantsContinue: boolean
  #controller: AbortController | undefined
  /** Why no more of the body will come. */
  #bodyFailure: HttpError | undefined
  #rejectBody: ((reason: HttpError) => void) | undefined
  #clientLeft = false
  #stopLingering: (() => void) | undefined
  #response: Response | undefined

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

  get hasHost(): boolean {
    return this.#incoming.headers.host !== undefined
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

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#clientLeft) this.#controller.abort()
    }
    return this.#controller.signal
  }

  async readBody(limit: number): Promise<Buffer> {
    if (this.bodyLength !== undefined && this.bodyLength > limit) throw new HttpError(413)
    if (this.#bodyFailure) throw this.#bodyFailure
    if (this.#wantsContinue) this.#outgoing.writeContinue()
    const incoming = this.#incoming
    const chunks: Buffer[] = []
    let length = 0
    return new Promise((resolve, reject) => {
      this.#rejectBody = reject
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length <= limit) chunks.push(chunk)
        else reject(new HttpError(413))
      })
      incoming.on('end', () => resolve(Buffer.concat(chunks, length)))
      incoming.on('close', () => reject(new HttpError(400, 'The body did not arrive whole')))
      incoming.on('error', () => {})
    })
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
    this.#stopLingering?.()
  }

  /**
   * Sends the answer.
   * @param close whether this is the connection's last answer, if it could be another
   * @param linger how long to let the client go on sending a body that nobody
   *   reads, in milliseconds: closed at once, it would read an error instead of the answer
   */
  send(response: Response, serverName: string, close: boolean, linger: number): void {
    this.#response = response
    const { status, body } = response
    const outgoing = this.#outgoing
    const tooMuchLeft =
      this.incomplete && (this.#wantsContinue || !(Number(this.bodyLength) <= CHEAP_TO_DISCARD))
    const headers = headersOf(response, serverName)
    if (close || tooMuchLeft) headers.push('Connection', 'close')
    outgoing.writeHead(status, phraseOf(status), headers)
    if (!tooMuchLeft || this.#clientLeft) {
      this.#sendFrom(body, 0)
      return
    }
    outgoing.write(body)
    const timer = setTimeout(() => outgoing.end(), linger)
    this.#stopLingering = () => {
      clearTimeout(timer)
      outgoing.end()
    }
    this.#incoming.once('end', this.#stopLingering)
    this.#incoming.resume()
  }

  /** Sends a body as the client takes it, and lets others have their turn between two pieces. */
  #sendFrom(body: Buffer, at: number): void {
    const outgoing = this.#outgoing
    const end = at + PIECE
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
}

/** Names and values by turns, all but Date and Connection. */
export function headersOf({ status, headers, body }: Response, serverName: string): string[] {
  if (status === 304) return ['Server', serverName, ...headers]
  const length = String(body.length)
  return ['Server', serverName, 'Content-Type', 'application/json', 'Content-Length', length, ...headers]
}
