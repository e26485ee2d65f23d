import t from 'tap'
import { blockMap, flow } from '../../../../../lib/backend/config-file/yaml/syntax/yaml-format.ts'
import { parseYaml } from '../../../../../lib/backend/config-file/yaml/syntax/yaml-tree.ts'
import type { Json, JsonObject } from '../../../../../lib/json/json.ts'
import { PYTHON, run, unless } from '../../../../clients/programs.ts'
import { anyTexts } from '../../../../support/any-text.ts'

const texts = anyTexts(11)

t.test('whatever text is a key or a value is read as what it was', async (t) => {
  const faults: string[] = []
  for (const text of texts) {
    const values: readonly JsonObject[] = [
      { [text]: text },
      { a: [text, { [text]: [text] }] },
      { [text]: { [text]: {}, b: [[], text] } },
    ]
    for (const value of values) {
      for (const yaml of [flow(value), blockMap(value, 0), blockMap(value, 3)]) {
        const { value: read, faults: found } = parseYaml(yaml)
        if (found.length > 0 || JSON.stringify(read) !== JSON.stringify(value)) faults.push(yaml)
      }
    }
  }
  t.strictSame(faults, [])
})

t.test('text is only quoted where it has to be', async (t) => {
  const plain = [
    'web',
    'node1.example.com',
    '20g',
    '192.0.2.1',
    '198.51.100.0/24',
    'aa:00:00:00:00:01',
    'a b',
    'é',
    'site:berlin',
    '2001:db8::1',
  ]
  t.equal(flow(plain), `[${plain.join(', ')}]`)
})

const READ = `
import json, sys, yaml
print(json.dumps([list(pair) for one in yaml.safe_load(sys.stdin) for pair in one.items()], default=repr))
`

t.test(
  'what is written means the same to PyYAML, which reads YAML 1.1',
  unless([PYTHON, '-c', 'import yaml'], 'python3-yaml'),
  async (t) => {
    const values: readonly Json[] = [
      ...texts,
      ...[null, true, false, 0, 7, -1, 1.5, 1795323478.25, 1e-7, 1795323478895675001n],
    ]
    const said = values.flatMap((value) => {
      const key = typeof value === 'string' ? value : 'k'
      return [{ [key]: value }, { [key]: [value, value] }]
    })
    const input = said.flatMap((one) => [`- ${flow(one)}\n`, `-\n${blockMap(one, 2)}`]).join('')
    const outcome = await run([PYTHON, '-c', READ], { input })
    t.equal(outcome.stderr, '')
    const read = outcome.stdout.replaceAll('1795323478895675001', '"long"')
    const expected = said.flatMap((one) => [...Object.entries(one), ...Object.entries(one)])
    const plain = JSON.stringify(expected, (_key, value) => (typeof value === 'bigint' ? 'long' : value))
    const [got, wanted] = [JSON.parse(read) as Json[], JSON.parse(plain) as Json[]]
    t.equal(got.length, wanted.length)
    t.strictSame(
      got.filter((one, place) => JSON.stringify(one) !== JSON.stringify(wanted[place])),
      [],
    )
  },
)
