import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig, parseObjects, readConfigFile } from '../../../lib/backend/config-file/read.ts'
import { Failure } from '../../../lib/failure.ts'
import { NEWEST } from '../../../lib/model/version.ts'

const fixtures = new URL('../../../../test/fixtures/', import.meta.url)

t.test('JSON and YAML are told apart by their first character', async (t) => {
  const json = readFileSync(new URL('config-data/3.1.json', fixtures), 'utf8')
  t.equal(parseConfig(` \n${json}`, { name: 'f' }).version.number, 3010000)
  t.equal(parseConfig('cluster: {name: c}\nnodes: {n1:}', { name: 'f' }).version, NEWEST)
  t.throws(
    () => parseConfig('{}', { name: 'f' }),
    new Failure('configuration', 'f: version: not a config.data of Ganeti, which has a version'),
  )
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

t.test('a YAML file is as old as it says, or as it is', async (t) => {
  const path = join(t.testdir(), 'cluster.yaml')
  writeFileSync(path, 'cluster: {name: c}\nnodes: {n1: {mtime: 5}, n2:}')
  const config = await readConfigFile(path)
  t.ok(config.mtime > 1_600_000_000)
  t.match(config.cluster, { mtime: config.mtime, ctime: config.mtime })
  t.equal(config.nodes.byName.get('n1')?.mtime, 5)
})

t.test('a file that cannot be read is named', async (t) => {
  const directory = t.testdir()
  for (const path of [join(directory, 'none'), directory]) {
    await t.rejects(
      readConfigFile(path),
      new Failure('configuration', `cannot read cluster state from ${path}`),
    )
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
