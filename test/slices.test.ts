import t from 'tap'
import { eachInSlices, inSlices, mapInSlices } from '../lib/slices.ts'

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
  t.strictSame(await mapInSlices([1, 2, 3], (number) => number * 2), [2, 4, 6])
  await t.rejects(
    eachInSlices([1], () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
})
