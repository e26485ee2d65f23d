/** What is counted of requests, and how it is asked for. */
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { Health } from '../../lib/daemon/health.ts'
import { createApp } from '../../lib/http/app.ts'
import type { RequestHeaders } from '../../lib/http/message.ts'
import { MetricsPage } from '../../lib/http/metrics-page.ts'
import { createProbes } from '../../lib/http/probes.ts'
import type { Format } from '../../lib/metrics/exposition.ts'
import { HttpMetrics } from '../../lib/metrics/http-metrics.ts'
import { guarded, live, open, resource } from '../../lib/resources/resource.ts'
import { MemoryLog } from '../support/memory-log.ts'
import { needing } from '../support/needing.ts'
import { until } from '../support/until.ts'
import { RawClient } from './raw-client.ts'
import { serve } from './serve.ts'

const users = parseUsers('reader pw read\n')

const page = {
  text: async (format: Format) => Buffer.from(`${format}\n`),
}

t.test('the format is the one that a scrape accepts', async (t) => {
  const cases: readonly (readonly [accept: string | undefined, format: Format])[] = [
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
    ['application/openmetrics-text; version=0.0.1; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
  ]
  for (const [accept, format] of cases) {
    const { type, body } = await new MetricsPage(page).answer({ accept })
    t.equal(body.toString(), `${format}\n`, String(accept))
    t.equal(type?.split(';')[0], format === 'text' ? 'text/plain' : 'application/openmetrics-text')
  }
})

t.test('it is compressed if that is accepted', async (t) => {
  const { headers, body } = await new MetricsPage(page).answer({ 'accept-encoding': 'gzip' })
  t.equal(headers[headers.indexOf('Content-Encoding') + 1], 'gzip')
  t.equal(gunzipSync(body).toString(), 'text\n')
})

t.test('however many scrape, each form is made once in a second, and again after a failure', async (t) => {
  let [made, now, fails] = [0, 0, false]
  const text = async () => {
    if (fails) throw new Error('no')
    return Buffer.from(`${++made}\n`)
  }
  const { answer } = new MetricsPage({ text }, () => now)
  const bodies = async (headers: RequestHeaders) => String((await answer(headers)).body)
  t.strictSame(await Promise.all([bodies({}), bodies({}), bodies({ accept: '*/*' })]), ['1\n', '1\n', '1\n'])
  t.equal(await bodies({ accept: 'application/openmetrics-text' }), '2\n')
  now = 999
  t.equal(await bodies({}), '1\n')
  now = 1000
  t.equal(await bodies({}), '3\n')
  now = 2000
  fails = true
  await t.rejects(bodies({}), { message: 'no' })
  fails = false
  t.equal(await bodies({}), '4\n')
})

/** A server whose requests are counted, and a client that asks it. */
async function counting(
  t: Parameters<typeof serve>[0],
  closed: { requireAuthentication?: true; anonymousReads?: false } = {},
) {
  const metrics = new HttpMetrics()
  const app = createApp({
    resources: [
      resource('/open/{name}', 'Open.', {
        GET: open('os.list', 'Kept.', async () => 1),
        PUT: live(needing(['write']), 'Changes.', async () => null),
      }),
      resource('/guarded', 'Guarded.', { GET: guarded(needing(['read']), 'Kept.', async () => 2) }),
      resource('/wait', 'Waits.', { GET: { ...live(needing([]), 'Waits.', async () => 3), waits: 1 } }),
    ],
    backend: () => ({ generation: 1 }) as Backend,
    authorizer: createAuthorizer({ users: () => users, requireAuthentication: false, ...closed }),
    probes: createProbes([new Health('livez', [], new MemoryLog())]),
    metrics,
    metricsPage: new MetricsPage(page).answer,
  })
  const { port, records } = await serve(t, app, { metrics })
  const client = await RawClient.connect(port)
  const ask = async (line: string, user?: string) => {
    const before = records.length
    const header = user === undefined ? '' : `Authorization: Basic ${btoa(user)}\r\n`
    client.send(`${line} HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n${header}\r\n`)
    const response = await client.response()
    await until(() => records.length > before)
    return response
  }
  const samples = (name: string) => {
    const family = metrics.families().find((one) => one.name === name)
    return [...(family?.samples ?? [])].map(({ suffix = '', labels, value }) => [
      suffix,
      Object.values(labels).join(' '),
      value,
    ])
  }
  return { metrics, ask, samples, close: () => client.socket.destroy() }
}

t.test('requests are counted by method, route and status, also those answered from the cache', async (t) => {
  const { ask, samples, metrics, close } = await counting(t)
  for (const line of ['GET /open/a', 'GET /open/a', 'GET /open/a', 'GET /open/b']) await ask(line)
  await ask('GET /open/%00secret')
  await ask('DELETE /open/a')
  await ask('PATCH /open/a')
  await ask('PUT /open/a')
  await ask('GET /wait')
  await ask('GET /livez')
  await ask('GET /livez/nope?x')
  t.strictSame(samples('ganeti_rapi_http_requests').sort(), [
    ['_total', 'DELETE /open/{name} 501', 1],
    ['_total', 'GET /livez 200', 1],
    ['_total', 'GET /livez 404', 1],
    ['_total', 'GET /open/{name} 200', 4],
    ['_total', 'GET /wait 200', 1],
    ['_total', 'PUT /open/{name} 401', 1],
    ['_total', 'other /open/{name} 501', 1],
    ['_total', 'other unknown 404', 1],
  ])
  const counts = samples('ganeti_rapi_http_request_duration_seconds').filter(
    ([suffix]) => suffix === '_count',
  )
  t.strictSame(
    counts.map(([, labels]) => labels).filter((labels) => String(labels).includes('wait')),
    [],
    'no durations of what waits',
  )
  t.ok(counts.some(([, labels, count]) => labels === 'GET /open/{name}' && count === 4))
  t.equal(metrics.cacheHits, 2)
  t.equal(metrics.cacheMisses, 3)
  t.ok(metrics.cacheBytes() > 0)
  t.strictSame(metrics.inFlight, { read: 0, write: 0, wait: 0 })
  t.strictSame(samples('ganeti_rapi_connections'), [
    ['', 'active', 0],
    ['', 'idle', 1],
    ['', 'waiting', 0],
    ['', 'stream', 0],
  ])
  close()
})

t.test('results of authentication are counted, and nobody is named', async (t) => {
  const { ask, samples, close } = await counting(t)
  await ask('GET /guarded', 'reader:pw')
  await ask('GET /guarded', 'reader:wrong')
  await ask('PUT /open/a', 'reader:pw')
  await ask('GET /guarded')
  t.strictSame(samples('ganeti_rapi_authentications').sort(), [
    ['_total', 'forbidden', 1],
    ['_total', 'ok', 1],
    ['_total', 'wrong', 1],
  ])
  close()
})

t.test('/metrics is open as other reads are, and is no resource of the API', async (t) => {
  const all = await counting(t)
  t.equal((await all.ask('GET /metrics'))?.body.toString(), 'text\n')
  t.equal((await all.ask('GET /metrics?x=y'))?.status, 200)
  t.equal((await all.ask('GET /metrics', 'reader:wrong'))?.status, 401)
  t.equal((await all.ask('PUT /metrics'))?.status, 501)
  t.equal((await all.ask('GET /metrics/'))?.status, 404)
  t.strictSame(all.samples('ganeti_rapi_http_requests').sort(), [
    ['_total', 'GET /metrics 200', 2],
    ['_total', 'GET /metrics 401', 1],
    ['_total', 'PUT /metrics 501', 1],
    ['_total', 'other unknown 404', 1],
  ])
  all.close()
  const some = await counting(t, { requireAuthentication: true })
  t.equal((await some.ask('GET /metrics'))?.status, 401)
  t.equal((await some.ask('GET /metrics', 'reader:pw'))?.status, 200)
  some.close()
  const closed = await counting(t, { anonymousReads: false })
  t.equal((await closed.ask('GET /metrics'))?.status, 401)
  t.equal((await closed.ask('PUT /metrics'))?.status, 501, 'a method that it does not have')
  closed.close()
})
