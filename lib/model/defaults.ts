/**
 * Ganeti's own defaults, by Ganeti's own names: what a cluster gets where its
 * file is silent. These are the values of Ganeti 3.0, and files of older
 * versions are filled with them too, as Ganeti itself does when it upgrades;
 * where later ones differ, the version is asked (`hvDefaults`).
 * Where Ganeti shows parameters in an order of its own, they have it here.
 */
import type { AllocPolicy } from './group.ts'
import type {
  BeParams,
  DiskParams,
  HvParams,
  IPolicy,
  Ispecs,
  NdParams,
  NicMode,
  NicParams,
} from './params.ts'
import { isSince, type Version } from './version.ts'

/** How a parameter is written: `size` is whole MiB, `maybe-string` may be null. */
export type ParamType = 'bool' | 'float' | 'int' | 'maybe-string' | 'size' | 'string'

/** What a set of parameters has, by name. */
export type ParamTypes = { readonly [name: string]: ParamType }

export const BE_TYPES = {
  always_failover: 'bool',
  auto_balance: 'bool',
  maxmem: 'size',
  minmem: 'size',
  spindle_use: 'int',
  vcpus: 'int',
} as const satisfies ParamTypes

export const BE_DEFAULTS: BeParams = {
  minmem: 128,
  maxmem: 128,
  vcpus: 1,
  auto_balance: true,
  always_failover: false,
  spindle_use: 1,
}

export const ND_TYPES = {
  cpu_speed: 'float',
  exclusive_storage: 'bool',
  oob_program: 'string',
  ovs: 'bool',
  ovs_link: 'maybe-string',
  ovs_name: 'maybe-string',
  spindle_count: 'int',
  ssh_port: 'int',
} as const satisfies ParamTypes

export const ND_DEFAULTS: NdParams = {
  oob_program: '',
  spindle_count: 1,
  exclusive_storage: false,
  ovs: false,
  ovs_name: 'switch1',
  ovs_link: '',
  ssh_port: 22,
  cpu_speed: 1,
}

const NIC_MODES_3_0: readonly NicMode[] = ['bridged', 'openvswitch', 'pool', 'routed']
export const NIC_MODES: readonly NicMode[] = [...NIC_MODES_3_0, 'ext']

/** The modes that a NIC can have in a version. */
export function nicModes(version: Version): readonly NicMode[] {
  return isSince(version, '3.2') ? NIC_MODES : NIC_MODES_3_0
}

export const NIC_DEFAULTS: NicParams = { mode: 'bridged', link: 'xen-br0', vlan: '' }

export const HYPERVISORS = ['chroot', 'fake', 'kvm', 'lxc', 'xen-hvm', 'xen-pvm'] as const

/** Parameters only the cluster can have; on an instance they are ignored. */
export const HV_GLOBALS: readonly string[] = [
  'migration_bandwidth',
  'migration_mode',
  'migration_port',
  'xen_cmd',
]

export const HV_TYPES: ParamTypes = {
  acpi: 'bool',
  blockdev_prefix: 'string',
  boot_order: 'string',
  bootloader_args: 'string',
  bootloader_path: 'string',
  cdrom2_image_path: 'string',
  cdrom_disk_type: 'string',
  cdrom_image_path: 'string',
  cpu_cap: 'int',
  cpu_cores: 'int',
  cpu_mask: 'string',
  cpu_sockets: 'int',
  cpu_threads: 'int',
  cpu_type: 'string',
  cpu_weight: 'int',
  cpuid: 'string',
  device_model: 'string',
  devices: 'string',
  disk_aio: 'string',
  disk_cache: 'string',
  disk_discard: 'string',
  disk_type: 'string',
  drop_capabilities: 'string',
  extra_cgroups: 'string',
  extra_config: 'string',
  floppy_image_path: 'string',
  init_script: 'string',
  initrd_path: 'string',
  kernel_args: 'string',
  kernel_path: 'string',
  keymap: 'string',
  kvm_extra: 'string',
  kvm_flag: 'string',
  kvm_path: 'string',
  kvm_pci_reservations: 'int',
  machine_version: 'string',
  mem_path: 'string',
  migration_bandwidth: 'int',
  migration_caps: 'string',
  migration_downtime: 'int',
  migration_mode: 'string',
  migration_port: 'int',
  nic_type: 'string',
  num_ttys: 'int',
  pae: 'bool',
  pci_pass: 'string',
  reboot_behavior: 'string',
  root_path: 'maybe-string',
  scsi_controller_type: 'string',
  security_domain: 'string',
  security_model: 'string',
  serial_console: 'bool',
  serial_speed: 'int',
  soundhw: 'string',
  spice_bind: 'string',
  spice_image_compression: 'string',
  spice_ip_version: 'int',
  spice_jpeg_wan_compression: 'string',
  spice_password_file: 'string',
  spice_playback_compression: 'bool',
  spice_streaming_video: 'string',
  spice_tls_ciphers: 'string',
  spice_use_tls: 'bool',
  spice_use_vdagent: 'bool',
  spice_zlib_glz_wan_compression: 'string',
  startup_timeout: 'int',
  usb_devices: 'string',
  usb_mouse: 'string',
  use_bootloader: 'bool',
  use_chroot: 'bool',
  use_guest_agent: 'bool',
  use_localtime: 'bool',
  user_shutdown: 'bool',
  vga: 'string',
  vhost_net: 'bool',
  vif_script: 'string',
  vif_type: 'string',
  viridian: 'bool',
  virtio_net_queues: 'int',
  vnc_bind_address: 'string',
  vnc_password_file: 'string',
  vnc_tls: 'bool',
  vnc_x509_path: 'string',
  vnc_x509_verify: 'bool',
  vnet_hdr: 'bool',
  xen_cmd: 'string',
}

/** By hypervisor, in Ganeti 3.0; each has just the parameters it knows. */
export const HV_DEFAULTS: { readonly [hypervisor: string]: HvParams } = {
  chroot: { init_script: '/ganeti-chroot' },
  fake: { migration_mode: 'live' },
  kvm: {
    acpi: true,
    boot_order: 'disk',
    cdrom2_image_path: '',
    cdrom_disk_type: '',
    cdrom_image_path: '',
    cpu_cores: 0,
    cpu_mask: 'all',
    cpu_sockets: 0,
    cpu_threads: 0,
    cpu_type: '',
    disk_aio: 'threads',
    disk_cache: 'default',
    disk_discard: 'default',
    disk_type: 'paravirtual',
    floppy_image_path: '',
    initrd_path: '',
    kernel_args: 'ro',
    kernel_path: '/boot/vmlinuz-3-kvmU',
    keymap: '',
    kvm_extra: '',
    kvm_flag: '',
    kvm_path: '/usr/bin/kvm',
    kvm_pci_reservations: 12,
    machine_version: '',
    mem_path: '',
    migration_bandwidth: 32,
    migration_caps: '',
    migration_downtime: 30,
    migration_mode: 'live',
    migration_port: 8102,
    nic_type: 'paravirtual',
    reboot_behavior: 'reboot',
    root_path: '/dev/vda1',
    scsi_controller_type: 'lsi',
    security_domain: '',
    security_model: 'none',
    serial_console: true,
    serial_speed: 38400,
    soundhw: '',
    spice_bind: '',
    spice_image_compression: '',
    spice_ip_version: 0,
    spice_jpeg_wan_compression: '',
    spice_password_file: '',
    spice_playback_compression: true,
    spice_streaming_video: '',
    spice_tls_ciphers: 'HIGH:-DES:-3DES:-EXPORT:-DH',
    spice_use_tls: false,
    spice_use_vdagent: true,
    spice_zlib_glz_wan_compression: '',
    usb_devices: '',
    usb_mouse: '',
    use_chroot: false,
    use_guest_agent: false,
    use_localtime: false,
    user_shutdown: false,
    vga: '',
    vhost_net: false,
    virtio_net_queues: 1,
    vnc_bind_address: '',
    vnc_password_file: '',
    vnc_tls: false,
    vnc_x509_path: '',
    vnc_x509_verify: false,
    vnet_hdr: true,
  },
  lxc: {
    cpu_mask: '',
    devices: 'c 1:3 rw,c 1:5 rw,c 1:7 rw,c 1:8 rw,c 1:9 rw,c 1:10 rw,c 5:0 rw,c 5:1 rw,c 5:2 rw,c 136:* rw',
    drop_capabilities: 'mac_override,sys_boot,sys_module,sys_time,sys_admin',
    extra_cgroups: '',
    extra_config: '',
    num_ttys: 6,
    startup_timeout: 30,
  },
  'xen-hvm': {
    acpi: true,
    blockdev_prefix: 'hd',
    boot_order: 'cd',
    cdrom_image_path: '',
    cpu_cap: 0,
    cpu_mask: 'all',
    cpu_weight: 256,
    cpuid: '',
    device_model: '/usr/lib/xen/bin/qemu-dm',
    disk_type: 'paravirtual',
    kernel_path: '/usr/lib/xen/boot/hvmloader',
    migration_mode: 'non-live',
    migration_port: 8002,
    nic_type: 'rtl8139',
    pae: true,
    pci_pass: '',
    reboot_behavior: 'reboot',
    soundhw: '',
    use_localtime: false,
    vif_script: '',
    vif_type: 'ioemu',
    viridian: false,
    vnc_bind_address: '0.0.0.0',
    vnc_password_file: '/etc/ganeti/vnc-cluster-password',
    xen_cmd: 'xm',
  },
  'xen-pvm': {
    blockdev_prefix: 'sd',
    bootloader_args: '',
    bootloader_path: '',
    cpu_cap: 0,
    cpu_mask: 'all',
    cpu_weight: 256,
    cpuid: '',
    initrd_path: '',
    kernel_args: 'ro',
    kernel_path: '/boot/vmlinuz-3-xenU',
    migration_mode: 'live',
    migration_port: 8002,
    reboot_behavior: 'reboot',
    root_path: '/dev/xvda1',
    soundhw: '',
    use_bootloader: false,
    vif_script: '',
    xen_cmd: 'xm',
  },
}

const { kvm, 'xen-hvm': xenHvm, 'xen-pvm': xenPvm, ...others } = HV_DEFAULTS

const HV_DEFAULTS_3_1: typeof HV_DEFAULTS = {
  ...others,
  kvm: { ...kvm, disk_discard: 'ignore', vhost_net: true },
  'xen-hvm': withoutXenCmd(xenHvm),
  'xen-pvm': withoutXenCmd(xenPvm),
}

/** Hypervisors' parameters as a cluster of a version has them at first. */
export function hvDefaults(version: Version): typeof HV_DEFAULTS {
  return isSince(version, '3.1') ? HV_DEFAULTS_3_1 : HV_DEFAULTS
}

/** Since 3.1 there is but one command for Xen. */
function withoutXenCmd({ xen_cmd: _, ...params }: HvParams = {}): HvParams {
  return params
}

export const DISK_TEMPLATES = [
  'blockdev',
  'diskless',
  'drbd',
  'ext',
  'file',
  'gluster',
  'plain',
  'rbd',
  'sharedfile',
] as const

export const DISK_TYPES: ParamTypes = {
  access: 'string',
  'c-delay-target': 'int',
  'c-fill-target': 'int',
  'c-max-rate': 'int',
  'c-min-rate': 'int',
  'c-plan-ahead': 'int',
  'data-stripes': 'int',
  'disk-barriers': 'string',
  'disk-custom': 'string',
  'dynamic-resync': 'bool',
  host: 'string',
  'meta-barriers': 'bool',
  'meta-stripes': 'int',
  metavg: 'string',
  'net-custom': 'string',
  pool: 'string',
  port: 'int',
  protocol: 'string',
  'resync-rate': 'int',
  stripes: 'int',
  volume: 'string',
}

/** By disk template; each has just the parameters it knows. */
export const DISK_DEFAULTS: DiskParams = {
  blockdev: {},
  diskless: {},
  drbd: {
    'c-delay-target': 1,
    'c-fill-target': 0,
    'c-max-rate': 61440,
    'c-min-rate': 4096,
    'c-plan-ahead': 20,
    'data-stripes': 1,
    'disk-barriers': 'n',
    'disk-custom': '',
    'dynamic-resync': false,
    'meta-barriers': false,
    'meta-stripes': 1,
    metavg: 'xenvg',
    'net-custom': '',
    protocol: 'C',
    'resync-rate': 61440,
  },
  ext: { access: 'kernelspace' },
  file: {},
  gluster: { access: 'kernelspace', host: '127.0.0.1', port: 24007, volume: 'gv0' },
  plain: { stripes: 1 },
  rbd: { access: 'kernelspace', pool: 'rbd' },
  sharedfile: {},
}

/** The least that an instance is given, and the standard one too. */
const SMALLEST: Ispecs = {
  'memory-size': 128,
  'disk-size': 1024,
  'disk-count': 1,
  'cpu-count': 1,
  'nic-count': 1,
  'spindle-use': 1,
}

export const IPOLICY_DEFAULTS: IPolicy = {
  minmax: [
    {
      min: SMALLEST,
      max: {
        'memory-size': 32768,
        'disk-size': 1048576,
        'disk-count': 16,
        'cpu-count': 8,
        'nic-count': 8,
        'spindle-use': 12,
      },
    },
  ],
  std: SMALLEST,
  'spindle-ratio': 32,
  'vcpu-ratio': 4,
  'disk-templates': ['blockdev', 'diskless', 'drbd', 'ext', 'file', 'gluster', 'plain', 'rbd', 'sharedfile'],
}

/**
 * The order in which Ganeti lists the disk templates it finds in use, for a
 * cluster from before `enabled_disk_templates`.
 */
export const DISK_TEMPLATE_PREFERENCE: readonly string[] = [
  'blockdev',
  'diskless',
  'drbd',
  'ext',
  'file',
  'plain',
  'rbd',
  'sharedfile',
  'gluster',
]

export const ALLOC_POLICIES: readonly AllocPolicy[] = ['preferred', 'last_resort', 'unallocable']

/** Collectors of the monitoring daemon. */
export const DATA_COLLECTORS = [
  'cpu-avg-load',
  'diskstats',
  'drbd',
  'inst-status-xen',
  'lv',
  'xen-cpu-avg-load',
] as const

/** Microseconds between two rounds of a data collector. */
export const DATA_COLLECTOR_INTERVAL = 5_000_000

/** What remains of a cluster's settings. */
export const CLUSTER_DEFAULTS = {
  candidate_pool_size: 10,
  compression_tools: ['gzip', 'gzip-fast', 'gzip-slow'],
  drbd_usermode_helper: '/bin/true',
  enabled_disk_templates: ['drbd', 'plain'],
  enabled_hypervisors: ['xen-pvm'],
  mac_prefix: 'aa:00:00',
  master_netdev: 'xen-br0',
  max_running_jobs: 20,
  max_tracked_jobs: 25,
  ssh_key_bits: 2048,
  ssh_key_type: 'rsa',
  volume_group_name: 'xenvg',
} as const
