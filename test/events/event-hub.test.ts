import t from 'tap'
import { View } from '../../lib/events/view.ts'
import { Failure } from '../../lib/failure.ts'
import { until } from '../support/until.ts'
import { ALL, EVERYTHING, jobEvent, sightOf, TestClient, testHub } from './hub.ts'

t.test('a listener is told how it is told, and then what happens', async (t) => {
  const { source, hub, log, listen } = testHub()
  const { client } = listen()
  await until(() => client.short.includes('ready'))
  source.emit(jobEvent(1, 'queued'))
  source.emit(jobEvent(1, 'success'))
  await until(() => client.short.includes('job 1 success'))
  t.strictSame(client.short, ['hello', 'ready', 'job 1 queued', 'job 1 success'])
  const [hello, ready, ...jobs] = client.told
  t.match(hello, {
    id: undefined,
    data: {
      cluster: 'c',
      master: 'm',
      types: ['job', 'instance', 'node', 'group', 'network', 'cluster'],
      heartbeat: 15,
    },
  })
  t.equal(ready?.id, `${log.epoch}.0.${source.toldUpTo}`)
  t.strictSame(
    jobs.map(({ id }) => id),
    [1, 2].map((number) => `${log.epoch}.${number}.${source.toldUpTo}`),
  )
  hub.close('shutdown')
  t.equal(client.short.at(-1), 'end shutdown')
  t.ok(client.ended)
})

t.test('who comes again with an id is told all that happened since, once', async (t) => {
  const { source, hub, listen } = testHub()
  const first = listen()
  await until(() => first.client.short.includes('ready'))
  source.emit(jobEvent(1, 'queued'))
  await until(() => first.client.short.includes('job 1 queued'))
  hub.remove(first.listener)
  source.emit(jobEvent(1, 'success'))
  source.emit(jobEvent(2, 'queued'))
  const { client } = listen({ since: first.client.lastId })
  await until(() => client.short.includes('job 2 queued'))
  t.strictSame(client.short, ['hello', 'ready', 'job 1 success', 'job 2 queued'])
  t.equal(hub.counts.resumed, 1)
  hub.close('shutdown')
})

t.test('where that is no longer known it is reset, and told how things are', async (t) => {
  const cases: readonly [name: string, since: (id: string) => string, reason: string][] = [
    ['an id of another daemon', (id) => id.replace(/^[^.]*/, 'another'), 'restarted'],
    ['an old id', (id) => id, 'too-old'],
    ['no id at all', () => 'nonsense', 'unknown'],
  ]
  for (const [name, since, reason] of cases) {
    const { source, hub, log, listen } = testHub({ mostEvents: 2 })
    const first = listen()
    await until(() => first.client.short.includes('ready'))
    for (let id = 1; id <= 5; id++) source.emit(jobEvent(id, 'queued'))
    source.present_ = [jobEvent(5, 'running'), jobEvent(4, 'success')]
    const { client } = listen({ since: since(`${log.epoch}.1.1700000000000`) })
    await until(() => client.short.includes('ready'))
    t.strictSame(client.short, ['hello', `reset ${reason}`, 'job 5 running', 'job 4 success', 'ready'], name)
    t.strictSame(
      client.told.map(({ id }) => id !== undefined),
      [false, false, false, false, true],
      'only the last of these has an id',
    )
    t.match(source.asked.at(-1), {
      objects: false,
      endedSince: reason === 'unknown' ? -60_000 : 1_700_000_000_000 - 60_000,
    })
    hub.close('shutdown')
  }
})

t.test('a snapshot comes first, and is not repeated for who comes again', async (t) => {
  const { source, hub, listen } = testHub()
  source.present_ = [jobEvent(3, 'running')]
  const first = listen({ present: true })
  await until(() => first.client.short.includes('ready'))
  t.strictSame(first.client.short, ['hello', 'job 3 running', 'ready'])
  t.match(source.asked, [{ objects: true }])
  const again = listen({ present: true, since: first.client.lastId })
  await until(() => again.client.short.includes('ready'))
  t.strictSame(again.client.short, ['hello', 'ready'])
  hub.close('shutdown')
})

t.test('it is told what it asked for, of what it may see', async (t) => {
  const { source, hub, listen } = testHub()
  const listeners = {
    all: listen(),
    jobs: listen({ jobs: new Set([2]) }),
    instance: listen({ instance: 'web' }),
    nodes: listen({ types: new Set(['node']) }),
    denied: listen({}, new TestClient(), sightOf(['node'])),
  }
  await until(() => Object.values(listeners).every(({ client }) => client.short.includes('ready')))
  source.emit(jobEvent(1, 'queued', ['web']))
  source.emit(jobEvent(2, 'queued'))
  source.emit({
    type: 'node',
    data: { name: 'n1' },
    objects: { instances: [], nodes: ['n1'], groups: [], networks: [] },
  })
  const count = () => Object.values(listeners).map(({ client }) => client.short.length)
  await until(() => count().join() === '5,3,3,3,3')
  hub.close('shutdown')
  const told = Object.entries(listeners).map(([name, { client }]) => [name, client.short.slice(2, -1)])
  t.strictSame(Object.fromEntries(told), {
    all: ['job 1 queued', 'job 2 queued', 'node'],
    jobs: ['job 2 queued'],
    instance: ['job 1 queued'],
    nodes: ['node'],
    denied: ['node'],
  })
  const hello = listeners.denied.client.told[0]?.data
  t.strictSame(hello?.types, ['node'])
  t.strictSame(hello?.denied, ['job', 'instance', 'group', 'network', 'cluster'])
  t.notOk('cluster' in (hello ?? {}), 'nor is it told the name of the cluster')
})

t.test('what is wanted of the source is what its listeners want together', async (t) => {
  const { source, hub, listen } = testHub()
  const one = listen({ types: new Set(['job']) })
  const other = listen({ types: new Set(['state', 'job']) })
  t.strictSame(source.attended.at(-1), ['job', 'state'])
  hub.remove(other.listener)
  t.strictSame(source.attended.at(-1), ['job'])
  hub.remove(one.listener)
  t.strictSame(source.attended.at(-1), [])
  hub.close('shutdown')
})

t.test('the source is followed for a while after the last listener has left, then no more', async (t) => {
  const { source, log, hub, listen } = testHub({ linger: 50 })
  const first = listen()
  await until(() => first.client.short.includes('ready'))
  hub.remove(first.listener)
  source.emit(jobEvent(1, 'queued'))
  const second = listen({ since: first.client.lastId })
  await until(() => second.client.short.includes('job 1 queued'))
  t.equal(source.stopped, 0)
  hub.remove(second.listener)
  await until(() => source.stopped === 1)
  t.equal(log.size, 0)
  const third = listen({ since: second.client.lastId })
  await until(() => third.client.short.includes('ready'))
  t.strictSame(third.client.short, ['hello', 'reset too-old', 'ready'])
  t.equal(source.begun, 2)
  hub.close('shutdown')
})

t.test('while the cluster cannot be asked its listeners wait', async (t) => {
  const { source, hub, listen, warnings } = testHub()
  source.failure = new Failure('no-master', 'away')
  const { client } = listen()
  await until(() => warnings.length > 0)
  t.notOk(client.ended)
  source.failure = undefined
  await until(() => client.short.includes('ready'))
  t.strictSame(warnings, ['Who listens to events must wait: away'])
  hub.close('shutdown')
})

t.test('listeners that are told the same share its bytes', async (t) => {
  const { source, hub, listen } = testHub()
  const clients = [1, 2, 3].map(() => listen().client)
  await until(() => clients.every(({ short }) => short.includes('ready')))
  for (let id = 1; id <= 3; id++) source.emit(jobEvent(id, 'queued'))
  await until(() => clients.every(({ short }) => short.includes('job 3 queued')))
  const [one, other, third] = clients.map(({ writes }) => writes.at(-1))
  t.ok(one && one === other && other === third)
  hub.close('shutdown')
})

t.test(
  'a client that takes nothing is not written to, delays nobody, and goes on when it takes',
  async (t) => {
    const { source, hub, listen } = testHub()
    const slow = listen({}, Object.assign(new TestClient(), { isSlow: true })).client
    const quick = listen().client
    await until(() => quick.short.includes('ready'))
    const big = { ...jobEvent(0, 'x'), data: { id: 0, status: 'x'.repeat(1000) } }
    for (let n = 0; n < 1000; n++) source.emit(big)
    source.emit(jobEvent(1, 'last'))
    await until(() => quick.short.includes('job 1 last'))
    t.ok(slow.pending < 512 * 1024, `${slow.pending} bytes wait for it`)
    t.notOk(slow.ended)
    while (!slow.short.includes('job 1 last')) {
      slow.take()
      await new Promise(setImmediate)
    }
    t.equal(slow.told.length, quick.told.length, 'it has missed nothing')
    hub.close('shutdown')
  },
)

t.test('one that is so slow that events are forgotten is ended, and can go on', async (t) => {
  const { source, hub, listen } = testHub({ mostEvents: 100 })
  const slow = listen({}, Object.assign(new TestClient(), { isSlow: true })).client
  await until(() => slow.short.includes('ready'))
  const big = { ...jobEvent(0, 'x'), data: { id: 0, status: 'x'.repeat(10_000) } }
  for (let n = 0; n < 60; n++) source.emit(big)
  await until(() => slow.pending > 256 * 1024)
  const { lastId } = slow
  for (let n = 0; n < 300; n++) source.emit(big)
  slow.take()
  await until(() => slow.ended)
  t.equal(slow.short.at(-1), 'end slow')
  t.equal(hub.ended.get('slow'), 1)
  t.equal(hub.size, 0)
  const again = listen({ since: lastId }).client
  await until(() => again.short.includes('ready'))
  t.ok(again.short.includes('reset too-old'))
  hub.close('shutdown')
})

t.test('a listener that is held is told nothing until it is released', async (t) => {
  const { source, hub, listen } = testHub()
  const held = listen()
  const other = listen()
  await until(() => held.client.short.includes('ready') && other.client.short.includes('ready'))
  held.listener.hold()
  source.emit(jobEvent(1, 'queued'))
  await until(() => other.client.short.includes('job 1 queued'))
  t.notOk(held.client.short.includes('job 1 queued'))
  held.listener.release()
  hub.flush()
  await until(() => held.client.short.includes('job 1 queued'))
  hub.close('shutdown')
})

t.test('after a failover it is told who the master is, and ends', async (t) => {
  const { source, hub, listen } = testHub()
  const { client } = listen()
  await until(() => client.short.includes('ready'))
  source.emit({
    type: 'master',
    data: { master: 'n2' },
    objects: { instances: [], nodes: ['n2'], groups: [], networks: [] },
  })
  await until(() => client.ended)
  t.strictSame(client.short, ['hello', 'ready', 'master', 'end failover'])
  hub.close('shutdown')
})

t.test('one that waits for jobs to end, ends with them', async (t) => {
  const wanted = { jobs: new Set([1, 2, 3]), untilEnded: true, present: true }
  const { source, hub, listen } = testHub()
  source.present_ = [jobEvent(1, 'success'), jobEvent(2, 'running')]
  const { client } = listen(wanted)
  await until(() => client.short.includes('ready'))
  source.emit(jobEvent(4, 'error'))
  source.emit(jobEvent(2, 'error'))
  await until(() => client.ended)
  t.strictSame(client.short, ['hello', 'job 1 success', 'job 2 running', 'ready', 'job 2 error', 'end done'])

  source.present_ = [jobEvent(1, 'success'), jobEvent(2, 'error')]
  const late = listen(wanted).client
  await until(() => late.ended)
  t.strictSame(late.short, ['hello', 'job 1 success', 'job 2 error', 'ready', 'end done'])

  const again = listen({ ...wanted, since: client.told[3]?.id }).client
  await until(() => again.ended)
  t.strictSame(again.short, ['hello', 'ready', 'job 2 error', 'end done'], 'what it has missed is told first')
  hub.close('shutdown')
})

t.test('without events there are comments, with the id to go on from', async (t) => {
  const { source, log, hub, listen } = testHub()
  const { client, listener } = listen({ types: new Set(['node']), heartbeat: 5 })
  await until(() => client.short.includes('ready'))
  source.emit(jobEvent(1, 'queued'))
  await new Promise(setImmediate)
  await until(() => log.last === 1)
  const now = performance.now()
  const before = client.text.length
  listener.beat(now + 4000)
  t.equal(client.text.length, before, 'not before it is time')
  // What it is not told counts as told once it was passed over.
  await until(() => {
    listener.beat(performance.now() + 3_600_000)
    return client.text.slice(before).includes(`id: ${log.epoch}.1.`)
  })
  t.match(client.text.slice(before), /^(:\n\n)*:\nid: \S+\n\n/)
  hub.close('shutdown')
})

t.test('views of the same are equal, others are not', async (t) => {
  const key = (wanted: Partial<typeof EVERYTHING>, may = ALL) =>
    new View({ ...EVERYTHING, ...wanted }, may).key
  t.equal(key({}), key({ present: true, heartbeat: 5 }))
  const others = [
    key({}),
    key({ jobs: new Set([1]) }),
    key({ jobs: new Set([2]) }),
    key({ instance: 'a' }),
    key({ types: new Set(['job']) }),
    key({}, sightOf(['job'])),
  ]
  // The last two get the same.
  t.equal(new Set(others).size, others.length - 1)
})

t.test(
  'who follows one job is called back after each of its events, and the source goes on for that',
  async (t) => {
    const { source, hub } = testHub()
    let count = 0
    const stop = await hub.followJob(1, () => count++)
    t.strictSame(source.attended.at(-1), ['job', 'joblog'])
    source.emit(jobEvent(1, 'queued'))
    source.emit(jobEvent(2, 'queued'))
    source.emit(jobEvent(1, 'running'))
    t.equal(count, 2)
    stop()
    t.strictSame(source.attended.at(-1), [])
    source.emit(jobEvent(1, 'success'))
    t.equal(count, 2)
    source.failure = new Failure('no-master', 'away')
    hub.close('shutdown')
    await t.rejects(
      hub.followJob(1, () => {}),
      { code: 'no-master' },
    )
    t.equal(source.begun, 1)
  },
)
