/** What is forwarded, over real connections: a client, this node, the master. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { createAnyNodeApp } from '../../lib/any-node/any-node-app.ts'
import { Forwarder } from '../../lib/any-node/forwarder.ts'
import { MasterClient } from '../../lib/any-node/master-client.ts'
import type { NodeRole, Role } from '../../lib/any-node/node-role.ts'
import { ForwardMetrics } from '../../lib/metrics/forward-metrics.ts'
import { HttpMetrics } from '../../lib/metrics/http-metrics.ts'
import { resources } from '../../lib/resources/table.ts'
import { RawClient } from '../http/raw-client.ts'
import { ok, serve } from '../http/serve.ts'
import { until } from '../support/until.ts'

const HOST = 'Host: x\r\nUser-Agent: test\r\n'

/** A node, and a master that answers as a test says. */
async function forwarding(
  t: Test,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  role: Role = 'other',
  silence = 10_000,
) {
  const asked: IncomingMessage[] = []
  const master = createServer((incoming, outgoing) => {
    asked.push(incoming)
    answer(incoming, outgoing)
  })
  master.listen(0, '127.0.0.1')
  await once(master, 'listening')
  t.teardown(() => {
    master.closeAllConnections()
    master.close()
  })
  const now: NodeRole = {
    ...{ role, self: 'node2', master: 'node1', masterAddress: '127.0.0.1' },
    ...{ addresses: new Set(), version: undefined },
  }
  const { port } = master.address() as { port: number }
  const forwarder = new Forwarder({ client: new MasterClient({ trust: undefined }), port, silence })
  const http = new HttpMetrics()
  const metrics = new ForwardMetrics(() => role)
  const app = createAnyNodeApp({
    app: async (request) => {
      const body = request.bodyLength === 0 ? '' : (await request.readBody(1000)).toString()
      return ok(`here: ${request.target} ${body}`)
    },
    role: () => now,
    ...{ resources, forwarder, http, metrics },
  })
  const served = await serve(t, app, { metrics: http })
  return { ...served, asked, master, forwarder, http, client: () => RawClient.connect(served.port) }
}

const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`

t.test('a request and its answer go through as they are', async (t) => {
  const bodies: Promise<string>[] = []
  const { client, asked } = await forwarding(t, (incoming, outgoing) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece) => pieces.push(piece))
    incoming.on('end', () => {
      bodies.push(Promise.resolve(Buffer.concat(pieces).toString()))
      outgoing.writeHead(incoming.method === 'GET' ? 304 : 403, {
        ...{ ETag: '"a"', 'X-Other': 'kept', Server: 'its own', Connection: 'close' },
        ...(incoming.method !== 'GET' && { 'Content-Type': 'text/x', 'Content-Length': 2 }),
      })
      outgoing.end(incoming.method === 'GET' ? '' : 'no')
    })
  })
  const { send, response, socket } = bound(await client())
  send(
    `POST /2/groups?dry-run=1 HTTP/1.1\r\n${HOST}Authorization: Basic abc\r\nContent-Type: application/json\r\n` +
      'X-Request-Id: r1\r\nX-Secret: s\r\nConnection: keep-alive, X-Other\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
  )
  const posted = await response()
  t.match(posted, {
    status: 403,
    headers: {
      ...{ 'content-type': 'text/x', 'x-other': 'kept', server: 'Ganeti 3.0.2', 'x-request-id': 'r1' },
      ...{ etag: '"a"', 'ganeti-served-by': 'node1', 'ganeti-master': 'node1', 'content-length': '2' },
    },
    body: Buffer.from('no'),
  })
  t.not(posted?.headers.connection, 'close', 'the connection here goes on')
  send(get('/2/instances', 'If-None-Match: "a"\r\nAccept-Encoding: gzip\r\n'))
  t.match(await response(), { status: 304, headers: { etag: '"a"' } })
  const [first, second] = asked
  t.match(first, {
    url: '/2/groups?dry-run=1',
    headers: {
      ...{ host: 'node1', authorization: 'Basic abc', 'content-type': 'application/json' },
      ...{ 'x-request-id': 'r1', 'content-length': '7', 'user-agent': 'test' },
      'ganeti-forwarded': `for=127.0.0.1:${socket.localPort};by=node2`,
    },
  })
  t.equal(first?.headers['x-secret'], undefined)
  t.match(second?.headers, { 'if-none-match': '"a"', 'accept-encoding': 'gzip' })
  t.strictSame(await Promise.all(bodies), ['{"a":1}', ''])
})

/** A client's methods, to be used by themselves. */
function bound(client: RawClient) {
  return { send: client.send.bind(client), response: client.response.bind(client), socket: client.socket }
}

t.test('a body beyond the limit of its method is refused here', async (t) => {
  const { client, asked } = await forwarding(t, (_, outgoing) => outgoing.end())
  const one = await client()
  one.send(`POST /2/groups HTTP/1.1\r\n${HOST}Content-Length: 5000000\r\n\r\n`)
  t.equal((await one.response())?.status, 413)
  const other = await client()
  other.send(get('/2/info', 'Content-Length: 5000\r\n') + 'x'.repeat(5000))
  t.equal((await other.response())?.status, 413)
  t.equal(asked.length, 0)
})

t.test('what depends on this daemon alone never goes away from it', async (t) => {
  const { client, asked } = await forwarding(t, (_, outgoing) => outgoing.end('there'))
  const { send, response } = bound(await client())
  const local = [
    '/',
    '/version',
    '/2',
    '/2/features',
    '/2/openapi.json',
    '/openapi.json',
    '/metrics',
    '/livez',
  ]
  for (const target of [...local, '/readyz/master', '/ui/', '/ui/main.js']) {
    send(get(target))
    const made = await response()
    t.equal(String(made?.body), `here: ${target} `)
    t.match(made?.headers, { 'ganeti-served-by': 'node2', 'ganeti-master': 'node1' })
  }
  send(`PATCH /2/groups HTTP/1.1\r\n${HOST}\r\n`)
  t.equal(String((await response())?.body), 'here: /2/groups ', 'nor what no resource has')
  t.equal(asked.length, 0)
  for (const target of ['/2/info', '/2/jobs', '/2/nope', '/nope', '/2/whoami']) {
    send(get(target))
    t.equal(String((await response())?.body), 'there', target)
  }
})

t.test('an answer without a length is passed on as it comes', async (t) => {
  let outgoing: ServerResponse | undefined
  const { client, forwarder } = await forwarding(t, (_, made) => {
    outgoing = made
    made.writeHead(200, { 'Content-Type': 'text/event-stream' })
    made.write('data: 1\n\n')
  })
  const one = await client()
  one.send(get('/2/instances'))
  await until(() => one.received.includes('data: 1\n\n'))
  t.match(one.received.toString(), /\r\nContent-Type: text\/event-stream\r\n/)
  t.match(one.received.toString(), /\r\nGaneti-Served-By: node1\r\n/)
  outgoing?.write('data: 2\n\n')
  await until(() => one.received.includes('data: 2\n\n'))
  outgoing?.end()
  await one.closed
  t.ok(one.received.toString().endsWith('\r\n0\r\n\r\n'))

  const other = await client()
  other.send(get('/2/instances'))
  await until(() => other.received.includes('data: 1\n\n'))
  const left = once(outgoing as ServerResponse, 'close')
  forwarder.endStreams()
  await other.closed
  await left
  t.ok(other.received.toString().endsWith('\r\n0\r\n\r\n'), 'it ends if another node becomes the master')

  const third = await client()
  third.send(get('/2/instances'))
  await until(() => third.received.includes('data: 1\n\n'))
  third.socket.end()
  await until(() => outgoing?.destroyed === true)
})

t.test('an answer that breaks off does not look whole', async (t) => {
  const long = Buffer.alloc(2 * 1024 * 1024, 'x')
  const { client } = await forwarding(t, ({ url }, outgoing) => {
    outgoing.writeHead(200, url === '/2/instances' ? {} : { 'Content-Length': long.length })
    outgoing.write(url === '/2/nodes' ? 'short' : long.subarray(1), () => outgoing.destroy())
  })
  for (const target of ['/2/instances', '/2/groups']) {
    const one = await client()
    one.send(get(target))
    await one.closed
    const received = one.received.toString('latin1')
    t.match(received, /^HTTP\/1\.1 200 /)
    t.notOk(received.endsWith('\r\n0\r\n\r\n'), target)
  }
})

t.test('a long answer comes whole, however slowly it is taken', async (t) => {
  const long = Buffer.alloc(20 * 1024 * 1024, 'x')
  let outgoing: ServerResponse | undefined
  const { client } = await forwarding(t, (_, made) => {
    outgoing = made
    made.writeHead(200, { 'Content-Length': long.length, 'Content-Type': 'text/plain' })
    made.end(long)
  })
  const one = await client()
  one.socket.pause()
  one.send(get('/2/instances'))
  await until(() => outgoing !== undefined)
  t.equal(outgoing?.writableFinished, false, 'the master is not asked for more than is taken')
  one.socket.resume()
  const made = await one.response()
  t.match(made, {
    status: 200,
    headers: { 'content-length': String(long.length), 'content-type': 'text/plain' },
  })
  t.ok(made?.body.equals(long))
})

t.test('a master that stops within an answer is not waited for for ever', async (t) => {
  const lengths: { readonly [target: string]: number } = { '/2/groups': 100, '/2/instances': 5_000_000 }
  const { client } = await forwarding(
    t,
    ({ url = '' }, outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': lengths[url] })
      outgoing.write('part')
    },
    'other',
    50,
  )
  const short = await client()
  short.send(get('/2/groups'))
  t.equal((await short.response())?.status, 502)
  const long = await client()
  long.send(get('/2/instances'))
  await long.closed
  t.match(long.received.toString(), /\r\nContent-Length: 5000000\r\n.*\r\n\r\npart$/s)
})

t.test('if a short answer breaks off, a candidate answers from what it knows', async (t) => {
  const breakOff = (_: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.writeHead(200, { 'Content-Length': 100 })
    outgoing.write('part', () => outgoing.destroy())
  }
  const { client } = await forwarding(t, breakOff, 'candidate')
  const one = await client()
  const body = '{"fields": []}'
  one.send(get('/2/info', `Content-Length: ${body.length}\r\n`) + body)
  const made = await one.response()
  t.equal(String(made?.body), `here: /2/info ${body}`)
  t.equal(made?.headers['ganeti-served-by'], 'node2')

  const change = await client()
  change.send(`DELETE /2/instances/i HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await change.response())?.status, 502, 'a change may have been made')
  const submits = await client()
  submits.send(get('/2/instances/i/info'))
  t.equal((await submits.response())?.status, 502, 'be it by a GET')

  const other = await forwarding(t, breakOff)
  const two = await other.client()
  two.send(get('/2/info'))
  t.equal((await two.response())?.status, 502)
})

t.test('a client that half-closes gets its answer, but not if it would wait', async (t) => {
  let answer = () => {}
  const { client, asked } = await forwarding(t, (_, outgoing) => {
    answer = () => outgoing.end('late')
  })
  const one = await client()
  one.send(get('/2/info'))
  one.socket.end()
  await until(() => asked.length === 1)
  answer()
  t.equal(String((await one.response())?.body), 'late')

  const two = await client()
  two.send(get('/2/jobs/5/wait'))
  await until(() => asked.length === 2)
  two.socket.end()
  t.equal((await two.response())?.status, 503)
  await until(() => asked[1]?.socket.destroyed === true)
})

t.test('a client of events is told to come again while there is no master', async (t) => {
  const { client, master } = await forwarding(t, () => {}, 'candidate')
  master.closeAllConnections()
  master.close()
  const one = await client()
  one.send(get('/2/events', 'Accept: text/event-stream\r\n'))
  const told = await one.response()
  t.match(told, { status: 200, headers: { 'content-type': 'text/event-stream' } })
  t.match(String(told?.body), /^retry: 2000\n\n/)
  one.send(get('/2/events'))
  t.equal((await one.response())?.status, 502)
})

t.test('requests are counted under their resources', async (t) => {
  const { client, http } = await forwarding(t, (_, outgoing) => outgoing.end('x'))
  const { send, response } = bound(await client())
  send(get('/2/instances/i'))
  await response()
  await until(() => http.route('GET', '/2/instances/{instance_name}').statuses.get(200) === 1)
  t.strictSame(http.inFlight, { read: 0, write: 0, wait: 0 })
})
