import t from 'tap'
import { find, read, sample } from '../../../../support/yaml-clusters.ts'

t.test('a network’s addresses are taken by instances, or set aside', async (t) => {
  const front = find(read(sample).networks, 'front')
  const taken = (bits: string) => [...bits].flatMap((bit, index) => (bit === '1' ? [index] : []))
  t.equal(front.reservations.length, 256)
  t.strictSame(taken(front.reservations), [25, 30, 40, 50])
  t.strictSame(
    taken(front.ext_reservations),
    [0, 1, 2, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 255],
  )
  const storage = find(read(sample).networks, 'storage')
  t.strictSame(
    taken(storage.ext_reservations),
    [0, 1, 2, 3, 63],
    'the nodes’ own addresses are set aside too',
  )
})
