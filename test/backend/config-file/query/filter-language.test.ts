import t from 'tap'
import {
  cellField,
  type Field,
  field,
  hostname,
  NO_DATA,
} from '../../../../lib/backend/config-file/query/fields/field.ts'
import {
  compileFilter,
  type Filter,
  parseFilter,
  valuesAskedFor,
} from '../../../../lib/backend/config-file/query/filter-language.ts'
import { type Json, stringifyJson } from '../../../../lib/json/json.ts'
import type { Config } from '../../../../lib/model/config.ts'

/** What the filters are tried on; `memory` is unknown where it is null. */
interface Thing {
  readonly name: string
  readonly up: boolean
  readonly size: number
  readonly memory: number | null
  readonly tags: readonly string[]
  readonly sizes: readonly number[]
}

let readings = 0

const fields: readonly Field<Thing>[] = [
  hostname(field('name', 'Name', 'text', '', ({ name }) => name)),
  field('os', 'OS', 'text', '', ({ name }) => name.slice(0, 1)),
  field('up', 'Up', 'bool', '', ({ up }) => up),
  field('size', 'Size', 'number', '', ({ size }) => {
    readings++
    return size
  }),
  cellField('memory', 'Memory', 'unit', '', ({ memory }) => (memory === null ? NO_DATA : [0, memory])),
  field('tags', 'Tags', {}, '', ({ tags }) => tags),
  field('sizes', 'Sizes', {}, '', ({ sizes }) => sizes),
]

const things: readonly Thing[] = [
  { name: 'a1.example.com', up: true, size: 10, memory: 128, tags: ['web', 'prod'], sizes: [1, 2] },
  { name: 'a2.example.com', up: false, size: 20, memory: null, tags: [], sizes: [] },
  { name: 'b1.example.org', up: true, size: 30, memory: 512, tags: ['prod'], sizes: [2] },
]

const byName = new Map(fields.map((field) => [field.name, field]))

/** The things that a filter lets through, by the first two characters of their names. */
function passing(json: Json): string {
  const filter = parseFilter(json)
  if (!filter) return 'all'
  const passes = compileFilter(filter, byName, things.length)
  return things
    .filter((thing) => passes(thing, {} as Config))
    .map(({ name }) => name.slice(0, 2))
    .join(' ')
}

t.test('filters let the right objects through', async (t) => {
  const cases: [filter: Json, names: string][] = [
    [null, 'all'],
    [['=', 'name', 'a1.example.com'], 'a1'],
    [['==', 'name', 'a1.example.com'], 'a1'],
    [['=', 'name', 'a1'], 'a1'],
    [['=', 'name', 'a'], ''],
    [['!=', 'name', 'a1'], 'a2 b1'],
    [['=', 'os', 'a'], 'a1 a2'],
    [['<', 'name', 'a2'], 'a1'],
    [['>=', 'os', 'b'], 'b1'],
    [['=', 'size', 20], 'a2'],
    [['<', 'size', 20], 'a1'],
    [['<=', 'size', 20], 'a1 a2'],
    [['>', 'size', 20], 'b1'],
    [['>=', 'size', 20], 'a2 b1'],
    [['?', 'up'], 'a1 b1'],
    [['!', ['?', 'up']], 'a2'],
    [['&', ['?', 'up'], ['=', 'os', 'a']], 'a1'],
    [['|', ['=', 'os', 'b'], ['=', 'size', 10]], 'a1 b1'],
    [['&'], 'a1 a2 b1'],
    [['|'], ''],
    [['|', ['=', 'name', 'b1'], ['=', 'name', 'a2.example.com'], ['=', 'name', 'a']], 'a2 b1'],
    [['|', ['=', 'name', 'a1.example'], ['|', ['==', 'name', 'nosuch']]], 'a1'],
    [['|', ['=', 'os', 'a'], ['=', 'os', 'x']], 'a1 a2'],
    [['|', ['=', 'os', 'a1'], ['=', 'size', 30]], 'b1'],
    [['&', ['?', 'up'], ['|', ['=', 'name', 'a1'], ['=', 'name', 'a2']]], 'a1'],
    [['&', null, ['?', 'up']], 'a1 b1'],
    [['=~', 'name', '^a[12]\\.'], 'a1 a2'],
    [['=~', 'name', 'org$'], 'b1'],
    [['=*', 'name', 'a*'], 'a1 a2'],
    [['=*', 'name', '?1'], 'a1 b1'],
    [['=*', 'name', '*.example.org'], 'b1'],
    [['=*', 'name', '*1*'], 'a1 b1'],
    [['=*', 'name', 'a1.exampl'], ''],
    [['=*', 'name', 'a1(x'], ''],
    [['=[]', 'tags', 'prod'], 'a1 b1'],
    [['=[]', 'tags', 'nosuch'], ''],
    [['=[]', 'sizes', 2], 'a1 b1'],
    [['<', 'size', 2n ** 70n], 'a1 a2 b1'],
    [['=', 'size', 10n], 'a1'],
    [['=[]', 'sizes', 2n ** 70n], ''],
    // A value that nobody knows lets its object through.
    [['=', 'memory', 128], 'a1 a2'],
    [['!=', 'memory', 128], 'b1'],
    [['>', 'memory', 1000], 'a2'],
  ]
  for (const [filter, names] of cases) t.equal(passing(filter), names, stringifyJson(filter))
})

t.test('broken filters are invalid, in the words of Ganeti', async (t) => {
  let deep: Json = ['?', 'up']
  for (let i = 0; i < 101; i++) deep = ['!', deep]
  const cases: [filter: Json, message: string | RegExp][] = [
    ['name == 1', 'Cannot deserialise filter: expected array [string, args], got "name == 1"'],
    [5, 'Cannot deserialise filter: expected array [string, args], got 5'],
    [[], 'Cannot deserialise filter: expected array [string, args], got []'],
    [[['?', 'up']], 'Cannot deserialise filter: expected array [string, args], got [["?","up"]]'],
    [{ name: 'a1' }, 'Cannot deserialise filter: expected array [string, args], got {"name":"a1"}'],
    [['&', 'up'], 'Cannot deserialise filter: expected array [string, args], got "up"'],
    [['nope'], "Unknown filter operand 'nope'"],
    [['!'], 'Cannot deserialise field, expected [filter] but got []'],
    [['!', ['?', 'up'], ['?', 'up']], /^Cannot deserialise field, expected \[filter\] but got /],
    [['?'], 'Cannot deserialise field, expected [fieldname] but got []'],
    [['=', 'name'], 'Cannot deserialise field/value pair, expected [fieldname, value] but got ["name"]'],
    [['=', 'name', 'a', 'b'], /^Cannot deserialise field\/value pair/],
    [['=', 5, 'a'], "Cannot convert value '5', error: Unable to read String"],
    [['=', 'up', true], 'Cannot deserialise filter value, expecting string or integer, got true'],
    [['=', 'name', null], 'Cannot deserialise filter value, expecting string or integer, got null'],
    [['=', 'size', 1.5], /^Cannot deserialise numeric filter value, expecting integral/],
    [['=~', 'name', '(('], /^Invalid regular expression '\(\('/],
    [['=~', 'name', 5], "Cannot convert value '5', error: Unable to read String"],
    [['=', 'bogus', 'x'], "Can't find field named 'bogus'"],
    [['=', 'constructor', 'x'], "Can't find field named 'constructor'"],
    [['|', ['=', 'name', 'a1'], ['?', 'bogus']], "Can't find field named 'bogus'"],
    [deep, 'Filter nested more than 100 times'],
    [['|', ...Array.from({ length: 25_001 }, (): Json => ['?', 'up'])], /more than 25000 terms/],
    [['|', ...Array.from({ length: 20 }, (): Json => ['=~', 'name', 'a'.repeat(500)])], /too large$/],
  ]
  for (const [filter, message] of cases) {
    t.throws(() => passing(filter), { code: 'invalid', message }, stringifyJson(filter).slice(0, 60))
  }
})

t.test('conditions times objects are bounded, and names asked for count once', async (t) => {
  const filter = (length: number, term: (n: number) => Json) =>
    parseFilter(['|', ...Array.from({ length }, (_, n) => term(n))]) as Filter
  const conditions = filter(8000, (n) => ['|', ['=', 'size', n], ['?', 'up']])
  t.throws(() => compileFilter(conditions, byName, 10_000), {
    code: 'invalid',
    message: 'Filter of too many conditions to test 10000 objects',
  })
  compileFilter(conditions, byName, 1000)
  compileFilter(
    filter(20_000, (n) => ['=', 'name', `a${n}`]),
    byName,
    1_000_000,
  )
})

t.test('what one object costs is bounded over all conditions', async (t) => {
  const long: Thing = { ...(things[0] as Thing), name: 'b'.repeat(10_000), tags: Array(10_000).fill('b') }
  const test = (terms: number, term: Json) => () =>
    compileFilter(parseFilter(['|', ...Array(terms).fill(term)]) as Filter, byName, 1)(long, {} as Config)
  const tooLong = { code: 'invalid', message: 'The filter takes too long for the values of an object' }
  t.equal(test(10, ['=~', 'name', 'a'])(), false)
  t.throws(test(11, ['=~', 'name', 'a']), tooLong)
  t.equal(test(20, ['=[]', 'tags', 'a'])(), false)
  t.throws(test(21, ['=[]', 'tags', 'a']), tooLong)
})

t.test('values of another kind than the field has are invalid', async (t) => {
  const cases: [filter: Json, message: string | RegExp][] = [
    [
      ['=', 'name', 5],
      `Invalid types in comparison, trying to compare "a1.example.com" with 'NumericValue 5'`,
    ],
    [['<', 'size', 'x'], `Invalid types in comparison, trying to compare 10 with 'QuotedString "x"'`],
    [['=', 'name', 2n ** 70n], /with 'NumericValue 1180591620717411303424'$/],
    [['=', 'up', 'yes'], `Invalid types in comparison, trying to compare true with 'QuotedString "yes"'`],
    [
      ['|', ['=', 'size', 'x'], ['=', 'size', 'y']],
      `Invalid types in comparison, trying to compare 10 with 'QuotedString "x"'`,
    ],
    [['?', 'size'], "Unexpected value '10' in boolean context"],
    [['?', 'sizes'], "Unexpected value '[1,2]' in boolean context"],
    [['=~', 'size', '1'], "Invalid field value used in regexp matching, expecting string but got '10'"],
    [['=[]', 'name', 'a'], `Cannot convert value '"a1.example.com"', error: Unable to read list`],
    [['=[]', 'sizes', 'a'], "Cannot convert value '[1,2]', error: Unable to read String"],
    [['=[]', 'tags', 1], `Cannot convert value '["web","prod"]', error: Unable to read Integer`],
  ]
  for (const [filter, message] of cases) {
    t.throws(() => passing(filter), { code: 'invalid', message }, stringifyJson(filter))
  }
})

t.test('conditions are tried only until the outcome is known', async (t) => {
  t.equal(passing(['&', ['=', 'os', 'x'], ['?', 'name']]), '')
  t.equal(passing(['|', ['!=', 'os', 'x'], ['?', 'name']]), 'a1 a2 b1')
})

t.test('a field is read once from each object, however often it is asked for', async (t) => {
  readings = 0
  passing(['|', ['=', 'size', 1], ['=', 'size', 2], ['>', 'size', 100]])
  t.equal(readings, things.length)
})

t.test('a filter of names alone tells the names', async (t) => {
  const cases: [filter: Json, names: string[] | null][] = [
    [['=', 'name', 'a'], ['a']],
    [
      ['|', ['=', 'name', 'b'], ['==', 'name', 'a']],
      ['b', 'a'],
    ],
    [
      ['|', ['|', ['=', 'name', 'b']], ['=', 'name', 'a']],
      ['b', 'a'],
    ],
    [['|'], null],
    [['=', 'name', 5], null],
    [['!=', 'name', 'a'], null],
    [['=', 'uuid', 'a'], null],
    [['&', ['=', 'name', 'a']], null],
    [['|', ['=', 'name', 'a'], ['?', 'up']], null],
  ]
  for (const [json, names] of cases) {
    const filter = parseFilter(json)
    t.same(filter && valuesAskedFor(filter, 'name'), names, stringifyJson(json))
  }
})
