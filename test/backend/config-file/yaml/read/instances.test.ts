import t from 'tap'
import { readYaml } from '../../../../../lib/backend/config-file/yaml/read/read-yaml.ts'
import type { ConfigObjects } from '../../../../../lib/model/config.ts'
import { find, read, SMALL, sample } from '../../../../support/yaml-clusters.ts'

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
