import t from 'tap'
import { configFileBackend } from '../../../lib/backend/config-file/config-file-backend.ts'
import { versionOfConfig } from '../../../lib/model/version.ts'
import { readConfigFile } from '../../support/read-cluster.ts'

const file = new URL('../../../../test/fixtures/real-cluster/config.data', import.meta.url).pathname
const config = await readConfigFile(file)

t.test('the generation rises when there is a new configuration, and only then', async (t) => {
  let current = config
  const backend = configFileBackend(() => current)
  const first = backend.generation
  t.equal(backend.generation, first)
  current = { ...config }
  const second = backend.generation
  t.ok(second !== null && first !== null && second > first)
  t.equal(backend.generation, second)
  await backend.close()
})

t.test('answers are always from the newest configuration', async (t) => {
  let current = config
  const backend = configFileBackend(() => current)
  current = { ...config, cluster: { ...config.cluster, tags: ['b', 'a'], cluster_name: 'other' } }
  t.same(await backend.queryTags('cluster', ''), ['a', 'b'])
  t.match(await backend.queryClusterInfo(), { name: 'other', tags: ['b', 'a'] })
})

t.test('tags of every kind of object are found by its names', async (t) => {
  const backend = configFileBackend(() => config)
  t.same(await backend.queryTags('instance', 'inst1'), ['prod', 'web'])
  t.same(await backend.queryTags('node', 'node1.example.com'), ['rack:r1', 'ssd'])
  t.same(await backend.queryTags('nodegroup', 'default'), ['dc:one'])
  t.same(await backend.queryTags('network', 'net1'), ['env:test', 'lab'])
  for (const kind of ['instance', 'node', 'nodegroup', 'network'] as const) {
    await t.rejects(
      backend.queryTags(kind, 'nosuch'),
      { code: 'not-found', message: / name nosuch not found$/ },
      kind,
    )
  }
})

t.test("the version of a cluster is its file's", async (t) => {
  const version = versionOfConfig(2160000)
  const backend = configFileBackend(() => ({ ...config, version }))
  t.match(await backend.queryClusterInfo(), {
    software_version: '2.16.0',
    protocol_version: 2160000,
    config_version: 2160000,
    vcs_version: '(ganeti) version 2.16.0',
  })
  t.equal(await backend.version(), version)
  t.equal(backend.knownVersion, version)
})

t.test('there are no jobs, and none is taken', async (t) => {
  const backend = configFileBackend(() => config)
  const nothing = { jobInfo: null, logSerial: null }
  t.same(await backend.queryJobs([], ['id', 'status']), [])
  await t.rejects(backend.queryJobs(['1'], ['id']), { code: 'not-found', message: 'Job 1 not found' })
  await t.rejects(backend.waitForJobChange('1', ['status'], nothing, 1, new AbortController().signal), {
    code: 'not-found',
    message: 'Job 1 not found',
  })
  await t.rejects(backend.submitJob([{ OP_ID: 'OP_CLUSTER_VERIFY' }]), { code: 'unavailable' })
})

t.test('nothing that needs the job queue is done', async (t) => {
  const backend = configFileBackend(() => config)
  const rule = { priority: 0, predicates: [], action: 'CONTINUE', reason: [] }
  await t.rejects(backend.cancelJob('1'), { code: 'unavailable' })
  await t.rejects(backend.replaceFilter(null, rule), { code: 'unavailable' })
  await t.rejects(backend.deleteFilter('73b72947-9176-4112-bda3-0998b18173d7'), { code: 'unavailable' })
})

t.test('rules of the job filter are found by UUID', async (t) => {
  const backend = configFileBackend(() => config)
  const uuid = '73b72947-9176-4112-bda3-0998b18173d7'
  t.same(await backend.queryFilters([uuid], ['priority', 'action']), [[20, ['RATE_LIMIT', 5]]])
  t.same((await backend.queryFilters([], ['uuid'])).at(-1), [uuid])
  await t.rejects(backend.queryFilters(['x'], ['uuid']), {
    code: 'not-found',
    message: 'Filter rule UUID x not found',
  })
})
