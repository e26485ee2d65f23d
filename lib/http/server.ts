/**
 * The adapter between Node's HTTP server and the application, over TLS or plain.
 * Errors that Node would answer by itself, or drop silently, are answered like
 * Ganeti's daemon does: with JSON, and one line in the log.
 *
 * A socket is first counted (`connections.ts`); with TLS it waits for its turn to
 * make the handshake (`handshake-queue.ts`); then it carries HTTP
 * (`connection.ts`). This file passes Node's events to these.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { arrivals } from '../concurrency/time-slicing.ts'
import { Failure } from '../failure.ts'
import { HttpMetrics } from '../metrics/http-metrics.ts'
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
  /** The Server header, e.g. `Ganeti 3.0.2`; read for each answer. */
  readonly serverName: string
  /** The certificate for TLS; plain HTTP without it. */
  readonly certificate?: Certificate | undefined
  /** Called once for each accepted request, whether it was answered or not. */
  readonly logRequest: (record: RequestRecord) => void
  /** Called for a connection without a request, e.g. after a failed TLS handshake. */
  readonly logDebug: (message: string) => void
  /** Called when connections cannot be accepted. */
  readonly logWarning: (message: string) => void
  readonly limits?: Partial<Limits>
  /** See Service. */
  readonly clientBehind?: Service['clientBehind']
  /** Counts connections and requests. */
  readonly metrics?: HttpMetrics
}

export interface HttpServer {
  readonly address: AddressInfo
  /** Begins to accept requests; earlier connections wait until then. */
  begin(): void
  /** Uses another certificate for new connections; existing ones are not affected. */
  setCertificate(certificate: Certificate): void
  /**
   * Stops listening, lets requests in flight finish, and closes all connections.
   * @param grace how long to wait for the requests, in milliseconds
   */
  close(grace: number): Promise<void>
}

/**
 * Starts to listen; without a host on all IPv6 and IPv4 addresses. Requests are not accepted before `begin`, so that
 * a port in use is found before cluster state is loaded.
 * @throws Failure `configuration` if the port cannot be used
 */
export async function startServer(
  options: ServerOptions,
  where: { readonly host?: string | undefined; readonly port: number },
): Promise<HttpServer> {
  const { app, certificate, logRequest, logDebug, logWarning, metrics = new HttpMetrics() } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const service: Service = {
    app,
    get serverName() {
      return options.serverName
    },
    limits,
    metrics,
    clientBehind: options.clientBehind,
    logRequest,
    logDebug,
    pipelined: 0,
    streams: 0,
    answered: 0,
  }
  const connections = new Connections(limits.connections, limits.probeConnections)
  const handshakes = new HandshakeQueue(limits)
  metrics.connections = () => {
    const counts = { active: 0, idle: 0, waiting: 0, stream: 0 }
    for (const { use } of connections) counts[use]++
    return counts
  }

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
        // Node's default has only the first, and refuses clients that offer only the second.
        ALPNProtocols: ['http/1.1', 'http/1.0'],
        // `checkPace` has a timeout of its own, which must come first: after Node's, the peer is no longer known.
        // Ours counts timer intervals, which are late on a busy machine, hence the large factor.
        handshakeTimeout: 10 * limits.head,
      })
    : createServer(settings)
  // Undocumented, but in Node's code since 2010: without it, the answer to a client that half-closes after
  // its request is discarded.
  Object.assign(server, { httpAllowHalfOpen: true })

  // Our listener gets connections before Node's own listeners.
  const nodesListeners = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    arrivals.count++
    // A waiting socket has no other error listener, and an unhandled error would end the process.
    socket.on('error', ignore)
    const connection = connections.add(socket, service)
    if (!connection) {
      metrics.refusedConnections++
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
  /** The connections that came before `begin`. */
  let early: Connection[] | undefined = []

  function start(connection: Connection): void {
    if (connection.socket.destroyed) return
    if (certificate) handshakes.add(connection, () => handOver(connection))
    else handOver(connection)
  }

  function handOver({ socket }: Connection): void {
    for (const listener of nodesListeners) listener.call(server, socket)
  }

  /** Disconnects clients that are too slow; the timer runs only while there are connections. */
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
    // Not earlier: a client that closes during the handshake should be disconnected at once.
    socket.allowHalfOpen = true
    connections.attach(connection, socket)
    connection.handshakeDone()
    metrics.handshakes++
  })

  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    metrics.handshakeErrors++
    const connection = connections.withPeerOf(socket)
    // A client that has disconnected already is not logged.
    if (!connection) return
    if (error.code === 'ERR_SSL_HTTP_REQUEST') connection.refusePlainHttp()
    else logDebug(`${connection.peer}: TLS handshake failed: ${error.message}`)
  })

  const take = (incoming: IncomingMessage, outgoing: ServerResponse, wantsContinue: boolean) =>
    connections.of(incoming.socket)?.take(incoming, outgoing, wantsContinue)
  server.on('request', (incoming, outgoing) => take(incoming, outgoing, false))
  server.on('checkContinue', (incoming, outgoing) => take(incoming, outgoing, true))
  // Like Ganeti's daemon, ignore other expectations.
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
      nextStep: listenStep(cause as NodeJS.ErrnoException, where.port),
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

/** What to do about an address or port that cannot be listened on. */
function listenStep({ code }: NodeJS.ErrnoException, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `another program listens there, which this shows: ss -ltnp sport = :${port}; or choose another port: -p`
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has this address; these are there: ip address'
    case 'EACCES':
      return 'a port below 1024 needs root, or the capability CAP_NET_BIND_SERVICE'
  }
  return undefined
}
