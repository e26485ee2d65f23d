import t from 'tap'
import { eachInSlices, inSlices } from '../lib/slices.ts'

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

t.test('work is given up at the next pause, but not where it needs none', async (t) => {
  const client = new AbortController()
  const done: number[] = []
  const work = eachInSlices(
    [1, 2, 3],
    (step) => {
      done.push(step)
      workLong()
      if (step === 2) client.abort(new Error('hung up'))
    },
    client.signal,
  )
  await t.rejects(work, { message: 'hung up' })
  t.strictSame(done, [1, 2])
  await eachInSlices([4], (step) => done.push(step), client.signal)
  t.strictSame(done, [1, 2, 4])
})
