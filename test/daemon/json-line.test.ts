import t from 'tap'
import { jsonLine } from '../../lib/daemon/json-line.ts'

t.test('a record is one line of printable ASCII, and reads as it was', async (t) => {
  const texts = ['a', '"\\', '\r\n\t\0', '\x1b[31m', '\x7f\x9b', 'ü', '\u2028\u202e', '😀', '\ud800']
  for (const [index, text] of texts.entries()) {
    const line = jsonLine({ [text]: text })
    t.match(line, /^[\x20-\x7e]+\n$/, `text ${index}`)
    t.strictSame(JSON.parse(line), { [text]: text })
  }
})

t.test('what is undefined is left out', async (t) => {
  t.equal(jsonLine({ a: 1, b: undefined, c: null }), '{"a":1,"c":null}\n')
})
