/** What a listener is told whose rights end in selectors. */
import t from 'tap'
import type { Selector } from '../../lib/auth/selectors.ts'
import type { Thing } from '../../lib/backend/scoped/things.ts'
import { EVENT_TYPES, type Event, type EventType, type Things } from '../../lib/events/event.ts'
import { subjectOf } from '../../lib/events/job-subject.ts'
import { objectEvent } from '../../lib/events/object-changes.ts'
import { NO_OBJECTS } from '../../lib/events/objects.ts'
import { View } from '../../lib/events/view.ts'
import type { JsonObject } from '../../lib/json/json.ts'
import { ALL, EVERYTHING, sightOf } from './hub.ts'

const WEB: Selector = { kind: 'tag', value: 'team:web' }
const THINGS: readonly Thing[] = [
  { kind: 'instance', name: 'web', tags: ['team:web'], node: 'n1', groups: ['g1'] },
  { kind: 'instance', name: 'db', tags: [], node: 'n1', groups: ['g1'] },
  { kind: 'node', name: 'n1', tags: [], groups: ['g1'] },
  { kind: 'node', name: 'n2', tags: ['team:web'], groups: ['g1'] },
]
const thing = (name: string) => THINGS.find((one) => one.name === name) as Thing

function scoped(selectors: readonly Selector[] = [WEB], types: readonly EventType[] = EVENT_TYPES): View {
  const sight = { user: 'alice', types: new Map(types.map((type) => [type, [selectors]])) }
  return new View({ ...EVERYTHING, types: new Set(EVENT_TYPES) }, sight, (_kind, name) => thing(name))
}

const object = { uuid: 'u', serial_no: 1, mtime: 1 }
const change = (
  what: 'added' | 'changed' | 'removed' | 'renamed' | 'present',
  things: Things,
  previous?: string,
) => objectEvent('instance', what, { ...object, name: 'web' }, things, previous)

t.test('types of which selectors select nothing are not told', async (t) => {
  const view = scoped()
  t.strictSame([...view.types], ['job', 'joblog', 'instance', 'node', 'state'])
  t.strictSame(view.denied, ['group', 'network', 'cluster'])
  t.notOk(view.knowsCluster)
  t.ok(view.isSelective)
  t.notOk(new View(EVERYTHING, ALL).isSelective)
})

t.test('of objects it is told those that are selected, and when they come and go', async (t) => {
  const [inside, outside] = [thing('web'), thing('db')]
  const view = scoped()
  const told = (event: Event) => {
    const shown = view.shown(event)
    return shown && [shown.data.change, shown.data.name, shown.data.previous]
  }
  const cases: readonly [Event, unknown][] = [
    [change('changed', { before: inside, after: inside }), ['changed', 'web', undefined]],
    [change('changed', { before: outside, after: outside }), undefined],
    [change('changed', { before: inside, after: outside }), ['removed', 'web', undefined]],
    [change('changed', { before: outside, after: inside }), ['added', 'web', undefined]],
    [change('added', { after: inside }), ['added', 'web', undefined]],
    [change('added', { after: outside }), undefined],
    [change('removed', { before: inside }), ['removed', 'web', undefined]],
    [change('removed', { before: outside }), undefined],
    [change('present', { after: inside }), ['present', 'web', undefined]],
    [change('present', { after: outside }), undefined],
    [change('renamed', { before: inside, after: inside }, 'old'), ['renamed', 'web', 'old']],
    [change('renamed', { before: inside, after: outside }, 'old'), ['removed', 'old', undefined]],
    [change('renamed', { before: outside, after: inside }, 'old'), ['added', 'web', undefined]],
    [change('changed', {}), undefined],
  ]
  for (const [event, expected] of cases) t.strictSame(told(event), expected, JSON.stringify(event.things))
})

t.test('of jobs it is told its own, and those that are about selected objects alone', async (t) => {
  const job = (...opcodes: readonly JsonObject[]): Event => {
    const subject = subjectOf(opcodes)
    return { type: 'job', data: { id: 1 }, job: 1, objects: subject, subject }
  }
  const by = (user: string) => ({ reason: [['gnt:library:rlib2:x', `user=${user};request=1`, 1]] })
  const on = (instance_name: string, more: JsonObject = {}) => ({
    OP_ID: 'OP_INSTANCE_STARTUP',
    instance_name,
    ...more,
  })
  const cases: readonly [boolean, Event][] = [
    [true, job(on('web'))],
    [false, job(on('db'))],
    [true, job(on('db', by('alice')))],
    [false, job(on('db', by('bob')))],
    [true, job(on('web', by('bob')))],
    [false, job(on('web'), on('db'))],
    [false, job({ OP_ID: 'OP_CLUSTER_VERIFY' })],
    [true, job({ OP_ID: 'OP_CLUSTER_VERIFY', ...by('alice') })],
    [true, job({ OP_ID: 'OP_NODE_SET_PARAMS', node_name: 'n2' })],
    [false, job({ OP_ID: 'OP_NODE_SET_PARAMS', node_name: 'n1' })],
    [false, job(on('none'))],
    [false, job()],
  ]
  const view = scoped()
  for (const [isTold, event] of cases)
    t.equal(view.shown(event) !== undefined, isTold, JSON.stringify(event.subject))
  const byName = scoped([{ kind: 'instance', value: 'none' }])
  t.ok(byName.shown(job(on('none'))), 'what is not there has its name')
})

t.test('of live states it is told those of selected objects', async (t) => {
  const state = (name: string): Event => {
    const one = thing(name)
    return { type: 'state', data: { name }, objects: NO_OBJECTS, things: { before: one, after: one } }
  }
  const view = scoped()
  t.strictSame(
    ['web', 'db', 'n1', 'n2'].map((name) => view.shown(state(name)) !== undefined),
    [true, false, false, true],
  )
})

t.test('of lists of selectors, one of each must select', async (t) => {
  const both = {
    user: 'a',
    types: new Map([['instance', [[WEB], [{ kind: 'group', value: 'g2' }]]] as const]),
  }
  const view = new View({ ...EVERYTHING, types: new Set(['instance']) }, both)
  t.equal(view.shown(change('present', { after: thing('web') })), undefined)
})

t.test('listeners whose selectors differ, or whose own jobs do, are not told the same', async (t) => {
  const view = (user: string, value: string, types: readonly EventType[] = ['job']) =>
    new View(EVERYTHING, { user, types: new Map(types.map((type) => [type, [[{ kind: 'tag', value }]]])) })
      .key
  t.equal(view('a', 'x'), view('a', 'x'))
  t.not(view('a', 'x'), view('b', 'x'))
  t.not(view('a', 'x'), view('a', 'y'))
  t.equal(new View(EVERYTHING, ALL).key, new View(EVERYTHING, { ...ALL, user: 'other' }).key)
  t.ok(new View(EVERYTHING, ALL).isSameFor(sightOf(EVENT_TYPES)))
  t.notOk(new View(EVERYTHING, ALL).isSameFor(sightOf(['job'])))
  t.notOk(
    new View({ ...EVERYTHING, types: new Set(['job']) }, ALL).isSameFor(sightOf(['job'])),
    'nor is one that is not told any more what the cluster is called',
  )
})
