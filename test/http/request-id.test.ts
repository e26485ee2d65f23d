import t from 'tap'
import type { App, Request } from '../../lib/http/message.ts'
import { makeRequestId, nameRequest } from '../../lib/http/request-id.ts'
import { failureResponse, HttpError } from '../../lib/http/status.ts'
import { until } from '../support/until.ts'
import { RawClient } from './raw-client.ts'
import { ok, serve } from './serve.ts'

const MADE = /^[0-9a-z]{1,7}-[0-9a-z]+$/

t.test('a valid id of a client is taken, any other is replaced', async (t) => {
  for (const valid of ['a', 'A-1_b.c', 'x'.repeat(64), '0123']) {
    t.strictSame(nameRequest(valid), { id: valid, clientsId: valid })
  }
  for (const invalid of [undefined, '', 'a b', 'a;b', 'ä', 'x'.repeat(65), 'a\n', 'a, b', '{}']) {
    const { id, clientsId } = nameRequest(invalid)
    t.match(id, MADE, String(invalid))
    t.equal(clientsId, undefined)
  }
})

t.test('no two requests get the same id', async (t) => {
  const ids = Array.from({ length: 10_000 }, makeRequestId)
  t.equal(new Set(ids).size, ids.length)
})

t.test('every answer names its request, to the client, the application and the log', async (t) => {
  const asked: Request[] = []
  const app: App = (request) => {
    asked.push(request)
    if (request.target === '/refused') return failureResponse(new HttpError(403))
    return ok('x', request.target === '/known' ? { status: 304, body: Buffer.alloc(0) } : {})
  }
  const { port, records } = await serve(t, app)
  const client = await RawClient.connect(port)
  const send = async (line: string, id?: string) => {
    const own = id === undefined ? '' : `X-Request-Id: ${id}\r\n`
    client.send(`${line}\r\nHost: x\r\nUser-Agent: x\r\n${own}\r\n`)
    return (await client.response())?.headers['x-request-id']
  }
  for (const path of ['/', '/refused', '/known']) {
    t.equal(await send(`GET ${path} HTTP/1.1`, 'mine'), 'mine', path)
    t.match(await send(`GET ${path} HTTP/1.1`), MADE, path)
  }
  t.match(await send('GET / HTTP/1.1', 'not valid'), MADE)
  t.equal(await send('get / HTTP/1.1', 'lower-case'), 'lower-case', 'also where it is parsed again')
  const broken = await RawClient.connect(port)
  broken.send('nonsense\r\n\r\n')
  const id = (await broken.response())?.headers['x-request-id']
  t.match(id, MADE, 'also for what is no request')
  await until(() => records.length === 9)
  t.match(records.at(-1), { id, clientsId: undefined })
  t.strictSame(
    records.slice(0, 8).map((record) => record.id),
    asked.map((request) => request.id),
  )
  t.strictSame(
    records.map(({ clientsId }) => clientsId),
    ['mine', undefined, 'mine', undefined, 'mine', undefined, undefined, 'lower-case', undefined],
  )
  for (const { socket } of [client, broken]) socket.destroy()
})
