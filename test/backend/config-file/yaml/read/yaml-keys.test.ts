import { readFileSync } from 'node:fs'
import t from 'tap'
import { readYamlValue } from '../../../../../lib/backend/config-file/yaml/read/read-yaml.ts'
import {
  keysOf,
  RECORD_KEYS,
  YAML_KEYS,
  type YamlKind,
} from '../../../../../lib/backend/config-file/yaml/read/yaml-keys.ts'
import type { Json, JsonObject } from '../../../../../lib/json/json.ts'

const template = readFileSync(new URL('../../../../../../man/ganeti-rapi.8.in', import.meta.url), 'utf8')

/** A file with an object of this kind that has a key without a value; of disks, one of each template. */
const WITH: { readonly [kind in YamlKind]: (key: string) => JsonObject } = {
  sections: (key) => ({ [key]: null }),
  cluster: (key) => ({ cluster: { name: 'c', [key]: null } }),
  groups: (key) => ({ groups: { default: { [key]: null } } }),
  connections: (key) => ({
    networks: { lan: { network: '192.0.2.0/24' } },
    groups: { default: { networks: { lan: { [key]: null } } } },
  }),
  nodes: (key) => ({ nodes: { n1: { [key]: null } } }),
  instances: (key) => ({ instances: { a: { [key]: null } } }),
  disks: (key) => withDisk({ [key]: null }),
  children: (key) => withDisk({ children: [{ [key]: null }] }),
  nics: (key) => ({ instances: { a: { pnode: 'n1', nics: [{ [key]: null }] } } }),
  networks: (key) => ({ networks: { lan: { [key]: null } } }),
  os: (key) => ({ os: [{ [key]: null }] }),
  filters: (key) => ({ filters: [{ [key]: null }] }),
}

function withDisk(disk: JsonObject): JsonObject {
  const instance = (template: string) => ({ pnode: 'n1', disk_template: template, disks: [disk] })
  return { instances: { a: instance('plain'), b: instance('blockdev'), c: instance('ext') } }
}

/** How often a file is said to have an unknown key. */
function unknownKeys(value: Json): number {
  try {
    readYamlValue(value, { name: 'x' })
    return 0
  } catch (error) {
    return String(error).split('unknown key').length - 1
  }
}

t.test('the reader takes every key of the table, and no other', async (t) => {
  for (const [kind, file] of Object.entries(WITH) as [YamlKind, (key: string) => JsonObject][]) {
    const places = kind === 'disks' || kind === 'children' ? 3 : 1
    t.equal(unknownKeys(file('nonsense')), places, `${kind}: nonsense`)
    // Keys of one disk template are those of that alone.
    for (const key of keysOf(kind)) t.ok(unknownKeys(file(key)) < places, `${kind}: ${key}`)
  }
})

t.test('the manual describes every key of the table, and no other', async (t) => {
  const [, section = ''] = /^\.Ss A cluster in YAML\n(The other form[\s\S]*?)^\.Sh /m.exec(template) ?? []
  const [list = '', rest = ''] = section.split(/^\.El$/m)
  const described = new Map(
    list
      .split(/^\.It Ic /m)
      .slice(1)
      .map((item) => [item.slice(0, item.indexOf('\n')), keysIn(item)]),
  )
  const { sections: _, connections, children, ...kinds } = YAML_KEYS
  const below: { readonly [kind: string]: readonly string[] } = { groups: connections, disks: children }
  t.strictSame([...described.keys()].sort(), Object.keys(kinds).sort())
  for (const [kind, keys] of Object.entries(kinds)) {
    t.strictSame(described.get(kind), [...new Set([...keys, ...(below[kind] ?? [])])].sort(), kind)
  }
  t.strictSame(keysIn(rest), [...RECORD_KEYS].sort(), 'what objects may have besides')
})

/** What is set as literal there; values are set as quoted. */
function keysIn(text: string): readonly string[] {
  const lines = [...text.matchAll(/^\.Li (.*)$/gm)].map(([, words = '']) => words)
  return [
    ...new Set(lines.flatMap((words) => words.split(' ').filter((word) => !/^[,.;:]$/.test(word)))),
  ].sort()
}
