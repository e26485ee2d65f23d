/**
 * What a hypervisor makes of its parameters before anything starts: Ganeti's
 * checks that need no node (hypervisor/hv_*.py, CheckParameterSyntax). Whether
 * the files are there that parameters point to, only nodes could tell.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { posix } from 'node:path'
import type { Json, JsonObject } from '../../../../json/json.ts'
import { HV_GLOBALS } from '../../../../model/defaults.ts'
import type { HvParams } from '../../../../model/params.ts'
import { isSince, type Release, type Version } from '../../../../model/version.ts'
import { parseCpuMask } from './cpu-mask.ts'
import { pythonText } from './force-types.ts'
import { OpError, prerequisite } from './operation.ts'

/** What a value must be; `required`: there must be one at all. */
interface Rule {
  readonly required?: boolean
  readonly fits: (value: Json) => boolean
  /** What is wrong where it does not fit. */
  readonly fault: string
}

const isPath = (value: Json) =>
  typeof value === 'string' && value.startsWith('/') && posix.normalize(value) === value
const isUrl = (value: Json) => typeof value === 'string' && /^(https?|ftps?|tftp):\/\//.test(value)

const path: Rule = { fits: isPath, fault: 'must be an absolute normalized path' }
const pathOrUrl: Rule = {
  fits: (value) => isPath(value) || isUrl(value),
  fault: 'must be an absolute normalized path or a URL',
}
const notNegative: Rule = { fits: (value) => Number(value) >= 0, fault: 'cannot be negative' }
const port: Rule = {
  required: true,
  fits: (value) => Number(value) > 0 && Number(value) < 65535,
  fault: 'invalid port number',
}
const cpuMask: Rule = {
  fits: (value) => parseCpuMask(String(value)) !== undefined,
  fault: 'Multiple CPU mask definition is not well-formed',
}

const required = (rule: Rule): Rule => ({ ...rule, required: true })

const oneOf = (...values: readonly Json[]): Rule => ({
  fits: (value) => values.includes(value),
  fault: `The value must be one of: ${values.join(', ')}`,
})

const migrationMode: Rule = {
  required: true,
  fits: (value) => value === 'live' || value === 'non-live',
  fault: 'invalid migration mode',
}
const KVM_DISK_TYPES = [
  'ide',
  'mtd',
  'paravirtual',
  'pflash',
  'scsi',
  'scsi-block',
  'scsi-cd',
  'scsi-generic',
  'scsi-hd',
  'sd',
]
const spiceImages = oneOf('auto_glz', 'auto_lz', 'glz', 'lz', 'off', 'quic')
const spiceLossyImages = oneOf('always', 'auto', 'never')

const XEN: { readonly [parameter: string]: Rule } = {
  cpu_mask: cpuMask,
  kernel_path: required(path),
  migration_mode: migrationMode,
  migration_port: port,
  reboot_behavior: required(oneOf('reboot', 'exit')),
  vif_script: path,
  xen_cmd: required(oneOf('xl', 'xm')),
}

/** Parameters that not just any value will do for, by hypervisor. */
const RULES: { readonly [hypervisor: string]: { readonly [parameter: string]: Rule } } = {
  chroot: { init_script: required(path) },
  fake: { migration_mode: migrationMode },
  kvm: {
    boot_order: required(oneOf('cdrom', 'disk', 'floppy', 'network')),
    cdrom2_image_path: pathOrUrl,
    cdrom_disk_type: oneOf(...KVM_DISK_TYPES),
    cdrom_image_path: pathOrUrl,
    cpu_cores: notNegative,
    cpu_mask: cpuMask,
    cpu_sockets: notNegative,
    cpu_threads: notNegative,
    disk_aio: oneOf('native', 'threads'),
    disk_cache: required(oneOf('default', 'none', 'writeback', 'writethrough')),
    disk_discard: oneOf('default', 'ignore', 'unmap'),
    disk_type: required(oneOf(...KVM_DISK_TYPES)),
    floppy_image_path: path,
    initrd_path: path,
    kernel_path: path,
    kvm_flag: oneOf('disabled', 'enabled'),
    kvm_path: required(path),
    kvm_pci_reservations: {
      fits: (value) => Number(value) >= 0 && Number(value) <= 32,
      fault: 'The number of PCI slots managed by QEMU (max: 32)',
    },
    mem_path: path,
    migration_bandwidth: required(notNegative),
    migration_downtime: required(notNegative),
    migration_mode: migrationMode,
    migration_port: port,
    nic_type: required(
      oneOf(
        'e1000',
        'i82551',
        'i82557b',
        'i82559er',
        'ne2k_isa',
        'ne2k_pci',
        'paravirtual',
        'pcnet',
        'rtl8139',
      ),
    ),
    reboot_behavior: required(oneOf('reboot', 'exit')),
    scsi_controller_type: required(oneOf('lsi', 'megasas', 'virtio-scsi-pci')),
    security_model: required(oneOf('none', 'pool', 'user')),
    spice_image_compression: spiceImages,
    spice_ip_version: {
      fits: (value) => value === 0 || value === 4 || value === 6,
      fault: 'The SPICE IP version should be 4 or 6',
    },
    spice_jpeg_wan_compression: spiceLossyImages,
    spice_password_file: path,
    spice_streaming_video: oneOf('all', 'filter', 'off'),
    spice_zlib_glz_wan_compression: spiceLossyImages,
    usb_mouse: oneOf('mouse', 'tablet'),
    virtio_net_queues: {
      fits: (value) => Number(value) > 0 && Number(value) < 9,
      fault: 'invalid number of queues',
    },
    vnc_password_file: path,
    vnc_x509_path: path,
  },
  lxc: {
    cpu_mask: {
      fits: (value) => !String(value).includes(':') && parseCpuMask(String(value)) !== undefined,
      fault: 'CPU mask definition is not well-formed',
    },
    num_ttys: required(notNegative),
    startup_timeout: notNegative,
  },
  'xen-hvm': {
    ...XEN,
    boot_order: {
      required: true,
      fits: (value) => /^[acdn]+$/.test(String(value)),
      fault: 'Invalid boot order specified, must be one or more of [acdn]',
    },
    cdrom_image_path: path,
    cpu_weight: weightBelow(65535),
    device_model: required(path),
    disk_type: required(oneOf('ioemu', 'paravirtual')),
    nic_type: required(oneOf('e1000', 'ne2k_isa', 'ne2k_pci', 'paravirtual', 'rtl8139')),
    vif_type: oneOf('ioemu', 'vif'),
    vnc_bind_address: {
      fits: (value) => isIPv4(String(value)),
      fault: 'VNC bind address is not a valid IP address',
    },
    vnc_password_file: required(path),
  },
  'xen-pvm': {
    ...XEN,
    bootloader_path: path,
    cpu_cap: notNegative,
    cpu_weight: weightBelow(65536),
    initrd_path: path,
  },
}

function weightBelow(limit: number): Rule {
  return { fits: (value) => Number(value) > 0 && Number(value) < limit, fault: 'invalid weight' }
}

/**
 * @param given what an opcode sets on an instance
 * @throws OpError where that can only be set for the whole cluster
 */
export function checkNotGlobal(given: JsonObject): void {
  const globals = HV_GLOBALS.filter((name) => Object.hasOwn(given, name))
  if (globals.length === 0) return
  throw prerequisite(
    'The following hypervisor parameters are global and cannot be customized at instance level, please ' +
      `modify them at cluster level: ${globals.join(', ')}`,
    'wrong_input',
  )
}

/** What a release changed of these rules, the last one first. */
const RULES_SINCE: readonly (readonly [since: Release, rules: typeof RULES])[] = [
  [
    '3.2',
    {
      kvm: {
        scsi_controller_type: required(oneOf('dc390', 'lsi', 'megasas', 'virtio-scsi-pci')),
        virtio_net_queues: {
          fits: (value) => Number(value) > 0 && Number(value) <= 32,
          fault: 'invalid number of queues',
        },
      },
    },
  ],
  [
    '3.1',
    {
      kvm: {
        disk_aio: oneOf('io_uring', 'native', 'threads'),
        disk_discard: oneOf('ignore', 'unmap'),
      },
    },
  ],
]

function ruleFor(version: Version, hypervisor: string, parameter: string, usual: Rule): Rule {
  const changed = RULES_SINCE.find(
    ([since, rules]) => rules[hypervisor]?.[parameter] && isSince(version, since),
  )
  return changed?.[1][hypervisor]?.[parameter] ?? usual
}

/**
 * @param version of the Ganeti whose rules count
 * @param known the hypervisor's parameters, by the cluster's defaults
 * @param filled those of an instance, complete
 * @throws OpError HypervisorError for a parameter that the hypervisor does not have or cannot make sense of
 */
export function checkHvParams(version: Version, hypervisor: string, known: HvParams, filled: HvParams): void {
  for (const name of Object.keys(filled)) {
    if (!Object.hasOwn(known, name)) throw fault(`Parameter '${name}' is not supported`)
  }
  for (const [name, usual] of Object.entries(RULES[hypervisor] ?? {})) {
    const rule = ruleFor(version, hypervisor, name, usual)
    const value = filled[name]
    if (value === undefined) continue
    if (value === null || value === '') {
      if (rule.required) throw fault(`Parameter '${name}' is required but is currently not defined`)
    } else if (!rule.fits(value)) {
      const now = `(current value: '${pythonText(value)}')`
      throw fault(`Parameter '${name}' fails syntax check: ${rule.fault} ${now}`)
    }
  }
  if (hypervisor === 'kvm') checkKvm(filled)
}

const SERIAL_SPEEDS: readonly Json[] = [
  75, 110, 300, 600, 1200, 1800, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 115200, 230400, 345600,
  460800,
]

/** Parameters that only mean something without one another. */
const NEED_SPICE: readonly string[] = [
  'spice_image_compression',
  'spice_ip_version',
  'spice_jpeg_wan_compression',
  'spice_password_file',
  'spice_streaming_video',
  'spice_use_tls',
  'spice_zlib_glz_wan_compression',
]

/** What holds between KVM's parameters. */
function checkKvm(params: HvParams): void {
  if (params.boot_order === 'cdrom' && !params.cdrom_image_path) {
    throw fault('Cannot boot from cdrom without an ISO path')
  }
  if (params.kernel_path && !params.root_path) {
    throw fault('Need a root partition for the instance, if a kernel is defined')
  }
  if (params.security_model === 'user' && !params.security_domain) {
    throw fault('A security domain (user to run kvm as) must be specified')
  }
  if (params.security_model !== 'user' && params.security_domain) {
    throw fault("Cannot have a security domain when the security model is 'none' or 'pool'")
  }
  if (params.serial_console && !SERIAL_SPEEDS.includes(params.serial_speed ?? null)) {
    throw fault(`Invalid serial console speed, must be one of: ${SERIAL_SPEEDS.join(', ')}`)
  }
  if (params.vnc_x509_verify && !params.vnc_x509_path) {
    throw fault('vnc_x509_path must be defined, if vnc_x509_verify is')
  }
  checkSpice(params)
  if (params.disk_aio === 'native' && params.disk_cache !== 'none') {
    throw fault("When 'disk_aio' is set to 'native', the only supported value for 'disk_cache' is 'none'.")
  }
}

function checkSpice(params: HvParams): void {
  const { spice_bind: bind, spice_ip_version: version } = params
  if (!bind) {
    const set = NEED_SPICE.find((name) => params[name])
    if (set !== undefined) throw fault(`SPICE: ${set} requires spice_bind to be set`)
    return
  }
  const family = isIP(String(bind))
  if (version && family !== 0 && family !== version) {
    const address = `an IPv${isIPv6(String(bind)) ? 6 : 4} address (${bind})`
    throw fault(`SPICE: Got ${address}, but the specified IP version is ${version}`)
  }
}

function fault(text: string): OpError {
  return new OpError('HypervisorError', [text])
}
