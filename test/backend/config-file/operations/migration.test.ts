/** Instances that go to another node. */
import t from 'tap'
import { type Case, freeMemory, nodeUuid, testCases } from '../../../support/operation-cases.ts'

const mirror = { instance_name: 'mirror.example.com' }
const shared = { instance_name: 'shared.example.com' }
const plain = { instance_name: 'plain.example.com' }

/** On which nodes an instance is afterwards. */
function on(pnode: string, snode?: string): NonNullable<Case['becomes']>[string] {
  return ({ primary_node, secondary_nodes }, cluster) =>
    primary_node === nodeUuid(cluster, pnode) &&
    (snode === undefined || secondary_nodes.join() === nodeUuid(cluster, snode))
}

t.test('migrate', async (t) => {
  testCases(t, [
    {
      title: "hands an instance over to DRBD's other node, with its memory",
      run: 'MIGRATE',
      with: mirror,
      result: null,
      tells: [
        'Migrating instance mirror.example.com',
        '* checking disk consistency between source and target',
        '* changing disks into dual-master mode',
        '* migrating instance to node2.example.com',
        '* memory transfer complete',
        '* changing disks into single-master mode',
        '* done',
      ],
      becomes: {
        mirror: on('node2', 'node1'),
        shared: (_instance, cluster) =>
          freeMemory(cluster, 'node1') === 7168 - 2048 && freeMemory(cluster, 'node2') === 3072 - 1024,
      },
    },
    {
      title: 'and back leaves its disks as they were',
      run: 'MIGRATE',
      after: [['MIGRATE', mirror]],
      with: mirror,
      becomes: {
        mirror: ({ primary_node, disks }) => disks.every(({ logical_id }) => logical_id[0] === primary_node),
      },
    },
    {
      title: 'hands one on shared storage over to any node',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'node3.example.com' },
      becomes: { shared: on('node3') },
    },
    {
      title: 'or to a chosen one',
      run: 'MIGRATE',
      with: shared,
      tells: [
        ' - INFO: Selected nodes for instance shared.example.com via iallocator hail: node2.example.com',
      ],
      becomes: { shared: on('node2') },
    },
    {
      title: 'makes do with less memory where it must',
      run: 'MIGRATE',
      after: [
        [
          'CREATE',
          {
            instance_name: 'a',
            os_type: 'plain',
            disk_template: 'diskless',
            nics: [{}],
            pnode: 'node2.example.com',
            beparams: { memory: 2500 },
            hypervisor: 'kvm',
          },
        ],
      ],
      with: { ...shared, target_node: 'node2.example.com' },
      tells: ['* setting instance memory to 572'],
      becomes: { shared: on('node2') },
    },
    {
      title: 'or not, if told so',
      run: 'MIGRATE',
      after: [
        [
          'CREATE',
          {
            instance_name: 'a',
            os_type: 'plain',
            disk_template: 'diskless',
            nics: [{}],
            pnode: 'node2.example.com',
            beparams: { memory: 2500 },
            hypervisor: 'kvm',
          },
        ],
      ],
      with: { ...shared, target_node: 'node2.example.com', allow_runtime_changes: false },
      refused: [/^Memory ballooning not allowed .* \(have 572MB, need 2048MB\)$/, null, 'OpExecError'],
    },
    {
      title: 'is refused where memory is short even so',
      run: 'MIGRATE',
      after: [
        [
          'CREATE',
          {
            instance_name: 'a',
            os_type: 'plain',
            disk_template: 'diskless',
            nics: [{}],
            pnode: 'node2.example.com',
            beparams: { memory: 2900 },
            hypervisor: 'kvm',
          },
        ],
      ],
      with: { ...shared, target_node: 'node2.example.com' },
      refused: [
        'Not enough memory on node node2.example.com for migrating instance shared.example.com: needed 256 MiB, available 172 MiB',
        'insufficient_resources',
      ],
    },
    {
      title: 'is refused to what does not run',
      run: 'MIGRATE',
      after: [['SHUTDOWN', mirror]],
      with: mirror,
      refused: [
        "Can't migrate, please use failover: Instance mirror.example.com is not running",
        'wrong_state',
      ],
    },
    {
      title: 'fails over what does not run, if it may',
      run: 'MIGRATE',
      after: [['SHUTDOWN', mirror]],
      with: { ...mirror, allow_failover: true },
      tells: [
        ' - INFO: Instance is marked down or offline, fallback allowed, switching to failover',
        'Failover instance mirror.example.com',
      ],
      becomes: { mirror: on('node2', 'node1') },
    },
    {
      title: 'fails over what always must',
      run: 'MIGRATE',
      after: [['SET_PARAMS', { ...mirror, beparams: { always_failover: true } }]],
      with: mirror,
      tells: [
        ' - INFO: Instance configured to always failover; fallback to failover',
        'Failover instance mirror.example.com',
        '* starting the instance on the target node node2.example.com',
      ],
      becomes: { mirror: on('node2', 'node1') },
    },
    {
      title: 'is refused with local disks',
      run: 'MIGRATE',
      with: plain,
      refused: ["Instance's disk layout 'plain' does not allow migrations", 'wrong_state'],
    },
    {
      title: 'is refused to another node than DRBD has',
      run: 'MIGRATE',
      with: { ...mirror, target_node: 'node3.example.com' },
      refused: [/^Instances with disk types drbd cannot be migrated to arbitrary nodes/, 'wrong_input'],
    },
    {
      title: 'is refused to where it is',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'node1.example.com' },
      refused: [
        'Cannot migrate instance shared.example.com to its primary (node1.example.com)',
        'wrong_state',
      ],
    },
    {
      title: 'is refused to a drained node',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'drained.example.com' },
      refused: ["Can't use drained node drained.example.com", 'wrong_state'],
    },
    {
      title: 'is refused to an offline node',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'offline.example.com' },
      refused: ["Can't get data from node offline.example.com: Node is marked offline", 'environment_error'],
    },
    {
      title: 'heeds the policy of another group',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'strict1.example.com' },
      refused: [
        /^Instance does not meet target node group's \(.*\) instance policy: memory-size value 2048 is not in range \[128, 256\]/,
        'wrong_input',
      ],
    },
    {
      title: 'or warns, if told to',
      run: 'MIGRATE',
      with: { ...shared, target_node: 'strict1.example.com', ignore_ipolicy: true },
      becomes: { shared: on('strict1') },
    },
    {
      title: 'is either live or of a mode',
      run: 'MIGRATE',
      with: { ...mirror, live: true, mode: 'live' },
      refused: ["Only one of the 'live' and 'mode' parameters are accepted", 'wrong_input'],
    },
    {
      title: 'finds nothing to clean up',
      run: 'MIGRATE',
      with: { ...mirror, cleanup: true },
      tells: ['* instance confirmed to be running on its primary node (node1.example.com)', '* done'],
      unchanged: true,
    },
    {
      title: 'has nothing to clean up where nothing runs',
      run: 'MIGRATE',
      after: [['SHUTDOWN', mirror]],
      with: { ...mirror, cleanup: true },
      refused: [/^Instance does not seem to be running at all/, null, 'OpExecError'],
    },
    {
      title: 'when dry only checks',
      run: 'MIGRATE',
      with: { ...mirror, dry_run: true },
      unchanged: true,
    },
  ])
})

t.test('failover', async (t) => {
  testCases(t, [
    {
      title: "starts an instance on DRBD's other node",
      run: 'FAILOVER',
      with: mirror,
      tells: [
        'Failover instance mirror.example.com',
        '* checking disk consistency between source and target',
        '* shutting down instance on source node',
        "* deactivating the instance's disks on source node",
        "* activating the instance's disks on target node node2.example.com",
        '* starting the instance on the target node node2.example.com',
      ],
      becomes: { mirror: on('node2', 'node1') },
    },
    {
      title: 'leaves one that is down so',
      run: 'FAILOVER',
      after: [['SHUTDOWN', mirror]],
      with: mirror,
      tells: [
        ' - INFO: Not checking memory on the secondary node as instance will not be started',
        '* not checking disk consistency as instance is not running',
      ],
      becomes: { mirror: { admin_state: 'down', disks_active: false } },
    },
    {
      title: 'closes shared disks where they were',
      run: 'FAILOVER',
      with: { ...shared, target_node: 'node2.example.com' },
      tells: ['* closing instance disks on node node1.example.com'],
      becomes: { shared: on('node2') },
    },
    {
      title: 'takes an instance without disks anywhere',
      run: 'FAILOVER',
      with: { instance_name: 'shelved.example.com', target_node: 'node1.example.com' },
      becomes: { shelved: on('node1') },
    },
    {
      title: 'is refused with local disks',
      run: 'FAILOVER',
      with: plain,
      refused: ["Instance's disk layout 'plain' does not allow failovers", 'wrong_state'],
    },
    {
      title: 'is refused to a group without its network',
      run: 'FAILOVER',
      after: [['SET_PARAMS', { ...shared, nics: [['modify', 0, { network: 'front', ip: 'pool' }]] }]],
      with: { ...shared, target_node: 'strict1.example.com', ignore_ipolicy: true },
      refused: [
        "No netparams found for network front. Probably not connected to node's strict1.example.com nodegroup",
        'wrong_input',
      ],
    },
  ])
})
