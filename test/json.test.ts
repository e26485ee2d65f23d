import t from 'tap'
import { parseJson, stringifyJson } from '../lib/json.ts'

t.test('integers of any length come out as they went in', async (t) => {
  for (const text of [
    '1795324427691937000',
    '[1795324427322911232,-9223372036854775808]',
    '{"a":[["gnt:user","12345678901234567890",1795324342744293120]],"b":1.5}',
    '[9007199254740991,9007199254740993]',
    '"a \\" 1795324342744293120"',
    '["x,1795324427691937001,y",1795324427691937002]',
    '{"[1795324427691937001]":{"a":[[1795324427691937002],"1795324427691937003"]}}',
    '"say \\\\",1795324427691937001',
    '[1,2.5,-3,1e300,"",null,true,{}]',
  ]) {
    t.equal(stringifyJson(parseJson(`[${text}]`)), `[${text}]`.replace('1e300', '1e+300'))
  }
})

t.test('integers that fit stay numbers', async (t) => {
  t.strictSame(parseJson('[9007199254740991, 9007199254740993]'), [9007199254740991, 9007199254740993n])
})

t.test('a broken text is a SyntaxError either way', async (t) => {
  t.throws(() => parseJson('[1,'), SyntaxError)
  t.throws(() => parseJson('[1795324427691937001,'), SyntaxError)
  t.throws(() => parseJson('[01795324427691937001]'), SyntaxError)
})
