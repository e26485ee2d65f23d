/**
 * The contract that a handler relies on, tried on both backends: the one that
 * reads a file and the one that asks a master daemon.
 */
import t, { type Test } from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { luxiBackend } from '../../lib/backend/luxi/luxi-backend.ts'
import { readRealCluster } from '../support/real-cluster.ts'
import { backendContract, KINDS } from './backend-contract.ts'
import { recordedMaster } from './recorded-master.ts'

async function fromFile(): Promise<Backend> {
  const { running } = await readRealCluster()
  return configFileBackend(() => running)
}

async function fromMaster(t: Test): Promise<Backend> {
  const { path } = await recordedMaster(t)
  const backend = luxiBackend([path])
  t.teardown(() => backend.close())
  return backend
}

backendContract('a file', fromFile)
backendContract('a master daemon', fromMaster)

t.test('both say the same of the same cluster', async (t) => {
  const [file, master] = [await fromFile(), await fromMaster(t)]
  for (const { what, query, names, fields } of KINDS) {
    const rows = await query(file, [], fields)
    t.equal(rows.length, names.length)
    t.same(await query(master, [], fields), rows, what)
  }
  for (const what of ['instance', 'node']) {
    const definitions = (backend: Backend) => backend.queryFields(what, ['name', 'uuid', 'bogus'])
    const withoutDoc = (all: Awaited<ReturnType<typeof definitions>>) => all.map(({ doc, ...rest }) => rest)
    t.same(withoutDoc(await definitions(master)), withoutDoc(await definitions(file)), `fields of ${what}s`)
  }
  const all = ['watermark', 'priority', 'predicates', 'action', 'reason_trail', 'uuid']
  t.same(await master.queryFilters([], all), await file.queryFilters([], all), 'rules of the job filter')
})
