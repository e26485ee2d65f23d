import t from 'tap'
import { findHost, findNamed, isCalled } from '../../lib/model/lookup.ts'

const named = (names: readonly string[]) => {
  const all = names.map((name, i) => ({ name, uuid: `uuid-${i}` }))
  return {
    all,
    byName: new Map(all.map((object) => [object.name, object])),
    byUuid: new Map(all.map((object) => [object.uuid, object])),
  }
}

t.test('a host is called by its full name or a beginning of it up to a dot', async (t) => {
  const cases: [name: string, asked: string, is: boolean][] = [
    ['node1.example.com', 'node1.example.com', true],
    ['node1.example.com', 'node1', true],
    ['node1.example.com', 'node1.example', true],
    ['node1.example.com', 'node', false],
    ['node1.example.com', 'node1.', false],
    ['node1.example.com', 'node1.example.com.org', false],
    ['node1.example.com', 'Node1', false],
    ['node1', 'node1', true],
  ]
  for (const [name, asked, is] of cases) t.equal(isCalled(name, asked), is, `${name} ${asked}`)
})

t.test('hosts are found by UUID, full name, or a short name that fits one', async (t) => {
  const index = named(['node1.a.org', 'node1.b.org', 'node2.a.org', 'node2'])
  const cases: [asked: string, found: string][] = [
    ['node1.a.org', 'node1.a.org'],
    ['uuid-1', 'node1.b.org'],
    ['node1.b', 'node1.b.org'],
    ['node2', 'node2'],
    ['node2.a', 'node2.a.org'],
  ]
  for (const [asked, found] of cases) t.equal(findHost('Node', index, asked).name, found, asked)
  t.throws(() => findHost('Node', index, 'node1'), {
    code: 'not-found',
    message: 'Node name node1 has multiple matches',
  })
  t.throws(() => findHost('Node', index, 'node3'), {
    code: 'not-found',
    message: 'Node name node3 not found',
  })
  t.throws(() => findHost('Node', index, ''), { code: 'not-found' })
})

t.test('groups and networks are found by UUID and whole name only', async (t) => {
  const index = named(['default', 'rack.1'])
  t.equal(findNamed('NodeGroup', index, 'default').name, 'default')
  t.equal(findNamed('NodeGroup', index, 'uuid-1').name, 'rack.1')
  t.throws(() => findNamed('NodeGroup', index, 'rack'), {
    code: 'not-found',
    message: 'NodeGroup name rack not found',
  })
})

t.test('a host is found by the same names however many are asked for', async (t) => {
  const index = named(['node1.a.org', 'node1.b.org', 'node2.a.org', 'node2', 'node3.a.org'])
  for (let time = 0; time < 50; time++) {
    t.equal(findHost('Node', index, 'node1.b').name, 'node1.b.org')
    t.equal(findHost('Node', index, 'node3').name, 'node3.a.org')
    t.equal(findHost('Node', index, 'node2').name, 'node2')
    t.throws(() => findHost('Node', index, 'node1'), { message: 'Node name node1 has multiple matches' })
    t.throws(() => findHost('Node', index, 'node'), { message: 'Node name node not found' })
  }
})
