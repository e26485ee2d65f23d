import t from 'tap'
import { Semaphore } from '../../../lib/backend/luxi/semaphore.ts'
import { deferred } from './scripted-master.ts'

// The timer of a deadline does not keep the process alive.
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

/** A deadline far away. */
const later = () => performance.now() + 1e6

t.test('so many go at once; the others follow in their order', async (t) => {
  const semaphore = new Semaphore(2)
  const begun: string[] = []
  const actions = ['a', 'b', 'c', 'd'].map((name) => ({ name, ...deferred() }))
  const done = actions.map(({ name, promise }) =>
    semaphore.run(later(), async () => {
      begun.push(name)
      await promise
      return name
    }),
  )
  await new Promise(setImmediate)
  t.same(begun, ['a', 'b'])
  actions[1]?.resolve()
  t.equal(await done[1], 'b')
  await new Promise(setImmediate)
  t.same(begun, ['a', 'b', 'c'])
  for (const { resolve } of actions) resolve()
  t.same(await Promise.all(done), ['a', 'b', 'c', 'd'])
})

t.test('an action that fails makes room like any other', async (t) => {
  const semaphore = new Semaphore(1)
  await t.rejects(
    semaphore.run(later(), () => Promise.reject(new Error('no luck'))),
    { message: 'no luck' },
  )
  t.equal(await semaphore.run(later(), async () => 'next'), 'next')
})

t.test('whose turn does not come in time fails, and is out of the queue', async (t) => {
  const semaphore = new Semaphore(1)
  const blocker = deferred()
  const blocked = semaphore.run(later(), () => blocker.promise)
  await t.rejects(
    semaphore.run(performance.now() + 5, async () => 'in time'),
    { code: 'no-answer' },
  )
  blocker.resolve()
  await blocked
  t.equal(await semaphore.run(later(), async () => 'in time'), 'in time')
})

t.test('nothing is begun with hardly any time left', async (t) => {
  const semaphore = new Semaphore(1)
  await t.rejects(
    semaphore.run(performance.now() + 1, async () => t.fail('begun')),
    { code: 'no-answer' },
  )
  t.equal(await semaphore.run(later(), async () => 'next'), 'next')
})

t.test('a client that hangs up leaves the queue', async (t) => {
  const semaphore = new Semaphore(1)
  const blocker = deferred()
  const blocked = semaphore.run(later(), () => blocker.promise)
  const gone = new AbortController()
  const waiting = semaphore.run(later(), async () => t.fail('the client has left'), gone.signal)
  const next = semaphore.run(later(), async () => 'next')
  gone.abort(new Error('hung up'))
  await t.rejects(waiting, { message: 'hung up' })
  blocker.resolve()
  await blocked
  t.equal(await next, 'next')
  t.equal(
    await semaphore.run(later(), async () => 'at once', gone.signal),
    'at once',
    'where there is no waiting, there is nothing to give up',
  )
})
