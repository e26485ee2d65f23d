import t from 'tap'
import { BE_DEFAULTS, HV_DEFAULTS, hvDefaults, IPOLICY_DEFAULTS } from '../../../../../lib/model/defaults.ts'
import { NEWEST } from '../../../../../lib/model/version.ts'
import { read, SMALL, sample } from '../../../../support/yaml-clusters.ts'

t.test('the cluster’s defaults are complete', async (t) => {
  const { cluster, nodes } = read(sample)
  t.match(cluster, {
    cluster_name: 'cluster1.example.com',
    master_node: nodes[0]?.uuid,
    master_ip: '192.0.2.10',
    master_netmask: 32,
    primary_ip_version: 4,
    enabled_hypervisors: ['xen-pvm', 'xen-hvm', 'kvm'],
    enabled_disk_templates: ['drbd', 'plain', 'file', 'diskless'],
    beparams: { ...BE_DEFAULTS, minmem: 512, maxmem: 512 },
    ipolicy: { 'vcpu-ratio': 8, 'spindle-ratio': 32, std: IPOLICY_DEFAULTS.std },
    drbd_usermode_helper: '/bin/true',
    tags: ['production', 'site:berlin'],
  })
  t.strictSame(cluster.ipolicy.minmax[0]?.min, { ...IPOLICY_DEFAULTS.minmax[0]?.min, 'memory-size': 128 })
  t.match(cluster.ipolicy.minmax[0]?.max, { 'memory-size': 16384, 'disk-size': 2097152, 'nic-count': 8 })
  t.strictSame(cluster.hvparams.kvm, {
    ...hvDefaults(NEWEST).kvm,
    vnc_bind_address: '0.0.0.0',
    kernel_path: '',
  })
  t.strictSame(cluster.hvparams.lxc, HV_DEFAULTS.lxc)
})

t.test(
  'the policy of a cluster allows the disk templates that are enabled, unless it says which',
  async (t) => {
    const allowed = (cluster: string) =>
      read(`cluster: {name: c, ${cluster}}\nnodes: {n: {}}\n`).cluster.ipolicy['disk-templates']
    t.strictSame(allowed('enabled_disk_templates: [file, drbd]'), ['file', 'drbd'])
    t.strictSame(allowed('enabled_disk_templates: [file, drbd], ipolicy: {vcpu-ratio: 2}'), ['file', 'drbd'])
    t.strictSame(allowed('enabled_disk_templates: [file, drbd], ipolicy: {disk-templates: [drbd]}'), ['drbd'])
  },
)

t.test('a cluster allows what a new one does, and first of all what its instances use', async (t) => {
  const enabled = (instances: string) =>
    read(`${SMALL}instances: {${instances}}`).cluster.enabled_disk_templates
  t.strictSame(enabled(''), ['drbd', 'plain'])
  t.strictSame(enabled('a: {pnode: n1, snode: n2, disks: [1]}'), ['drbd', 'plain'])
  t.strictSame(enabled('a: {pnode: n1, disks: [1]}'), ['plain', 'drbd'])
  t.strictSame(enabled('a: {pnode: n1, disk_template: file, disks: [1]}, b: {pnode: n1}'), [
    'file',
    'drbd',
    'plain',
    'diskless',
  ])
})

t.test('a cluster is like the version of Ganeti that it names, or else like the newest one', async (t) => {
  const versionOf = (said: string) => read(`cluster: {name: c${said}}\nnodes: {n1: }`).version
  t.strictSame(versionOf(''), NEWEST)
  t.strictSame(versionOf(', software_version: 3.0'), { text: '3.0.2', number: 3000000 })
  t.strictSame(versionOf(', software_version: 3.1.0~rc2'), { text: '3.1.0~rc2', number: 3010000 })
  t.strictSame(versionOf(', software_version: "2.16"'), { text: '2.16.0', number: 2160000 })
  t.equal(
    read('cluster: {name: c, software_version: 3.0}\nnodes: {n1: }').cluster.hvparams.kvm?.vhost_net,
    false,
  )
  for (const wrong of ['3', '2.5', '3.3', '9.9.9', 'three', '"3.1.x"', 'yes'])
    t.throws(() => versionOf(`, software_version: ${wrong}`), { code: 'configuration' }, wrong)
})
