import t from 'tap'
import { Failure, type FailureCode } from '../../lib/failure.ts'
import { errorResponse, failureResponse, HttpError } from '../../lib/http/status.ts'

const failures: [FailureCode, number, explain: string][] = [
  ['invalid', 400, 'Bad request syntax or unsupported method'],
  ['unavailable', 503, 'The server cannot process the request due to a high load'],
  ['no-master', 502, 'Invalid responses from another server/proxy'],
  ['unsupported', 501, 'Server does not support this operation'],
  ['internal', 500, 'Server got itself in trouble'],
]

t.test('each kind of failure has its status, and tells the client what is wrong', async (t) => {
  for (const [code, status, explain] of failures) {
    const response = failureResponse(new Failure(code, `no such node: n9`))
    t.equal(response.status, status)
    t.strictSame(JSON.parse(response.body.toString()), { code: status, message: 'no such node: n9', explain })
  }
})

t.test('if Ganeti has only the standard texts, the reason is in an additional key', async (t) => {
  for (const [code, status, message, explain] of [
    ['not-found', 404, 'Not Found', 'Nothing matches the given URI'],
    ['no-answer', 504, 'Gateway Timeout', 'The gateway server did not receive a timely response'],
  ] as const) {
    const { body } = failureResponse(new Failure(code, `no such node: 'n9'`))
    const detail = 'no such node: &#x27;n9&#x27;'
    t.strictSame(JSON.parse(body.toString()), { code: status, message, explain, detail })
  }
  t.equal(
    errorResponse(404).body.toString(),
    '{"code": 404, "message": "Not Found", "explain": "Nothing matches the given URI"}\n',
  )
})

t.test('server errors are also logged, client errors are not', async (t) => {
  for (const [code, status] of [...failures, ['not-found', 404], ['no-answer', 504]] as const) {
    const failure = new Failure(code, 'x')
    t.equal(failureResponse(failure).cause, status < 500 ? undefined : failure, code)
  }
})

t.test('for a bug, or a wrong file, the client gets only the standard phrase', async (t) => {
  for (const thrown of [
    new TypeError('secret is not a function'),
    'secret',
    undefined,
    new Failure('configuration', 'secret'),
  ]) {
    const response = failureResponse(thrown)
    t.equal(response.status, 500)
    t.equal(response.cause, thrown)
    t.equal(
      response.body.toString(),
      '{"code": 500, "message": "Internal Server Error", "explain": "Server got itself in trouble"}\n',
    )
  }
})

t.test('messages are escaped for HTML as Ganeti escapes them', async (t) => {
  const { body } = errorResponse(400, `<a href="x">it's & more</a>`)
  t.equal(JSON.parse(body.toString()).message, '&lt;a href=&quot;x&quot;&gt;it&#x27;s &amp; more&lt;/a&gt;')
})

t.test('a long message is cut', async (t) => {
  const message = (text: string) => JSON.parse(errorResponse(400, text).body.toString()).message
  t.equal(message('x'.repeat(2048)), 'x'.repeat(2048))
  t.equal(message('x'.repeat(1_000_000)), `${'x'.repeat(2048)}...`)
})

t.test('an HttpError brings its headers', async (t) => {
  const response = failureResponse(new HttpError(401, '', ['WWW-Authenticate', 'Basic realm="x"']))
  t.strictSame(response.headers, ['WWW-Authenticate', 'Basic realm="x"'])
  t.equal(JSON.parse(response.body.toString()).message, 'Unauthorized')
})
