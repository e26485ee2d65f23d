/**
 * The adapter between Node's HTTP server and the application, over TLS or
 * plain. What Node would answer by itself, or drop without a word, is answered
 * here as Ganeti answers: JSON, with one record for the log.
 *
 * A connection is first let in (`waiting-room.ts`), then speaks TLS if we do,
 * then HTTP. Requests on it may be several at a time (pipelining): Node sends
 * the answers in order. What its parser does not understand comes as
 * 'clientError', and is the connection's last request.
 *
 * Limits, with their reasons, are in DEFAULT_LIMITS. Two are Ganeti's: a first
 * line of 8192 bytes and 10 seconds to send a head.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { Failure } from '../failure.ts'
import { type Connection, Connections, hostAndPort, peerOf } from './connections.ts'
import { Exchange, headersOf } from './exchange.ts'
import type { App, Response } from './message.ts'
import { errorResponse, failureResponse, HttpError, phraseOf } from './status.ts'
import { type Certificate, tlsSettings } from './tls.ts'
import {
  beginningOf,
  isRequestLine,
  mayBeReadAgain,
  type ParserError,
  readUnparsed,
  reasonOf,
  requestLineOf,
  type UnparsedRequest,
  unsupportedVersion,
} from './unparsed.ts'
import { WaitingRoom } from './waiting-room.ts'

/** Times are in milliseconds. */
export interface Limits {
  /** For a TLS handshake, and then for the head of a request. */
  readonly head: number
  /** For a request as a whole, its body included. */
  readonly request: number
  /** Without a byte in either direction while an answer is on its way. */
  readonly silence: number
  /** Between two requests: longer than clients keep connections (curl 118 seconds, Go 90). */
  readonly idle: number
  /** For reading what a client still sends after the answer that closes its connection. */
  readonly linger: number
  /** How often the first two are looked at. */
  readonly check: number
  /** Bytes of a request's first line. */
  readonly requestLine: number
  /** Bytes of a request's head altogether; Ganeti's 4096 are too few for a token or a proxy's additions. */
  readonly headBytes: number
  /** Connections that may wait for one of `maxClients` to end. */
  readonly waiting: number
}

export const DEFAULT_LIMITS: Limits = {
  head: 10_000,
  request: 120_000,
  silence: 120_000,
  idle: 120_000,
  linger: 2_000,
  check: 1_000,
  requestLine: 8192,
  headBytes: 16 * 1024,
  waiting: 512,
}

/** What there is to log about a request; texts are as the client sent them, so escape them. */
export interface RequestRecord {
  /** Address and port. */
  readonly peer: string
  /** The first line; undefined where it cannot be told. */
  readonly line: string | undefined
  /** What was sent; undefined where the connection was lost before. */
  readonly status: number | undefined
  readonly user: string | undefined
  /** What was thrown, where it is more than an ordinary refusal. */
  readonly cause: unknown
}

export interface ServerOptions {
  readonly app: App
  /** The Server header, e.g. `Ganeti 3.0.2`. */
  readonly serverName: string
  /** What to speak TLS with; plain HTTP without it. */
  readonly certificate?: Certificate | undefined
  /** How many connections are served at a time; the others wait. */
  readonly maxClients: number
  /** Called once for each request, whatever became of it. */
  readonly logRequest: (record: RequestRecord) => void
  /** Gets a line about a connection on which there was no request, e.g. a failed TLS handshake. */
  readonly logDebug: (message: string) => void
  readonly limits?: Partial<Limits>
}

export interface HttpServer {
  readonly address: AddressInfo
  /** Shows another certificate to those who connect from now on; others go on undisturbed. */
  setCertificate(certificate: Certificate): void
  /**
   * Stops listening, lets requests under way finish, and closes everything.
   * @param grace how long to wait for them, in milliseconds
   */
  close(grace: number): Promise<void>
}

/**
 * Starts to listen; without a host on all addresses, of IPv6 and IPv4 where the machine has both.
 * @throws Failure `configuration` where that is not possible
 */
export async function startServer(
  options: ServerOptions,
  where: { readonly host?: string | undefined; readonly port: number },
): Promise<HttpServer> {
  const { app, serverName, certificate, logRequest, logDebug } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const connections = new Connections()
  let answered = 0
  let closing = false

  const settings = {
    headersTimeout: limits.head,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.idle,
    connectionsCheckingInterval: limits.check,
    maxHeaderSize: limits.headBytes,
    // Node would answer a missing Host header by itself, without a body.
    requireHostHeader: false,
    noDelay: true,
  }
  const server: Server | TlsServer = certificate
    ? createTlsServer({
        ...settings,
        ...tlsSettings(certificate),
        // We watch over handshakes ourselves: Node's watch, ending, no longer knows whose it was.
        handshakeTimeout: 2 * limits.head,
      })
    : createServer(settings)
  // Not in Node's documentation, but in its code since 2010: without it, the answer to a client that
  // closes its sending side after the request is thrown away.
  Object.assign(server, { httpAllowHalfOpen: true })

  const room = new WaitingRoom({
    places: options.maxClients,
    chairs: limits.waiting,
    serve: letIn,
    makeRoom: () => connections.longestIdle()?.socket.destroySoon(),
    turnAway: (socket) => {
      logDebug(`${peerOf(socket)}: closed, as ${limits.waiting} connections are waiting already`)
      socket.destroy()
    },
  })

  // Connections pass our waiting room before Node's own listeners get them.
  const nodesListeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    // Errors of a connection under way reach those who use it; one that waits has nobody else.
    socket.on('error', ignore)
    room.enter(socket)
  })

  function letIn(socket: Socket): void {
    const connection = connections.add(socket)
    socket.on('close', () => {
      if (connection) {
        connections.delete(connection)
        connection.greeted?.()
        for (const exchange of connection.underWay.slice()) ended(connection, exchange, false)
      }
      room.leave()
    })
    if (!connection) {
      socket.destroy()
      return
    }
    if (certificate) expectTls(connection)
    for (const listener of nodesListeners) listener.call(server, socket)
  }

  function expectTls(connection: Connection): void {
    const { socket, peer } = connection
    const timer = setTimeout(() => {
      logDebug(`${peer}: closed, as no TLS handshake was completed`)
      socket.destroy()
    }, limits.head)
    connection.greeted = () => clearTimeout(timer)
  }

  server.on('secureConnection', (socket: TLSSocket) => {
    const connection = connections.withPeerOf(socket)
    if (!connection) return
    connection.greeted?.()
    socket.on('error', ignore)
    // Not before: who hangs up amid the handshake is to be let go at once.
    socket.allowHalfOpen = true
    connections.speak(connection, socket)
  })

  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const connection = connections.withPeerOf(socket)
    // Whoever hung up meanwhile is not worth a line.
    if (!connection) return
    if (error.code === 'ERR_SSL_HTTP_REQUEST') {
      // There is time for this until the event is over: then Node closes the connection.
      answerLast(connection, undefined, () => {
        throw new HttpError(400, 'Plain HTTP was sent to a port that speaks HTTPS')
      })
    } else {
      logDebug(`${connection.peer}: TLS handshake failed: ${error.message}`)
    }
  })

  /** From now on, tells requests under way when their client leaves. */
  function hearTheEnd(connection: Connection): void {
    if (connection.heard) return
    connection.heard = true
    connection.socket.on('end', () => {
      for (const exchange of connection.underWay) exchange.clientLeft()
    })
  }

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, wantsContinue: boolean) => {
    const connection = connections.of(incoming.socket)
    if (!connection) return
    const exchange = new Exchange(incoming, outgoing, connection.network, wantsContinue)
    connection.underWay.push(exchange)
    connection.bytesAtRequest = incoming.socket.bytesRead
    const answer = (response: Response) => {
      // An epilogue is an answer still to come, after which the connection is closed.
      const close = !connection.epilogue && (closing || room.crowded || connection.broken)
      if (incoming.socket.destroyed) return
      exchange.send(response, serverName, close, limits.linger)
      // Node says that a response is finished also when it threw the rest of it away.
      const finished = () => ended(connection, exchange, !incoming.socket.destroyed)
      if (exchange.sent) {
        finished()
        return
      }
      outgoing.on('finish', finished)
      setImmediate(() => {
        // Over TLS most answers have left only now; the others leave as fast as the client reads.
        if (!exchange.sent) incoming.socket.setTimeout(limits.silence)
      })
    }
    const response = refusal(exchange) ?? app(exchange)
    if (response instanceof Promise) response.then(answer)
    else answer(response)
    // Most answers over plain HTTP have left by now.
    if (!exchange.sent) hearTheEnd(connection)
  }
  server.on('request', (incoming, outgoing) => serve(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => serve(incoming, outgoing, true))
  // Ganeti's daemon knows no other expectation and goes on; so do we.
  server.on('checkExpectation', (incoming, outgoing) => serve(incoming, outgoing, false))

  /** What the application need not be asked. */
  function refusal({ httpVersion, line, hasHost }: Exchange): Response | undefined {
    if (!httpVersion.startsWith('1.')) return failureResponse(unsupportedVersion(httpVersion))
    if (line.length > limits.requestLine) return errorResponse(414)
    if (httpVersion !== '1.0' && !hasHost) return errorResponse(400, 'Missing Host header')
    return undefined
  }

  /** A request is over: its answer was sent, or the connection is lost. */
  function ended(connection: Connection, exchange: Exchange, sent: boolean): void {
    const place = connection.underWay.indexOf(exchange)
    if (place < 0) return
    if (place === connection.underWay.length - 1) connection.underWay.pop()
    else connection.underWay.splice(place, 1)
    connection.unread = exchange.incomplete ? exchange : undefined
    connection.lastAnswered = ++answered
    if (!sent) exchange.clientLeft()
    const { line, response } = exchange
    logRequest({
      peer: connection.peer,
      line,
      status: sent ? response?.status : undefined,
      user: response?.user,
      cause: response?.cause,
    })
    const { socket, underWay, epilogue } = connection
    if (underWay.length > 0 || socket.destroyed) return
    if (epilogue) epilogue()
    else if (closing || room.crowded) socket.destroySoon()
  }

  server.on('clientError', (error: ParserError, socket: Duplex) => {
    const connection = connections.of(socket)
    if (!connection || !socket.writable) {
      socket.destroy()
      return
    }
    // The parser goes on complaining about whatever else arrives.
    if (connection.broken) return
    connection.broken = true
    const { underWay, unread, socket: ours } = connection
    const received = ours.bytesRead - connection.bytesAtRequest
    const bytes = beginningOf(error, received)
    const reason = reasonOf(error, bytes)
    if (!reason || (unread?.incomplete && underWay.length === 0)) {
      ours.destroy()
      return
    }
    // Either the body of the newest request is at fault, or whatever was to be the next request.
    if (underWay.at(-1)?.failBody(reason)) return
    if (reason.status === 408 && received === 0) {
      logDebug(`${connection.peer}: closed, as no request came`)
      ours.destroy()
      return
    }
    const line = bytes && requestLineOf(bytes)
    afterOthers(connection, () =>
      answerLast(connection, isRequestLine(line) ? line : undefined, () => {
        if (!bytes || !mayBeReadAgain(error)) throw reason
        return readUnparsed(bytes)
      }),
    )
  })

  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    const connection = connections.of(socket)
    if (!connection) return
    const { url: target = '', headers } = incoming
    afterOthers(connection, () =>
      answerLast(connection, `CONNECT ${target} HTTP/${incoming.httpVersion}`, () => ({
        method: 'CONNECT',
        target,
        headers,
        body: Buffer.alloc(0),
      })),
    )
  })

  function afterOthers(connection: Connection, epilogue: () => void): void {
    connection.broken = true
    connection.epilogue = epilogue
    if (connection.underWay.length === 0) epilogue()
  }

  /** Answers a request that Node has no response object for, and closes. */
  async function answerLast(
    connection: Connection,
    line: string | undefined,
    read: () => UnparsedRequest,
  ): Promise<void> {
    const { socket, peer, network } = connection
    let method: string | undefined
    let response: Response
    try {
      const request = read()
      method = request.method
      response = await app({
        ...request,
        network,
        bodyLength: request.body.length,
        readBody: async () => request.body,
        signal: new AbortController().signal,
      })
    } catch (thrown) {
      response = failureResponse(thrown)
    }
    const { status, user, cause } = response
    logRequest({ peer, line, status: socket.writable ? status : undefined, user, cause })
    const timer = setTimeout(() => socket.destroy(), limits.linger)
    socket.once('close', () => clearTimeout(timer))
    socket.end(serialize(response, serverName, method !== 'HEAD'))
    socket.resume()
  }

  server.listen(where)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Failure('configuration', `Cannot listen on ${hostAndPort(where.host ?? '::', where.port)}`, {
      cause,
    })
  }

  return {
    address: server.address() as AddressInfo,
    setCertificate: (next) => {
      if ('setSecureContext' in server) server.setSecureContext(tlsSettings(next))
    },
    close: async (grace) => {
      closing = true
      const closed = new Promise((resolve) => server.close(resolve))
      room.close()
      for (const { socket, underWay } of connections) {
        if (underWay.length === 0) socket.destroySoon()
      }
      const timer = setTimeout(() => {
        for (const { socket } of connections) socket.destroy()
      }, grace)
      await closed
      clearTimeout(timer)
    },
  }
}

function ignore(): void {}

function serialize(response: Response, serverName: string, withBody: boolean): Buffer {
  const { status, body } = response
  const headers = headersOf(response, serverName)
  headers.push('Date', new Date().toUTCString(), 'Connection', 'close')
  let head = `HTTP/1.1 ${status} ${phraseOf(status)}\r\n`
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), withBody ? body : Buffer.alloc(0)])
}
