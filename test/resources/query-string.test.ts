import t from 'tap'
import { Failure } from '../../lib/failure.ts'
import { QueryString } from '../../lib/resources/query-string.ts'

/** Query strings and what Python's parse_qs makes of parameter `a`. */
const values: [query: string, all: string[]][] = [
  ['', []],
  ['a', []],
  ['a=', []],
  ['&&=&a', []],
  ['a=1', ['1']],
  ['b=2&a=1', ['1']],
  ['a=1&a=&a=2', ['1', '2']],
  ['a=1;a=2', ['1;a=2']],
  ['a=b=c', ['b=c']],
  ['A=1', []],
  ['a=x+y', ['x y']],
  ['a=x%2By', ['x+y']],
  ['a=%26%3D%23', ['&=#']],
  ['%61=1', ['1']],
  ['a=caf%C3%A9', ['caf\u00e9']],
  ['a=%ff', ['\ufffd']],
  ['a=%zz%4', ['%zz%4']],
  ['a=%', ['%']],
  ['a=%00', ['\u0000']],
  ['__proto__=1&a=2', ['2']],
  ['?a=1', []],
  ['a=%C3x%A9', ['\ufffdx\ufffd']],
  ['a=\ufeffb', ['\ufeffb']],
]

t.test('a query string is read as Python reads it', async (t) => {
  for (const [text, all] of values) {
    const query = new QueryString(text)
    t.strictSame(query.all('a'), all, text)
    t.equal(query.first('a'), all[0], text)
  }
})

/** What Python's int() makes of a value, as far as zero or not; 'refused' for a ValueError. */
const flags: [query: string, flag: boolean | 'refused'][] = [
  ['', false],
  ['bulk=', false],
  ['bulk=0', false],
  ['bulk=00', false],
  ['bulk=-0', false],
  ['bulk=0_0', false],
  ['bulk=1', true],
  ['bulk=2', true],
  ['bulk=-1', true],
  ['bulk=%2B1', true],
  ['bulk=+1', true],
  ['bulk=%201%20', true],
  ['bulk=%0a1%09', true],
  ['bulk=1_0', true],
  ['bulk=99999999999999999999', true],
  ['bulk=0&bulk=1', false],
  ['bulk=abc', 'refused'],
  ['bulk=true', 'refused'],
  ['bulk=1.0', 'refused'],
  ['bulk=1__0', 'refused'],
  ['bulk=_1', 'refused'],
  ['bulk=1_', 'refused'],
  ['bulk=- 1', 'refused'],
  ['bulk=0x1', 'refused'],
  ['bulk=+', 'refused'],
  ['bulk=-', 'refused'],
  ['bulk=1e3', 'refused'],
]

t.test('a flag is any integer Python knows, and on unless that is zero', async (t) => {
  for (const [text, flag] of flags) {
    const read = () => new QueryString(text).flag('bulk')
    if (flag !== 'refused') t.equal(read(), flag, text)
    else t.throws(read, new Failure('invalid', "Invalid value for the 'bulk' parameter"), text)
  }
})

t.test('the flags of RAPI 1.2 may be words as well', async (t) => {
  for (const [value, flag] of [
    ['true', true],
    ['false', false],
    ['1', true],
    ['0', false],
  ] as const) {
    t.equal(new QueryString(`bulk=${value}`).flagOrWord('bulk'), flag, value)
  }
  for (const value of ['True', 'yes', '1.0']) {
    t.throws(() => new QueryString(`bulk=${value}`).flagOrWord('bulk'), { code: 'invalid' }, value)
  }
})
