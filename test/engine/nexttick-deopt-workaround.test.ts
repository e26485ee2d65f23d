import { executionAsyncResource } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import { keptTick } from '../../lib/engine/nexttick-deopt-workaround.ts'

setFlagsFromString('--allow-natives-syntax')
const haveSameClass: (one: object, other: object) => boolean = runInThisContext(
  '(one, other) => %HaveSameMap(one, other)',
)

t.test('the object that is kept has the hidden class of those that Node makes', async (t) => {
  const kept = await keptTick
  const made = await Promise.all([
    new Promise<object>((resolve) => process.nextTick(() => resolve(executionAsyncResource()))),
    new Promise<object>((resolve) => process.nextTick((_: string) => resolve(executionAsyncResource()), 'x')),
  ])
  for (const one of made) {
    t.not(one, kept)
    t.ok(haveSameClass(one, kept))
  }
  t.notOk(haveSameClass({}, kept))
})
