/**
 * The adapter between Node's HTTP server and the application, over TLS or
 * plain. What Node would answer by itself, or drop without a word, is answered
 * here as Ganeti answers: JSON, with one record for the log.
 *
 * A socket is first counted (`connections.ts`), then waits for its turn to
 * speak TLS if we do, then speaks HTTP. What becomes of its requests, and how it
 * ends, is said in `connection.ts`; here is what Node tells us, and to whom that
 * is passed on.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { Failure } from '../failure.ts'
import { arrivals } from '../slices.ts'
import type { Connection } from './connection.ts'
import { Connections } from './connections.ts'
import { HandshakeQueue } from './handshake-queue.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { App } from './message.ts'
import { hostAndPort, peerOf } from './peer.ts'
import type { ParserError } from './rejected-request.ts'
import type { RequestRecord, Service } from './service.ts'
import { type Certificate, tlsSettings } from './tls.ts'

export interface ServerOptions {
  readonly app: App
  /** The Server header, e.g. `Ganeti 3.0.2`; looked at anew for each answer. */
  readonly serverName: string
  /** What to speak TLS with; plain HTTP without it. */
  readonly certificate?: Certificate | undefined
  /** Called once for each request that is taken, whatever becomes of it. */
  readonly logRequest: (record: RequestRecord) => void
  /** Gets a line about a connection on which there was no request, e.g. a failed TLS handshake. */
  readonly logDebug: (message: string) => void
  /** Gets a line where connections cannot be accepted. */
  readonly logWarning: (message: string) => void
  readonly limits?: Partial<Limits>
}

export interface HttpServer {
  readonly address: AddressInfo
  /** Begins to take requests; connections that came before, wait until then. */
  begin(): void
  /** Shows another certificate to those who connect from now on; others go on undisturbed. */
  setCertificate(certificate: Certificate): void
  /**
   * Stops listening, lets requests under way finish, and closes everything.
   * @param grace how long to wait for them, in milliseconds
   */
  close(grace: number): Promise<void>
}

/**
 * Starts to listen; without a host on all addresses, of IPv6 and IPv4 where the machine has both. Requests are not
 * taken before `begin`: that the port can be had is known before there is anything to answer from.
 * @throws Failure `configuration` where that is not possible
 */
export async function startServer(
  options: ServerOptions,
  where: { readonly host?: string | undefined; readonly port: number },
): Promise<HttpServer> {
  const { app, certificate, logRequest, logDebug, logWarning } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const service: Service = {
    app,
    get serverName() {
      return options.serverName
    },
    limits,
    logRequest,
    logDebug,
    pipelined: 0,
    answered: 0,
  }
  const connections = new Connections(limits.connections)
  const handshakes = new HandshakeQueue(limits)

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
        // Node offers the first alone, and refuses whoever wants nothing but the second.
        ALPNProtocols: ['http/1.1', 'http/1.0'],
        // We watch over handshakes ourselves: Node's watch, ending, no longer knows whose it was. Ours counts its looks,
        // which come late where the machine is busy, and must be first all the same.
        handshakeTimeout: 10 * limits.head,
      })
    : createServer(settings)
  // Not in Node's documentation, but in its code since 2010: without it, the answer to a client that
  // closes its sending side after the request is thrown away.
  Object.assign(server, { httpAllowHalfOpen: true })

  // Connections pass us before Node's own listeners get them.
  const nodesListeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    arrivals.count++
    // Errors of a connection under way reach those who use it; one that waits has nobody else.
    socket.on('error', ignore)
    const connection = connections.add(socket, service)
    if (!connection) {
      logDebug(`${peerOf(socket)}: closed, as there are ${connections.size} connections already`)
      socket.destroy()
      return
    }
    socket.on('close', () => {
      connections.delete(connection)
      connection.closed()
    })
    watchPace()
    if (early) early.push(connection)
    else start(connection)
  })
  /** Those that came before `begin`. */
  let early: Connection[] | undefined = []

  function start(connection: Connection): void {
    if (connection.socket.destroyed) return
    if (certificate) handshakes.add(connection, () => handOver(connection))
    else handOver(connection)
  }

  function handOver({ socket }: Connection): void {
    for (const listener of nodesListeners) listener.call(server, socket)
  }

  /** Cuts off who is too slow, as long as there is anybody. */
  function watchPace(): void {
    pace ??= setInterval(() => {
      for (const connection of [...connections]) connection.checkPace(limits.check)
      if (connections.size > 0) return
      clearInterval(pace)
      pace = undefined
    }, limits.check).unref()
  }
  let pace: NodeJS.Timeout | undefined

  server.on('secureConnection', (socket: TLSSocket) => {
    const connection = connections.withPeerOf(socket)
    if (!connection) return
    socket.on('error', ignore)
    // Not before: who hangs up amid the handshake is to be let go at once.
    socket.allowHalfOpen = true
    connections.speak(connection, socket)
    connection.handshakeDone()
  })

  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const connection = connections.withPeerOf(socket)
    // Whoever hung up meanwhile is not worth a line.
    if (!connection) return
    if (error.code === 'ERR_SSL_HTTP_REQUEST') connection.refusePlainHttp()
    else logDebug(`${connection.peer}: TLS handshake failed: ${error.message}`)
  })

  const take = (incoming: IncomingMessage, outgoing: ServerResponse, wantsContinue: boolean) =>
    connections.of(incoming.socket)?.take(incoming, outgoing, wantsContinue)
  server.on('request', (incoming, outgoing) => take(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => take(incoming, outgoing, true))
  // Ganeti's daemon knows no other expectation and goes on; so do we.
  server.on('checkExpectation', (incoming, outgoing) => take(incoming, outgoing, false))
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) =>
    connections.of(socket)?.takeConnect(incoming),
  )
  server.on('clientError', (error: ParserError, socket: Duplex) => {
    const connection = connections.of(socket)
    if (connection) connection.parserFailed(error)
    else socket.destroy()
  })

  server.listen(where)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Failure('configuration', `Cannot listen on ${hostAndPort(where.host ?? '::', where.port)}`, {
      cause,
    })
  }
  server.on('error', (error) => logWarning(`Cannot accept a connection: ${error.message}`))

  return {
    address: server.address() as AddressInfo,
    begin: () => {
      for (const connection of early ?? []) start(connection)
      early = undefined
    },
    setCertificate: (next) => {
      if ('setSecureContext' in server) server.setSecureContext(tlsSettings(next))
    },
    close: async (grace) => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of [...connections]) connection.stop()
      const timer = setTimeout(() => {
        for (const { socket } of [...connections]) socket.destroy()
      }, grace)
      await closed
      clearTimeout(timer)
      clearInterval(pace)
    },
  }
}

function ignore(): void {}
