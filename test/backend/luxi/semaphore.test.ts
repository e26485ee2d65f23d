import t from 'tap'
import { Lane } from '../../../lib/backend/luxi/semaphore.ts'
import { deferred } from './scripted-master.ts'

const NEVER = Number.POSITIVE_INFINITY
const late = async () => 'late'

t.test('so many go at once; the others follow in their order', async (t) => {
  const lane = new Lane(2)
  const begun: string[] = []
  const actions = ['a', 'b', 'c', 'd'].map((name) => ({ name, ...deferred() }))
  const done = actions.map(({ name, promise }) =>
    lane.go(
      performance.now() + 1e6,
      async () => {
        begun.push(name)
        await promise
        return name
      },
      late,
    ),
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
  const lane = new Lane(1)
  await t.rejects(
    lane.go(NEVER, () => Promise.reject(new Error('no luck')), late),
    { message: 'no luck' },
  )
  t.equal(await lane.go(NEVER, async () => 'next', late), 'next')
})

t.test('whose turn does not come in time does something else, and is out of the queue', async (t) => {
  const lane = new Lane(1)
  const blocker = deferred()
  const blocked = lane.go(
    NEVER,
    () => blocker.promise,
    async () => {},
  )
  t.equal(await lane.go(performance.now() + 5, async () => 'in time', late), 'late')
  blocker.resolve()
  await blocked
  t.equal(await lane.go(performance.now() + 1e6, async () => 'in time', late), 'in time')
})

t.test('a client that hangs up leaves the queue', async (t) => {
  const lane = new Lane(1)
  const blocker = deferred()
  const blocked = lane.go(
    NEVER,
    () => blocker.promise,
    async () => {},
  )
  const gone = new AbortController()
  const waiting = lane.go(
    performance.now() + 1e6,
    async () => {
      t.fail('nobody wants this')
    },
    async () => {},
    gone.signal,
  )
  const next = lane.go(performance.now() + 1e6, async () => 'next', late)
  gone.abort(new Error('hung up'))
  await t.rejects(waiting, { message: 'hung up' })
  blocker.resolve()
  await blocked
  t.equal(await next, 'next')
  t.equal(
    await lane.go(NEVER, async () => 'at once', late, gone.signal),
    'at once',
    'where there is no waiting, there is nothing to give up',
  )
})
