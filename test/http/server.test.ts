import { connect } from 'node:net'
import t from 'tap'
import type { App, Response } from '../../lib/http/message.ts'
import { failureResponse, HttpError } from '../../lib/http/status.ts'
import { until } from '../daemon/until.ts'
import { json, RawClient } from './raw-client.ts'
import { echo, ok, serve } from './serve.ts'

const HOST = 'Host: x\r\n'

/** Sends bytes on a connection of their own, and gives all responses until the server closes it. */
async function allResponses(port: number, bytes: string) {
  const client = await RawClient.connect(port)
  client.send(bytes)
  const responses = []
  for (let next = await client.response(); next; next = await client.response()) responses.push(next)
  client.socket.destroy()
  return responses
}

/** An app as `createApp` makes them: whatever is thrown becomes an answer. */
function answering(app: App): App {
  return async (request) => {
    try {
      return await app(request)
    } catch (thrown) {
      return failureResponse(thrown)
    }
  }
}

/** An app that answers when told to, each target by itself. */
function answeringLater() {
  const waiting = new Map<string, (response: Response) => void>()
  const app: App = ({ target }) => new Promise((resolve) => waiting.set(target, resolve))
  return {
    app,
    waiting,
    answer: async (target: string) => {
      await until(() => waiting.has(target))
      waiting.get(target)?.(ok(`${target}\n`))
    },
  }
}

t.test('a connection serves one request after the other', async (t) => {
  const { port, log } = await serve(t, echo)
  const client = await RawClient.connect(port)
  for (const path of ['/a', '/b?c=%20', '/c']) {
    client.send(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`)
    const response = await client.response()
    t.equal(response?.statusLine, 'HTTP/1.1 200 OK')
    t.equal(response?.body.toString(), `GET ${path} \n`)
    t.equal(response?.headers.connection, 'keep-alive')
    t.equal(response?.headers['keep-alive'], 'timeout=120')
  }
  client.socket.destroy()
  await until(() => log().length === 3)
  t.strictSame(log(), ['GET /a HTTP/1.1 200', 'GET /b?c=%20 HTTP/1.1 200', 'GET /c HTTP/1.1 200'])
})

t.test('the connection is closed where that was asked, and for HTTP/1.0', async (t) => {
  const { port } = await serve(t, echo)
  for (const request of [
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    'GET / HTTP/1.0\r\n\r\n',
    `GET / HTTP/1.0\r\n${HOST}\r\n`,
  ]) {
    const responses = await allResponses(port, request)
    t.equal(responses.length, 1)
    t.equal(responses[0]?.headers.connection, 'close', request)
  }
})

t.test('requests sent at once are answered in order', async (t) => {
  const { app, answer } = answeringLater()
  const { port } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''))
  await answer('/3')
  await answer('/2')
  await answer('/1')
  for (const path of ['/1', '/2', '/3']) t.equal((await client.response())?.body.toString(), `${path}\n`)
  client.socket.destroy()
})

t.test('a broken request is answered after those before it', async (t) => {
  const { app, answer } = answeringLater()
  const { port, log } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(`GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\nbroken\r\n\r\nGET /3 HTTP/1.1\r\n${HOST}\r\n`)
  await answer('/1')
  t.equal((await client.response())?.body.toString(), '/1\n')
  const broken = await client.response()
  t.equal(broken?.status, 400)
  t.equal(broken?.headers.connection, 'close')
  t.equal(await client.response(), undefined, 'nothing after it is served')
  client.socket.destroy()
  t.strictSame(log(), ['GET /1 HTTP/1.1 200', 'undefined 400'])
})

t.test('methods in lower case are those in upper case, also behind other requests', async (t) => {
  const { port, log } = await serve(t, echo)
  const get = 'get /b HTTP/1.1\r\n'
  t.equal((await allResponses(port, `${get}${HOST}\r\n`))[0]?.body.toString(), 'GET /b \n')
  const responses = await allResponses(port, `GET /a HTTP/1.1\r\n${HOST}\r\n${get}${HOST}\r\n`)
  t.strictSame(
    responses.map(({ body }) => body.toString()),
    ['GET /a \n', 'GET /b \n'],
  )
  const put = `put /c HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}`
  t.equal((await allResponses(port, put))[0]?.body.toString(), 'PUT /c {}\n')

  const client = await RawClient.connect(port)
  client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`)
  await client.response()
  client.send(`${get}${HOST}\r\n`)
  t.equal((await client.response())?.body.toString(), 'GET /b \n', 'on a connection used before')
  client.socket.destroy()
  t.equal(log().at(-1), 'get /b HTTP/1.1 200')
})

t.test('a method torn in two is not taken for another', async (t) => {
  const { port, log } = await serve(t, echo)
  const client = await RawClient.connect(port)
  client.socket.setNoDelay()
  client.send('DELE')
  await new Promise((resolve) => setTimeout(resolve, 50))
  client.send(`get /a HTTP/1.1\r\n${HOST}\r\n`)
  const response = await client.response()
  t.equal(response?.status, 400)
  t.strictSame(log(), ['undefined 400'])
  client.socket.destroy()
})

t.test('CONNECT is a method like any other', async (t) => {
  const { port, log } = await serve(t, echo)
  const [response] = await allResponses(port, `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`)
  t.equal(response?.body.toString(), 'CONNECT a:1 \n')
  t.strictSame(log(), ['CONNECT a:1 HTTP/1.1 200'])
})

t.test('an upgrade that we do not offer is an ordinary request', async (t) => {
  const { port } = await serve(t, echo)
  const [response] = await allResponses(
    port,
    `GET /a HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
  )
  t.equal(response?.body.toString(), 'GET /a \n')
})

t.test('a body may be announced or chunked, on any method', async (t) => {
  const { port } = await serve(t, echo)
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const client = await RawClient.connect(port)
    client.send(`${method} / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`)
    t.equal((await client.response())?.body.toString(), `${method} / abc\n`)
    client.send(
      `${method} / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`,
    )
    t.equal((await client.response())?.body.toString(), `${method} / abc\n`)
    client.socket.destroy()
  }
})

t.test('a broken chunk is the fault of its own request', async (t) => {
  const { port, log } = await serve(t, answering(echo), { limits: { linger: 200 } })
  const responses = await allResponses(
    port,
    `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  )
  t.strictSame(
    responses.map(({ status }) => status),
    [400],
  )
  t.equal(responses[0]?.headers.connection, 'close')
  t.strictSame(log(), ['PUT / HTTP/1.1 400'])
})

t.test('a broken chunk that comes before the body is asked for is told when it is', async (t) => {
  let goOn = () => {}
  const app = answering(async (request) => {
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    return ok(String(await request.readBody(10)))
  })
  const { port } = await serve(t, app, { limits: { linger: 200 } })
  const client = await RawClient.connect(port)
  client.send(`PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`)
  client.send('zz\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  goOn()
  t.equal((await client.response())?.status, 400)
  client.socket.destroy()
})

t.test('a body that is too long is refused, and nothing after it is served', async (t) => {
  const { port, log } = await serve(t, answering(echo), { limits: { linger: 200 } })
  const next = `GET /next HTTP/1.1\r\n${HOST}\r\n`
  const long = 'x'.repeat(2000)
  for (const request of [
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 200000\r\n\r\n${'x'.repeat(200000)}`,
    `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${long}\r\n0\r\n\r\n`,
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 999999999999\r\n\r\n`,
  ]) {
    const responses = await allResponses(port, request + next)
    t.equal(responses[0]?.status, 413)
    if (request.includes('chunked')) continue
    t.equal(responses[0]?.headers.connection, 'close')
    t.equal(responses.length, 1)
  }
  await until(() => log().length >= 3)
  t.equal(log()[0], 'PUT / HTTP/1.1 413')
})

t.test('a client that sends all of a refused body first still reads the answer', async (t) => {
  const { port } = await serve(t, async () => failureResponse(new HttpError(401)))
  const client = await RawClient.connect(port)
  client.send(`PUT / HTTP/1.1\r\n${HOST}Content-Length: 20000000\r\n\r\n`)
  await new Promise((resolve) => client.socket.write(Buffer.alloc(20_000_000), resolve))
  t.equal((await client.response())?.status, 401)
  t.equal(await client.response(), undefined)
  client.socket.destroy()
})

t.test('a short body that nobody reads does not cost the connection', async (t) => {
  const { port } = await serve(t, async ({ target }) => ok(target))
  const client = await RawClient.connect(port)
  client.send(`PUT /1 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`)
  client.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await client.response())?.body.toString(), '/1')
  t.equal((await client.response())?.body.toString(), '/2')
  client.socket.destroy()
})

t.test('who waits for 100 Continue gets it when the body is wanted, else the refusal at once', async (t) => {
  const { port } = await serve(
    t,
    answering(async (request) => {
      if (request.target === '/refused') throw new HttpError(401)
      return echo(request)
    }),
    { limits: { linger: 200 } },
  )
  const head = (path: string) =>
    `PUT ${path} HTTP/1.1\r\n${HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`
  const client = await RawClient.connect(port)
  client.send(head('/taken'))
  t.equal((await client.response())?.status, 100)
  client.send('{}')
  t.equal((await client.response())?.body.toString(), 'PUT /taken {}\n')
  client.send(head('/refused'))
  const refused = await client.response()
  t.equal(refused?.status, 401)
  t.equal(refused?.headers.connection, 'close')
  t.equal(await client.response(), undefined)
  client.socket.destroy()
})

t.test('other expectations are ignored', async (t) => {
  const { port } = await serve(t, echo)
  const client = await RawClient.connect(port)
  client.send(`GET / HTTP/1.1\r\n${HOST}Expect: the-unexpected\r\n\r\n`)
  t.equal((await client.response())?.status, 200)
  client.socket.destroy()
})

const firstLines: [length: number, status: number][] = [
  [8180, 200],
  [8191, 200],
  [8192, 200],
  [8193, 414],
  [8200, 414],
  [70000, 414],
]

t.test('a first line may have 8192 bytes', async (t) => {
  const { port } = await serve(t, async () => ok('2\n'), { limits: { linger: 200 } })
  for (const [length, status] of firstLines) {
    const frame = 'GET /version?x= HTTP/1.1'
    const client = await RawClient.connect(port)
    client.send(`${frame.replace('x=', `x=${'a'.repeat(length - frame.length)}`)}\r\n${HOST}\r\n`)
    t.equal((await client.response())?.status, status, String(length))
    client.socket.destroy()
  }
})

t.test('a head may have 16 KiB', async (t) => {
  const { port, log } = await serve(t, async () => ok('2\n'), { limits: { linger: 200 } })
  for (const [length, status] of [
    [15_000, 200],
    [17_000, 431],
    [100_000, 431],
  ] as const) {
    const client = await RawClient.connect(port)
    client.send(`GET / HTTP/1.1\r\n${HOST}X-Pad: ${'a'.repeat(length)}\r\n\r\n`)
    const response = await client.response()
    t.equal(response?.status, status, String(length))
    if (status === 431) t.match(json(response), { code: 431, message: 'Request Header Fields Too Large' })
    client.socket.destroy()
  }
  t.equal(log()[1], 'GET / HTTP/1.1 431')
})

t.test('a slow head is cut off with 408, a connection without a request without a word', async (t) => {
  const { port, log, debug } = await serve(t, echo, {
    limits: { head: 200, request: 200, check: 10 },
  })
  const dribbling = await RawClient.connect(port)
  dribbling.send(`GET / HTTP/1.1\r\n`)
  const timer = setInterval(() => dribbling.send('A: b\r\n'), 10)
  t.equal((await dribbling.response())?.status, 408)
  clearInterval(timer)
  dribbling.socket.destroy()

  const silent = await RawClient.connect(port)
  t.equal(await silent.response(), undefined)
  t.equal(silent.received.length, 0)
  silent.socket.destroy()
  t.strictSame(log(), ['undefined 408'])
  t.match(debug, [/^127\.0\.0\.1:\d+: closed, as no request came$/])
})

t.test('a slow body is cut off with 408', async (t) => {
  const { port, log } = await serve(t, answering(echo), {
    limits: { head: 300, request: 300, check: 10 },
  })
  const client = await RawClient.connect(port)
  client.send(`PUT /slow HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\nabc`)
  const response = await client.response()
  t.equal(response?.status, 408)
  t.equal(response?.headers.connection, 'close')
  client.socket.destroy()
  await until(() => log().length > 0)
  t.strictSame(log(), ['PUT /slow HTTP/1.1 408'])
})

t.test('neither a slow head nor an idle connection is what a long answer is', async (t) => {
  const { app, answer } = answeringLater()
  const { port } = await serve(t, app, { limits: { head: 300, request: 300, idle: 50, check: 5 } })
  const client = await RawClient.connect(port)
  client.send(`GET /wait HTTP/1.1\r\n${HOST}\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 600))
  await answer('/wait')
  t.equal((await client.response())?.body.toString(), '/wait\n')
  await client.closed
  t.equal(client.received.length, 0, 'afterwards, the idle connection is closed')
  client.socket.destroy()
})

t.test('a client that reads nothing is cut off', async (t) => {
  const { port, records } = await serve(t, async () => ok('x'.repeat(50_000_000)), {
    limits: { silence: 100 },
  })
  const client = await RawClient.connect(port)
  client.socket.pause()
  client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => records.length > 0)
  t.equal(records[0]?.status, undefined)
  client.socket.destroy()
})

/** Several pieces and a bit, no two alike. */
const LONG = Array.from({ length: 700_000 }, (_, line) => line).join('\n')

t.test('a long answer arrives whole, behind others and before others', async (t) => {
  const { port, log } = await serve(t, async ({ target }) => ok(target === '/long' ? LONG : target))
  const targets = ['/a', '/long', '/b', '/long', '/c']
  const responses = await allResponses(
    port,
    `${targets.map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`).join('')}GET /last HTTP/1.0\r\n\r\n`,
  )
  const bodies = responses.map(({ body }) => body.toString())
  t.ok(bodies[1] === LONG && bodies[3] === LONG)
  t.strictSame([bodies[0], bodies[2], bodies[4], bodies[5]], ['/a', '/b', '/c', '/last'])
  await until(() => log().length === 6)
})

t.test('a client that hangs up amid a long answer is not served, and others are', async (t) => {
  const { port, records } = await serve(t, async ({ target }) =>
    ok(target === '/long' ? LONG.repeat(10) : target),
  )
  for (const leave of ['destroy', 'resetAndDestroy'] as const) {
    const client = await RawClient.connect(port)
    client.send(`GET /long HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => client.received.length > 0)
    client.socket[leave]()
    await until(() => records.length > 0)
    t.equal(records.shift()?.status, undefined, leave)
    t.equal((await allResponses(port, 'GET /a HTTP/1.0\r\n\r\n'))[0]?.body.toString(), '/a')
    await until(() => records.length > 0)
    t.equal(records.shift()?.status, 200)
  }
})

t.test('a client may close its sending side after the request', async (t) => {
  const { app, answer } = answeringLater()
  const { port } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`)
  client.socket.end()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await answer('/a')
  t.equal((await client.response())?.body.toString(), '/a\n')
  await client.closed
})

t.test('a handler is told when the client hangs up, and the log that nothing was sent', async (t) => {
  let signal: AbortSignal | undefined
  const app: App = (request) => {
    signal = request.signal
    return new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(ok('late'))))
  }
  const { port, records } = await serve(t, app)
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    signal = undefined
    const client = await RawClient.connect(port)
    client.send(`GET /wait HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => signal !== undefined)
    client.socket[leave]()
    await until(() => signal?.aborted === true)
    t.pass(leave)
    client.socket.destroy()
  }
  await until(() => records.length === 3)
  t.equal(records.at(-1)?.status, undefined)
  t.equal(records.at(-1)?.line, 'GET /wait HTTP/1.1')
})

t.test('what the log gets: who, what, status, user, cause', async (t) => {
  const bug = new Error('bug')
  const app: App = async ({ headers }) => {
    t.equal(headers.authorization, 'Basic c2VjcmV0')
    return { status: 500, headers: [], body: Buffer.from('{}\n'), user: 'writer', cause: bug }
  }
  const { port, records } = await serve(t, app)
  const client = await RawClient.connect(port)
  const { localPort } = client.socket
  client.send(`GET /a?b HTTP/1.1\r\n${HOST}Authorization: Basic c2VjcmV0\r\n\r\n`)
  await client.response()
  client.socket.destroy()
  await until(() => records.length > 0)
  t.strictSame(records, [
    { peer: `127.0.0.1:${localPort}`, line: 'GET /a?b HTTP/1.1', status: 500, user: 'writer', cause: bug },
  ])
})

t.test('of what is no request, the log gets no text', async (t) => {
  const { port, records } = await serve(t, echo)
  await allResponses(port, `PUT /a HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{"password": "secret"}\r\n`)
  await allResponses(port, 'secret\r\n\r\n')
  t.strictSame(
    records.map(({ line, status }) => [line, status]),
    [
      ['PUT /a HTTP/1.1', 200],
      [undefined, 400],
      [undefined, 400],
    ],
  )
})

t.test('peers have brackets where IPv6 needs them', async (t) => {
  const { port, records } = await serve(t, echo, { host: '::' })
  for (const host of ['127.0.0.1', '::1']) {
    const client = await RawClient.connect(port, host)
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
    await client.response()
    client.socket.destroy()
  }
  await until(() => records.length === 2)
  t.match(records[0]?.peer, /^127\.0\.0\.1:\d+$/)
  t.match(records[1]?.peer, /^\[::1\]:\d+$/)
})

t.test('beyond --max-clients, connections wait until another is closed', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port } = await serve(t, app, { maxClients: 2 })
  const clients = await Promise.all(['/1', '/2', '/3', '/4'].map(() => RawClient.connect(port)))
  clients.forEach((client, index) => {
    client.send(`GET /${index + 1} HTTP/1.1\r\n${HOST}\r\n`)
  })
  await until(() => waiting.size === 2)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame([...waiting.keys()].sort(), ['/1', '/2'])
  await answer('/1')
  t.equal((await clients[0]?.response())?.headers.connection, 'close', 'so that the next can come in')
  await answer('/3')
  t.equal((await clients[2]?.response())?.body.toString(), '/3\n')
  await answer('/2')
  await answer('/4')
  t.equal((await clients[3]?.response())?.body.toString(), '/4\n')
  t.equal((await clients[1]?.response())?.body.toString(), '/2\n')
  for (const { socket } of clients) socket.destroy()
})

t.test('an idle connection gives its place to whoever waits, the longest idle first', async (t) => {
  const { port } = await serve(t, echo, { maxClients: 2 })
  const ask = async (client: RawClient) => {
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
    return (await client.response())?.status
  }
  const one = await RawClient.connect(port)
  const two = await RawClient.connect(port)
  t.equal(await ask(one), 200)
  t.equal(await ask(two), 200)
  t.equal(await ask(one), 200)
  const three = await RawClient.connect(port)
  t.equal(await ask(three), 200)
  await two.closed
  t.equal(await ask(one), 200, 'the other keeps its place')
  for (const { socket } of [one, two, three]) socket.destroy()
})

t.test('one who gives up waiting is forgotten', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port } = await serve(t, app, { maxClients: 1 })
  const clients = await Promise.all(['/1', '/2', '/3'].map(() => RawClient.connect(port)))
  clients.forEach((client, index) => {
    client.send(`GET /${index + 1} HTTP/1.1\r\n${HOST}\r\n`)
  })
  await until(() => waiting.has('/1'))
  clients[1]?.socket.resetAndDestroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await answer('/1')
  await answer('/3')
  t.equal((await clients[2]?.response())?.body.toString(), '/3\n')
  t.notOk(waiting.has('/2'))
  for (const { socket } of clients) socket.destroy()
})

t.test('when even the waiting room is full, connections are closed', async (t) => {
  const { app, waiting } = answeringLater()
  const { port, debug } = await serve(t, app, { maxClients: 1, limits: { waiting: 1 } })
  const first = await RawClient.connect(port)
  first.send(`GET /1 HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => waiting.size === 1)
  const second = await RawClient.connect(port)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const third = await RawClient.connect(port)
  await third.closed
  t.match(debug, [/closed, as 1 connections are waiting already/])
  for (const { socket } of [first, second, third]) socket.destroy()
})

t.test('closing lets requests under way finish, and nothing else', async (t) => {
  const { app, answer } = answeringLater()
  const { port, server } = await serve(t, app, { maxClients: 3 })
  const clients = await Promise.all(['/busy', '/idle', '/new', '/waiting'].map(() => RawClient.connect(port)))
  const [busy, idle, fresh, waiting] = clients as [RawClient, RawClient, RawClient, RawClient]
  idle.send(`GET /idle HTTP/1.1\r\n${HOST}\r\n`)
  busy.send(`GET /busy HTTP/1.1\r\n${HOST}\r\n`)
  waiting.send(`GET /waiting HTTP/1.1\r\n${HOST}\r\n`)
  await answer('/idle')
  await idle.response()
  const closed = server.close(60_000)
  await Promise.all([idle.closed, fresh.closed])
  await answer('/busy')
  const last = await busy.response()
  t.equal(last?.body.toString(), '/busy\n')
  t.equal(last?.headers.connection, 'close')
  for (const { socket } of clients) socket.end()
  await closed
  const refused = connect(port, '127.0.0.1')
  await new Promise((resolve) => refused.once('error', resolve))
  t.pass('nobody listens any more')
})

t.test('closing does not wait forever', async (t) => {
  const { app, waiting } = answeringLater()
  const { port, server, records } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => waiting.size > 0)
  await server.close(20)
  t.equal(records[0]?.status, undefined)
  client.socket.destroy()
})

t.test('a port in use is a failure that names it', async (t) => {
  const { port } = await serve(t, echo)
  await t.rejects(serve(t, echo, { host: '192.0.2.1' }), {
    code: 'configuration',
    message: 'Cannot listen on 192.0.2.1:0',
  })
  const { startServer } = await import('../../lib/http/server.ts')
  const options = { app: echo, serverName: 'x', maxClients: 1, logRequest: () => {}, logDebug: () => {} }
  await t.rejects(startServer(options, { host: '127.0.0.1', port }), {
    code: 'configuration',
    message: `Cannot listen on 127.0.0.1:${port}`,
  })
})
