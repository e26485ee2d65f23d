/** Creating instances, one or several, on named nodes or on chosen ones. */
import t from 'tap'
import type { Json, JsonObject } from '../../../../lib/json/json.ts'
import { opcode } from '../../../support/live-cluster.ts'
import {
  type Case,
  freeMemory,
  nodeUuid,
  operationsCluster,
  testCases,
} from '../../../support/operation-cases.ts'

const wanted = {
  instance_name: 'new.example.com',
  os_type: 'debian+bookworm',
  disk_template: 'plain',
  disks: [{ size: 1024 }],
  nics: [{}],
  pnode: 'node1.example.com',
}

/** A refusal of `wanted` with some of it otherwise. */
function refusal(title: string, otherwise: JsonObject, ...refused: Required<Case>['refused']): Case {
  return { title, run: 'CREATE', with: { ...wanted, ...otherwise }, refused }
}

t.test('create', async (t) => {
  testCases(t, [
    {
      title: 'makes an instance, starts it, and names its node',
      run: 'CREATE',
      with: { ...wanted, tags: ['b', 'a', 'b'] },
      result: ['node1.example.com'],
      tells: [
        '* disk 0, size 1.0G',
        '* creating instance disks...',
        'adding instance new.example.com to cluster config',
        'adding disks to cluster config',
        ' - INFO: Waiting for instance new.example.com to sync disks',
        " - INFO: Instance new.example.com's disks are in sync",
        '* running the instance OS create scripts...',
        '* starting instance...',
      ],
      becomes: {
        new: {
          admin_state: 'up',
          disks_active: true,
          hypervisor: 'kvm',
          network_port: 11000,
          tags: ['b', 'a'],
          disks: [{ dev_type: 'plain', size: 1024, mode: 'rw', iv_name: 'disk/0' }],
          nics: [{ mac: /^aa:00:00:/, ip: null, network: null }],
        },
      },
    },
    {
      title: 'without a start leaves it down',
      run: 'CREATE',
      with: { ...wanted, start: false },
      becomes: { new: { admin_state: 'down', disks_active: false, serial_no: 1 } },
    },
    {
      title: 'without an installation does not start it either',
      run: 'CREATE',
      with: { ...wanted, no_install: true },
      tells: [' - INFO: No-installation mode selected, disabling startup'],
      becomes: { new: { admin_state: 'down' } },
    },
    {
      title: 'when dry names the nodes by UUID and makes nothing',
      run: 'CREATE',
      with: { ...wanted, dry_run: true },
      result: [nodeUuid(operationsCluster(), 'node1')],
      unchanged: true,
    },
    {
      title: 'mirrors disks on two nodes, with ports and minors of their own',
      run: 'CREATE',
      with: {
        ...wanted,
        disk_template: 'drbd',
        snode: 'node2.example.com',
        disks: [{ size: '2g', name: 'root' }],
      },
      result: ['node1.example.com', 'node2.example.com'],
      becomes: {
        new: ({ disks: [disk], secondary_nodes }, cluster) => {
          const taken = cluster.config.instances.byName.get('mirror.example.com')?.disks ?? []
          const ports = taken.map(({ logical_id }) => logical_id[2])
          return (
            secondary_nodes[0] === nodeUuid(cluster, 'node2') &&
            disk?.size === 2048 &&
            disk.logical_id[3] === 2 &&
            disk.logical_id[4] === 2 &&
            !ports.includes(disk.logical_id[2]) &&
            disk.children.length === 2
          )
        },
      },
    },
    {
      title: 'gives an address of the pool, past the ones set aside, and the prefix of the network',
      run: 'CREATE',
      with: {
        ...wanted,
        nics: [
          { network: 'front', ip: 'pool' },
          { network: 'front', ip: 'pool' },
        ],
      },
      tells: [
        " - INFO: NIC/0 inherits netparams ['br0', 'bridged', '']",
        ' - INFO: Chose IP 192.0.2.4 from network front',
        ' - INFO: Chose IP 192.0.2.5 from network front',
      ],
      becomes: {
        new: (instance, cluster) =>
          instance.nics.every(({ mac }) => mac.startsWith('aa:bb:cc:')) &&
          cluster.config.networks.byName.get('front')?.reservations === '00101100',
      },
    },
    {
      title: 'makes files in a folder below the cluster’s',
      run: 'CREATE',
      with: { ...wanted, disk_template: 'file', file_storage_dir: 'fast', file_driver: 'blktap' },
      becomes: {
        new: {
          disks: [{ logical_id: ['blktap', /^\/srv\/files\/fast\/new\.example\.com\/.*\.file\.disk0$/] }],
        },
      },
    },
    {
      title: 'keeps what external storage is told',
      run: 'CREATE',
      with: { ...wanted, disk_template: 'ext', disks: [{ size: 1024, provider: 'shelf', colour: 'red' }] },
      becomes: { new: { disks: [{ params: { provider: 'shelf', colour: 'red' }, nodes: [] }] } },
    },
    {
      title: 'keeps only what differs from the defaults, if told to',
      run: 'CREATE',
      with: {
        ...wanted,
        identify_defaults: true,
        beparams: { memory: 512, vcpus: 2 },
        hvparams: { acpi: true, boot_order: 'network' },
      },
      becomes: {
        new: ({ beparams, hvparams }) =>
          JSON.stringify([beparams, hvparams]) === '[{"vcpus":2},{"boot_order":"network"}]',
      },
    },
    {
      title: 'ignores a second node that nobody needs',
      run: 'CREATE',
      with: { ...wanted, snode: 'node2.example.com' },
      tells: [' - WARNING: Secondary node will be ignored on non-mirrored disk template'],
      result: ['node1.example.com'],
    },
    {
      title: 'adopts a device that is said to be there',
      run: 'CREATE',
      with: { ...wanted, disk_template: 'blockdev', disks: [{ size: 1024, adopt: '/dev/disk/by-id/x' }] },
      becomes: { new: { disks: [{ logical_id: ['manual', '/dev/disk/by-id/x'] }] } },
    },
    {
      title: 'gives a port only where the hypervisor has one for the console',
      run: 'CREATE',
      with: { ...wanted, hypervisor: 'lxc' },
      becomes: { new: { network_port: null } },
    },
    {
      title: 'adds a NIC to talk to the node, if told to',
      run: 'CREATE',
      with: { ...wanted, instance_communication: true },
      // The cluster has no network for it.
      refused: ["Network '' not found", 'unknown_entity'],
    },
  ])
})

t.test('create refuses', async (t) => {
  testCases(t, [
    refusal(
      'a name that is there',
      { instance_name: 'Plain.example.com' },
      "Instance 'plain.example.com' is already in the cluster",
      'already_exists',
    ),
    refusal('what cannot be a name', { instance_name: 'a b' }, "Invalid hostname 'a b'", 'wrong_input'),
    refusal('neither OS nor image', { os_type: null }, 'No guest OS or OS image specified', 'wrong_input'),
    refusal(
      'an OS that the cluster forbids',
      { os_type: 'forbidden' },
      "Guest OS 'forbidden' is not allowed for installation",
      'wrong_state',
    ),
    refusal(
      'an OS that no node has',
      { os_type: 'nosuch' },
      /Directory for OS nosuch not found/,
      null,
      'OpExecError',
    ),
    refusal('an unknown node', { pnode: 'nowhere' }, "Node 'nowhere' not known", 'unknown_entity'),
    refusal(
      'node and allocator at once',
      { iallocator: 'hail' },
      'Do not specify both, iallocator and node',
      'wrong_input',
    ),
    refusal(
      'an offline node',
      { pnode: 'offline.example.com' },
      "Cannot use offline primary node 'offline.example.com'",
      'wrong_state',
    ),
    refusal(
      'a drained node',
      { pnode: 'drained.example.com' },
      "Cannot use drained primary node 'drained.example.com'",
      'wrong_state',
    ),
    refusal(
      'a node that is not for instances',
      { pnode: 'storage.example.com' },
      "Cannot use non-vm_capable primary node 'storage.example.com'",
      'wrong_state',
    ),
    refusal(
      'DRBD without a second node',
      { disk_template: 'drbd' },
      'The networked disk templates need a mirror node',
      'wrong_input',
    ),
    refusal(
      'DRBD on one node',
      { disk_template: 'drbd', snode: 'node1.example.com' },
      'The secondary node cannot be the primary node',
      'wrong_input',
    ),
    refusal(
      'DRBD with a drained second node',
      { disk_template: 'drbd', snode: 'drained.example.com' },
      "Can't use drained node drained.example.com",
      'wrong_state',
    ),
    refusal(
      'more disk than there is',
      { pnode: 'node3.example.com', disks: [{ size: 20_000 }, { size: 20_000 }] },
      // A file of 2 GiB and DRBD's 1 GiB with its notes are there.
      `Not enough disk space on target node node3.example.com vg xenvg: required 40000 MiB, available ${30 * 1024 - 2048 - 1024 - 128} MiB`,
      'insufficient_resources',
    ),
    refusal(
      'more memory than there is',
      { beparams: { memory: 5000 } },
      'Not enough memory on node node1.example.com for creating instance new.example.com: needed 5000 MiB, available 4096 MiB',
      'insufficient_resources',
    ),
    refusal(
      'what the policy of the group forbids',
      { beparams: { vcpus: 5 }, disks: [{ size: 100 }] },
      /^Instance allocation to group .* \(default\) violates policy: cpu-count value 5 is not in range \[1, 4\], disk-size\/0 value 100 is not in range \[512, 102400\]$/,
      'wrong_input',
    ),
    refusal(
      'a template that the policy forbids',
      { pnode: 'strict1.example.com', disk_template: 'rbd', beparams: { memory: 256 } },
      /violates policy: Disk template rbd is not allowed \(allowed templates: plain, sharedfile, diskless\)$/,
      'wrong_input',
    ),
    refusal(
      'a template that the cluster has not',
      { disk_template: 'gluster' },
      /^Disk template 'gluster' is not enabled in cluster\. Enabled disk templates are: drbd,plain,/,
    ),
    refusal(
      'a hypervisor that the cluster has not',
      { hypervisor: 'xen-pvm' },
      'Selected hypervisor (xen-pvm) not enabled in the cluster (kvm,xen-hvm,lxc)',
      'wrong_state',
    ),
    refusal(
      'parameters that are for the whole cluster',
      { hvparams: { migration_port: 1234 } },
      /^The following hypervisor parameters are global .*: migration_port$/,
      'wrong_input',
    ),
    refusal(
      'an unknown backend parameter',
      { beparams: { colour: 1 } },
      "Unknown parameter 'colour'",
      null,
      'TypeEnforcementError',
    ),
    refusal(
      'more memory at the least than at the most',
      { beparams: { minmem: 1024, maxmem: 512 } },
      'Minimum memory (1024 MiB) is above maximum memory (512 MiB)',
      'wrong_input',
    ),
    refusal('a tag that is none', { tags: ['bad tag'] }, 'Tag contains invalid characters', null, 'TagError'),
    refusal(
      'a tag that is too long',
      { tags: ['x'.repeat(129)] },
      'Tag too long (>128 characters)',
      null,
      'TagError',
    ),
    refusal('a disk without a size', { disks: [{}] }, 'Missing disk size', 'wrong_input'),
    refusal(
      'a size that is none',
      { disks: [{ size: 'big' }] },
      "'size' (value big) is not a valid size. error: Invalid format",
      null,
      'TypeEnforcementError',
    ),
    refusal(
      'a mode that is none',
      { disks: [{ size: 1024, mode: 'x' }] },
      "Invalid disk access mode 'x'",
      'wrong_input',
    ),
    refusal(
      'two disks of one name',
      {
        disks: [
          { size: 1024, name: 'a' },
          { size: 1024, name: 'a' },
        ],
      },
      "disk name 'a' already used",
      'resource_not_unique',
    ),
    refusal(
      'a name that is a number',
      { nics: [{ name: '1' }] },
      "Invalid name '1'. Purely numeric NIC names are not allowed",
      'wrong_input',
    ),
    refusal(
      'some disks adopted and some not',
      { disks: [{ size: 1024, adopt: 'a' }, { size: 1024 }] },
      'Either all disks are adopted or none is',
      'wrong_input',
    ),
    refusal(
      'block devices that are not adopted',
      { disk_template: 'blockdev' },
      "Disk template blockdev requires disk adoption, but no 'adopt' parameter given",
      'wrong_input',
    ),
    refusal(
      'spindles that nobody counts',
      { disks: [{ size: 1024, spindles: 2 }] },
      'Spindles in instance disks cannot be specified when exclusive storage is not active',
      'wrong_input',
    ),
    refusal(
      'external storage without a provider',
      { disk_template: 'ext' },
      "Missing provider for template 'ext'",
      'wrong_input',
    ),
    refusal(
      'access past the kernel where the hypervisor cannot',
      { disk_template: 'rbd', hypervisor: 'lxc', disks: [{ size: 1024, access: 'userspace' }] },
      'Selected hypervisor (lxc) cannot be used with userspace disk access param',
      'wrong_state',
    ),
    refusal(
      'a compression nobody has',
      { compress: 'lzop' },
      'Compression tool not allowed, tools allowed are [gzip]',
      'wrong_input',
    ),
    refusal(
      'an import of what was never exported',
      { mode: 'import' },
      'No export found for relative path new.example.com',
      'wrong_input',
    ),
    refusal(
      'an import from a stranger',
      { mode: 'remote-import', source_handshake: [0, 'x', 'y'] },
      "Invalid handshake: Hash didn't match, clusters don't share the same domain secret",
      'wrong_input',
    ),
    refusal(
      'a plan without the deed',
      { forthcoming: true },
      "Cannot plan an instance: the cluster's file has no place for it",
      'wrong_input',
    ),
    refusal(
      'a check of the address without one of the name',
      { name_check: false },
      'Cannot do IP address check without a name check',
      'wrong_input',
    ),
  ])
})

t.test('NICs of a new instance', async (t) => {
  const cases: readonly (readonly [
    title: string,
    nics: Json,
    text: string | RegExp,
    code: string | null,
    kind?: string,
  ])[] = [
    [
      'a MAC that is taken',
      [{ mac: 'AA:00:00:00:00:01' }],
      'MAC address aa:00:00:00:00:01 already in use in cluster',
      'resource_not_unique',
    ],
    ['a MAC that is none', [{ mac: 'aa:00' }], "Invalid MAC address 'aa:00'", 'wrong_input'],
    [
      'an address that is taken',
      [{ network: 'front', ip: '192.0.2.2' }],
      'IP address 192.0.2.2 already in use or does not belong to network front',
      'resource_not_unique',
    ],
    [
      'an address that is set aside',
      [{ network: 'front', ip: '192.0.2.3' }],
      'IP address 192.0.2.3 already in use or does not belong to network front',
      'resource_not_unique',
    ],
    [
      'an address of another network',
      [{ network: 'front', ip: '198.51.100.9' }],
      'IP address 198.51.100.9 already in use or does not belong to network front',
      'resource_not_unique',
    ],
    [
      'an address of a network that the NIC is not in',
      [{ ip: '192.0.2.5' }],
      'The requested IP address (192.0.2.5) belongs to network front, but the target NIC does not.',
      'wrong_state',
    ],
    ['an address that is none', [{ ip: '1.2.3' }], "Invalid IP address '1.2.3'", 'wrong_input'],
    [
      'a pool without a network',
      [{ ip: 'pool' }],
      'if ip=pool, parameter network must be passed too',
      'wrong_input',
    ],
    [
      'more addresses than the pool has',
      ['a', 'b', 'c', 'd'].map((name) => ({ name, network: 'front', ip: 'pool' })),
      'Unable to get a free IP for NIC 3 from the address pool',
      'wrong_state',
    ],
    [
      'a network that is not connected',
      [{ network: 'back' }],
      "No netparams found for network back. Probably not connected to node's node1.example.com nodegroup",
      'wrong_input',
    ],
    ['an unknown network', [{ network: 'nosuch' }], "Network 'nosuch' not found", 'unknown_entity'],
    [
      'a network and a link',
      [{ network: 'front', link: 'br0' }],
      'If network is given, no mode or link is allowed to be passed',
      'wrong_input',
    ],
    [
      'a routed NIC without an address',
      [{ mode: 'routed' }],
      'Routed nic mode requires an ip address if not attached to a network',
      'wrong_input',
    ],
    ['an unknown mode', [{ mode: 'tunnel' }], "Invalid NIC mode 'tunnel'", null, 'ConfigurationError'],
    ['a VLAN that is none', [{ vlan: 'x' }], 'Specified VLAN parameter is invalid : x', 'wrong_input'],
    [
      'an address by the name of the instance',
      [{ ip: 'auto' }],
      'The given name (new.example.com) does not resolve: nobody is asked for names',
      'resolver_error',
    ],
    ['an unknown parameter', [{ speed: 'fast' }], "Unknown parameter 'speed'", null, 'TypeEnforcementError'],
  ]
  testCases(t, [
    ...cases.map(([title, nics, ...refused]) => refusal(`refused: ${title}`, { nics }, ...refused)),
    {
      title: 'an address that is set aside is given without a check for conflicts',
      run: 'CREATE',
      with: { ...wanted, conflicts_check: false, nics: [{ network: 'front', ip: '192.0.2.3' }] },
      becomes: { new: { nics: [{ ip: '192.0.2.3' }] } },
    },
    {
      title: 'a VLAN by itself is an untagged one',
      run: 'CREATE',
      with: { ...wanted, nics: [{ vlan: '20' }] },
      becomes: { new: { nics: [{ nicparams: { vlan: '.20' } }] } },
    },
  ])
})

t.test('the allocator', async (t) => {
  const { pnode, ...anywhere } = wanted
  testCases(t, [
    {
      title: 'takes the first node by name that fits',
      run: 'CREATE',
      with: anywhere,
      result: ['node1.example.com'],
      tells: [' - INFO: Selected nodes for instance new.example.com via iallocator hail: node1.example.com'],
    },
    {
      title: 'passes a node by that lacks memory',
      run: 'CREATE',
      with: { ...anywhere, beparams: { memory: 5000 } },
      result: ['node3.example.com'],
    },
    {
      title: 'takes two nodes of one group for DRBD',
      run: 'CREATE',
      with: { ...anywhere, disk_template: 'drbd', iallocator: '.' },
      result: ['node1.example.com', 'node2.example.com'],
    },
    {
      title: 'takes a node of the group that is asked for',
      run: 'CREATE',
      with: { ...anywhere, group_name: 'strict', beparams: { memory: 256 } },
      result: ['strict1.example.com'],
    },
    {
      title: 'heeds the policy of a group',
      run: 'CREATE',
      with: { ...anywhere, group_name: 'strict' },
      refused: [
        "Can't compute nodes using iallocator 'hail': Request failed: No groups available",
        'insufficient_resources',
      ],
    },
    {
      title: 'says what is lacking',
      run: 'CREATE',
      with: { ...anywhere, beparams: { memory: 8192 }, disks: [{ size: 1024 }] },
      refused: [
        "Can't compute nodes using iallocator 'hail': Request failed: Group default (preferred): No valid allocation " +
          'solutions, failure reasons: FailMem: 3',
        'insufficient_resources',
      ],
    },
    {
      title: 'is not known by any name',
      run: 'CREATE',
      with: { ...anywhere, iallocator: 'nosuch' },
      refused: [
        "Failure while running the iallocator script: iallocator module 'nosuch' not found in the search path",
        null,
        'OpExecError',
      ],
    },
  ])
})

t.test('several instances at once', async (t) => {
  const { pnode, ...anywhere } = wanted
  const inst = (name: string, more: JsonObject = {}) => ({ ...anywhere, instance_name: name, ...more })
  const cluster = operationsCluster()
  const ended = cluster.run(
    opcode('MULTI_ALLOC', {
      instances: [
        inst('a.example.com', { beparams: { memory: 3000 } }),
        inst('b.example.com', { beparams: { memory: 3000 } }),
        inst('c.example.com', { beparams: { memory: 7000 } }),
        inst('d.example.com', { beparams: { memory: 7000 } }),
      ],
    }),
  )
  t.same(ended.result, {
    allocatable: ['a.example.com', 'b.example.com', 'c.example.com'],
    failed: ['d.example.com'],
  })
  t.same(
    ended.submits?.map(([one]) => [one?.OP_ID, one?.instance_name, one?.pnode]),
    [
      ['OP_INSTANCE_CREATE', 'a.example.com', 'node1.example.com'],
      ['OP_INSTANCE_CREATE', 'b.example.com', 'node2.example.com'],
      ['OP_INSTANCE_CREATE', 'c.example.com', 'node3.example.com'],
    ],
    'each knows what those before it take',
  )
  for (const [submitted] of ended.submits ?? []) {
    t.equal(cluster.run(opcode('CREATE', submitted as JsonObject)).status, 'success')
  }
  t.equal(freeMemory(cluster, 'node3'), 168)

  testCases(t, [
    {
      title: 'with nodes named need no allocator',
      run: 'MULTI_ALLOC',
      with: { instances: [inst('a.example.com', { pnode: 'node1.example.com' })] },
      result: { allocatable: ['a.example.com'], failed: [] },
    },
    {
      title: 'when dry say so and submit nothing',
      run: 'MULTI_ALLOC',
      with: { instances: [inst('a.example.com')], dry_run: true },
      result: { allocatable: ['a.example.com'], failed: [], jobs: [] },
    },
    {
      title: 'are refused where only some have nodes',
      run: 'MULTI_ALLOC',
      with: { instances: [inst('a.example.com', { pnode: 'node1.example.com' }), inst('b.example.com')] },
      refused: ['There are instance objects providing pnode/snode while others do not', 'wrong_input'],
    },
    {
      title: 'are refused with a name twice',
      run: 'MULTI_ALLOC',
      with: { instances: [inst('a.example.com'), inst('a.example.com')] },
      refused: ['There are duplicate instance names: a.example.com', 'wrong_input'],
    },
    {
      title: 'are refused with allocators of their own',
      run: 'MULTI_ALLOC',
      with: { instances: [inst('a.example.com', { iallocator: 'hail' })] },
      refused: ['iallocator are not allowed to be set on instance objects', 'wrong_input'],
    },
  ])
})
