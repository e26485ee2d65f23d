import t from 'tap'
import type { Cluster } from '../../lib/model/cluster.ts'
import {
  filledBeParams,
  filledDiskParams,
  filledHvParams,
  filledIPolicy,
  filledNdParams,
  filledNicParams,
  filledOsParams,
  hvParam,
} from '../../lib/model/fill.ts'
import type { Group } from '../../lib/model/group.ts'
import type { Instance, Nic } from '../../lib/model/instance.ts'
import type { Node } from '../../lib/model/node.ts'

const beparams = {
  minmem: 128,
  maxmem: 256,
  vcpus: 1,
  auto_balance: true,
  always_failover: false,
  spindle_use: 1,
}
const ndparams = {
  cpu_speed: 1,
  exclusive_storage: false,
  oob_program: '',
  ovs: false,
  ovs_link: '',
  ovs_name: 'switch1',
  spindle_count: 1,
  ssh_port: 22,
}

const cluster = {
  hvparams: {
    kvm: { acpi: true, boot_order: 'disk', kernel_path: '', migration_port: 8102 },
    'xen-pvm': { kernel_path: '/boot/vmlinuz', xen_cmd: 'xm' },
  },
  os_hvp: { 'debian+default': { kvm: { acpi: false, kernel_path: '/boot/debian', migration_port: 1 } } },
  beparams,
  ndparams,
  nicparams: { mode: 'bridged', link: 'br0', vlan: '' },
  osparams: { debian: { mirror: 'a', size: '1' } },
  ipolicy: { minmax: [{ name: 'cluster' }], std: { name: 'cluster' }, 'vcpu-ratio': 4, 'spindle-ratio': 32 },
  diskparams: { drbd: { protocol: 'C', 'resync-rate': 1 }, plain: { stripes: 1 } },
} as unknown as Cluster

function instance(changes: object): Instance {
  const plain = { os: 'arch', hypervisor: 'kvm', hvparams: {}, beparams: {}, osparams: {} }
  return { ...plain, ...changes } as unknown as Instance
}

const group = (changes: object) =>
  ({ ndparams: {}, ipolicy: {}, diskparams: {}, ...changes }) as unknown as Group

t.test('hypervisor parameters come from cluster, OS and instance, without the global ones', async (t) => {
  const cases: [instance: Instance, filled: object][] = [
    [instance({}), { acpi: true, boot_order: 'disk', kernel_path: '' }],
    [instance({ os: 'debian+default' }), { acpi: false, boot_order: 'disk', kernel_path: '/boot/debian' }],
    // What an OS sets is set for the name as instances bear it, variant and all.
    [instance({ os: 'debian' }), { acpi: true, boot_order: 'disk', kernel_path: '' }],
    [instance({ os: 'debian+default', hypervisor: 'xen-pvm' }), { kernel_path: '/boot/vmlinuz' }],
    [
      instance({ os: 'debian+default', hvparams: { acpi: true, migration_port: 2 } }),
      { acpi: true, boot_order: 'disk', kernel_path: '/boot/debian' },
    ],
    [instance({ os: 'constructor' }), { acpi: true, boot_order: 'disk', kernel_path: '' }],
    [instance({ hypervisor: 'lxc' }), {}],
  ]
  for (const [instance, filled] of cases) {
    t.same(filledHvParams(cluster, instance), filled)
    for (const [name, value] of Object.entries(filled)) t.equal(hvParam(cluster, instance, name), value, name)
  }
})

t.test('a single hypervisor parameter may be a global one, or unknown', async (t) => {
  t.equal(hvParam(cluster, instance({}), 'migration_port'), 8102)
  t.equal(hvParam(cluster, instance({ os: 'debian+default' }), 'migration_port'), 8102)
  t.equal(hvParam(cluster, instance({ hypervisor: 'xen-pvm' }), 'xen_cmd'), 'xm')
  t.equal(hvParam(cluster, instance({}), 'xen_cmd'), undefined)
})

t.test('other parameters of instances come from the cluster and the instance', async (t) => {
  t.same(filledBeParams(cluster, instance({})), beparams)
  t.same(filledBeParams(cluster, instance({ beparams: { vcpus: 4 } })), { ...beparams, vcpus: 4 })
  t.same(filledNicParams(cluster, { nicparams: {} } as Nic), { mode: 'bridged', link: 'br0', vlan: '' })
  t.same(filledNicParams(cluster, { nicparams: { mode: 'routed', link: 'main' } } as Nic), {
    mode: 'routed',
    link: 'main',
    vlan: '',
  })
})

t.test('OS parameters of the cluster are for all variants of an OS', async (t) => {
  t.same(filledOsParams(cluster, instance({ osparams: { size: '2' } })), { size: '2' })
  t.same(filledOsParams(cluster, instance({ os: 'debian' })), { mirror: 'a', size: '1' })
  t.same(filledOsParams(cluster, instance({ os: 'debian+x', osparams: { size: '2' } })), {
    mirror: 'a',
    size: '2',
  })
})

t.test('node parameters come from cluster, group and node', async (t) => {
  const ofGroup = group({ ndparams: { ssh_port: 2222, ovs: true } })
  const node = { ndparams: { ssh_port: 3333 } } as Node
  t.same(filledNdParams(cluster, undefined), ndparams)
  t.same(filledNdParams(cluster, ofGroup), { ...ndparams, ssh_port: 2222, ovs: true })
  t.same(filledNdParams(cluster, ofGroup, node), { ...ndparams, ssh_port: 3333, ovs: true })
  t.same(filledNdParams(cluster, group({}), node), { ...ndparams, ssh_port: 3333 })
})

t.test("a group's limits replace the cluster's one by one", async (t) => {
  t.same(filledIPolicy(cluster, group({})), cluster.ipolicy)
  t.same(filledIPolicy(cluster, group({ ipolicy: { minmax: [{ name: 'group' }] } })), {
    ...cluster.ipolicy,
    minmax: [{ name: 'group' }],
  })
})

t.test("a group's disk parameters are filled within each template", async (t) => {
  t.same(filledDiskParams(cluster, group({})), cluster.diskparams)
  t.same(
    filledDiskParams(cluster, group({ diskparams: { drbd: { 'resync-rate': 2 }, rbd: { pool: 'p' } } })),
    {
      drbd: { protocol: 'C', 'resync-rate': 2 },
      plain: { stripes: 1 },
      rbd: { pool: 'p' },
    },
  )
})
