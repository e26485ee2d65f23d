import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { Authorizer } from '../../lib/auth/authorize.ts'
import type { Right } from '../../lib/auth/rights.ts'
import type { Verdict } from '../../lib/auth/verdict.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { Failure } from '../../lib/failure.ts'
import { type AppOptions, createApp } from '../../lib/http/app.ts'
import type { App, Request, RequestHeaders, Response } from '../../lib/http/message.ts'
import { HttpError } from '../../lib/http/status.ts'
import type { Json } from '../../lib/json/json.ts'
import { lazyMap } from '../../lib/json/lazy-list.ts'
import { type Call, guarded, live, type Method, open, resource } from '../../lib/resources/resource.ts'
import { needing } from '../support/needing.ts'
import { until } from '../support/until.ts'

const wide = Array.from({ length: 100 }, (_, index) => ({
  name: `inst${index}`,
  uri: `/2/instances/inst${index}`,
}))

/** What the handlers below saw, in order. */
let calls: Call[] = []
function seen(answer: Json) {
  return async (call: Call): Promise<Json> => {
    calls.push(call)
    return answer
  }
}

const resources = [
  resource('/open', 'Open to everyone.', { GET: open('os.list', 'Small.', seen({ a: 1 })) }),
  resource('/wide', 'Open to everyone.', { GET: open('os.list', 'Large.', seen(wide)) }),
  resource('/named/{name}', 'With a name.', {
    GET: open('os.list', 'Fails for some.', async ({ params, query }) => {
      if (params.name === 'nobody') throw new Failure('not-found', "No such node: 'nobody'")
      if (params.name === 'bug') throw new TypeError('x is undefined')
      return { name: params.name, bulk: query.flag('bulk') }
    }),
  }),
  resource('/guarded', 'For some.', {
    GET: guarded(needing(['write', 'read']), 'Read.', seen({ b: 2 })),
    PUT: live(needing(['write']), 'Write.', async ({ body }) => ({ got: body ?? null })),
  }),
  resource('/fixed', 'The same for every cluster.', {
    GET: { ...open('os.list', 'Small.', seen({ c: 3 })), dependsOn: 'nothing' },
  }),
  resource('/live', 'Never kept.', {
    GET: live(needing([]), 'Gives the time.', async (call) => {
      calls.push(call)
      return { call: calls.length }
    }),
  }),
]

/** An Authorization header here is just a name: a reader, a writer, or a stranger. */
function authorizerFor(requireAuthentication = false): Authorizer {
  const authorizeNow: Authorizer['authorizeNow'] = (header, { access }) => {
    if (header !== undefined) return undefined
    return access.length > 0 || requireAuthentication ? { kind: 'unauthenticated' } : { kind: 'granted' }
  }
  return {
    requireAuthentication,
    authorizeNow,
    authorize: async (header, need) => authorizeNow(header, need) ?? verdictOn(header as string, need.access),
    within: (name, { access }) => {
      const isAllowed = name === undefined ? access.length === 0 : verdictOn(name, access).kind === 'granted'
      return isAllowed ? [] : undefined
    },
  }
}

function verdictOn(header: string, access: readonly Right[]): Verdict {
  if (header === 'Basic') return { kind: 'malformed', message: 'Basic authentication requires credentials' }
  const rights: Record<string, Right[]> = { reader: ['read'], writer: ['write'], plain: [] }
  const own = rights[header]
  if (!own) return { kind: 'unauthenticated' }
  const granted = access.length === 0 || access.some((right) => own.includes(right))
  return granted ? { kind: 'granted', user: header } : { kind: 'forbidden', user: header }
}

function makeApp(
  options: Partial<AppOptions> = {},
  state: { generation: number | null } = { generation: 1 },
): App {
  calls = []
  return createApp({
    resources,
    backend: () => state as Backend,
    authorizer: authorizerFor(),
    ...options,
  })
}

interface Sent {
  readonly headers?: RequestHeaders
  readonly body?: string | Buffer
  /** Whether the length is announced; a chunked body's is not. */
  readonly chunked?: boolean
  /** Aborted when the client leaves, or says that it will send no more. */
  readonly signal?: AbortSignal
  /** Aborted when it leaves; as `signal` unless given. */
  readonly lost?: AbortSignal
}

function request(
  line: string,
  { headers = {}, body = '', chunked = false, signal, lost = signal }: Sent = {},
): Request {
  const [method = '', target = ''] = line.split(' ')
  const bytes = Buffer.from(body)
  return {
    method,
    target,
    headers,
    network: '192.0.2.1',
    bodyLength: chunked ? undefined : bytes.length,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async (limit) => {
      if (bytes.length > limit) throw new HttpError(413)
      return bytes
    },
    signal: signal ?? new AbortController().signal,
    lost: lost ?? new AbortController().signal,
  }
}

function header(response: Response, name: string): string | undefined {
  const at = response.headers.findIndex((text, index) => index % 2 === 0 && text === name)
  return at < 0 ? undefined : response.headers[at + 1]
}

/** What there is to do at once has been done, also where it is done in slices. */
async function turn(): Promise<void> {
  for (let count = 0; count < 20; count++) await new Promise(setImmediate)
}

function never(): AbortSignal {
  return new AbortController().signal
}

const json = { 'content-type': 'application/json' }

t.test('the order of checks is 404, 501, 401 or 403, 415, 400', async (t) => {
  const app = makeApp()
  const bad = { 'content-type': 'text/plain' }
  const cases: [string, Sent, number, string?][] = [
    ['PUT /nope', { headers: { ...bad, authorization: 'stranger' }, body: '{' }, 404, 'Not Found'],
    ['PUT /open/', { body: '{' }, 404],
    [
      'PATCH /open',
      { headers: { ...bad, authorization: 'stranger' }, body: '{' },
      501,
      'Method PATCH is unsupported for path /open',
    ],
    ['PUT /guarded', { headers: bad, body: '{' }, 401, 'Unauthorized'],
    ['PUT /guarded', { headers: { ...bad, authorization: 'stranger' }, body: '{' }, 401],
    ['PUT /guarded', { headers: { ...bad, authorization: 'reader' }, body: '{' }, 403, 'Forbidden'],
    [
      'PUT /guarded',
      { headers: { ...bad, authorization: 'writer' }, body: '{' },
      415,
      'Unsupported Media Type',
    ],
    [
      'PUT /guarded',
      { headers: { ...json, authorization: 'writer' }, body: '{' },
      400,
      'Unable to parse JSON data',
    ],
    ['GET /named/a?bulk=x', { headers: json, body: '{' }, 400, 'Unable to parse JSON data'],
    [
      'GET /named/a?bulk=x',
      { headers: json, body: '{}' },
      400,
      'Invalid value for the &#x27;bulk&#x27; parameter',
    ],
  ]
  for (const [line, sent, status, message] of cases) {
    const response = await app(request(line, sent))
    t.equal(response.status, status, `${line} ${JSON.stringify(sent)}`)
    if (message) t.equal(JSON.parse(response.body.toString()).message, message)
  }
})

t.test('credentials sent without need are checked all the same', async (t) => {
  const app = makeApp()
  t.equal((await app(request('GET /open', { headers: { authorization: 'stranger' } }))).status, 401)
  const malformed = await app(request('GET /open', { headers: { authorization: 'Basic' } }))
  t.equal(malformed.status, 400)
  t.equal(JSON.parse(malformed.body.toString()).message, 'Basic authentication requires credentials')
  t.equal((await app(request('GET /open', { headers: { authorization: 'plain' } }))).user, 'plain')
})

t.test('a 401 carries a challenge', async (t) => {
  const response = await makeApp()(request('GET /guarded'))
  t.strictSame(response.headers, ['WWW-Authenticate', 'Basic realm="Ganeti Remote API"'])
})

t.test('the response names the authenticated user, whatever its status', async (t) => {
  const app = makeApp()
  const as = (authorization: string) => ({ headers: { ...json, authorization }, body: '{' })
  t.equal((await app(request('GET /guarded', as('reader')))).user, 'reader', '400')
  t.equal((await app(request('PUT /guarded', as('reader')))).user, 'reader', '403')
  t.equal(
    (await app(request('GET /named/bug', { headers: { authorization: 'plain' } }))).user,
    'plain',
    '500',
  )
  t.equal((await app(request('GET /guarded', as('stranger')))).user, undefined, '401')
})

t.test('with --require-authentication, any path is 401 without credentials', async (t) => {
  const app = makeApp({ authorizer: authorizerFor(true) })
  for (const line of ['GET /open', 'GET /nope', 'POST /open', 'PUT /guarded']) {
    t.equal((await app(request(line))).status, 401, line)
    t.equal((await app(request(line, { headers: { authorization: 'stranger' } }))).status, 401, line)
    t.equal((await app(request(line, { headers: { authorization: 'Basic' } }))).status, 400, line)
  }
  const asPlain = { headers: { authorization: 'plain' } }
  t.equal((await app(request('GET /open', asPlain))).status, 200)
  t.equal((await app(request('GET /nope', asPlain))).status, 404)
  t.equal((await app(request('POST /open', asPlain))).status, 501)
  t.equal((await app(request('GET /guarded', asPlain))).status, 403)
})

t.test("the authorizer gets the client's network", async (t) => {
  const asked: unknown[] = []
  const app = makeApp({
    authorizer: {
      ...authorizerFor(),
      authorize: async (header, { access }, network) => {
        asked.push([header, access, network])
        return { kind: 'granted' }
      },
    },
  })
  await app(request('GET /guarded', { headers: { authorization: 'x' } }))
  t.strictSame(asked, [['x', ['write', 'read'], '192.0.2.1']])
})

t.test('a cache hit asks the authorizer, with the rights of its method', async (t) => {
  const asked: unknown[] = []
  let verdict: Verdict | undefined = { kind: 'granted' }
  const authorizeNow: Authorizer['authorizeNow'] = (header, { access }) => {
    asked.push([header, access])
    return verdict
  }
  const authorize = async () => verdict ?? ({ kind: 'forbidden', user: 'x' } as const)
  const app = makeApp({ authorizer: { ...authorizerFor(), authorizeNow, authorize } })
  await app(request('GET /guarded'))
  t.equal((await app(request('GET /guarded'))).status, 200)
  t.equal(calls.length, 1)
  t.strictSame(asked, [[undefined, ['write', 'read']]], 'asked where there is an answer already')
  verdict = { kind: 'unauthenticated' }
  t.equal((await app(request('GET /guarded'))).status, 401)
  verdict = undefined
  t.equal((await app(request('GET /guarded'))).status, 403)
  t.equal(calls.length, 1)
})

t.test('with debugging, each step of a request is told', async (t) => {
  const lines: string[] = []
  const app = makeApp({ debug: (line) => lines.push(line) })
  await app(request('GET /guarded', { headers: { authorization: 'reader' } }))
  await app(request('GET /guarded', { headers: { authorization: 'plain' } }))
  await app(request('GET /guarded', { headers: { authorization: 'writer' } }))
  await app(request('GET /guarded'))
  await app(request('GET /open'))
  await app(request('GET /open'))
  t.match(lines, [
    'GET /guarded: needs os.list (write or read); user reader is let in',
    /^GET \/guarded: made in \d+\.\d ms, 9 bytes$/,
    'GET /guarded: needs os.list (write or read); not let in: user plain has other rights',
    'GET /guarded: needs os.list (write or read); user writer is let in',
    'GET /guarded: cache hit',
    'GET /guarded: needs os.list (write or read); not let in: no user and password, or wrong ones',
    'GET /open: open to everyone',
    /^GET \/open: made in /,
    'GET /open: cache hit, open to everyone',
  ])
  t.equal(lines.length, 9)
})

t.test('when passwords cannot be checked now, the answer is 503', async (t) => {
  const app = makeApp({
    authorizer: {
      ...authorizerFor(),
      authorize: async () => {
        throw new Failure('unavailable', 'Too many logins at once')
      },
    },
  })
  t.equal((await app(request('GET /guarded'))).status, 503)
})

const bodies: [Sent, number, Json?][] = [
  [{}, 200, null],
  [{ chunked: true }, 200, null],
  [{ headers: { 'content-type': 'text/plain' } }, 200, null],
  [{ headers: json, body: 'null' }, 200, null],
  [{ headers: json, body: '{}' }, 200, {}],
  [{ headers: json, body: '{}', chunked: true }, 200, {}],
  [{ headers: { 'content-type': 'APPLICATION/Json' }, body: '[1]' }, 200, [1]],
  [{ headers: json, body: '{"a": 1, "a": 2}' }, 200, { a: 2 }],
  [{ headers: json, body: ' "caf\u00e9" ' }, 200, 'caf\u00e9'],
  [{ headers: json, body: '{"__proto__": 1}' }, 200, JSON.parse('{"__proto__": 1}')],
  [{ body: '{}' }, 415],
  [{ body: '{}', chunked: true }, 415],
  [{ headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{}' }, 415],
  [{ headers: { 'content-type': 'application/jsonp' }, body: '{}' }, 415],
  [{ headers: json, body: ' ' }, 400],
  [{ headers: json, body: '{} x' }, 400],
  [{ headers: json, body: "{'a': 1}" }, 400],
  [{ headers: json, body: '{"a": NaN}' }, 400],
  [{ headers: json, body: '\ufeff{}' }, 400],
  [{ headers: json, body: Buffer.from('"\xff"', 'latin1') }, 400],
]

t.test('a body is empty, or JSON with the content type of JSON', async (t) => {
  const app = makeApp()
  for (const [sent, status, got] of bodies) {
    const headers = { ...sent.headers, authorization: 'writer' }
    const response = await app(request('PUT /guarded', { ...sent, headers }))
    const about = `${JSON.stringify(sent.headers)} ${String(sent.body).slice(0, 40)}`
    t.equal(response.status, status, about)
    if (status === 200) t.strictSame(JSON.parse(response.body.toString()), { got }, about)
  }
})

t.test('a wrong type is refused before the body is received', async (t) => {
  const app = makeApp()
  const response = await app({
    ...request('GET /open', { body: 'x' }),
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => t.fail('must not be asked for') as never,
  })
  t.equal(response.status, 415)
})

t.test('a method without a body accepts at most 4 KiB, from any client', async (t) => {
  const app = makeApp()
  const text = (length: number) => `"${'x'.repeat(length - 2)}"`
  for (const sender of [{}, { authorization: 'plain' }, { authorization: 'writer' }]) {
    const headers = { ...json, ...sender }
    for (const line of ['GET /open', 'GET /live', 'PUT /guarded']) {
      if (line === 'PUT /guarded' && !('authorization' in sender && sender.authorization === 'writer'))
        continue
      t.equal((await app(request(line, { headers, body: text(4096) }))).status, 200, line)
      t.equal((await app(request(line, { headers, body: text(4097) }))).status, 413, line)
      t.equal((await app(request(line, { headers, body: text(4097), chunked: true }))).status, 413, line)
    }
  }
})

/** A method that takes long bodies. */
const uploads = resource('/upload', 'Takes much.', {
  PUT: {
    ...live(needing([]), 'Takes it.', async ({ body }) => String(body).length),
    bodyLimit: 8 * 1024 * 1024,
  },
})

/** Requests whose bodies come when told to. */
function upload(bytes: number, { network = '192.0.2.1', chunked = false, signal = never() } = {}) {
  const body = `"${'x'.repeat(bytes - 2)}"`
  const state = { asked: false, arrive: () => {} }
  const sent: Request = {
    ...request('PUT /upload', { headers: json, body, chunked, signal }),
    network,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: () => {
      state.asked = true
      return new Promise((resolve) => {
        state.arrive = () => resolve(Buffer.from(body))
      })
    },
  }
  return { sent, state }
}

t.test('long bodies are received eight at a time, four of them from one network', async (t) => {
  const app = makeApp({ resources: [uploads] })
  const ours = Array.from({ length: 6 }, (_, place) => upload(100_000, { chunked: place % 2 === 0 }))
  const networks = ['192.0.2.2', '192.0.2.2', '192.0.2.2', '192.0.2.2', '192.0.2.3']
  const others = networks.map((network) => upload(100_000, { network }))
  const all = [...ours, ...others]
  const answers = all.map(({ sent }) => app(sent))
  const asked = async () => {
    await turn()
    return all.map(({ state }) => Number(state.asked)).join('')
  }
  t.equal(await asked(), '11110011110')
  const short = upload(64 * 1024)
  const answer = app(short.sent)
  await turn()
  t.ok(short.state.asked, 'short ones do not wait')
  short.state.arrive()
  t.equal((await answer).status, 200)
  ours[0]?.state.arrive()
  t.equal(await asked(), '11111011110')
  others[0]?.state.arrive()
  t.equal(await asked(), '11111011111')
  for (let n = 0; n < 4; n++) {
    for (const { state } of all) state.arrive()
    await turn()
  }
  for (const one of answers) t.equal((await one).status, 200)
})

t.test('a client that disconnects leaves the queue for long bodies', async (t) => {
  const app = makeApp({ resources: [uploads] })
  const client = new AbortController()
  const four = Array.from({ length: 4 }, () => upload(1e5))
  const all = [...four, upload(1e5, { signal: client.signal }), upload(1e5)]
  const answers = all.map(({ sent }) => app(sent))
  await turn()
  client.abort()
  t.equal((await answers[4])?.status, 503)
  all[0]?.state.arrive()
  await turn()
  t.strictSame(
    all.map(({ state }) => state.asked),
    [true, true, true, true, false, true],
  )
  for (const { state } of all) state.arrive()
  for (const place of [0, 1, 2, 3, 5]) t.equal((await answers[place])?.status, 200)
})

t.test('failures of a handler become answers, bugs give only the 500 phrase', async (t) => {
  const app = makeApp()
  const missing = await app(request('GET /named/nobody'))
  t.equal(missing.status, 404)
  t.match(JSON.parse(missing.body.toString()), {
    message: 'Not Found',
    detail: 'No such node: &#x27;nobody&#x27;',
  })
  t.equal(missing.cause, undefined)
  const bug = await app(request('GET /named/bug'))
  t.equal(bug.status, 500)
  t.notMatch(bug.body.toString(), /undefined/)
  t.match(bug.cause, { message: 'x is undefined' })
})

t.test('an answer from cluster state is made once for each generation', async (t) => {
  const state = { generation: 1 }
  const app = makeApp({}, state)
  const first = await app(request('GET /open'))
  t.equal((await app(request('GET /open'))).body, first.body)
  t.equal(calls.length, 1)
  t.equal(first.body.toString(), '{"a": 1}\n')

  await app(request('GET /open?x=1'))
  t.equal(calls.length, 2, 'another query string is another question')

  state.generation = 2
  await app(request('GET /open'))
  await app(request('GET /open'))
  t.equal(calls.length, 3)
})

t.test('nothing is cached without generations, or if it depends on more than state', async (t) => {
  const unknown = makeApp({}, { generation: null })
  await unknown(request('GET /open'))
  await unknown(request('GET /open'))
  t.equal(calls.length, 2)

  const app = makeApp()
  t.equal((await app(request('GET /live'))).body.toString(), '{"call": 1}\n')
  const second = await app(request('GET /live'))
  t.equal(second.body.toString(), '{"call": 2}\n')
  t.equal(header(second, 'ETag'), undefined)
})

t.test('constant answers are cached even without generations', async (t) => {
  const unknown = makeApp({}, { generation: null })
  const first = await unknown(request('GET /fixed'))
  await unknown(request('GET /open'))
  t.equal((await unknown(request('GET /fixed'))).body, first.body)
  t.equal(calls.length, 2)
})

t.test('access is checked before a cached answer is sent', async (t) => {
  const app = makeApp()
  t.equal((await app(request('GET /guarded', { headers: { authorization: 'reader' } }))).status, 200)
  t.equal((await app(request('GET /guarded'))).status, 401)
  t.equal((await app(request('GET /guarded', { headers: { authorization: 'plain' } }))).status, 403)
  t.equal(calls.length, 1)
})

t.test('a cache hit and a cache miss give the same answer', async (t) => {
  const app = makeApp()
  const as = (authorization: string) => ({ headers: { authorization } })
  const kept = await app(request('GET /open'))
  t.notOk(app(request('GET /open')) instanceof Promise, 'it is at hand')
  t.equal((await app(request('GET /open', as('stranger')))).status, 401)
  t.equal((await app(request('GET /open', as('Basic')))).status, 400)
  t.strictSame(await app(request('GET /open', as('plain'))), { ...kept, user: 'plain' })
  t.equal((await app(request('PUT /open'))).status, 501)
  t.equal((await app(request('GET /open?bulk=1'))).status, 200)
  t.equal((await app(request('GET /open/'))).status, 404)

  const guarded = makeApp({ authorizer: authorizerFor(true) })
  t.equal((await guarded(request('GET /open', as('plain')))).status, 200)
  t.equal((await guarded(request('GET /open'))).status, 401)
  t.equal((await guarded(request('GET /open', as('plain')))).status, 200)
})

t.test('a wrong body is refused, whether or not the answer is cached', async (t) => {
  const app = makeApp()
  await app(request('GET /open'))
  t.equal((await app(request('GET /open', { headers: json, body: '{' }))).status, 400)
})

t.test('failures are not cached', async (t) => {
  let attempts = 0
  const flaky = resource('/flaky', '.', {
    GET: open('os.list', '.', async () => {
      if (++attempts < 3) throw new Failure('unavailable', 'later')
      return attempts
    }),
  })
  const app = makeApp({ resources: [flaky] })
  const both = await Promise.all([app(request('GET /flaky')), app(request('GET /flaky'))])
  t.strictSame(
    both.map(({ status }) => status),
    [503, 503],
    'those who wait for the same making share its failure',
  )
  t.equal(attempts, 1)
  t.equal((await app(request('GET /flaky'))).status, 503)
  t.equal((await app(request('GET /flaky'))).body.toString(), '3\n')
})

t.test('concurrent equal requests share one call, even if one disconnects', async (t) => {
  let finish = (_: Json) => {}
  let signal: AbortSignal | undefined
  const slow = resource('/slow', '.', {
    GET: open('os.list', '.', (call) => {
      calls.push(call)
      signal = call.signal
      return new Promise<Json>((resolve) => {
        finish = resolve
      })
    }),
  })
  const app = makeApp({ resources: [slow] })
  const client = new AbortController()
  const answers = [app(request('GET /slow', { signal: client.signal })), app(request('GET /slow'))]
  await new Promise(setImmediate)
  client.abort()
  t.equal(signal?.aborted, false)
  finish('done')
  for (const answer of answers) t.equal((await answer).body.toString(), '"done"\n')
  t.equal(calls.length, 1)
})

t.test('an answer made during a change of state is not cached', async (t) => {
  const state = { generation: 1 }
  let finish = (_: Json) => {}
  const slow = resource('/slow', '.', {
    GET: open('os.list', '.', (call) => {
      calls.push(call)
      return new Promise<Json>((resolve) => {
        finish = resolve
      })
    }),
  })
  const app = makeApp({ resources: [slow] }, state)
  const before = app(request('GET /slow'))
  await new Promise(setImmediate)
  const finishBefore = finish
  state.generation = 2
  const after = app(request('GET /slow'))
  await new Promise(setImmediate)
  finishBefore('old')
  finish('new')
  t.equal((await before).body.toString(), '"old"\n')
  t.equal((await after).body.toString(), '"new"\n')
  t.equal((await app(request('GET /slow'))).body.toString(), '"new"\n')
  t.equal(calls.length, 2)
})

t.test('a method that waits is aborted when its client disconnects', async (t) => {
  const app = makeApp()
  const client = new AbortController()
  await app(request('GET /live', { signal: client.signal }))
  client.abort()
  t.equal(calls[0]?.signal.aborted, true)
})

/** A method that ends when told to, and what it was called with. */
function held(method: (handle: (call: Call) => Promise<Json>) => Method) {
  const under: { readonly call: Call; readonly end: () => void }[] = []
  const handle = (call: Call) =>
    new Promise<Json>((resolve, reject) => {
      call.signal.addEventListener('abort', () => reject(call.signal.reason))
      under.push({ call, end: () => resolve(call.query.first('n') ?? null) })
    })
  const app = (options: Partial<AppOptions> = {}) =>
    makeApp({ resources: [...resources, resource('/held', '.', { GET: method(handle) })], ...options })
  return {
    app,
    under,
    /** Which requests are under way, by the `n` in their query string. */
    names: async () => {
      await turn()
      return under.map(({ call }) => call.query.first('n')).join('')
    },
  }
}

/** Asks for `/held?n=N` from a network. */
function ask(app: App, n: string | number, network = '192.0.2.1', signal = never()) {
  return app({ ...request(`GET /held?n=${n}`, { signal }), network })
}

t.test('requests at once are limited, to three quarters for one network', async (t) => {
  for (const [kind, method] of [
    ['kept', (handle: (call: Call) => Promise<Json>) => open('os.list', '.', handle)],
    ['live', (handle: (call: Call) => Promise<Json>) => live(needing([]), '.', handle)],
  ] as const) {
    const { app: make, under, names } = held(method)
    const app = make({ maxClients: 4 })
    const answers = [...'abcde'].map((name) => ask(app, name))
    t.equal(await names(), 'abc', kind)
    answers.push(ask(app, 'x', '192.0.2.2'), ask(app, 'y', '192.0.2.3'))
    t.equal(await names(), 'abcx')
    under[0]?.end()
    t.equal(await names(), 'abcxd')
    under[1]?.end()
    t.equal(await names(), 'abcxdy', 'networks take turns')
    under[2]?.end()
    t.equal(await names(), 'abcxdye')
    for (const { end } of under) end()
    for (const answer of answers) t.equal((await answer).status, 200)
  }
})

t.test('a cached answer needs no place', async (t) => {
  const { app: make, under, names } = held((handle) => live(needing([]), '.', handle))
  const app = make({ maxClients: 1 })
  await app(request('GET /guarded', { headers: { authorization: 'reader' } }))
  const held1 = ask(app, 1)
  t.equal(await names(), '1')
  t.equal((await app(request('GET /guarded', { headers: { authorization: 'reader' } }))).status, 200)
  under[0]?.end()
  t.equal((await held1).status, 200)
})

t.test('a request that gets its place uses an answer that was cached while it waited', async (t) => {
  const { app: make, under, names } = held((handle) => open('os.list', '.', handle))
  const app = make({ maxClients: 1 })
  const answers = [ask(app, 1), ask(app, 1), ask(app, 1)]
  t.equal(await names(), '1')
  under[0]?.end()
  for (const answer of answers) t.equal((await answer).status, 200)
  t.equal(under.length, 1)
})

t.test('a request that waited for a place is answered from the state after waiting', async (t) => {
  const state = { generation: 1 }
  const { app: make, under, names } = held((handle) => open('os.list', '.', handle))
  const app = make({ maxClients: 1, backend: () => ({ ...state }) as Backend })
  const answers = [ask(app, 1), ask(app, 2)]
  await names()
  state.generation = 2
  await app(request('GET /version-of-nothing'))
  under[0]?.end()
  t.equal(await names(), '12')
  t.equal(under[1]?.call.backend.generation, 2)
  under[1]?.end()
  for (const answer of answers) t.equal((await answer).status, 200)
})

t.test('with a thousand requests waiting, the answer is 503 with the reason', async (t) => {
  const { app: make, under, names } = held((handle) => live(needing([]), '.', handle))
  const app = make({ maxClients: 1 })
  const answers = Array.from({ length: 1001 }, (_, n) => ask(app, n))
  const refused = await ask(app, 'late')
  t.equal(refused.status, 503)
  t.match(JSON.parse(refused.body.toString()).message, /^Too many requests wait/)
  t.equal(await names(), '0')
  const other = ask(app, 'other', '192.0.2.2')
  t.equal((await answers[1000])?.status, 503, 'a network with less has room at the cost of the one with most')
  let ended = 0
  for (; ended < under.length; await turn()) under[ended++]?.end()
  t.equal((await other).status, 200)
})

t.test('a request whose client disconnects while it waits for a place is not handled', async (t) => {
  const { app: make, under, names } = held((handle) => live(needing([]), '.', handle))
  const app = make({ maxClients: 1 })
  const client = new AbortController()
  const answers = [ask(app, 1), ask(app, 2, '192.0.2.1', client.signal), ask(app, 3)]
  t.equal(await names(), '1')
  client.abort()
  t.equal((await answers[1])?.status, 503)
  under[0]?.end()
  t.equal(await names(), '13')
  under[1]?.end()
  t.equal((await answers[2])?.status, 200)
})

t.test('who has only closed its sending side is answered where nothing needs waiting', async (t) => {
  const app = makeApp({ maxClients: 1 })
  for (const target of ['/open', '/live', '/named/a'])
    t.equal(
      (await app(request(`GET ${target}`, { signal: AbortSignal.abort(), lost: never() }))).status,
      200,
      target,
    )
})

t.test('nor does it wait in vain where a small answer takes long', async (t) => {
  const slow = resource('/slow', '.', {
    GET: open('os.list', '.', async () =>
      lazyMap([1, 2, 3], (number) => {
        const begun = performance.now()
        while (performance.now() - begun < 5);
        return number
      }),
    ),
  })
  const app = makeApp({ resources: [slow] })
  const response = await app(request('GET /slow', { signal: AbortSignal.abort(), lost: never() }))
  t.equal(response.body.toString(), '[1, 2, 3]\n')
})

const waiting = (handle: (call: Call) => Promise<Json>) => ({ ...live(needing([]), '.', handle), waits: 10 })

t.test('those who wait for something to happen take no places of those who are worked on', async (t) => {
  const { app: make, under, names } = held(waiting)
  const app = make({ maxClients: 1, maxWaits: 4 })
  const answers = [...'abcd'].map((name) => ask(app, name))
  t.equal(await names(), 'abc', 'but there are only so many, a quarter of them for others')
  answers.push(ask(app, 'x', '192.0.2.2'))
  t.equal(await names(), 'abcx')
  t.ok(under.every(({ call }) => call.patience > 9 && call.patience <= 10))
  t.equal((await app(request('GET /live'))).status, 200)
  under[0]?.end()
  t.equal(await names(), 'abcxd')
  for (const { end } of under) end()
  for (const answer of answers) t.equal((await answer).status, 200)
})

t.test('one network has at most 256 of the places to wait in', async (t) => {
  const { app: make, under } = held(waiting)
  const app = make()
  const answers = Array.from({ length: 257 }, (_, n) => ask(app, n))
  answers.push(ask(app, 'x', '192.0.2.2'))
  await turn()
  t.equal(under.length, 257)
  t.equal(under.at(-1)?.call.query.first('n'), 'x')
  for (const { end } of under) end()
  await turn()
  under.at(-1)?.end()
  await Promise.all(answers)
})

t.test('who gets no place to wait in hears in the end how things are', async (t) => {
  const brief = (handle: (call: Call) => Promise<Json>) => ({ ...live(needing([]), '.', handle), waits: 0.3 })
  const { app: make, under } = held(brief)
  const app = make({ maxWaits: 1 })
  const answers = [ask(app, 1), ask(app, 2)]
  await until(() => under.length > 1)
  t.ok((under[0]?.call.patience ?? 0) > 0)
  t.equal(under[1]?.call.patience, 0)
  for (const { end } of under) end()
  for (const answer of answers) t.equal((await answer).status, 200)
})

t.test('who hangs up no longer waits for a place to wait in', async (t) => {
  const { app: make, under, names } = held(waiting)
  const app = make({ maxWaits: 1 })
  const client = new AbortController()
  const answers = [ask(app, 1), ask(app, 2, '192.0.2.1', client.signal), ask(app, 3)]
  t.equal(await names(), '1')
  client.abort()
  t.equal((await answers[1])?.status, 503)
  under[0]?.end()
  t.equal(await names(), '13')
  under[1]?.end()
  await Promise.all(answers)
})

t.test('a client that asks for neither gets no more than an entity tag', async (t) => {
  const app = makeApp()
  const small = await app(request('GET /open'))
  t.match(small.headers, ['ETag', /^"[\w-]{22}"$/])
  t.equal(small.headers.length, 2)
  t.equal(header(await app(request('GET /wide')), 'Content-Encoding'), undefined)
})

t.test('an entity tag changes with the bytes and only with them', async (t) => {
  const state = { generation: 1 }
  const app = makeApp({}, state)
  const etag = async (target: string) => header(await app(request(`GET ${target}`)), 'ETag')
  const before = await etag('/wide')
  state.generation = 2
  t.equal(await etag('/wide'), before)
  t.not(await etag('/named/a'), await etag('/named/b'))
})

t.test('who has the answer already gets 304 and nothing else', async (t) => {
  const app = makeApp()
  const etag = header(await app(request('GET /wide')), 'ETag') ?? ''
  const zipped = etag.replace(/"$/, '-gzip"')
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, `"x",${etag} , "y"`, '*', zipped]) {
    const response = await app(request('GET /wide', { headers: { 'if-none-match': known } }))
    t.equal(response.status, 304, known)
    t.equal(response.body.length, 0)
    t.strictSame(response.headers, ['ETag', etag, 'Vary', 'Accept-Encoding'])
  }
  for (const unknown of ['', '"x"', etag.replaceAll('"', ''), '"*"']) {
    const response = await app(request('GET /wide', { headers: { 'if-none-match': unknown } }))
    t.equal(response.status, 200, unknown)
  }
  const both = { 'if-none-match': etag, 'accept-encoding': 'gzip' }
  t.equal(header(await app(request('GET /wide', { headers: both })), 'ETag'), zipped)
})

t.test('who asks for gzip gets it, from 1 KiB on', async (t) => {
  const app = makeApp()
  const plain = await app(request('GET /wide'))
  t.equal(header(plain, 'Vary'), 'Accept-Encoding')
  for (const asked of ['gzip', 'deflate, gzip;q=0.5', 'GZIP', 'br,gzip;q=1.0,*;q=0']) {
    const response = await app(request('GET /wide', { headers: { 'accept-encoding': asked } }))
    t.equal(header(response, 'Content-Encoding'), 'gzip', asked)
    t.equal(header(response, 'Vary'), 'Accept-Encoding')
    t.not(header(response, 'ETag'), header(plain, 'ETag'))
    t.equal(gunzipSync(response.body).toString(), plain.body.toString())
  }
  for (const asked of ['', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.000', 'xgzip', '*']) {
    const response = await app(request('GET /wide', { headers: { 'accept-encoding': asked } }))
    t.equal(header(response, 'Content-Encoding'), undefined, asked)
  }
  const small = await app(request('GET /open', { headers: { 'accept-encoding': 'gzip' } }))
  t.equal(header(small, 'Content-Encoding'), undefined)
  t.equal(header(small, 'Vary'), undefined)
})

t.test('compressing is done once', async (t) => {
  const app = makeApp()
  const ask = () => app(request('GET /wide', { headers: { 'accept-encoding': 'gzip' } }))
  const [one, other] = await Promise.all([ask(), ask()])
  t.equal(one?.body, other?.body)
  t.equal((await ask()).body, one?.body)
})

t.test('what is kept stays within its bytes', async (t) => {
  const app = makeApp({ cacheBytes: 20_000 })
  const { body } = await app(request('GET /wide'))
  t.ok(body.length > 4000)
  t.equal((await app(request('GET /wide'))).body, body, 'kept')
  for (let n = 0; n < 100; n++) await app(request(`GET /open?${n}`))
  t.not((await app(request('GET /wide'))).body, body, 'had to go')

  const tiny = makeApp({ cacheBytes: 1000 })
  await tiny(request('GET /wide'))
  await tiny(request('GET /wide'))
  t.equal(calls.length, 2, 'what does not fit at all is made each time')
})

t.test('a table in which two paths fit one URL is refused at once', async (t) => {
  t.throws(
    () => makeApp({ resources: [...resources, resource('/open', '', {})] }),
    /Two resources for one URL/,
  )
})

t.test('while the master daemon is away, an older state answers open reads', async (t) => {
  const asOf = new Date('2026-11-22T05:14:22Z')
  const older = { generation: 1 } as Backend
  let away: unknown = new Failure('no-master', 'nobody listens')
  const app = createApp({
    resources: [
      ...resources,
      resource('/state/{name}', 'Cluster state.', {
        GET: open('os.list', 'Gives it.', async ({ backend, params }) => {
          if (backend !== older) throw away
          if (params.name === 'new') throw new Failure('not-found', 'not yet')
          return 'older'
        }),
      }),
      resource('/rights', 'Needs a right.', {
        GET: guarded(needing(['read']), 'Gives it.', async () => {
          throw away
        }),
      }),
      resource('/jobs', 'Not of the state.', {
        GET: live(needing([]), 'Gives it.', async () => {
          throw away
        }),
      }),
      resource('/job-files', 'Of the jobs, of which there are files.', {
        GET: {
          ...live(needing([]), 'Gives it.', async ({ backend }) => {
            if (backend !== older) throw away
            return 'older'
          }),
          ofJobFiles: true,
        },
      }),
    ],
    backend: () => ({ generation: null }) as Backend,
    staleState: async (ofJobs) => ({
      backend: older,
      asOf: ofJobs ? new Date('2026-11-22T06:00:00Z') : asOf,
      serial: 27,
    }),
    authorizer: authorizerFor(),
  })
  const stale = await app(request('GET /state/x'))
  t.equal(stale.status, 200)
  t.equal(String(stale.body), '"older"\n')
  t.equal(header(stale, 'Ganeti-State-As-Of'), 'Sun, 22 Nov 2026 05:14:22 GMT')
  t.equal(header(stale, 'Ganeti-Config-Serial'), '27')
  for (const [directives, status] of [
    ['no-cache', 502],
    ['max-age=0, No-Cache', 502],
    ['max-age=0', 200],
  ] as const) {
    const headers = { 'cache-control': directives }
    t.equal((await app(request('GET /state/x', { headers }))).status, status, directives)
  }
  const unknown = await app(request('GET /state/new'))
  t.equal(unknown.status, 404)
  t.equal(
    header(unknown, 'Ganeti-State-As-Of'),
    'Sun, 22 Nov 2026 05:14:22 GMT',
    'may be but newer than that',
  )

  t.equal((await app(request('GET /rights', { headers: { authorization: 'reader' } }))).status, 502)
  t.equal((await app(request('GET /jobs'))).status, 502)
  const ofFiles = await app(request('GET /job-files'))
  t.equal(
    header(ofFiles, 'Ganeti-State-As-Of'),
    'Sun, 22 Nov 2026 06:00:00 GMT',
    'jobs have a time of their own',
  )
  const live200 = await app(request('GET /open'))
  t.equal(header(live200, 'Ganeti-State-As-Of'), undefined, 'what needs no master daemon is not marked')

  away = new Failure('no-answer', 'not in time')
  t.equal((await app(request('GET /state/x'))).status, 200)
  away = new Failure('unavailable', 'Queue drained')
  t.equal((await app(request('GET /state/x'))).status, 503, 'a master daemon that refuses is not away')
})

t.test('without an older state to be had, that the master daemon is away is the answer', async (t) => {
  const away = resource('/state', 'Cluster state.', {
    GET: open('os.list', 'Gives it.', async () => {
      throw new Failure('no-master', 'nobody listens')
    }),
  })
  const options = {
    resources: [away],
    backend: () => ({ generation: null }) as Backend,
    authorizer: authorizerFor(),
  }
  t.equal((await createApp(options)(request('GET /state'))).status, 502)
  const staleState = async () => {
    throw new Failure('configuration', 'cannot read config.data')
  }
  const response = await createApp({ ...options, staleState })(request('GET /state'))
  t.equal(response.status, 502)
  t.match(response.cause, { message: 'nobody listens', cause: { message: 'cannot read config.data' } })
})

t.test('a body nests a hundred levels at most, whatever the method', async (t) => {
  const app = makeApp()
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const ask = (line: string, body: string) =>
    app(request(line, { headers: { ...json, authorization: 'writer' }, body }))
  t.equal((await ask('PUT /guarded', nested(100))).status, 200)
  for (const line of ['PUT /guarded', 'GET /open']) {
    for (const body of [nested(101), nested(2000), '{"a":'.repeat(500)]) {
      const { status, body: answer } = await ask(line, body)
      t.equal(status, 400)
      t.match(JSON.parse(answer.toString()).message, 'JSON nested more than 100 levels deep')
    }
  }
})

t.test('a body that costs more than its length shows is refused with the reason', async (t) => {
  const app = makeApp({ resources: [uploads] })
  const ask = (body: string) => app(request('PUT /upload', { headers: json, body }))
  for (const [body, reason] of [
    [`[${'[],'.repeat(1_000_000)}0]`, 'JSON of more than 250000 values'],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`a${n}`, n]))),
      'JSON with an object of more than 10000 members',
    ],
    [`["${'a'.repeat(2_000_000)}"]`, 'JSON with a value of more than 1048576 bytes'],
  ] as const) {
    const { status, body: answer } = await ask(body)
    t.equal(status, 413)
    t.equal(JSON.parse(answer.toString()).message, reason)
  }
})

/** A method that gives back what it was sent. */
const mirror = resource('/mirror', 'Says the same.', {
  PUT: {
    ...live(needing([]), 'Says it.', async ({ body }) => ({ got: body ?? null })),
    bodyLimit: 8 * 1024 * 1024,
  },
})

t.test('long bodies come out as short ones do', async (t) => {
  const app = makeApp({ resources: [mirror] })
  const ask = (body: string | Buffer) => app(request('PUT /mirror', { headers: json, body }))
  const long = JSON.stringify({ a: Array.from({ length: 10_000 }, (_, n) => ({ n, text: 'ä€' })), b: 1 })
  const { status, body } = await ask(long)
  t.equal(status, 200)
  t.strictSame(JSON.parse(body.toString()), { got: JSON.parse(long) })
  t.equal((await ask(long.slice(0, -1))).status, 400)
  t.equal((await ask(Buffer.from(long.replace('ä', '\xe4'), 'latin1'))).status, 400)
})
