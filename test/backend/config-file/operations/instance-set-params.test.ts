/** Changing instances: parameters, NICs, disks, state. */
import t from 'tap'
import type { Json, JsonObject } from '../../../../lib/json/json.ts'
import { type Case, nodeUuid, operationsCluster, testCases } from '../../../support/operation-cases.ts'
import { GANETI_3_1 } from '../../../support/versions.ts'

const mirror = { instance_name: 'mirror.example.com' }
const shared = { instance_name: 'shared.example.com' }
const plain = { instance_name: 'plain.example.com' }

function change(
  title: string,
  instance: JsonObject,
  given: JsonObject,
  result: Json,
  more: Partial<Case> = {},
): Case {
  return { title, run: 'SET_PARAMS', with: { ...instance, ...given }, result, ...more }
}

function refusal(
  title: string,
  instance: JsonObject,
  given: JsonObject,
  ...refused: Required<Case>['refused']
): Case {
  return { title, run: 'SET_PARAMS', with: { ...instance, ...given }, refused }
}

t.test('parameters', async (t) => {
  testCases(t, [
    change(
      'are set and told of',
      mirror,
      { beparams: { vcpus: 2 }, hvparams: { acpi: false } },
      [
        ['hv/acpi', false],
        ['be/vcpus', 2],
      ],
      { becomes: { mirror: { hvparams: { acpi: false }, serial_no: 2 } } },
    ),
    change(
      'are taken back with "default" or null',
      shared,
      { beparams: { minmem: 'default', maxmem: null } },
      [
        ['be/minmem', 'default'],
        ['be/maxmem', null],
      ],
      { becomes: { shared: ({ beparams }) => JSON.stringify(beparams) === '{"vcpus":2}' } },
    ),
    change(
      'of the OS are set, secret ones without their values',
      plain,
      {
        osparams: { colour: 'red' },
        osparams_private: { password: 'x' },
      },
      [
        ['os/colour', 'red'],
        ['os_private/password', "Private(?, descr='password')"],
      ],
      { becomes: { plain: { osparams: { colour: 'red' }, osparams_private: ['password'] } } },
    ),
    change('for an OS that nobody has are as good as any', plain, { os_name: 'nosuch' }, [], {
      becomes: { plain: { os: 'nosuch' } },
    }),
    change('of memory at run time leave no trace', shared, { runtime_mem: 512 }, [['runtime_memory', 512]]),
    refusal('none at all are refused', mirror, {}, 'No changes submitted', 'wrong_input'),
    refusal(
      'unknown ones are refused',
      mirror,
      { beparams: { colour: 1 } },
      "Unknown parameter 'colour'",
      null,
      'TypeEnforcementError',
    ),
    refusal(
      'that make no sense are refused',
      mirror,
      { hvparams: { boot_order: 'cdrom' } },
      'Cannot boot from cdrom without an ISO path',
      null,
      'HypervisorError',
    ),
    refusal(
      'with more memory than the node has are refused',
      mirror,
      { beparams: { memory: 6000 } },
      'This change will prevent the instance from starting, due to 880 MB of memory missing on its primary node',
      'insufficient_resources',
    ),
    refusal(
      "with more memory than DRBD's other node has are refused",
      mirror,
      { beparams: { memory: 3500 } },
      'This change will prevent the instance from failover to its secondary node node2.example.com, due to not enough memory',
      'wrong_state',
    ),
    change(
      'with more memory than there is are taken by force',
      mirror,
      { beparams: { maxmem: 8000 }, force: true },
      [['be/maxmem', 8000]],
    ),
    refusal(
      'with more memory at the least than there is are refused even by force',
      mirror,
      { beparams: { memory: 8000 }, force: true },
      // 1 GiB is the node's own, 256 MiB the other instance's at the least.
      'This change will prevent the instance from starting, due to 1088 MB of memory missing on its primary node',
      'insufficient_resources',
    ),
    refusal(
      'against the policy are refused',
      plain,
      { beparams: { vcpus: 9 } },
      /violates policy: cpu-count value 9 is not in range \[1, 4\]$/,
      'wrong_input',
    ),
    change(
      'against the policy are taken if told to',
      plain,
      { beparams: { vcpus: 9 }, ignore_ipolicy: true },
      [['be/vcpus', 9]],
    ),
    refusal(
      'with a mask for other CPUs than there are are refused',
      plain,
      { hvparams: { cpu_mask: '0:1' } },
      'Number of vCPUs [1] does not match the CPU mask [0:1]',
      'wrong_input',
    ),
    refusal(
      'with a mask for more CPUs than the node has are refused',
      plain,
      { hvparams: { cpu_mask: '0-8' } },
      'Node node2.example.com has 8 physical CPUs, but 9 are required',
      'insufficient_resources',
    ),
    refusal(
      'of memory at run time are refused to what does not run',
      plain,
      { runtime_mem: 512 },
      'Instance plain.example.com is not running',
      'wrong_state',
    ),
    refusal(
      'of memory at run time stay between the bounds',
      shared,
      { runtime_mem: 4096 },
      'Instance shared.example.com must have memory between 256 and 2048 MB of memory unless --force is given',
      'wrong_input',
    ),
  ])
})

t.test('state', async (t) => {
  testCases(t, [
    change('an instance that is down goes offline', plain, { offline: true }, [['admin_state', 'offline']], {
      becomes: { plain: { admin_state: 'offline' } },
    }),
    change(
      'and comes back',
      { instance_name: 'shelved.example.com' },
      { offline: false },
      [['admin_state', 'down']],
      { becomes: { shelved: { admin_state: 'down' } } },
    ),
    refusal(
      'one that is up does not',
      mirror,
      { offline: true },
      "Instance 'mirror.example.com' is marked to be up, can't change to offline without being down first",
      'wrong_state',
    ),
  ])
})

t.test('NICs', async (t) => {
  testCases(t, [
    change(
      'are added, with what is in effect',
      plain,
      { nics: [['add', -1, { mac: 'aa:00:00:00:00:99', link: 'br7', name: 'extra' }]] },
      [['nic.1', 'add:mac=aa:00:00:00:00:99,ip=None,mode=bridged,link=br7,network=None']],
      {
        becomes: {
          plain: { nics: [{}, { name: 'extra', nicparams: { mode: 'bridged', link: 'br7', vlan: '' } }] },
        },
      },
    ),
    change(
      'are added in front, in a network',
      plain,
      { nics: [['add', 0, { network: 'front', ip: 'pool', mac: 'aa:bb:cc:00:00:99' }]] },
      [['nic.0', 'add:mac=aa:bb:cc:00:00:99,ip=192.0.2.4,mode=bridged,link=br0,network=front']],
      {
        tells: [' - INFO: Chose IP 192.0.2.4 from network front'],
        becomes: {
          plain: (_instance, { config }) => config.networks.byName.get('front')?.reservations === '00101000',
        },
      },
    ),
    change(
      'are changed by number, name or UUID',
      mirror,
      { nics: [['modify', 'public', { ip: '192.0.2.6', name: 'none' }]] },
      [
        ['nic.ip/0', '192.0.2.6'],
        ['nic.name/0', null],
        ['nic.link/0', 'br0'],
        ['nic.mode/0', 'bridged'],
        ['nic.vlan/0', ''],
      ],
      {
        tells: [' - INFO: Reserving IP 192.0.2.6 in network front'],
        becomes: {
          mirror: ({ nics }, { config }) =>
            nics[0]?.name === null && config.networks.byName.get('front')?.reservations === '00000010',
        },
      },
    ),
    {
      title: 'leave a network, with their address, for another prefix',
      run: 'SET_PARAMS',
      with: { ...mirror, nics: [[0, { network: 'none', ip: 'none' }]] },
      becomes: {
        mirror: ({ nics: [nic] }, { config }) =>
          nic?.network === null &&
          nic.ip === null &&
          nic.mac.startsWith('aa:00:00:') &&
          config.networks.byName.get('front')?.reservations === '00000000',
      },
    },
    change('are removed, in the older form too', mirror, { nics: [['remove', {}]] }, [['NIC/0', 'remove']], {
      becomes: { mirror: ({ nics }) => nics.length === 0 },
      // The policy wants one.
      with: { ...mirror, nics: [['remove', {}]], ignore_ipolicy: true },
    }),
    refusal(
      'below the number that the policy wants are refused',
      mirror,
      { nics: [['remove', -1, {}]] },
      /violates policy: nic-count value 0 is not in range \[1, 8\]$/,
      'wrong_input',
    ),
    refusal(
      'that are not there are refused',
      plain,
      { nics: [['modify', 'nosuch', {}]] },
      'Cannot find NIC with identifier nosuch',
      'unknown_entity',
    ),
    refusal(
      'beyond the last are refused',
      plain,
      { nics: [['modify', 4, {}]] },
      'Got NIC index 4, but there are only 1',
      null,
      'OpExecError',
    ),
    refusal(
      'to be removed with settings are refused',
      plain,
      { nics: [['remove', 0, { link: 'x' }]] },
      'No settings should be passed when removing or detaching a NIC',
      'wrong_input',
    ),
    refusal(
      'with an address that is taken are refused',
      plain,
      { nics: [['modify', 0, { mac: 'aa:00:00:00:00:01' }]] },
      "MAC address 'aa:00:00:00:00:01' already in use in cluster",
      'resource_not_unique',
    ),
    refusal(
      'that exist get no automatic address',
      plain,
      { nics: [['modify', 0, { mac: 'auto' }]] },
      "'auto' is not a valid MAC address when modifying an existing NIC",
      'wrong_input',
    ),
    refusal(
      'of a network are linked as it is',
      mirror,
      { nics: [['modify', 0, { link: 'br9' }]] },
      'Not allowed to change link or mode of a NIC that is connected to a network',
      'wrong_input',
    ),
    refusal(
      'take no address that is not available',
      plain,
      { nics: [['modify', 0, { network: 'front', ip: '192.0.2.2' }]] },
      'IP 192.0.2.2 not available in network front',
      'resource_not_unique',
    ),
    refusal(
      'join no network that is not connected',
      plain,
      { nics: [['modify', 0, { network: 'back' }]] },
      'No netparams found for the network back, probably not connected',
      'wrong_input',
    ),
    refusal(
      'that are routed need an address',
      plain,
      { nics: [['modify', 0, { mode: 'routed' }]] },
      'Cannot set the NIC IP address to None on a routed NIC if not attached to a network',
      'wrong_input',
    ),
    refusal(
      'are neither attached nor detached',
      plain,
      { nics: [['detach', 0, {}]] },
      'Detach operation is not supported for NICs',
      'wrong_input',
    ),
    refusal(
      'are at most eight',
      plain,
      { nics: Array.from({ length: 8 }, () => ['add', -1, {}]), ignore_ipolicy: true },
      'Instance has too many network interfaces (8), cannot add more',
      'wrong_state',
    ),
    change(
      'change in a running instance at once, where that can be',
      mirror,
      {
        nics: [['add', -1, { mac: 'aa:00:00:00:00:98' }]],
        hotplug: true,
      },
      [
        ['nic.1', 'add:mac=aa:00:00:00:00:98,ip=None,mode=bridged,link=xen-br0,network=None'],
        ['nic.1', 'hotplug:done'],
      ],
      { tells: [' - INFO: Trying to hotplug device...', ' - INFO: Hotplug done.'] },
    ),
    refusal(
      'do not change at once in one that is down',
      plain,
      { nics: [['add', -1, {}]], hotplug: true },
      /^Hotplug is not possible: Hotplug is not supported: Instance is probably down/,
      'wrong_state',
    ),
    change(
      'change later where they cannot at once',
      plain,
      {
        nics: [['add', -1, { mac: 'aa:00:00:00:00:97' }]],
        hotplug_if_possible: true,
      },
      [['nic.1', 'add:mac=aa:00:00:00:00:97,ip=None,mode=bridged,link=xen-br0,network=None']],
      {
        tells: [
          ' - WARNING: Hotplug is not supported: Instance is probably down',
          ' - INFO: Modification will take place without hotplugging.',
        ],
      },
    ),
    change(
      'change at once since 3.1, without a word of it',
      mirror,
      { nics: [['add', -1, { mac: 'aa:00:00:00:00:96' }]] },
      [
        ['nic.1', 'add:mac=aa:00:00:00:00:96,ip=None,mode=bridged,link=xen-br0,network=None'],
        ['nic.1', 'hotplug:done'],
      ],
      { version: GANETI_3_1, tells: [' - INFO: Trying to hotplug device...', ' - INFO: Hotplug done.'] },
    ),
    change(
      'change later since 3.1 in an instance that is down, even if hotplug is asked for',
      plain,
      { nics: [['add', -1, { mac: 'aa:00:00:00:00:95' }]], hotplug: true },
      [['nic.1', 'add:mac=aa:00:00:00:00:95,ip=None,mode=bridged,link=xen-br0,network=None']],
      { version: GANETI_3_1 },
    ),
  ])
})

t.test('disks', async (t) => {
  testCases(t, [
    change(
      'are added',
      plain,
      { disks: [['add', -1, { size: '2g', name: 'data', mode: 'ro' }]] },
      [['disk/1', 'add:size=2048,mode=ro']],
      {
        tells: ['* disk 1, size 2.0G', ' - INFO: Waiting for instance plain.example.com to sync disks'],
        becomes: { plain: { disks: [{}, { size: 2048, name: 'data', iv_name: 'disk/1' }] } },
      },
    ),
    change(
      'are added in front, and numbered anew',
      mirror,
      { disks: [['add', 0, { size: 1024 }]] },
      [['disk/0', 'add:size=1024,mode=rw']],
      {
        becomes: {
          mirror: ({ disks }) =>
            disks.map(({ iv_name, size }) => `${iv_name}:${size}`).join() ===
            'disk/0:1024,disk/1:10240,disk/2:20480',
        },
      },
    ),
    change(
      'are changed',
      mirror,
      { disks: [['modify', 'root', { name: 'none', mode: 'ro' }]] },
      [
        ['disk.mode/0', 'ro'],
        ['disk.name/0', null],
      ],
      { becomes: { mirror: { disks: [{ name: null, mode: 'ro', serial_no: 2 }, { serial_no: 1 }] } } },
    ),
    change(
      'are removed; without any the instance is diskless',
      plain,
      { disks: [['remove', -1, {}]] },
      [['disk/0', 'remove']],
      { becomes: { plain: { disk_template: 'diskless', disks: [] } } },
    ),
    refusal(
      'are not removed while it runs',
      mirror,
      { disks: [['remove', 0, {}]] },
      "Instance 'mirror.example.com' is marked to be up, can't remove volume from a running instance without using hotplug",
      'wrong_state',
    ),
    refusal(
      'do not grow this way',
      mirror,
      { disks: [['modify', 0, { size: 4096 }]] },
      'Disk size change not possible, use grow-disk',
      'wrong_input',
    ),
    refusal(
      'need a size',
      plain,
      { disks: [['add', -1, {}]] },
      "Required disk parameter 'size' missing",
      'wrong_input',
    ),
    refusal(
      'need room',
      plain,
      {
        disks: [
          ['add', -1, { size: '90g' }],
          ['add', -1, { size: '90g' }],
        ],
      },
      /^Not enough disk space on target node node2\.example\.com vg xenvg: required 184320 MiB/,
      'insufficient_resources',
    ),
    refusal(
      'are called by names of their own',
      mirror,
      { disks: [['modify', 1, { name: 'root' }]] },
      "disk name 'root' already used",
      'resource_not_unique',
    ),
    refusal(
      'are not added to an instance without any',
      { instance_name: 'shelved.example.com' },
      { disks: [['add', -1, { size: 1024 }]] },
      'Must specify disk type on diskless instance',
      'wrong_input',
    ),
    refusal(
      'that are not there are not found',
      plain,
      { disks: [['modify', 'nosuch', { mode: 'ro' }]] },
      "Lookup of disk 'nosuch' failed",
    ),
    refusal(
      'cannot be detached',
      plain,
      { disks: [['detach', 0, {}]] },
      "Cannot detach a disk: the cluster's file has no place for it",
      'wrong_input',
    ),
    refusal(
      'that nobody has cannot be attached',
      plain,
      { disks: [['attach', -1, { name: 'nosuch' }]] },
      'No disk was found with this name: nosuch',
      'wrong_input',
    ),
    refusal(
      'of others cannot be attached',
      plain,
      { disks: [['attach', -1, { name: 'root' }]] },
      'Disk root belongs to instance mirror.example.com',
      'wrong_state',
    ),
    refusal(
      'are not added and converted at once',
      plain,
      { disks: [['add', -1, { size: 1024 }]], disk_template: 'drbd' },
      'Disk template conversion and other disk changes not supported at the same time',
      'wrong_input',
    ),
  ])
})

t.test('disk templates', async (t) => {
  testCases(t, [
    change(
      'change from plain to DRBD on a named node',
      plain,
      {
        disk_template: 'drbd',
        remote_node: 'node1.example.com',
      },
      [['disk_template', 'drbd']],
      {
        tells: [
          "Converting disk template from 'plain' to 'drbd'",
          'Creating additional volumes...',
          'Renaming original volumes...',
          'Initializing DRBD devices...',
        ],
        becomes: {
          plain: ({ secondary_nodes, disks: [disk] }, cluster) =>
            secondary_nodes[0] === nodeUuid(cluster, 'node1') &&
            disk?.size === 20480 &&
            disk.children.length === 2,
        },
      },
    ),
    change(
      'change from plain to DRBD on a chosen node',
      plain,
      { disk_template: 'drbd', iallocator: 'hail' },
      [['disk_template', 'drbd']],
      {
        tells: ['Using hail to choose new secondary', 'hail choose node1.example.com as new secondary'],
      },
    ),
    change(
      'change from DRBD to plain, where it runs',
      mirror,
      { disk_template: 'plain' },
      [['disk_template', 'plain']],
      {
        after: [['SHUTDOWN', mirror]],
        tells: [
          "Converting disk template from 'drbd' to 'plain'",
          'Removing volumes on the secondary node...',
          'Removing unneeded volumes on the primary node...',
        ],
        becomes: {
          mirror: ({ secondary_nodes, disks }, cluster) =>
            secondary_nodes.length === 0 &&
            disks[0]?.name === 'root' &&
            disks.every(({ nodes }) => nodes.join() === nodeUuid(cluster, 'node1')),
        },
      },
    ),
    change(
      'change from files to volumes by copying',
      { instance_name: 'file.example.com' },
      { disk_template: 'plain' },
      [['disk_template', 'plain']],
      {
        tells: [
          "Generating new 'plain' disk template...",
          "Creating new empty disks of type 'plain'...",
          ' - copying data from disk 0 (file), size 2.0G',
          "Removing old block devices of type 'file'...",
        ],
      },
    ),
    refusal(
      'do not change while it runs',
      mirror,
      { disk_template: 'plain' },
      "Instance 'mirror.example.com' is marked to be up, cannot change disk template",
      'wrong_state',
    ),
    refusal(
      'do not change to themselves',
      plain,
      { disk_template: 'plain' },
      'Instance already has disk template plain',
      'wrong_input',
    ),
    refusal(
      'do not change to nothing',
      plain,
      { disk_template: 'diskless' },
      "Conversion to the 'diskless' disk template is not supported",
      'wrong_input',
    ),
    refusal(
      'do not change from nothing',
      { instance_name: 'shelved.example.com' },
      { disk_template: 'plain' },
      "Conversion from the 'diskless' disk template is not supported",
      'wrong_input',
    ),
    refusal(
      'change to DRBD only with room on the other node',
      { instance_name: 'big.example.com' },
      { disk_template: 'drbd', remote_node: 'node3.example.com' },
      /^Not enough disk space on target node node3.example.com vg xenvg: required 40128 MiB/,
      'insufficient_resources',
    ),
    {
      title: 'change to volumes only with room on its own node',
      run: 'SET_PARAMS',
      after: [['GROW_DISK', { instance_name: 'file.example.com', disk: 0, amount: 28_000 }]],
      with: { instance_name: 'file.example.com', disk_template: 'plain' },
      refused: [
        /^Not enough disk space on target node node3.example.com vg xenvg: required 30048 MiB/,
        'insufficient_resources',
      ],
    },
    refusal(
      'change to DRBD on two nodes',
      plain,
      { disk_template: 'drbd', remote_node: 'node2.example.com' },
      'Given new secondary node node2.example.com is the same as the primary node of the instance',
      'wrong_state',
    ),
  ])
})

t.test('a new primary node', async (t) => {
  testCases(t, [
    change("is DRBD's other one", mirror, { pnode: 'node2.example.com' }, [], {
      after: [['SHUTDOWN', mirror]],
      becomes: {
        mirror: ({ primary_node, secondary_nodes }, cluster) =>
          primary_node === nodeUuid(cluster, 'node2') && secondary_nodes[0] === nodeUuid(cluster, 'node1'),
      },
    }),
    change('takes local disks along', plain, { pnode: 'node1.example.com' }, [], {
      becomes: { plain: ({ disks }, cluster) => disks[0]?.nodes[0] === nodeUuid(cluster, 'node1') },
    }),
    refusal(
      'is none where DRBD has no disks',
      { instance_name: 'halved.example.com' },
      { pnode: 'node1.example.com' },
      'The disks of instance halved.example.com are not on node node1.example.com',
      'wrong_state',
    ),
    refusal(
      'is not for one that runs',
      mirror,
      { pnode: 'node2.example.com' },
      'Instance is still running on node1.example.com',
      'wrong_state',
    ),
    change('is for one that runs by force', mirror, { pnode: 'node2.example.com', force: true }, []),
    refusal(
      'has room for local disks',
      { instance_name: 'big.example.com' },
      { pnode: 'node3.example.com' },
      /^Not enough disk space on target node node3.example.com vg xenvg: required 40000 MiB/,
      'insufficient_resources',
    ),
    refusal(
      'is one for instances',
      plain,
      { pnode: 'storage.example.com' },
      `Can't use non-vm_capable node ${nodeUuid(operationsCluster(), 'storage')}`,
      'wrong_state',
    ),
  ])
})
