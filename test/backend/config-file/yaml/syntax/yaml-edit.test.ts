import t from 'tap'
import { editYaml, newEntry, ownPart } from '../../../../../lib/backend/config-file/yaml/syntax/yaml-edit.ts'
import type { JsonObject } from '../../../../../lib/json/json.ts'

const cases: {
  readonly title: string
  readonly text: string
  readonly wanted: JsonObject
  readonly result: string
}[] = [
  {
    title: 'the comment where a text begins that has lines of its own stays when the text changes',
    text: 'state: |- # now\n  up\nt:\n  - >- # one\n    a\n',
    wanted: { state: 'down', t: ['b'] },
    result: 'state: down # now\nt:\n  - b # one\n',
  },
  {
    title: 'elements that change places take their comments along',
    text: 'h:\n  # first\n  - kvm  # fast\n      # very\n  - xen-pvm # slow\n',
    wanted: { h: ['xen-pvm', 'kvm'] },
    result: 'h:\n  - xen-pvm # slow\n  # first\n  - kvm  # fast\n      # very\n',
  },
  {
    title: 'in CRLF, too',
    text: 'h:\r\n  # first\r\n  - kvm  # fast\r\n  - xen-pvm # slow\r\n',
    wanted: { h: ['xen-pvm', 'kvm'] },
    result: 'h:\r\n  - xen-pvm # slow\r\n  # first\r\n  - kvm  # fast\r\n',
  },
  {
    title: 'an element that comes to mean something else by an alias is not moved as it stands',
    text: 'hypervisor: &h kvm\nall:\n  - *h # fast\n  - xen-pvm\n',
    wanted: { hypervisor: 'xen-pvm', all: ['xen-pvm', 'kvm'] },
    result: 'hypervisor: &h xen-pvm\nall:\n  - xen-pvm\n  - kvm # fast\n',
  },
  {
    title: 'a text that comes before others of a list is not what one of them became',
    text: 't:\n  - b # about b\n  - c\n',
    wanted: { t: ['a', 'b', 'c'] },
    result: 't:\n  - a\n  - b # about b\n  - c\n',
  },
  {
    title: 'nor is one that stands elsewhere in the list',
    text: 't:\n  - b # about b\n  - c\n',
    wanted: { t: ['a', 'c', 'b'] },
    result: 't:\n  - a\n  - c\n  - b # about b\n',
  },
  {
    title: 'what is put below a key with a comment leaves it beside the key',
    text: 'n:  # none yet\nz: 1\n',
    wanted: { n: { a: { x: 1 }, b: { x: 2 } }, z: 1 },
    result: 'n:  # none yet\n  a: {x: 1}\n  b: {x: 2}\nz: 1\n',
  },
  {
    title: 'what takes the place of lines leaves the comment beside their key',
    text: 'n:  # some\n  a: 1\n  b: 2\nz: 1\n',
    wanted: { n: 5, z: 1 },
    result: 'n: 5  # some\nz: 1\n',
  },
  {
    title: 'a comment further in than what stands above it is about that, and goes with it',
    text: 'd:\n  a: |-\n    text\n  n:\n    lan:\n    # of lan\n\n      # too\n  z: 1\n',
    wanted: { d: { a: 'text', z: 1 } },
    result: 'd:\n  a: |-\n    text\n  z: 1\n',
  },
  {
    title: 'or comes before what is added',
    text: 'd:\n  a: 1\n    # of a\nz: 1\n',
    wanted: { d: { a: 1, b: 2 }, z: 1 },
    result: 'd:\n  a: 1\n    # of a\n  b: 2\nz: 1\n',
  },
  {
    title: 'a tag goes with what it says, the comment beside it and the anchor stay',
    text: 'a: !!str &x "1" # one\nb: !!map # two\n  c: 1\nd: *x\n',
    wanted: { a: 2, b: null, d: 2 },
    result: 'a: &x 2 # one\nb: # two\nd: *x\n',
  },
  {
    title: 'an element among comments leaves brackets without a comma or a blank too many',
    text: 'd: [1, { # two\n  x: 2 }, 3, { # four\n  x: 4 }]\n',
    wanted: { d: [1, 3] },
    result: 'd: [1, 3]\n',
  },
  {
    title: 'a value changes where it stands, and the comment beside it stays',
    text: '# top\na:   1   # one\n\nb: "two"\n',
    wanted: { a: 5, b: 'two' },
    result: '# top\na:   5   # one\n\nb: "two"\n',
  },
  {
    title: 'a new key goes behind the last one, before what follows it',
    text: 'x:\n    a: 1 # one\n    # about b\n    b: {c: 1}\n\n# end\n',
    wanted: { x: { a: 1, b: { c: 1 }, d: [1, 2] } },
    result: 'x:\n    a: 1 # one\n    # about b\n    b: {c: 1}\n    d: [1, 2]\n\n# end\n',
  },
  {
    title: 'a key goes with its line',
    text: 'x:\n  a: 1\n  b:\n    - 1 # one\n    - 2\n  # about c\n  c: 3\n',
    wanted: { x: { a: 1, c: 3 } },
    result: 'x:\n  a: 1\n  # about c\n  c: 3\n',
  },
  {
    title: 'maps in braces stay so, on as many lines as they had',
    text: 'n:\n  {a: 1, b: 2,\n   c: 3}\n',
    wanted: { n: { a: 1, b: 4, d: 'x: y' } },
    result: 'n:\n  {a: 1, b: 4,\n   d: "x: y"}\n',
  },
  {
    title: 'lists in brackets grow and shrink in place',
    text: 't: [a, "b", c]  # tags\n',
    wanted: { t: ['b', 'c', 'd'] },
    result: 't: ["b", c, d]  # tags\n',
  },
  {
    title: 'lists of lines grow and shrink in place',
    text: 'd:\n  # first\n  - 1g\n  - size: 2\n    name: x\n  - 3\nz: 1\n',
    wanted: { d: ['1g', 3, { size: 4, name: 'y' }], z: 1 },
    result: 'd:\n  # first\n  - 1g\n  - 3\n  - {size: 4, name: "y"}\nz: 1\n',
  },
  {
    title: 'an item goes in between',
    text: 'd:\n- 1\n- 3\n',
    wanted: { d: [1, 2, 3] },
    result: 'd:\n- 1\n- 2\n- 3\n',
  },
  {
    title: 'an item changes inside',
    text: 'd:\n  - size: 2   # MiB\n    name: x\n',
    wanted: { d: [{ size: 3 }] },
    result: 'd:\n  - size: 3   # MiB\n',
  },
  {
    title: 'the first key of an item goes',
    text: 'd:\n  - size: 2\n    name: x\n',
    wanted: { d: [{ name: 'x' }] },
    result: 'd:\n  - name: x\n',
  },
  {
    title: 'a key without a value gets one',
    text: 'a:\nb: ~\n',
    wanted: { a: { c: 1 }, b: 2 },
    result: 'a: {c: 1}\nb: 2\n',
  },
  {
    title: 'a block becomes a single value',
    text: 'a:\n  b: 1\n  c: 2\nd: 1\n',
    wanted: { a: 'text', d: 1 },
    result: 'a: text\nd: 1\n',
  },
  {
    title: 'text over several lines gives way',
    text: 'a: |\n  one\n  two\nb: >-\n  three\n  four\n',
    wanted: { a: 'x\ny', b: 'z' },
    result: 'a: "x\\ny"\nb: z\n',
  },
  { title: 'an empty text gets its first key', text: '', wanted: { a: { b: 1 } }, result: 'a: {b: 1}\n' },
  {
    title: 'an object in braces that becomes empty keeps the comments that are about none of its keys',
    text: '{a: { # about a\n b: 1}, z: 1}\n',
    wanted: { a: null, z: 1 },
    result: '{a: { # about a\n }, z: 1}\n',
  },
  {
    title: 'comments alone are kept above the first key',
    text: '# nothing yet\n',
    wanted: { a: 1 },
    result: '# nothing yet\na: 1\n',
  },
  {
    title: 'a last line without an end gets one',
    text: 'a: 1',
    wanted: { a: 1, b: 2 },
    result: 'a: 1\nb: 2\n',
  },
  {
    title: 'values that look like others are quoted',
    text: 'a: []\n',
    wanted: { a: ['1', 'true', 'null', '0x10', '', '- x', 'a #b'] },
    result: 'a: ["1", "true", "null", "0x10", "", "- x", "a #b"]\n',
  },
  {
    title: 'integers of any length are written as they are',
    text: 'a: 1\n',
    wanted: { a: 1795323478895675001n },
    result: 'a: 1795323478895675001\n',
  },
  {
    title: 'an alias whose value changes says it itself',
    text: 'a: &x {b: 1}\nc: *x\n',
    wanted: { a: { b: 1 }, c: { b: 2 } },
    result: 'a: &x {b: 1}\nc: {b: 2}\n',
  },
  {
    title: 'what others stand for changes without them',
    text: 'a: &x {b: 1}\nc: *x\n',
    wanted: { a: { b: 2 }, c: { b: 1 } },
    result: 'a: &x {b: 2}\nc: {b: 1}\n',
  },
  {
    title: 'a merged key changes by an own one',
    text: 'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 3\n',
    wanted: { a: { b: 1, c: 2 }, d: { b: 7, c: 2, e: 3 } },
    result: 'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 3\n  b: 7\n',
  },
  {
    title: 'a merge of a list that goes goes, too',
    text: 'a: &x []\nb: {<<: *x, c: 1}\n',
    wanted: { b: { c: 1 } },
    result: 'b: {c: 1}\n',
  },
  {
    title: 'a merge of nothing gives way to nothing',
    text: 'a: &x {}\nb:\n  c: 1\n  <<: *x\n',
    wanted: { a: {}, b: null },
    result: 'a: &x {}\nb: null\n',
  },
  {
    title: 'a merged key that goes takes the merging with it',
    text: 'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  e: 3\nf: {<<: *x, b: 4}\n',
    wanted: { a: { b: 1, c: 2 }, d: { c: 2, e: 3 }, f: { b: 4, c: 2 } },
    result: 'a: &x {b: 1, c: 2}\nd:\n  e: 3\n  c: 2\nf: {<<: *x, b: 4}\n',
  },
]

for (const { title, text, wanted, result } of cases) {
  t.test(title, async (t) => {
    t.equal(editYaml(text, wanted), result)
    t.equal(editYaml(result, wanted), result, 'what is said already is left alone')
  })
}

t.test('a key is renamed where it stands', async (t) => {
  const renamed = new Map([
    ['', new Map([['a', '<<']])],
    ['b', new Map([['c', '1']])],
  ])
  t.equal(
    editYaml('a: 1 # x\nb:\n  c: {d: 1} # y\n', { '<<': 1, b: { '1': { d: 2 } } }, { renamed }),
    '"<<": 1 # x\nb:\n  "1": {d: 2} # y\n',
  )
})

t.test('comments behind what is said are no part of it', async (t) => {
  t.strictSame(ownPart('  a:\n    b: 1 # one\n\n  # about the next\n'), {
    own: '  a:\n    b: 1 # one\n',
    rest: '\n  # about the next\n',
  })
})

t.test('a new object is written like its neighbour', async (t) => {
  t.equal(newEntry('  n1: {a: 1}\n', 'n2', { a: 2, t: ['x'] }), '  n2: {a: 2, t: [x]}\n')
  t.equal(
    newEntry('    n1:\n      a: 1\n', 'n2', { a: 2, disks: [{ size: 1 }, { size: 2 }] }),
    '    n2:\n      a: 2\n      disks:\n        - {size: 1}\n        - {size: 2}\n',
  )
  const long = 'x'.repeat(1100)
  t.equal(newEntry('  n1: {a: 1}\n', long, { a: 2 }), `  ? ${long}\n  : {a: 2}\n`)
})
