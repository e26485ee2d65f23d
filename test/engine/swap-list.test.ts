import t from 'tap'
import { SwapList } from '../../lib/engine/swap-list.ts'

interface Item {
  readonly name: string
  place: number
}

t.test('it is the set of what was added and not taken out, whatever the order', async (t) => {
  const list = new SwapList<Item>()
  const names = () => [...list].map(({ name }) => name).sort()
  const items = ['a', 'b', 'c', 'd'].map((name): Item => ({ name, place: -1 }))
  const [a, b, c, d] = items as [Item, Item, Item, Item]
  for (const item of items) list.add(item)
  t.strictSame(names(), ['a', 'b', 'c', 'd'])
  list.delete(b)
  list.delete(b)
  t.strictSame(names(), ['a', 'c', 'd'])
  list.delete(d)
  list.delete({ name: 'x', place: 0 })
  t.strictSame(names(), ['a', 'c'])
  list.add(b)
  t.equal(list.size, 3)
  for (const item of [a, b, c]) list.delete(item)
  t.strictSame(names(), [])
})
