import t from 'tap'
import { LockTable } from '../../../../lib/backend/config-file/jobs/lock-table.ts'

const never = new AbortController().signal
/** Lets those who were granted something note it. */
const settled = () => new Promise(setImmediate)

t.test('whoever wants the same waits, in the order of priorities and ids', async (t) => {
  const locks = new LockTable()
  const order: number[] = []
  const take = (owner: number, priority: number, ...names: string[]) =>
    locks.acquire(owner, priority, names, never).then((release) => {
      order.push(owner)
      return release as () => void
    })
  const first = take(1, 0, 'a', 'b')
  const third = take(3, 0, 'a')
  const second = take(2, 0, 'b', 'a')
  const urgent = take(4, -10, 'a')
  const other = take(5, 0, 'c')
  await settled()
  t.strictSame(order, [1, 5])
  t.strictSame(locks.states, [
    { name: 'a', owner: 1, pending: [4, 2, 3] },
    { name: 'b', owner: 1, pending: [2] },
    { name: 'c', owner: 5, pending: [] },
  ])
  for (const taken of [first, urgent, second, third, other]) (await taken)()
  t.strictSame(order, [1, 5, 4, 2, 3])
  t.strictSame(locks.states, [])
})

t.test('nobody holds one lock while waiting for another', async (t) => {
  const locks = new LockTable()
  const a = await locks.acquire(1, 0, ['a'], never)
  const both = locks.acquire(2, 0, ['a', 'b'], never)
  await settled()
  t.strictSame(locks.states, [
    { name: 'a', owner: 1, pending: [2] },
    { name: 'b', owner: null, pending: [2] },
  ])
  a?.()
  t.type(await both, 'function')
})

t.test("whoever gives up waiting is in nobody's way", async (t) => {
  const locks = new LockTable()
  const release = await locks.acquire(1, 0, ['a'], never)
  const giving = new AbortController()
  const second = locks.acquire(2, 0, ['a', 'b'], giving.signal)
  const third = locks.acquire(3, 0, ['b'], never)
  giving.abort()
  t.equal(await second, undefined)
  t.type(await third, 'function')
  t.equal(await locks.acquire(4, 0, ['z'], AbortSignal.abort()), undefined)
  release?.()
})
