import { utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { configOnDemand } from '../../../lib/backend/config-file/stale-state.ts'
import { ConfigLoader } from '../../../lib/backend/config-file/state/config-loader.ts'

const yaml = (name: string) => `cluster: {name: ${name}}\nnodes: {node1.example.com: {}}\n`
const nameOf = async (get: ReturnType<typeof configOnDemand>) =>
  (await (await get(false)).backend.queryClusterInfo()).name

t.test('a file is read when it is asked for, and again when it has changed', async (t) => {
  const path = `${t.testdir()}/cluster.yaml`
  const get = configOnDemand(path, `${t.testdirName}/queue`, new ConfigLoader())
  await t.rejects(get(false), { code: 'configuration' }, 'it may be absent at first')
  writeFileSync(path, yaml('one.example.com'))
  utimesSync(path, 1000, 1000)
  t.equal(await nameOf(get), 'one.example.com')
  t.match(await get(false), { asOf: new Date(1000_000), serial: 1 })
  writeFileSync(path, yaml('two.example.com'))
  utimesSync(path, 2000, 2000)
  t.equal(await nameOf(get), 'two.example.com')
  t.strictSame((await get(false)).asOf, new Date(2000_000))
})

t.test('many who ask at once share one reading', async (t) => {
  const path = `${t.testdir({ 'cluster.yaml': yaml('c.example.com') })}/cluster.yaml`
  const get = configOnDemand(path, `${t.testdirName}/queue`, new ConfigLoader())
  const [first, ...others] = await Promise.all(
    [1, 2, 3].map(async () => (await get(false)).backend.queryNodes([], ['uuid'])),
  )
  for (const other of others) t.same(other, first)
})

t.test('a file with mistakes is no answer, until it is mended', async (t) => {
  const path = `${t.testdir({ 'cluster.yaml': 'cluster: [' })}/cluster.yaml`
  const get = configOnDemand(path, `${t.testdirName}/queue`, new ConfigLoader())
  await t.rejects(get(false), { code: 'configuration' })
  await t.rejects(get(false), { code: 'configuration' })
  writeFileSync(path, yaml('c.example.com'))
  t.equal(await nameOf(get), 'c.example.com')
})

t.test('the jobs have a time of their own', async (t) => {
  const dir = t.testdir({ 'cluster.yaml': yaml('c.example.com'), queue: {} })
  const get = configOnDemand(`${dir}/cluster.yaml`, `${dir}/queue`, new ConfigLoader())
  const op = { input: { OP_ID: 'OP_TEST_DELAY', duration: 1 }, status: 'success' }
  const file = { id: 7, ops: [op], received_timestamp: [1, 2] }
  writeFileSync(`${dir}/queue/job-7`, JSON.stringify(file))
  utimesSync(`${dir}/cluster.yaml`, 1000, 1000)
  utimesSync(`${dir}/queue`, 3000, 3000)
  t.match(await get(false), { asOf: new Date(1000_000) })
  const { asOf, backend } = await get(true)
  t.strictSame(asOf, new Date(3000_000))
  t.strictSame(await backend.queryJobs([], ['id', 'status']), [[7, 'success']])
  t.strictSame(await backend.queryJobs(['7'], ['summary']), [[['TEST_DELAY(1.0)']]])
  await t.rejects(backend.queryJobs(['8'], ['id']), { code: 'not-found' })
  await t.rejects(backend.submitJob([]), { code: 'unavailable' })
})
