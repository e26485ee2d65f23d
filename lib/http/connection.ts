/**
 * One connection as a state machine: which requests are accepted (keep-alive,
 * pipelining), in which order they are answered, and how it is closed
 * (half-close, lingering close).
 *
 *     waiting      waits for its turn to make a TLS handshake; nothing is read from it
 *     handshake    makes the TLS handshake
 *     open         accepts requests
 *     last-taken   accepts no more, as the last request said so, or as the input cannot be parsed;
 *                  requests accepted before are answered, and what follows them is ignored
 *     closing      our side is closed (half-close); input is discarded until the client closes its side
 *     closed
 *
 * One request is answered at a time. Further ones (pipelining) wait: those that
 * Node has read already in a bounded queue (request-queue.ts), the rest in the
 * kernel, as the socket is paused (backpressure). If input may be left unread,
 * the connection is closed as lingering-close.ts does it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionState } from '../metrics/http-metrics.ts'
import { networkOf } from './client-network.ts'
import { Exchange } from './exchange.ts'
import { LingeringClose } from './lingering-close.ts'
import type { Response, Stream } from './message.ts'
import { peerOf } from './peer.ts'
import {
  asRequest,
  beginningOf,
  lineOf,
  mayBeReadAgain,
  type ParserError,
  type RejectedRequest,
  readAgain,
  reasonOf,
  serialize,
} from './rejected-request.ts'
import { nameRequest } from './request-id.ts'
import { RequestQueue } from './request-queue.ts'
import { report, type Service } from './service.ts'
import { failureResponse, HttpError } from './status.ts'

type State = 'waiting' | 'handshake' | 'open' | 'last-taken' | 'closing' | 'closed'

/** Requests of one chunk that are answered in one turn of the event loop; then other connections get their turn. */
const AT_ONCE = 16

/** The order in which connections are closed to make room; see `evictionRank`. */
const EvictionRank = { closing: 0, noRequestYet: 1, idle: 2, busy: 3 } as const

/** An undocumented member of Node's parser. */
interface Parser {
  onIncoming?: () => number
}

export class Connection {
  /** Address and port for the log, kept because a closed socket no longer has them. */
  readonly peer: string
  readonly network: string
  /** A serial number. */
  readonly number: number
  /** The socket for HTTP: a TLSSocket once the handshake is done. */
  socket: Socket
  /** See SwapList. */
  place = -1
  /** When a request was last answered, as the count of all answers of the server; 0 before the first. */
  lastAnswered = 0
  /** Set if it got one of the places that are kept for probes: all else is refused on it. */
  onlyForProbes = false
  readonly #service: Service
  #state: State = 'open'
  /** The request that is being answered. */
  #current: Exchange | undefined
  /** Requests that wait for it to end (pipelining). */
  readonly #queue: RequestQueue
  /** Answers input that could not be parsed, once the requests before it are answered. */
  #final: (() => void) | undefined
  /** Set while that runs; aborted when the client has disconnected. */
  #finalInFlight: AbortController | undefined
  /** The last answered request, if the rest of its body is still to be discarded. */
  #unread: Exchange | undefined
  /** Bytes received when the last request began; later bytes may belong to the next one. */
  #bytesAtRequest = 0
  #lastHadBody = false
  /** How many requests came with the last received chunk. */
  #inPiece = 0
  #watchesHalfClose = false
  /** How long it waits for its handshake, or makes it, in milliseconds; counted by `checkPace`. */
  #elapsed = 0
  #endHandshake: (() => void) | undefined
  /** The answer that goes on, as long as it does. */
  #stream: Stream | undefined
  #lingering: LingeringClose | undefined

  constructor(socket: Socket, service: Service, number: number) {
    this.peer = peerOf(socket)
    this.network = networkOf(socket.remoteAddress ?? '')
    this.number = number
    this.socket = socket
    this.#service = service
    this.#queue = new RequestQueue(service)
  }

  /** Whether a request of it is being answered. */
  get busy(): boolean {
    return this.#current !== undefined || this.#finalInFlight !== undefined
  }

  /** Whether it has an answer that goes on. */
  get streams(): boolean {
    return this.#stream !== undefined
  }

  /** What it is for metrics. */
  get use(): ConnectionState {
    if (this.#state === 'waiting' || this.#state === 'handshake') return 'waiting'
    if (this.streams) return 'stream'
    return this.busy ? 'active' : 'idle'
  }

  /** The lower, the sooner it is closed to make room for others. */
  get evictionRank(): number {
    if (this.#state === 'closing' || this.#state === 'closed') return EvictionRank.closing
    if (this.busy) return EvictionRank.busy
    return this.lastAnswered === 0 ? EvictionRank.noRequestYet : EvictionRank.idle
  }

  // TLS

  awaitHandshake(): void {
    this.#state = 'waiting'
  }

  /** @param ended called when the handshake has ended in any way, or takes too long; perhaps several times */
  beginHandshake(ended: () => void): void {
    this.#state = 'handshake'
    this.#elapsed = 0
    this.#endHandshake = ended
  }

  /** The handshake is done; HTTP follows. */
  handshakeDone(): void {
    if (this.#state === 'handshake') this.#state = 'open'
    this.#endHandshake?.()
  }

  /** Answers plain HTTP on a TLS port, before Node closes the connection. */
  refusePlainHttp(): void {
    if (this.#state !== 'handshake') return
    this.#state = 'last-taken'
    void this.#answerFinal(undefined, () => {
      throw new HttpError(400, 'Plain HTTP was sent to a port that speaks HTTPS')
    })
  }

  // Requests

  /** Accepts a request, unless the last one was accepted already. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, wantsContinue: boolean): void {
    if (this.#state !== 'open') {
      this.#lingerAtEnd()
      this.#stopParser()
      return
    }
    const { clientBehind } = this.#service
    const client = clientBehind?.(this.socket.remoteAddress ?? '', incoming.headers) ?? this
    const exchange = new Exchange(incoming, outgoing, client, wantsContinue)
    const { bytesRead } = this.socket
    this.#inPiece = bytesRead === this.#bytesAtRequest ? this.#inPiece + 1 : 1
    this.#bytesAtRequest = bytesRead
    this.#lastHadBody = exchange.bodyLength !== 0
    if (!exchange.keepAlive) this.#state = 'last-taken'
    if (this.#current || !this.#queue.isEmpty) this.#wait(exchange)
    else if (this.#inPiece <= AT_ONCE) this.#begin(exchange)
    else {
      this.#wait(exchange)
      setImmediate(() => this.#goOn())
    }
  }

  #wait(exchange: Exchange): void {
    this.#queue.add(exchange)
    this.socket.pause()
    if (this.#queue.isFull) this.#state = 'last-taken'
  }

  #begin(exchange: Exchange): void {
    this.#current = exchange
    const response = this.#refusal(exchange) ?? this.#service.app(exchange)
    if (response instanceof Promise) response.then((made) => this.#answer(exchange, made))
    else this.#answer(exchange, response)
    // Most answers over plain HTTP have left by now.
    if (this.#current === exchange) this.#watchHalfClose()
  }

  /** The answer to an invalid request, or one without a place, after which all further input of the client is ignored. */
  #refusal(exchange: Exchange): Response | undefined {
    const fault = exchange.fault(this.#service.limits, this.onlyForProbes)
    if (!fault) return undefined
    this.#discardQueue()
    return failureResponse(fault)
  }

  #answer(exchange: Exchange, response: Response): void {
    // A body sent with its head arrives one turn later; then the connection need not be closed because of it.
    if (exchange.incomplete && this.#current === exchange) setImmediate(() => this.#send(exchange, response))
    else this.#send(exchange, response)
  }

  #send(exchange: Exchange, response: Response): void {
    if (this.#current !== exchange) {
      response.release?.()
      return
    }
    const { socket } = this
    if (exchange.mustClose || response.stream) this.#discardQueue()
    const last = this.#state === 'last-taken' && this.#queue.isEmpty && !this.#final
    if (last && (exchange.keepAlive || exchange.incomplete)) this.#lingerAtEnd()
    if (response.stream) this.#beginStream(exchange, response)
    exchange.send(response, this.#service.serverName, last)
    // Node emits 'finish' also if it discarded the rest of the response.
    if (exchange.sent) this.#ended(exchange, true)
    else exchange.onFinish(() => this.#ended(exchange, !socket.destroyed))
  }

  /** An answer goes on from here: it is logged now, and leaves its place among the connections to others. */
  #beginStream(exchange: Exchange, response: Response): void {
    this.#stream = response.stream
    this.#service.streams++
    report(this.#service, exchange.peer, exchange, response, true)
    // Else it would not be noticed that the client has left.
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** The current request turned out to be the last one: those after it are not processed. */
  #discardQueue(): void {
    this.#state = 'last-taken'
    this.#queue.clear()
    this.#final = undefined
  }

  /** A request is over: its answer was sent, or the connection is lost. */
  #ended(exchange: Exchange, sent: boolean): void {
    if (this.#current !== exchange) return
    this.#current = undefined
    this.#log(exchange, sent)
    if (!sent || this.socket.destroyed) return
    this.#unread = exchange.incomplete ? exchange : undefined
    this.#goOn()
  }

  /** Begins the next request, if none is being answered. */
  #goOn(): void {
    if (this.#current || this.socket.destroyed) return
    const next = this.#queue.shift()
    if (next) this.#begin(next)
    else if (this.#final) this.#final()
    else if (this.#state === 'open' && this.socket.isPaused()) this.socket.resume()
  }

  #log(exchange: Exchange, sent: boolean): void {
    this.lastAnswered = ++this.#service.answered
    exchange.response?.release?.()
    if (!sent) exchange.connectionLost()
    if (this.#stream) this.#service.streams--
    else report(this.#service, exchange.peer, exchange, exchange.response, sent)
    this.#stream = undefined
  }

  /** Notifies requests in flight when the client half-closes or disconnects. */
  #watchHalfClose(): void {
    if (this.#watchesHalfClose) return
    this.#watchesHalfClose = true
    this.socket.on('end', () => {
      this.#current?.clientLeft()
      for (const exchange of this.#queue) exchange.clientLeft()
    })
  }

  // Input that is not a request, and requests for which Node has no response object

  /** Node's parser has given up. */
  parserFailed(error: ParserError): void {
    const { socket } = this
    this.#lingerAtEnd()
    if (this.#state === 'closing' || this.#state === 'closed') return
    const received = socket.bytesRead - this.#bytesAtRequest
    const bytes = beginningOf(error, received)
    const reason = reasonOf(error, bytes)
    if (!reason || !socket.writable) {
      socket.destroy()
      return
    }
    // The error is either in the body of the newest request, or in the next request.
    if ((this.#queue.newest ?? this.#current)?.failBody(reason)) {
      this.#state = 'last-taken'
      return
    }
    // The parser emits an error for all further input.
    if (this.#state !== 'open') return
    this.#state = 'last-taken'
    if (this.#unread?.incomplete && !this.#current) {
      this.#close()
      return
    }
    if (reason.status === 408 && received === 0) {
      this.drop('closed, as no request came')
      return
    }
    const lastHadBody = this.#lastHadBody
    this.#afterOthers(lineOf(error, bytes), () => {
      // After a body it is not certain where the request begins.
      if (!bytes || !mayBeReadAgain(error, lastHadBody ? undefined : bytes)) throw reason
      return readAgain(bytes, this.#service.limits)
    })
  }

  /** Accepts a CONNECT request, which Node gives us with its socket. */
  takeConnect({ url: target = '', headers, httpVersion }: IncomingMessage): void {
    if (this.#state !== 'open') return
    this.#state = 'last-taken'
    this.#afterOthers(`CONNECT ${target} HTTP/${httpVersion}`, () => ({
      method: 'CONNECT',
      target,
      headers,
      body: Buffer.alloc(0),
    }))
  }

  #afterOthers(line: string | undefined, read: () => RejectedRequest): void {
    // Node does not know of this pending answer, and would close our side when the client half-closes.
    this.socket.removeAllListeners('end')
    this.#watchesHalfClose = false
    this.#watchHalfClose()
    this.#final = () => {
      this.#final = undefined
      void this.#answerFinal(line, read)
    }
    this.#goOn()
  }

  /** Answers a request that Node has no response object for, and closes. */
  async #answerFinal(line: string | undefined, read: () => RejectedRequest): Promise<void> {
    const { app, serverName } = this.#service
    const begun = performance.now()
    const { socket, peer, network } = this
    const controller = new AbortController()
    this.#finalInFlight = controller
    let response: Response
    let named = nameRequest(undefined)
    try {
      const rejected = read()
      named = nameRequest(rejected.headers['x-request-id'])
      response = await app(asRequest(rejected, { id: named.id, peer, network }, controller.signal))
      if (response.stream) {
        response.release?.()
        throw new HttpError(400, 'Such a request gets no answer that goes on')
      }
    } catch (thrown) {
      response = failureResponse(thrown)
    }
    this.#finalInFlight = undefined
    report(this.#service, peer, { line, ...named, begun }, response, socket.writable)
    // Such answers are short, so there is no need for backpressure.
    socket.write(serialize(response, serverName, named.id, !/^head /i.test(line ?? '')), () =>
      response.release?.(),
    )
    this.#close()
  }

  // Its end

  /** Makes a lingering close after the last answer, as input of the client may be left unread. */
  #lingerAtEnd(): void {
    // Node calls this after an answer with `Connection: close`.
    this.socket.destroySoon = () => this.#close()
  }

  #close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#lingering = new LingeringClose(this.socket)
  }

  /** Makes the parser ignore further input. */
  #stopParser(): void {
    const { parser } = this.socket as Socket & { parser?: Parser }
    // Undocumented. Without it, Node would keep two objects for each further request in what it has read.
    // Any result but 0, 1 and 2 makes the parser fail.
    if (parser?.onIncoming) parser.onIncoming = () => -1
  }

  /** Lets requests in flight finish, and accepts no more. */
  stop(): void {
    this.#stream?.stop()
    switch (this.#state) {
      case 'waiting':
      case 'handshake':
        this.socket.destroy()
        return
      case 'open':
        this.#state = 'last-taken'
        if (!this.busy) this.socket.destroySoon()
    }
  }

  /** Closes it without an answer, and logs why. */
  drop(why: string): void {
    this.#service.logDebug(`${this.peer}: ${why}`)
    this.socket.destroy()
  }

  /** The socket is closed. */
  closed(): void {
    this.#state = 'closed'
    this.#endHandshake?.()
    this.#finalInFlight?.abort()
    const current = this.#current
    this.#current = undefined
    if (current) this.#log(current, false)
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#log(next, false)
  }

  /**
   * Called periodically: disconnects a client that is too slow.
   * @param passed milliseconds since the last call
   */
  checkPace(passed: number): void {
    const { limits } = this.#service
    switch (this.#state) {
      case 'waiting':
      case 'handshake':
        this.#elapsed += passed
        if (this.#elapsed >= limits.head) this.drop('closed, as no TLS handshake was completed')
        // It waits for its client and uses no processor time, so another handshake may begin.
        else if (this.#elapsed >= limits.handshake) this.#endHandshake?.()
        return
      case 'open':
      case 'last-taken':
        if (this.#current?.checkPace(passed, limits) === 'answer') {
          this.drop('closed, as the answer was taken too slowly')
        }
        return
      case 'closing':
        this.#lingering?.checkPace(passed, limits)
    }
  }
}
