/** Which clients keep their connection from one request to the next, and which are told that it ends. */
import t from 'tap'
import { PYTHON, run, unless } from '../clients/programs.ts'
import { RawClient } from './raw-client.ts'
import { echo, serve } from './serve.ts'

const { port } = await serve(t, echo)

/** What the answer to a request with these headers says of the connection. */
async function connectionAfter(headers: string, version = '1.1'): Promise<string | undefined> {
  const client = await RawClient.connect(port)
  client.send(`GET / HTTP/${version}\r\nHost: x\r\n${headers}\r\n`)
  const response = await client.response()
  client.socket.destroy()
  return response?.headers.connection
}

t.test('the connection is kept if the client sends Connection or User-Agent', async (t) => {
  for (const headers of [
    'User-Agent: Go-http-client/1.1\r\n',
    'User-Agent:\r\n',
    'Connection: keep-alive\r\n',
    'connection: Keep-Alive\r\nuser-agent: x\r\n',
    'Connection: TE\r\nTE: trailers\r\n',
  ]) {
    t.equal(await connectionAfter(headers), 'keep-alive', headers)
  }
  t.equal(await connectionAfter('Connection: keep-alive\r\n', '1.0'), 'keep-alive')
})

t.test('the connection is closed if the client sends neither of these', async (t) => {
  t.equal(await connectionAfter(''), 'close')
  t.equal(await connectionAfter('Accept-Encoding: identity\r\nAuthorization: Basic eDp5\r\n'), 'close')
  t.equal(await connectionAfter('User-Agent: x\r\n', '1.0'), 'close')
})

t.test('nothing after such a request is answered', async (t) => {
  const client = await RawClient.connect(port)
  client.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await client.response())?.body.toString(), 'GET /1 \n')
  t.equal(await client.response(), undefined)
  client.socket.destroy()
})

/** Asks twice on one connection object, which opens as many connections as it needs; prints the statuses. */
const twice = (headers: string) => `
import http.client
connection = http.client.HTTPConnection('127.0.0.1', ${port})
for target in ['/1', '/2']:
    connection.request('GET', target, headers=${headers})
    print(connection.getresponse().status)
`

t.test(
  "Python's http.client goes on without reading an answer",
  unless([PYTHON, '--version'], 'python3'),
  async (t) => {
    const { stdout, stderr } = await run([PYTHON, '-c', twice('{}')])
    t.strictSame([stdout, stderr], ['200\n200\n', ''])
    const kept = await run([PYTHON, '-c', twice("{'User-Agent': 'x'}")])
    t.match(
      kept.stderr,
      /CannotSendRequest|ResponseNotReady/,
      'which no client can that keeps its connection',
    )
  },
)
