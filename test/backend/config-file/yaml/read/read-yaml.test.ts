import { readFileSync } from 'node:fs'
import t from 'tap'
import { read, SMALL, sample } from '../../../../support/yaml-clusters.ts'

t.test('the sample reads without complaint', async (t) => {
  const objects = read(sample)
  t.equal(objects.instances.length, 8)
  t.equal(objects.nodes.length, 5)
  t.strictSame(
    objects.groups.map((group) => group.name),
    ['default', 'branch'],
  )
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
