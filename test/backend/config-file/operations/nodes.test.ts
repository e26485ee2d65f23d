/** Operations on nodes: their roles, moving what runs on them, their storage. */
import t from 'tap'
import type { Config } from '../../../../lib/model/config.ts'
import { testCases } from '../../../support/operation-cases.ts'

const named = (name: string) => (config: Config) => config.nodes.byName.get(`${name}.example.com`)
const role = (name: string) => (config: Config) => {
  const node = named(name)(config)
  const flags = ['master_candidate', 'drained', 'offline'] as const
  return flags.filter((flag) => node?.[flag])
}
const candidates = (config: Config) =>
  config.nodes.all.filter((node) => node.master_candidate).map(({ name }) => name.split('.')[0])
const node = (name: string, given: object = {}) => ({ node_name: `${name}.example.com`, ...given })
const POOL_OF_THREE = ['OP_CLUSTER_SET_PARAMS', { candidate_pool_size: 3 }] as const
/** Leaves three candidates: node1, node2 and node3. */
const THREE = [
  POOL_OF_THREE,
  ['OP_NODE_SET_PARAMS', node('storage', { master_candidate: false })],
  ['OP_NODE_SET_PARAMS', node('strict1', { master_candidate: false })],
] as const

t.test('set-params: roles', async (t) => {
  testCases(t, [
    {
      title: 'a candidate becomes a regular node',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { master_candidate: false, offline: false, drained: false }),
      result: [['master_candidate', 'False']],
      tells: [
        ' - INFO: Ignoring request to unset flag drained, already unset',
        ' - INFO: Ignoring request to unset flag offline, already unset',
        'Configuration data is not consistent: Not enough master candidates: actual 4, target 5',
      ],
      leaves: [role('node2'), []],
    },
    {
      title: 'a node goes offline, and is a candidate no more',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { offline: true }),
      result: [
        ['master_candidate', 'False'],
        ['offline', 'True'],
      ],
      tells: ["Failed to stop KVM daemon on node 'node2.example.com': Node is marked offline"],
      leaves: [role('node2'), ['offline']],
    },
    {
      title: 'a node that comes back joins the pool, with a warning',
      run: 'OP_NODE_SET_PARAMS',
      with: node('offline', { offline: false }),
      result: [
        ['master_candidate', 'True'],
        ['offline', 'False'],
      ],
      tells: [
        ' - INFO: Auto-promoting node to master candidate',
        ' - WARNING: Transitioning node from offline to online state without using re-add. Please make sure the ' +
          'node is healthy!',
      ],
      leaves: [role('offline'), ['master_candidate']],
    },
    {
      title: 'a node that is drained no more does not join a pool that is full',
      after: [POOL_OF_THREE],
      run: 'OP_NODE_SET_PARAMS',
      with: node('drained', { drained: false }),
      result: [['drained', 'False']],
      leaves: [role('drained'), []],
    },
    {
      title: 'the last candidates stay',
      after: THREE,
      run: 'OP_NODE_SET_PARAMS',
      with: node('node3', { drained: true }),
      refused: [
        'Not enough master candidates, please pass auto promote option to allow promotion (--auto-promote or RAPI ' +
          'auto_promote=True)',
        'wrong_state',
      ],
    },
    {
      title: 'unless another may take their place',
      after: THREE,
      run: 'OP_NODE_SET_PARAMS',
      with: node('node3', { drained: true, auto_promote: true }),
      tells: [' - INFO: Promoted nodes to master candidate role: storage.example.com'],
      leaves: [candidates, ['node1', 'node2', 'storage']],
    },
    {
      title: 'with more candidates than wanted nobody is promoted',
      after: [POOL_OF_THREE],
      run: 'OP_NODE_SET_PARAMS',
      with: node('node3', { drained: true, auto_promote: true }),
      tells: [' - INFO: Note: more nodes are candidates (4) than desired (3)'],
      leaves: [candidates, ['node1', 'node2', 'storage', 'strict1']],
    },
    {
      title: 'one that cannot be the master is demoted',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { master_capable: false }),
      result: [
        ['master_capable', 'False'],
        ['master_candidate', 'False'],
      ],
      tells: [' - INFO: Demoting from master candidate'],
      leaves: [(config) => named('node2')(config)?.master_capable, false],
    },
    {
      title: 'and is no candidate until it can',
      after: [['OP_NODE_SET_PARAMS', node('node2', { master_capable: false })]],
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { master_candidate: true }),
      refused: [
        'Node node2.example.com is not master capable, cannot make it a master candidate',
        'wrong_state',
      ],
    },
    {
      title: 'once it can, it is one',
      after: [['OP_NODE_SET_PARAMS', node('node2', { master_capable: false })]],
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { master_capable: true }),
      result: [
        ['master_capable', 'True'],
        ['master_candidate', 'True'],
      ],
    },
    {
      title: 'the master keeps its role',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { drained: true }),
      refused: ['The master role can be changed only via master-failover', 'wrong_input'],
    },
    {
      title: 'and what it needs for it',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { master_capable: false, auto_promote: true }),
      refused: ['Node node1.example.com is the master and must be able to be it', 'wrong_state'],
    },
    {
      title: 'a node has one role at a time',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { drained: true, offline: true }),
      refused: ["Can't set the node into more than one state at the same time", 'wrong_input'],
    },
    {
      title: 'a node with instances stays able to have them',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node3', { vm_capable: false }),
      refused: ['Node node3.example.com hosts instances, cannot unset the vm_capable flag', 'wrong_state'],
    },
    {
      title: 'one without need not',
      run: 'OP_NODE_SET_PARAMS',
      with: node('strict1', { vm_capable: false }),
      result: [['vm_capable', 'False']],
    },
  ])
})

t.test('set-params: everything else', async (t) => {
  testCases(t, [
    {
      title: 'wants something to change',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { powered: true }),
      refused: ['Please pass at least one modification', 'wrong_input'],
    },
    {
      title: 'changes parameters, and takes them back',
      after: [['OP_NODE_SET_PARAMS', node('node2', { ndparams: { spindle_count: 4, ssh_port: '23' } })]],
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { ndparams: { spindle_count: 'default' } }),
      result: [],
      leaves: [
        (config) => [named('node2')(config)?.ndparams, named('node2')(config)?.serial_no],
        [{ ssh_port: 23 }, 3],
      ],
    },
    {
      title: 'refuses one that only groups can have',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { ndparams: { exclusive_storage: true } }),
      refused: [/^The following node parameters are global .* exclusive_storage$/, 'wrong_input'],
    },
    {
      title: 'refuses to turn off what it cannot reach',
      run: 'OP_NODE_SET_PARAMS',
      with: node('offline', { offline: false, powered: false }),
      refused: [
        'Unable to change powered state for node offline.example.com as it does not support out-of-band handling',
        'wrong_state',
      ],
    },
    {
      title: 'wants a node turned on before it comes back',
      after: [
        ['OP_NODE_SET_PARAMS', node('offline', { ndparams: { oob_program: '/bin/oob' } })],
        ['OP_NODE_SET_PARAMS', node('offline', { powered: false, ndparams: { ssh_port: 22 } })],
      ],
      run: 'OP_NODE_SET_PARAMS',
      with: node('offline', { offline: false }),
      refused: [
        'Node offline.example.com needs to be turned on before its offline status can be reset',
        'wrong_state',
      ],
    },
    {
      title: 'refuses a second address where the master has none',
      run: 'OP_NODE_SET_PARAMS',
      with: node('strict1', { secondary_ip: '10.0.0.7' }),
      refused: [
        'Changing the secondary ip on a single-homed cluster requires the --force option to be passed, and the ' +
          'target node to be the master',
        'wrong_input',
      ],
    },
    {
      title: 'gives the master one when forced, once nobody runs that uses it',
      after: [['SHUTDOWN', { instance_name: 'mirror.example.com' }]],
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { secondary_ip: '198.51.100.1', force: true }),
      result: [['secondary_ip', '198.51.100.1']],
      tells: [
        ' - WARNING: Transitioning from single-homed to multi-homed cluster; all nodes will require a secondary IP ' +
          'address',
      ],
      leaves: [
        (config) => [
          named('node1')(config)?.secondary_ip,
          config.networks.byName.get('back')?.ext_reservations.slice(0, 3),
        ],
        ['198.51.100.1', '110'],
      ],
    },
    {
      title: 'not while one does',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { secondary_ip: '198.51.100.1', force: true }),
      refused: [
        "Instance 'mirror.example.com' is marked to be up, cannot change secondary ip",
        'wrong_state',
      ],
    },
    {
      title: 'refuses an address that another node has',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { secondary_ip: '203.0.113.3', force: true }),
      refused: [
        'Secondary IP (203.0.113.3) is already the address of node3.example.com',
        'resource_not_unique',
      ],
    },
    {
      title: 'refuses one that is none',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node1', { secondary_ip: '2001:db8::1' }),
      refused: ['Secondary IP (2001:db8::1) needs to be a valid IPv4 address', 'wrong_input'],
    },
    {
      title: 'changes nothing in a dry run',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { drained: true, dry_run: true }),
      unchanged: true,
    },
    {
      title: 'refuses a node that is not there',
      run: 'OP_NODE_SET_PARAMS',
      with: node('nosuch', { drained: true }),
      refused: ["Node 'nosuch.example.com' not known", 'unknown_entity'],
    },
    {
      title: 'refuses a node that is another by now',
      run: 'OP_NODE_SET_PARAMS',
      with: node('node2', { node_uuid: 'other', drained: true }),
      refused: [/^The nodes UUID '.*' does not match the expected UUID 'other'/, 'resource_not_unique'],
    },
  ])
})

t.test('migrate', async (t) => {
  testCases(t, [
    {
      title: 'submits a job for each primary instance',
      run: 'OP_NODE_MIGRATE',
      with: node('node1', { mode: 'live', target_node: 'node3.example.com' }),
      result: { jobs: [] },
      submits: [
        [
          {
            OP_ID: 'OP_INSTANCE_MIGRATE',
            instance_name: 'mirror.example.com',
            mode: 'live',
            target_node: 'node3.example.com',
            allow_runtime_changes: true,
            allow_failover: false,
          },
        ],
        [{ OP_ID: 'OP_INSTANCE_MIGRATE', instance_name: 'shared.example.com' }],
      ],
      unchanged: true,
    },
    {
      title: 'none where there is none',
      run: 'OP_NODE_MIGRATE',
      with: node('strict1'),
      result: { jobs: [] },
      submits: [],
    },
  ])
})

t.test('evacuate', async (t) => {
  const primary = { mode: 'primary-only' }
  const secondary = { mode: 'secondary-only' }
  testCases(t, [
    {
      title: 'moves primary instances to their other node, or the first that can take them',
      run: 'OP_NODE_EVACUATE',
      with: node('node1', primary),
      result: { jobs: [] },
      tells: [
        " - INFO: Evacuating instances from node 'node1.example.com': mirror.example.com, shared.example.com",
        ' - INFO: Instances to be moved: mirror.example.com (to node2.example.com, node1.example.com), ' +
          'shared.example.com (to node2.example.com)',
      ],
      submits: [
        [
          {
            OP_ID: 'OP_INSTANCE_MIGRATE',
            instance_name: 'mirror.example.com',
            target_node: null,
            allow_failover: true,
          },
        ],
        [{ instance_name: 'shared.example.com', target_node: 'node2.example.com', allow_failover: true }],
      ],
      unchanged: true,
    },
    {
      title: 'has those before in mind',
      after: [
        ['SET_PARAMS', { instance_name: 'shared.example.com', beparams: { memory: 2500 }, force: true }],
      ],
      run: 'OP_NODE_EVACUATE',
      with: node('node1', primary),
      submits: [[{}], [{ instance_name: 'shared.example.com', target_node: 'node3.example.com' }]],
    },
    {
      title: 'refuses all where one has no place',
      after: [['OP_NODE_SET_PARAMS', node('node2', { offline: true })]],
      run: 'OP_NODE_EVACUATE',
      with: node('node1', primary),
      tells: [' - WARNING: Unable to evacuate instances mirror.example.com (FailOffline)'],
      refused: ['Unable to evacuate instances mirror.example.com (FailOffline)', null, 'OpExecError'],
    },
    {
      title: 'says why local disks go nowhere',
      run: 'OP_NODE_EVACUATE',
      with: node('offline', primary),
      refused: [
        'Unable to evacuate instances away.example.com (Instances of type plain cannot be relocated)',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'gives mirrors no second node without room',
      run: 'OP_NODE_EVACUATE',
      with: node('node2', { ...secondary, early_release: true }),
      refused: [
        "Unable to evacuate instances mirror.example.com (Can't find any good node:  Node node3.example.com " +
          'failed: FailDisk;)',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'but one with room',
      run: 'OP_NODE_EVACUATE',
      with: node('offline', { ...secondary, early_release: true }),
      submits: [
        [
          {
            OP_ID: 'OP_INSTANCE_REPLACE_DISKS',
            instance_name: 'halved.example.com',
            mode: 'replace_new_secondary',
            remote_node: 'node1.example.com',
            early_release: true,
            disks: [],
          },
        ],
      ],
    },
    {
      title: 'or the node that is given',
      run: 'OP_NODE_EVACUATE',
      with: node('offline', { ...secondary, remote_node: 'node2' }),
      submits: [[{ instance_name: 'halved.example.com', remote_node: 'node2.example.com' }]],
    },
    {
      title: 'submits nothing where there is nothing',
      run: 'OP_NODE_EVACUATE',
      with: node('strict1', secondary),
      tells: [" - INFO: No instances to evacuate from node 'strict1.example.com'"],
      submits: [],
    },
    {
      title: 'wants to know which instances',
      run: 'OP_NODE_EVACUATE',
      with: node('node1', { mode: 'all' }),
      refused: [/^Due to an issue with the iallocator interface it is not possible/, 'wrong_input'],
    },
    {
      title: 'wants an allocator for primary instances',
      run: 'OP_NODE_EVACUATE',
      with: node('node1', { ...primary, remote_node: 'node2' }),
      refused: ['Without the use of an iallocator only secondary instances can be evacuated', 'wrong_input'],
    },
    {
      title: 'refuses the node itself',
      run: 'OP_NODE_EVACUATE',
      with: node('node2', { ...secondary, remote_node: 'node2' }),
      refused: ['Can not use evacuated node as a new secondary node', 'wrong_input'],
    },
    {
      title: 'refuses the primary node of one of the instances',
      run: 'OP_NODE_EVACUATE',
      with: node('node2', { ...secondary, remote_node: 'node1' }),
      refused: [
        'Node node1.example.com is the primary node of instance mirror.example.com, cannot use it as secondary',
        'wrong_input',
      ],
    },
    {
      title: 'refuses an allocator that nobody knows',
      run: 'OP_NODE_EVACUATE',
      with: node('node1', { ...primary, iallocator: 'nosuch' }),
      refused: [/iallocator module 'nosuch' not found in the search path$/, null, 'OpExecError'],
    },
  ])
})

t.test('powercycle', async (t) => {
  testCases(t, [
    {
      title: 'resets a node',
      run: 'OP_NODE_POWERCYCLE',
      with: node('node2'),
      result: 'Reboot scheduled in 5 seconds',
      unchanged: true,
    },
    {
      title: 'but the master only when forced',
      run: 'OP_NODE_POWERCYCLE',
      with: node('node1'),
      refused: ['The node is the master and the force parameter was not set', 'wrong_input'],
    },
    {
      title: 'and none that is away',
      run: 'OP_NODE_POWERCYCLE',
      with: node('offline'),
      refused: ['Failed to schedule the reboot: Node is marked offline', null, 'OpExecError'],
    },
  ])
})

t.test('storage', async (t) => {
  const rows = { output_fields: ['node', 'type', 'name', 'size', 'used', 'free', 'allocatable'] }
  testCases(t, [
    {
      title: 'query: the volume group takes what the disk is, on the nodes that can be asked',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { ...rows, nodes: ['offline', 'node3'], storage_type: 'lvm-vg' },
      result: [['node3.example.com', 'lvm-vg', 'xenvg', 30720, 3200, 27520, true]],
    },
    {
      title: 'query: folders have what lies in them',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { ...rows, nodes: ['node3', 'node2'], storage_type: 'file' },
      result: [
        ['node2.example.com', 'file', '/srv/files', 204800, 0, 113344, true],
        ['node3.example.com', 'file', '/srv/files', 30720, 2048, 27520, true],
      ],
    },
    {
      title: 'query: what new disks are on is asked for where nothing else is',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { output_fields: ['name'], nodes: ['node1'] },
      result: [['xenvg']],
    },
    {
      title: 'query: one of the name that is asked for',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { output_fields: ['name'], nodes: ['node1'], name: 'other' },
      result: [],
    },
    {
      title: 'query: nodes know nothing of some kinds',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { ...rows, nodes: ['node1'], storage_type: 'blockdev' },
      result: [],
      tells: [
        " - WARNING: Can't get storage data from node node1.example.com: Error while executing backend function: " +
          "Unknown storage type: 'blockdev'",
      ],
    },
    {
      title: 'query: refuses a kind that is not enabled',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { ...rows, nodes: ['node1'], storage_type: 'gluster' },
      refused: [
        "No disk template of storage type 'gluster' is enabled in this cluster. Enabled disk templates are: " +
          'drbd,plain,file,sharedfile,rbd,ext,blockdev,diskless',
        null,
      ],
    },
    {
      title: 'query: refuses a field that there is not',
      run: 'OP_NODE_QUERY_STORAGE',
      with: { output_fields: ['name', 'colour'], nodes: ['node1'] },
      refused: ['Unknown output fields selected: colour', 'wrong_input'],
    },
    {
      title: 'modify: only physical volumes can be',
      run: 'OP_NODE_MODIFY_STORAGE',
      with: node('node1', { storage_type: 'lvm-vg', name: 'xenvg', changes: { allocatable: true } }),
      refused: ["Storage units of type 'lvm-vg' can not be modified", 'wrong_input'],
    },
    {
      title: 'modify: and of them only whether they may be used',
      run: 'OP_NODE_MODIFY_STORAGE',
      with: node('node1', { storage_type: 'lvm-pv', name: '/dev/sda', changes: { size: 1 } }),
      refused: [
        "The following fields can not be modified for storage units of type 'lvm-pv': ['size']",
        'wrong_input',
      ],
    },
    {
      title: 'modify: there is none of any name',
      run: 'OP_NODE_MODIFY_STORAGE',
      with: node('node1', { storage_type: 'lvm-pv', name: '/dev/sda', changes: { allocatable: true } }),
      refused: [
        'Failed to modify storage unit \'/dev/sda\' on node1.example.com: Failed to find physical volume "/dev/sda".',
        null,
        'OpExecError',
      ],
    },
    {
      title: "repair: the cluster's volume group is found to be well",
      run: 'OP_REPAIR_NODE_STORAGE',
      with: node('node1', { storage_type: 'lvm-vg', name: 'xenvg' }),
      result: null,
      tells: ["Repairing storage unit 'xenvg' on node1.example.com ..."],
      unchanged: true,
    },
    {
      title: 'repair: another is not found',
      run: 'OP_REPAIR_NODE_STORAGE',
      with: node('node1', { storage_type: 'lvm-vg', name: 'other' }),
      refused: [/^Failed to repair storage unit 'other' on node1.example.com: /, null, 'OpExecError'],
    },
    {
      title: 'repair: waits until the other halves of its disks can be seen',
      after: [['OP_NODE_SET_PARAMS', node('node2', { offline: true })]],
      run: 'OP_REPAIR_NODE_STORAGE',
      with: node('node1', { storage_type: 'lvm-vg', name: 'xenvg' }),
      refused: [
        'Failed to get disk status from node node2.example.com: Node is marked offline',
        'environment_error',
      ],
    },
    {
      title: 'repair: unless they do not matter',
      after: [['OP_NODE_SET_PARAMS', node('node2', { offline: true })]],
      run: 'OP_REPAIR_NODE_STORAGE',
      with: node('node1', { storage_type: 'lvm-vg', name: 'xenvg', ignore_consistency: true }),
      tells: [' - WARNING: Failed to get disk status from node node2.example.com: Node is marked offline'],
    },
    {
      title: 'repair: only volume groups can be',
      run: 'OP_REPAIR_NODE_STORAGE',
      with: node('node1', { storage_type: 'file', name: '/srv' }),
      refused: ["Storage units of type 'file' can not be repaired", 'wrong_input'],
    },
  ])
})
