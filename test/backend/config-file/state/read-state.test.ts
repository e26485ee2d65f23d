import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Failure } from '../../../../lib/failure.ts'
import { NEWEST } from '../../../../lib/model/version.ts'
import { parseConfig, parseObjects, readConfigFile } from '../../../support/read-cluster.ts'

const fixtures = new URL('../../../../../test/fixtures/', import.meta.url)

t.test('JSON is what Ganeti writes, and all else is YAML, be it in braces', async (t) => {
  const json = readFileSync(new URL('config-data/3.1.json', fixtures), 'utf8')
  t.equal(parseConfig(` \n${json}`, { name: 'f' }).version.number, 3010000)
  t.equal(parseConfig('cluster: {name: c}\nnodes: {n1:}', { name: 'f' }).version, NEWEST)
  t.equal(parseConfig(`\ufeff${json}`, { name: 'f' }).version.number, 3010000)
  const braces = ['{cluster: {name: c}, nodes: {n1: }}', '{"cluster": {"name": "c"}, "nodes": {"n1": {}}}']
  for (const yaml of braces) t.equal(parseConfig(yaml, { name: 'f' }).cluster.cluster_name, 'c')
  const refused: [text: string, message: string][] = [
    ['{}', 'f: 1:1: a cluster has at least one node\nf: 1:1: the cluster needs a name'],
    ['{"version": "3"}', 'f: version: not a config.data of Ganeti, which has a version'],
    ['{"version": 3000000, "cluster": {', 'f: not valid JSON: it ends too early'],
    ['{cluster: {name: c},\n nodes: {n1: {cpus: x}}', 'f: 1:1: the { that opens here is not closed'],
    [
      '{cluster: {name: c},\n nodes: {n1: {cpus: x}}}',
      'f: 2:21: cpus must be a whole number, and is the text "x"',
    ],
  ]
  for (const [text, message] of refused)
    t.throws(() => parseConfig(text, { name: 'f' }), new Failure('configuration', message))
})

t.test('what is not UTF-8 is refused with its place, never read as something else', async (t) => {
  const yaml = 'cluster: {name: c}\nnodes: {n1: }\n# Größe, 日本 €\n'
  const utf16 = Buffer.from(`\ufeff${yaml}`, 'utf16le')
  const latin1 = (text: string) => Buffer.from(text, 'latin1')
  const HINT = 'is not UTF-8; if this is Latin-1, iconv -f LATIN1 -t UTF-8 converts it'
  const UTF16 = '1:1: this is UTF-16, and must be UTF-8: iconv -f UTF-16 -t UTF-8 converts it'
  const cases: [bytes: Buffer, message: string][] = [
    [utf16, UTF16],
    [utf16.subarray(2), UTF16],
    [Buffer.from(utf16).swap16(), UTF16],
    [Buffer.from(utf16.subarray(2)).swap16(), UTF16],
    [latin1('# ok\n# Größe\n'), `2:5: the byte 0xf6 ${HINT}`],
    [latin1('cluster: {name: é}'), `1:17: the byte 0xe9 ${HINT}`],
    [Buffer.concat([Buffer.from('a: "日本'), latin1('é"')]), `1:7: the byte 0xe9 ${HINT}`],
    [Buffer.from('a: €').subarray(0, -1), `1:4: the byte 0xe2 ${HINT}`],
  ]
  for (const [bytes, message] of cases) {
    const path = join(t.testdir({ 'cluster.yaml': bytes }), 'cluster.yaml')
    await t.rejects(readConfigFile(path), new Failure('configuration', `${path}: ${message}`))
  }
  const path = join(t.testdir({ 'cluster.yaml': yaml }), 'cluster.yaml')
  t.equal((await readConfigFile(path)).cluster.cluster_name, 'c')
})

t.test('objects are found by name and by UUID, and in their natural order', async (t) => {
  const config = await readConfigFile(new URL('real-cluster/config.data', fixtures).pathname)
  t.strictSame(
    config.instances.all.map((instance) => instance.name.replace('.example.com', '')),
    Array.from({ length: 11 }, (_, number) => `inst${number + 1}`),
  )
  const inst2 = config.instances.byName.get('inst2.example.com')
  t.equal(config.instances.byUuid.get(inst2?.uuid ?? ''), inst2)
})

t.test('a YAML file is as old as it says, or as it is, in whole seconds', async (t) => {
  const path = join(t.testdir(), 'cluster.yaml')
  writeFileSync(path, 'cluster: {name: c}\nnodes: {n1: {mtime: 5}, n2:}')
  const config = await readConfigFile(path)
  t.ok(config.mtime > 1_600_000_000)
  const seconds = Math.floor(config.mtime)
  t.match(config.cluster, { mtime: seconds, ctime: seconds })
  t.equal(config.nodes.byName.get('n1')?.mtime, 5)
})

t.test('a file that cannot be read is named', async (t) => {
  const directory = t.testdir()
  for (const path of [join(directory, 'none'), directory]) {
    await t.rejects(readConfigFile(path), {
      code: 'configuration',
      message: `cannot read cluster state from ${path}`,
    })
  }
})

t.test('what is wrong is said with the file’s name before it', async (t) => {
  const path = join(t.testdir({ 'cluster.yaml': 'cluster: {}' }), 'cluster.yaml')
  await t.rejects(readConfigFile(path), {
    code: 'configuration',
    message: `${path}: 1:1: the cluster needs a name`,
  })
})

t.test('a file nested without end is refused', async (t) => {
  const deep = 20_000
  for (const text of [`a: ${'['.repeat(deep)}${']'.repeat(deep)}`, deepDisk(deep)]) {
    t.throws(() => parseConfig(text, { name: 'f' }), { code: 'configuration' })
  }
})

function deepDisk(depth: number): string {
  const disk = `${'{"dev_type": "plain", "children": ['.repeat(depth)}${']}'.repeat(depth)}`
  const instance = `{"uuid": "i", "name": "i", "primary_node": "n", "hypervisor": "kvm", "disks": [${disk}]}`
  return `{"version": 3000000, "cluster": {"cluster_name": "c", "master_node": "n"},
    "nodegroups": {"g": {"uuid": "g", "name": "g"}}, "nodes": {"n": {"uuid": "n", "name": "n", "group": "g"}},
    "instances": {"i": ${instance}}}`
}

t.test('the objects can be sent between threads', async (t) => {
  for (const file of ['cluster.yaml', 'real-cluster/config.data']) {
    const objects = parseObjects(readFileSync(new URL(file, fixtures), 'utf8'), { name: file })
    t.strictSame(structuredClone(objects), objects)
  }
})
