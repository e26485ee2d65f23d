import t from 'tap'
import {
  forceTypes,
  pythonLiteral,
  updatedParams,
} from '../../../../lib/backend/config-file/operations/shared/force-types.ts'
import type { Json } from '../../../../lib/json/json.ts'
import type { ParamType } from '../../../../lib/model/defaults.ts'

t.test('values are made to be of their types', async (t) => {
  const cases: readonly (readonly [type: ParamType, given: Json, forced: Json])[] = [
    ['string', 'x', 'x'],
    ['string', false, ''],
    ['maybe-string', null, null],
    ['bool', 'True', true],
    ['bool', 'false', false],
    ['bool', '', false],
    ['bool', 0, false],
    ['bool', [1], true],
    ['bool', {}, false],
    ['size', 128, 128],
    ['size', '1g', 1024],
    ['size', '1.5 GiB', 1536],
    ['size', '2T', 2 * 1024 * 1024],
    ['size', 130, 132],
    ['size', '0.1', 4],
    ['int', '7', 7],
    ['int', 2.9, 2],
    ['int', true, 1],
    ['float', '1.5', 1.5],
    ['float', true, 1],
  ]
  for (const [type, given, forced] of cases) {
    t.same(forceTypes({ it: given }, { it: type }), { it: forced }, `${type} ${JSON.stringify(given)}`)
  }
})

t.test('what cannot be of its type is refused as Python would say it', async (t) => {
  const cases: readonly (readonly [type: ParamType, given: Json, text: string])[] = [
    ['string', 1, "'it' (value 1) is not a valid string"],
    ['string', null, "'it' (value None) is not a valid string"],
    ['bool', 'perhaps', "'it' (value perhaps) is not a valid boolean"],
    ['size', 'big', "'it' (value big) is not a valid size. error: Invalid format"],
    ['size', '1x', "'it' (value 1x) is not a valid size. error: Unknown unit: x"],
    ['size', null, "'it' (value None) is not a valid size. error: Invalid format"],
    ['int', 'x', "'it' (value x) is not a valid integer"],
    ['int', ['a'], "'it' (value ['a']) is not a valid integer"],
    ['float', 'x', "'it' (value x) is not a valid float"],
  ]
  for (const [type, given, text] of cases) {
    t.throws(() => forceTypes({ it: given }, { it: type }), { message: text }, text)
  }
  t.throws(() => forceTypes({ constructor: 1 }, {}), { message: "Unknown parameter 'constructor'" })
  t.same(forceTypes({ it: 'default' }, { it: 'int' }, ['default']), { it: 'default' })
})

t.test('Python writes values its own way', async (t) => {
  t.equal(pythonLiteral([null, true, "it's", { a: [1, 'b'] }]), `[None, True, "it's", {'a': [1, 'b']}]`)
})

t.test('parameters are set and taken back', async (t) => {
  t.same(updatedParams({ a: 1, b: 2, c: 3 }, { a: 'default', b: null, d: 4 }), { b: null, c: 3, d: 4 })
  t.same(updatedParams({ a: 1 }, { a: null }, true), {})
})
