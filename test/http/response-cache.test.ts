import t from 'tap'
import { encode } from '../../lib/http/encode.ts'
import { Representation } from '../../lib/http/representation.ts'
import { ResponseCache } from '../../lib/http/response-cache.ts'
import { needing } from '../support/needing.ts'

async function representation(length: number): Promise<Representation> {
  return new Representation(await encode('x'.repeat(length)), { tagged: true, need: needing([]) })
}

t.test('the least recently used answer is evicted first', async (t) => {
  const cache = new ResponseCache(5000)
  for (const key of ['a', 'b', 'c']) await cache.make(1, key, () => representation(1000))
  t.ok(cache.find(1, 'a'))
  await cache.make(1, 'd', () => representation(1000))
  t.equal(cache.find(1, 'b'), undefined)
  for (const key of ['a', 'c', 'd']) t.ok(cache.find(1, key), key)
})

t.test('a compressed form counts from when it is made', async (t) => {
  const cache = new ResponseCache(100_000)
  const made = await cache.make(1, 'a', () => representation(50_000))
  const before = cache.bytes
  const { body } = await made.respond({ 'accept-encoding': 'gzip' })
  t.equal(cache.bytes, before + body.length)
})

t.test('a compressed form made after its answer was dropped does not count', async (t) => {
  const cache = new ResponseCache(100_000)
  const made = await cache.make(1, 'a', () => representation(50_000))
  t.equal(cache.find(2, 'a'), undefined)
  await made.respond({ 'accept-encoding': 'gzip' })
  t.equal(cache.bytes, 0)
})

t.test('shared work is aborted when its last waiter has left', async (t) => {
  const cache = new ResponseCache(100_000)
  const signals: AbortSignal[] = []
  const make = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<Representation>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }
  const clients = [new AbortController(), new AbortController()]
  const waiting = clients.map(({ signal }) => cache.make(1, 'a', make, signal))
  t.equal(signals.length, 1)
  clients[0]?.abort()
  t.notOk(signals[0]?.aborted)
  clients[1]?.abort(new Error('hung up'))
  t.ok(signals[0]?.aborted)
  const fresh = cache.make(1, 'a', () => representation(10))
  for (const one of waiting) await t.rejects(one, { message: 'hung up' })
  t.equal(await fresh, cache.find(1, 'a'), 'who comes then has it made anew')
})

t.test('keys count toward the limit, so that many short answers cannot exceed it', async (t) => {
  const cache = new ResponseCache(10_000)
  for (let n = 0; n < 1000; n++) await cache.make(1, `/2/info?${n}`, () => representation(1))
  let kept = 0
  for (let n = 0; n < 1000; n++) if (cache.find(1, `/2/info?${n}`)) kept++
  t.ok(kept > 5 && kept < 20, `${kept} kept`)
  t.ok(cache.bytes <= 10_000)
})
