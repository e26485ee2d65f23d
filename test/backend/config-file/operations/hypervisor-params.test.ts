import t from 'tap'
import { parseCpuMask } from '../../../../lib/backend/config-file/operations/shared/cpu-mask.ts'
import { checkHvParams } from '../../../../lib/backend/config-file/operations/shared/hypervisor-params.ts'
import { HV_DEFAULTS, hvDefaults } from '../../../../lib/model/defaults.ts'
import type { HvParams } from '../../../../lib/model/params.ts'
import { type Version, versionFrom } from '../../../../lib/model/version.ts'
import { GANETI_3_0 } from '../../../support/versions.ts'

t.test('the defaults of every hypervisor are good', async (t) => {
  for (const [hypervisor, defaults] of Object.entries(HV_DEFAULTS)) {
    t.doesNotThrow(() => checkHvParams(GANETI_3_0, hypervisor, defaults, defaults), hypervisor)
  }
})

t.test('what a hypervisor can make nothing of is refused', async (t) => {
  const cases: readonly (readonly [hypervisor: string, params: HvParams, text: string | RegExp])[] = [
    ['kvm', { colour: 'red' }, "Parameter 'colour' is not supported"],
    ['kvm', { kvm_path: '' }, "Parameter 'kvm_path' is required but is currently not defined"],
    [
      'kvm',
      { kernel_path: 'vmlinuz' },
      /^Parameter 'kernel_path' fails syntax check: must be an absolute normalized path/,
    ],
    ['kvm', { kernel_path: '/boot/../vmlinuz' }, /must be an absolute normalized path/],
    [
      'kvm',
      { cdrom_image_path: 'ftp:x' },
      /must be an absolute normalized path or a URL \(current value: 'ftp:x'\)$/,
    ],
    [
      'kvm',
      { nic_type: 'fast' },
      /^Parameter 'nic_type' fails syntax check: The value must be one of: e1000, /,
    ],
    ['kvm', { cpu_mask: '3-1' }, /Multiple CPU mask definition is not well-formed/],
    ['kvm', { virtio_net_queues: 9 }, /invalid number of queues/],
    ['kvm', { migration_port: 65_535 }, /invalid port number/],
    ['kvm', { boot_order: 'cdrom' }, 'Cannot boot from cdrom without an ISO path'],
    ['kvm', { root_path: '' }, 'Need a root partition for the instance, if a kernel is defined'],
    ['kvm', { security_model: 'user' }, 'A security domain (user to run kvm as) must be specified'],
    [
      'kvm',
      { security_domain: 'kvm' },
      "Cannot have a security domain when the security model is 'none' or 'pool'",
    ],
    ['kvm', { serial_speed: 1234 }, /^Invalid serial console speed, must be one of: 75, /],
    ['kvm', { vnc_x509_verify: true }, 'vnc_x509_path must be defined, if vnc_x509_verify is'],
    ['kvm', { spice_use_tls: true }, 'SPICE: spice_use_tls requires spice_bind to be set'],
    [
      'kvm',
      { spice_bind: '127.0.0.1', spice_ip_version: 6 },
      'SPICE: Got an IPv4 address (127.0.0.1), but the specified IP version is 6',
    ],
    ['kvm', { disk_aio: 'native' }, /^When 'disk_aio' is set to 'native', the only supported value/],
    ['xen-hvm', { boot_order: 'x' }, /must be one or more of \[acdn\]/],
    ['xen-hvm', { vnc_bind_address: 'nowhere' }, /VNC bind address is not a valid IP address/],
    ['xen-pvm', { cpu_weight: 0 }, /invalid weight/],
    [
      'lxc',
      { cpu_mask: '0:1' },
      /^Parameter 'cpu_mask' fails syntax check: CPU mask definition is not well-formed/,
    ],
    ['chroot', { init_script: 'run' }, /must be an absolute normalized path/],
    ['fake', { migration_mode: 'fast' }, /invalid migration mode/],
  ]
  for (const [hypervisor, params, text] of cases) {
    const known = HV_DEFAULTS[hypervisor] as HvParams
    const shown = `${hypervisor} ${JSON.stringify(params)}`
    t.throws(
      () => checkHvParams(GANETI_3_0, hypervisor, known, { ...known, ...params }),
      { kind: 'HypervisorError', message: text },
      shown,
    )
  }
})

t.test('rules of later releases count from these on', async (t) => {
  const cases: readonly (readonly [params: HvParams, versions: readonly string[]])[] = [
    [{ disk_discard: 'default' }, ['2.16', '3.0']],
    [{ disk_aio: 'io_uring' }, ['3.1', '3.2']],
    [{ virtio_net_queues: 32 }, ['3.2']],
    [{ virtio_net_queues: 33 }, []],
    [{ scsi_controller_type: 'dc390' }, ['3.2']],
  ]
  for (const [params, versions] of cases) {
    const taken = ['2.16', '3.0', '3.1', '3.2'].filter((text) => {
      const version = versionFrom(text) as Version
      const known = hvDefaults(version).kvm as HvParams
      try {
        checkHvParams(version, 'kvm', known, { ...known, ...params })
        return true
      } catch {
        return false
      }
    })
    t.strictSame(taken, versions, JSON.stringify(params))
  }
})

t.test('masks of CPUs', async (t) => {
  t.same(parseCpuMask('0-2,5:all:1'), [[0, 1, 2, 5], [], [1]])
  t.same(parseCpuMask(''), [])
  for (const bad of ['x', '1-', '2-1', '1--2', '0,', ':']) t.equal(parseCpuMask(bad), undefined, bad)
  t.equal(parseCpuMask('0-9999:'.repeat(10).slice(0, -1))?.length, 10)
  for (const mask of [
    '1'.repeat(20),
    '1'.repeat(400),
    '0-9999:'.repeat(100_000),
    '0-9999,'.repeat(100_000),
  ]) {
    t.equal(parseCpuMask(`${mask}0`), undefined, `${mask.slice(0, 20)}...`)
  }
})
