/** Starting, stopping, renaming, reinstalling and removing instances. */
import t from 'tap'
import { opcode } from '../../../support/live-cluster.ts'
import { freeMemory, operationsCluster, testCases } from '../../../support/operation-cases.ts'

const mirror = { instance_name: 'mirror.example.com' }
const plain = { instance_name: 'plain.example.com' }
const shelved = { instance_name: 'shelved.example.com' }
const away = { instance_name: 'away.example.com' }

t.test('startup', async (t) => {
  testCases(t, [
    {
      title: 'marks an instance up, with its disks',
      run: 'STARTUP',
      with: plain,
      result: null,
      becomes: { plain: { admin_state: 'up', disks_active: true, serial_no: 2 } },
    },
    { title: 'of one that runs changes nothing', run: 'STARTUP', with: mirror, unchanged: true },
    {
      title: 'knows short names',
      run: 'STARTUP',
      with: { instance_name: 'plain' },
      becomes: { plain: { admin_state: 'up' } },
    },
    {
      title: 'knows no others',
      run: 'STARTUP',
      with: { instance_name: 'pla' },
      refused: ["Instance 'pla' not known", 'unknown_entity'],
    },
    {
      title: 'wants the instance that was meant',
      run: 'STARTUP',
      with: { ...plain, instance_uuid: 'other' },
      refused: [
        /UUID '.*' does not match the expected UUID 'other' for instance 'plain.example.com'/,
        'resource_not_unique',
      ],
    },
    {
      title: 'is refused to one that is marked offline',
      run: 'STARTUP',
      with: shelved,
      refused: [
        "Instance 'shelved.example.com' is marked to be offline, can't use instance from outside down, up states",
        'wrong_state',
      ],
    },
    {
      title: 'is refused on an offline node',
      run: 'STARTUP',
      with: away,
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'on an offline node marks at least, if told to',
      run: 'STARTUP',
      with: { ...away, ignore_offline_nodes: true, hvparams: { acpi: false } },
      tells: [
        ' - WARNING: Ignoring offline primary node',
        ' - WARNING: Overridden parameters are ignored',
        ' - INFO: Primary node offline, marked instance as started',
      ],
      becomes: { away: { admin_state: 'up' } },
    },
    {
      title: 'is refused where memory is short',
      run: 'STARTUP',
      with: { ...plain, beparams: { memory: 4096 } },
      refused: [
        'Not enough memory on node node2.example.com for starting instance plain.example.com: needed 4096 MiB, ' +
          'available 3072 MiB',
        'insufficient_resources',
      ],
    },
    {
      title: 'is refused with parameters that the hypervisor does not have',
      run: 'STARTUP',
      with: { ...plain, hvparams: { pae: true } },
      refused: ["Parameter 'pae' is not supported", null, 'HypervisorError'],
    },
    {
      title: 'to be forgotten changes nothing',
      run: 'STARTUP',
      with: { ...plain, no_remember: true },
      unchanged: true,
    },
    {
      title: 'when dry only checks',
      run: 'STARTUP',
      with: { ...plain, dry_run: true },
      tells: [' - INFO: dry-run mode requested, not actually executing the operation'],
      unchanged: true,
    },
  ])
})

t.test('shutdown', async (t) => {
  testCases(t, [
    {
      title: 'marks an instance down, without its disks',
      run: 'SHUTDOWN',
      with: mirror,
      becomes: { mirror: { admin_state: 'down', admin_state_source: 'admin', disks_active: false } },
    },
    { title: 'of one that is down changes nothing', run: 'SHUTDOWN', with: plain, unchanged: true },
    {
      title: 'leaves one that is marked offline so, even by force',
      run: 'SHUTDOWN',
      with: { ...shelved, force: true },
      tells: [' - WARNING: Ignoring offline instance check'],
      unchanged: true,
    },
    {
      title: 'is refused to one that is marked offline',
      run: 'SHUTDOWN',
      with: shelved,
      refused: [/is marked to be offline/, 'wrong_state'],
    },
    {
      title: 'is refused on an offline node',
      run: 'SHUTDOWN',
      with: away,
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'cannot be said to be by the user where it was not',
      run: 'SHUTDOWN',
      with: { ...mirror, admin_state_source: 'user' },
      refused: ["Instance 'mirror.example.com' was not shutdown by the user"],
    },
    {
      title: 'to be forgotten changes nothing',
      run: 'SHUTDOWN',
      with: { ...mirror, no_remember: true, admin_state_source: 'admin' },
      tells: [
        " - WARNING: Parameter 'admin_state_source' has no effect if used with parameter 'no_remember'",
      ],
      unchanged: true,
    },
  ])
})

t.test('reboot', async (t) => {
  testCases(t, [
    { title: 'of one that runs changes nothing', run: 'REBOOT', with: mirror, unchanged: true },
    {
      title: 'starts one that is down',
      run: 'REBOOT',
      with: plain,
      tells: [' - INFO: Instance plain.example.com was already stopped, starting now'],
      becomes: { plain: { admin_state: 'up', disks_active: true } },
    },
    {
      title: 'is refused on an offline node',
      run: 'REBOOT',
      with: away,
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'fails where there is no memory to start with',
      run: 'REBOOT',
      after: [['SET_PARAMS', { ...plain, beparams: { memory: 4000 }, force: true }]],
      with: plain,
      refused: [/^Could not start instance for full reboot: Not enough memory/, null, 'OpExecError'],
    },
  ])
})

t.test('rename', async (t) => {
  testCases(t, [
    {
      title: 'gives another name, and files another folder',
      run: 'RENAME',
      with: { instance_name: 'file.example.com', new_name: 'Renamed.example.com' },
      result: 'renamed.example.com',
      becomes: {
        file: null,
        renamed: ({ disks }) =>
          /^\/srv\/files\/renamed\.example\.com\/[^/]+\.file\.disk0$/.test(String(disks[0]?.logical_id[1])),
      },
    },
    {
      title: 'is refused while it runs',
      run: 'RENAME',
      with: { ...mirror, new_name: 'new.example.com' },
      refused: ["Instance 'mirror.example.com' is marked to be up, cannot rename", 'wrong_state'],
    },
    {
      title: 'is refused to a name that is taken',
      run: 'RENAME',
      with: { ...plain, new_name: 'file.example.com' },
      refused: ["Instance 'file.example.com' is already in the cluster", 'already_exists'],
    },
    {
      title: 'is refused to what cannot be a name',
      run: 'RENAME',
      with: { ...plain, new_name: 'a..b' },
      refused: ["Invalid hostname 'a..b'", 'wrong_input'],
    },
    {
      title: 'with a check of the address needs one of the name',
      run: 'RENAME',
      with: { ...plain, new_name: 'new.example.com', name_check: false },
      refused: ['IP address check requires a name check', 'wrong_input'],
    },
    {
      title: 'tells of an OS that is not there any more',
      run: 'RENAME',
      after: [['SET_PARAMS', { ...plain, os_name: 'nosuch+x' }]],
      with: { ...plain, new_name: 'new.example.com' },
      tells: [
        ' - WARNING: Could not run OS rename script for instance new.example.com on node node2.example.com (but the ' +
          'instance has been renamed in Ganeti): Directory for OS nosuch not found in search path',
      ],
    },
    {
      title: "tells of DRBD's other node that is away",
      run: 'RENAME',
      with: { instance_name: 'halved.example.com', new_name: 'new.example.com' },
      tells: [
        ' - WARNING: Could not prepare block device disk/0 on node offline.example.com (is_primary=False, pass=1): ' +
          'Node is marked offline',
      ],
      becomes: { new: {} },
    },
  ])
})

t.test('reinstall', async (t) => {
  testCases(t, [
    {
      title: 'puts another OS on an instance and adds its parameters',
      run: 'REINSTALL',
      with: { ...plain, os_type: 'debian+trixie', osparams: { mirror: 'http://near.example.com' } },
      tells: ["Changing OS scripts to 'debian+trixie'...", ' - INFO: Running instance OS create scripts...'],
      becomes: { plain: { os: 'debian+trixie', osparams: { mirror: 'http://near.example.com' } } },
    },
    {
      title: 'keeps the OS parameters that are not given again',
      run: 'REINSTALL',
      after: [
        [
          'REINSTALL',
          { ...plain, os_type: 'debian+trixie', osparams: { mirror: 'http://near.example.com' } },
        ],
      ],
      with: plain,
      becomes: { plain: { osparams: { mirror: 'http://near.example.com' } } },
    },
    {
      title: 'is refused while it runs',
      run: 'REINSTALL',
      with: mirror,
      refused: ["Instance 'mirror.example.com' is marked to be up, cannot reinstall", 'wrong_state'],
    },
    {
      title: 'is refused without disks',
      run: 'REINSTALL',
      with: shelved,
      refused: ["Instance 'shelved.example.com' has no disks", 'wrong_input'],
    },
    {
      title: 'is refused on an offline node',
      run: 'REINSTALL',
      with: away,
      refused: ['Instance primary node offline, cannot reinstall: offline.example.com', 'wrong_state'],
    },
    ...(
      [
        ['nosuch', 'Directory for OS nosuch not found in search path'],
        ['debian', "OS name 'debian' must include a variant"],
        ['debian+sid', "OS 'debian' does not support variant 'sid'"],
        ['plain+x', "OS 'plain' does not support variants ('x' passed)"],
        ['broken', 'OS broken is invalid'],
      ] as const
    ).map(([os, fault]) => ({
      title: `is refused with OS ${os}`,
      run: 'REINSTALL',
      with: { ...plain, os_type: os },
      refused: [
        `OS Parameters validation failed on node node2.example.com: ${fault}`,
        null,
        'OpExecError',
      ] as const,
    })),
    {
      title: 'takes any variant if told to',
      run: 'REINSTALL',
      with: { ...plain, os_type: 'debian+sid', force_variant: true },
      becomes: { plain: { os: 'debian+sid' } },
    },
    {
      title: 'is refused with a parameter that the OS does not have',
      run: 'REINSTALL',
      with: { ...plain, os_type: 'debian+trixie', osparams: { colour: 'red' } },
      refused: [/not supported by the OS debian: colour$/, null, 'OpExecError'],
    },
    {
      title: 'takes an image',
      run: 'REINSTALL',
      with: { ...plain, osparams: { 'os-image': '/srv/images/base.img' } },
      tells: [
        "Using OS image '/srv/images/base.img'",
        " - INFO: Imaging disk '0' for instance 'plain.example.com' on node 'node2.example.com'",
      ],
    },
    {
      title: 'takes no image that is neither a path nor a URL',
      run: 'REINSTALL',
      with: { ...plain, osparams: { 'os-image': 'base.img' } },
      refused: ['OS image must be an absolute path or a URL', 'wrong_input'],
    },
  ])
})

t.test('remove', async (t) => {
  testCases(t, [
    {
      title: 'takes an instance away and gives its addresses and memory back',
      run: 'REMOVE',
      with: mirror,
      result: null,
      becomes: {
        mirror: null,
        shared: (_instance, cluster) =>
          cluster.config.networks.byName.get('front')?.reservations === '00000000' &&
          freeMemory(cluster, 'node1') === 8192 - 1024 - 2048,
      },
    },
    {
      title: 'when dry takes nothing away',
      run: 'REMOVE',
      with: { ...mirror, dry_run: true },
      unchanged: true,
    },
    {
      title: 'is refused on an offline node',
      run: 'REMOVE',
      with: away,
      refused: [
        'Could not shutdown instance away.example.com on node offline.example.com: Node is marked offline',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'on an offline node takes away what it can, if told to',
      run: 'REMOVE',
      with: { ...away, ignore_failures: true },
      tells: [
        "Warning: can't shutdown instance: Node is marked offline",
        ' - WARNING: Could not remove disk 0 on node offline.example.com, continuing anyway: Node is marked offline',
        "Warning: can't remove instance's disks",
      ],
      becomes: { away: null },
    },
    {
      title: "is not kept from it by DRBD's other node",
      run: 'REMOVE',
      with: { instance_name: 'halved.example.com' },
      tells: [
        ' - WARNING: Could not remove disk 0 on node offline.example.com, continuing anyway: Node is marked offline',
      ],
      becomes: { halved: null },
    },
  ])
})

t.test('the console', async (t) => {
  testCases(t, [
    {
      title: 'of one that does not run is refused',
      run: 'CONSOLE',
      with: shelved,
      refused: ['Instance shelved.example.com is not running (state ADMIN_offline)', null, 'OpExecError'],
    },
    {
      title: 'on an offline node is refused',
      run: 'CONSOLE',
      with: away,
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
  ])
  const { result } = operationsCluster().run(opcode('CONSOLE', mirror))
  t.match(result, { instance: 'mirror.example.com', kind: 'ssh', host: 'node1.example.com' })
})

t.test('everything about instances', async (t) => {
  const cluster = operationsCluster()
  const all = cluster.run(opcode('QUERY_DATA', { instances: [] })).result as { [name: string]: unknown }
  t.equal(Object.keys(all).length, cluster.config.instances.all.length)
  t.match(all['mirror.example.com'], {
    run_state: 'up',
    snodes: ['node2.example.com'],
    disks: [
      {
        drbd_info: { primary_node: 'node1.example.com', secondary_node: 'node2.example.com' },
        pstatus: ['/dev/drbd0', 147, 0, null, null, false, 1],
        logical_id: { 5: null },
        children: [{ pstatus: [/^\/dev\/xenvg\//] }, { dev_type: 'plain' }],
      },
      {},
    ],
  })
  t.match(all['plain.example.com'], { run_state: 'down', disks: [{ pstatus: null }] })
  t.match(all['away.example.com'], { run_state: null })
  const known = cluster.run(opcode('QUERY_DATA', { instances: ['mirror'], static: true }))
  t.match(known.result, { 'mirror.example.com': { run_state: null, disks: [{ pstatus: null }, {}] } })
  t.same(known.log, [])
  testCases(t, [
    {
      title: 'of one that is not there is refused',
      run: 'QUERY_DATA',
      with: { instances: ['nobody'] },
      refused: ["Instance 'nobody' not known", 'unknown_entity'],
    },
  ])
})
