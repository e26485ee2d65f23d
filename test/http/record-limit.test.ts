import t from 'tap'
import { RecordLimit } from '../../lib/http/record-limit.ts'

t.test('twenty of a client are recorded in a minute, and then their number', async (t) => {
  const reports: [readonly string[], number][] = []
  const counter = new RecordLimit((who, more) => reports.push([who, more]))
  const recorded = Array.from({ length: 140 }, () => counter.count('192.0.2.7', 'alice'))
  t.equal(recorded.filter(Boolean).length, 20)
  t.ok(recorded.slice(0, 20).every(Boolean), 'the first ones')
  t.ok(counter.count('192.0.2.7', 'bob'), 'another user')
  t.ok(counter.count('192.0.2.8', 'alice'), 'another network')
  counter.flush()
  t.strictSame(reports, [[['192.0.2.7', 'alice'], 120]])
  t.ok(counter.count('192.0.2.7', 'alice'), 'a new minute')
  counter.flush()
  t.equal(reports.length, 1)
})

t.test('beyond a thousand clients, all others count as one', async (t) => {
  const reports: [readonly string[], number][] = []
  const counter = new RecordLimit((who, more) => reports.push([who, more]))
  const recorded = Array.from({ length: 2000 }, (_, index) => counter.count(`network ${index}`))
  t.equal(recorded.filter(Boolean).length, 1020)
  t.ok(counter.count('network 0'), 'those that came first are still counted by themselves')
  counter.flush()
  t.strictSame(reports, [[['others'], 980]])
})
