import t from 'tap'
import type { Instance } from '../../lib/model/instance.ts'
import { macNumber, macOf, numbersOf } from '../../lib/model/unique-numbers.ts'

t.test('a MAC is its prefix and a number', async (t) => {
  t.equal(macOf('aa:00:00', 0), 'aa:00:00:00:00:00')
  t.equal(macOf('aa:00:00', 2 ** 24 - 1), 'aa:00:00:ff:ff:ff')
  const { range, number } = macNumber('aa:bb:cc:12:34:56')
  t.same([range, number], ['aa:bb:cc', 0x123456])
  t.equal(macOf(range, number), 'aa:bb:cc:12:34:56')
})

t.test('an instance has a port, MACs, and the port and both minors of each DRBD disk', async (t) => {
  const instance = {
    network_port: 11_002,
    nics: [{ mac: 'aa:00:00:00:00:07' }],
    disks: [
      { dev_type: 'plain', logical_id: ['vg', 'volume'] },
      { dev_type: 'drbd', logical_id: ['node1', 'node2', 11_001, 3, 4, 'secret'] },
    ],
  } as unknown as Instance
  t.same(
    [...numbersOf(instance)].map(({ range, number }) => [range, number]),
    [
      ['port', 2],
      ['aa:00:00', 7],
      ['port', 1],
      ['node1', 3],
      ['node2', 4],
    ],
  )
})
