/** Streams of events as clients meet them: limits, rights, and what EventSource makes of an answer. */
import t, { type Test } from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers, type UserList } from '../../lib/auth/users-file.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { createApp } from '../../lib/http/app.ts'
import { EventStreams } from '../../lib/http/event-streams.ts'
import { resources } from '../../lib/resources/table.ts'
import { jobEvent, parseEvents, type Told, testHub } from '../events/hub.ts'
import { until } from '../support/until.ts'
import { RawClient } from './raw-client.ts'
import { serve } from './serve.ts'

const USERS = `
alice pw @admin
bob pw @readonly
jobs pw jobs.list,jobs.query
onlylist pw jobs.list
nodes pw nodes.list
old pw
`

interface Following {
  readonly client: RawClient
  readonly told: () => Told[]
  readonly short: () => string[]
}

async function streams(
  t: Test,
  { most, anonymousReads = true }: { most?: number; anonymousReads?: boolean } = {},
) {
  const { source, hub } = testHub()
  let users: UserList = parseUsers(USERS)
  const authorizer = createAuthorizer({ users: () => users, requireAuthentication: false, anonymousReads })
  const logged: string[] = []
  const events = new EventStreams({
    hub,
    authorizer,
    log: (message) => logged.push(message),
    ...(most !== undefined && { most }),
  })
  const app = createApp({
    resources,
    // Nobody asks it for more.
    backend: () => ({ generation: null }) as Backend,
    authorizer,
    events,
  })
  const { port, log, server } = await serve(t, app)
  t.teardown(() => hub.close('shutdown'))
  const request = async (target: string, user?: string, headers = '', localAddress?: string) => {
    const client = await RawClient.connect(port, '127.0.0.1', localAddress)
    t.teardown(() => client.socket.destroy())
    const credentials = user && `Authorization: Basic ${Buffer.from(`${user}:pw`).toString('base64')}\r\n`
    client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n${credentials ?? ''}${headers}\r\n`)
    return client
  }
  /** Follows events, once it is told that it does. */
  const follow = async (target = '/2/events', user?: string, localAddress?: string): Promise<Following> => {
    const client = await request(target, user, '', localAddress)
    const told = () => parseEvents(unchunked(client.received.toString()))
    await until(() => told().some(({ type }) => type === 'ready'))
    return {
      client,
      told,
      short: () => told().map(({ type, data }) => `${type} ${data.reason ?? data.id ?? ''}`),
    }
  }
  const status = async (target: string, user?: string, headers?: string) =>
    Number(/^HTTP\/1.1 (\d+)/.exec((await answerTo(await request(target, user, headers))) ?? '')?.[1])
  return {
    source,
    hub,
    request,
    follow,
    status,
    log,
    logged,
    server,
    setUsers: (text: string) => {
      users = parseUsers(text)
      events.usersChanged()
    },
  }
}

/** The head of an answer. */
async function answerTo(client: RawClient): Promise<string> {
  await until(() => client.received.includes('\r\n\r\n'))
  return client.received.toString()
}

/** The body of a chunked answer, as far as it has come. */
function unchunked(text: string): string {
  const [, body = ''] = text.split(/\r\n\r\n(.*)/s)
  return body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '')
}

t.test('the answer is a stream of events that nothing on the way holds back', async (t) => {
  const { follow, source, logged, log } = await streams(t)
  const { client, short } = await follow()
  const [head = ''] = client.received.toString().split('\r\n\r\n')
  t.match(head, /^HTTP\/1.1 200 OK\r\n/)
  for (const line of [
    'Content-Type: text/event-stream',
    'Cache-Control: no-store',
    'X-Accel-Buffering: no',
    'X-Content-Type-Options: nosniff',
  ])
    t.ok(head.includes(`\r\n${line}`), line)
  t.match(unchunked(client.received.toString()), /^retry: 2000\n\nevent: hello\n/)
  source.emit(jobEvent(1, 'queued'))
  await until(() => short().includes('job 1'))
  client.socket.destroy()
  await until(() => logged.length > 0)
  t.match(logged, [/^127\.0\.0\.1:\d+ events ended after \d+\.\d s: the client has left$/])
  t.strictSame(log(), ['GET /2/events HTTP/1.1 200'])
})

t.test('wrong parameters are errors, with which no client should come again', async (t) => {
  const { status } = await streams(t)
  for (const query of [
    'types=jobs',
    'types=job,,node',
    'job=x',
    'job=-1',
    `job=${'1,'.repeat(1000)}1`,
    'snapshot=x',
    'heartbeat=4',
    'heartbeat=61',
    'heartbeat=1e1',
    'end=1',
    `instance=${'a'.repeat(256)}`,
  ])
    t.equal(await status(`/2/events?${query}`), 400, query.slice(0, 40))
})

t.test('of types the user is told those whose permission it has', async (t) => {
  const { follow, status } = await streams(t, { anonymousReads: false })
  t.equal(await status('/2/events'), 401)
  t.equal(await status('/2/events', 'onlylist'), 403, 'who may see nothing')
  t.equal(await status('/2/events', 'old'), 403)
  const all = ['job', 'instance', 'node', 'group', 'network', 'cluster']
  for (const [user, types] of [
    ['alice', all],
    ['bob', all],
    ['jobs', ['job']],
    ['nodes', ['node']],
  ] as const) {
    const [hello] = (await follow('/2/events', user)).told()
    t.strictSame(hello?.data.types, types, user)
    const denied = all.filter((type) => !(types as readonly string[]).includes(type))
    t.strictSame(hello?.data.denied, denied.length > 0 ? denied : undefined, user)
    t.equal('cluster' in (hello?.data ?? {}), types.length > 1, user)
  }
  t.equal(await status('/2/events?types=job,node', 'jobs'), 403, 'a type that is named must be allowed')
  t.equal(await status('/2/events?types=joblog', 'jobs'), 200)
  t.equal(await status('/2/events?types=joblog', 'onlylist'), 403)
  t.equal(await status('/2/events?types=node', 'nodes'), 200)
  t.equal(await status('/2/events?types=node'), 401)
  t.equal(await status('/2/events?types=state', 'jobs'), 403)
})

t.test('where reads are open to strangers, events are', async (t) => {
  const { follow } = await streams(t)
  for (const user of [undefined, 'old']) {
    const [hello] = (await follow('/2/events', user)).told()
    t.match(hello?.data, { types: ['job', 'instance', 'node', 'group', 'network', 'cluster'] })
  }
})

t.test('when the users file changes, rights are checked again before anything more is told', async (t) => {
  const { follow, source, setUsers, hub } = await streams(t, { anonymousReads: false })
  const alice = await follow('/2/events', 'alice')
  const bob = await follow('/2/events', 'bob')
  const jobs = await follow('/2/events', 'jobs')
  const nodes = await follow('/2/events', 'nodes')
  setUsers('alice pw @admin\nbob other @readonly\njobs pw @readonly\n')
  source.emit(jobEvent(1, 'queued'))
  await until(() => [bob, jobs, nodes].every(({ short }) => short().at(-1) === 'end rights'))
  for (const one of [bob, jobs, nodes]) t.notOk(one.short().includes('job 1'))
  await until(() => alice.short().includes('job 1'))
  t.equal(hub.size, 1)
  t.equal(hub.ended.get('rights'), 3)
})

t.test('they have a limit of their own, of which one user or network has a sixteenth', async (t) => {
  const { follow, status, request } = await streams(t, { most: 32 })
  await follow('/2/events', 'alice')
  const last = await follow('/2/events', 'alice')
  t.equal(await status('/2/events', 'alice'), 503)
  t.match(await answerTo(await request('/2/events', 'alice')), /\r\nRetry-After: 30\r\n/)
  const client = await request('/2/events', 'alice', 'Accept: text/event-stream\r\n')
  const answer = await client.response()
  t.equal(answer?.status, 200, 'an EventSource would not come again after an error')
  t.equal(answer?.body.toString(), 'retry: 30000\n\nevent: end\ndata: {"reason":"busy"}\n\n')
  await follow('/2/events', 'bob')
  await follow('/2/events')
  await follow('/2/events')
  t.equal(await status('/2/events'), 503, 'strangers count by network')
  await follow('/2/events', undefined, '127.0.0.2')
  last.client.socket.destroy()
  await until(() => last.client.socket.destroyed)
  await follow('/2/events', 'alice')
})

t.test('there may be none at all', async (t) => {
  const { status } = await streams(t, { most: 0 })
  t.equal(await status('/2/events'), 503)
})

t.test('a server that closes ends them with a word', async (t) => {
  const { follow, server } = await streams(t)
  const { client, short } = await follow()
  const closing = server.close(10_000)
  await client.closed
  client.socket.destroy()
  await closing
  t.equal(short().at(-1), 'end shutdown')
})

t.test('the id to go on from may be in the header or the query', async (t) => {
  const { follow, source, request } = await streams(t)
  const first = await follow()
  source.emit(jobEvent(1, 'queued'))
  await until(() => first.short().includes('job 1'))
  const id = first.told().at(-1)?.id
  source.emit(jobEvent(2, 'queued'))
  const byQuery = await follow(`/2/events?since=${id}`)
  await until(() => byQuery.short().includes('job 2'))
  t.notOk(byQuery.short().includes('job 1'))
  const client = await request('/2/events?since=nonsense', undefined, `Last-Event-ID: ${id}\r\n`)
  await until(() => client.received.includes('"id":2'))
  t.notMatch(client.received.toString(), 'event: reset', 'EventSource sends its header beside the first URL')
})

t.test('a burst of thousands of events reaches every client whole', async (t) => {
  const { follow, source } = await streams(t)
  const clients = await Promise.all([1, 2, 3, 4].map(() => follow()))
  for (let id = 1; id <= 5000; id++) {
    source.emit(jobEvent(id, 'queued'))
    source.emit(jobEvent(id, 'success'))
  }
  await until(() => clients.every(({ client }) => client.received.includes('"id":5000,"status":"success"')))
  for (const { told } of clients) {
    const jobs = told().filter(({ type }) => type === 'job')
    t.equal(jobs.length, 10_000)
    t.ok(jobs.every(({ data }, place) => data.id === Math.floor(place / 2) + 1))
  }
})
