import t from 'tap'
import { Failure } from '../../../../../lib/failure.ts'
import { read, SMALL } from '../../../../support/yaml-clusters.ts'

t.test('everything wrong is listed, each with line and column', async (t) => {
  const cases: { title: string; text: string; errors: string[] }[] = [
    {
      title: 'an empty file',
      text: '',
      errors: ['1:1: a cluster has at least one node', '1:1: the cluster needs a name'],
    },
    {
      title: 'text',
      text: 'hello',
      errors: ['1:1: this must be an object with cluster, nodes, instances, ..., and is the text "hello"'],
    },
    {
      title: 'keys that mean nothing',
      text: 'cluster: {name: c, mastre: n1, hvparams: {kvm: {acpy: true}, kmv: {}}, ipolicy: {std: {cpus: 1}}}\nnode: {}\nnodes:\n  n1: {vpcus: 3, ndparams: {oob: x}}\n',
      errors: [
        '1:20: unknown key "mastre" (did you mean master?)',
        '1:49: unknown key "acpy" (did you mean acpi?)',
        '1:62: unknown key "kmv" (did you mean kvm?)',
        '1:88: unknown key "cpus"',
        '2:1: unknown key "node" (did you mean nodes?)',
        '4:8: unknown key "vpcus"',
        '4:29: unknown key "oob"',
      ],
    },
    {
      title: 'values of a wrong type',
      text: `cluster: {name: [c], tags: x, candidate_pool_size: many, primary_ip_version: 5}
nodes:
  n1: {memory: lots, offline: yes, cpus: 1.5, group: 7.5, tags: [1.5, [x], "a b"]}
instances:
  a: {pnode: n1, state: on, disks: {size: 1}, nics: [x], memory: -1, hvparams: {}}
  b: up
os: 3
filters: [x]`,
      errors: [
        '1:17: name must be text, and is a list',
        '1:28: tags must be a list, and is the text "x"',
        '1:52: candidate_pool_size must be a whole number, and is the text "many"',
        '1:78: primary_ip_version must be 4 or 6, and is 5',
        '3:16: memory must be a size, which is MiB, or a number with a unit (512m, 4g, 1t), and is the text "lots"',
        '3:31: offline must be true or false, and is the text "yes"',
        '3:42: cpus must be a whole number, and is 1.5',
        '3:54: group must be text, and is 7.5: put it in quotes',
        '3:66: each of tags must be text, and is 1.5: put it in quotes',
        '3:71: each of tags must be text, and is a list',
        '3:76: "a b" cannot be a tag: letters, digits and _.+*/:@- only, 128 at most',
        '5:25: state must be one of up, down, offline, and is the text "on"',
        '5:36: disks must be a list, and is an object',
        '5:54: each of nics must be an object, and is the text "x"',
        '5:66: memory must be a size, which is MiB, or a number with a unit (512m, 4g, 1t), and is -1',
        '6:3: pnode is missing',
        '6:6: b must be an object, and is the text "up"',
        '7:5: os must be an object, and is 3',
        '8:11: each of filters must be an object, and is the text "x"',
      ],
    },
    {
      title: 'a number in quotes',
      text: 'cluster: {name: c}\nnodes: {n1: {cpus: "8", disk: "5t", sockets: !!str 2}}',
      errors: [
        '2:20: cpus must be a whole number, and is the text "8"',
        '2:52: sockets must be a whole number, and is the text "2"',
      ],
    },
    {
      title: 'references to what is not there',
      text: `cluster: {name: c, master: n9}
groups: {default: {networks: {net9: {}}}, other: {}}
nodes: {n1: {group: g9}, n2: {}}
instances:
  a: {pnode: n8, snode: n7, disks: [1], nics: [{network: net8}]}`,
      errors: [
        '1:28: no such node: "n9"',
        '2:31: no such network: "net9"',
        '3:21: no such group: "g9"',
        '5:14: no such node: "n8"',
        '5:25: no such node: "n7"',
        '5:58: no such network: "net8"',
      ],
    },
    {
      title: 'what can be there but once',
      text: `cluster: {name: c, master_ip: 192.0.2.1}
nodes:
  n1: {primary_ip: 192.0.2.1, uuid: u}
  n2: {primary_ip: 192.0.2.2, secondary_ip: 192.0.2.3, uuid: u}
  n3: {primary_ip: 192.0.2.3}
  n3: {}
groups: {default: {networks: {net: {}}}}
networks: {net: {network: 198.51.100.0/24}}
instances:
  a: {pnode: n1, network_port: 11000, nics: [{mac: "aa:00:00:00:00:01", network: net, ip: 198.51.100.5}]}
  b: {pnode: n1, network_port: 11000, nics: [{mac: "AA:00:00:00:00:01", network: net, ip: 198.51.100.5}]}
os: [x, x]`,
      errors: [
        '1:31: address 192.0.2.1 is that of n1 already',
        '4:62: uuid u is that of node n1 already',
        '5:20: address 192.0.2.3 is that of n2 already',
        '6:3: "n3" is there already',
        '11:32: port 11000 is that of a already',
        '11:52: mac aa:00:00:00:00:01 is that of a already',
        '11:91: address 198.51.100.5 of net is that of a already',
        '12:9: os x is there twice',
      ],
    },
    {
      title: 'what is no address',
      text: `cluster: {name: c, master_ip: 300.0.0.1, mac_prefix: "aa:00"}
nodes: {n1: {primary_ip: node1}}
groups: {default: {networks: {net: {}, bad: {}}}}
networks:
  net: {network: 198.51.100.0/24, gateway: 198.51.101.1, network6: "2001:db8::/64", gateway6: "2001:db9::1", reserved: [198.51.100.7, all]}
  bad: {network: 198.51.100.1/24, gateway: 198.51.100.1, network6: x, mac_prefix: zz}
  odd: {network: 198.51.102.0/24, gateway6: "2001:db8::1"}
  none: {}
instances:
  a: {pnode: n1, nics: [{mac: xx}, {ip: 1.2.3}, {network: net, ip: 198.51.101.5}, {network: net, ip: "2001:db9::5"}, {mode: routed}]}`,
      errors: [
        '1:31: "300.0.0.1" is not an address',
        '1:54: "aa:00" is not like aa:00:00',
        '2:26: "node1" is not an address',
        '5:44: "198.51.101.1" is not an address of the network',
        '5:95: "2001:db9::1" is not an address of network6',
        '5:135: "all" is not an address of the network, nor two with a - between',
        '6:18: "198.51.100.1/24" is not a network like 192.0.2.0/24, from /16 to /30',
        '6:68: "x" is not a network like 2001:db8::/64',
        '6:83: "zz" is not like aa:00:00',
        '7:45: gateway6 needs network6',
        '8:3: network is missing',
        '10:31: "xx" is not like aa:00:00:12:34:56',
        '10:41: "1.2.3" is not an address',
        '10:68: 198.51.101.5 is not an address of net',
        '10:102: 2001:db9::5 is not an address of net',
        '10:118: ip is missing: a routed card needs one, or a network',
      ],
    },
    {
      title: 'instances that contradict themselves',
      text: `${SMALL}instances:
  a: {pnode: n1, snode: n1, disks: [1g]}
  b: {pnode: n1, disk_template: drbd, disks: [1g]}
  c: {pnode: n1, disk_template: plain, snode: n2, disks: [1g]}
  d: {pnode: n1, disk_template: diskless, disks: [1g]}
  e: {pnode: n1, disk_template: plain}
  f: {pnode: n1, memory: 1g, vcpus: 1, beparams: {minmem: 1g, vcpus: 2}}
  g: {pnode: n1, beparams: {minmem: 2g, maxmem: 1g}}
  h: {disks: [{}]}
  "i j": {pnode: n1, disk_template: ext, disks: [1g]}
  k: {pnode: n1, nics: [{bridge: a, link: b}], hypervisor: vmware, disk_template: zfs}
  l: {pnode: n1, snode: n2}`,
      errors: [
        '4:25: snode is the same node as pnode',
        '5:3: snode is missing: drbd needs a second node',
        '6:47: only drbd has a second node, and this is plain',
        '7:50: a diskless instance has no disks',
        '8:33: an instance with disk_template plain needs disks',
        '9:26: memory is in beparams too',
        '9:37: vcpus is in beparams too',
        '10:28: minmem (2048) is above maxmem (1024)',
        '11:3: pnode is missing',
        '11:15: size is missing',
        '12:3: "i j" cannot be the name of a host',
        '12:50: provider is missing',
        '13:34: bridge says mode and link already',
        '13:60: hypervisor must be one of chroot, fake, kvm, lxc, xen-hvm, xen-pvm, and is the text "vmware"',
        '13:83: disk_template must be one of blockdev, diskless, drbd, ext, file, gluster, plain, rbd, sharedfile, and is the text "zfs"',
        '14:25: an instance with disk_template drbd needs disks',
      ],
    },
    {
      title: 'clusters and nodes that contradict themselves',
      text: `cluster: {name: c, master: n1, hypervisor: kvm, enabled_hypervisors: [fake, xen], enabled_disk_templates: [plain], beparams: {minmem: 1g}, ipolicy: {minmax: [{min: {cpu-count: 99}}]}}
groups: {a: {}, b: {alloc_policy: never}}
networks: {net: {network: 198.51.100.0/24}}
nodes:
  n1: {offline: true, drained: true, group: a}
  n2: {offline: true, master_candidate: true, group: a, vm_capable: false}
  n3:
instances:
  a: {pnode: n2, hypervisor: kvm, disk_template: file, disks: [1], nics: [{network: net}, {network: net, link: x}]}`,
      errors: [
        '1:28: n1 is offline, drained or not master_capable',
        '1:44: kvm is not one of enabled_hypervisors',
        '1:77: "xen" is not one of chroot, fake, kvm, lxc, xen-hvm, xen-pvm',
        '1:126: minmem (1024) is above maxmem (128)',
        '1:165: cpu-count: the least (99) is above the most (8)',
        '2:35: alloc_policy must be one of preferred, last_resort, unallocable, and is the text "never"',
        '5:32: a node is offline or drained, not both',
        '6:41: a node that is offline, drained or not master_capable is no candidate',
        '7:3: group is missing, and there is none called default',
        '9:14: n2 is not vm_capable',
        "9:30: kvm is not one of the cluster's enabled_hypervisors",
        "9:50: file is not one of the cluster's enabled_disk_templates",
        '9:85: group a, where n2 is, has no connection to net',
        '9:101: group a, where n2 is, has no connection to net',
      ],
    },
    {
      title: 'no node that could be the master',
      text: 'cluster: {name: c}\nnodes: {n1: {offline: true}}',
      errors: ['2:1: none of the nodes can be the master'],
    },
    {
      title: 'more on a node than it can hold',
      text: `cluster: {name: c}
nodes:
  n1: {memory: 2g, node_memory: 512m, disk: 10g}
  n2: {disk: 9g}
instances:
  a: {pnode: n1, memory: 1g}
  b: {pnode: n1, memory: 1g}
  c: {pnode: n1, memory: 1g, state: down}
  d: {pnode: n1, snode: n2, disks: [9g], state: down}`,
      errors: [
        '3:16: what runs here takes 2560 MiB of memory, more than there is',
        '4:14: the volumes here take 9344 MiB of disk, more than there is',
      ],
    },
    {
      title: 'filters that Ganeti would not take',
      text: `${SMALL}filters: [{action: DENY}, {predicates: [[job, x], y], action: [RATE_LIMIT]}]`,
      errors: [
        '3:20: action must be one of ACCEPT, CONTINUE, PAUSE, REJECT, or [RATE_LIMIT, number of jobs]',
        '3:41: a predicate is a list that begins with jobid, opcode, reason',
        '3:51: a predicate is a list that begins with jobid, opcode, reason',
        '3:63: action must be one of ACCEPT, CONTINUE, PAUSE, REJECT, or [RATE_LIMIT, number of jobs]',
      ],
    },
  ]
  for (const { title, text, errors } of cases) {
    const expected = errors.map((error) => `cluster.yaml: ${error}`)
    try {
      read(text)
      t.fail(`${title}: must not be read`)
    } catch (error) {
      t.ok(error instanceof Failure, title)
      t.strictSame((error as Error).message.split('\n'), expected, title)
    }
  }
})
