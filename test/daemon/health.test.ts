import t from 'tap'
import { Health, remembered } from '../../lib/daemon/health.ts'
import { Failure } from '../../lib/failure.ts'
import { MemoryLog } from '../support/memory-log.ts'

const NONE: ReadonlySet<string> = new Set()

t.test('those that fail are named, and those left out are not made', async (t) => {
  const made: string[] = []
  const check = (name: string, fails: boolean) => ({
    name,
    run: async () => {
      made.push(name)
      if (fails) throw new Error('why')
    },
  })
  const health = new Health(
    'readyz',
    [check('a', false), check('b', true), check('c', true)],
    new MemoryLog(),
  )
  t.strictSame(health.names, ['a', 'b', 'c'])
  t.strictSame([...(await health.failing(NONE))], ['b', 'c'])
  t.strictSame([...(await health.failing(new Set(['b'])))], ['c'])
  t.strictSame(made, ['a', 'b', 'c', 'a', 'c'])
})

t.test('the log has the reason once when a check begins to fail, and once when that is over', async (t) => {
  const log = new MemoryLog()
  let fault: Error | undefined
  const run = () => {
    if (fault) throw fault
  }
  const health = new Health('readyz', [{ name: 'state', run }], log)
  await health.failing(NONE)
  fault = new Failure('configuration', 'cannot read', { cause: new Error('no such file') })
  for (let probe = 0; probe < 5; probe++) t.ok((await health.failing(NONE)).has('state'))
  fault = undefined
  for (let probe = 0; probe < 5; probe++) t.notOk((await health.failing(NONE)).has('state'))
  t.strictSame(log.lines, [
    'WARNING readyz: state fails: cannot read: no such file',
    'INFO readyz: state is ok again',
  ])
})

t.test('a remembered outcome is shared by those who ask meanwhile, and made again later', async (t) => {
  let runs = 0
  const counting = async () => {
    runs++
    if (runs === 1) throw new Error('the first')
  }
  const long = remembered({ name: 'x', run: counting }, 3_600_000)
  const outcomes = await Promise.allSettled([long.run(), long.run()])
  t.strictSame(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await t.rejects(async () => long.run(), { message: 'the first' })
  t.equal(runs, 1)

  const short = remembered({ name: 'x', run: counting }, 0)
  await short.run()
  await short.run()
  t.equal(runs, 3)
})
