import { readFileSync } from 'node:fs'
import t from 'tap'
import { readYaml } from '../../../../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { Failure } from '../../../../../lib/failure.ts'
import type { ConfigObjects } from '../../../../../lib/model/config.ts'
import { BE_DEFAULTS, HV_DEFAULTS, hvDefaults, IPOLICY_DEFAULTS } from '../../../../../lib/model/defaults.ts'
import { NEWEST } from '../../../../../lib/model/version.ts'

const sample = readFileSync(new URL('../../../../../../test/fixtures/cluster.yaml', import.meta.url), 'utf8')

function read(text: string): ConfigObjects {
  return readYaml(text, { name: 'cluster.yaml', mtime: 1000 })
}

function find<T extends { name: string }>(objects: readonly T[], name: string): T {
  const object = objects.find((one) => one.name === name)
  if (!object) throw new Error(`no ${name}`)
  return object
}

const SMALL = 'cluster: {name: c}\nnodes: {n1: {primary_ip: 192.0.2.1}, n2: {primary_ip: 192.0.2.2}}\n'

t.test('the sample reads without complaint', async (t) => {
  const objects = read(sample)
  t.equal(objects.instances.length, 8)
  t.equal(objects.nodes.length, 5)
  t.strictSame(
    objects.groups.map((group) => group.name),
    ['default', 'branch'],
  )
})

t.test('an instance becomes what Ganeti would have written', async (t) => {
  const objects = read(sample)
  const [node1, node2] = objects.nodes
  const web = find(objects.instances, 'web.example.com')
  const [uuid0 = '', uuid1] = web.disks.map((disk) => disk.uuid)
  t.match(web, {
    primary_node: node1?.uuid,
    secondary_nodes: [node2?.uuid],
    os: 'debian-etch',
    hypervisor: 'xen-pvm',
    hvparams: {},
    beparams: { maxmem: 512, minmem: 512, vcpus: 2 },
    osparams: { mirror: 'http://mirror.example.com/debian' },
    admin_state: 'up',
    admin_state_source: 'admin',
    disk_template: 'drbd',
    disks_active: true,
    network_port: null,
    forthcoming: false,
    ctime: 1700000000,
    mtime: 1700000000,
    serial_no: 1,
    tags: ['tag1', 'tag2'],
    nics: [{ mac: '01:23:45:67:89:01', ip: null, network: null, nicparams: { link: 'xen-br0' } }],
    disks: [
      {
        dev_type: 'drbd',
        size: 20480,
        mode: 'rw',
        iv_name: 'disk/0',
        nodes: [node1?.uuid, node2?.uuid],
        children: [
          { dev_type: 'plain', size: 20480, logical_id: ['xenvg', `${uuid0}.disk0_data`] },
          { dev_type: 'plain', size: 128, logical_id: ['xenvg', `${uuid0}.disk0_meta`] },
        ],
      },
      { size: 4096, iv_name: 'disk/1' },
    ],
  })
  t.not(uuid0, uuid1)
  const [pnode, snode, port, pminor, sminor, secret] = web.disks[1]?.logical_id ?? []
  t.strictSame([pnode, snode], [node1?.uuid, node2?.uuid])
  for (const minor of [pminor, sminor]) t.ok(Number.isInteger(minor) && Number(minor) < 2 ** 20)
  t.ok(Number(port) >= 11000 && Number(port) < 15000)
  t.match(secret, /^[\da-f]{40}$/)
})

t.test('a card in a network is linked as the group of its instance says', async (t) => {
  const objects = read(sample)
  const front = find(objects.networks, 'front')
  const [mail, router] = ['mail.example.com', 'router.example.com'].map((name) =>
    find(objects.instances, name),
  )
  t.match(mail?.nics[0], {
    name: 'public',
    ip: '198.51.100.25',
    network: front.uuid,
    nicparams: { mode: 'bridged', link: 'xen-br0', vlan: '' },
  })
  t.match(mail?.nics[0]?.mac, /^aa:bb:cc:/, 'its hardware address begins as the network wants it')
  t.match(mail?.nics[1]?.mac, /^aa:00:00:/, 'or else the cluster')
  t.match(router?.nics[0], { nicparams: { mode: 'routed', link: 'main' } })
})

t.test('a network’s addresses are taken by instances, or set aside', async (t) => {
  const front = find(read(sample).networks, 'front')
  const taken = (bits: string) => [...bits].flatMap((bit, index) => (bit === '1' ? [index] : []))
  t.equal(front.reservations.length, 256)
  t.strictSame(taken(front.reservations), [25, 30, 40, 50])
  t.strictSame(
    taken(front.ext_reservations),
    [0, 1, 2, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 255],
  )
  const storage = find(read(sample).networks, 'storage')
  t.strictSame(
    taken(storage.ext_reservations),
    [0, 1, 2, 3, 63],
    'the nodes’ own addresses are set aside too',
  )
})

t.test('the cluster’s defaults are complete', async (t) => {
  const { cluster, nodes } = read(sample)
  t.match(cluster, {
    cluster_name: 'cluster1.example.com',
    master_node: nodes[0]?.uuid,
    master_ip: '192.0.2.10',
    master_netmask: 32,
    primary_ip_version: 4,
    enabled_hypervisors: ['xen-pvm', 'xen-hvm', 'kvm'],
    enabled_disk_templates: ['drbd', 'plain', 'file', 'diskless'],
    beparams: { ...BE_DEFAULTS, minmem: 512, maxmem: 512 },
    ipolicy: { 'vcpu-ratio': 8, 'spindle-ratio': 32, std: IPOLICY_DEFAULTS.std },
    drbd_usermode_helper: '/bin/true',
    tags: ['production', 'site:berlin'],
  })
  t.strictSame(cluster.ipolicy.minmax[0]?.min, { ...IPOLICY_DEFAULTS.minmax[0]?.min, 'memory-size': 128 })
  t.match(cluster.ipolicy.minmax[0]?.max, { 'memory-size': 16384, 'disk-size': 2097152, 'nic-count': 8 })
  t.strictSame(cluster.hvparams.kvm, {
    ...hvDefaults(NEWEST).kvm,
    vnc_bind_address: '0.0.0.0',
    kernel_path: '',
  })
  t.strictSame(cluster.hvparams.lxc, HV_DEFAULTS.lxc)
})

t.test(
  'the policy of a cluster allows the disk templates that are enabled, unless it says which',
  async (t) => {
    const allowed = (cluster: string) =>
      read(`cluster: {name: c, ${cluster}}\nnodes: {n: {}}\n`).cluster.ipolicy['disk-templates']
    t.strictSame(allowed('enabled_disk_templates: [file, drbd]'), ['file', 'drbd'])
    t.strictSame(allowed('enabled_disk_templates: [file, drbd], ipolicy: {vcpu-ratio: 2}'), ['file', 'drbd'])
    t.strictSame(allowed('enabled_disk_templates: [file, drbd], ipolicy: {disk-templates: [drbd]}'), ['drbd'])
  },
)

t.test('what is free on a node is what its instances leave', async (t) => {
  const { live, nodes } = read(sample)
  const of = (name: string) => live.get(find(nodes, name).uuid)
  t.match(of('node1.example.com'), {
    mtotal: 32763,
    mnode: 1024,
    mfree: 32763 - 1024 - 512,
    dtotal: 5246208,
    // Two disks of web and mail each, with DRBD's notes, and windows, which has its disk though it is down.
    dfree: 5246208 - (20480 + 4096 + 10240 + 204800 + 4 * 128) - 61440,
    ctotal: 8,
    csockets: 2,
    cnodes: 2,
    cnos: 2,
    sptotal: null,
    spfree: null,
  })
  t.match(of('node3.example.com'), { mfree: 65531 - 1024 - 8192 }, 'an instance may grow to its most')
  t.match(of('node4.example.com'), { mnode: 0, mfree: 16384 - 256, cnos: 0, sptotal: 4, spfree: 4 })
  t.equal(of('node5.example.com'), undefined, 'an offline node says nothing')
})

t.test('a node of which nothing is said reports nothing', async (t) => {
  const [live] = read(`${SMALL}instances: {a: {pnode: n1, disks: [1g]}}`).live.values()
  const { bootid, ...values } = live ?? {}
  t.match(bootid, /^[\da-f-]{36}$/)
  t.strictSame(new Set(Object.values(values)), new Set([null]))
})

t.test('storage that is not on a node takes nothing of it', async (t) => {
  const text = (template: string, more = '') =>
    `cluster: {name: c}\nnodes: {n1: {disk: 10g}}\ninstances: {a: {pnode: n1, disk_template: ${template}, disks: [{size: 1g${more}}]}}`
  const cases: [text: string, free: number][] = [
    [text('plain'), 9216],
    [text('file'), 9216],
    [text('sharedfile'), 10240],
    [text('rbd'), 10240],
    [text('gluster'), 10240],
    [text('blockdev', ', adopt: /dev/disk/by-id/x'), 10240],
    [text('ext', ', provider: pv'), 10240],
  ]
  for (const [text, free] of cases) {
    const [live] = read(text).live.values()
    t.equal(live?.dfree, free, text)
  }
})

t.test('what the file leaves out is the same after each reading, and all different', async (t) => {
  const derived = ({ cluster, nodes, groups, instances, networks, filters }: ConfigObjects) => [
    ...[cluster, ...nodes, ...groups, ...instances, ...networks, ...filters].map((object) => object.uuid),
    ...instances.flatMap(({ nics, disks, network_port }) => [
      ...nics.flatMap((nic) => [nic.uuid, nic.mac]),
      ...disks.flatMap((disk) => [disk.uuid, ...disk.children.map((child) => child.uuid)]),
      ...disks.filter((disk) => disk.dev_type === 'drbd').map((disk) => disk.logical_id[2]),
      ...(network_port === null ? [] : [network_port]),
    ]),
  ]
  const all = derived(read(sample))
  t.strictSame(all, derived(readYaml(sample, { name: 'elsewhere.yaml', mtime: 2000 })))
  t.equal(new Set(all).size, all.length)
  const one = read(`${SMALL}instances: {a: {pnode: n1, nics: [{}]}, b: {pnode: n1, nics: [{}]}}`)
  const other = read(`${SMALL}instances: {b: {pnode: n1, nics: [{}]}, a: {pnode: n1, nics: [{}]}}`)
  t.strictSame(find(one.instances, 'a'), find(other.instances, 'a'), 'whatever the order')
})

t.test('a derived address gives way to a given one', async (t) => {
  const [a] = read(`${SMALL}instances: {a: {pnode: n1, nics: [{}]}}`).instances
  const mac = a?.nics[0]?.mac ?? ''
  const objects = read(
    `${SMALL}instances: {a: {pnode: n1, nics: [{}]}, b: {pnode: n1, nics: [{mac: "${mac}"}]}}`,
  )
  t.equal(find(objects.instances, 'b').nics[0]?.mac, mac)
  t.not(find(objects.instances, 'a').nics[0]?.mac, mac)
})

t.test('names are enough', async (t) => {
  const objects = read('cluster: {name: c}\nnodes: {n1:, n2:}\ninstances: {a: {pnode: n1}}')
  t.match(objects.cluster, {
    cluster_name: 'c',
    master_node: objects.nodes[0]?.uuid,
    enabled_hypervisors: ['xen-pvm'],
    enabled_disk_templates: ['drbd', 'plain', 'diskless'],
    volume_group_name: 'xenvg',
    drbd_usermode_helper: '/bin/true',
  })
  t.strictSame(
    objects.groups.map((group) => group.name),
    ['default'],
  )
  t.match(objects.nodes[0], {
    name: 'n1',
    primary_ip: '',
    group: objects.groups[0]?.uuid,
    master_candidate: true,
    ctime: 1000,
    mtime: 1000,
  })
  t.match(objects.instances[0], { disk_template: 'diskless', admin_state: 'up', os: '', disks: [], nics: [] })
  t.strictSame(objects.oses, [])
})

t.test('a cluster allows what a new one does, and first of all what its instances use', async (t) => {
  const enabled = (instances: string) =>
    read(`${SMALL}instances: {${instances}}`).cluster.enabled_disk_templates
  t.strictSame(enabled(''), ['drbd', 'plain'])
  t.strictSame(enabled('a: {pnode: n1, snode: n2, disks: [1]}'), ['drbd', 'plain'])
  t.strictSame(enabled('a: {pnode: n1, disks: [1]}'), ['plain', 'drbd'])
  t.strictSame(enabled('a: {pnode: n1, disk_template: file, disks: [1]}, b: {pnode: n1}'), [
    'file',
    'drbd',
    'plain',
    'diskless',
  ])
})

t.test('the cluster in the README can be read, and has room for plain disks', async (t) => {
  const readme = readFileSync(new URL('../../../../../../README.md', import.meta.url), 'utf8')
  const lines = readme.split('\n')
  const first = lines.findIndex((line) => line.startsWith('    cluster: '))
  const example = lines.slice(first, lines.indexOf('', first)).join('\n')
  const { cluster, instances } = read(example)
  t.equal(instances.length, 1)
  t.strictSame(cluster.enabled_disk_templates, ['drbd', 'plain'])
  t.equal(cluster.volume_group_name, 'xenvg')
})

t.test('what one thing says, others follow', async (t) => {
  const cases: { title: string; text: string; expected: object }[] = [
    {
      title: 'a second node makes it DRBD, and disks without one are plain volumes',
      text: `${SMALL}instances: {a: {pnode: n1, snode: n2, disks: [1g]}, b: {pnode: n1, disks: [1]}}`,
      expected: {
        instances: [{ disk_template: 'drbd' }, { disk_template: 'plain', disks: [{ size: 1 }] }],
        cluster: { enabled_disk_templates: ['drbd', 'plain'], volume_group_name: 'xenvg' },
      },
    },
    {
      title: 'hypervisors in use are enabled',
      text: `${SMALL}instances: {a: {pnode: n1, hypervisor: kvm}}`,
      expected: {
        cluster: { enabled_hypervisors: ['xen-pvm', 'kvm'] },
        instances: [{ network_port: Number }],
      },
    },
    {
      title: 'the default hypervisor comes first',
      text: 'cluster: {name: c, hypervisor: kvm, enabled_hypervisors: [fake, kvm]}\nnodes: {n1:}',
      expected: { cluster: { enabled_hypervisors: ['kvm', 'fake'] } },
    },
    {
      title: 'the master is the first node that can be',
      text: 'cluster: {name: c}\nnodes: {n1: {offline: true, uuid: u1}, n2: {drained: true}, n3: {uuid: u3}}',
      expected: {
        cluster: { master_node: 'u3' },
        nodes: [{ master_candidate: false }, {}, { master_candidate: true }],
      },
    },
    {
      title: 'no more master candidates than the cluster wants',
      text: 'cluster: {name: c, master: n3, candidate_pool_size: 2}\nnodes: {n1:, n2:, n3:}',
      expected: {
        nodes: [{ master_candidate: true }, { master_candidate: false }, { master_candidate: true }],
      },
    },
    {
      title: 'a node says itself whether it is a candidate',
      text: 'cluster: {name: c, candidate_pool_size: 1}\nnodes: {n1:, n2: {master_candidate: true}, n3: {master_candidate: false}}',
      expected: {
        nodes: [{ master_candidate: true }, { master_candidate: true }, { master_candidate: false }],
      },
    },
    {
      title: 'IPv6 is known by the addresses',
      text: 'cluster: {name: c}\nnodes: {n1: {primary_ip: "2001:db8::1"}}',
      expected: { cluster: { primary_ip_version: 6, master_netmask: 128 } },
    },
    {
      title: 'the only group needs no mention',
      text: 'cluster: {name: c}\ngroups: {g: {uuid: ug}}\nnodes: {n1:}',
      expected: { nodes: [{ group: 'ug' }] },
    },
    {
      title: 'memory can be its least and its most',
      text: `${SMALL}instances: {a: {pnode: n1, beparams: {minmem: 1g, maxmem: 2g}}, b: {pnode: n1, beparams: {memory: 3g}}}`,
      expected: {
        instances: [
          { beparams: { minmem: 1024, maxmem: 2048 } },
          { beparams: { minmem: 3072, maxmem: 3072 } },
        ],
      },
    },
    {
      title: 'a whole number is text where text is wanted',
      text: `${SMALL}instances: {a: {pnode: n1, tags: [2024], nics: [{vlan: 100}]}}`,
      expected: { instances: [{ tags: ['2024'], nics: [{ nicparams: { vlan: '100' } }] }] },
    },
    {
      title: 'defaults stand with or without the level Ganeti puts them under',
      text: 'cluster: {name: c, beparams: {default: {vcpus: 3}}, nicparams: {link: br3}}\nnodes: {n1:}',
      expected: { cluster: { beparams: { vcpus: 3 }, nicparams: { link: 'br3', mode: 'bridged' } } },
    },
    {
      title: 'times are those of the cluster',
      text: 'cluster: {name: c, ctime: 5, mtime: 6.5}\nnodes: {n1: {mtime: 7}}',
      expected: { cluster: { ctime: 5, mtime: 6.5 }, nodes: [{ ctime: 5, mtime: 7 }], mtime: 1000 },
    },
    {
      title: 'a card may name a bridge',
      text: `${SMALL}instances: {a: {pnode: n1, nics: [{bridge: br1}]}}`,
      expected: { instances: [{ nics: [{ nicparams: { mode: 'bridged', link: 'br1' } }] }] },
    },
    {
      title: 'operating systems are names, or more than names',
      text: `${SMALL}os: [a, {name: b, variants: [x, y], parameters: {p: what it does}, valid: false}]`,
      expected: {
        oses: [
          { name: 'a', variants: [], valid: true, api_versions: [20], parameters: [] },
          { name: 'b', variants: ['x', 'y'], valid: false, parameters: [['p', 'what it does']] },
        ],
      },
    },
    {
      title: 'operating systems are keys, too',
      text: `${SMALL}os: {a:, b: {variants: [x], api_versions: [15, 20]}}`,
      expected: { oses: [{ name: 'a' }, { name: 'b', variants: ['x'], api_versions: [15, 20] }] },
    },
    {
      title: 'of private parameters only the names are kept',
      text: `${SMALL}instances: {a: {pnode: n1, osparams_private: {password: hunter2}}}`,
      expected: { instances: [{ osparams_private: ['password'] }] },
    },
    {
      title: 'a filter is as Ganeti has it',
      text: `${SMALL}filters: [{priority: 3, predicates: [[jobid, [">", id, 7]]], action: [RATE_LIMIT, 2], reason: slow}]`,
      expected: {
        filters: [
          {
            priority: 3,
            watermark: 0,
            predicates: [['jobid', ['>', 'id', 7]]],
            action: ['RATE_LIMIT', 2],
            reason_trail: [['gnt:user', 'slow', 1000000000000]],
          },
        ],
      },
    },
  ]
  for (const { title, text, expected } of cases) t.match(read(text), expected, title)
})

t.test('everything wrong is listed, each with line and column', async (t) => {
  const cases: { title: string; text: string; errors: string[] }[] = [
    {
      title: 'an empty file',
      text: '',
      errors: ['1:1: a cluster has at least one node', '1:1: the cluster needs a name'],
    },
    {
      title: 'text',
      text: 'hello',
      errors: ['1:1: this must be an object with cluster, nodes, instances, ..., and is the text "hello"'],
    },
    {
      title: 'keys that mean nothing',
      text: 'cluster: {name: c, mastre: n1, hvparams: {kvm: {acpy: true}, kmv: {}}, ipolicy: {std: {cpus: 1}}}\nnode: {}\nnodes:\n  n1: {vpcus: 3, ndparams: {oob: x}}\n',
      errors: [
        '1:20: unknown key "mastre" (did you mean master?)',
        '1:49: unknown key "acpy" (did you mean acpi?)',
        '1:62: unknown key "kmv" (did you mean kvm?)',
        '1:88: unknown key "cpus"',
        '2:1: unknown key "node" (did you mean nodes?)',
        '4:8: unknown key "vpcus"',
        '4:29: unknown key "oob"',
      ],
    },
    {
      title: 'values of a wrong type',
      text: `cluster: {name: [c], tags: x, candidate_pool_size: many, primary_ip_version: 5}
nodes:
  n1: {memory: lots, offline: yes, cpus: 1.5, group: 7.5, tags: [1.5, [x], "a b"]}
instances:
  a: {pnode: n1, state: on, disks: {size: 1}, nics: [x], memory: -1, hvparams: {}}
  b: up
os: 3
filters: [x]`,
      errors: [
        '1:17: name must be text, and is a list',
        '1:28: tags must be a list, and is the text "x"',
        '1:52: candidate_pool_size must be a whole number, and is the text "many"',
        '1:78: primary_ip_version must be 4 or 6, and is 5',
        '3:16: memory must be a size, which is MiB, or a number with a unit (512m, 4g, 1t), and is the text "lots"',
        '3:31: offline must be true or false, and is the text "yes"',
        '3:42: cpus must be a whole number, and is 1.5',
        '3:54: group must be text, and is 7.5: put it in quotes',
        '3:66: each of tags must be text, and is 1.5: put it in quotes',
        '3:71: each of tags must be text, and is a list',
        '3:76: "a b" cannot be a tag: letters, digits and _.+*/:@- only, 128 at most',
        '5:25: state must be one of up, down, offline, and is the text "on"',
        '5:36: disks must be a list, and is an object',
        '5:54: each of nics must be an object, and is the text "x"',
        '5:66: memory must be a size, which is MiB, or a number with a unit (512m, 4g, 1t), and is -1',
        '6:3: pnode is missing',
        '6:6: b must be an object, and is the text "up"',
        '7:5: os must be an object, and is 3',
        '8:11: each of filters must be an object, and is the text "x"',
      ],
    },
    {
      title: 'a number in quotes',
      text: 'cluster: {name: c}\nnodes: {n1: {cpus: "8", disk: "5t", sockets: !!str 2}}',
      errors: [
        '2:20: cpus must be a whole number, and is the text "8"',
        '2:52: sockets must be a whole number, and is the text "2"',
      ],
    },
    {
      title: 'references to what is not there',
      text: `cluster: {name: c, master: n9}
groups: {default: {networks: {net9: {}}}, other: {}}
nodes: {n1: {group: g9}, n2: {}}
instances:
  a: {pnode: n8, snode: n7, disks: [1], nics: [{network: net8}]}`,
      errors: [
        '1:28: no such node: "n9"',
        '2:31: no such network: "net9"',
        '3:21: no such group: "g9"',
        '5:14: no such node: "n8"',
        '5:25: no such node: "n7"',
        '5:58: no such network: "net8"',
      ],
    },
    {
      title: 'what can be there but once',
      text: `cluster: {name: c, master_ip: 192.0.2.1}
nodes:
  n1: {primary_ip: 192.0.2.1, uuid: u}
  n2: {primary_ip: 192.0.2.2, secondary_ip: 192.0.2.3, uuid: u}
  n3: {primary_ip: 192.0.2.3}
  n3: {}
groups: {default: {networks: {net: {}}}}
networks: {net: {network: 198.51.100.0/24}}
instances:
  a: {pnode: n1, network_port: 11000, nics: [{mac: "aa:00:00:00:00:01", network: net, ip: 198.51.100.5}]}
  b: {pnode: n1, network_port: 11000, nics: [{mac: "AA:00:00:00:00:01", network: net, ip: 198.51.100.5}]}
os: [x, x]`,
      errors: [
        '1:31: address 192.0.2.1 is that of n1 already',
        '4:62: uuid u is that of node n1 already',
        '5:20: address 192.0.2.3 is that of n2 already',
        '6:3: "n3" is there already',
        '11:32: port 11000 is that of a already',
        '11:52: mac aa:00:00:00:00:01 is that of a already',
        '11:91: address 198.51.100.5 of net is that of a already',
        '12:9: os x is there twice',
      ],
    },
    {
      title: 'what is no address',
      text: `cluster: {name: c, master_ip: 300.0.0.1, mac_prefix: "aa:00"}
nodes: {n1: {primary_ip: node1}}
groups: {default: {networks: {net: {}, bad: {}}}}
networks:
  net: {network: 198.51.100.0/24, gateway: 198.51.101.1, network6: "2001:db8::/64", gateway6: "2001:db9::1", reserved: [198.51.100.7, all]}
  bad: {network: 198.51.100.1/24, gateway: 198.51.100.1, network6: x, mac_prefix: zz}
  odd: {network: 198.51.102.0/24, gateway6: "2001:db8::1"}
  none: {}
instances:
  a: {pnode: n1, nics: [{mac: xx}, {ip: 1.2.3}, {network: net, ip: 198.51.101.5}, {network: net, ip: "2001:db9::5"}, {mode: routed}]}`,
      errors: [
        '1:31: "300.0.0.1" is not an address',
        '1:54: "aa:00" is not like aa:00:00',
        '2:26: "node1" is not an address',
        '5:44: "198.51.101.1" is not an address of the network',
        '5:95: "2001:db9::1" is not an address of network6',
        '5:135: "all" is not an address of the network, nor two with a - between',
        '6:18: "198.51.100.1/24" is not a network like 192.0.2.0/24, from /16 to /30',
        '6:68: "x" is not a network like 2001:db8::/64',
        '6:83: "zz" is not like aa:00:00',
        '7:45: gateway6 needs network6',
        '8:3: network is missing',
        '10:31: "xx" is not like aa:00:00:12:34:56',
        '10:41: "1.2.3" is not an address',
        '10:68: 198.51.101.5 is not an address of net',
        '10:102: 2001:db9::5 is not an address of net',
        '10:118: ip is missing: a routed card needs one, or a network',
      ],
    },
    {
      title: 'instances that contradict themselves',
      text: `${SMALL}instances:
  a: {pnode: n1, snode: n1, disks: [1g]}
  b: {pnode: n1, disk_template: drbd, disks: [1g]}
  c: {pnode: n1, disk_template: plain, snode: n2, disks: [1g]}
  d: {pnode: n1, disk_template: diskless, disks: [1g]}
  e: {pnode: n1, disk_template: plain}
  f: {pnode: n1, memory: 1g, vcpus: 1, beparams: {minmem: 1g, vcpus: 2}}
  g: {pnode: n1, beparams: {minmem: 2g, maxmem: 1g}}
  h: {disks: [{}]}
  "i j": {pnode: n1, disk_template: ext, disks: [1g]}
  k: {pnode: n1, nics: [{bridge: a, link: b}], hypervisor: vmware, disk_template: zfs}
  l: {pnode: n1, snode: n2}`,
      errors: [
        '4:25: snode is the same node as pnode',
        '5:3: snode is missing: drbd needs a second node',
        '6:47: only drbd has a second node, and this is plain',
        '7:50: a diskless instance has no disks',
        '8:33: an instance with disk_template plain needs disks',
        '9:26: memory is in beparams too',
        '9:37: vcpus is in beparams too',
        '10:28: minmem (2048) is above maxmem (1024)',
        '11:3: pnode is missing',
        '11:15: size is missing',
        '12:3: "i j" cannot be the name of a host',
        '12:50: provider is missing',
        '13:34: bridge says mode and link already',
        '13:60: hypervisor must be one of chroot, fake, kvm, lxc, xen-hvm, xen-pvm, and is the text "vmware"',
        '13:83: disk_template must be one of blockdev, diskless, drbd, ext, file, gluster, plain, rbd, sharedfile, and is the text "zfs"',
        '14:25: an instance with disk_template drbd needs disks',
      ],
    },
    {
      title: 'clusters and nodes that contradict themselves',
      text: `cluster: {name: c, master: n1, hypervisor: kvm, enabled_hypervisors: [fake, xen], enabled_disk_templates: [plain], beparams: {minmem: 1g}, ipolicy: {minmax: [{min: {cpu-count: 99}}]}}
groups: {a: {}, b: {alloc_policy: never}}
networks: {net: {network: 198.51.100.0/24}}
nodes:
  n1: {offline: true, drained: true, group: a}
  n2: {offline: true, master_candidate: true, group: a, vm_capable: false}
  n3:
instances:
  a: {pnode: n2, hypervisor: kvm, disk_template: file, disks: [1], nics: [{network: net}, {network: net, link: x}]}`,
      errors: [
        '1:28: n1 is offline, drained or not master_capable',
        '1:44: kvm is not one of enabled_hypervisors',
        '1:77: "xen" is not one of chroot, fake, kvm, lxc, xen-hvm, xen-pvm',
        '1:126: minmem (1024) is above maxmem (128)',
        '1:165: cpu-count: the least (99) is above the most (8)',
        '2:35: alloc_policy must be one of preferred, last_resort, unallocable, and is the text "never"',
        '5:32: a node is offline or drained, not both',
        '6:41: a node that is offline, drained or not master_capable is no candidate',
        '7:3: group is missing, and there is none called default',
        '9:14: n2 is not vm_capable',
        "9:30: kvm is not one of the cluster's enabled_hypervisors",
        "9:50: file is not one of the cluster's enabled_disk_templates",
        '9:85: group a, where n2 is, has no connection to net',
        '9:101: group a, where n2 is, has no connection to net',
      ],
    },
    {
      title: 'no node that could be the master',
      text: 'cluster: {name: c}\nnodes: {n1: {offline: true}}',
      errors: ['2:1: none of the nodes can be the master'],
    },
    {
      title: 'more on a node than it can hold',
      text: `cluster: {name: c}
nodes:
  n1: {memory: 2g, node_memory: 512m, disk: 10g}
  n2: {disk: 9g}
instances:
  a: {pnode: n1, memory: 1g}
  b: {pnode: n1, memory: 1g}
  c: {pnode: n1, memory: 1g, state: down}
  d: {pnode: n1, snode: n2, disks: [9g], state: down}`,
      errors: [
        '3:16: what runs here takes 2560 MiB of memory, more than there is',
        '4:14: the volumes here take 9344 MiB of disk, more than there is',
      ],
    },
    {
      title: 'filters that Ganeti would not take',
      text: `${SMALL}filters: [{action: DENY}, {predicates: [[job, x], y], action: [RATE_LIMIT]}]`,
      errors: [
        '3:20: action must be one of ACCEPT, CONTINUE, PAUSE, REJECT, or [RATE_LIMIT, number of jobs]',
        '3:41: a predicate is a list that begins with jobid, opcode, reason',
        '3:51: a predicate is a list that begins with jobid, opcode, reason',
        '3:63: action must be one of ACCEPT, CONTINUE, PAUSE, REJECT, or [RATE_LIMIT, number of jobs]',
      ],
    },
  ]
  for (const { title, text, errors } of cases) {
    const expected = errors.map((error) => `cluster.yaml: ${error}`)
    try {
      read(text)
      t.fail(`${title}: must not be read`)
    } catch (error) {
      t.ok(error instanceof Failure, title)
      t.strictSame((error as Error).message.split('\n'), expected, title)
    }
  }
})

t.test('more memory at the most than there is may be promised', async (t) => {
  const text =
    'cluster: {name: c}\nnodes: {n1: {memory: 1g}}\ninstances: {a: {pnode: n1, beparams: {minmem: 1g, maxmem: 4g}}}'
  const [live] = read(text).live.values()
  t.equal(live?.mfree, 0)
})

t.test('a cluster is like the version of Ganeti that it names, or else like the newest one', async (t) => {
  const versionOf = (said: string) => read(`cluster: {name: c${said}}\nnodes: {n1: }`).version
  t.strictSame(versionOf(''), NEWEST)
  t.strictSame(versionOf(', software_version: 3.0'), { text: '3.0.2', number: 3000000 })
  t.strictSame(versionOf(', software_version: 3.1.0~rc2'), { text: '3.1.0~rc2', number: 3010000 })
  t.strictSame(versionOf(', software_version: "2.16"'), { text: '2.16.0', number: 2160000 })
  t.equal(
    read('cluster: {name: c, software_version: 3.0}\nnodes: {n1: }').cluster.hvparams.kvm?.vhost_net,
    false,
  )
  for (const wrong of ['3', '2.5', '3.3', '9.9.9', 'three', '"3.1.x"', 'yes'])
    t.throws(() => versionOf(`, software_version: ${wrong}`), { code: 'configuration' }, wrong)
})
