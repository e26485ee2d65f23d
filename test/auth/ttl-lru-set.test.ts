import t from 'tap'
import { TtlLruSet } from '../../lib/auth/ttl-lru-set.ts'

t.test('a key expires after its lifetime without use', async (t) => {
  let now = 0
  const keys = new TtlLruSet({ capacity: 10, lifetime: 100, now: () => now })
  t.equal(keys.has('a'), false)
  keys.add('a')
  now = 99
  t.equal(keys.has('a'), true)
  now = 198
  t.equal(keys.has('a'), true, 'asking counts as seeing')
  now = 298
  t.equal(keys.has('a'), false)
  now = 0
  t.equal(keys.has('a'), false, 'what is forgotten stays forgotten')
})

t.test('the least recently used key is evicted', async (t) => {
  const keys = new TtlLruSet({ capacity: 2, lifetime: 100, now: () => 0 })
  keys.add('a')
  keys.add('b')
  keys.has('a')
  keys.add('c')
  t.same([keys.has('a'), keys.has('b'), keys.has('c')], [true, false, true])
  keys.add('a')
  keys.add('d')
  t.same([keys.has('a'), keys.has('c'), keys.has('d')], [true, false, true], 'adding again counts as seeing')
})
