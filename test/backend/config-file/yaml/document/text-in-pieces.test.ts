import t from 'tap'
import type { Json } from '../../../../../lib/json/json.ts'
import type { Config } from '../../../../../lib/model/config.ts'
import { ofInstance, readText, textAfter } from '../../../../support/edited-text.ts'

/** Times stand here, so that they are not added. */
const HEAD = `cluster: {name: c.example.com, hypervisor: kvm, enabled_hypervisors: [kvm], enabled_disk_templates: [plain], ctime: 1, mtime: 2}
nodes: {n1: {primary_ip: 192.0.2.1, memory: 32g, disk: 5t, cpus: 8}}
`

const LISTS = `${HEAD}instances:
  web:
    pnode: n1
    disk_template: plain
    state: up   # always
    disks:
      - size: 1g      # root
        name: root
      # data disk
      - size: 2g
        name: data
    nics:
      - mac: "aa:00:00:00:00:01"   # uplink
        link: br0
      # management
      - mac: "aa:00:00:00:00:02"
        link: br1
os: [debian]
`

t.test('an element goes with its comments, those of the others stay with them', async (t) => {
  const nic = textAfter(
    LISTS,
    ofInstance('web', ({ nics }) => ({ nics: nics.slice(1) })),
  )
  t.notMatch(nic, /uplink|aa:00:00:00:00:01/)
  t.match(nic, '    nics:\n      # management\n      - mac: "aa:00:00:00:00:02"\n        link: br1\n')
  const disk = textAfter(
    LISTS,
    ofInstance('web', ({ disks }) => ({
      disks: disks.slice(1).map((one, place) => ({ ...one, iv_name: `disk/${place}` })),
    })),
  )
  t.notMatch(disk, /# root|size: 1g/)
  t.match(disk, '    disks:\n      # data disk\n      - size: 2g\n        name: data\n')
})

t.test('a value changes in its place, and the comment beside it stays', async (t) => {
  const down = textAfter(
    LISTS,
    ofInstance('web', () => ({ admin_state: 'down', disks_active: false })),
  )
  t.equal(down, LISTS.replace('state: up   #', 'state: down   #'))
  const up = textAfter(
    down,
    ofInstance('web', () => ({ admin_state: 'up', disks_active: true })),
  )
  t.equal(up, LISTS, 'also where it becomes what saying nothing would mean')
})

t.test('elements that move say which they are, and nothing that is as it was', async (t) => {
  const text = `${HEAD}instances:\n  a:\n    pnode: n1\n    disks:\n      - size: 1g # one\n      - size: 2g # two\n`
  const after = textAfter(
    text,
    ofInstance('a', ({ disks }) => ({
      disks: [{ ...disks[0], uuid: 'u0', size: 512, logical_id: ['xenvg', 'u0.disk0'] }, ...disks].map(
        (disk, place) => ({ ...disk, iv_name: `disk/${place}` }) as Config['instances']['all'][0]['disks'][0],
      ),
    })),
  )
  const said = ['- {size: 512, uuid: u0}', '- size: 1g # one', '- size: 2g # two']
  t.strictSame(
    after.split('\n').flatMap((line) => (/^ +- /.test(line) ? [line.trim()] : [])),
    said,
  )
})

t.test('a new element comes before the comments of those behind it', async (t) => {
  const text = `${HEAD}instances:\n  a:\n    pnode: n1\n    disks:\n      - size: 2g # two\n        uuid: u1\n        logical_id: [xenvg, v]\n`
  const after = textAfter(
    text,
    ofInstance('a', ({ disks }) => ({
      disks: [{ ...disks[0], uuid: 'u0', size: 1024, logical_id: ['xenvg', 'w'] }, ...disks].map(
        (disk, place) => ({
          ...disk,
          iv_name: `disk/${place}`,
        }),
      ) as typeof disks,
    })),
  )
  t.match(after, /disks:\n {6}- \{.*\}\n {6}- size: 2g # two\n/)
})

const changes: {
  readonly title: string
  readonly text: string
  readonly change: (config: Config) => object
  readonly result: string
}[] = [
  {
    title: 'the comment above an object goes with it',
    text: 'instances:\n  a: {pnode: n1}\n\n  # tier two\n\n  # about b\n  b: {pnode: n1} # beside b\n  # about c\n  c: {pnode: n1}\n',
    change: ofInstance('b', null),
    result: 'instances:\n  a: {pnode: n1}\n\n  # tier two\n\n  # about c\n  c: {pnode: n1}\n',
  },
  {
    title: 'comments stay in a section that has become empty, set apart from the next key',
    text: 'instances:\n  # of all\n\n  a: {pnode: n1}\n\n# systems\nos: [debian]\n',
    change: ofInstance('a', null),
    result: 'instances:\n  # of all\n\n# systems\nos: [debian]\n',
  },
  {
    title: 'an anchor that nobody uses stands before a key',
    text: 'instances:\n  a:\n    &x os: noop\n    pnode: n1\n    beparams:\n       vcpus: 2\n',
    change: ofInstance('a', () => ({ tags: ['x'] })),
    result:
      'instances:\n  a:\n    &x os: noop\n    pnode: n1\n    beparams:\n       vcpus: 2\n    tags: [x]\n',
  },
  {
    title: 'a key with a question mark',
    text: 'instances:\n  a:\n    pnode: n1\n    ? tags\n    : - x\n      - y # why\n',
    change: ofInstance('a', () => ({ tags: ['y', 'z'] })),
    result: 'instances:\n  a:\n    pnode: n1\n    ? tags\n    : - y # why\n      - z\n',
  },
  {
    title: 'a dash on a line of its own',
    text: 'instances:\n  a:\n    pnode: n1\n    nics:\n      -\n        mode: bridged\n        mac: aa:00:00:00:00:01\n',
    change: ofInstance('a', ({ nics }) => ({
      tags: ['x'],
      nics: nics.map((nic) => ({ ...nic, ip: '192.0.2.77' })),
    })),
    result:
      'instances:\n  a:\n    pnode: n1\n    nics:\n      -\n        mode: bridged\n        mac: aa:00:00:00:00:01\n        ip: 192.0.2.77\n    tags: [x]\n',
  },
  {
    title: 'lines end as they did',
    text: 'instances:\r\n  a:\r\n    pnode: n1 # one\r\n    tags:\r\n    - x\r\n    - y\r\n  b: {pnode: n1}\r\n',
    change: (config) => ({
      instances: new Map([
        ...(ofInstance('a', () => ({ tags: ['x', 'z'], hvparams: { acpi: true } }))(config).instances ?? []),
        ...(ofInstance('b', () => ({ name: 'c', uuid: 'u', network_port: null }))(config).instances ?? []),
      ]),
    }),
    result:
      'instances:\r\n  a:\r\n    pnode: n1 # one\r\n    tags:\r\n    - x\r\n    - z\r\n    hvparams: {acpi: true}\r\n  c: {pnode: n1, uuid: u}\r\n',
  },
]

for (const { title, text, change, result } of changes) {
  t.test(`written as it was: ${title}`, async (t) => {
    const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
    const head = HEAD.replaceAll('\n', lineBreak)
    t.equal(textAfter(head + text, change), head + result)
  })
}

t.test('the first object comes into empty braces, and the comment there stays', async (t) => {
  const one = readText(`${HEAD}instances:\n  a: {pnode: n1, disk_template: diskless}\n`).config.instances.all
  const text = `${HEAD}instances: {\n# none yet\n}\n`
  const after = textAfter(text, () => ({
    instances: new Map(one.map((instance) => [instance.uuid, instance])),
  }))
  t.match(after, /instances: \{a: \{pnode: n1.*\},\n# none yet\n\}\n/)
})

t.test('a mark of the order of bytes stays where it is', async (t) => {
  for (const start of ['\ufeff', '\ufeff# mine\n']) {
    const text = `${start}${HEAD}instances:\n  a: {pnode: n1}\n`
    const after = textAfter(text, ({ cluster }) => ({ cluster: { ...cluster, tags: ['x'], serial_no: 2 } }))
    t.equal(after, text.replace('mtime: 2}', 'mtime: 2, serial_no: 2, tags: [x]}'))
    const block = `${start}cluster:\n  name: c\n  ctime: 1\n  mtime: 2\n`
    const nodes = 'nodes: {n1: {}}\n'
    const grown = textAfter(block + nodes, ({ cluster }) => ({ cluster: { ...cluster, tags: ['x'] } }))
    t.equal(grown, `${block}  tags: [x]\n${nodes}`)
  }
})

t.test('what cannot be edited in place is written anew, with its comments', async (t) => {
  // A line behind the last one would take the empty ones away from the text above it.
  const text = `${HEAD}instances:\n  # about a\n  a:\n    pnode: "n1" # beside\n    osparams:\n      motd: |+\n        hello\n\n  b: {pnode: n1}\n`
  const after = textAfter(
    text,
    ofInstance('a', () => ({ tags: ['x'] })),
  )
  t.match(after, '  # about a\n  a:\n')
  t.match(after, '# beside')
  const { config } = readText(after)
  t.strictSame(config.instances.byName.get('a')?.osparams, { motd: 'hello\n\n' })
  t.strictSame(config.instances.byName.get('a')?.tags, ['x'])
  t.match(after, '  b: {pnode: n1}\n')
})

t.test('what YAML has no words for is refused', async (t) => {
  const trail = [['a', Number.POSITIVE_INFINITY, 1]] as never
  const rule = { uuid: 'f', watermark: 0, priority: 1, predicates: [], action: 'ACCEPT', reason_trail: trail }
  t.throws(() => textAfter(HEAD, () => ({ filters: new Map([['f', rule]]) })), {
    message: /(Cannot write this change|no way to say)/,
  })
})

t.test(
  'a section and a key that are new stand at the end, with the ends of lines that there are',
  async (t) => {
    const rule = {
      uuid: 'f',
      watermark: 0,
      priority: 1,
      predicates: [],
      action: 'ACCEPT',
      reason_trail: [['a', 'b', 1]],
    } as never
    for (const text of [HEAD, HEAD.trimEnd(), HEAD.replaceAll('\n', '\r\n')]) {
      const after = textAfter(text, () => ({ filters: new Map([['f', rule]]) }))
      const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
      const added = 'filters: [{uuid: f, priority: 1, action: ACCEPT, reason_trail: [[a, b, 1]]}]'
      t.equal(after, `${text.trimEnd()}${lineBreak}${added}${lineBreak}`)
      t.equal(
        textAfter(after, () => ({ filters: new Map([['f', null]]) })),
        `${text.trimEnd()}${lineBreak}`,
      )
    }
  },
)

t.test('a migration says nothing of disks that follow from their nodes', async (t) => {
  const text = `cluster: {name: c, ctime: 1, mtime: 2, enabled_hypervisors: [kvm], enabled_disk_templates: [drbd]}
nodes: {n1: {}, n2: {}}
instances:
  a: {pnode: n1, snode: n2, disks: [20g, 4g]}
`
  const after = textAfter(
    text,
    ofInstance('a', ({ primary_node, secondary_nodes: [other = ''] }) => ({
      primary_node: other,
      secondary_nodes: [primary_node],
    })),
  )
  t.equal(after, text.replace('pnode: n1, snode: n2', 'pnode: n2, snode: n1'))
  const [before, now] = [readText(text), readText(after)].map(({ config }) => config.instances.all[0]?.disks)
  const [first, second] = [before?.[0]?.logical_id as Json[], now?.[0]?.logical_id as Json[]]
  t.strictSame(second, [first[1], first[0], first[2], first[4], first[3], first[5]], 'the device is the same')
})

t.test('sections stand in any order, and several may grow and shrink at once', async (t) => {
  const nodes = 'nodes:\n  n1.example.com: {} # one\n  n2.example.com: {}\n'
  const networks = 'networks:\n  lan: {network: 198.51.100.0/24}\n  wan: {network: 203.0.113.0/24}\n'
  const cluster = 'cluster: {name: c, enabled_hypervisors: [kvm], enabled_disk_templates: [diskless]} # all\n'
  const instances = 'instances:\n  a: {pnode: n1.example.com}\n  # last\n  b: {pnode: n2.example.com}\n'
  const orders = [
    [nodes, networks, instances, cluster],
    [instances, networks, cluster, nodes],
    [networks, cluster, nodes, instances],
  ]
  for (const sections of orders) {
    const text = sections.join('')
    const after = textAfter(text, ({ cluster, networks, instances }) => {
      const [a, lan] = [instances.byName.get('a'), networks.byName.get('lan')]
      if (!a || !lan) throw new Error('neither a nor lan')
      return {
        cluster: { ...cluster, tags: ['x'] },
        networks: new Map([
          ['n', { ...lan, uuid: 'n', name: 'dmz', network: '192.0.2.0/24' }],
          [lan.uuid, null],
        ]),
        instances: new Map([
          ['i', { ...a, uuid: 'i', name: 'c' }],
          [a.uuid, null],
        ]),
      }
    })
    const { config } = readText(after)
    t.same(
      [config.networks, config.instances, config.nodes].map(({ all }) => all.map(({ name }) => name)),
      [
        ['dmz', 'wan'],
        ['b', 'c'],
        ['n1.example.com', 'n2.example.com'],
      ],
    )
    t.same(config.cluster.tags, ['x'])
    for (const comment of ['# one', '# all', '# last']) t.match(after, comment)
  }
})

t.test('a last line without an end gets the line break of the others', async (t) => {
  const text =
    'cluster: {name: c, ctime: 1, mtime: 2, enabled_hypervisors: [kvm], enabled_disk_templates: [diskless]}\r\n' +
    'nodes: {n1: {}}\r\ninstances:\r\n  a: {pnode: n1}'
  const after = textAfter(
    text,
    ofInstance('a', () => ({ tags: ['x'] })),
  )
  t.equal(after, text.replace('{pnode: n1}', '{pnode: n1, tags: [x]}\r\n'))
})

t.test(
  'a section that has become empty keeps its comments, and not the tag that says an object follows',
  async (t) => {
    const text = `cluster: {name: c, ctime: 1, mtime: 2, enabled_hypervisors: [kvm], enabled_disk_templates: [diskless]}
nodes: {n1: {}}
instances: !!map # ours
  a: {pnode: n1} # the first
`
    const after = textAfter(text, ofInstance('a', null))
    t.equal(after.slice(after.indexOf('instances')), 'instances: # ours\n')
  },
)
