import { createHash } from 'node:crypto'
import t from 'tap'
import { encode, encodeSmall } from '../../lib/http/encode.ts'
import type { Json } from '../../lib/json.ts'

/** Values and what Python's json.dumps makes of them. */
const asPython: [Json, string][] = [
  [null, 'null'],
  [true, 'true'],
  [-1.5, '-1.5'],
  [1795324427691937000n, '1795324427691937000'],
  ['', '""'],
  ['a, b: [c] {d}', '"a, b: [c] {d}"'],
  ['"quoted" \\ line\nfeed\ttab\u0000', '"\\"quoted\\" \\\\ line\\nfeed\\ttab\\u0000"'],
  ['caf\u00e9 \u20ac \ud83d\ude00 \u007f', '"caf\\u00e9 \\u20ac \\ud83d\\ude00 \\u007f"'],
  [[], '[]'],
  [{}, '{}'],
  [[1, 2, 3], '[1, 2, 3]'],
  [[[], [[]], {}], '[[], [[]], {}]'],
  [{ a: 1, 'b,': [',', { c: null }], '\u00fc': {} }, '{"a": 1, "b,": [",", {"c": null}], "\\u00fc": {}}'],
  [[1795324427691937000n, [1, 'x']], '[1795324427691937000, [1, "x"]]'],
]

t.test('JSON is written as Python writes it, with a newline at the end', async (t) => {
  for (const [value, text] of asPython) {
    t.equal(encodeSmall(value).toString(), `${text}\n`)
    t.equal((await encode(value)).body.toString(), `${text}\n`)
  }
})

t.test('long lists come out as short ones do', async (t) => {
  const row = { name: 'inst', 'nic.ips': [null, 'x, y'], oper_ram: 128 }
  const text = '{"name": "inst", "nic.ips": [null, "x, y"], "oper_ram": 128}'
  for (const length of [127, 128, 129, 256, 1000]) {
    const list = Array.from({ length }, () => row)
    const listText = `[${Array.from({ length }, () => text).join(', ')}]`
    t.equal((await encode(list)).body.toString(), `${listText}\n`, `${length} rows`)
    t.equal(
      (await encode({ data: list, fields: [], more: list })).body.toString(),
      `{"data": ${listText}, "fields": [], "more": ${listText}}\n`,
      `${length} rows within an object`,
    )
  }
})

t.test('the digest is that of the bytes, however they were cut', async (t) => {
  const list = Array.from({ length: 1000 }, (_, index) => index)
  const { body, digest } = await encode(list)
  t.equal(digest, createHash('sha256').update(body).digest('base64url').slice(0, 22))
  t.not((await encode([...list, 0])).digest, digest)
})

t.test('a long list leaves the event loop to others in between', async (t) => {
  const rows = Array.from({ length: 20_000 }, () => ({ text: 'x'.repeat(500), list: [1, 2, 3] }))
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await encode(rows)
  clearInterval(timer)
  t.ok(turns > 1, `others had ${turns} turns`)
})
