/** A server for a test, on a free port of this machine, and what it would have logged. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Limits } from '../../lib/http/limits.ts'
import type { App, Response } from '../../lib/http/message.ts'
import { type HttpServer, type ServerOptions, startServer } from '../../lib/http/server.ts'
import type { RequestRecord } from '../../lib/http/service.ts'
import { until } from '../support/until.ts'
import type { RawClient } from './raw-client.ts'

export interface TestServer {
  readonly server: HttpServer
  readonly port: number
  readonly records: RequestRecord[]
  /** Each record as `line status`, in order. */
  readonly log: () => string[]
  readonly debug: string[]
  /** The server's end of a client's connection, which tells how much of what was sent has come. */
  readonly endOf: (client: RawClient) => Promise<Socket>
}

export async function serve(
  t: { teardown: (f: () => unknown) => void; fail: (message: string) => void },
  app: App,
  options: Partial<Omit<ServerOptions, 'limits'>> & {
    limits?: Partial<Limits>
    host?: string
    /** Whether it takes requests from the start. */
    begin?: boolean
  } = {},
): Promise<TestServer> {
  const records: RequestRecord[] = []
  const debug: string[] = []
  const { host = '127.0.0.1', begin = true, ...others } = options
  const server = await startServer(
    {
      app,
      serverName: 'Ganeti 3.0.2',
      logRequest: (record) => records.push(record),
      logDebug: (message) => debug.push(message),
      logWarning: (message) => t.fail(message),
      ...others,
    },
    { host, port: 0 },
  )
  if (begin) server.begin()
  const ends = new Map<number | undefined, Socket>()
  // Node tells of every socket that is accepted in this process.
  const accepted = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    if (socket.localPort === server.address.port) ends.set(socket.remotePort, socket)
  }
  subscribe('net.server.socket', accepted)
  t.teardown(() => {
    unsubscribe('net.server.socket', accepted)
    return server.close(0)
  })
  return {
    server,
    port: server.address.port,
    records,
    log: () => records.map(({ line, status }) => `${line} ${status}`),
    debug,
    endOf: async ({ socket: { localPort } }) => {
      await until(() => ends.has(localPort))
      return ends.get(localPort) as Socket
    },
  }
}

/** A successful answer of some text. */
export function ok(text: string, more: Partial<Response> = {}): Response {
  return { status: 200, headers: [], body: Buffer.from(text), ...more }
}

/** An application that says what it was asked: method, target, body. */
export const echo: App = async (request) => {
  const body = request.bodyLength === 0 ? '' : (await request.readBody(1000)).toString()
  return ok(`${request.method} ${request.target} ${body}\n`)
}
