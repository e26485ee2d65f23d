import t from 'tap'
import { TtlLruMap } from '../../lib/auth/ttl-lru-map.ts'

t.test('a key expires after its lifetime without use', async (t) => {
  let now = 0
  const keys = new TtlLruMap<number>({ capacity: 10, lifetime: 100, now: () => now })
  t.equal(keys.get('a'), undefined)
  keys.set('a', 1)
  now = 99
  t.equal(keys.get('a'), 1)
  now = 198
  t.equal(keys.get('a'), 1, 'asking counts as seeing')
  now = 298
  t.equal(keys.get('a'), undefined)
  now = 0
  t.equal(keys.get('a'), undefined, 'what is forgotten stays forgotten')
})

t.test('the least recently used key is evicted', async (t) => {
  const keys = new TtlLruMap<number>({ capacity: 2, lifetime: 100, now: () => 0 })
  keys.set('a', 1)
  keys.set('b', 1)
  keys.get('a')
  keys.set('c', 1)
  t.same([keys.get('a'), keys.get('b'), keys.get('c')], [1, undefined, 1])
  keys.set('a', 1)
  keys.set('d', 1)
  t.same([keys.get('a'), keys.get('c'), keys.get('d')], [1, undefined, 1], 'adding again counts as seeing')
})
