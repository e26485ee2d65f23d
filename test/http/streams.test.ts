/** Answers that go on (Response.stream), as connections carry them. */
import t from 'tap'
import type { App, Outlet, Request } from '../../lib/http/message.ts'
import { until } from '../support/until.ts'
import { RawClient } from './raw-client.ts'
import { ok, serve } from './serve.ts'

const HOST = 'Host: x\r\nUser-Agent: test\r\n'

/** An application whose answers to `/stream` go on; others have a length. */
function streaming() {
  const begun: { request: Request; outlet: Outlet }[] = []
  const events: string[] = []
  const app: App = (request) => {
    if (request.target !== '/stream') return ok(request.target)
    return ok('first\n', {
      type: 'text/plain',
      release: () => events.push('released'),
      stream: {
        begin: (outlet) => begun.push({ request, outlet }),
        stop: () => {
          events.push('stopped')
          begun[0]?.outlet.write(Buffer.from('last\n'))
          begun[0]?.outlet.end()
        },
      },
    })
  }
  return { app, begun, events }
}

/** Connects, and asks for the stream. */
async function listen(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port)
  client.send(`GET /stream HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => client.received.includes('first\n'))
  return client
}

t.test('an answer that goes on has no length, is the last one, and ends when it says so', async (t) => {
  const { app, begun, events } = streaming()
  const { port, log } = await serve(t, app)
  const client = await listen(port)
  const head = client.received.toString().split('\r\n\r\n')[0]?.toLowerCase() ?? ''
  t.match(head, 'transfer-encoding: chunked')
  t.match(head, 'connection: close')
  t.notMatch(head, 'content-length')
  t.strictSame(log(), ['GET /stream HTTP/1.1 200'], 'it is logged when it begins')
  const taken = new Promise<void>((resolve) => begun[0]?.outlet.write(Buffer.from('more\n'), resolve))
  await until(() => client.received.includes('more\n'))
  await taken
  begun[0]?.outlet.end()
  await client.closed
  t.ok(client.received.toString().endsWith('\r\n0\r\n\r\n'), 'the client can tell that it is whole')
  client.socket.destroy()
  await until(() => events.length > 0)
  t.strictSame(events, ['released'])
  t.equal(log().length, 1, 'and is not logged again')
  begun[0]?.outlet.write(Buffer.from('too late'))
  begun[0]?.outlet.end()
})

t.test('to HTTP/1.0 it goes on until the connection is closed', async (t) => {
  const { app, begun } = streaming()
  const { port } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send('GET /stream HTTP/1.0\r\n\r\n')
  await until(() => client.received.includes('first\n'))
  begun[0]?.outlet.write(Buffer.from('more\n'))
  begun[0]?.outlet.end()
  await client.closed
  t.ok(client.received.toString().endsWith('\r\n\r\nfirst\nmore\n'))
})

t.test('it does not count as a connection, and is not closed to make room', async (t) => {
  const { app, begun, events } = streaming()
  const { port } = await serve(t, app, { limits: { connections: 1, probeConnections: 0 } })
  const stream = await listen(port)
  for (const target of ['/1', '/2', '/3']) {
    const client = await RawClient.connect(port)
    client.send(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`)
    t.equal((await client.response())?.body.toString(), target)
  }
  begun[0]?.outlet.write(Buffer.from('still there\n'))
  await until(() => stream.received.includes('still there\n'))
  t.strictSame(events, [])
  stream.socket.destroy()
})

t.test('what follows its request is not answered', async (t) => {
  const { app, begun } = streaming()
  const { port, log } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(`GET /stream HTTP/1.1\r\n${HOST}\r\nGET /one HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => client.received.includes('first\n'))
  client.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`)
  begun[0]?.outlet.end()
  await client.closed
  t.notMatch(client.received.toString(), '/one')
  t.strictSame(log(), ['GET /stream HTTP/1.1 200'])
  client.socket.destroy()
})

for (const [how, leave] of [
  ['closes its side', (client: RawClient) => client.socket.end()],
  ['breaks the connection', (client: RawClient) => client.socket.resetAndDestroy()],
] as const) {
  t.test(`it is known when a client ${how}`, async (t) => {
    const { app, begun, events } = streaming()
    const { port } = await serve(t, app)
    const client = await listen(port)
    const { signal } = (begun[0] as { request: Request }).request
    signal.addEventListener('abort', () => begun[0]?.outlet.end())
    leave(client)
    await until(() => events.length > 0)
    t.ok(signal.aborted)
    t.strictSame(events, ['released'])
  })
}

t.test('a client that takes nothing for some time is disconnected', async (t) => {
  const { app, begun, events } = streaming()
  const { port, debug } = await serve(t, app, { limits: { stalled: 100, check: 10 } })
  const client = await listen(port)
  client.socket.pause()
  const { outlet } = begun[0] as { outlet: Outlet }
  // More than the kernel takes.
  const filled = setInterval(() => outlet.write(Buffer.alloc(1024 * 1024)), 5)
  await until(() => events.length > 0)
  clearInterval(filled)
  t.match(debug, [/closed, as the answer was taken too slowly$/])
  client.socket.destroy()
})

t.test('one that has nothing to take is not', async (t) => {
  const { app, begun, events } = streaming()
  const { port } = await serve(t, app, { limits: { stalled: 1, piece: 1, idle: 1, head: 1000, check: 1 } })
  const client = await listen(port)
  let checks = 0
  const other = setInterval(() => checks++, 1)
  await until(() => checks > 50)
  clearInterval(other)
  t.strictSame(events, [])
  begun[0]?.outlet.write(Buffer.from('still there\n'))
  await until(() => client.received.includes('still there\n'))
  client.socket.destroy()
})

t.test('a server that closes tells it to end', async (t) => {
  const { app, events } = streaming()
  const { port, server } = await serve(t, app)
  const client = await listen(port)
  const closing = server.close(10_000)
  await client.closed
  client.socket.destroy()
  await closing
  t.match(client.received.toString(), 'last\n')
  t.strictSame(events, ['stopped', 'released'])
})

t.test('a request that only we can parse gets no such answer', async (t) => {
  const { app, events } = streaming()
  const { port } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(`get /stream HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await client.response())?.status, 400)
  t.strictSame(events, ['released'])
  client.socket.destroy()
})
