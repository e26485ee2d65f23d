/** A head with a line feed too many, as encoders of base64 append one: what is answered, and that nothing else is. */
import { connect } from 'node:tls'
import t from 'tap'
import type { App } from '../../lib/http/message.ts'
import { readCertificate } from '../../lib/http/tls.ts'
import { until } from '../support/until.ts'
import { makeCertificate } from './certificates.ts'
import { RawClient } from './raw-client.ts'
import { ok, serve } from './serve.ts'

const HOST = 'Host: x\r\nUser-Agent: test\r\n'

/** Tells what it was asked and by whom. */
const mirror: App = async (request) => {
  const { method, target, headers, bodyLength } = request
  const body = bodyLength === 0 ? '' : (await request.readBody(1000)).toString()
  return ok(`${method} ${target} ${headers.authorization ?? 'nobody'} ${body}\n`)
}

/** Requests that are answered, each with the answer; a connection has no other after it. */
const REPAIRED: readonly (readonly [what: string, request: string, answer: string])[] = [
  [
    'behind the last header',
    `GET /a HTTP/1.1\r\n${HOST}Authorization: Basic eA==\n\r\n\r\n`,
    'GET /a Basic eA== \n',
  ],
  [
    'behind another header',
    `GET /a HTTP/1.1\r\nAuthorization: Basic eA==\n\r\n${HOST}\r\n`,
    'GET /a Basic eA== \n',
  ],
  [
    'behind a header of a request with a body',
    `PUT /a HTTP/1.1\r\n${HOST}Content-Length: 2\r\nAuthorization: Basic eA==\n\r\n\r\n{}`,
    'PUT /a Basic eA== {}\n',
  ],
  [
    'in place of a line end',
    `GET /a HTTP/1.1\r\nHost: x\nAuthorization: Basic eA==\r\n\r\n`,
    'GET /a Basic eA== \n',
  ],
  ['behind the target', `GET /a\n HTTP/1.1\r\n${HOST}\r\n`, 'GET /a nobody \n'],
  ['in place of a space', `GET\n/a\nHTTP/1.1\r\n${HOST}\r\n`, 'GET /a nobody \n'],
  ['behind the first line', `GET /a HTTP/1.1\n\r\n${HOST}\r\n`, 'GET /a nobody \n'],
]

const REFUSED: readonly (readonly [what: string, request: string])[] = [
  ['within a target', `GET /a\nb HTTP/1.1\r\n${HOST}\r\n`],
  ['within a value', `GET /a HTTP/1.1\r\n${HOST}Authorization: Basic eA\n==\r\n\r\n`],
  ['before a folded line', `GET /a HTTP/1.1\r\n${HOST}A: a\n b\r\n\r\n`],
  ['at every line end', 'GET /a HTTP/1.1\nHost: x\n\n'],
  ['at the end of the head', `GET /a HTTP/1.1\r\n${HOST}A: a\n\r\n`],
  ['before the length of a body', `PUT /a HTTP/1.1\r\n${HOST}A: a\n\r\nContent-Length: 2\r\n\r\n{}`],
  ['before a chunked body', `PUT /a HTTP/1.1\r\n${HOST}A: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['and a carriage return alone', `GET /a HTTP/1.1\r\n${HOST}A: a\n\r\nB: b\rC: c\r\n\r\n`],
]

const certificate = await readCertificate(makeCertificate(t.testdir(), 'ecdsa'))

for (const tls of [false, true]) {
  t.test(`with${tls ? '' : 'out'} TLS`, async (t) => {
    const { port, records } = await serve(t, mirror, tls ? { certificate } : {})
    const client = async () => {
      if (!tls) return RawClient.connect(port)
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      await new Promise((resolve) => socket.once('secureConnect', resolve))
      return new RawClient(socket)
    }
    const answersTo = async (request: string, used = false) => {
      const one = await client()
      if (used) {
        one.send(`GET /used HTTP/1.1\r\n${HOST}\r\n`)
        await one.response()
      }
      one.send(request)
      const answers = []
      for (let next = await one.response(); next; next = await one.response()) answers.push(next)
      one.socket.destroy()
      return answers
    }

    t.test('a request with an extra line feed is answered, and nothing after it', async (t) => {
      for (const [what, request, expected] of REPAIRED) {
        for (const used of [false, true]) {
          const answers = await answersTo(`${request}GET /behind HTTP/1.1\r\n${HOST}\r\n`, used)
          t.strictSame(
            answers.map(({ status, body }) => [status, body.toString()]),
            [[200, expected]],
            what,
          )
          t.equal(answers[0]?.headers.connection, 'close', what)
        }
      }
    })

    t.test('an ambiguous line feed is refused', async (t) => {
      for (const [what, request] of REFUSED) {
        const answers = await answersTo(`${request}GET /behind HTTP/1.1\r\n${HOST}\r\n`)
        t.strictSame(
          answers.map(({ status, headers }) => [status, headers.connection]),
          [[400, 'close']],
          what,
        )
      }
    })

    t.test('so is a line feed after other requests of the same chunk, and after a body', async (t) => {
      const broken = `GET /a HTTP/1.1\r\n${HOST}Authorization: Basic eA==\n\r\n\r\n`
      for (const before of [
        `GET /first HTTP/1.1\r\n${HOST}\r\n`,
        `PUT /first HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}`,
      ]) {
        const answers = await answersTo(before + broken)
        t.strictSame(
          answers.map(({ status }) => status),
          [200, 400],
        )
      }
    })

    t.test('the log has the first line as it was sent', async (t) => {
      const secret = 'GET /log HTTP/1.1\nAuthorization: Basic secret\r\nHost: x\r\n\r\n'
      for (const request of [`GET /log\n HTTP/1.1\r\n${HOST}\r\n`, secret]) await answersTo(request)
      await until(() => records.filter(({ line }) => line?.includes('/log')).length === 2)
      t.strictSame(
        records.flatMap(({ line, status }) => (line?.includes('/log') ? [[line, status]] : [])),
        [
          ['GET /log\n HTTP/1.1', 200],
          ['GET /log HTTP/1.1', 400],
        ],
      )
    })
  })
}
