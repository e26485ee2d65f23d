import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ConfigLoader, type Loaded } from '../../../../lib/backend/config-file/state/config-loader.ts'
import { messageChain } from '../../../../lib/failure.ts'
import type { JsonObject } from '../../../../lib/json/json.ts'
import type { Config } from '../../../../lib/model/config.ts'
import { generateConfig } from '../../../support/generate-config.ts'
import { readConfigFile } from '../../../support/read-cluster.ts'

const fixtures = fileURLToPath(new URL('../../../../../test/fixtures/', import.meta.url))
const configData = readdirSync(join(fixtures, 'config-data')).map((name) => `config-data/${name}`)

/** The first load. */
async function load(path: string): Promise<Config> {
  return (await new ConfigLoader().load(path)).loaded.config
}

for (const file of ['cluster.yaml', 'real-cluster/config.data', ...configData]) {
  t.test(`${file} becomes the same as on the caller’s thread`, async (t) => {
    const path = join(fixtures, file)
    t.strictSame(await load(path), await readConfigFile(path))
  })
}

interface Generated {
  readonly instances: { [uuid: string]: JsonObject }
  readonly disks: { [uuid: string]: { logical_id: unknown[] } }
  readonly nodes: { [uuid: string]: JsonObject }
}

/** More than one piece. */
function manyInstances(): Generated {
  return structuredClone(generateConfig({ instances: 500, nodes: 20 })) as unknown as Generated
}

t.test('so do many instances, long integers and any letters', async (t) => {
  const config = manyInstances()
  const [instance] = Object.values(config.instances)
  const [disk] = Object.values(config.disks)
  Object.assign(instance ?? {}, { tags: ['größe', '\u2028', '😀'] })
  disk?.logical_id.push('LONG')
  const text = JSON.stringify(config).replace('"LONG"', '12345678901234567890')
  const path = join(t.testdir({ 'config.data': text }), 'config.data')
  const loaded = await load(path)
  t.equal(loaded.instances.all.length, 500)
  t.strictSame(loaded, await readConfigFile(path))
})

t.test('what did not change is the same object after the next load', async (t) => {
  const path = join(t.testdir(), 'config.data')
  const write = (config: Generated) => {
    writeFileSync(`${path}.new`, JSON.stringify(config))
    renameSync(`${path}.new`, path)
  }
  const config = manyInstances()
  write(config)
  const loader = new ConfigLoader()
  const { loaded } = await loader.load(path)
  const before = loaded.config

  const [first = '', second = '', third = '', fourth = ''] = Object.keys(config.instances)
  const nameOf = (uuid: string) => String(config.instances[uuid]?.name)
  Object.assign(config.instances[first] ?? {}, { tags: ['changed'] })
  Object.assign(config.instances[second] ?? {}, { name: 'zz.example.com' })
  const { [third]: gone, ...others } = config.instances
  const added = { ...gone, uuid: 'new', name: 'aa.example.com', disks: [] }
  write({ ...config, instances: { ...others, new: added } })
  const after = (await loader.load(path, loaded)).loaded.config

  t.strictSame(after, await readConfigFile(path))
  t.not(after.instances.byUuid.get(first), before.instances.byUuid.get(first))
  t.strictSame(after.instances.byUuid.get(first)?.tags, ['changed'])
  t.equal(after.instances.byUuid.get(first)?.nics, before.instances.byUuid.get(first)?.nics)
  t.equal(after.instances.byName.get(nameOf(third)), undefined)
  t.equal(after.instances.all[0]?.name, 'aa.example.com')
  t.equal(after.instances.all.at(-1)?.uuid, second)
  const kept = after.instances.all.filter(
    (instance) => before.instances.byUuid.get(instance.uuid) === instance,
  )
  t.equal(kept.length, 497)
  t.equal(after.instances.byUuid.get(fourth), before.instances.byUuid.get(fourth))
  t.strictSame(
    after.nodes.all.map((node) => before.nodes.byUuid.get(node.uuid) === node),
    after.nodes.all.map(() => true),
  )
})

t.test('a few new versions leave the other look-ups as they are, many are looked up anew', async (t) => {
  const path = join(t.testdir(), 'config.data')
  const config = manyInstances()
  const nodes = Object.keys(config.nodes)
  const instances = Object.keys(config.instances)
  const loader = new ConfigLoader()
  let loaded: Loaded | undefined
  const loadAgain = async () => {
    writeFileSync(path, JSON.stringify(config))
    ;({ loaded } = await loader.load(path, loaded))
    t.strictSame(loaded.config, await readConfigFile(path))
    return loaded.config
  }
  const change = (uuid: string | undefined, to: JsonObject) =>
    Object.assign(config.instances[uuid ?? ''] ?? {}, to)
  const before = await loadAgain()
  const [moved] = before.instances.all
  const [from, to, other] = [moved?.primary_node, ...nodes.filter((node) => node !== moved?.primary_node)]
  change(moved?.uuid, { primary_node: to ?? '' })
  Object.assign(config.nodes[nodes[0] ?? ''] ?? {}, { tags: ['changed'] })
  const after = await loadAgain()
  const of = (state: typeof before, node = '') => state.primaryInstances.get(node)
  t.not(of(after, from), of(before, from))
  t.not(of(after, to), of(before, to))
  t.equal(of(after, other), of(before, other))
  t.ok(of(after, other))

  for (const uuid of instances.slice(0, 200)) change(uuid, { tags: ['changed'] })
  const last = await loadAgain()
  t.strictSame(last.instances.all.filter(({ tags }) => tags.includes('changed')).length, 200)
})

t.test('what is wrong with a file is said as on the caller’s thread, and its causes too', async (t) => {
  const directory = t.testdir({ 'broken.yaml': 'cluster: {}', 'broken.json': '{"version": 3000000,' })
  for (const name of ['broken.yaml', 'broken.json', 'none', '.']) {
    const path = join(directory, name)
    const there = await load(path).catch((error) => error)
    const here = await readConfigFile(path).catch((error) => error)
    t.equal(messageChain(there), messageChain(here))
    t.match(there, { name: 'Failure', code: 'configuration', cause: here.cause && { code: here.cause.code } })
  }
})

t.test('a file that vanished may come back', async (t) => {
  const path = join(t.testdir(), 'cluster.yaml')
  const loader = new ConfigLoader()
  for (const name of ['c1', 'c2']) {
    writeFileSync(path, `cluster: {name: ${name}}\nnodes: {n1:}`)
    t.equal((await loader.load(path)).loaded.config.cluster.cluster_name, name)
    rmSync(path)
    await t.rejects(loader.load(path), { message: `cannot read cluster state from ${path}` })
  }
})

t.test('a thread that ends early is a failure, and one with a fault of ours tells it', async (t) => {
  const loader = new ConfigLoader(new URL('./programs/ending-thread.js', import.meta.url))
  await t.rejects(loader.load('f'), {
    code: 'internal',
    message: 'the thread that reads cluster state ended before it was done',
  })
  await t.rejects(loader.load('fault'), { name: 'TypeError', message: 'a fault of ours' })
})

t.test('closing ends a load under way', async (t) => {
  const path = join(fixtures, 'cluster.yaml')
  const loader = new ConfigLoader()
  const loading = t.rejects(loader.load(path), { code: 'internal' })
  await loader.close()
  await loading
})
