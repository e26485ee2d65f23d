import t from 'tap'
import type { Event } from '../../lib/events/event.ts'
import { errorOf } from '../../lib/events/job-error.ts'
import { subjectOf } from '../../lib/events/job-subject.ts'
import { type JobState, Jobs } from '../../lib/events/jobs.ts'
import { objectChanges } from '../../lib/events/object-changes.ts'
import type { JsonObject } from '../../lib/json/json.ts'
import { finished } from '../../lib/model/object-index.ts'

function state(id: number, status: string, more: Partial<JobState> = {}): JobState {
  const subject = subjectOf([{ OP_ID: 'OP_TEST_DELAY' }])
  return {
    ...{ id, status, summary: ['TEST_DELAY'], opstatus: [status], received_ts: [1, 0], start_ts: null },
    ...{ end_ts: null, subject, ...more },
  }
}

function jobs() {
  const events: Event[] = []
  return { events, jobs: new Jobs((event) => events.push(event)) }
}

t.test('only another status is an event', async (t) => {
  const { events, jobs: table } = jobs()
  table.note(state(1, 'queued'))
  table.put(state(1, 'queued', { start_ts: [2, 0] }))
  t.strictSame(events, [])
  table.put(state(1, 'running', { opstatus: ['running', 'queued'] }))
  table.put(state(1, 'running', { opstatus: ['success', 'running'] }))
  t.strictSame(
    events.map(({ data }) => [data.previous, data.status]),
    [
      ['queued', 'running'],
      ['running', 'running'],
    ],
    'that of an opcode is one too',
  )
})

t.test('each line of a log is told once', async (t) => {
  const { events, jobs: table } = jobs()
  const line = (serial: number) => [serial, [1, 0], 'message', `m${serial}`] as const
  table.putLog(1, [[line(1)], []], true)
  table.putLog(1, [[line(1), line(2)], [line(3)]], false)
  table.putLog(
    1,
    [
      [line(1), line(2)],
      [line(3), line(4)],
    ],
    true,
  )
  t.strictSame(
    events.map(({ data }) => [data.op, data.serial]),
    [
      [0, 1],
      [1, 4],
    ],
  )
})

t.test('what opcodes are about', async (t) => {
  const NOTHING = { instances: [], nodes: [], groups: [], networks: [] }
  const cases: readonly [JsonObject, object][] = [
    [
      { OP_ID: 'OP_INSTANCE_MIGRATE', instance_name: 'a', target_node: 'n' },
      { instances: ['a'], nodes: ['n'] },
    ],
    [
      { OP_ID: 'OP_INSTANCE_CREATE', instance_name: 'a', pnode: 'n1', snode: 'n2' },
      { instances: ['a'], nodes: ['n1', 'n2'] },
    ],
    [
      { OP_ID: 'OP_INSTANCE_MULTI_ALLOC', instances: [{ instance_name: 'a' }, { instance_name: 'b' }] },
      { instances: ['a', 'b'] },
    ],
    [{ OP_ID: 'OP_NODE_SET_PARAMS', node_name: 'n' }, { nodes: ['n'] }],
    [
      { OP_ID: 'OP_GROUP_ASSIGN_NODES', group_name: 'g', nodes: ['n1', 'n2'] },
      { groups: ['g'], nodes: ['n1', 'n2'] },
    ],
    [
      { OP_ID: 'OP_NETWORK_CONNECT', network_name: 'w', group_name: 'g' },
      { networks: ['w'], groups: ['g'] },
    ],
    [{ OP_ID: 'OP_TAGS_SET', kind: 'node', name: 'n', tags: ['t'] }, { nodes: ['n'] }],
    [{ OP_ID: 'OP_TAGS_SET', kind: 'cluster', name: null }, {}],
    [{ OP_ID: 'OP_INSTANCE_RENAME', instance_name: 'a', new_name: 'b' }, { instances: ['a'] }],
    [{ OP_ID: 'OP_CLUSTER_VERIFY', name: 'x' }, {}],
    [{ OP_ID: 'OP_INSTANCE_STARTUP', instance_name: null }, {}],
  ]
  for (const [opcode, names] of cases)
    t.match(subjectOf([opcode]), { ...NOTHING, ...names }, String(opcode.OP_ID))
  const many = Array.from({ length: 500 }, (_, n) => ({ OP_ID: 'OP_NODE_SET_PARAMS', node_name: `n${n}` }))
  t.equal(subjectOf(many).nodes.length, 100)
})

t.test('who submitted a job, as this daemon says in its reason trail', async (t) => {
  const of = (...reason: readonly (readonly [string, string, number])[]) => {
    const { user, request } = subjectOf([{ OP_ID: 'OP_X', reason }])
    return [user, request]
  }
  const OURS = 'gnt:library:rlib2:instances_POST'
  t.strictSame(of([OURS, 'user=alice;request=1f', 1]), ['alice', '1f'])
  t.strictSame(of(['gnt:user', 'user=eve;request=2', 1], [OURS, 'user=a;b;request=1f', 1]), ['a;b', '1f'])
  t.strictSame(of([OURS, 'request=1f', 1]), [undefined, '1f'])
  t.strictSame(of([OURS, '', 1]), [undefined, undefined])
  t.strictSame(of(['gnt:user', 'user=eve;request=2', 1]), [undefined, undefined])
})

t.test('what a job failed with, in a line', async (t) => {
  t.equal(errorOf(['success'], [true]), undefined)
  t.equal(errorOf(['success', 'error'], [true, ['OpExecError', ['it broke\nbadly']]]), 'it broke')
  t.equal(errorOf(['error'], [['OpPrereqError', ['no such node', 'unknown_entity']]]), 'no such node')
  t.equal(errorOf(['error'], [['OpRetryError', []]]), 'OpRetryError')
  t.equal(errorOf(['error'], ['text']), 'text')
  t.equal(errorOf(['error'], [null]), '')
  t.equal(errorOf(['error'], [['E', ['x'.repeat(5000)]]])?.length, 500)
})

t.test('the changes between two states of all objects', async (t) => {
  const listing = (...rows: readonly (readonly [uuid: string, name: string, serial_no: number])[]) =>
    new Map(rows.map(([uuid, name, serial_no]) => [uuid, { uuid, name, serial_no, mtime: 1 }]))
  const before = listing(['1', 'a', 1], ['2', 'b', 1], ['3', 'c', 1], ['4', 'd', 1])
  const after = listing(['1', 'a', 1], ['2', 'b', 2], ['3', 'z', 2], ['5', 'e', 1])
  const same = (one: { serial_no: unknown }, other: { serial_no: unknown }) =>
    one.serial_no === other.serial_no
  const none = () => undefined
  const events = finished(
    objectChanges('node', before, after, { isSame: same, thingBefore: none, thingAfter: none }),
  )
  t.strictSame(
    events.map(({ data: { change, name, previous } }) => [change, name, previous]),
    [
      ['removed', 'd', undefined],
      ['changed', 'b', undefined],
      ['renamed', 'z', 'c'],
      ['added', 'e', undefined],
    ],
  )
})
