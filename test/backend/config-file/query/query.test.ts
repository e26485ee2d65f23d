import { readFileSync } from 'node:fs'
import t from 'tap'
import { query, queryFields, queryRows } from '../../../../lib/backend/config-file/query/query.ts'
import type { Json } from '../../../../lib/json/json.ts'
import { type Config, type ConfigObjects, indexConfig } from '../../../../lib/model/config.ts'
import type { Disk, Instance, Nic } from '../../../../lib/model/instance.ts'
import type { Network } from '../../../../lib/model/network.ts'
import type { Node, NodeLive } from '../../../../lib/model/node.ts'
import { versionOfConfig } from '../../../../lib/model/version.ts'
import { parseObjects } from '../../../support/read-cluster.ts'

const fixtures = new URL('../../../../../test/fixtures/', import.meta.url)
const objects = parseObjects(readFileSync(new URL('real-cluster/config.data', fixtures), 'utf8'), {
  name: 'config.data',
})

const LIVE: NodeLive = {
  bootid: 'b',
  mtotal: 1000,
  mnode: 100,
  mfree: 900,
  dtotal: 5000,
  dfree: null,
  sptotal: 0,
  spfree: 0,
  ctotal: 4,
  cnos: 1,
  cnodes: 1,
  csockets: 1,
}

function changed(changes: Partial<ConfigObjects> = {}): Config {
  return indexConfig({ ...objects, ...changes })
}

/** All nodes up, apart from those given a change. */
function withNodes(
  changes: { readonly [name: string]: Partial<Node> },
  dead: readonly string[] = [],
): Config {
  const nodes = objects.nodes.map((node) => ({ ...node, ...changes[node.name.replace(/\..*/, '')] }))
  const alive = nodes.filter(({ name }) => !dead.includes(name.replace(/\..*/, '')))
  return changed({ nodes, live: new Map(alive.map(({ uuid }) => [uuid, LIVE])) })
}

/** inst1 alone, on a node that is up, with changes. */
function withInstance(changes: Partial<Instance>, others: Partial<ConfigObjects> = {}): Config {
  const instances = objects.instances
    .filter(({ name }) => name === 'inst1.example.com')
    .map((instance) => ({ ...instance, ...changes }))
  const live = new Map(objects.nodes.map(({ uuid }) => [uuid, LIVE]))
  return changed({ instances, live, ...others })
}

async function cellsOf(config: Config, what: string, name: string, fields: readonly string[]): Promise<Json> {
  const { data } = await query(config, what, fields, ['=', 'name', name])
  return (data.at(0) ?? null) as Json
}

async function namesIn(config: Config, what: string, filter: Json): Promise<string> {
  const { data } = await query(config, what, ['name'], filter)
  return [...data].map(([cell]) => String(cell?.[1]).replace(/\..*/, '')).join(' ')
}

t.test('every field of Ganeti 3.0 is there, under its title and of its kind', async (t) => {
  const expected: { [what: string]: [name: string, kind: string, title: string][] } = JSON.parse(
    readFileSync(new URL('query-fields.json', fixtures), 'utf8'),
  )
  for (const [what, fields] of Object.entries(expected)) {
    const ours = queryFields(what, null).map(({ name, kind, title }) => [name, kind, title])
    t.same([...ours].sort(), [...fields].sort(), `${what}: ${fields.length} fields`)
    for (const { name, doc } of queryFields(what, null)) t.ok(doc.length > 3, `${what} ${name} is documented`)
  }
})

t.test('fields are listed in natural order, or as asked', async (t) => {
  const names = queryFields('instance', null).map(({ name }) => name)
  t.ok(names.indexOf('disk.size/9') < names.indexOf('disk.size/10'))
  t.same(queryFields('node', ['name', 'bogus']), [
    { name: 'name', title: 'Node', kind: 'text', doc: queryFields('node', ['name'])[0]?.doc },
    { name: 'bogus', title: 'bogus', kind: 'unknown', doc: "Unknown field 'bogus'" },
  ])
})

t.test('unknown resources are invalid', async (t) => {
  for (const what of ['bogus', '', 'constructor']) {
    t.throws(() => queryFields(what, null), { code: 'invalid', message: `Unknown query resource '${what}'` })
    await t.rejects(query(changed(), what, ['name'], null), { code: 'invalid' })
  }
})

t.test('queries answer unknown fields with unknown cells, old-style rows refuse them', async (t) => {
  t.same(await cellsOf(changed(), 'node', 'node1', ['name', 'bogus']), [
    [0, 'node1.example.com'],
    [1, null],
  ])
  await t.rejects(queryRows(changed(), 'node', [], ['name', 'bogus', 'nope']), {
    code: 'invalid',
    message: 'Unknown output fields selected: bogus, nope',
  })
})

t.test('objects come in natural order, those asked for by name in the order asked', async (t) => {
  const config = changed()
  const all = 'inst1 inst2 inst3 inst4 inst5 inst6 inst7 inst8 inst9 inst10 inst11'
  t.equal(await namesIn(config, 'instance', null), all)
  t.equal(await namesIn(config, 'instance', ['=~', 'name', '']), all)
  t.equal(
    await namesIn(config, 'instance', ['|', ['=', 'name', 'inst10'], ['=', 'name', 'inst9']]),
    'inst10 inst9',
  )
  t.same(await queryRows(config, 'node', ['node3', 'node1.example.com'], ['name']), [
    ['node3.example.com'],
    ['node1.example.com'],
  ])
})

t.test('a filter of names alone fails for a name that is unknown, others find nothing', async (t) => {
  const config = changed()
  const node = objects.nodes[0] as Node
  await t.rejects(namesIn(config, 'node', ['=', 'name', 'node9']), {
    code: 'not-found',
    message: 'Node name node9 not found',
  })
  t.equal(await namesIn(config, 'node', ['&', ['=', 'name', 'node9']]), '')
  t.equal(await namesIn(config, 'node', ['=', 'name', node.uuid]), '', 'a UUID is no name')
  t.equal(await namesIn(config, 'node', ['=', 'uuid', node.uuid]), node.name.replace(/\..*/, ''))
  t.equal(await namesIn(config, 'group', ['=', 'name', 'default']), 'default')
  await t.rejects(namesIn(config, 'group', ['=', 'name', 'nosuch']), {
    code: 'not-found',
    message: 'NodeGroup name nosuch not found',
  })
})

t.test('a long query lets others in', async (t) => {
  const [instance] = objects.instances
  const instances = Array.from({ length: 5000 }, (_, i) => {
    return { ...(instance as Instance), uuid: `uuid-${i}`, name: `many${i}`, hvparams: { a: i } }
  })
  const config = changed({ instances })
  let others = 0
  const count = setInterval(() => others++, 0)
  const fields = queryFields('instance', null).map(({ name }) => name)
  const rows = await queryRows(config, 'instance', [], fields)
  clearInterval(count)
  t.equal(rows.length, 5000)
  t.ok(others > 0, 'a timer ran before the query had ended')
})

t.test('a long query that nobody waits for any more is given up', async (t) => {
  const [instance] = objects.instances
  const config = changed({ instances: Array.from({ length: 5000 }, () => instance as Instance) })
  const fields = queryFields('instance', null).map(({ name }) => name)
  const client = new AbortController()
  const asked = queryRows(config, 'instance', [], fields, undefined, client.signal)
  client.abort(new Error('hung up'))
  await t.rejects(asked, { message: 'hung up' })
  const slow = Array.from({ length: 40 }, (_, n) => ['=~', 'name', `(.*.*)+${n}$`])
  await t.rejects(query(config, 'instance', [], ['|', ...slow], undefined, client.signal), {
    message: 'hung up',
  })
})

t.test('rows of a query are made when they are asked for', async (t) => {
  const { data } = await query(changed(), 'instance', ['name', 'hvparams'], null)
  t.ok(data.length > 1)
  t.same(data.at(0), [...data][0])
  t.not(data.at(0), data.at(0))
})

t.test("a node's live values are offline, without data, or as it says", async (t) => {
  const fields = ['mfree', 'dfree', 'bootid', 'role', 'offline']
  const cases: [name: string, cells: Json][] = [
    [
      'node1',
      [
        [0, 900],
        [2, null],
        [0, 'b'],
        [0, 'M'],
        [0, false],
      ],
    ],
    [
      'node2',
      [
        [2, null],
        [2, null],
        [2, null],
        [0, 'C'],
        [0, false],
      ],
    ],
    [
      'node3',
      [
        [4, null],
        [4, null],
        [4, null],
        [0, 'O'],
        [0, true],
      ],
    ],
  ]
  const config = withNodes({ node3: { offline: true, master_candidate: false } }, ['node2'])
  for (const [name, cells] of cases) t.same(await cellsOf(config, 'node', name, fields), cells, name)
})

t.test("a node's role is the first that fits", async (t) => {
  const cases: [changes: Partial<Node>, role: string][] = [
    [{ master_candidate: true, drained: true }, 'C'],
    [{ master_candidate: false, drained: true, offline: true }, 'D'],
    [{ master_candidate: false, offline: true }, 'O'],
    [{ master_candidate: false }, 'R'],
  ]
  for (const [node2, role] of cases) {
    t.same(await queryRows(withNodes({ node2 }), 'node', ['node2'], ['role']), [[role]])
  }
  t.same(await queryRows(withNodes({ node1: { offline: true } }), 'node', ['node1'], ['role']), [['M']])
})

t.test('whether a node has power is known where it can be switched', async (t) => {
  const oob = { oob_program: '/bin/oob' }
  const config = withNodes({ node2: { ndparams: oob, powered: false } })
  t.same(await cellsOf(config, 'node', 'node1', ['powered']), [[3, null]])
  t.same(await cellsOf(config, 'node', 'node2', ['powered', 'custom_ndparams', 'ndp/oob_program']), [
    [0, false],
    [0, oob],
    [0, '/bin/oob'],
  ])
})

t.test("an instance's state follows from its node and from what it should be", async (t) => {
  const fields = ['status', 'oper_state', 'oper_ram', 'oper_vcpus']
  const states: [changes: Partial<Instance>, cells: Json][] = [
    [
      { admin_state: 'up' },
      [
        [0, 'running'],
        [0, true],
        [0, 256],
        [0, 1],
      ],
    ],
    [
      { admin_state: 'down' },
      [
        [0, 'ADMIN_down'],
        [0, false],
        [3, null],
        [3, null],
      ],
    ],
    [
      { admin_state: 'offline' },
      [
        [0, 'ADMIN_offline'],
        [0, false],
        [3, null],
        [3, null],
      ],
    ],
  ]
  for (const [changes, cells] of states) {
    t.same(await cellsOf(withInstance(changes), 'instance', 'inst1', fields), cells, `${changes.admin_state}`)
  }
  const offline = withNodes({ node1: { offline: true } })
  t.same(await cellsOf(offline, 'instance', 'inst1', [...fields, 'console']), [
    [0, 'ERROR_nodeoffline'],
    [2, null],
    [4, null],
    [4, null],
    [4, null],
  ])
  const dead = withNodes({}, ['node1'])
  t.same(await cellsOf(dead, 'instance', 'inst1', [...fields, 'console']), [
    [0, 'ERROR_nodedown'],
    [2, null],
    [2, null],
    [2, null],
    [2, null],
  ])
})

t.test('an instance that its user has stopped says so, where the cluster allows that', async (t) => {
  const stopped = { admin_state: 'down', admin_state_source: 'user' } as const
  const cases: [enabled: boolean, status: string][] = [
    [true, 'USER_down'],
    [false, 'ADMIN_down'],
  ]
  for (const [enabled_user_shutdown, status] of cases) {
    const config = withInstance(stopped, { cluster: { ...objects.cluster, enabled_user_shutdown } })
    t.same(await queryRows(config, 'instance', ['inst1'], ['status']), [[status]])
  }
})

t.test('how to reach a console is what the hypervisor says', async (t) => {
  const name = 'inst1.example.com'
  const ssh = (command: readonly string[]) => ({
    instance: name,
    kind: 'ssh',
    host: 'node1.example.com',
    user: 'root',
    command,
  })
  const control = '/var/run/ganeti/kvm-hypervisor/ctrl/inst1.example.com'
  const graphical = { serial_console: false, vnc_bind_address: '', spice_bind: '' }
  const vnc = { ...graphical, vnc_bind_address: '127.0.0.1' }
  const cases: [changes: Partial<Instance>, console: Json][] = [
    [
      { hypervisor: 'fake' },
      { instance: name, kind: 'msg', message: 'Console not available for fake hypervisor' },
    ],
    [{ hypervisor: 'lxc' }, ssh(['lxc-console', '-n', name])],
    [{ hypervisor: 'xen-pvm' }, ssh(['/usr/lib/ganeti/tools/xen-console-wrapper', 'xm', name])],
    [{ hypervisor: 'xen-hvm' }, ssh(['/usr/lib/ganeti/tools/xen-console-wrapper', 'xm', name])],
    [{ hypervisor: 'chroot' }, ssh(['chroot', '/var/run/ganeti/chroot-hypervisor/inst1.example.com'])],
    [{ hypervisor: 'chroot', admin_state: 'down' }, null],
    [
      { hypervisor: 'kvm' },
      ssh([
        '/usr/lib/ganeti/tools/kvm-console-wrapper',
        '/usr/bin/socat',
        name,
        `${control}.monitor`,
        'STDIO,raw,echo=0,escape=0x1d',
        `UNIX-CONNECT:${control}.serial`,
      ]),
    ],
    [
      { hypervisor: 'kvm', hvparams: vnc, network_port: 11000 },
      { instance: name, kind: 'vnc', host: '127.0.0.1', port: 11000, display: 5100 },
    ],
    [
      { hypervisor: 'kvm', hvparams: { ...graphical, spice_bind: '10.0.0.1' }, network_port: 11000 },
      { instance: name, kind: 'spice', host: '10.0.0.1', port: 11000 },
    ],
    [
      { hypervisor: 'kvm', hvparams: vnc, network_port: null },
      { instance: name, kind: 'msg', message: `No serial shell for instance ${name}` },
    ],
  ]
  for (const [changes, console] of cases) {
    const cell = console === null ? [2, null] : [0, console]
    t.same(
      await cellsOf(withInstance(changes), 'instance', 'inst1', ['console']),
      [cell],
      JSON.stringify(changes),
    )
  }
})

t.test('a console through SSH names the port that group or node set', async (t) => {
  const nodes = objects.nodes.map((node) => ({ ...node, ndparams: { ssh_port: 2222 } }))
  const groups = objects.groups.map((group) => ({ ...group, ndparams: { ssh_port: 3333 } }))
  const cases: [others: Partial<ConfigObjects>, port: number][] = [
    [{ nodes }, 2222],
    [{ groups }, 3333],
    [{ nodes, groups }, 2222],
  ]
  for (const [others, port] of cases) {
    const config = withInstance({ hypervisor: 'lxc' }, others)
    const [[console = null] = []] = await queryRows(config, 'instance', ['inst1'], ['console'])
    t.match(console, { host: 'node1.example.com', port })
  }
})

t.test('disk usage counts metadata, and nothing that is not on the node', async (t) => {
  const disk = (dev_type: string, size: number) =>
    ({ dev_type, size, spindles: 2, name: null }) as unknown as Disk
  const cases: [disks: readonly Disk[], usage: number][] = [
    [[], 0],
    [[disk('plain', 1000), disk('file', 24)], 1024],
    [[disk('drbd', 1000), disk('drbd', 10)], 1266],
    [[disk('blockdev', 1000)], 0],
  ]
  for (const [disks, usage] of cases) {
    t.same(await queryRows(withInstance({ disks }), 'instance', ['inst1'], ['disk_usage']), [[usage]])
  }
  const config = withInstance({ disks: [disk('plain', 7)] })
  t.same(
    await cellsOf(config, 'instance', 'inst1', ['disk.spindles/0', 'sda_size', 'disk.name/0', 'sdb_size']),
    [
      [0, 2],
      [0, 7],
      [3, null],
      [3, null],
    ],
  )
})

t.test("a NIC's bridge and VLAN depend on its mode", async (t) => {
  const nics = (['bridged', 'routed', 'openvswitch'] as const).map((mode) => {
    return { nicparams: { mode, link: 'l', vlan: '.5' }, network: null } as unknown as Nic
  })
  const fields = [
    'nic.bridges',
    'nic.vlans',
    'nic.links',
    'bridge',
    'nic.bridge/1',
    'nic.vlan/2',
    'nic.vlan/0',
  ]
  t.same(await cellsOf(withInstance({ nics }), 'instance', 'inst1', fields), [
    [0, ['l', null, null]],
    [0, [null, null, '.5']],
    [0, ['l', 'l', 'l']],
    [0, 'l'],
    [3, null],
    [0, '.5'],
    [3, null],
  ])
})

t.test('addresses of a network are counted and told', async (t) => {
  const fields = ['map', 'free_count', 'reserved_count', 'external_reservations']
  const cases: [network: Partial<Network>, values: Json][] = [
    [
      { network: '10.0.0.0/30', reservations: '0100', ext_reservations: '1001' },
      ['XX.X', 1, 3, '10.0.0.0, 10.0.0.3'],
    ],
    [{ network: '10.0.0.0/30', reservations: '0000', ext_reservations: '0000' }, ['....', 4, 0, '']],
    [{ network: '10.0.0.0/30', reservations: '0010', ext_reservations: '0010' }, ['..X.', 3, 1, '10.0.0.2']],
    [
      { network: '192.0.2.77/30', reservations: '0000', ext_reservations: '0001' },
      ['...X', 3, 1, '192.0.2.79'],
    ],
    [
      { network: '10.0.255.254/31', reservations: '00', ext_reservations: '11' },
      ['XX', 0, 2, '10.0.255.254, 10.0.255.255'],
    ],
    [
      { network: '255.255.255.252/30', reservations: '', ext_reservations: '0001' },
      ['...X', 3, 1, '255.255.255.255'],
    ],
    [{ network: '10.0.0.0/30', reservations: '', ext_reservations: '' }, ['', 0, 0, '']],
  ]
  for (const [changes, values] of cases) {
    const networks = objects.networks.map((network) => ({ ...network, ...changes }))
    t.same(
      await queryRows(changed({ networks }), 'network', ['net1'], fields),
      [values],
      JSON.stringify(changes),
    )
  }
})

t.test('operating systems are those the source knows', async (t) => {
  t.same([...(await query(changed(), 'os', ['name'], null)).data], [])
  const os = { name: 'b', variants: ['v10', 'v9'], valid: true, api_versions: [20, 15], parameters: [] }
  const cluster = {
    ...objects.cluster,
    hidden_os: ['b'],
    os_hvp: { 'b+v9': { kvm: { acpi: false } } },
    osparams: { 'b+v10': { size: '1' }, b: { size: '2' } },
  }
  const config = changed({ cluster, oses: [os, { ...os, name: 'a', variants: [] }] })
  const fields = [
    'name',
    'hidden',
    'blacklisted',
    'variants',
    'api_versions',
    'os_hvp',
    'osparams',
    'trusted',
  ]
  t.same(
    [...(await query(config, 'os', fields, ['?', 'hidden'])).data],
    [
      [
        [0, 'b'],
        [0, true],
        [0, false],
        [0, ['v9', 'v10']],
        [0, [15, 20]],
        [0, { 'b+v9': { kvm: { acpi: false } } }],
        [0, { 'b+v10': { size: '1' } }],
        [2, null],
      ],
    ],
  )
  t.same([...(await query(config, 'os', ['name'], null)).data], [[[0, 'a']], [[0, 'b']]])
})

t.test('the cluster is a query of one row', async (t) => {
  const fields = ['name', 'master_node', 'config_version', 'drain_flag', 'volume_group_name']
  t.same(
    [...(await query(changed({ version: versionOfConfig(3000000) }), 'cluster', fields, null)).data],
    [
      [
        [0, 'cluster.example.com'],
        [0, 'node1.example.com'],
        [0, 3000000],
        [2, null],
        [0, 'xenvg'],
      ],
    ],
  )
})

t.test('what a file knows nothing of has no rows', async (t) => {
  for (const what of ['job', 'lock', 'extstorage'])
    t.same([...(await query(changed(), what, ['name'], null)).data], [], what)
})

t.test('what look-ups find is what a test of all objects would find', async (t) => {
  const tagged = objects.instances.map((instance, place) => ({
    ...instance,
    tags: place % 2 === 0 ? ['web', `t${place % 3}`] : [],
    primary_node: place === 1 ? '' : instance.primary_node,
  }))
  const config = changed({ instances: tagged })
  const [{ name: group }, { name: node }] = [objects.groups[0] as { name: string }, objects.nodes[0] as Node]
  for (const filter of [
    ['=[]', 'tags', 'web'],
    ['=[]', 'tags', 'none'],
    ['|', ['=[]', 'tags', 't1'], ['=', 'pnode', node]],
    ['|', ['=', 'pnode', node.split('.')[0] as string], ['=', 'name', 'inst1']],
    ['=', 'pnode.group', group],
    ['=', 'pnode', 'none'],
    ['&', ['=[]', 'tags', 'web'], ['!', ['=', 'pnode', node]]],
    ['&', ['!', ['=', 'pnode', node]], ['=[]', 'tags', 'web']],
    ['|', ['=[]', 'tags', 't2'], ['=~', 'name', '1']],
    ['&'],
    ['|'],
  ] as Json[]) {
    const found = await query(config, 'instance', ['name'], filter)
    const tested = await query(config, 'instance', ['name'], ['!', ['!', filter]])
    t.strictSame([...found.data], [...tested.data], JSON.stringify(filter))
  }
})
