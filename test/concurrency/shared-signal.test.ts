import t from 'tap'
import { SharedSignal } from '../../lib/concurrency/shared-signal.ts'

t.test('work is for nobody once the last who waits has left', async (t) => {
  const shared = new SharedSignal()
  const clients = [new AbortController(), new AbortController()]
  for (const { signal } of clients) shared.join(signal)
  const signal = shared.begin()
  clients[0]?.abort()
  t.notOk(signal.aborted)
  const reason = new Error('hung up')
  clients[1]?.abort(reason)
  t.ok(shared.aborted)
  t.equal(signal.reason, reason)
})

t.test('one who never leaves keeps it wanted', async (t) => {
  const shared = new SharedSignal()
  const client = new AbortController()
  shared.join(undefined)
  shared.join(client.signal)
  client.abort()
  t.notOk(shared.begin().aborted)
})

t.test('before it begins, others may come though all have left', async (t) => {
  const shared = new SharedSignal()
  const client = new AbortController()
  shared.join(client.signal)
  client.abort()
  shared.join(AbortSignal.abort())
  t.notOk(shared.aborted)
  shared.join(undefined)
  t.notOk(shared.begin().aborted)

  const unwanted = new SharedSignal()
  unwanted.join(AbortSignal.abort())
  t.ok(unwanted.begin().aborted)
})
