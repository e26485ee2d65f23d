import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfigData } from '../../../../lib/backend/config-file/config-data/read-config-data.ts'
import { Failure } from '../../../../lib/failure.ts'
import type { ConfigObjects } from '../../../../lib/model/config.ts'
import { HV_DEFAULTS, hvDefaults } from '../../../../lib/model/defaults.ts'
import type { Disk } from '../../../../lib/model/instance.ts'
import { versionOfConfig } from '../../../../lib/model/version.ts'
import { generateConfig } from '../../../support/generate-config.ts'

const fixtures = new URL('../../../../../test/fixtures/', import.meta.url)

function readEra(version: string): ConfigObjects {
  return readConfigData(readFileSync(new URL(`config-data/${version}.json`, fixtures), 'utf8'), version)
}

const newest = readEra('3.1')

const [DEFAULT, OTHER] = ['aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002']
const [ALPHA, BETA] = ['bbbbbbbb-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000002']
const GAMMA = 'bbbbbbbb-0000-4000-8000-000000000003'
const LAN = 'cccccccc-0000-4000-8000-000000000001'
const child = (kind: string, number: number) =>
  `${kind.repeat(8)}-0000-4000-8000-${String(number).padStart(12, '0')}`

t.test('today’s form is read as it is', async (t) => {
  const volume = (number: number, name: string, size: number) => ({
    uuid: child('f', number),
    name: null,
    dev_type: 'plain',
    size,
    mode: 'rw',
    spindles: null,
    iv_name: null,
    logical_id: ['vg0', name],
    params: {},
    nodes: [ALPHA, BETA],
    children: [],
    ctime: 1500000010.5,
    mtime: 1500000010.5,
    serial_no: 1,
  })
  const [web, away, files, bare] = newest.instances
  t.strictSame(web, {
    uuid: child('d', 0),
    name: 'web.example.com',
    primary_node: ALPHA,
    secondary_nodes: [BETA],
    os: 'debian',
    hypervisor: 'xen-pvm',
    hvparams: {},
    beparams: { minmem: 1024, maxmem: 1024, vcpus: 4 },
    osparams: { mirror: 'http://mirror.example.com' },
    osparams_private: [],
    admin_state: 'up',
    admin_state_source: 'admin',
    disk_template: 'drbd',
    disks: [
      {
        uuid: child('e', 0),
        name: 'root',
        dev_type: 'drbd',
        size: 2048,
        mode: 'rw',
        spindles: null,
        iv_name: 'disk/0',
        logical_id: [ALPHA, BETA, 11001, 0, 1, '5ec7e7'],
        params: {},
        nodes: [ALPHA, BETA],
        children: [volume(0, 'x.disk0_data', 2048), volume(1, 'x.disk0_meta', 128)],
        ctime: 1500000010.5,
        mtime: 1500000010.5,
        serial_no: 1,
      },
      {
        uuid: child('e', 1),
        name: null,
        dev_type: 'drbd',
        size: 1024,
        mode: 'ro',
        spindles: null,
        iv_name: 'disk/1',
        logical_id: [ALPHA, BETA, 11002, 1, 2, '5ec7e8'],
        params: {},
        nodes: [ALPHA, BETA],
        children: [volume(2, 'x.disk1_data', 1024), volume(3, 'x.disk1_meta', 128)],
        ctime: 1500000010.5,
        mtime: 1500000010.5,
        serial_no: 1,
      },
    ],
    disks_active: true,
    nics: [
      {
        uuid: child('f', 4),
        name: 'front',
        mac: 'aa:bb:cc:00:00:01',
        ip: '203.0.113.3',
        network: LAN,
        nicparams: { mode: 'bridged', link: 'br8' },
      },
      {
        uuid: child('f', 5),
        name: null,
        mac: 'aa:00:00:00:00:02',
        ip: null,
        network: null,
        nicparams: { link: 'br9' },
      },
    ],
    network_port: null,
    forthcoming: false,
    ctime: 1500000010.5,
    mtime: 1500000011.5,
    serial_no: 1,
    tags: ['web'],
  })
  t.match(away, {
    primary_node: GAMMA,
    secondary_nodes: [],
    hypervisor: 'kvm',
    hvparams: { boot_order: 'network' },
    admin_state: 'down',
    disk_template: 'plain',
    disks_active: false,
    network_port: 11000,
  })
  t.match(files, { admin_state: 'offline', disk_template: 'sharedfile', disks: [{ nodes: [] }] })
  t.match(bare, { disk_template: 'diskless', disks: [], nics: [] })
  t.equal(newest.instances.length, 4, 'an instance that is planned and has no name is left out')

  t.strictSame(newest.nodes[2], {
    uuid: GAMMA,
    name: 'gamma.example.com',
    primary_ip: '192.0.2.3',
    secondary_ip: '198.51.100.3',
    group: OTHER,
    master_candidate: false,
    master_capable: true,
    vm_capable: true,
    drained: false,
    offline: true,
    powered: true,
    ndparams: { spindle_count: 8 },
    ctime: 1500000001.5,
    mtime: 1500000002.5,
    serial_no: 3,
    tags: [],
  })
  t.strictSame(newest.groups[0], {
    uuid: DEFAULT,
    name: 'default',
    alloc_policy: 'preferred',
    ndparams: {},
    ipolicy: {},
    diskparams: {},
    networks: { [LAN]: { mode: 'bridged', link: 'br8', vlan: '' } },
    ctime: 0,
    mtime: 1500000003.5,
    serial_no: 3,
    tags: [],
  })
  t.match(newest.groups[1], {
    alloc_policy: 'last_resort',
    ipolicy: { minmax: [{ min: { 'cpu-count': 2 } }], 'disk-templates': ['plain'], 'vcpu-ratio': 3.5 },
    diskparams: { plain: { stripes: 4 } },
  })
  t.strictSame(newest.filters, [
    {
      uuid: child('8', 1),
      watermark: 7,
      priority: 5,
      predicates: [['jobid', ['>', 'id', 'watermark']]],
      action: 'PAUSE',
      reason_trail: [['gnt:user', 'upkeep', 1500000012000000000n]],
    },
  ])
  t.match(newest.networks[0], { uuid: LAN, gateway: '203.0.113.1', gateway6: null, reservations: '00010000' })
  t.equal(newest.oses, undefined, 'nobody can be asked for OSes')
  t.equal(newest.live.size, 0, 'nothing is known of what runs')
  t.match(newest, { version: { text: '3.1.0', number: 3010000 }, serial_no: 99, mtime: 1600000001.5 })
})

t.test('the cluster’s gaps are filled with Ganeti’s defaults', async (t) => {
  const { cluster } = newest
  t.match(cluster, {
    cluster_name: 'eras.example.com',
    master_node: ALPHA,
    master_netmask: 24,
    primary_ip_version: 4,
    enabled_hypervisors: ['xen-pvm', 'kvm'],
    enabled_disk_templates: ['diskless', 'drbd', 'file', 'plain', 'sharedfile'],
    beparams: { minmem: 256, maxmem: 512, vcpus: 2 },
    os_hvp: { debian: { 'xen-pvm': { kernel_args: 'quiet' } } },
    uid_pool: [[1000, 1010]],
    tags: ['eras'],
    ssh_key_type: 'rsa',
    ssh_key_bits: 2048,
  })
  t.strictSame(cluster.hvparams['xen-pvm'], {
    ...hvDefaults(newest.version)['xen-pvm'],
    kernel_path: '/boot/vmlinuz-eras',
    root_path: null,
  })
  t.strictSame(Object.keys(cluster.hvparams).sort(), Object.keys(HV_DEFAULTS).sort())
  t.strictSame(cluster.hvparams.fake, HV_DEFAULTS.fake)
  t.match(cluster.diskparams, {
    drbd: { 'resync-rate': 2048, protocol: 'C' },
    plain: { stripes: 2 },
    gluster: { port: 24007 },
    file: {},
  })
})

t.test('what a hypervisor is told by default is as in the version of the file', async (t) => {
  const discards = (version: string) => readEra(version).cluster.hvparams.kvm?.disk_discard
  t.equal(discards('3.1'), 'ignore')
  t.equal(discards('2.16'), 'default')
})

t.test('the same cluster reads the same from every version of the file', async (t) => {
  /** Where an older version says less, or what it lacks must be made up. */
  const cases: { version: string; number: number; lacks: (newest: ConfigObjects) => ConfigObjects }[] = [
    { version: '2.16', number: 2160000, lacks: withOldKeys },
    { version: '2.12', number: 2120000, lacks: withoutFilters },
    { version: '2.10', number: 2100000, lacks: withoutFilters },
    {
      version: '2.8',
      number: 2080000,
      lacks: (objects) => withTemplatesInUse(withoutIds(withoutFilters(objects))),
    },
    {
      version: '2.6',
      number: 2060000,
      lacks: (objects) =>
        withoutNetworks(withTemplatesInUse(withoutIds(withoutFilters(objects))), { master_netmask: 32 }),
    },
  ]
  for (const { version, number, lacks } of cases) {
    const read = readEra(version)
    const before31 = { ...newest, cluster: { ...newest.cluster, hvparams: read.cluster.hvparams } }
    const expected = { ...lacks(before31), version: versionOfConfig(number) }
    t.strictSame(number < 2100000 ? withoutIds(read) : read, expected, version)
  }
})

function withOldKeys(objects: ConfigObjects): ConfigObjects {
  return { ...objects, cluster: { ...objects.cluster, ssh_key_type: 'dsa', ssh_key_bits: 1024 } }
}

function withoutFilters(objects: ConfigObjects): ConfigObjects {
  return { ...withOldKeys(objects), filters: [] }
}

/** Less the ids of disks and network cards, which 2.8 did not have yet. */
function withoutIds(objects: ConfigObjects): ConfigObjects {
  const disk = (one: Disk): Disk => ({ ...one, uuid: '', children: one.children.map(disk) })
  return {
    ...objects,
    instances: objects.instances.map((instance) => ({
      ...instance,
      disks: instance.disks.map(disk),
      nics: instance.nics.map((nic) => ({ ...nic, uuid: '' })),
    })),
  }
}

function withTemplatesInUse(objects: ConfigObjects): ConfigObjects {
  const templates = ['diskless', 'drbd', 'plain', 'sharedfile']
  return { ...objects, cluster: { ...objects.cluster, enabled_disk_templates: templates } }
}

function withoutNetworks(objects: ConfigObjects, cluster: Partial<ConfigObjects['cluster']>): ConfigObjects {
  return {
    ...objects,
    cluster: { ...objects.cluster, ...cluster },
    networks: [],
    groups: objects.groups.map((group) => ({ ...group, networks: {} })),
    instances: objects.instances.map((instance) => ({
      ...instance,
      disks: instance.disks.map((disk) => ({ ...disk, name: null })),
      nics: instance.nics.map((nic) => ({
        ...nic,
        name: null,
        network: null,
        nicparams: nic.nicparams.link === 'br9' ? { mode: 'bridged', link: 'br9' } : nic.nicparams,
      })),
    })),
  }
}

t.test('ids that an old file lacks are the same each time, and no two alike', async (t) => {
  const idsOf = ({ instances }: ConfigObjects) =>
    instances.flatMap(({ disks, nics }) => [
      ...nics.map((nic) => nic.uuid),
      ...disks.flatMap((disk) => [disk.uuid, ...disk.children.map((child) => child.uuid)]),
    ])
  const ids = idsOf(readEra('2.6'))
  t.strictSame(ids, idsOf(readEra('2.6')))
  t.equal(ids.length, 10)
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, /^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

t.test('a real cluster’s file is read whole', async (t) => {
  const text = readFileSync(new URL('real-cluster/config.data', fixtures), 'utf8')
  const objects = readConfigData(text, 'config.data')
  const raw = JSON.parse(text)
  t.equal(objects.instances.length, Object.keys(raw.instances).length)
  t.strictSame(objects.cluster.hvparams.kvm, raw.cluster.hvparams.kvm)
  t.strictSame(objects.cluster.ipolicy, raw.cluster.ipolicy)
  t.strictSame(objects.cluster.diskparams, raw.cluster.diskparams)
  t.strictSame(objects.cluster.ndparams, raw.cluster.ndparams)
  t.strictSame(
    objects.instances
      .map(({ name, disk_template }) => [name, disk_template])
      .filter(([, one]) => one !== 'diskless'),
    [
      ['inst11.example.com', 'drbd'],
      ['inst2.example.com', 'file'],
      ['inst4.example.com', 'sharedfile'],
      ['inst3.example.com', 'file'],
    ],
  )
})

t.test('a generated cluster is read without complaint, and is always the same', async (t) => {
  const text = JSON.stringify(generateConfig({ instances: 200, nodes: 60 }))
  t.equal(text, JSON.stringify(generateConfig({ instances: 200, nodes: 60 })))
  const objects = readConfigData(text, 'config.data')
  t.equal(objects.instances.length, 200)
  t.equal(objects.nodes.length, 60)
  t.strictSame(
    new Set(objects.instances.map((one) => one.disk_template)),
    new Set(['drbd', 'plain', 'file', 'rbd', 'diskless']),
  )
})

/** The least that can be read. */
function minimal(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 3000000,
    cluster: { cluster_name: 'c', master_node: 'n1' },
    nodegroups: { g1: { uuid: 'g1', name: 'default' } },
    nodes: { n1: { uuid: 'n1', name: 'node1', group: 'g1', primary_ip: '192.0.2.1' } },
    instances: {},
    ...changes,
  }
}

const instance = (changes: Record<string, unknown> = {}) => ({
  uuid: 'i1',
  name: 'inst1',
  primary_node: 'n1',
  hypervisor: 'kvm',
  disks: [],
  nics: [],
  ...changes,
})

const readMinimal = (changes: Record<string, unknown>) =>
  readConfigData(JSON.stringify(minimal(changes)), 'config.data')

t.test('what a file lacks is filled as Ganeti’s upgrade fills it', async (t) => {
  const objects = readMinimal({ instances: { i1: instance({ admin_state: 'up' }) } })
  t.match(objects.cluster, {
    candidate_pool_size: 10,
    compression_tools: ['gzip', 'gzip-fast', 'gzip-slow'],
    enabled_disk_templates: ['diskless'],
    drbd_usermode_helper: null,
    volume_group_name: null,
    enabled_data_collectors: { lv: true },
    data_collector_interval: { diskstats: 5000000 },
    master_netmask: 32,
    max_running_jobs: 20,
    max_tracked_jobs: 25,
    modify_etc_hosts: true,
    modify_ssh_setup: true,
    nicparams: { mode: 'bridged', link: 'xen-br0', vlan: '' },
    ipolicy: { 'vcpu-ratio': 4 },
  })
  t.match(objects.instances[0], {
    disks_active: true,
    admin_state_source: 'admin',
    forthcoming: false,
    tags: [],
  })
  t.match(objects.nodes[0], {
    master_capable: true,
    vm_capable: true,
    powered: true,
    secondary_ip: '192.0.2.1',
  })
  t.match(objects.groups[0], { alloc_policy: 'preferred', ctime: 0, serial_no: 1, networks: {}, ipolicy: {} })
  t.match(readMinimal({ cluster: { cluster_name: 'c', master_node: 'n1', primary_ip_family: 10 } }).cluster, {
    primary_ip_version: 6,
    master_netmask: 128,
  })
  t.match(
    readMinimal({ cluster: { cluster_name: 'c', master_node: 'n1', volume_group_name: 'vg' } }).cluster,
    {
      enabled_disk_templates: ['drbd', 'plain'],
      drbd_usermode_helper: '/bin/true',
    },
  )
})

t.test('disks of several types make the template mixed', async (t) => {
  const disk = (dev_type: string) => ({ dev_type, size: 1, logical_id: ['a', 'b'] })
  const objects = readMinimal({ instances: { i1: instance({ disks: [disk('plain'), disk('rbd')] }) } })
  t.equal(objects.instances[0]?.disk_template, 'mixed')
  t.strictSame(
    objects.instances[0]?.disks.map((one) => one.nodes),
    [['n1'], []],
  )
})

t.test('of private parameters only the names are kept', async (t) => {
  const objects = readMinimal({ instances: { i1: instance({ osparams_private: { password: 'hunter2' } }) } })
  t.strictSame(objects.instances[0]?.osparams_private, ['password'])
  t.notMatch(JSON.stringify(objects), /hunter2/)
})

t.test('parameters that only the cluster has are not an instance’s', async (t) => {
  const hvparams = { migration_port: 1, xen_cmd: 'xl', boot_order: 'cd' }
  const objects = readMinimal({ instances: { i1: instance({ hvparams }) } })
  t.strictSame(objects.instances[0]?.hvparams, { boot_order: 'cd' })
})

t.test('an instance that is planned may lack almost everything but its name', async (t) => {
  const objects = readMinimal({ instances: { i1: { uuid: 'i1', name: 'soon', forthcoming: true } } })
  t.match(objects.instances[0], {
    name: 'soon',
    forthcoming: true,
    primary_node: '',
    hypervisor: '',
    disks: [],
  })
})

t.test('everything wrong is listed, each with its path', async (t) => {
  const cases: { title: string; changes: Record<string, unknown>; errors: string[] }[] = [
    {
      title: 'references to what is not there',
      changes: {
        cluster: { cluster_name: 'c', master_node: 'n9' },
        nodes: { n1: { uuid: 'n1', name: 'node1', group: 'g9' } },
        nodegroups: { g1: { uuid: 'g1', name: 'default', networks: { net9: {} } } },
        instances: {
          i1: instance({
            primary_node: 'n8',
            nics: [{ mac: 'aa:00:00:00:00:01', network: 'net8' }],
            disks: ['d9', { dev_type: 'drbd8', size: 1, logical_id: ['n1', 'n7', 1, 0, 0, 'x'] }],
          }),
        },
      },
      errors: [
        'nodegroups/g1/networks/net9: no such network: "net9"',
        'nodes/n1/group: no such node group: "g9"',
        'instances/i1/primary_node: no such node: "n8"',
        'instances/i1/disks/0: no such disk: "d9"',
        'instances/i1/disks/1/logical_id/1: no such node: "n7"',
        'instances/i1/nics/0/network: no such network: "net8"',
        'cluster/master_node: no such node: "n9"',
      ],
    },
    {
      title: 'values of a wrong type',
      changes: {
        cluster: {
          cluster_name: 5,
          master_node: 'n1',
          candidate_pool_size: -1,
          tags: ['a', 7],
          beparams: { default: { maxmem: '1g' } },
          hvparams: { kvm: { acpi: [] } },
          ipolicy: { 'vcpu-ratio': 'x', std: [] },
        },
        instances: {
          i1: instance({
            admin_state: 'sideways',
            disks: 'none',
            nics: [3],
            network_port: 1.5,
            disks_active: 1,
            beparams: [],
            mtime: 'now',
          }),
        },
      },
      errors: [
        'cluster/hvparams/kvm/acpi: acpi must be a single value, and is a list',
        'cluster/beparams/default/maxmem: maxmem must be a whole number, and is the text "1g"',
        'cluster/ipolicy/std: std must be an object, and is a list',
        'cluster/ipolicy/vcpu-ratio: vcpu-ratio must be a number, and is the text "x"',
        'cluster/candidate_pool_size: candidate_pool_size must be a whole number, and is -1',
        'instances/i1/mtime: mtime must be a number, and is the text "now"',
        'instances/i1/admin_state: admin_state must be one of up, down, offline, and is the text "sideways"',
        'instances/i1/disks: disks must be a list, and is the text "none"',
        'instances/i1/beparams: beparams must be an object, and is a list',
        'instances/i1/disks_active: disks_active must be true or false, and is 1',
        'instances/i1/nics/0: each of nics must be an object, and is 3',
        'instances/i1/network_port: network_port must be a whole number, and is 1.5',
        'cluster/cluster_name: cluster_name must be text, and is 5',
        'cluster/tags/1: each of tags must be text, and is 7',
      ],
    },
    {
      title: 'what is missing, and what is there twice',
      changes: {
        cluster: {},
        nodes: { n1: { uuid: 'n1', name: 'node1', group: 'g1' }, n2: { uuid: 'n1', name: 'node1' } },
        instances: { i1: { uuid: 'i1' }, i2: 'inst2' },
      },
      errors: [
        'nodes/n2: group is missing',
        'nodes/n2/uuid: another of the nodes has the same uuid',
        'nodes/n2/name: another of the nodes is named "node1"',
        'instances/i1: name is missing',
        'instances/i1: primary_node is missing',
        'instances/i1: hypervisor is missing',
        'instances/i2: i2 must be an object, and is the text "inst2"',
        'instances/i2: name is missing',
        'instances/i2: primary_node is missing',
        'instances/i2: hypervisor is missing',
        'instances/i2/name: another of the instances is named ""',
        'cluster: cluster_name is missing',
        'cluster: master_node is missing',
      ],
    },
  ]
  for (const { title, changes, errors } of cases) {
    const expected = errors.map((error) => `config.data: ${error}`).join('\n')
    t.throws(() => readMinimal(changes), new Failure('configuration', expected), title)
  }
})

t.test('a file of which everything is wrong is not listed endlessly', async (t) => {
  const instances = Object.fromEntries(
    Array.from({ length: 60 }, (_, number) => [
      `i${number}`,
      instance({ uuid: `i${number}`, name: `inst${number}`, os: 1 }),
    ]),
  )
  try {
    readMinimal({ instances })
    t.fail('must not be read')
  } catch (error) {
    const lines = (error as Error).message.split('\n')
    t.equal(lines.length, 51)
    t.equal(lines[0], 'config.data: instances/i0/os: os must be text, and is 1')
    t.equal(lines.at(-1), 'config.data: and 10 more problems')
  }
})

t.test('a file that is none is refused in one line, which quotes nothing of it', async (t) => {
  const cases: [text: string, message: string][] = [
    ['{"version": 2050000}', 'version: 2.5 cannot be read, only 2.6 to 3.x'],
    ['{"version": 4000000}', 'version: 4.0 cannot be read, only 2.6 to 3.x'],
    ['{"name": "x"}', 'version: not a config.data of Ganeti, which has a version'],
    ['{"version": "3.0"}', 'version: not a config.data of Ganeti, which has a version'],
    ['[]', 'not a JSON object'],
    ['{"version": 3000000, "cluster": {', 'not valid JSON: it ends too early'],
    ['{\n "secret": "s3cret",\n "a" 1}', 'not valid JSON at line 3, column 6'],
    ['{\n "secret": "s3cret",\n  "secret2": xs3cret}', 'not valid JSON at line 3, column 14'],
    ['{"a":\n x}', 'not valid JSON at line 2, column 2'],
    ['{"a": [1795324427691937001],\n x}', 'not valid JSON at line 2, column 2'],
  ]
  for (const [text, message] of cases) {
    t.throws(
      () => readConfigData(text, 'config.data'),
      new Failure('configuration', `config.data: ${message}`),
      text,
    )
  }
})

t.test('a later version of Ganeti 3 is read, with keys that we do not know', async (t) => {
  const objects = readMinimal({
    version: 3990000,
    surprise: [],
    nodes: { n1: { uuid: 'n1', name: 'n', group: 'g1', mood: 'good' } },
  })
  t.strictSame(objects.version, { text: '3.99.0', number: 3990000 })
})

t.test('what Ganeti 3.2 brings can be read', async (t) => {
  const { cluster, version } = readMinimal({
    version: 3020000,
    cluster: {
      cluster_name: 'c',
      master_node: 'n1',
      nicparams: { default: { mode: 'ext', link: 'x' } },
      diskparams: { rbd: { 'user-id': 'ganeti' } },
      hvparams: { kvm: { virtio_net_queues: 32, scsi_controller_type: 'dc390' } },
    },
  })
  t.equal(version.number, 3020000)
  t.match(cluster, {
    nicparams: { mode: 'ext' },
    diskparams: { rbd: { 'user-id': 'ganeti', pool: 'rbd' } },
    hvparams: { kvm: { virtio_net_queues: 32, scsi_controller_type: 'dc390' } },
  })
})
