import t from 'tap'
import { IdAllocator } from '../../../../lib/backend/config-file/operations/instance/id-allocator.ts'
import { Run } from '../../../../lib/backend/config-file/operations/shared/run.ts'
import type { Config } from '../../../../lib/model/config.ts'

/** @param ports of the consoles of instances that are there */
function allocator(ports: readonly number[], random = 0) {
  const all = ports.map((network_port) => ({ network_port, nics: [{ mac: 'aa:00:00:ff:ff:ff' }], disks: [] }))
  const config = { cluster: { mac_prefix: 'aa:00:00' }, instances: { all } } as unknown as Config
  return new IdAllocator(new Run(config, {}, { now: 0, newUuid: () => '', random: () => random }))
}

t.test('gives out the lowest free port, until there is none', async (t) => {
  const ids = allocator([11_000, 11_002])
  t.same([ids.newPort(), ids.newPort()], [11_001, 11_003])
  const full = allocator(Array.from({ length: 3_999 }, (_, place) => 11_000 + place))
  t.equal(full.newPort(), 14_999)
  t.throws(() => full.newPort(), { message: /greater than 14999/ })
})

t.test('a MAC that is taken gives way to the next, which after the last is the first', async (t) => {
  const ids = allocator([11_000], 1 - 2 ** -24)
  t.same([ids.newMac(null), ids.newMac(null)], ['aa:00:00:00:00:00', 'aa:00:00:00:00:01'])
  t.throws(() => ids.reserveMac('aa:00:00:ff:ff:ff', ''), { message: /already in use in cluster/ })
})

t.test('minors are counted by node', async (t) => {
  const ids = allocator([])
  t.same([ids.newMinor('a'), ids.newMinor('a'), ids.newMinor('b')], [0, 1, 0])
})
