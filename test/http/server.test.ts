import { connect } from 'node:net'
import t from 'tap'
import type { App, Request, Response } from '../../lib/http/message.ts'
import { isProbe } from '../../lib/http/probes.ts'
import { failureResponse, HttpError } from '../../lib/http/status.ts'
import { until } from '../support/until.ts'
import { json, RawClient } from './raw-client.ts'
import { echo, ok, serve } from './serve.ts'

const HOST = 'Host: x\r\nUser-Agent: test\r\n'

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

/** Asks once; gives the status. */
async function ask(client: RawClient) {
  client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  return (await client.response())?.status
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

t.test('connections before begin() wait, and are answered after it', async (t) => {
  let asked = 0
  const app: App = () => {
    asked++
    return ok('now\n')
  }
  const { port, server, endOf } = await serve(t, app, { begin: false })
  const clients = [await RawClient.connect(port), await RawClient.connect(port)] as const
  for (const client of clients) client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  const gone = await RawClient.connect(port)
  await endOf(gone)
  gone.socket.resetAndDestroy()
  for (const client of clients) await endOf(client)
  t.equal(asked, 0)
  server.begin()
  for (const client of clients) t.equal((await client.response())?.status, 200)
  t.equal(await ask(await RawClient.connect(port)), 200)
  t.equal(asked, 3)
})

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

t.test('the connection is closed on request, and for HTTP/1.0', async (t) => {
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

t.test('requests sent at once are answered one after the other', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port } = await serve(t, app)
  const client = await RawClient.connect(port)
  client.send(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`).join(''))
  await answer('/1')
  t.strictSame([...waiting.keys()], ['/1', '/2'])
  await answer('/2')
  await answer('/3')
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

t.test('methods in lower case are accepted, also after other requests', async (t) => {
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

t.test('a method that arrives in two chunks is not taken for another one', async (t) => {
  const { port, log, endOf } = await serve(t, echo)
  const client = await RawClient.connect(port)
  const end = await endOf(client)
  client.send('DELE')
  await until(() => end.bytesRead === 4)
  client.send(`get /a HTTP/1.1\r\n${HOST}\r\n`)
  const response = await client.response()
  t.equal(response?.status, 400)
  t.strictSame(log(), ['undefined 400'])
  client.socket.destroy()
})

t.test('no answer to HEAD has a body, not even an error', async (t) => {
  const { port } = await serve(t, async () => ok(''))
  for (const head of [
    'HEAD / HTTP/1.1\r\n',
    'HEAD / HTTP/1.1\r\nbroken\r\n',
    'head / HTTP/1.1\r\nbroken\r\n',
  ]) {
    const client = await RawClient.connect(port)
    client.socket.write(`${head}\r\n`)
    await client.closed
    t.ok(client.received.toString().startsWith('HTTP/1.1 400 '), head)
    t.ok(client.received.toString().endsWith('\r\n\r\n'), head)
    client.socket.destroy()
  }
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

t.test('an invalid chunk gives an error for its own request', async (t) => {
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

t.test('an invalid chunk before the body is read fails the reading', async (t) => {
  let goOn: (() => void) | undefined
  const app = answering(async (request) => {
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    return ok(String(await request.readBody(10)))
  })
  const { port, endOf } = await serve(t, app, { limits: { linger: 200 } })
  const client = await RawClient.connect(port)
  const end = await endOf(client)
  const head = `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`
  client.send(head)
  await until(() => goOn !== undefined)
  client.send('zz\r\n')
  await until(() => end.bytesRead === head.length + 4)
  goOn?.()
  t.equal((await client.response())?.status, 400)
  client.socket.destroy()
})

t.test('a body that is too long is refused, and nothing after it is served', async (t) => {
  const { port, log } = await serve(t, answering(echo), { limits: { linger: 200 } })
  const next = `GET /next HTTP/1.1\r\n${HOST}\r\n`
  for (const request of [
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 200000\r\n\r\n${'x'.repeat(200000)}`,
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 999999999999\r\n\r\n`,
    `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n30d40\r\n${'x'.repeat(200000)}\r\n0\r\n\r\n`,
  ]) {
    const responses = await allResponses(port, request + next)
    t.strictSame(
      responses.map(({ status, headers }) => [status, headers.connection]),
      [[413, 'close']],
    )
  }
  await until(() => log().length >= 3)
  t.equal(log()[0], 'PUT / HTTP/1.1 413')
})

t.test('a complete body does not close the connection, even if it was not read', async (t) => {
  const { port, log } = await serve(
    t,
    answering(async (request) => {
      if (request.target === '/unread') throw new HttpError(501)
      return echo(request)
    }),
  )
  const client = await RawClient.connect(port)
  const chunked = (path: string, length: number) =>
    `PATCH ${path} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${'x'.repeat(length)}\r\n0\r\n\r\n`
  client.send(
    `${chunked('/unread', 2)}PUT /1 HTTP/1.1\r\n${HOST}\r\n${chunked('/long', 2000)}GET /2 HTTP/1.1\r\n${HOST}\r\n`,
  )
  for (const [status, body] of [
    [501, undefined],
    [200, 'PUT /1 \n'],
    [413, undefined],
    [200, 'GET /2 \n'],
  ] as const) {
    const response = await client.response()
    t.equal(response?.status, status)
    t.equal(response?.headers.connection, 'keep-alive')
    if (body) t.equal(response?.body.toString(), body)
  }
  client.socket.destroy()
  t.strictSame(log(), [
    'PATCH /unread HTTP/1.1 501',
    'PUT /1 HTTP/1.1 200',
    'PATCH /long HTTP/1.1 413',
    'GET /2 HTTP/1.1 200',
  ])
})

t.test('nothing after an answer that closes the connection is processed', async (t) => {
  const { port, log } = await serve(
    t,
    answering(async (request) => {
      if (request.target === '/unread') throw new HttpError(501)
      return echo(request)
    }),
  )
  const ghost = `PUT /ghost HTTP/1.1\r\n${HOST}\r\n`
  for (const last of [
    `PATCH /unread HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n20000\r\n${'x'.repeat(0x20000)}\r\n0\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n`,
    'GET / HTTP/1.0\r\n\r\n',
    `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
    `PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `get / HTTP/1.1\r\n${HOST}\r\n`,
    `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`,
    'nonsense\r\n\r\n',
  ]) {
    for (const behind of [ghost, ghost.repeat(50), 'nonsense\r\n\r\n', '\0'.repeat(1000)]) {
      const responses = await allResponses(port, last + behind)
      t.strictSame(
        responses.map(({ headers }) => headers.connection),
        ['close'],
        last.slice(0, 60),
      )
    }
  }
  t.notOk(log().some((line) => line.includes('ghost')))
})

t.test('nothing after a refused request is processed, even if that waited in the queue', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port, log } = await serve(t, app)
  for (const refused of [
    `GET /twice HTTP/1.1\r\n${HOST}${HOST}\r\n`,
    'GET /none HTTP/1.1\r\n\r\n',
    `GET /${'x'.repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`,
  ]) {
    const client = await RawClient.connect(port)
    waiting.clear()
    client.send(`GET /1 HTTP/1.1\r\n${HOST}\r\n${refused}PUT /ghost HTTP/1.1\r\n${HOST}\r\n`)
    await answer('/1')
    t.equal((await client.response())?.status, 200)
    const { status, headers } = (await client.response()) ?? {}
    t.match([status, headers?.connection], [/^4../, 'close'])
    t.equal(await client.response(), undefined)
    client.socket.destroy()
  }
  t.notOk(waiting.has('/ghost'))
  t.equal(log().length, 6)
})

t.test('two Host headers, and a chunked body of HTTP/1.0, are refused', async (t) => {
  const { port } = await serve(t, echo)
  for (const request of [
    `GET / HTTP/1.1\r\n${HOST}Host: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}hOSt: x\r\n\r\n`,
    'PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  ]) {
    t.strictSame(
      (await allResponses(port, request)).map(({ status }) => status),
      [400],
      request,
    )
  }
})

t.test('an answer is not cut off by a reset, whatever follows its request', async (t) => {
  const { port } = await serve(t, async () => ok(LONG))
  const client = await RawClient.connect(port)
  client.socket.pause()
  client.send(`GET /a HTTP/1.1\r\n${HOST}\r\nnonsense\r\n\r\n${'\0'.repeat(500_000)}`)
  client.socket.resume()
  t.ok((await client.response())?.body.toString() === LONG)
  t.equal((await client.response())?.status, 400)
  t.equal(await client.response(), undefined)
  t.ok(client.socket.readableEnded, 'the connection is closed in order')
  client.socket.destroy()
})

t.test('pipelined requests are answered one at a time', async (t) => {
  let most = 0
  let now = 0
  const app: App = async ({ target }) => {
    most = Math.max(most, ++now)
    await new Promise(setImmediate)
    now--
    return ok(target)
  }
  const { port, log } = await serve(t, app)
  const client = await RawClient.connect(port)
  const targets = Array.from({ length: 100 }, (_, index) => `/${index}`)
  client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`).join(''))
  for (const target of targets) t.equal((await client.response())?.body.toString(), target)
  t.equal(most, 1)
  t.equal(log().length, 100)
  client.socket.destroy()
})

t.test('requests beyond the limit of pipelining are not read, and the connection is closed', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port, log } = await serve(t, app, { limits: { pipelined: 2 } })
  const client = await RawClient.connect(port)
  const targets = ['/1', '/2', '/3', '/4', '/5']
  client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`).join(''))
  const closings: (string | undefined)[] = []
  for (const target of ['/1', '/2', '/3']) {
    await answer(target)
    closings.push((await client.response())?.headers.connection)
  }
  t.strictSame(closings, ['keep-alive', 'keep-alive', 'close'])
  t.equal(await client.response(), undefined)
  t.notOk(waiting.has('/4'))
  t.strictSame(
    log(),
    ['/1', '/2', '/3'].map((target) => `GET ${target} HTTP/1.1 200`),
  )
  client.socket.destroy()
})

t.test('reading resumes after the requests in the queue are answered', async (t) => {
  const { port, log } = await serve(t, echo, { limits: { linger: 200 } })
  const client = await RawClient.connect(port)
  const put = (index: number) =>
    `PUT /${index} HTTP/1.1\r\n${HOST}Content-Length: 900\r\n\r\n${'x'.repeat(900)}`
  client.send(Array.from({ length: 500 }, (_, index) => put(index)).join(''))
  for (let index = 0; index < 500; index++) {
    const text = (await client.response())?.body.toString()
    if (text?.startsWith(`PUT /${index} xxx`) && text.length > 900) continue
    t.fail(`answer ${index}`)
    break
  }
  t.equal(log().length, 500)
  client.socket.destroy()
})

t.test('a body that comes too slowly is cut off with 408', async (t) => {
  const { port, log } = await serve(t, answering(echo), {
    limits: { grace: 50, leastRate: 1000, check: 10 },
  })
  const client = await RawClient.connect(port)
  client.send(`PUT /slow HTTP/1.1\r\n${HOST}Content-Length: 100\r\n\r\n`)
  const timer = setInterval(() => client.send('a'), 20)
  t.equal((await client.response())?.status, 408)
  clearInterval(timer)
  client.socket.destroy()
  await until(() => log().length > 0)
  t.strictSame(log(), ['PUT /slow HTTP/1.1 408'])
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

t.test('a short unread body does not close the connection', async (t) => {
  const { port } = await serve(t, async ({ target }) => ok(target))
  const client = await RawClient.connect(port)
  client.send(`PUT /1 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`)
  client.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await client.response())?.body.toString(), '/1')
  t.equal((await client.response())?.body.toString(), '/2')
  client.socket.destroy()
})

t.test('100 Continue is sent when the body is read, otherwise the error at once', async (t) => {
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
    limits: { head: 500, request: 500, check: 10 },
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
    limits: { head: 500, request: 500, check: 10 },
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
  const { app, answer, waiting } = answeringLater()
  const { port } = await serve(t, app, { limits: { head: 500, request: 500, idle: 50, check: 5 } })
  const client = await RawClient.connect(port)
  client.send(`GET /wait HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => waiting.has('/wait'))
  // What comes after it, and is slow or idle, is cut off before it is answered.
  const idle = await RawClient.connect(port)
  idle.send(`GET /idle HTTP/1.1\r\n${HOST}\r\n`)
  await answer('/idle')
  t.equal((await idle.response())?.status, 200)
  const slow = await RawClient.connect(port)
  slow.send('GET /slow HTTP/1.1\r\n')
  await Promise.all([idle.closed, slow.closed])
  t.notOk(client.socket.readableEnded || client.socket.destroyed)
  for (const { socket } of [idle, slow]) socket.destroy()
  await answer('/wait')
  t.equal((await client.response())?.body.toString(), '/wait\n')
  await client.closed
  t.equal(client.received.length, 0, 'afterwards, the idle connection is closed')
  client.socket.destroy()
})

t.test('a client that reads nothing is cut off', async (t) => {
  const { port, records } = await serve(t, async () => ok('x'.repeat(50_000_000)), {
    limits: { piece: 100, check: 10 },
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
  const { port, endOf } = await serve(t, app)
  const client = await RawClient.connect(port)
  const end = await endOf(client)
  client.send(`GET /a HTTP/1.1\r\n${HOST}\r\n`)
  client.socket.end()
  await until(() => end.readableEnded)
  await answer('/a')
  t.equal((await client.response())?.body.toString(), '/a\n')
  await client.closed
})

t.test(
  'a client may close its sending side also after a request that Node does not understand',
  async (t) => {
    const { app, answer, waiting } = answeringLater()
    const { port, log, endOf } = await serve(t, app)
    for (const before of ['', `GET /before HTTP/1.1\r\n${HOST}\r\n`]) {
      waiting.clear()
      const client = await RawClient.connect(port)
      const end = await endOf(client)
      client.send(`${before}get /a HTTP/1.1\r\n${HOST}\r\n`)
      client.socket.end()
      if (before) {
        await answer('/before')
        t.equal((await client.response())?.body.toString(), '/before\n')
      }
      await until(() => waiting.has('/a') && end.readableEnded)
      await answer('/a')
      t.equal((await client.response())?.body.toString(), '/a\n')
      t.equal(await client.response(), undefined)
    }
    t.strictSame(log(), ['get /a HTTP/1.1 200', 'GET /before HTTP/1.1 200', 'get /a HTTP/1.1 200'])
  },
)

t.test('a client that has only closed its sending side has not left', async (t) => {
  let asked: Request | undefined
  const app: App = (request) => {
    asked = request
    const { signal, lost } = request
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(ok(String(lost.aborted)))))
  }
  const { port } = await serve(t, app)
  const half = await RawClient.connect(port)
  half.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => asked !== undefined)
  half.socket.end()
  t.equal((await half.response())?.body.toString(), 'false')
  half.socket.destroy()

  const left = await RawClient.connect(port)
  asked = undefined
  left.send(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until(() => asked !== undefined)
  left.socket.resetAndDestroy()
  await until(() => (asked as Request).lost.aborted)
  t.ok((asked as unknown as Request).signal.aborted)
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
  client.send(`GET /a?b HTTP/1.1\r\n${HOST}Authorization: Basic c2VjcmV0\r\nX-Request-Id: r1\r\n\r\n`)
  await client.response()
  client.socket.destroy()
  await until(() => records.length > 0)
  t.strictSame(records, [
    {
      peer: `127.0.0.1:${localPort}`,
      line: 'GET /a?b HTTP/1.1',
      id: 'r1',
      clientsId: 'r1',
      status: 500,
      user: 'writer',
      quiet: false,
      cause: bug,
    },
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

t.test('beyond so many connections, the one that waits longest for its next request is closed', async (t) => {
  const { port, debug } = await serve(t, echo, { limits: { connections: 2 } })
  const one = await RawClient.connect(port)
  const two = await RawClient.connect(port)
  for (const client of [one, two, one]) t.equal(await ask(client), 200)
  const three = await RawClient.connect(port)
  t.equal(await ask(three), 200)
  await two.closed
  t.equal(await ask(one), 200, 'the other keeps its place')
  t.match(debug, [/closed to make room for others$/])
  for (const { socket } of [one, two, three]) socket.destroy()
})

t.test('who has asked nothing yields before who has', async (t) => {
  const { port } = await serve(t, echo, { limits: { connections: 3 } })
  const idle = await RawClient.connect(port)
  t.equal(await ask(idle), 200)
  const silent = await RawClient.connect(port)
  const later = await RawClient.connect(port)
  const newcomer = await RawClient.connect(port)
  t.equal(await ask(newcomer), 200)
  await silent.closed
  t.equal(await ask(idle), 200)
  t.equal(await ask(later), 200)
  for (const { socket } of [idle, silent, later, newcomer]) socket.destroy()
})

t.test('one network with any number of connections leaves room for others', async (t) => {
  const { app, waiting, answer } = answeringLater()
  const { port, debug, records } = await serve(t, app, { limits: { connections: 4, probeConnections: 0 } })
  const greedy = await Promise.all(['/1', '/2', '/3', '/4'].map(() => RawClient.connect(port)))
  for (const [index, client] of greedy.entries()) {
    client.send(`GET /${index + 1} HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => waiting.size === index + 1)
  }
  const fifth = await RawClient.connect(port)
  await fifth.closed
  t.match(debug, [/closed, as there are 4 connections already$/], 'its own are all being answered')
  const other = await RawClient.connect(port, '127.0.0.1', '127.0.0.2')
  other.send(`GET /other HTTP/1.1\r\n${HOST}\r\n`)
  await answer('/other')
  t.equal((await other.response())?.status, 200)
  await greedy[0]?.closed
  await until(() => records.length === 2)
  t.strictSame(
    records.map(({ line, status }) => [line, status]),
    [
      ['GET /1 HTTP/1.1', undefined],
      ['GET /other HTTP/1.1', 200],
    ],
  )
  for (const { socket } of [...greedy, fifth, other]) socket.destroy()
})

t.test('a network whose places are all taken is still probed', async (t) => {
  const { app, waiting } = answeringLater()
  const probed: App = (request) => (isProbe(request.target) ? ok('ok') : app(request))
  const { port, records } = await serve(t, probed, { limits: { connections: 2, probeConnections: 2 } })
  const greedy = await Promise.all(['/1', '/2'].map(() => RawClient.connect(port)))
  for (const [index, client] of greedy.entries()) {
    client.send(`GET /${index + 1} HTTP/1.1\r\n${HOST}\r\n`)
    await until(() => waiting.size === index + 1)
  }
  const other = await RawClient.connect(port)
  other.send(`GET /other HTTP/1.1\r\n${HOST}\r\n`)
  const refused = await other.response()
  t.equal(refused?.status, 503)
  t.equal(refused?.headers.connection, 'close')
  t.equal(waiting.size, 2, 'the application is not asked')

  const probe = await RawClient.connect(port)
  for (const target of ['/readyz', '/livez?verbose']) {
    probe.send(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`)
    t.equal((await probe.response())?.status, 200, target)
  }
  const idle = await RawClient.connect(port)
  const newest = await RawClient.connect(port)
  newest.send(`GET /readyz HTTP/1.1\r\n${HOST}\r\n`)
  t.equal((await newest.response())?.status, 200, 'the newest one gets a place')
  await probe.closed
  t.match(records, [{ status: 503 }, { status: 200 }, { status: 200 }, { status: 200 }])
  for (const { socket } of [...greedy, other, probe, idle, newest]) socket.destroy()
})

t.test('closing lets requests under way finish, and nothing else', async (t) => {
  const { app, answer, waiting } = answeringLater()
  const { port, server } = await serve(t, app)
  const clients = await Promise.all(['/busy', '/idle', '/new'].map(() => RawClient.connect(port)))
  const [busy, idle, fresh] = clients as [RawClient, RawClient, RawClient]
  idle.send(`GET /idle HTTP/1.1\r\n${HOST}\r\n`)
  busy.send(`GET /busy HTTP/1.1\r\n${HOST}\r\n`)
  await answer('/idle')
  await idle.response()
  await until(() => waiting.has('/busy'))
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
  const options = {
    app: echo,
    serverName: 'x',
    logRequest: () => {},
    logDebug: () => {},
    logWarning: () => {},
  }
  await t.rejects(startServer(options, { host: '127.0.0.1', port }), {
    code: 'configuration',
    message: `Cannot listen on 127.0.0.1:${port}`,
  })
})
