import t from 'tap'
import { type Json, type JsonObject, parseJson, sharing, stringifyJson } from '../../lib/json/json.ts'

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

t.test('digits within a string leave the integers around it exact, and a broken text broken', async (t) => {
  t.strictSame(parseJson('["a,1795324427691937001,b\\\\", 1795324427691937002]'), [
    'a,1795324427691937001,b\\',
    1795324427691937002n,
  ])
  t.throws(() => parseJson('{"[1795324427691937001]": 0, 1795324427691937001: 1}'), SyntaxError)
  t.throws(() => parseJson('["[1795324427691937001]", 1795324427691937001'), SyntaxError)
})

t.test('an integer has 4300 digits at most', async (t) => {
  const digits = '1'.repeat(4300)
  t.equal(stringifyJson(parseJson(`[-${digits}]`)), `[-${digits}]`)
  t.throws(() => parseJson(`[${digits}1]`), SyntaxError)
  t.strictSame(parseJson(`["[${digits}1]",1795324427691937001]`), [`[${digits}1]`, 1795324427691937001n])
})

t.test('long integers are found however deep they stand', async (t) => {
  let value = parseJson(`${'['.repeat(50_000)}1795324427691937001${']'.repeat(50_000)}`)
  while (Array.isArray(value)) value = value[0] as Json
  t.equal(value, 1795324427691937001n)
})

t.test('a new version takes from the old one what is still so, and says what it said', async (t) => {
  const old = parseJson('{"a": {"b": [1, {"c": "d"}]}, "e": [1, 2], "f": 1795324427691937001}') as JsonObject
  const same = parseJson('{"f": 1795324427691937001, "e": [1, 2], "a": {"b": [1, {"c": "d"}]}}')
  t.equal(sharing(same, old), old)
  const changed = sharing(parseJson('{"a": {"b": [1, {"c": "d"}]}, "e": [1, 3], "f": 0}'), old) as JsonObject
  t.strictSame(changed, { a: { b: [1, { c: 'd' }] }, e: [1, 3], f: 0 })
  t.equal(changed.a, old.a)
  t.not(changed.e, old.e)
  t.strictSame(old.e, [1, 2])
})

t.test('however two versions differ, the new one stays what it is', async (t) => {
  const texts = [
    ...['null', '0', '""', '"a"', '[]', '{}', '[null]', '[[]]', '[{}]', '[1,2]', '[1,2,3]', '[2,1]'],
    ...['{"0":1,"1":2}', '{"a":1}', '{"b":1}', '{"a":{}}', '{"a":null}', '{"a":1,"b":1}'],
    ...['{"__proto__":{}}', '{"__proto__":{"a":1}}', '{"constructor":{}}', '{"a":{"__proto__":{}}}'],
    ...['[1795324427691937001]', '[1795324427691937002]'],
  ]
  for (const old of texts) {
    for (const text of texts) {
      const kept = parseJson(old)
      t.equal(stringifyJson(sharing(parseJson(text), kept)), text, `${text} after ${old}`.slice(0, 100))
      t.equal(stringifyJson(kept), old)
    }
  }
})

t.test('what is nested deeply is not looked into to its end', async (t) => {
  const deep = () => {
    let value: Json = []
    for (let depth = 0; depth < 100_000; depth++) value = [value]
    return value
  }
  const fresh = deep()
  t.ok(sharing(fresh, deep()) === fresh)
})
