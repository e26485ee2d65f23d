import { createHash } from 'node:crypto'
import t from 'tap'
import { encode, encodeSmall } from '../../lib/http/encode.ts'
import type { Json } from '../../lib/json/json.ts'
import { LazyList, lazyMap } from '../../lib/json/lazy-list.ts'

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

t.test('long lists are encoded like short ones', async (t) => {
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

t.test('the digest depends on the bytes only, not on how they were cut', async (t) => {
  const list = Array.from({ length: 1000 }, (_, index) => index)
  const { body, digest } = await encode(list)
  t.equal(digest, createHash('sha256').update(body).digest('base64url').slice(0, 22))
  t.not((await encode([...list, 0])).digest, digest)
})

t.test('a long list is encoded in time slices', async (t) => {
  const rows = Array.from({ length: 20_000 }, () => ({ text: 'x'.repeat(500), list: [1, 2, 3] }))
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await encode(rows)
  clearInterval(timer)
  t.ok(turns > 1, `others had ${turns} turns`)
})

t.test('lazy lists are encoded like arrays', async (t) => {
  for (const length of [0, 1, 31, 32, 33, 1000]) {
    const list = Array.from({ length }, (_, n) => [n, { text: 'x, y' }])
    const lazy = lazyMap(list, (one) => one)
    t.equal((await encode(lazy)).body.toString(), (await encode(list)).body.toString())
    t.equal(
      (await encode({ data: lazy, fields: ['a'] })).body.toString(),
      (await encode({ data: list, fields: ['a'] })).body.toString(),
      `${length} elements within an object`,
    )
  }
  const long = lazyMap(Array.from({ length: 50 }), () => 'x'.repeat(100_000))
  t.equal(
    (await encode(long)).body.toString(),
    `${JSON.stringify([...long], null, ' ')
      .replaceAll('\n', '')
      .replaceAll('[ ', '[')}\n`,
  )
})

const MEBIBYTE = 1024 * 1024

t.test('beyond the limit, an estimate refuses the answer before encoding', async (t) => {
  let made = 0
  const rows = new LazyList(10_000, () => {
    made++
    return Array.from({ length: 300 }, () => [0, 'some value'])
  })
  const fields = Array.from({ length: 300 }, () => 'text')
  await t.rejects(encode({ data: rows, fields }, { limit: 16 * MEBIBYTE }), {
    code: 'too-large',
    message:
      'The answer would have 55 MiB or more for 10000 rows of 300 fields, and at most 16 MiB are sent;' +
      ' ask for fewer fields, or for fewer objects by a filter',
  })
  t.ok(made < 40, `${made} rows were made`)
  t.ok((await encode({ data: rows }, { limit: 64 * MEBIBYTE })).body.length > 50 * MEBIBYTE)
})

t.test('if the estimate is wrong, encoding stops soon after the limit', async (t) => {
  let made = 0
  // The rows of which a sample is taken are short.
  const rows = new LazyList(3200, (index) => {
    made++
    return index % 100 === 0 ? [] : ['x'.repeat(10_000)]
  })
  await t.rejects(encode(rows, { limit: MEBIBYTE }), { code: 'too-large' })
  t.ok(made < 250, `${made} rows were made`)
})

t.test('encoding stops when its signal is aborted', async (t) => {
  let made = 0
  const client = new AbortController()
  const rows = new LazyList(100_000, () => {
    if (++made === 500) client.abort(new Error('hung up'))
    return ['x'.repeat(1000)]
  })
  await t.rejects(encode(rows, { signal: client.signal }), { message: 'hung up' })
  t.ok(made < 50_000, `${made} rows were made`)
})
