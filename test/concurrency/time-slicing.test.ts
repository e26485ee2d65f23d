import t from 'tap'
import { arrivals, eachInSlices, inSlices } from '../../lib/concurrency/time-slicing.ts'

/** Longer than any slice. */
function workLong(): void {
  const begun = performance.now()
  while (performance.now() - begun < 10);
}

t.test('others have their turn between two long steps', async (t) => {
  const happened: string[] = []
  setImmediate(() => happened.push('other'))
  await eachInSlices([1, 2], (step) => {
    workLong()
    happened.push(`step ${step}`)
  })
  t.strictSame(happened, ['step 1', 'other', 'step 2'])
})

t.test('while connections arrive, several turns pass between two long steps', async (t) => {
  let turns = 0
  let arriving = 5
  const turn = () => {
    turns++
    if (arriving-- > 0) arrivals.count++
    if (turns < 100) setImmediate(turn)
  }
  setImmediate(turn)
  const seen: number[] = []
  await eachInSlices([1, 2, 3], () => {
    workLong()
    seen.push(turns)
  })
  t.ok((seen[1] as number) >= 5, `${seen}`)
  t.ok((seen[2] as number) - (seen[1] as number) <= 2, 'and one when there are no more')
})

t.test('work gives what it returns, and throws what it throws', async (t) => {
  t.equal(
    await inSlices(
      (function* () {
        yield
        return 'done'
      })(),
    ),
    'done',
  )
  await t.rejects(
    eachInSlices([1], () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
})

t.test('long work is given up at a pause, and short work never, however long it takes', async (t) => {
  const given = AbortSignal.abort(new Error('hung up'))
  const done: number[] = []
  const work = (steps: number) =>
    eachInSlices(
      Array.from({ length: steps }, (_, step) => step),
      (step) => {
        done.push(step)
        workLong()
      },
      given,
    )
  await work(8)
  t.equal(done.length, 8)
  await t.rejects(work(100), { message: 'hung up' })
  t.equal(done.length, 8 + 9)
})
