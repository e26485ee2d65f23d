import t from 'tap'
import { Problems } from '../../../../../lib/backend/config-file/records/problems.ts'
import { parseYaml } from '../../../../../lib/backend/config-file/yaml/syntax/yaml-tree.ts'
import type { Json } from '../../../../../lib/json/json.ts'

t.test('YAML becomes plain values', async (t) => {
  const cases: [text: string, value: Json][] = [
    ['', null],
    ['a: 1', { a: 1 }],
    ['{a: [1, x, true, null, 1.5]}', { a: [1, 'x', true, null, 1.5] }],
    ['a: no', { a: 'no' }],
    ['[7, 007, 0x10, 1.50]', [7, '007', '0x10', 1.5]],
    ['mac: 01:23:45:67:89:01', { mac: '01:23:45:67:89:01' }],
    ['1: a\ntrue: b', { '1': 'a', true: 'b' }],
    ['a:', { a: null }],
    ['__proto__: {a: 1}', JSON.parse('{"__proto__": {"a": 1}}')],
    ['base: &base {a: 1}\ncopy: *base', { base: { a: 1 }, copy: { a: 1 } }],
    ['- &a 1\n- &a 2\n- *a', [1, 2, 2]],
    ['base: &base {a: 1, b: 1}\nmore: {<<: *base, b: 2}', { base: { a: 1, b: 1 }, more: { b: 2, a: 1 } }],
    ['- &a {x: 1}\n- &b {x: 2, y: 2}\n- {<<: [*a, *b]}', [{ x: 1 }, { x: 2, y: 2 }, { x: 1, y: 2 }]],
    ['a: {"<<": 1}', { a: { '<<': 1 } }],
    ["a: &a {b: 1}\nc: {'<<': *a}", { a: { b: 1 }, c: { '<<': { b: 1 } } }],
    ['a: &a {b: 1}\nc: {!!str <<: *a}', { a: { b: 1 }, c: { '<<': { b: 1 } } }],
    ['%YAML 1.1\n---\na: &a {b: no}\nc: {<<: *a, "<<": d}', { a: { b: false }, c: { '<<': 'd', b: false } }],
  ]
  for (const [text, value] of cases) {
    const tree = parseYaml(text)
    t.strictSame(tree.faults, [], text)
    t.strictSame(tree.value, value, text)
  }
})

t.test('what is wrong with the YAML itself has its place', async (t) => {
  const bomb = Array.from({ length: 9 }, (_, level) =>
    level === 0
      ? 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
      : `a${level}: &a${level} [${Array(10).fill(`*a${level - 1}`)}]`,
  ).join('\n')
  const cases: [text: string, complaint: RegExp][] = [
    ['a: 1\na: 2', /^2:1: "a" is there already$/],
    ['a: {b: 1,\n b: 2}', /^2:2: "b" is there already$/],
    ['a: [1, 2', /^1:4: the \[ that opens here is not closed$/],
    ['a: {b: [1, 2]\nc: 3', /^1:4: the \{ that opens here is not closed, by a line/],
    ['a: {b: [1, {c: 2\nd: 3', /^1:12: the \{ that opens here is not closed, by a line/],
    ['a: b\nc: "d\ne: "f"\n', /^2:4: the " that opens here is not closed$/],
    ["a: 'b\nc: d\n", /^1:4: the ' that opens here is not closed$/],
    ['a: [b, "c]\nd: 3', /^1:8: the " that opens here is not closed$/],
    ['a: b: c', /^1:4: a second colon in the value of a key: put the value in quotes, or in a line below$/],
    ['a: 1\n\tb: 2', /^2:1: a tab in the indentation: use spaces$/],
    ['a:\n    b: 1\n  c: 2', /^3:1: this is indented otherwise than what it belongs to$/],
    ['a: b\nc\nd: 1', /^2:1: a colon is missing after this$/],
    ['name: foo\nbar\nbaz: 1', /^2:1: a colon is missing after this, or it is indented otherwise/],
    ['a: {\nb: 1\n}', /^1:4: the \{ that opens here is not closed, by a line that is indented further/],
    ['a: *nobody', /^1:4: \*nobody stands for nothing that is before it$/],
    ['a: * b', /^1:4: a name is missing after \*, or quotes around text that begins with it$/],
    ['a: @home', /^1:4: text that begins with @ must be in quotes$/],
    ['a: "\\q"', /^1:5: a backslash in double quotes, and none of the characters that may follow it/],
    ['a: "b" c', /^1:8: "c" has no place here$/],
    ['a: ]', /^1:4: "\]" has no place here$/],
    ['a: [b, "c" d]', /^1:12: a comma is missing before "d\]", or a colon$/],
    ['a: 1\n---\nb: 2', /^2:1: a second document begins here, and a cluster is one$/],
    ['a: !mine x', /^1:4: the tag "!mine" means nothing here$/],
    ['%MINE 1\n---\na: 1', /^1:1: a directive \(%\) that is not known$/],
    ['? [a]\n: 1', /^1:3: a key must be text$/],
    ['a: &a [*a]', /^1:8: \*a stands for something that contains it$/],
    ['a: {<<: 1}', /^1:9: << must stand for objects$/],
    ['a: .inf', /^1:4: a value of this kind has no place here$/],
    [bomb, /^5:\d+: the aliases stand for too many values$/],
  ]
  for (const [text, complaint] of cases) {
    const tree = parseYaml(text)
    const lines = tree.faults.map(({ offset, message }) => `${tree.position(offset)}: ${message}`)
    t.match(lines[0], complaint, text.slice(0, 40))
    for (const line of lines) t.notMatch(line, /\n/)
    if (tree.faults.length > 1) t.notMatch(lines[0], 'not closed', 'what follows from it is not told')
  }
})

t.test('the way back leads to a value’s line and column', async (t) => {
  const tree = parseYaml(
    [
      'a:',
      '  b: [1, {c: 2}]',
      '  d:',
      'base: &base {e: 3}',
      'f: *base',
      'g: {<<: *base, h: 4}',
      'i: &i [5]',
    ].join('\n'),
  )
  const cases: [path: (string | number)[], kind: 'key' | 'value', position: string][] = [
    [['a'], 'key', '1:1'],
    [['a'], 'value', '2:3'],
    [['a', 'b', 1, 'c'], 'value', '2:14'],
    [['a', 'b', 1, 'c'], 'key', '2:11'],
    [['a', 'b', 9], 'value', '2:6'],
    [['a', 'd'], 'value', '3:3'],
    [['a', 'missing', 'more'], 'value', '2:3'],
    [['f', 'e'], 'value', '4:17'],
    [['g', 'e'], 'value', '4:17'],
    [['g', 'h'], 'value', '6:19'],
    [['i', 0], 'value', '7:8'],
    [[], 'value', '1:1'],
  ]
  for (const [path, kind, position] of cases) {
    const problems = new Problems(true)
    const place = path.reduce<{ parent: null | object; key: string | number }>(
      (parent, key) => ({ parent, key }),
      { parent: null, key: '' },
    )
    problems.add(place as Parameters<Problems['add']>[0], '', kind)
    const [problem] = problems.found
    t.equal(problem && tree.position(tree.locate(problem)), position, `${path.join('/')} (${kind})`)
  }
})
