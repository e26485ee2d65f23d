/** Operations on networks. */
import t from 'tap'
import type { Config } from '../../../../lib/model/config.ts'
import { testCases } from '../../../support/operation-cases.ts'

const taken = (name: string) => (config: Config) => config.networks.byName.get(name)?.ext_reservations
const network = (name: string) => (config: Config) => {
  const { gateway, network6, gateway6, mac_prefix } = config.networks.byName.get(name) ?? {}
  return { gateway, network6, gateway6, mac_prefix }
}
const fresh = { network_name: 'new', network: '203.0.113.0/29' }
const front = { network_name: 'front' }

t.test('add', async (t) => {
  testCases(t, [
    {
      title: 'sets aside what the network itself needs, and the addresses of nodes, and tells of these',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, gateway: '203.0.113.1' },
      result: null,
      tells: [
        " - WARNING: Cannot reserve IP address '203.0.113.1' of node 'node1.example.com': IP 203.0.113.1 is " +
          'already externally reserved',
        " - INFO: Reserved IP address of node 'node2.example.com' (203.0.113.2)",
      ],
      leaves: [taken('new'), '11111111'],
    },
    {
      title: 'keeps quiet of them where no conflicts are looked for',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, network: '10.0.0.0/29', conflicts_check: false },
      leaves: [taken('new'), '10000001'],
    },
    {
      title: 'sets addresses aside by hand',
      run: 'OP_NETWORK_ADD',
      with: {
        ...fresh,
        network: '10.0.0.0/29',
        gateway: '10.0.0.6',
        add_reserved_ips: ['10.0.0.2', '10.0.0.3'],
      },
      leaves: [taken('new'), '10110011'],
    },
    {
      title: 'refuses to set one aside twice',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, network: '10.0.0.0/29', add_reserved_ips: ['10.0.0.2', '10.0.0.2'] },
      refused: [
        "Cannot reserve IP address '10.0.0.2': IP 10.0.0.2 is already externally reserved",
        null,
        'OpExecError',
      ],
    },
    {
      title: 'refuses a gateway elsewhere',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, gateway: '198.51.100.1' },
      refused: [
        "Cannot create IP address pool for network 'new': 203.0.113.0/29 does not contain 198.51.100.1",
        null,
        'OpExecError',
      ],
    },
    {
      title: 'refuses a network that is too small',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, network: '10.0.0.0/31' },
      refused: [
        "Cannot create IP address pool for network 'new': A network with only 2 host(s) is too small, please " +
          'specify at least a /30 network',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'refuses one that is too large',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, network: '10.0.0.0/8' },
      refused: [
        /A big network with 16777216 host\(s\) is currently not supported. .* \/16 network$/,
        null,
        'OpExecError',
      ],
    },
    {
      title: 'refuses a name that is taken',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, ...front },
      refused: [/^Desired network name 'front' already exists as a network \(UUID: /, 'already_exists'],
    },
    {
      title: 'refuses half a MAC that is none',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, mac_prefix: 'aa:bb' },
      refused: ["Invalid MAC address prefix 'aa:bb'", 'wrong_input'],
    },
    {
      title: 'refuses a tag that is none',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, tags: ['bad tag'] },
      refused: ['Tag contains invalid characters', null, 'TagError'],
    },
    {
      title: 'refuses an IPv6 gateway elsewhere',
      run: 'OP_NETWORK_ADD',
      with: { ...fresh, network6: '2001:db8:1::/64', gateway6: '2001:db8:2::1' },
      refused: ['IPv6 network 2001:db8:1::/64 does not contain gateway 2001:db8:2::1', null, 'OpExecError'],
    },
    {
      title: 'makes instances find addresses in it',
      after: [
        ['OP_NETWORK_ADD', { ...fresh, network: '10.0.0.0/29', gateway: '10.0.0.1', mac_prefix: 'AA:BB:DD' }],
        [
          'OP_NETWORK_CONNECT',
          { network_name: 'new', group_name: 'default', network_mode: 'bridged', network_link: 'br7' },
        ],
      ],
      run: 'SET_PARAMS',
      with: { instance_name: 'plain', nics: [['add', -1, { network: 'new', ip: 'pool' }]] },
      becomes: { plain: { nics: [{}, { ip: '10.0.0.2', mac: /^aa:bb:dd:/, nicparams: { link: 'br7' } }] } },
    },
  ])
})

t.test('set-params', async (t) => {
  testCases(t, [
    {
      title: 'moves the gateway, and frees its old address',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway: '192.0.2.6' },
      leaves: [taken('front'), '10010011'],
    },
    {
      title: 'refuses a gateway that an instance has',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway: '192.0.2.2' },
      refused: ["Gateway IP address '192.0.2.2' is already reserved", 'wrong_state'],
    },
    {
      title: 'refuses a gateway that is set aside for something else',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway: '192.0.2.3' },
      refused: ['IP 192.0.2.3 is already externally reserved', null, 'AddressPoolError'],
    },
    {
      title: 'refuses a gateway elsewhere',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway: '10.0.0.1' },
      refused: ['192.0.2.0/29 does not contain 10.0.0.1', null, 'AddressPoolError'],
    },
    {
      title: 'sets aside and frees what can be, and warns of the rest',
      run: 'OP_NETWORK_SET_PARAMS',
      with: {
        ...front,
        add_reserved_ips: ['192.0.2.4', '192.0.2.3'],
        remove_reserved_ips: ['192.0.2.3', '192.0.2.1', '192.0.2.5', '192.0.2.7'],
      },
      tells: [
        ' - WARNING: Cannot reserve IP address 192.0.2.3: IP 192.0.2.3 is already externally reserved',
        " - WARNING: Cannot unreserve Gateway's IP",
        ' - WARNING: Cannot release IP address 192.0.2.5: IP 192.0.2.5 is not externally reserved',
        ' - WARNING: Cannot release IP address 192.0.2.7: IP 192.0.2.7 is the broadcast address',
      ],
      leaves: [taken('front'), '11001001'],
    },
    {
      title: 'refuses both at once',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway: '192.0.2.6', add_reserved_ips: ['192.0.2.4'] },
      refused: ['Cannot modify gateway and reserved ips at once', 'wrong_input'],
    },
    {
      title: 'changes what is not about IPv4',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, mac_prefix: 'none', network6: '2001:db8::/64', gateway6: '2001:db8::1' },
      leaves: [
        network('front'),
        { gateway: '192.0.2.1', network6: '2001:db8::/64', gateway6: '2001:db8::1', mac_prefix: null },
      ],
    },
    {
      title: 'refuses an IPv6 gateway without a network',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { ...front, gateway6: '2001:db8::1' },
      refused: ['Gateway 2001:db8::1 needs an IPv6 network', null, 'OpExecError'],
    },
    {
      title: 'refuses a network that is not there',
      run: 'OP_NETWORK_SET_PARAMS',
      with: { network_name: 'nosuch' },
      refused: ["Network 'nosuch' not found", 'unknown_entity'],
    },
  ])
})

t.test('connect and disconnect', async (t) => {
  const connect = (given: object) => ({
    group_name: 'default',
    network_name: 'back',
    network_mode: 'routed',
    network_link: 'main',
    ...given,
  })
  const connections = (name: string) => (config: Config) =>
    Object.entries(config.groups.byName.get(name)?.networks ?? {}).map(([uuid, params]) => [
      config.networks.byUuid.get(uuid)?.name,
      params,
    ])
  const toFront = ['front', { mode: 'bridged', link: 'br0', vlan: '' }]
  testCases(t, [
    {
      title: 'a network is connected to a group in a way of its own',
      run: 'OP_NETWORK_CONNECT',
      with: connect({ network_vlan: '.7' }),
      leaves: [connections('default'), [toFront, ['back', { mode: 'routed', link: 'main', vlan: '.7' }]]],
    },
    {
      title: 'one that is connected stays as it is',
      run: 'OP_NETWORK_CONNECT',
      with: connect({ network_name: 'front' }),
      tells: [" - WARNING: Network 'front' is already mapped to group 'default'"],
      unchanged: true,
    },
    {
      title: 'addresses of its own in use elsewhere keep it from being connected',
      after: [
        ['OP_NETWORK_ADD', { network_name: 'new', network: '10.0.0.0/24' }],
        ['SET_PARAMS', { instance_name: 'plain', nics: [['add', -1, { ip: '10.0.0.9' }]] }],
      ],
      run: 'OP_NETWORK_CONNECT',
      with: connect({ network_name: 'new' }),
      tells: [
        " - WARNING: IP addresses from network 'new', which is about to connect to node group 'default', are in " +
          'use: plain.example.com: nic1/10.0.0.9',
      ],
      refused: [
        'Conflicting IP addresses found;  remove/modify the corresponding network interfaces',
        'wrong_state',
      ],
    },
    {
      title: 'unless nobody is to look',
      after: [
        ['OP_NETWORK_ADD', { network_name: 'new', network: '10.0.0.0/24' }],
        ['SET_PARAMS', { instance_name: 'plain', nics: [['add', -1, { ip: '10.0.0.9' }]] }],
      ],
      run: 'OP_NETWORK_CONNECT',
      with: connect({ network_name: 'new', conflicts_check: false }),
      leaves: [(config) => connections('default')(config).length, 2],
    },
    {
      title: 'NICs in a network keep it connected',
      run: 'OP_NETWORK_DISCONNECT',
      with: { ...front, group_name: 'default' },
      tells: [
        " - WARNING: IP addresses from network 'front', which is about to disconnect from node group 'default', " +
          'are in use: mirror.example.com: nic0/192.0.2.2',
      ],
      refused: [
        'Conflicting IP addresses found;  remove/modify the corresponding network interfaces',
        'wrong_state',
      ],
    },
    {
      title: 'without them it is disconnected',
      after: [
        ['SET_PARAMS', { instance_name: 'mirror', nics: [['modify', 0, { network: 'none', ip: 'none' }]] }],
      ],
      run: 'OP_NETWORK_DISCONNECT',
      with: { ...front, group_name: 'default' },
      leaves: [connections('default'), []],
    },
    {
      title: 'one that is not connected is not disconnected',
      run: 'OP_NETWORK_DISCONNECT',
      with: { ...front, group_name: 'strict' },
      tells: [" - WARNING: Network 'front' is not mapped to group 'strict'"],
      unchanged: true,
    },
    {
      title: 'both need a group that is there',
      run: 'OP_NETWORK_DISCONNECT',
      with: { ...front, group_name: 'nosuch' },
      refused: ["Node group 'nosuch' not found", 'unknown_entity'],
    },
  ])
})

t.test('remove and rename', async (t) => {
  const names = (config: Config) => config.networks.all.map(({ name }) => name)
  testCases(t, [
    {
      title: 'a network that nothing is connected to is removed',
      run: 'OP_NETWORK_REMOVE',
      with: { network_name: 'back' },
      leaves: [names, ['front']],
    },
    {
      title: 'another is not, and its groups are told',
      run: 'OP_NETWORK_REMOVE',
      with: front,
      tells: [" - WARNING: Network 'front' is connected to the following node groups: default"],
      refused: ['Network still connected', 'wrong_state'],
    },
    {
      title: 'a network gets a new name, and stays connected',
      run: 'OP_NETWORK_RENAME',
      with: { ...front, new_name: 'public' },
      result: 'public',
      leaves: [(config) => [...names(config), config.networkInstances.size], ['back', 'public', 1]],
    },
    {
      title: 'but none that is taken',
      run: 'OP_NETWORK_RENAME',
      with: { ...front, new_name: 'back' },
      refused: [/^Desired new name 'back' clashes with existing network \(UUID: /, 'already_exists'],
    },
  ])
})
