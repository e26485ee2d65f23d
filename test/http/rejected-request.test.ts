import t from 'tap'
import { DEFAULT_LIMITS } from '../../lib/http/limits.ts'
import {
  asRequestLine,
  beginningOf,
  mayBeReadAgain,
  type ParserError,
  readAgain,
} from '../../lib/http/rejected-request.ts'
import { HttpError } from '../../lib/http/status.ts'

const read = (text: string) => readAgain(Buffer.from(text, 'latin1'), DEFAULT_LIMITS)

const HEAD = 'Host: x\r\nAuthorization:  Basic eA== \r\nContent-Length: 2\r\n\r\n'

t.test('a request is read from its bytes', async (t) => {
  const { body, ...rest } = read(`put /a?b HTTP/1.1\r\n${HEAD}{}trailing`)
  t.strictSame(rest, {
    method: 'PUT',
    target: '/a?b',
    headers: { host: 'x', authorization: 'Basic eA==', 'content-length': '2' },
  })
  t.equal(body.toString(), '{}')
})

t.test('a header is a name, a colon, and a value without the spaces around it', async (t) => {
  const headers = (line: string) => read(`get / HTTP/1.0\r\n${line}\r\n\r\n`).headers
  for (const [line, value] of [
    ['X: a', 'a'],
    ['X:a b\t', 'a b'],
    ['X:\t \t', ''],
    ['X:', ''],
    ['X: a: b ', 'a: b'],
  ] as const) {
    t.strictSame(headers(line), { x: value }, JSON.stringify(line))
  }
  for (const line of [
    'X',
    'X : a',
    ' X: a',
    ': a',
    'X: a\rb',
    'X: a\nb',
    'X\n: a',
    'X: a\n b',
    'X: \0',
    'X: \x7f',
    '\x85: a',
  ]) {
    t.throws(() => headers(line), new HttpError(400, 'Invalid header'), JSON.stringify(line))
  }
})

t.test('of a repeated header the first counts', async (t) => {
  const { headers } = read('get / HTTP/1.1\r\nHost: x\r\nIf-None-Match: a\r\nif-none-match: b\r\n\r\n')
  t.equal(headers['if-none-match'], 'a')
})

const refused: [bytes: string, status: number, message: string][] = [
  ['GARBAGE\r\n\r\n', 400, "Bad request syntax ('GARBAGE')"],
  [' get /a HTTP/1.1\r\n\r\n', 400, "Bad request syntax (' get /a HTTP/1.1')"],
  [' /a HTTP/1.1\r\n\r\n', 400, "Bad request syntax (' /a HTTP/1.1')"],
  ['\rget /a\n/b\tHTTP/1.1\r\n\r\n', 400, "Bad request syntax ('\\rget /a\\n/b\\tHTTP/1.1')"],
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
  [
    'put / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    400,
    'More than one Content-Length header',
  ],
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

t.test('a malformed or incomplete request is refused', async (t) => {
  for (const [bytes, status, message] of refused) {
    t.throws(() => read(bytes), new HttpError(status, message), bytes)
  }
})

t.test('HTTP/1.0 needs no Host', async (t) => {
  t.equal(read('get / HTTP/1.0\r\n\r\n').target, '/')
})

t.test('a first line is three words, with any white space between and behind them', async (t) => {
  for (const line of [
    'GET /a\n HTTP/1.1',
    'GET\n/a\tHTTP/1.1',
    'GET /a \r\v\fHTTP/1.1',
    'GET  /a  HTTP/1.1 ',
    'GET /a HTTP/1.1\n',
  ]) {
    const { method, target, headers } = read(`${line}\r\nHost: x\r\n\r\n`)
    t.strictSame([method, target, headers], ['GET', '/a', { host: 'x' }], JSON.stringify(line))
  }
})

t.test('a line feed alone ends a header, and an empty line behind it does not end the head', async (t) => {
  const { headers } = read(
    'GET / HTTP/1.1\r\nA: a\n\r\nB: b\nC: c\n\n\r\nHost: x\r\nContent-Length: 0\n\r\n\r\nD: d\r\n\r\n',
  )
  t.strictSame(headers, { a: 'a', b: 'b', c: 'c', host: 'x', 'content-length': '0' })
})

t.test('the length of a body after a line feed is refused', async (t) => {
  const put = (headers: string) => read(`PUT / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n{}`)
  t.equal(put('Content-Length: 2\r\nA: a\n').body.toString(), '{}')
  t.equal(put('A: a\n\r\nContent-Length: 0').body.toString(), '')
  const refused = 'A line feed without a carriage return before the Content-Length header'
  for (const headers of [
    'A: a\nContent-Length: 2',
    'A: a\n\r\nContent-Length: 2',
    'A: a\nB: b\r\nContent-Length: 2',
  ]) {
    t.throws(() => put(headers), new HttpError(400, refused), JSON.stringify(headers))
  }
  for (const headers of ['A: a\nTransfer-Encoding: chunked', 'Content-Length: 3\r\nA: a\n']) {
    t.throws(
      () => put(headers),
      new HttpError(400, 'The body did not come with the headers'),
      JSON.stringify(headers),
    )
  }
})

t.test('a first line or a head that is too long is refused', async (t) => {
  const long = (length: number) => 'x'.repeat(length)
  t.equal(read(`get /${long(8178)} HTTP/1.0\r\n\r\n`).target.length, 8179)
  t.throws(() => read(`get /${long(8179)} HTTP/1.0\r\n\r\n`), new HttpError(414))
  t.throws(() => read(`get / HTTP/1.0\r\nX: ${long(16_384)}\r\n\r\n`), new HttpError(431))
})

t.test('a request is parsed again if the parser rejects its first line, or a line feed', async (t) => {
  const may = (code: string, bytes?: string) =>
    mayBeReadAgain(parserError(code, '', 0), bytes === undefined ? undefined : Buffer.from(bytes))
  const withLineFeed = 'GET / HTTP/1.1\r\nA: a\n\r\nB: b\r\n\r\n'
  t.ok(may('HPE_INVALID_METHOD'))
  for (const code of ['HPE_CR_EXPECTED', 'HPE_INVALID_HEADER_TOKEN', 'HPE_UNEXPECTED_SPACE']) {
    t.ok(may(code, withLineFeed), code)
    t.notOk(may(code), `${code}, but it is not certain where it begins`)
    t.notOk(may(code, 'GET / HTTP/1.1\r\nA : a\r\n\r\n\n'), `${code}, but it is not a line feed`)
  }
  for (const code of ['HPE_INVALID_CONTENT_LENGTH', 'HPE_HEADER_OVERFLOW', 'ERR_HTTP_REQUEST_TIMEOUT']) {
    t.notOk(may(code, withLineFeed), code)
  }
})

function parserError(code: string, packet: string, bytesParsed: number): ParserError {
  return Object.assign(new Error(code), { code, rawPacket: Buffer.from(packet), bytesParsed })
}

t.test('the beginning of a request is found only if it is certain', async (t) => {
  const beginning = (code: string, packet: string, parsed: number, received: number) =>
    beginningOf(parserError(code, packet, parsed), received)?.toString()
  t.equal(beginning('HPE_INVALID_METHOD', 'get /', 0, 5), 'get /', 'all that came since the last request')
  t.equal(beginning('HPE_INVALID_METHOD', 'x /', 0, 5), undefined, 'the end of something')
  t.equal(beginning('HPE_INVALID_METHOD', 'a\r\n\r\nget /', 5, 99), 'get /', 'behind another request')
  t.equal(beginning('HPE_INVALID_VERSION', 'a\r\n\r\nGET / HTTP/x', 18, 99), 'GET / HTTP/x')
  t.equal(
    beginning('HPE_INVALID_URL', 'a\r\n\r\nGET \n/', 10, 99),
    'GET \n/',
    'a line feed alone ends no line before',
  )
  t.equal(beginning('HPE_INVALID_METHOD', 'a\n\nget /', 3, 99), undefined)
  t.equal(
    beginning('HPE_INVALID_HEADER_TOKEN', 'a\r\n\r\nGET /\r\nx', 12, 99),
    undefined,
    'a header is no beginning',
  )
  t.equal(beginningOf(new Error('time-out'), 0), undefined)
})

t.test('only what looks like a request line is logged as one', async (t) => {
  for (const line of [
    'GET / HTTP/1.1',
    'foo * HTTP/3',
    'x y HTTP/1.x',
    'GET /a\n HTTP/1.1',
    'a b HTTP/1.1 c',
  ]) {
    t.equal(asRequestLine(line), line)
  }
  t.equal(asRequestLine('a b HTTP/1.1\nAuthorization: secret'), 'a b HTTP/1.1', 'no headers')
  for (const line of ['', 'GET /', '{"password": "secret"}', 'a b c HTTP/1.1']) {
    t.equal(asRequestLine(line), undefined, line)
  }
})
