/**
 * What every backend owes to those who call it, whatever it is that answers: to
 * be tried on each with the same cluster behind it, that of
 * test/fixtures/real-cluster.
 */
import t, { type Test } from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import type { Json } from '../../lib/json/json.ts'

type Rows = readonly (readonly Json[])[]

/** A kind of object, and how it is asked for. */
export interface Kind {
  readonly what: string
  readonly tagKind: 'instance' | 'node' | 'nodegroup' | 'network'
  query(backend: Backend, names: readonly string[], fields: readonly string[]): Promise<Rows>
  /** In natural order. */
  readonly names: readonly string[]
  /** One of them, its name as it may be given, and its tags. */
  readonly one: readonly [given: string, name: string, tags: readonly string[]]
  /** What does not depend on what runs. */
  readonly fields: readonly string[]
  readonly nosuch: string
}

export const KINDS: readonly Kind[] = [
  {
    what: 'instance',
    tagKind: 'instance',
    query: (backend, names, fields) => backend.queryInstances(names, fields),
    names: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((number) => `inst${number}.example.com`),
    one: ['inst1', 'inst1.example.com', ['prod', 'web']],
    fields: [
      'name',
      'os',
      'pnode',
      'snodes',
      'disk_template',
      'admin_state',
      'beparams',
      'hvparams',
      'disk.sizes',
    ],
    nosuch: 'nosuch.example.com',
  },
  {
    what: 'node',
    tagKind: 'node',
    query: (backend, names, fields) => backend.queryNodes(names, fields),
    names: ['node1.example.com', 'node2.example.com', 'node3.example.com'],
    one: ['node1', 'node1.example.com', ['rack:r1', 'ssd']],
    fields: [
      'name',
      'role',
      'offline',
      'drained',
      'pip',
      'sip',
      'ndparams',
      'group.uuid',
      'pinst_cnt',
      'tags',
    ],
    nosuch: 'nosuch.example.com',
  },
  {
    what: 'group',
    tagKind: 'nodegroup',
    query: (backend, names, fields) => backend.queryGroups(names, fields),
    names: ['default', 'group2'],
    one: ['default', 'default', ['dc:one']],
    fields: ['name', 'alloc_policy', 'node_cnt', 'ipolicy', 'diskparams', 'ndparams', 'uuid', 'tags'],
    nosuch: 'nosuch',
  },
  {
    what: 'network',
    tagKind: 'network',
    query: (backend, names, fields) => backend.queryNetworks(names, fields),
    names: ['net1', 'net2'],
    one: ['net1', 'net1', ['env:test', 'lab']],
    fields: [
      'name',
      'network',
      'gateway',
      'free_count',
      'map',
      'external_reservations',
      'group_list',
      'tags',
    ],
    nosuch: 'nosuch',
  },
]

/** Tries a backend: `make` gives one with the real cluster behind it. */
export function backendContract(name: string, make: (t: Test) => Promise<Backend>): void {
  t.test(name, async (t) => {
    const backend = await make(t)

    for (const kind of KINDS) await t.test(`${kind.what}s`, (t) => kindContract(t, backend, kind))

    await t.test('the cluster is told by name, with its tags sorted', async (t) => {
      t.match(await backend.queryClusterInfo(), { name: 'cluster.example.com', master: 'node1.example.com' })
      t.match(await backend.queryTags('cluster', ''), ['env:test', 'htools:iextags:svc', 'owner:ops/team'])
    })

    await t.test('rules of the job filter come in the order of their UUIDs', async (t) => {
      const rules = await backend.queryFilters([], ['uuid', 'priority', 'action'])
      t.same(rules, [
        ['17af7edd-9054-47eb-9099-998c9f2b84ac', 10, 'REJECT'],
        ['73b72947-9176-4112-bda3-0998b18173d7', 20, ['RATE_LIMIT', 5]],
      ])
      const [first] = await backend.queryFilters(['17af7edd-9054-47eb-9099-998c9f2b84ac'], ['priority'])
      t.same(first, [10])
      const nosuch = ['00000000-0000-0000-0000-000000000000']
      await t.rejects(backend.queryFilters(nosuch, ['uuid']), { code: 'not-found' })
    })

    await t.test('a resource that there is not is the fault of who asks', async (t) => {
      await t.rejects(backend.query('bogus', ['name', 'bogus'], null), { code: 'invalid' })
      await t.rejects(backend.queryFields('bogus', null), { code: 'invalid' })
    })

    await t.test('an unknown job is not found, be its number beyond all bounds', async (t) => {
      const nothing = { jobInfo: null, logSerial: null }
      for (const id of ['99999', '99999999999999999999999']) {
        await t.rejects(backend.queryJobs([id], ['id', 'status']), { code: 'not-found' }, id)
        const { signal } = new AbortController()
        const wait = backend.waitForJobChange(id, ['id', 'status'], nothing, 10, signal)
        await t.rejects(wait, { code: 'not-found' }, id)
      }
    })
  })
}

async function kindContract(
  t: Test,
  backend: Backend,
  { what, tagKind, query, ...kind }: Kind,
): Promise<void> {
  const [given, name, tags] = kind.one

  await t.test('all come in natural order, one row of values for each', async (t) => {
    t.same(
      await query(backend, [], ['name']),
      kind.names.map((one) => [one]),
    )
  })

  await t.test('one is found by the names it may be given', async (t) => {
    t.same(await query(backend, [given], ['name']), [[name]])
    t.same(await backend.queryTags(tagKind, given === 'inst1' ? name : given), tags)
  })

  await t.test('an unknown name is not found', async (t) => {
    await t.rejects(query(backend, [kind.nosuch], ['name']), { code: 'not-found' })
    await t.rejects(backend.queryTags(tagKind, kind.nosuch), { code: 'not-found' })
  })

  await t.test('an unknown field is the fault of who asks', async (t) => {
    await t.rejects(query(backend, [], ['name', 'bogus']), {
      code: 'invalid',
      message: 'Unknown output fields selected: bogus',
    })
  })

  await t.test('in a query, an unknown field is a cell that says so', async (t) => {
    const { fields, data } = await backend.query(what, ['name', 'bogus'], null)
    t.same(fields[1], { name: 'bogus', title: 'bogus', kind: 'unknown', doc: "Unknown field 'bogus'" })
    t.match(fields[0], { name: 'name', kind: 'text' })
    t.same(
      [...data],
      kind.names.map((one) => [
        [0, one],
        [1, null],
      ]),
    )
  })
}
