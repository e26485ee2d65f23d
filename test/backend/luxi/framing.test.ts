import t from 'tap'
import { frame, MessageReader } from '../../../lib/backend/luxi/framing.ts'

t.test('a message is its text in UTF-8 and the byte 3', async (t) => {
  t.equal(frame('{"é":"☃"}').toString('hex'), `${Buffer.from('{"é":"☃"}').toString('hex')}03`)
  t.same(frame(''), Buffer.of(3))
})

t.test('a message is put together from whatever pieces it comes in', async (t) => {
  const bytes = frame('["é", "☃", "😀"]')
  for (let length = 1; length <= bytes.length; length++) {
    const reader = new MessageReader()
    const taken = []
    for (let at = 0; at < bytes.length; at += length) {
      taken.push(reader.take(bytes.subarray(at, at + length)))
      t.equal(reader.begun, at + length < bytes.length, `begun until the end, pieces of ${length}`)
    }
    t.same(taken.pop(), { bytes: Buffer.from('["é", "☃", "😀"]'), rest: 0 }, `pieces of ${length}`)
    t.ok(
      taken.every((one) => one === undefined),
      'nothing before the end',
    )
  }
})

t.test('one reader reads message after message, and tells of bytes too many', async (t) => {
  const reader = new MessageReader()
  t.same(reader.take(frame('1')), { bytes: Buffer.from('1'), rest: 0 })
  t.same(reader.take(Buffer.concat([frame('22'), Buffer.from('3x')])), { bytes: Buffer.from('22'), rest: 2 })
})
