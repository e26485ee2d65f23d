import t from 'tap'
import { TokenBucket } from '../../lib/concurrency/token-bucket.ts'

t.test('so many go at once, then so many a second, and what nobody took adds up to no more', async (t) => {
  let now = 1000
  const bucket = new TokenBucket(3, 2, () => now)
  const taken = (count: number) => Array.from({ length: count }, () => bucket.take()).filter(Boolean).length
  t.equal(taken(5), 3)
  now += 499
  t.equal(taken(1), 0)
  now += 1
  t.equal(taken(2), 1)
  now += 1000
  t.equal(taken(5), 2)
  now += 3_600_000
  t.equal(taken(5), 3)
})

t.test('what is reserved comes later and later, and nobody gets it earlier', async (t) => {
  let now = 0
  const bucket = new TokenBucket(1, 2, () => now)
  t.strictSame([bucket.reserve(), bucket.reserve(), bucket.reserve()], [0, 500, 1000])
  now = 1000
  t.notOk(bucket.take())
  now = 1500
  t.ok(bucket.take())
})
