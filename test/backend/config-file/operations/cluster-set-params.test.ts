/** Changing the cluster's own settings, and what else can be done to it. */
import t from 'tap'
import type { Cluster } from '../../../../lib/model/cluster.ts'
import type { Config } from '../../../../lib/model/config.ts'
import { opcode } from '../../../support/live-cluster.ts'
import { operationsCluster, testCases } from '../../../support/operation-cases.ts'

const run = 'OP_CLUSTER_SET_PARAMS'
const cluster =
  (...names: (keyof Cluster)[]) =>
  (config: Config) =>
    names.map((name) => config.cluster[name])
const hv = (hypervisor: string, name: string) => (config: Config) =>
  config.cluster.hvparams[hypervisor]?.[name]
const ALL = ['drbd', 'plain', 'file', 'sharedfile', 'rbd', 'ext', 'blockdev', 'diskless']
const without = (template: string) => ALL.filter((one) => one !== template)

t.test('settings', async (t) => {
  testCases(t, [
    {
      title: 'change as they come, and the rest stays',
      run,
      with: {
        max_running_jobs: 3,
        maintain_node_health: true,
        reserved_lvs: ['xenvg/home'],
        mac_prefix: 'AA:00:0F',
        default_iallocator_params: { depth: 3 },
      },
      result: null,
      leaves: [
        cluster(
          'max_running_jobs',
          'max_tracked_jobs',
          'maintain_node_health',
          'reserved_lvs',
          'mac_prefix',
          'default_iallocator_params',
          'default_iallocator',
        ),
        [3, 25, true, ['xenvg/home'], 'aa:00:0f', { depth: 3 }, 'hail'],
      ],
    },
    {
      title: 'without any still count as a change',
      run,
      with: {},
      result: null,
      leaves: [cluster('serial_no'), [2]],
    },
    {
      title: 'fill the pool of candidates',
      after: [
        ['OP_CLUSTER_SET_PARAMS', { candidate_pool_size: 1 }],
        ['OP_NODE_SET_PARAMS', { node_name: 'node2', master_candidate: false }],
        ['OP_NODE_SET_PARAMS', { node_name: 'node3', master_candidate: false }],
      ],
      run,
      with: { candidate_pool_size: 4 },
      tells: [' - INFO: Promoted nodes to master candidate role: node2.example.com'],
      leaves: [(config) => config.nodes.all.filter((node) => node.master_candidate).length, 4],
    },
    {
      title: 'make nobody leave the pool',
      run,
      with: { candidate_pool_size: 2 },
      tells: [' - INFO: Note: more nodes are candidates (5) than desired (2)'],
    },
    {
      title: 'add to lists of OSes, and take from them, each once',
      run,
      with: {
        hidden_os: [
          ['add', 'plain'],
          ['add', 'plain'],
          ['remove', 'nosuch'],
        ],
        blacklisted_os: [['remove', 'forbidden']],
      },
      tells: [
        'OS plain already in hidden OS list, ignoring',
        'OS nosuch not found in hidden OS list, ignoring',
      ],
      leaves: [cluster('hidden_os', 'blacklisted_os'), [['plain'], []]],
    },
    {
      title: 'keep ranges of user ids in order',
      after: [['OP_CLUSTER_SET_PARAMS', { uid_pool: [[3000, 3999]] }]],
      run,
      with: {
        add_uids: [
          [1000, 1999],
          [3000, 3999],
        ],
        remove_uids: [[3000, 3999]],
      },
      leaves: [cluster('uid_pool'), [[[1000, 1999]]]],
    },
    {
      title: 'refuse to take away a range that is not there',
      run,
      with: { remove_uids: [[1, 2]] },
      refused: [
        'User-id range to be removed is not found in the current user-id pool: [1, 2]',
        'wrong_input',
      ],
    },
    {
      title: 'refuse a range that is upside down',
      run,
      with: { uid_pool: [[9, 2]] },
      refused: [
        'Lower user-id range boundary value (9) is larger than higher boundary value (2)',
        'wrong_input',
      ],
    },
    {
      title: 'refuse a netmask that is none',
      run,
      with: { master_netmask: 33 },
      refused: ['CIDR netmask (33) not valid', 'wrong_input'],
    },
    {
      title: 'tell how the master moves to another device',
      run,
      with: { master_netdev: 'br9', master_netmask: 24 },
      tells: [
        'Shutting down master ip on the current netdev (xen-br0)',
        'Changing master_netdev from xen-br0 to br9',
        'Changing master IP netmask to 24',
        'Starting the master ip on the new master netdev (br9)',
      ],
      leaves: [cluster('master_netdev', 'master_netmask'), ['br9', 24]],
    },
    {
      title: 'refuse an image that is neither a path nor a URL',
      run,
      with: { install_image: 'image' },
      refused: ['Install image must be an absolute path or a URL', null],
    },
    {
      title: 'refuse an allocator that nobody knows',
      run,
      with: { default_iallocator: 'nosuch' },
      refused: ["Invalid default iallocator script 'nosuch' specified", 'wrong_input'],
    },
    {
      title: 'can do without an allocator',
      run,
      with: { default_iallocator: '' },
      leaves: [cluster('default_iallocator'), ['']],
    },
    {
      title: 'change collectors one by one',
      run,
      with: { enabled_data_collectors: { lv: false }, data_collector_interval: { drbd: 7 } },
      leaves: [
        ({ cluster }) => [
          cluster.enabled_data_collectors.lv,
          cluster.enabled_data_collectors.drbd,
          cluster.data_collector_interval.drbd,
        ],
        [false, true, 7],
      ],
    },
    {
      title: 'refuse a collector that there is not',
      run,
      with: { enabled_data_collectors: { weather: true } },
      refused: ['Data collector names not recognized: weather', 'wrong_input'],
    },
    {
      title: 'refuse compression without gzip',
      run,
      with: { compression_tools: ['xz'] },
      refused: [
        'For compatibility reasons, the gzip utility must be present among the compression tools',
        'wrong_input',
      ],
    },
    {
      title: 'refuse compression by what is no program',
      run,
      with: { compression_tools: ['gzip', 'rm -rf'] },
      refused: [/^The tools 'rm -rf' contain illegal characters/, 'wrong_input'],
    },
    {
      title: 'do not change in a dry run',
      run,
      with: { max_running_jobs: 3, dry_run: true },
      unchanged: true,
    },
  ])
})

t.test('parameters', async (t) => {
  testCases(t, [
    {
      title: 'of instances may stand for several',
      run,
      with: { beparams: { memory: '256', auto_balance: 'false' } },
      leaves: [
        ({ cluster: { beparams } }) => [
          beparams.minmem,
          beparams.maxmem,
          beparams.auto_balance,
          beparams.vcpus,
        ],
        [256, 256, false, 1],
      ],
    },
    {
      title: 'of instances must leave them their memory',
      run,
      with: { beparams: { minmem: 1024 } },
      refused: ['Minimum memory (1024 MiB) is above maximum memory (512 MiB)', 'wrong_input'],
    },
    {
      title: 'of instances must fit on their nodes',
      after: [
        ['SET_PARAMS', { instance_name: 'plain', beparams: { memory: 'default', minmem: 'default' } }],
        ['STARTUP', { instance_name: 'plain' }],
      ],
      run,
      with: { beparams: { memory: '5g' } },
      refused: [
        'Not enough memory on node node2.example.com for its instances: needed 6144 MiB, available 4096 MiB',
        'insufficient_resources',
      ],
    },
    {
      title: 'of nodes fill up',
      run,
      with: { ndparams: { spindle_count: 3 } },
      leaves: [({ cluster: { ndparams } }) => [ndparams.spindle_count, ndparams.ssh_port], [3, 22]],
    },
    {
      title: 'of NICs must make sense for all',
      run,
      with: { nicparams: { mode: 'routed' } },
      refused: [
        /^Cannot apply the change, errors:\nInstance away.example.com, nic\/0: routed NIC with no ip address\n/,
        'wrong_input',
      ],
    },
    {
      title: 'of NICs change where they do',
      run,
      with: { nicparams: { link: 'br5' } },
      leaves: [({ cluster: { nicparams } }) => nicparams, { mode: 'bridged', link: 'br5', vlan: '' }],
    },
    {
      title: 'of hypervisors are put among the others',
      run,
      with: { hvparams: { kvm: { acpi: 'false' } } },
      leaves: [(config) => [hv('kvm', 'acpi')(config), hv('kvm', 'serial_console')(config)], [false, true]],
    },
    {
      title: 'of hypervisors must make sense to them',
      run,
      with: { hvparams: { kvm: { boot_order: 'sideways' } } },
      refused: [/^Parameter 'boot_order' fails syntax check/, null, 'HypervisorError'],
    },
    {
      title: 'of hypervisors must be of one that there is',
      run,
      with: { hvparams: { vax: {} } },
      refused: ["Unknown hypervisor type 'vax'", null, 'HypervisorError'],
    },
    {
      title: 'of an OS override those of the hypervisor, until they are taken back',
      after: [[run, { os_hvp: { debian: { kvm: { acpi: false }, 'xen-hvm': { pae: false } } } }]],
      run,
      with: { os_hvp: { debian: { kvm: null, 'xen-hvm': { acpi: false } } } },
      leaves: [({ cluster: { os_hvp } }) => os_hvp, { debian: { 'xen-hvm': { pae: false, acpi: false } } }],
    },
    {
      title: 'of an OS are gone with the last of them',
      run,
      with: { osparams: { debian: { mirror: null } } },
      leaves: [cluster('osparams'), [{}]],
    },
    {
      title: 'of an OS must be known to it',
      run,
      with: { osparams: { debian: { colour: 'red' } } },
      refused: [
        'OS Parameters validation failed on node node1.example.com: The following parameters are not supported by ' +
          'the OS debian: colour',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'of an OS that is not there are not looked at',
      run,
      with: { osparams: { nosuch: { colour: 'red' } } },
      tells: [' - INFO: OS nosuch not found on node node1.example.com, validation skipped'],
    },
    {
      title: 'of disks change template by template',
      run,
      with: { diskparams: { drbd: { 'resync-rate': '2048' } } },
      leaves: [
        ({ cluster: { diskparams } }) => [diskparams.drbd?.['resync-rate'], diskparams.drbd?.protocol],
        [2048, 'C'],
      ],
    },
    {
      title: 'of disks that nobody knows are refused',
      run,
      with: { diskparams: { plain: { protocol: 'C' } } },
      refused: [
        "While verify diskparams options: ('Provided option keys not supported: plain/protocol', 'wrong_input')",
        'wrong_input',
      ],
    },
    {
      title: 'of the policy change one by one, with a word on instances left outside',
      run,
      with: { ipolicy: { 'vcpu-ratio': 2, 'disk-templates': ['drbd', 'file'] } },
      tells: [
        ' - WARNING: After the ipolicy change the following instances violate them: away.example.com, ' +
          'big.example.com, plain.example.com, shared.example.com, shelved.example.com',
      ],
      leaves: [({ cluster: { ipolicy } }) => [ipolicy['vcpu-ratio'], ipolicy['spindle-ratio']], [2, 32]],
    },
    {
      title: 'of the policy cannot be unset',
      run,
      with: { ipolicy: { 'vcpu-ratio': 'default' } },
      refused: ["Can't unset ipolicy attribute 'vcpu-ratio' on the cluster'", 'wrong_input'],
    },
    {
      title: 'of the policy fit a standard instance',
      run,
      with: { ipolicy: { std: { 'memory-size': '1t' } } },
      refused: ['Invalid instance policy: Invalid std specifications', 'wrong_input'],
    },
  ])
})

t.test('what there may be', async (t) => {
  testCases(t, [
    {
      title: 'hypervisors are enabled with their defaults',
      run,
      with: { enabled_hypervisors: ['kvm', 'chroot'] },
      tells: ["Failed to stop KVM daemon on node 'offline.example.com': Node is marked offline"],
      leaves: [cluster('enabled_hypervisors'), [['kvm', 'chroot']]],
    },
    {
      title: 'one that instances use stays enabled',
      run,
      with: { enabled_hypervisors: ['xen-hvm'] },
      refused: [/^Cannot disable hypervisor 'kvm', because instance \S+ uses it$/, 'wrong_state'],
    },
    {
      title: 'so does a template with disks',
      run,
      with: { enabled_disk_templates: without('file'), ipolicy: { 'disk-templates': without('file') } },
      refused: [
        "Cannot disable disk template 'file', because there is at least one disk using it:\n" +
          ' * <Disk(type=file, disk/0, size=2048m)> (on file.example.com)',
        'wrong_state',
      ],
    },
    {
      title: 'and the one without disks',
      run,
      with: { enabled_disk_templates: without('diskless') },
      refused: [
        "Cannot disable disk template 'diskless', because there is at least one instance using it:\n" +
          ' * shelved.example.com',
        'wrong_state',
      ],
    },
    {
      title: 'another goes when the policy lets it',
      run,
      with: { enabled_disk_templates: without('ext') },
      refused: [
        'The following disk template are allowed by the ipolicy, but not enabled on the cluster: ext',
        null,
      ],
    },
    {
      title: 'with the policy it goes at once',
      run,
      with: { enabled_disk_templates: without('ext'), ipolicy: { 'disk-templates': without('ext') } },
      leaves: [cluster('enabled_disk_templates'), [without('ext')]],
    },
    {
      title: 'a new one is not allowed by that alone',
      run,
      with: { enabled_disk_templates: [...ALL, 'gluster'], gluster_storage_dir: '/srv/gluster' },
      leaves: [
        ({ cluster }) => [cluster.gluster_storage_dir, cluster.ipolicy['disk-templates'].includes('gluster')],
        ['/srv/gluster', false],
      ],
    },
    {
      title: 'the volume group stays while disks may be on it',
      run,
      with: { vg_name: '' },
      refused: ['Cannot unset volume group if lvm-based disk templates are or get enabled.', 'wrong_input'],
    },
    {
      title: 'it may change its name, on nodes that can be reached',
      run,
      with: { vg_name: 'fast' },
      tells: [
        ' - WARNING: Error while gathering data on node offline.example.com (ignoring node): Node is marked offline',
      ],
      leaves: [cluster('volume_group_name'), ['fast']],
    },
    {
      title: 'a folder of files stays while they may be there',
      run,
      with: { file_storage_dir: '' },
      refused: [
        "Unsetting the 'file' storage directory while having 'file' storage enabled is not permitted.",
        'wrong_input',
      ],
    },
    {
      title: 'one that is not needed is worth a warning',
      run,
      with: { gluster_storage_dir: '/srv/gluster', file_storage_dir: '/srv/files' },
      tells: [
        ' - WARNING: Specified a gluster storage directory, although gluster storage is not enabled.',
        "Global file storage dir already set to value '/srv/files'",
      ],
    },
    {
      title: "DRBD's helper stays while it is needed",
      run,
      with: { drbd_helper: '' },
      refused: ['Cannot disable drbd helper while DRBD is enabled.', 'wrong_state'],
    },
    {
      title: 'another is checked where nodes can be reached',
      run,
      with: { drbd_helper: '/sbin/helper' },
      tells: [' - INFO: Not checking drbd helper on offline node offline.example.com'],
      leaves: [cluster('drbd_usermode_helper'), ['/sbin/helper']],
    },
  ])
})

t.test('the network for talking to instances', async (t) => {
  testCases(t, [
    {
      title: 'is made and connected by a job of its own',
      run,
      with: { instance_communication_network: 'talk' },
      result: {},
      tells: ["Changing instance communication network to 'talk', only new instances will be affected."],
      submits: [
        [
          {
            OP_ID: 'OP_NETWORK_ADD',
            network_name: 'talk',
            network: '169.254.0.0/16',
            mac_prefix: '52:54:00',
            conflicts_check: true,
          },
          { OP_ID: 'OP_NETWORK_CONNECT', network_name: 'talk', network_mode: 'routed' },
          { OP_ID: 'OP_NETWORK_CONNECT', network_name: 'talk', network_link: 'communication_rt' },
        ],
      ],
      leaves: [cluster('instance_communication_network'), ['talk']],
    },
    {
      title: 'may be one that is there, with a warning of what is unusual',
      run,
      with: { instance_communication_network: 'front' },
      tells: [
        " - WARNING: Supplied instance communication network 'front' has an IPv4 gateway '192.0.2.1', this might " +
          "pose a security risk (default is 'None').",
      ],
      submits: [[{ OP_ID: 'OP_NETWORK_CONNECT', network_name: 'front' }]],
    },
    {
      title: 'is given up, and then left to somebody',
      after: [[run, { instance_communication_network: 'front' }]],
      run,
      with: { instance_communication_network: '' },
      result: null,
      tells: [
        "Previous instance communication network 'front' should be removed manually.",
        'Disabling instance communication network, only new instances will be affected.',
      ],
    },
  ])
})

t.test('what else there is of the cluster', async (t) => {
  testCases(t, [
    {
      title: 'its configuration is written again',
      run: 'OP_CLUSTER_REDIST_CONF',
      with: {},
      result: null,
      leaves: [cluster('serial_no', 'mtime'), [2, 1_800_000_002]],
    },
    {
      title: 'OSes are listed, without those that cannot be used',
      run: 'OP_OS_DIAGNOSE',
      with: { output_fields: ['name', 'variants'], names: [] },
      result: [
        ['debian', ['bookworm', 'trixie']],
        ['plain', []],
      ],
    },
    {
      title: 'unless somebody asks which those are',
      run: 'OP_OS_DIAGNOSE',
      with: { output_fields: ['name', 'valid', 'blacklisted'], names: ['broken', 'forbidden', 'plain'] },
      result: [
        ['broken', false, false],
        ['forbidden', true, true],
        ['plain', true, false],
      ],
    },
    {
      title: 'OSes have no other fields',
      run: 'OP_OS_DIAGNOSE',
      with: { output_fields: ['name', 'colour'], names: [] },
      refused: ['Unknown output fields selected: colour', 'wrong_input'],
    },
  ])
  const { result } = operationsCluster().run(opcode('OP_CLUSTER_QUERY', {}))
  t.match(result, { name: 'cluster.example.com', master: 'node1.example.com', default_hypervisor: 'kvm' })
})
