import t from 'tap'
import {
  FairSemaphore,
  type FairSemaphoreOptions,
  type Release,
} from '../../lib/concurrency/fair-semaphore.ts'

/** A semaphore whose holders leave when they are told to, and a record of who got a place or was refused. */
function scene(options: Omit<FairSemaphoreOptions, 'refusal'>) {
  const semaphore = new FairSemaphore({ ...options, refusal: 'Come again later' })
  const admitted: string[] = []
  const refused: string[] = []
  const releases = new Map<string, Release>()
  return {
    semaphore,
    admitted,
    refused,
    /** Adds somebody named by the letter of a key and a number. */
    async add(...names: string[]) {
      for (const name of names) {
        semaphore.acquire(name.charAt(0)).then(
          (release) => {
            admitted.push(name)
            releases.set(name, release)
          },
          () => refused.push(name),
        )
      }
      await settled()
    },
    async leave(name: string) {
      releases.get(name)?.()
      await settled()
    },
  }
}

const settled = () => new Promise(setImmediate)

t.test('no more hold a place at once than there are', async (t) => {
  const { add, leave, admitted } = scene({ places: 2, waiting: 10 })
  await add('a1', 'a2', 'a3', 'a4')
  t.same(admitted, ['a1', 'a2'])
  await leave('a2')
  t.same(admitted, ['a1', 'a2', 'a3'])
  for (const name of ['a1', 'a3', 'a4']) await leave(name)
  await add('a5')
  t.same(admitted, ['a1', 'a2', 'a3', 'a4', 'a5'], 'and a free place is taken at once again')
})

t.test('keys take turns', async (t) => {
  const { add, leave, admitted } = scene({ places: 1, waiting: 10 })
  await add('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1')
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) await leave(name)
  t.same(admitted, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

t.test('one key holds no more than its share, however many places are free', async (t) => {
  const { add, leave, admitted } = scene({ places: 3, share: 2, waiting: 10 })
  await add('a1', 'a2', 'a3', 'b1')
  t.same(admitted, ['a1', 'a2', 'b1'])
  await leave('b1')
  t.same(admitted, ['a1', 'a2', 'b1'], 'a place that another key leaves is not for one that has its share')
  await leave('a1')
  t.same(admitted, ['a1', 'a2', 'b1', 'a3'])
})

t.test('a full queue refuses a key that has its share of it', async (t) => {
  const { add, refused } = scene({ places: 1, waiting: 2 })
  await add('a0', 'a1', 'a2', 'a3')
  t.same(refused, ['a3'])
})

t.test('in a full queue, the longest key makes room for a clearly shorter one', async (t) => {
  const { add, leave, refused, admitted } = scene({ places: 1, waiting: 4 })
  await add('a0', 'a1', 'a2', 'a3', 'b1', 'c1')
  t.same(refused, ['a3'])
  await add('b2')
  t.same(refused, ['a3', 'b2'], 'but not for one that is hardly shorter')
  for (const name of ['a0', 'a1', 'b1', 'c1', 'a2']) await leave(name)
  t.same(admitted, ['a0', 'a1', 'b1', 'c1', 'a2'])
})

t.test('who is refused reads why', async (t) => {
  const { semaphore } = scene({ places: 0, waiting: 0 })
  await t.rejects(semaphore.acquire('a'), { code: 'unavailable', message: 'Come again later' })
})

t.test('who gives up waiting leaves the queue', async (t) => {
  const { semaphore, add, leave, admitted } = scene({ places: 1, waiting: 2 })
  await add('a1')
  const controller = new AbortController()
  const waiting = semaphore.acquire('b', controller.signal)
  await add('c1')
  controller.abort(new Error('hung up'))
  await t.rejects(waiting, { message: 'hung up' })
  t.equal(semaphore.waiting, 1)
  await leave('a1')
  t.same(admitted, ['a1', 'c1'])
  await t.rejects(semaphore.acquire('b', controller.signal), { message: 'hung up' }, 'or does not enter it')
  t.equal(semaphore.waiting, 0)
  await leave('c1')
  t.ok(await semaphore.acquire('b', controller.signal), 'where there is a place, there is nothing to give up')
})

t.test('a place is given back once, also by a job that fails', async (t) => {
  const { semaphore } = scene({ places: 1, waiting: 0 })
  await t.rejects(
    semaphore.run('a', async () => {
      throw new Error('broken')
    }),
    { message: 'broken' },
  )
  t.equal(semaphore.taken, 0)
  const release = await semaphore.acquire('a')
  release()
  release()
  t.equal(semaphore.taken, 0)
  t.equal(await semaphore.run('a', async () => 5), 5)
})

t.test('places that are taken beyond their number keep others waiting until there are fewer', async (t) => {
  const { semaphore, add, admitted } = scene({ places: 1, waiting: 1 })
  const releases = [semaphore.take('a'), semaphore.take('a')]
  await add('b1')
  releases[0]?.()
  await settled()
  t.same(admitted, [])
  releases[1]?.()
  await settled()
  t.same(admitted, ['b1'])
})

t.test('who waits only so long leaves the queue after that', async (t) => {
  const semaphore = new FairSemaphore({ places: 1, waiting: 10, refusal: 'Come again later' })
  // The timer does not keep the process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const release = await semaphore.acquireWithin('a', 1e6)
  t.equal(await semaphore.acquireWithin('a', 1.5), undefined)
  t.equal(semaphore.waiting, 0)
  const left = AbortSignal.abort(new Error('left'))
  await t.rejects(semaphore.acquireWithin('a', 1e6, left), { message: 'left' })
  const next = semaphore.acquireWithin('a', 1e6)
  release?.()
  t.type(await next, 'function')
})
