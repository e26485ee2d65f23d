import t, { type Test } from 'tap'
import type { Verdict } from '../../lib/auth/verdict.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { type AppOptions, createApp } from '../../lib/http/app.ts'
import { LargeAnswers, LargeBody } from '../../lib/http/large-answers.ts'
import type { App, Response } from '../../lib/http/message.ts'
import type { Json } from '../../lib/json/json.ts'
import { type Call, live, type Method, open, resource } from '../../lib/resources/resource.ts'
import { needing } from '../support/needing.ts'
import { until } from '../support/until.ts'

const LARGE = 'x'.repeat(1024 * 1024)

/** What there is to do at once has been done, encoding a few megabytes included. */
async function turns(): Promise<void> {
  for (let count = 0; count < 50; count++) await new Promise(setImmediate)
}

function never(): AbortSignal {
  return new AbortController().signal
}

/** An application with a method whose answers are large, and are made when told to. */
function scene(method: (handle: (call: Call) => Promise<Json>) => Method, options: Partial<AppOptions> = {}) {
  const under: { readonly name: string; readonly call: Call; readonly end: () => void }[] = []
  const handle = (call: Call) =>
    new Promise<Json>((resolve, reject) => {
      call.signal.addEventListener('abort', () => reject(call.signal.reason))
      const name = call.query.first('n') ?? ''
      under.push({ name, call, end: () => resolve(name.startsWith('small') ? name : LARGE + name) })
    })
  const state = { generation: 1 }
  const app = createApp({
    resources: [
      resource('/large', '.', { GET: { ...method(handle), large: () => true } }),
      resource('/small', '.', { GET: live(needing([]), '.', async () => 'small') }),
    ],
    backend: () => state as Backend,
    authorizer: {
      requireAuthentication: false,
      authorizeNow: () => undefined,
      authorize: async (): Promise<Verdict> => ({ kind: 'granted' }),
      within: () => [],
    },
    ...options,
  })
  const end = async (...names: string[]) => {
    await until(() => names.every((name) => under.some((one) => one.name === name)))
    for (const one of under) if (names.includes(one.name)) one.end()
    await turns()
  }
  /** Looks that these have begun to be made, in their order, and no others. */
  const begun = async (t: Test, names: string, claim = names) => {
    await until(() => under.length >= names.split(' ').length)
    await turns()
    t.equal(under.map(({ name }) => name).join(' '), names, claim)
  }
  return { app, state, under, begun, end }
}

function get(app: App, target: string, network = '192.0.2.1', signal = never()) {
  return app({
    method: 'GET',
    target,
    headers: {},
    network,
    bodyLength: 0,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => Buffer.alloc(0),
    signal,
    lost: signal,
  })
}

const ask = (app: App, name: string, network?: string, signal?: AbortSignal) =>
  get(app, `/large?n=${name}`, network, signal)

const lives = (handle: (call: Call) => Promise<Json>) => live(needing([]), '.', handle)
const kept = (handle: (call: Call) => Promise<Json>) => open('os.list', '.', handle)

async function take(answer: Response | Promise<Response>): Promise<Response> {
  const response = await answer
  response.release?.()
  return response
}

t.test('large answers are made two at a time, without delaying other requests', async (t) => {
  const { app, begun, end } = scene(lives, { maxClients: 3 })
  const answers = ['a', 'b', 'c'].map((name, place) => ask(app, name, `192.0.2.${place}`))
  await begun(t, 'a b')
  await end('a')
  await begun(t, 'a b c')
  t.equal(
    (await get(app, '/small')).status,
    200,
    'those who wait for their turn hold no place of the clients',
  )
  await end('b', 'c')
  for (const answer of answers) t.equal((await take(answer)).status, 200)
})

t.test('six large answers are in memory, two of one network, until they are read', async (t) => {
  const { app, begun, end } = scene(lives)
  const of = (network: number, ...names: string[]) =>
    names.map((name) => ask(app, name, `192.0.2.${network}`))
  const all = [...of(1, 'a1', 'a2', 'a3'), ...of(2, 'b1', 'b2'), ...of(3, 'c1', 'c2'), ...of(4, 'd1')]
  // Networks take turns to have one made.
  await end('a1', 'a2')
  await begun(t, 'a1 a2 b1 c1')
  await end('b1', 'c1')
  await begun(t, 'a1 a2 b1 c1 b2 c2')
  await end('b2', 'c2')
  const first = await all[0]
  t.equal(first?.body.length, LARGE.length + 5)
  await begun(t, 'a1 a2 b1 c1 b2 c2', 'the rest waits for clients that take their time')
  const third = await all[3]
  third?.release?.()
  await begun(t, 'a1 a2 b1 c1 b2 c2 d1')
  first?.release?.()
  first?.release?.()
  await begun(t, 'a1 a2 b1 c1 b2 c2 d1 a3', 'one release is one place')
  await end('a3', 'd1')
  for (const answer of all) t.equal((await take(answer)).status, 200)
})

t.test('an answer that is small, or fails, releases its place at once', async (t) => {
  const { app, under, begun, end } = scene(lives)
  const answers = ['small1', 'small2', 'small3'].map((name) => ask(app, name))
  await begun(t, 'small1 small2')
  await end('small1')
  await begun(t, 'small1 small2 small3')
  t.equal((await answers[0])?.release, undefined)
  await end('small2', 'small3')
  const client = new AbortController()
  const gone = ask(app, 'gone', undefined, client.signal)
  await begun(t, 'small1 small2 small3 gone')
  client.abort()
  t.equal((await gone).status, 503)
  t.ok(under.at(-1)?.call.signal.aborted)
  const more = ['d', 'e'].map((name) => ask(app, name))
  await begun(t, 'small1 small2 small3 gone d e')
  await end('d', 'e')
  for (const answer of [...answers, ...more]) await take(answer)
})

t.test('a client that disconnects leaves the queue for large answers', async (t) => {
  const { app, begun, end } = scene(lives)
  const client = new AbortController()
  const answers = ['a', 'b'].map((name) => ask(app, name))
  const gone = ask(app, 'gone', undefined, client.signal)
  answers.push(ask(app, 'c'))
  await begun(t, 'a b')
  client.abort()
  t.equal((await gone).status, 503)
  await end('a')
  await take(answers[0] as Promise<Response>)
  await begun(t, 'a b c')
  await end('b', 'c')
  for (const answer of answers) await take(answer)
})

t.test('a cached large answer needs no place, for any number of readers', async (t) => {
  const { app, begun, end } = scene(kept)
  const many = Array.from({ length: 20 }, () => ask(app, 'a'))
  await begun(t, 'a', 'it is made once')
  await end('a')
  const taking = await Promise.all(many)
  for (let count = 0; count < 20; count++) taking.push(await ask(app, 'a'))
  const others = ['b', 'c'].map((name) => ask(app, name))
  await begun(t, 'a b c')
  await end('b', 'c')
  for (const response of [...taking, ...others]) t.equal((await take(response)).status, 200)
})

t.test('an answer evicted from the cache counts until its clients have read it', async (t) => {
  const answers = new LargeAnswers()
  const body = new LargeBody(answers, undefined)
  t.equal(answers.held, 1)
  body.isCached = true
  t.equal(answers.held, 0)
  const readers = [body.addReader(), body.addReader()]
  t.equal(answers.held, 0)
  body.isCached = false
  t.equal(answers.held, 1, 'one place, as it is one body')
  readers[0]?.()
  readers[0]?.()
  t.equal(answers.held, 1)
  const late = body.addReader()
  readers[1]?.()
  t.equal(answers.held, 1)
  late()
  t.equal(answers.held, 0)
  body.isCached = true
  body.isCached = false
  t.equal(answers.held, 0, 'nobody takes it')
})

t.test('answers of an older state hold places while they are read', async (t) => {
  const { app, state, begun, end } = scene(kept)
  const slow: Response[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const answer = ask(app, name)
    await end(name)
    slow.push(await answer)
  }
  state.generation = 2
  const next = ask(app, 'g')
  await begun(t, 'a b c d e f')
  slow[0]?.release?.()
  await begun(t, 'a b c d e f g')
  await end('g')
  for (const response of [...slow, next]) await take(response)
})

t.test('a 304 answer holds no place', async (t) => {
  const { app, end } = scene(kept)
  const answer = ask(app, 'a')
  await end('a')
  const first = await take(answer)
  const etag = first.headers[first.headers.indexOf('ETag') + 1]
  const known = await app({
    method: 'GET',
    target: '/large?n=a',
    headers: { 'if-none-match': etag },
    network: '192.0.2.1',
    bodyLength: 0,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => Buffer.alloc(0),
    signal: never(),
    lost: never(),
  })
  t.equal(known.status, 304)
  t.equal(known.release, undefined)
})

t.test('compressed answers hold places like others', async (t) => {
  const { app, begun, end } = scene(lives)
  const zipped = (name: string) =>
    app({
      method: 'GET',
      target: `/large?n=${name}`,
      headers: { 'accept-encoding': 'gzip' },
      network: '192.0.2.1',
      bodyLength: 0,
      id: 'r1',
      peer: '192.0.2.1:1',
      readBody: async () => Buffer.alloc(0),
      signal: never(),
      lost: never(),
    })
  const answers = ['a', 'b', 'c'].map(zipped)
  await end('a', 'b')
  const first = await answers[0]
  t.ok(first?.headers.includes('gzip'))
  await begun(t, 'a b')
  first?.release?.()
  await begun(t, 'a b c')
  await end('c')
  for (const answer of answers) await take(answer)
})
