import t from 'tap'
import { equalJson, type Json, parseJson, stringifyJson } from '../../lib/json/json.ts'
import { parseJsonInSlices } from '../../lib/json/json-in-slices.ts'
import { numbers } from '../support/live-cluster.ts'

const BOUNDS = { depth: 100, values: 100_000, members: 1000, scalar: 1024 * 1024 }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const decode = (bytes: Buffer) => utf8.decode(bytes)

/** In runs so short that a text of a few lines consists of many. */
function parseInRuns(text: string | Buffer, run: number): Promise<Json> {
  return parseJsonInSlices(Buffer.from(text as string), { bounds: BOUNDS, decode, run })
}

/** Gives whole numbers from 0 up to what it is asked for, the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  const next = numbers(seed)
  return (below) => Math.floor(next() * below)
}

/** The text of a random value, with spaces, escapes, long integers and keys that occur twice. */
function randomText(random: (below: number) => number, depth: number): string {
  const space = () => ['', '', '', ' ', '\n\t ', '\r\n'][random(6)] as string
  const string = () => {
    const parts = [
      'a',
      'key',
      '\\"',
      '\\\\',
      '\\u00e4',
      'ä',
      '€',
      '𝄞',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '__proto__',
    ]
    return `"${Array.from({ length: random(4) }, () => parts[random(parts.length)]).join('')}"`
  }
  const members = (make: () => string) =>
    Array.from({ length: random(6) }, () => space() + make() + space()).join(',') || space()
  switch (depth === 0 ? random(4) : random(8)) {
    case 0:
      return string()
    case 1:
      return ['0', '-1.5e3', '12', '1795324427691937001', '-9223372036854775808'][random(5)] as string
    case 2:
      return ['true', 'false', 'null', '""'][random(4)] as string
    case 3:
      return `"${'long '.repeat(random(10))}"`
    case 4:
    case 5:
      return `[${members(() => randomText(random, depth - 1))}]`
    default: {
      const key = () => (random(2) === 0 ? string() : `"${['a', 'b', '1', '0', '__proto__'][random(5)]}"`)
      return `{${members(() => `${key()}${space()}:${space()}${randomText(random, depth - 1)}`)}}`
    }
  }
}

/** The same keys in the same order, everywhere, and the same values. */
function isSame(a: Json, b: Json): boolean {
  return equalJson(a, b) && stringifyJson(a) === stringifyJson(b)
}

async function outcome(parse: () => Json | Promise<Json>): Promise<Json | SyntaxError> {
  try {
    return await parse()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return new SyntaxError('refused')
    throw error
  }
}

t.test('whatever the text, it is what parsing the whole gives', async (t) => {
  const random = randomFrom(1)
  for (let round = 0; round < 3000; round++) {
    const text = randomText(random, 6)
    const whole = parseJson(text)
    for (const run of [1, 8, 40, 200]) {
      if (isSame(await parseInRuns(text, run), whole)) continue
      t.fail('differs', { text, run })
    }
  }
  t.pass('compared')
})

t.test('a text that is broken anywhere is refused, as the whole is', async (t) => {
  const random = randomFrom(2)
  const pieces = [
    '',
    ',',
    '[',
    ']',
    '{',
    '}',
    '"',
    ':',
    '\\',
    ' ',
    '0',
    'a',
    '[]',
    '{}',
    '"a":',
    ',,',
    '\ufeff',
    '\xff',
  ]
  let refused = 0
  for (let round = 0; round < 6000; round++) {
    const bytes = Buffer.from(randomText(random, 5))
    const at = random(bytes.length + 1)
    const piece = Buffer.from(pieces[random(pieces.length)] as string, random(2) === 0 ? 'latin1' : 'utf8')
    const broken = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + random(3))])
    const whole = await outcome(() => parseJson(decode(broken)))
    if (whole instanceof SyntaxError) refused++
    for (const run of [1, 8, 40]) {
      const parts = await outcome(() => parseInRuns(broken, run))
      const same =
        whole instanceof SyntaxError || parts instanceof SyntaxError
          ? whole instanceof SyntaxError && parts instanceof SyntaxError
          : isSame(parts, whole)
      if (!same) t.fail('differs', { text: broken.toString('latin1'), run })
    }
  }
  t.ok(refused > 1000, `${refused} were refused`)
})

t.test('a key of a large member counts as any other, and the last of several counts', async (t) => {
  const large = `[${'1,'.repeat(50)}1]`
  for (const text of [
    `{"a":${large},"b":1,"a":2,"__proto__":${large}}`,
    `{"__proto__":1,"b":${large},"__proto__":{"c":${large}}}`,
    `{"2":${large},"1":${large},"b":0,"2":[]}`,
    `{ "a\\u0062" : ${large} , "c":"d" }`,
  ]) {
    t.equal(stringifyJson(await parseInRuns(text, 20)), stringifyJson(parseJson(text)), text.slice(0, 60))
  }
  t.equal(Object.getPrototypeOf(await parseInRuns(`{"__proto__":${large}}`, 20)), Object.prototype)
})

t.test('what stands between a large member and the next is refused', async (t) => {
  const large = `[${'1,'.repeat(50)}1]`
  for (const text of [
    ...[`[${large} 1]`, `[1 ${large}]`, `[,${large}]`, `[${large},]`, `[${large},,1]`, `[${large}${large}]`],
    ...[`{${large}}`, `{"a"${large}}`, `{"a":1 ${large}}`, `{"a":${large}"b":1}`, `{"a":${large},}`],
    ...[`{"a":-${large}}`, `{"a":${large}:1}`, `{1:${large}}`, `["a":${large}]`, `${large}]`, `${large},1`],
    ...[
      `[${large}`,
      `{"a":${large}]`,
      `[${large}}`,
      `${large} ${large}`,
      `{,"a":${large}}`,
      `{"a",${large}}`,
    ],
  ]) {
    t.throws(() => parseJson(text), SyntaxError, text.slice(0, 20))
    await t.rejects(parseInRuns(text, 20), SyntaxError, text.slice(0, 20))
  }
})

t.test('bounds hold whatever the length of the text, before any of it is parsed', async (t) => {
  const bounds = { depth: 3, values: 10, members: 2, scalar: 50 }
  const parse = (text: string) => parseJsonInSlices(Buffer.from(text), { bounds, decode, run: 20 })
  t.strictSame(await parse('[[["[[[["]]]'), [[['[[[[']]])
  await t.rejects(parse('[[[[]]]]'), { name: 'JsonBoundError', bound: 'depth' })
  await t.rejects(parse('['.repeat(100_000)), { name: 'JsonBoundError', bound: 'depth' })
  t.strictSame(await parse('[1,2,3,4,5,6,7,8,9]'), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  await t.rejects(parse('[1,2,3,4,5,6,7,8,9,10,11]'), { name: 'JsonBoundError', bound: 'values' })
  await t.rejects(parse(`[${'[],'.repeat(10)}0]`), { name: 'JsonBoundError', bound: 'values' })
  t.strictSame(await parse('{"a":[1,2,3],"b":2}'), { a: [1, 2, 3], b: 2 })
  await t.rejects(parse('{"a":1,"b":2,"c":3}'), { name: 'JsonBoundError', bound: 'members' })
  t.strictSame(await parse(`["${'a'.repeat(48)}"]`), ['a'.repeat(48)])
  await t.rejects(parse(`["${'a'.repeat(60)}"]`), { name: 'JsonBoundError', bound: 'scalar' })
  await t.rejects(parse('1'.repeat(60)), { name: 'JsonBoundError', bound: 'scalar' })
  await t.rejects(parse(`[1, ${' '.repeat(60)}2]`), { name: 'JsonBoundError', bound: 'scalar' })
})

t.test('others have their turn while a long text is parsed', async (t) => {
  const text = `{"a":[${'{"b":["c","d"]},'.repeat(20_000)}0]}`
  let turns = 0
  let on = true
  const count = () => {
    turns++
    if (on) setImmediate(count)
  }
  setImmediate(count)
  const value = await parseJsonInSlices(Buffer.from(text), { bounds: BOUNDS, decode })
  on = false
  t.ok(isSame(value, parseJson(text)))
  t.ok(turns > 2, `${turns} turns`)
})
