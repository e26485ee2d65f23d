import t from 'tap'
import { HttpError } from '../../lib/http/status.ts'
import { beginningOf, isRequestLine, type ParserError, readUnparsed } from '../../lib/http/unparsed.ts'

const HEAD = 'Host: x\r\nAuthorization:  Basic eA== \r\nContent-Length: 2\r\n\r\n'

t.test('a request is read from its bytes', async (t) => {
  const { body, ...rest } = readUnparsed(Buffer.from(`put /a?b HTTP/1.1\r\n${HEAD}{}trailing`))
  t.strictSame(rest, {
    method: 'PUT',
    target: '/a?b',
    headers: { host: 'x', authorization: 'Basic eA==', 'content-length': '2' },
  })
  t.equal(body.toString(), '{}')
})

t.test('a header is a name, a colon, and a value without the spaces around it', async (t) => {
  const headers = (line: string) => readUnparsed(Buffer.from(`get / HTTP/1.0\r\n${line}\r\n\r\n`)).headers
  for (const [line, value] of [
    ['X: a', 'a'],
    ['X:a b\t', 'a b'],
    ['X:\t \t', ''],
    ['X:', ''],
    ['X: a: b ', 'a: b'],
  ] as const) {
    t.strictSame(headers(line), { x: value }, JSON.stringify(line))
  }
  for (const line of ['X', 'X : a', ' X: a', ': a', 'X: a\rb', 'X: a\nb', 'X\n: a']) {
    t.throws(() => headers(line), new HttpError(400, 'Invalid header'), JSON.stringify(line))
  }
})

t.test('of a repeated header the first counts', async (t) => {
  const { headers } = readUnparsed(
    Buffer.from('get / HTTP/1.1\r\nHost: x\r\nIf-None-Match: a\r\nif-none-match: b\r\n\r\n'),
  )
  t.equal(headers['if-none-match'], 'a')
})

const refused: [bytes: string, status: number, message: string][] = [
  ['GARBAGE\r\n\r\n', 400, "Bad request syntax ('GARBAGE')"],
  ['get  / HTTP/1.1\r\n\r\n', 400, "Bad request syntax ('get  / HTTP/1.1')"],
  [' /a HTTP/1.1\r\n\r\n', 400, "Bad request syntax (' /a HTTP/1.1')"],
  ['\rget /a HTTP/1.1\r\n\r\n', 400, "Bad request syntax ('\rget /a HTTP/1.1')"],
  ['get /\r\n\r\n', 400, "Bad request syntax ('get /')"],
  ['get / x HTTP/1.1\r\n\r\n', 400, "Bad request syntax ('get / x HTTP/1.1')"],
  ['get / FTP/1.1\r\n\r\n', 400, "Bad request version ('FTP/1.1')"],
  ['get / HTTP/1.1.1\r\n\r\n', 400, "Bad request version ('HTTP/1.1.1')"],
  ['get / HTTP/x.y\r\n\r\n', 400, "Bad request version ('HTTP/x.y')"],
  ['get / HTTP/2.0\r\n\r\n', 505, 'Invalid HTTP Version (2.0)'],
  ['get / HTTP/0.9\r\n\r\n', 505, 'Invalid HTTP Version (0.9)'],
  ['get / HTTP/1.1\r\nHost: x\r\n', 400, 'The end of the headers was not found'],
  ['get / HTTP/1.1\r\n\r\n', 400, 'Missing Host header'],
  ['get / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n', 400, 'More than one Host header'],
  ['get / HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'Invalid header'],
  ['get / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n', 400, 'Invalid header'],
  ['put / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}', 400, 'The body did not come with the headers'],
  [
    'put / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}',
    400,
    'The body did not come with the headers',
  ],
  [
    'put / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'The body did not come with the headers',
  ],
]

t.test('what is broken, or not whole, is refused', async (t) => {
  for (const [bytes, status, message] of refused) {
    t.throws(() => readUnparsed(Buffer.from(bytes)), new HttpError(status, message), bytes)
  }
})

t.test('HTTP/1.0 needs no Host', async (t) => {
  t.equal(readUnparsed(Buffer.from('get / HTTP/1.0\r\n\r\n')).target, '/')
})

function parserError(code: string, packet: string, bytesParsed: number): ParserError {
  return Object.assign(new Error(code), { code, rawPacket: Buffer.from(packet), bytesParsed })
}

t.test('the beginning of a request is found where it is certain', async (t) => {
  const beginning = (code: string, packet: string, parsed: number, received: number) =>
    beginningOf(parserError(code, packet, parsed), received)?.toString()
  t.equal(beginning('HPE_INVALID_METHOD', 'get /', 0, 5), 'get /', 'all that came since the last request')
  t.equal(beginning('HPE_INVALID_METHOD', 'x /', 0, 5), undefined, 'the end of something')
  t.equal(beginning('HPE_INVALID_METHOD', 'a\r\n\r\nget /', 5, 99), 'get /', 'behind another request')
  t.equal(beginning('HPE_INVALID_VERSION', 'a\r\n\r\nGET / HTTP/x', 18, 99), 'GET / HTTP/x')
  t.equal(
    beginning('HPE_INVALID_HEADER_TOKEN', 'a\r\n\r\nGET /\r\nx', 12, 99),
    undefined,
    'a header is no beginning',
  )
  t.equal(beginningOf(new Error('time-out'), 0), undefined)
})

t.test('only what looks like a first line is taken for one', async (t) => {
  for (const line of ['GET / HTTP/1.1', 'foo * HTTP/3', 'x y HTTP/1.x']) t.ok(isRequestLine(line), line)
  for (const line of [undefined, '', 'GET /', '{"password": "secret"}', 'a b c HTTP/1.1']) {
    t.notOk(isRequestLine(line), String(line))
  }
})
