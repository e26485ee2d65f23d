import t from 'tap'
import { repeated } from '../../../../lib/backend/config-file/operations/instance/repeated.ts'

t.test('what is there more than once is told once, in the order in which it comes again', async (t) => {
  t.strictSame(repeated(['a', 'b', 'c', 'b', 'a', 'b']), ['b', 'a'])
  t.strictSame(repeated([]), [])
})
