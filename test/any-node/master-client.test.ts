import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import type { Trust } from '../../lib/any-node/connect.ts'
import { MasterClient, type Message, Unanswered } from '../../lib/any-node/master-client.ts'
import { makeCertificate } from '../support/certificate.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const { signal } = new AbortController()
const read: Message = {
  method: 'GET',
  target: '/2/x',
  headers: { a: 'b' },
  body: Buffer.alloc(0),
  isRead: true,
}
const change: Message = { ...read, method: 'POST', body: Buffer.from('{}'), isRead: false }

async function listening(t: Test, server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { target: { name: 'node1', address: '127.0.0.1', port }, sockets }
}

/** A master's daemon that answers with the number of the connection. */
async function master(
  t: Test,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse, connection: number) => void = (
    _,
    outgoing,
    connection,
  ) => outgoing.end(String(connection)),
) {
  const asked: string[] = []
  const seen: Socket[] = []
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    if (!seen.includes(incoming.socket)) seen.push(incoming.socket)
    answer(incoming, outgoing, seen.indexOf(incoming.socket) + 1)
  })
  return { asked, ...(await listening(t, server)) }
}

t.test('reads share a connection, changes have one each', async (t) => {
  const { target } = await master(t)
  const client = new MasterClient({ trust: undefined })
  const ask = async (message: Message) => text(await client.send(target, message, signal))
  t.strictSame(
    [await ask(read), await ask(read), await ask(change), await ask(read), await ask(change)],
    ['1', '1', '2', '1', '3'],
  )
  client.close()
})

t.test('what a master has closed while it was not used is noticed, and a read sent again', async (t) => {
  let mode: 'answer' | 'reset' = 'answer'
  const { target, asked, sockets } = await master(t, (incoming, outgoing, connection) => {
    if (mode === 'reset' && connection === 1) incoming.socket.destroy()
    else outgoing.end(String(connection))
  })
  const client = new MasterClient({ trust: undefined })
  const ask = async (message: Message) => text(await client.send(target, message, signal))
  t.equal(await ask(read), '1')
  mode = 'reset'
  t.equal(await ask(read), '2')
  t.equal(asked.length, 3)
  t.ok(sockets.size >= 2)
  client.close()
})

t.test('what may have been received is not sent again', async (t) => {
  const { target, asked } = await master(t, (incoming) => incoming.socket.destroy())
  const client = new MasterClient({ trust: undefined })
  for (const message of [change, read]) {
    const failure = await client.send(target, message, signal).catch((error) => error)
    t.ok(failure instanceof Unanswered, message.method)
    t.equal(failure.code, 'no-master')
  }
  t.strictSame(asked, ['POST /2/x', 'GET /2/x'])
})

t.test('a master that takes its time is waited for, but not for ever', async (t) => {
  const { target, sockets } = await master(t, () => {})
  const client = new MasterClient({ trust: undefined, patience: 50 })
  await t.rejects(client.send(target, read, signal), { code: 'no-answer' })
  await t.rejects(client.send(target, change, signal), { code: 'no-answer' })
  await until(() => [...sockets].every(({ destroyed }) => destroyed))
})

t.test('an answer that is none is not passed on', async (t) => {
  const server = createTcpServer((socket) => socket.end('nonsense\r\n\r\n'))
  const { target } = await listening(t, server)
  const client = new MasterClient({ trust: undefined })
  await t.rejects(client.send(target, read, signal), { code: 'bad-answer' })
})

t.test('a request ends when nobody waits for it', async (t) => {
  const { target, asked, sockets } = await master(t, () => {})
  const client = new MasterClient({ trust: undefined })
  const controller = new AbortController()
  const sent = client.send(target, read, controller.signal)
  await until(() => asked.length > 0)
  controller.abort()
  await t.rejects(sent, { name: 'AbortError' })
  await until(() => [...sockets].every(({ destroyed }) => destroyed))
})

t.test('where nobody listens, or nobody makes a handshake, there is no master', async (t) => {
  const nowhere = { name: 'node1', address: '127.0.0.1', port: await freePort() }
  const client = new MasterClient({ trust: undefined })
  const failure = await client.send(nowhere, change, signal).catch((error) => error)
  t.match(failure, { code: 'no-master', cause: { code: 'ECONNREFUSED' } })
  t.notOk(failure instanceof Unanswered, 'nothing was sent')

  const silent = await listening(t, createTcpServer())
  const trust: Trust = { kind: 'pinned', certificates: { accepts: () => true } }
  const secure = new MasterClient({ trust })
  const late = await secure.send(silent.target, read, signal).catch((error) => error)
  t.match(late, { code: 'no-master', cause: { name: 'TimeoutError' } })
  const connections = silent.sockets.size
  t.equal(await secure.send(silent.target, read, signal).catch((error) => error), late)
  t.equal(silent.sockets.size, connections, 'for a moment, others do not try again')
})

t.test('nothing is sent before the certificate was found to be right', async (t) => {
  const files = makeCertificate(t.testdir())
  const certificate = readFileSync(files.certificate, 'utf8')
  const received: string[] = []
  const server = createTlsServer({ cert: certificate, key: readFileSync(files.key) }, (socket) => {
    socket.on('data', (bytes) => {
      received.push(bytes.toString())
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    socket.on('error', () => {})
  })
  const { target } = await listening(t, server as unknown as Server)
  const send = async (trust: Trust, name = 'localhost') => {
    const answer = await new MasterClient({ trust }).send({ ...target, name }, change, signal)
    return text(answer)
  }
  const pinned = (accepts: boolean): Trust => ({ kind: 'pinned', certificates: { accepts: () => accepts } })
  const wrong = { code: 'bad-answer', message: /has another certificate than expected/ }
  await t.rejects(send(pinned(false)), wrong)
  await t.rejects(send({ kind: 'issued', issuers: certificate }, 'node1.example.com'), wrong, 'another name')
  const other = readFileSync(makeCertificate(t.testdirName, 'other').certificate, 'utf8')
  await t.rejects(send({ kind: 'issued', issuers: other }), wrong, 'another issuer')
  t.strictSame(received, [])
  t.equal(await send(pinned(true), 'node1.example.com'), 'ok')
  t.equal(await send({ kind: 'issued', issuers: certificate }), 'ok')
})
