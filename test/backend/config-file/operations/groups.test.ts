/** Operations on node groups. */
import t from 'tap'
import type { Config } from '../../../../lib/model/config.ts'
import { testCases } from '../../../support/operation-cases.ts'

const group = (name: string) => (config: Config) => {
  const { alloc_policy, ndparams, diskparams, ipolicy, networks, serial_no } =
    config.groups.byName.get(name) ?? {}
  return { alloc_policy, ndparams, diskparams, ipolicy, networks: Object.values(networks ?? {}), serial_no }
}
const groupNames = (config: Config) => config.groups.all.map(({ name }) => name)
const strict = { group_name: 'strict' }
const SPECS = {
  'cpu-count': 1,
  'disk-count': 1,
  'disk-size': 512,
  'memory-size': 128,
  'nic-count': 1,
  'spindle-use': 1,
}

t.test('add', async (t) => {
  testCases(t, [
    {
      title: 'makes a group that nodes may be taken from at will',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new' },
      result: null,
      leaves: [
        group('new'),
        { alloc_policy: 'preferred', ndparams: {}, diskparams: {}, ipolicy: {}, networks: [], serial_no: 1 },
      ],
    },
    {
      title: 'takes parameters in whatever form they come',
      run: 'OP_GROUP_ADD',
      with: {
        group_name: 'new',
        alloc_policy: 'unallocable',
        ndparams: { spindle_count: '3', exclusive_storage: 'true' },
        diskparams: { drbd: { 'resync-rate': '1000' } },
        ipolicy: { 'vcpu-ratio': '2.5', 'disk-templates': ['plain'] },
      },
      leaves: [
        group('new'),
        {
          alloc_policy: 'unallocable',
          ndparams: { spindle_count: 3, exclusive_storage: true },
          diskparams: { drbd: { 'resync-rate': 1000 } },
          ipolicy: { 'vcpu-ratio': 2.5, 'disk-templates': ['plain'] },
          networks: [],
          serial_no: 1,
        },
      ],
    },
    {
      title: 'refuses a name that is taken',
      run: 'OP_GROUP_ADD',
      with: strict,
      refused: [/^Desired group name 'strict' already exists as a node group \(UUID: /, 'already_exists'],
    },
    {
      title: 'refuses a parameter that nobody knows',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new', ndparams: { colour: 'red' } },
      refused: ["Unknown parameter 'colour'", null, 'TypeEnforcementError'],
    },
    {
      title: 'refuses a parameter that only another template knows',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new', diskparams: { plain: { protocol: 'C' } } },
      refused: [
        "While verify diskparams options: ('Provided option keys not supported: plain/protocol', 'wrong_input')",
        'wrong_input',
      ],
    },
    {
      title: 'refuses a policy with templates that the cluster lacks',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new', ipolicy: { 'disk-templates': ['plain', 'gluster'] } },
      refused: [
        'The following disk template are allowed by the ipolicy, but not enabled on the cluster: gluster',
        null,
      ],
    },
    {
      title: 'refuses a state of a hypervisor that there is not',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new', hv_state: { vax: {} } },
      refused: ['Invalid hypervisor(s) in hypervisor state: vax', 'wrong_input'],
    },
    {
      title: 'adds nothing in a dry run',
      run: 'OP_GROUP_ADD',
      with: { group_name: 'new', dry_run: true },
      tells: [' - INFO: dry-run mode requested, not actually executing the operation'],
      unchanged: true,
    },
  ])
})

t.test('remove', async (t) => {
  testCases(t, [
    {
      title: 'removes an empty group',
      after: [['OP_GROUP_ADD', { group_name: 'new' }]],
      run: 'OP_GROUP_REMOVE',
      with: { group_name: 'new' },
      leaves: [groupNames, ['default', 'strict']],
    },
    {
      title: 'refuses one with nodes, which it names by UUID',
      run: 'OP_GROUP_REMOVE',
      with: strict,
      refused: [/^Group 'strict' not empty, has the following nodes: [\da-f-]{36}$/, 'wrong_state'],
    },
    {
      title: 'refuses one that is not there',
      run: 'OP_GROUP_REMOVE',
      with: { group_name: 'nosuch' },
      refused: ["Node group 'nosuch' not found", 'unknown_entity'],
    },
  ])
})

t.test('rename', async (t) => {
  testCases(t, [
    {
      title: 'gives a new name, which is its result',
      run: 'OP_GROUP_RENAME',
      with: { ...strict, new_name: 'lenient' },
      result: 'lenient',
      leaves: [groupNames, ['default', 'lenient']],
    },
    {
      title: 'refuses a name that is taken',
      run: 'OP_GROUP_RENAME',
      with: { ...strict, new_name: 'default' },
      refused: [/^Desired new name 'default' clashes with existing node group \(UUID: /, 'already_exists'],
    },
  ])
})

t.test('set-params', async (t) => {
  const serial = (config: Config) => config.groups.byName.get('strict')?.serial_no
  testCases(t, [
    {
      title: 'wants something to change',
      run: 'OP_GROUP_SET_PARAMS',
      with: strict,
      refused: ['Please pass at least one modification', 'wrong_input'],
    },
    {
      title: 'changes when nodes are taken, and says nothing of it',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, alloc_policy: 'preferred' },
      result: [],
      leaves: [serial, 2],
    },
    {
      title: 'says parameters as Python would',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ndparams: { spindle_count: 2, ovs: true, oob_program: "it's" } },
      result: [['ndparams', `{'spindle_count': 2, 'ovs': True, 'oob_program': "it's"}`]],
    },
    {
      title: 'takes a parameter back',
      after: [['OP_GROUP_SET_PARAMS', { ...strict, ndparams: { spindle_count: 2, ssh_port: 2222 } }]],
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ndparams: { spindle_count: 'default' } },
      result: [['ndparams', "{'ssh_port': 2222}"]],
    },
    {
      title: 'replaces of disk parameters what is given, template by template',
      after: [
        [
          'OP_GROUP_SET_PARAMS',
          { ...strict, diskparams: { drbd: { protocol: 'A' }, plain: { stripes: 2 } } },
        ],
      ],
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, diskparams: { drbd: { metavg: 'fast' } } },
      result: [['diskparams', "{'drbd': {'protocol': 'A', 'metavg': 'fast'}, 'plain': {'stripes': 2}}"]],
    },
    {
      title: 'refuses a way to reach disks that there is not',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, diskparams: { rbd: { access: 'hyperspace' } } },
      refused: ["Invalid value of 'rbd:access': 'hyperspace' (expected one of kernelspace, userspace)", null],
    },
    {
      title: 'takes a part of its policy back',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { 'disk-templates': 'default', minmax: [] } },
      leaves: [(config) => config.groups.byName.get('strict')?.ipolicy, {}],
    },
    {
      title: 'warns of instances that a new policy leaves outside',
      run: 'OP_GROUP_SET_PARAMS',
      with: { group_name: 'default', ipolicy: { 'disk-templates': ['drbd', 'diskless', 'file'] } },
      tells: [
        ' - WARNING: After the ipolicy change the following instances violate them: away.example.com, ' +
          'big.example.com, plain.example.com, shared.example.com',
      ],
    },
    {
      title: 'refuses a policy for a standard instance',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { std: SPECS } },
      refused: ['std cannot appear in group instance specs', 'wrong_input'],
    },
    {
      title: 'refuses a policy that knows other things',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { colour: 1 } },
      refused: ['Invalid key in new ipolicy: colour', 'wrong_input'],
    },
    {
      title: 'refuses bounds that contradict each other',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { minmax: [{ min: SPECS, max: { ...SPECS, 'disk-size': 4 } }] } },
      refused: [
        'Invalid instance policy: Invalid specification of min/max values for disk-size: 512/4',
        'wrong_input',
      ],
    },
    {
      title: 'refuses bounds that are not whole',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { minmax: [{ min: SPECS, max: { 'disk-size': '1g' } }] } },
      refused: [
        /^Invalid instance policy: Missing instance specs parameters for max: cpu-count, /,
        'wrong_input',
      ],
    },
    {
      title: 'refuses a ratio that is no number',
      run: 'OP_GROUP_SET_PARAMS',
      with: { ...strict, ipolicy: { 'vcpu-ratio': 'many' } },
      refused: [
        "Invalid value for attribute 'vcpu-ratio': 'many', error: could not convert string to float: 'many'",
        'wrong_input',
      ],
    },
  ])
})

t.test('assign-nodes', async (t) => {
  const membersOf = (name: string) => (config: Config) =>
    config.groupNodes.get(config.groups.byName.get(name)?.uuid ?? '')?.map((node) => node.name.split('.')[0])
  testCases(t, [
    {
      title: 'moves nodes from wherever they are',
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['storage', 'drained.example.com', 'strict1'] },
      result: null,
      leaves: [membersOf('strict'), ['drained', 'storage', 'strict1']],
    },
    {
      title: 'refuses to split a mirrored instance',
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['node2.example.com'] },
      refused: [
        'The following instances get split by this change and --force was not given: mirror.example.com',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'splits it when forced, with a warning',
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['node2.example.com'], force: true },
      tells: [' - WARNING: This operation will split the following instances: mirror.example.com'],
      leaves: [membersOf('strict'), ['node2', 'strict1']],
    },
    {
      title: 'tells of those that were split before and stay so',
      after: [['OP_GROUP_ASSIGN_NODES', { ...strict, nodes: ['node2.example.com'], force: true }]],
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['offline.example.com'], force: true },
      tells: [
        ' - WARNING: This operation will split the following instances: halved.example.com',
        ' - WARNING: In addition, these already-split instances continue to be split across groups: mirror.example.com',
      ],
    },
    {
      title: 'keeps a node whose instances are in a network that the group is not connected to',
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['node1.example.com'], force: true },
      refused: [
        "Network 'front' of instance mirror.example.com is not connected to group 'strict'",
        null,
        'OpExecError',
      ],
    },
    {
      title: 'links NICs as the new group does',
      after: [
        [
          'OP_NETWORK_CONNECT',
          {
            ...strict,
            network_name: 'front',
            network_mode: 'routed',
            network_link: 'main',
            conflicts_check: false,
          },
        ],
      ],
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['node1.example.com'], force: true },
      becomes: { mirror: { nics: [{ nicparams: { mode: 'routed', link: 'main' } }] } },
    },
    {
      title: 'refuses a node that is not there',
      run: 'OP_GROUP_ASSIGN_NODES',
      with: { ...strict, nodes: ['nosuch'] },
      refused: ["Node 'nosuch' not known", 'unknown_entity'],
    },
  ])
})
