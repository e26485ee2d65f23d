/**
 * One connection, from its first byte to its last: which requests are taken
 * from it, in which order they are answered, and how it ends.
 *
 *     waiting      for its turn to make a TLS handshake; nothing is read from it
 *     handshake    makes it
 *     open         takes requests
 *     last-taken   takes no more, as the last one said so, or as what came cannot be understood;
 *                  those taken before are answered, and nothing behind them is looked at
 *     closing      our side is closed; what still arrives is thrown away until the client closes its own
 *     closed
 *
 * One request is answered at a time. Others that come meanwhile (pipelining)
 * stay where they are: those that Node has read already in a bounded queue, the
 * rest in the kernel, as the socket is paused.
 *
 * Where more of the client may be left unread, the connection is closed on our
 * side first and read on for a while, since a system that closes a socket with
 * unread bytes resets it, and a reset takes away what the client has not read
 * yet of our answer. (Doing so always costs half as much again for a client
 * with a connection for each request.)
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { networkOf } from './client-network.ts'
import { Exchange } from './exchange.ts'
import type { Response } from './message.ts'
import { peerOf } from './peer.ts'
import {
  beginningOf,
  lineOf,
  mayBeReadAgain,
  type ParserError,
  type RejectedRequest,
  readAgain,
  reasonOf,
  serialize,
} from './rejected-request.ts'
import type { Service } from './service.ts'
import { failureResponse, HttpError } from './status.ts'

type State = 'waiting' | 'handshake' | 'open' | 'last-taken' | 'closing' | 'closed'

/** Requests that are answered in one turn of the event loop if they come in one piece; others have theirs before more are. */
const AT_ONCE = 16

/** How much a connection would be missed; see `worth`. */
const Worth = { closing: 0, askedNothing: 1, idle: 2, busy: 3 } as const

/** What Node's parser has, beside what its documentation tells. */
interface Parser {
  onIncoming?: () => number
}

export class Connection {
  /** Address and port, as the log has them; they are gone once the socket is closed. */
  readonly peer: string
  readonly network: string
  /** The how manieth it is. */
  readonly number: number
  /** What HTTP is spoken on: a TLSSocket once the handshake is done. */
  socket: Socket
  /** See SwapList. */
  place = -1
  /** When a request was last answered, by the number of all answers so far; 0 before there was one. */
  lastAnswered = 0
  readonly #service: Service
  #state: State = 'open'
  /** The request that is being answered. */
  #current: Exchange | undefined
  /** Requests behind that one. */
  readonly #queue: Exchange[] = []
  /** Answers what could not be understood, once the requests before are answered. */
  #final: (() => void) | undefined
  /** Whether that is being done; aborted when the client has gone. */
  #finalUnderWay: AbortController | undefined
  /** The last request that was answered, where some of its body was left to discard. */
  #unread: Exchange | undefined
  /** Bytes received when the last request began; what came since may belong to the next. */
  #bytesAtRequest = 0
  #lastHadBody = false
  /** How many requests came with the piece that was received last. */
  #inPiece = 0
  #watchesHalfClose = false
  /** For how long, in milliseconds, it has been closing, or busy with its handshake; counted by `checkPace`. */
  #elapsed = 0
  /** For how long nothing came while closing. */
  #quiet = 0
  #bytesRead = 0
  #endHandshake: (() => void) | undefined

  constructor(socket: Socket, service: Service, number: number) {
    this.peer = peerOf(socket)
    this.network = networkOf(socket.remoteAddress ?? '')
    this.number = number
    this.socket = socket
    this.#service = service
  }

  /** Whether a request of it is being answered. */
  get busy(): boolean {
    return this.#current !== undefined || this.#finalUnderWay !== undefined
  }

  /** How much it would be missed: the higher, the more. */
  get worth(): number {
    if (this.#state === 'closing' || this.#state === 'closed') return Worth.closing
    if (this.busy) return Worth.busy
    return this.lastAnswered === 0 ? Worth.askedNothing : Worth.idle
  }

  // TLS

  awaitHandshake(): void {
    this.#state = 'waiting'
  }

  /** @param ended called once the handshake is over, however it ended, or takes long; perhaps several times */
  beginHandshake(ended: () => void): void {
    this.#state = 'handshake'
    this.#elapsed = 0
    this.#endHandshake = ended
  }

  /** From now on, HTTP is spoken. */
  handshakeDone(): void {
    if (this.#state === 'handshake') this.#state = 'open'
    this.#endHandshake?.()
    this.#endHandshake = undefined
  }

  /** Answers plain HTTP on a port that speaks TLS: there is time for this until Node closes the connection. */
  refusePlainHttp(): void {
    if (this.#state !== 'handshake') return
    this.#state = 'last-taken'
    void this.#answerFinal(undefined, () => {
      throw new HttpError(400, 'Plain HTTP was sent to a port that speaks HTTPS')
    })
  }

  // Requests

  /** Takes a request, unless there was a last one already. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, wantsContinue: boolean): void {
    if (this.#state !== 'open') {
      this.#lingerAtEnd()
      this.#stopParser()
      return
    }
    const exchange = new Exchange(incoming, outgoing, this.network, wantsContinue)
    const { bytesRead } = this.socket
    this.#inPiece = bytesRead === this.#bytesAtRequest ? this.#inPiece + 1 : 1
    this.#bytesAtRequest = bytesRead
    this.#lastHadBody = exchange.bodyLength !== 0
    if (!exchange.mayBeFollowed) this.#state = 'last-taken'
    if (this.#current || this.#queue.length > 0) this.#wait(exchange)
    else if (this.#inPiece <= AT_ONCE) this.#begin(exchange)
    else {
      this.#wait(exchange)
      setImmediate(() => this.#goOn())
    }
  }

  #wait(exchange: Exchange): void {
    const { limits } = this.#service
    this.#queue.push(exchange)
    this.#service.pipelined++
    this.socket.pause()
    if (this.#queue.length >= limits.pipelined || this.#service.pipelined >= limits.allPipelined) {
      this.#state = 'last-taken'
    }
  }

  #nextInQueue(): Exchange | undefined {
    const next = this.#queue.shift()
    if (next) this.#service.pipelined--
    return next
  }

  #begin(exchange: Exchange): void {
    this.#current = exchange
    const response = this.#refusal(exchange) ?? this.#service.app(exchange)
    if (response instanceof Promise) response.then((made) => this.#answer(exchange, made))
    else this.#answer(exchange, response)
    // Most answers over plain HTTP have left by now.
    if (this.#current === exchange) this.#watchHalfClose()
  }

  /** What the application need not be asked, and after which nothing more of the client is believed. */
  #refusal(exchange: Exchange): Response | undefined {
    const fault = exchange.fault(this.#service.limits)
    if (!fault) return undefined
    this.#forgetOthers()
    return failureResponse(fault)
  }

  #answer(exchange: Exchange, response: Response): void {
    if (this.#current !== exchange) {
      response.release?.()
      return
    }
    // A body that came along with its head is there one turn later, and then nothing need be closed for it.
    if (exchange.incomplete) setImmediate(() => this.#send(exchange, response))
    else this.#send(exchange, response)
  }

  #send(exchange: Exchange, response: Response): void {
    if (this.#current !== exchange) {
      response.release?.()
      return
    }
    const { socket } = this
    if (exchange.mustClose) this.#forgetOthers()
    const last = this.#state === 'last-taken' && this.#queue.length === 0 && !this.#final
    if (last && (exchange.mayBeFollowed || exchange.incomplete)) this.#lingerAtEnd()
    exchange.send(response, this.#service.serverName, last)
    // Node says that a response is finished also when it threw the rest of it away.
    if (exchange.sent) this.#ended(exchange, true)
    else exchange.onFinish(() => this.#ended(exchange, !socket.destroyed))
  }

  /** The present request turned out to be the last one: nothing behind it is processed. */
  #forgetOthers(): void {
    this.#state = 'last-taken'
    this.#service.pipelined -= this.#queue.length
    this.#queue.length = 0
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

  /** Begins what is next, if nothing is being done. */
  #goOn(): void {
    if (this.#current || this.socket.destroyed) return
    const next = this.#nextInQueue()
    if (next) this.#begin(next)
    else if (this.#final) this.#final()
    else if (this.#state === 'open' && this.socket.isPaused()) this.socket.resume()
  }

  #log(exchange: Exchange, sent: boolean): void {
    this.lastAnswered = ++this.#service.answered
    const { line, response } = exchange
    response?.release?.()
    if (!sent) exchange.connectionLost()
    this.#service.logRequest({
      peer: this.peer,
      line,
      status: sent ? response?.status : undefined,
      user: response?.user,
      cause: response?.cause,
    })
  }

  /** From now on, tells requests under way when their client leaves. */
  #watchHalfClose(): void {
    if (this.#watchesHalfClose) return
    this.#watchesHalfClose = true
    this.socket.on('end', () => {
      this.#current?.clientLeft()
      for (const exchange of this.#queue) exchange.clientLeft()
    })
  }

  // What is no request, or one that Node has no response object for

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
    // Either the body of the newest request is at fault, or whatever was to be the next request.
    if ((this.#queue.at(-1) ?? this.#current)?.failBody(reason)) {
      this.#state = 'last-taken'
      return
    }
    // The parser goes on complaining about whatever else arrives.
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
      // Behind a body it is not certain where the request begins.
      if (!bytes || !mayBeReadAgain(error, lastHadBody ? undefined : bytes)) throw reason
      return readAgain(bytes, this.#service.limits)
    })
  }

  /** Takes a CONNECT, which Node hands over with its socket. */
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
    // Node knows of nothing that is still to be answered, and would close our side once the client closes its own.
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
    const { app, serverName, logRequest } = this.#service
    const { socket, peer, network } = this
    const controller = new AbortController()
    this.#finalUnderWay = controller
    let response: Response
    try {
      const request = read()
      response = await app({
        ...request,
        network,
        bodyLength: request.body.length,
        readBody: async () => request.body,
        signal: controller.signal,
        lost: controller.signal,
      })
    } catch (thrown) {
      response = failureResponse(thrown)
    }
    this.#finalUnderWay = undefined
    const { status, user, cause } = response
    logRequest({ peer, line, status: socket.writable ? status : undefined, user, cause })
    // It is short, as are all answers to what clients send this way; nobody waits until it is taken.
    socket.write(serialize(response, serverName, !/^head /i.test(line ?? '')), () => response.release?.())
    this.#close()
  }

  // Its end

  /** After the last answer, reads on: more of the client may be left unread than what was asked. */
  #lingerAtEnd(): void {
    // So Node closes a connection after an answer that says it is the last.
    this.socket.destroySoon = () => this.#close()
  }

  /** Closes our side once all is sent, and reads on until the client has closed its own. */
  #close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#elapsed = 0
    const { socket } = this
    // Nothing that still comes goes through the parser, which would take a microsecond for each chunk of one byte.
    socket.removeAllListeners('data')
    socket.on('data', ignore)
    // Once both sides have ended, Node destroys it.
    socket.end()
    if (socket.isPaused()) socket.resume()
  }

  /** Nothing that arrives is made into requests any more. */
  #stopParser(): void {
    const { parser } = this.socket as Socket & { parser?: Parser }
    // Not in Node's documentation. Without it, Node would keep two objects for each request that still comes with
    // what it has read. Anything but 0, 1 and 2 makes the parser fail.
    if (parser?.onIncoming) parser.onIncoming = () => -1
  }

  /** Lets requests under way finish, and nothing else. */
  stop(): void {
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

  /** Closes it without an answer; there is no more to be said than a line in the log. */
  drop(why: string): void {
    this.#service.logDebug(`${this.peer}: ${why}`)
    this.socket.destroy()
  }

  /** The socket is closed. */
  closed(): void {
    this.#state = 'closed'
    this.#endHandshake?.()
    this.#endHandshake = undefined
    this.#finalUnderWay?.abort()
    const current = this.#current
    this.#current = undefined
    if (current) this.#log(current, false)
    for (let next = this.#nextInQueue(); next; next = this.#nextInQueue()) this.#log(next, false)
  }

  /**
   * Called every so often: cuts off who is too slow.
   * @param passed milliseconds since the last time
   */
  checkPace(passed: number): void {
    const { limits } = this.#service
    switch (this.#state) {
      case 'waiting':
      case 'handshake':
        this.#elapsed += passed
        if (this.#elapsed >= limits.head) this.drop('closed, as no TLS handshake was completed')
        // It waits for its client, and takes nothing meanwhile: others may begin theirs.
        else if (this.#elapsed >= limits.handshake) this.#endHandshake?.()
        return
      case 'open':
      case 'last-taken':
        if (this.#current?.checkPace(passed, limits) === 'answer') {
          this.drop('closed, as the answer was taken too slowly')
        }
        return
      case 'closing': {
        const { bytesRead } = this.socket
        this.#elapsed += passed
        this.#quiet = bytesRead === this.#bytesRead ? this.#quiet + passed : 0
        this.#bytesRead = bytesRead
        if (this.#elapsed >= limits.longestLinger || this.#quiet >= limits.linger) this.socket.destroy()
      }
    }
  }
}

function ignore(): void {}
