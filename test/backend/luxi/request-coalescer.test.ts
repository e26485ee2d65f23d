import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { RequestCoalescer } from '../../../lib/backend/luxi/request-coalescer.ts'
import { until } from '../../support/until.ts'
import { deferred } from './scripted-master.ts'

/** Calls that end when told to, in the order they were started. */
function calls() {
  const started: ReturnType<typeof deferred<string>>[] = []
  return {
    started,
    start: () => {
      const call = deferred<string>()
      started.push(call)
      return call.promise
    },
  }
}

t.test('who comes while a call is under way waits for the next, with all others', async (t) => {
  const { started, start } = calls()
  const shared = new RequestCoalescer<string>()
  const first = shared.run('a', start)
  const second = shared.run('a', start)
  const third = shared.run('a', start)
  t.equal(started.length, 1, 'one call goes ahead')
  started[0]?.resolve('one')
  t.equal(await first, 'one')
  await until(() => started.length > 1)
  t.equal(started.length, 2, 'the next serves all who waited')
  const fourth = shared.run('a', start)
  started[1]?.resolve('two')
  t.same(await Promise.all([second, third]), ['two', 'two'])
  await until(() => started.length > 2)
  t.equal(started.length, 3, 'who came during the second waits for a third')
  started[2]?.resolve('three')
  t.equal(await fourth, 'three')
})

// Whoever asks again does so within the turn in which it was answered, so how long a call or a pause is does not matter.
for (const [what, time] of [
  ['that take a turn of the event loop', () => new Promise(setImmediate)],
  ['that take 20 ms', () => delay(20)],
] as const) {
  t.test(`those who ask again as soon as they are answered share every call, of calls ${what}`, async (t) => {
    const [CLIENTS, ROUNDS] = [5, 6]
    const shared = new RequestCoalescer<number>()
    let calls = 0
    const start = async () => {
      await time()
      return ++calls
    }
    const client = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const before = calls
        t.ok((await shared.run('a', start)) > before, 'the call was made after it was asked for')
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    // The first goes ahead alone, and is one round before the others.
    t.equal(calls, ROUNDS + 1)
  })
}

t.test('one who asks alone never pauses', async (t) => {
  const shared = new RequestCoalescer<string>()
  const { started, start } = calls()
  for (let round = 1; round < 4; round++) {
    const answer = shared.run('a', start)
    t.equal(started.length, round)
    started.at(-1)?.resolve('well')
    await answer
  }
})

t.test('calls that differ do not wait for each other', async (t) => {
  const { started, start } = calls()
  const shared = new RequestCoalescer<string>()
  const a = shared.run('a', start)
  const b = shared.run('b', start)
  t.equal(started.length, 2)
  started[1]?.resolve('of b')
  t.equal(await b, 'of b')
  started[0]?.resolve('of a')
  t.equal(await a, 'of a')
})

t.test('a call that fails fails for those who share it, and not for the next', async (t) => {
  const shared = new RequestCoalescer<string>()
  let count = 0
  const failing = async () => {
    count++
    if (count < 3) throw new Error(`failure ${count}`)
    return 'well'
  }
  const first = shared.run('a', failing)
  const second = shared.run('a', failing)
  const third = shared.run('a', failing)
  await t.rejects(first, { message: 'failure 1' })
  await t.rejects(second, { message: 'failure 2' })
  await t.rejects(third, { message: 'failure 2' })
  t.equal(await shared.run('a', failing), 'well')
})

t.test('a call is told when all who waited for it have left', async (t) => {
  const shared = new RequestCoalescer<string>()
  const signals: AbortSignal[] = []
  const call = deferred<string>()
  const start = (signal: AbortSignal) => {
    signals.push(signal)
    return call.promise
  }
  const clients = Array.from({ length: 3 }, () => new AbortController())
  const answers = clients.map(({ signal }) => shared.run('a', start, signal))
  clients[0]?.abort()
  t.ok(signals[0]?.aborted, 'the first was alone')
  clients[1]?.abort()
  call.resolve('well')
  t.same(await Promise.all(answers), ['well', 'well', 'well'])
  t.notOk(signals[1]?.aborted, 'one of two is left')
  clients[2]?.abort()
  t.ok(signals[1]?.aborted)
})
