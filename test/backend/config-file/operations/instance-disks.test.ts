/** Disks made ready and put away, grown, made again, and replaced. */
import t from 'tap'
import { nodeUuid, testCases } from '../../../support/operation-cases.ts'

const mirror = { instance_name: 'mirror.example.com' }
const plain = { instance_name: 'plain.example.com' }
const shelved = { instance_name: 'shelved.example.com' }

t.test('activate and deactivate', async (t) => {
  testCases(t, [
    {
      title: 'disks are made ready, and told where they are',
      run: 'ACTIVATE_DISKS',
      with: mirror,
      result: [
        ['node1.example.com', 'disk/0', '/dev/drbd0'],
        ['node1.example.com', 'disk/1', '/dev/drbd1'],
      ],
      unchanged: true,
    },
    {
      title: 'those of an instance that is down too',
      run: 'ACTIVATE_DISKS',
      with: { ...plain, wait_for_sync: true },
      tells: [" - INFO: Instance plain.example.com's disks are in sync"],
      becomes: { plain: { admin_state: 'down', disks_active: true } },
    },
    {
      title: 'but not on an offline node',
      run: 'ACTIVATE_DISKS',
      with: { instance_name: 'away.example.com' },
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'they are put away again',
      run: 'DEACTIVATE_DISKS',
      after: [['ACTIVATE_DISKS', plain]],
      with: plain,
      becomes: { plain: { disks_active: false } },
    },
    {
      title: 'but not under a running instance',
      run: 'DEACTIVATE_DISKS',
      with: mirror,
      refused: ["Instance 'mirror.example.com' is marked to be up, cannot shutdown disks", 'wrong_state'],
    },
    {
      title: 'or only by force',
      run: 'DEACTIVATE_DISKS',
      with: { ...mirror, force: true },
      becomes: { mirror: { admin_state: 'up', disks_active: false } },
    },
  ])
})

t.test('grow', async (t) => {
  testCases(t, [
    {
      title: 'makes a disk larger by so much, and what it stands on',
      run: 'GROW_DISK',
      with: { ...mirror, disk: 0, amount: 1024 },
      tells: ["Growing disk 0 of instance 'mirror.example.com' by 1.0G to 11.0G"],
      becomes: {
        mirror: {
          disks: [{ size: 11264, children: [{ size: 11264 }, { size: 128 }], serial_no: 2 }, { size: 20480 }],
        },
      },
    },
    {
      title: 'or up to so much',
      run: 'GROW_DISK',
      with: { ...mirror, disk: 1, amount: 30_720, absolute: true },
      becomes: { mirror: { disks: [{ size: 10240 }, { size: 30720 }] } },
    },
    {
      title: 'never makes it smaller',
      run: 'GROW_DISK',
      with: { ...mirror, disk: 1, amount: 1024, absolute: true },
      refused: ['Requested size (1.0G) is smaller than current disk size (20.0G)', 'wrong_state'],
    },
    {
      title: 'needs room on both nodes',
      run: 'GROW_DISK',
      with: { instance_name: 'mirror', disk: 0, amount: 190 * 1024, ignore_ipolicy: true },
      refused: [
        /^Not enough disk space on target node node1\.example\.com vg xenvg/,
        'insufficient_resources',
      ],
    },
    {
      title: 'heeds the policy',
      run: 'GROW_DISK',
      with: { ...plain, disk: 0, amount: 90 * 1024 },
      refused: [
        'Growing disk 0 violates policy: disk-size/0 value 112640 is not in range [512, 102400]',
        'wrong_input',
      ],
    },
    {
      title: 'or warns, if told to',
      run: 'GROW_DISK',
      with: { ...plain, disk: 0, amount: 90 * 1024, ignore_ipolicy: true },
      tells: [
        ' - WARNING: Growing disk 0 violates policy: disk-size/0 value 112640 is not in range [512, 102400]',
      ],
    },
    {
      title: 'does not know more disks than there are',
      run: 'GROW_DISK',
      with: { ...plain, disk: 3, amount: 1 },
      refused: ['Invalid disk index: 3 (instace has disks 0 to 0', 'wrong_input'],
    },
    {
      title: 'needs both nodes',
      run: 'GROW_DISK',
      with: { instance_name: 'halved.example.com', disk: 0, amount: 1024 },
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
  ])
})

t.test('add', async (t) => {
  testCases(t, [
    {
      title: 'fails where a logical volume would have no size',
      run: 'SET_PARAMS',
      with: { ...plain, disks: [['add', -1, { size: 0 }]], ignore_ipolicy: true },
      refused: ["Can't create a logical volume of 0 MiB for instance plain.example.com", null, 'OpExecError'],
    },
  ])
})

t.test('recreate', async (t) => {
  testCases(t, [
    {
      title: 'makes disks again where they were, larger if told to',
      run: 'RECREATE_DISKS',
      with: { ...plain, disks: [[0, { size: 30_720, mode: 'ro' }]] },
      becomes: { plain: { disks: [{ size: 30720, mode: 'ro' }] } },
    },
    {
      title: 'or on other nodes, with minors of their own',
      run: 'RECREATE_DISKS',
      after: [['SHUTDOWN', mirror]],
      with: { ...mirror, nodes: ['node2.example.com', 'node1.example.com'] },
      tells: [
        " - WARNING: Changing the instance's nodes, you will have to remove any disks left on the older nodes manually",
      ],
      becomes: {
        mirror: ({ primary_node, secondary_nodes, disks }, cluster) =>
          primary_node === nodeUuid(cluster, 'node2') &&
          secondary_nodes[0] === nodeUuid(cluster, 'node1') &&
          disks.every(({ logical_id }) => logical_id[0] === primary_node),
      },
    },
    {
      title: 'is the way back from a node that is away',
      run: 'RECREATE_DISKS',
      with: { instance_name: 'away.example.com', iallocator: 'hail' },
      tells: [' - INFO: Selected nodes for instance away.example.com via iallocator hail: node1.example.com'],
      becomes: {
        away: ({ primary_node, disks }, cluster) =>
          primary_node === nodeUuid(cluster, 'node1') && disks[0]?.nodes[0] === primary_node,
      },
    },
    {
      title: 'is refused while it runs',
      run: 'RECREATE_DISKS',
      with: mirror,
      refused: ["Instance 'mirror.example.com' is marked to be up, cannot recreate disks", 'wrong_state'],
    },
    {
      title: 'is refused without disks',
      run: 'RECREATE_DISKS',
      with: shelved,
      refused: ["Instance 'shelved.example.com' has no disks", 'wrong_input'],
    },
    {
      title: 'is refused with more nodes than it has',
      run: 'RECREATE_DISKS',
      with: { ...plain, nodes: ['node1.example.com', 'node3.example.com'] },
      refused: [
        'Instance plain.example.com currently has 1 nodes, but 2 replacement nodes were specified',
        'wrong_input',
      ],
    },
    {
      title: 'is refused with another name',
      run: 'RECREATE_DISKS',
      with: { ...plain, disks: [[0, { name: 'x' }]] },
      refused: ['Parameters for disk 0 try to change unmodifyable parameter(s): name', 'wrong_input'],
    },
    {
      title: 'is refused for a disk twice',
      run: 'RECREATE_DISKS',
      with: {
        ...plain,
        disks: [
          [0, {}],
          [0, {}],
        ],
      },
      refused: ['Some disks have been specified more than once: 0', 'wrong_input'],
    },
    {
      title: 'is refused for a disk that is not there',
      run: 'RECREATE_DISKS',
      with: { ...plain, disks: [4] },
      refused: ["Invalid disk index '4'", 'wrong_input'],
    },
    {
      title: 'is refused for some disks on other nodes',
      run: 'RECREATE_DISKS',
      after: [['SHUTDOWN', mirror]],
      with: { ...mirror, disks: [0], nodes: ['node2.example.com', 'node1.example.com'] },
      refused: ["Can't recreate disks partially and change the nodes at the same time", 'wrong_input'],
    },
    {
      title: 'is refused without room',
      run: 'RECREATE_DISKS',
      with: { instance_name: 'big.example.com', nodes: ['node3.example.com'] },
      refused: [/^Not enough disk space on target node node3\.example\.com/, 'insufficient_resources'],
    },
  ])
})

t.test('replace', async (t) => {
  testCases(t, [
    {
      title: 'puts the second node somewhere else',
      run: 'REPLACE_DISKS',
      after: [
        ['GROW_DISK', { ...mirror, disk: 0, amount: 1024 }],
        ['REMOVE', { instance_name: 'halved.example.com' }],
        ['REMOVE', { instance_name: 'file.example.com' }],
      ],
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'node3.example.com' },
      refused: [/^Not enough disk space on target node node3\.example\.com/, 'insufficient_resources'],
    },
    {
      title: 'on a node that is chosen, keeping port and secret',
      run: 'REPLACE_DISKS',
      with: { instance_name: 'halved.example.com', mode: 'replace_new_secondary', iallocator: 'hail' },
      tells: [
        "Replacing disk(s) 0 for instance 'halved.example.com'",
        'Current primary node: node3.example.com',
        'Current secondary node: offline.example.com',
        'STEP 1/6 Check device existence',
        'STEP 5/6 Removing old storage',
        'STEP 6/6 Sync devices',
      ],
      becomes: {
        halved: ({ secondary_nodes, disks: [disk] }, cluster) =>
          secondary_nodes[0] === nodeUuid(cluster, 'node1') &&
          disk?.logical_id[1] === secondary_nodes[0] &&
          // Two are taken there.
          disk?.logical_id[4] === 2 &&
          disk.children.every(({ nodes }) => nodes.includes(nodeUuid(cluster, 'node1'))),
      },
    },
    {
      title: 'on the same nodes leaves everything as it was',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_on_primary', disks: [1] },
      tells: [
        "Replacing disk(s) 1 for instance 'mirror.example.com'",
        ' - INFO: Adding storage on node1.example.com for disk/1',
        'STEP 6/6 Removing old storage',
      ],
      unchanged: true,
    },
    {
      title: 'finds nothing that is faulty',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_auto' },
      tells: [
        ' - INFO: Checking disk/0 on node1.example.com',
        "No disks need replacement for instance 'mirror.example.com'",
      ],
      unchanged: true,
    },
    {
      title: 'cannot look for faults in disks that are put away',
      run: 'REPLACE_DISKS',
      after: [['SHUTDOWN', mirror]],
      with: { ...mirror, mode: 'replace_auto' },
      refused: ['Please run activate-disks on instance mirror.example.com first', 'wrong_state'],
    },
    {
      title: 'is for DRBD only',
      run: 'REPLACE_DISKS',
      with: { ...plain, mode: 'replace_on_primary' },
      refused: ['The instance has a strange layout, expected one secondary but found 0', 'internal_error'],
    },
    {
      title: 'wants to know where to',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary' },
      refused: [/^When changing the secondary either an iallocator script must be used/, 'wrong_input'],
    },
    {
      title: 'wants no node where none is needed',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_on_primary', remote_node: 'node3.example.com' },
      refused: [/^The iallocator and new node options can only be used/, 'wrong_input'],
    },
    {
      title: 'wants another node than the primary',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'node1.example.com' },
      refused: ['The specified node is the primary node of the instance', 'wrong_input'],
    },
    {
      title: 'wants another node than the secondary',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'node2.example.com' },
      refused: ['The specified node is already the secondary node of the instance', 'wrong_input'],
    },
    {
      title: 'changes the node of all disks or none',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'node3.example.com', disks: [0] },
      refused: ['Cannot specify disks to be replaced', 'wrong_input'],
    },
    {
      title: 'does not use a drained node',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'drained.example.com' },
      refused: ["Can't use drained node drained.example.com", 'wrong_state'],
    },
    {
      title: 'does not use an offline node',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'offline.example.com' },
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'heeds the policy of another group',
      run: 'REPLACE_DISKS',
      with: { ...mirror, mode: 'replace_new_secondary', remote_node: 'strict1.example.com' },
      refused: [/^Instance does not meet target node group's \(.*\) instance policy: .*drbd/, 'wrong_input'],
    },
  ])
})
