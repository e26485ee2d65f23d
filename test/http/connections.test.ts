import type { Socket } from 'node:net'
import t from 'tap'
import type { Connection } from '../../lib/http/connection.ts'
import { Connections } from '../../lib/http/connections.ts'
import { DEFAULT_LIMITS } from '../../lib/http/limits.ts'
import type { Service } from '../../lib/http/service.ts'
import { HttpMetrics } from '../../lib/metrics/http-metrics.ts'

const debug: string[] = []
const service: Service = {
  app: () => {
    throw new Error('nothing is asked')
  },
  serverName: 'x',
  limits: DEFAULT_LIMITS,
  metrics: new HttpMetrics(),
  logRequest: () => {},
  logDebug: (message) => debug.push(message),
  pipelined: 0,
  streams: 0,
  answered: 0,
}

/** As much of a socket as is looked at. */
function socket(remoteAddress: string | undefined, remotePort = 1): Socket & { destroyed: boolean } {
  const made = { remoteAddress, remotePort, destroyed: false, destroy: () => (made.destroyed = true) }
  return made as unknown as Socket & { destroyed: boolean }
}

t.test('of two connections with the same peer, the newest is found', async (t) => {
  const connections = new Connections(10)
  const old = connections.add(socket('192.0.2.1', 5), service)
  connections.add(socket('192.0.2.1', 6), service)
  t.equal(connections.withPeerOf(socket('192.0.2.1', 5)), old)
  const fresh = connections.add(socket('192.0.2.1', 5), service)
  t.equal(connections.withPeerOf(socket('192.0.2.1', 5)), fresh)
  t.equal(connections.withPeerOf(socket('192.0.2.1', 7)), undefined)
})

t.test('a socket that is closed already is not added', async (t) => {
  t.equal(new Connections(1).add(socket(undefined), service), undefined)
})

t.test('at the limit, the network with the most connections loses one', async (t) => {
  const connections = new Connections(3)
  const sockets = ['192.0.2.1', '192.0.2.2', '192.0.2.2'].map((address, port) => socket(address, port))
  for (const one of sockets) connections.add(one, service)
  t.ok(connections.add(socket('192.0.2.3'), service))
  t.strictSame(
    sockets.map(({ destroyed }) => destroyed),
    [false, true, false],
  )
  t.equal(connections.size, 3)
  t.match(debug, [/^192\.0\.2\.2:1: closed to make room for others$/])
})

t.test('the places for probes are for who gets no other, and the oldest idle one yields', async (t) => {
  const connections = new Connections(1, 2)
  const take = (port: number) => {
    const one = socket('192.0.2.1', port)
    return { socket: one, connection: connections.add(one, service) }
  }
  const first = take(1)
  const busy = (connection: Connection | undefined) =>
    Object.defineProperty(connection as Connection, 'busy', { value: true })
  busy(first.connection)
  const [second, third] = [take(2), take(3)]
  t.strictSame(
    [first, second, third].map(({ connection }) => connection?.onlyForProbes),
    [false, true, true],
  )
  const fourth = take(4)
  t.ok(fourth.connection?.onlyForProbes)
  t.ok(second.socket.destroyed)
  t.notOk(third.socket.destroyed)
  for (const { connection } of [third, fourth]) busy(connection)
  t.equal(take(5).connection, undefined)
  t.equal(connections.size, 3)
  if (first.connection) connections.delete(first.connection)
  if (third.connection) connections.delete(third.connection)
  if (fourth.connection) connections.delete(fourth.connection)
  t.notOk(take(6).connection?.onlyForProbes)
})

t.test('deleting a connection twice does nothing', async (t) => {
  const connections = new Connections(3)
  const [one, two] = ['192.0.2.1', '192.0.2.2'].map((address) => connections.add(socket(address), service))
  if (one) connections.delete(one)
  if (one) connections.delete(one)
  t.strictSame([...connections], [two])
})
