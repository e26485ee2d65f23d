import t from 'tap'
import { LazyList, lazyMap } from '../../lib/json/lazy-list.ts'

t.test('elements are made when they are asked for', async (t) => {
  const made: number[] = []
  const list = new LazyList(1000, (index) => {
    made.push(index)
    return index * 2
  })
  t.equal(list.length, 1000)
  t.strictSame(made, [])
  t.equal(list.at(7), 14)
  t.equal(list.at(1000), undefined)
  t.strictSame(made, [7])
  const texts = lazyMap(list, String)
  t.strictSame(made, [7])
  t.strictSame([...texts].slice(0, 3), ['0', '2', '4'])
  t.equal(lazyMap(['a'], (text) => `${text}!`).at(0), 'a!')
})
