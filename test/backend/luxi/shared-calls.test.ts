import t from 'tap'
import { SharedCalls } from '../../../lib/backend/luxi/shared-calls.ts'
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
  const shared = new SharedCalls<string>()
  const first = shared.make('a', start)
  const second = shared.make('a', start)
  const third = shared.make('a', start)
  t.equal(started.length, 1, 'one call goes ahead')
  started[0]?.resolve('one')
  t.equal(await first, 'one')
  await new Promise(setImmediate)
  t.equal(started.length, 2, 'the next serves all who waited')
  const fourth = shared.make('a', start)
  started[1]?.resolve('two')
  t.same(await Promise.all([second, third]), ['two', 'two'])
  await new Promise(setImmediate)
  t.equal(started.length, 3, 'who came during the second waits for a third')
  started[2]?.resolve('three')
  t.equal(await fourth, 'three')
})

t.test('calls that differ do not wait for each other', async (t) => {
  const { started, start } = calls()
  const shared = new SharedCalls<string>()
  const a = shared.make('a', start)
  const b = shared.make('b', start)
  t.equal(started.length, 2)
  started[1]?.resolve('of b')
  t.equal(await b, 'of b')
  started[0]?.resolve('of a')
  t.equal(await a, 'of a')
})

t.test('a call that fails fails for those who share it, and not for the next', async (t) => {
  const shared = new SharedCalls<string>()
  let count = 0
  const failing = async () => {
    count++
    if (count < 3) throw new Error(`failure ${count}`)
    return 'well'
  }
  const first = shared.make('a', failing)
  const second = shared.make('a', failing)
  const third = shared.make('a', failing)
  await t.rejects(first, { message: 'failure 1' })
  await t.rejects(second, { message: 'failure 2' })
  await t.rejects(third, { message: 'failure 2' })
  t.equal(await shared.make('a', failing), 'well')
})
