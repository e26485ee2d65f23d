import t from 'tap'
import type { Json } from '../../lib/json/json.ts'
import { withoutPrivateValues } from '../../lib/model/private-values.ts'

t.test('names of private and secret parameters are told, their values never', async (t) => {
  const cases: readonly (readonly [told: Json, shown: Json])[] = [
    [{ osparams_private: { a: 'x' } }, { osparams_private: { a: null } }],
    [{ osparams_secret: { b: ['x'], c: { d: 'x' } } }, { osparams_secret: { b: null, c: null } }],
    [
      [[7, [{ instances: [{ osparams_private: { a: 'x' }, os_type: 'o' }] }]]],
      [[7, [{ instances: [{ osparams_private: { a: null }, os_type: 'o' }] }]]],
    ],
    [
      { osparams_private_cluster: { debian: { a: 'x' }, other: null } },
      { osparams_private_cluster: { debian: { a: null }, other: {} } },
    ],
    [
      { osparams_private: null, osparams_private_cluster: null },
      { osparams_private: {}, osparams_private_cluster: null },
    ],
    [{ osparams_secret: 'x' }, { osparams_secret: {} }],
  ]
  for (const [told, shown] of cases) t.strictSame(withoutPrivateValues(told), shown, JSON.stringify(told))
})

t.test('what has none is given back as it is', async (t) => {
  const told = [[1, 'success', { osparams: { a: 'x' }, list: [null, 1n, true, 'osparams_private'] }]]
  t.equal(withoutPrivateValues(told), told)
  t.equal(withoutPrivateValues('x'), 'x')
})
