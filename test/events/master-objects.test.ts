/** Objects of a live cluster, of which the master daemon has an old state for a while. */
import t from 'tap'
import { MasterObjects } from '../../lib/events/master-objects.ts'
import { until } from '../support/until.ts'
import { master } from './master.ts'

t.test('a change that the master daemon does not know at first is told once it does', async (t) => {
  const { backend, objects, asked, events, emit } = master(t)
  const rounds = [5, 10, 20, 100, 1000]
  const source = new MasterObjects(backend, emit, rounds)
  t.teardown(() => source.stop())
  await source.present(['group'])
  t.equal(asked.length, 1)
  source.want(['group'])
  const [begun, old] = [performance.now(), { answers: 0 }]
  // Nothing but the time tells that it has another state.
  Object.defineProperty(objects, 'group', {
    get: () => {
      if (old.answers > 0 && performance.now() - begun > 90) return [['u4', 'late', 1, 1]]
      old.answers++
      return []
    },
  })
  source.changed()
  await until(() => events.length > 0)
  t.match(events, [{ type: 'group', data: { change: 'added', name: 'late' } }])
  await until(() => performance.now() - begun > 1200)
  t.ok(asked.length <= 1 + rounds.length, `asked ${asked.length} times, and then no more`)
  source.changed()
  source.want([])
  const [before, again] = [asked.length, performance.now()]
  await until(() => performance.now() - again > 100)
  t.equal(asked.length, before, 'while nobody listens nothing is asked')
})

t.test('changes without end are asked for, though not each', async (t) => {
  const { backend, objects, asked, events, emit } = master(t)
  const source = new MasterObjects(backend, emit, [50, 10_000])
  t.teardown(() => source.stop())
  await source.present(['group'])
  source.want(['group'])
  let changes = 0
  objects.group = [['u4', 'new', 1, 1]]
  await until(() => {
    source.changed()
    changes++
    return events.length > 0
  })
  objects.group = []
  await until(() => {
    source.changed()
    changes++
    return events.length > 1
  })
  t.ok(asked.length < changes, `${asked.length} questions for ${changes} changes`)
})

t.test('whoever wants the present at the same time shares the questions', async (t) => {
  const { backend, state, asked, emit } = master(t)
  const source = new MasterObjects(backend, emit)
  t.teardown(() => source.stop())
  const presents = () =>
    Promise.allSettled(Array.from({ length: 100 }, () => source.present(['instance', 'node'])))
  const told = await presents()
  t.ok(told.every((one) => one.status === 'fulfilled' && one.value.length === 2))
  t.equal(asked.length, 2)
  state.isAway = true
  source.changed()
  const failed = await presents()
  t.ok(failed.every(({ status }) => status === 'rejected'))
  t.equal(asked.length, 3)
  state.isAway = false
  t.ok((await presents()).every(({ status }) => status === 'fulfilled'))
  t.equal(asked.length, 5)
})

t.test('what is answered after the end is not told', async (t) => {
  const { backend, emit, events, asked, objects } = master(t)
  const source = new MasterObjects(backend, emit)
  await source.present(['group'])
  objects.group = [['u4', 'new', 1, 1]]
  source.changed()
  const present = source.present(['group'])
  source.stop()
  t.strictSame(await present, [])
  t.strictSame(events, [])
  t.equal(asked.length, 2)
})

t.test('at the end, what is asked for the present is the last question', async (t) => {
  const { backend, emit, asked } = master(t)
  const source = new MasterObjects(backend, emit)
  const present = source.present(['group', 'network'])
  source.stop()
  t.strictSame(await present, [])
  t.equal(asked.length, 1)
})

t.test('a master daemon that is away is asked again for what has changed', async (t) => {
  const { backend, emit, events, asked, objects, state } = master(t)
  const source = new MasterObjects(backend, emit, [5])
  t.teardown(() => source.stop())
  await source.present(['group', 'network'])
  source.want(['group', 'network'])
  state.isAway = true
  objects.network = [['u5', 'net', 1, 1]]
  source.changed()
  await until(() => asked.length >= 5)
  state.isAway = false
  await until(() => events.length > 0)
  t.match(events, [{ type: 'network', data: { change: 'added', name: 'net' } }])
})

t.test('a round that goes on at the end is the last one', async (t) => {
  const { backend, emit, asked } = master(t)
  const source = new MasterObjects(backend, emit, [1])
  // It is asked at once, as nothing is known.
  source.want(['group', 'network'])
  t.equal(asked.length, 1)
  source.stop()
  const begun = performance.now()
  await until(() => performance.now() - begun > 50)
  t.equal(asked.length, 1)
})
