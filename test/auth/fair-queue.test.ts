import t from 'tap'
import { FairQueue } from '../../lib/auth/fair-queue.ts'

/** A queue whose jobs end when they are told to, and a record of which ones started or were refused. */
function scene(atOnce: number, waiting: number) {
  const queue = new FairQueue({ atOnce, waiting })
  const started: string[] = []
  const refused: string[] = []
  const endings = new Map<string, () => void>()
  return {
    started,
    refused,
    /** Adds a job named by its lane's letter and a number. */
    add(...names: string[]) {
      for (const name of names) {
        const job = () => {
          started.push(name)
          return new Promise<string>((resolve) => endings.set(name, () => resolve(name)))
        }
        queue.run(name.charAt(0), job).catch(() => refused.push(name))
      }
    },
    async end(name: string) {
      endings.get(name)?.()
      await new Promise(setImmediate)
    },
    settled: () => new Promise(setImmediate),
  }
}

t.test('no more jobs run at once than allowed', async (t) => {
  const { add, end, started } = scene(2, 10)
  add('a1', 'a2', 'a3', 'a4')
  t.same(started, ['a1', 'a2'])
  await end('a2')
  t.same(started, ['a1', 'a2', 'a3'])
  await end('a1')
  await end('a3')
  await end('a4')
  add('a5')
  t.same(started, ['a1', 'a2', 'a3', 'a4', 'a5'], 'and an empty queue starts jobs at once again')
})

t.test('lanes take turns', async (t) => {
  const { add, end, started } = scene(1, 10)
  add('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1')
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) await end(name)
  t.same(started, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})

t.test('a full queue refuses a lane that has its share', async (t) => {
  const { add, refused, settled } = scene(1, 2)
  add('a0', 'a1', 'a2', 'a3')
  await settled()
  t.same(refused, ['a3'])
})

t.test('in a full queue, the longest lane makes room for a clearly shorter one', async (t) => {
  const { add, end, refused, settled, started } = scene(1, 4)
  add('a0', 'a1', 'a2', 'a3', 'b1', 'c1')
  await settled()
  t.same(refused, ['a3'], 'a has three, c none')
  add('d1')
  await settled()
  t.same(refused, ['a3', 'a2'], 'a has two, d none')
  add('e1', 'd2', 'a4')
  await settled()
  t.same(refused, ['a3', 'a2', 'e1', 'd2', 'a4'], 'everyone has one')
  for (const name of ['a0', 'a1', 'b1', 'c1']) await end(name)
  t.same(started, ['a0', 'a1', 'b1', 'c1', 'd1'], 'and the rest run in turn')
  add('f1', 'f2', 'f3', 'f4', 'f5')
  await settled()
  t.same(refused.slice(5), ['f5'], 'and room is counted right after all that')
})

t.test('a job gives what it gives, and its failure is no failure of the queue', async (t) => {
  const queue = new FairQueue({ atOnce: 1, waiting: 1 })
  const broken = t.rejects(
    queue.run('a', async () => {
      throw new Error('broken')
    }),
    { message: 'broken' },
  )
  t.equal(await queue.run('a', async () => 42), 42)
  await broken
})

t.test('a refusal says that it is for lack of room, for now', async (t) => {
  const queue = new FairQueue({ atOnce: 1, waiting: 0 })
  queue.run('a', () => new Promise(() => {}))
  const refusal = { name: 'Failure', code: 'unavailable', message: /try again/ }
  await t.rejects(
    queue.run('b', async () => 1),
    refusal,
  )
})
