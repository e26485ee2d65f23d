/**
 * The instances of a YAML file, with their disks and cards. Reading takes two
 * rounds: what the file does not give (hardware addresses, ports) is derived
 * only when everything it does give is known.
 */
import { isIP } from 'node:net'
import { isJsonObject } from '../../json.ts'
import { DISK_TEMPLATES, HYPERVISORS, NIC_MODES } from '../../model/defaults.ts'
import type { Group } from '../../model/group.ts'
import type { Disk, Instance, Nic } from '../../model/instance.ts'
import type { Node } from '../../model/node.ts'
import type { BeParams, NicParams } from '../../model/params.ts'
import { parseMac } from './address.ts'
import { checkHostName, Fields, type NamedFields, NONE, quoted } from './check.ts'
import { deriveHex, deriveUuid } from './derive.ts'
import type { Identities, Identity } from './identities.ts'
import { DRBD_META_SIZE } from './live-values.ts'
import { type ClusterSettings, readOsParams } from './read-cluster.ts'
import { readBeParams, readDiskTemplateParams, readInstanceHvParams, readNicParams } from './read-params.ts'
import type { NetworkInUse } from './yaml-networks.ts'

/** Hypervisors whose instances have a port for their console. */
const WITH_PORT: readonly string[] = ['kvm', 'xen-hvm']

/** Ganeti's folders, where the cluster names none. */
const FILE_STORAGE_DIR = '/srv/ganeti/file-storage'
const SHARED_FILE_STORAGE_DIR = '/srv/ganeti/shared-file-storage'

/** What instances refer to; all by name, but groups by UUID. */
export interface Surroundings {
  readonly identities: Identities
  readonly settings: ClusterSettings
  readonly volumeGroup: string
  /** The default one. */
  readonly hypervisor: string
  /** Empty where anything goes. */
  readonly enabledHypervisors: readonly string[]
  readonly enabledTemplates: readonly string[]
  readonly nodes: ReadonlyMap<string, Node>
  readonly groups: ReadonlyMap<string, Group>
  readonly networks: ReadonlyMap<string, NetworkInUse>
}

/** Where an instance's disks are. */
interface Storage {
  readonly identity: Identity
  readonly name: string
  readonly template: string
  readonly pnode: string
  readonly snode: string
}

export class InstanceReader {
  readonly #around: Surroundings
  /** The next free DRBD device, by node UUID. */
  readonly #minors = new Map<string, number>()

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Reads all of them. */
  read(all: Fields): readonly Instance[] {
    const drafts = [...all.children()].map((fields) => this.#draft(fields))
    return drafts.map((draft) => this.#completed(draft))
  }

  #draft(fields: NamedFields): Instance {
    const name = fields.key
    checkHostName(fields)
    const identity = this.#around.identities.of(fields, 'instance', name)
    const pnode = this.#node(fields, 'pnode', fields.text('pnode'))
    const snode = this.#node(fields, 'snode', fields.textOr('snode', ''))
    if (pnode && pnode === snode) fields.complain('snode', 'snode is the same node as pnode')
    if (pnode && !pnode.vm_capable) fields.complain('pnode', `${pnode.name} is not vm_capable`)
    const template = this.#template(fields)
    const hypervisor = this.#hypervisor(fields)
    const state = fields.oneOf('state', ['up', 'down', 'offline'], 'up')
    const port = fields.countOr('network_port', null)
    if (port !== null) this.#around.identities.claim(fields.at('network_port'), `port ${port}`, name)
    const instance: Instance = {
      ...identity,
      name,
      primary_node: pnode?.uuid ?? '',
      secondary_nodes: template === 'drbd' && snode ? [snode.uuid] : NONE,
      os: fields.textOr('os', ''),
      hypervisor,
      hvparams: readInstanceHvParams(fields.child('hvparams'), hypervisor),
      beparams: this.#beparams(fields),
      osparams: readOsParams(fields.child('osparams')),
      osparams_private: Object.keys(readOsParams(fields.child('osparams_private'))),
      admin_state: state,
      admin_state_source: fields.oneOf('admin_state_source', ['admin', 'user'], 'admin'),
      disk_template: template,
      disks: this.#disks(fields, {
        identity,
        name,
        template,
        pnode: pnode?.uuid ?? '',
        snode: snode?.uuid ?? '',
      }),
      disks_active: fields.flagOr('disks_active', state === 'up'),
      nics: fields.items('nics').map((nic, index) => this.#nic(nic, index, name, pnode)),
      network_port: port,
      forthcoming: false,
    }
    fields.done()
    return instance
  }

  #node(fields: Fields, key: string, name: string): Node | undefined {
    const node = this.#around.nodes.get(name)
    if (!node && name !== '') fields.complain(key, `no such node: ${quoted(name)}`)
    return node
  }

  #hypervisor(fields: Fields): string {
    const hypervisor = fields.oneOf('hypervisor', HYPERVISORS, this.#around.hypervisor)
    const enabled = this.#around.enabledHypervisors
    if (enabled.length > 0 && !enabled.includes(hypervisor)) {
      fields.complain('hypervisor', `${hypervisor} is not one of the cluster's enabled_hypervisors`)
    }
    return hypervisor
  }

  /** As written, or what follows from the rest; and whether the rest agrees. */
  #template(fields: Fields): string {
    const written = fields.oneOf('disk_template', DISK_TEMPLATES, undefined)
    const disks = fields.list('disks').length > 0
    const snode = fields.has('snode')
    const enabled = this.#around.enabledTemplates
    const usual = enabled.find((one) => one !== 'diskless' && one !== 'drbd') ?? 'plain'
    const template = written ?? (snode ? 'drbd' : disks ? usual : 'diskless')
    if (template === 'diskless' && disks) fields.complain('disks', 'a diskless instance has no disks')
    if (template !== 'diskless' && !disks) {
      const key = written === undefined ? 'snode' : 'disk_template'
      fields.complain(key, `an instance with disk_template ${template} needs disks`)
    }
    if (template === 'drbd' && !snode)
      fields.problems.add(fields, 'snode is missing: drbd needs a second node', 'key')
    if (template !== 'drbd' && snode)
      fields.complain('snode', `only drbd has a second node, and this is ${template}`)
    if (enabled.length > 0 && template !== 'diskless' && !enabled.includes(template)) {
      const key = written === undefined ? 'disks' : 'disk_template'
      fields.complain(key, `${template} is not one of the cluster's enabled_disk_templates`)
    }
    return template
  }

  #beparams(fields: Fields): Partial<BeParams> {
    const memory = fields.sizeOr('memory', undefined)
    const vcpus = fields.countOr('vcpus', undefined)
    const given = readBeParams(fields.child('beparams'))
    if (memory !== undefined && (given.maxmem !== undefined || given.minmem !== undefined)) {
      fields.complain('memory', 'memory is in beparams too')
    }
    if (vcpus !== undefined && given.vcpus !== undefined) fields.complain('vcpus', 'vcpus is in beparams too')
    const beparams = {
      ...(memory !== undefined && { maxmem: memory, minmem: memory }),
      ...(vcpus !== undefined && { vcpus }),
      ...given,
    }
    const filled = { ...this.#around.settings.beparams, ...beparams }
    // Where the cluster's own defaults are at odds, that is said of the cluster.
    const own = beparams.minmem !== undefined || beparams.maxmem !== undefined
    if (own && filled.minmem > filled.maxmem) {
      fields.complain('beparams', `minmem (${filled.minmem}) is above maxmem (${filled.maxmem})`)
    }
    return beparams
  }

  // Cards

  #nic(fields: Fields, index: number, owner: string, pnode: Node | undefined): Nic {
    const { identities, settings } = this.#around
    const network = this.#network(fields)
    const nicparams = network ? this.#connection(fields, network, pnode) : this.#link(fields)
    const ip = fields.textOr('ip', null)
    if (ip !== null) this.#checkIp(fields, ip, owner, network)
    else if (!network && (nicparams.mode ?? settings.nicparams.mode) === 'routed') {
      fields.problems.add(fields, 'ip is missing: a routed card needs one, or a network')
    }
    const nic: Nic = {
      uuid: identities.uuid(fields, 'nic', owner, String(index)),
      name: fields.textOr('name', null),
      mac: this.#mac(fields, owner),
      ip,
      network: network?.uuid ?? null,
      nicparams,
    }
    fields.done()
    return nic
  }

  #network(fields: Fields): NetworkInUse | undefined {
    const name = fields.textOr('network', undefined)
    if (name === undefined) return undefined
    const network = this.#around.networks.get(name)
    if (!network) fields.complain('network', `no such network: ${quoted(name)}`)
    return network
  }

  /** How a card is linked that is in a network: as the instance's group says. */
  #connection(fields: Fields, network: NetworkInUse, pnode: Node | undefined): Partial<NicParams> {
    for (const key of ['mode', 'link', 'vlan', 'bridge']) {
      if (fields.has(key)) fields.complain(key, `${key} follows from the network, as the group connects it`)
    }
    const group = pnode && this.#around.groups.get(pnode.group)
    const connection = group?.networks[network.uuid]
    if (group && !connection) {
      fields.complain(
        'network',
        `group ${group.name}, where ${pnode.name} is, has no connection to ${network.name}`,
      )
    }
    return connection ?? {}
  }

  #link(fields: Fields): Partial<NicParams> {
    const bridge = fields.textOr('bridge', undefined)
    const nicparams = readNicParams(fields)
    if (bridge === undefined) return nicparams
    if (fields.has('mode') || fields.has('link'))
      fields.complain('bridge', 'bridge says mode and link already')
    return { ...nicparams, mode: NIC_MODES[0] as 'bridged', link: bridge }
  }

  #checkIp(fields: Fields, ip: string, owner: string, network: NetworkInUse | undefined): void {
    if (isIP(ip) === 0) fields.complain('ip', `${quoted(ip)} is not an address`)
    else if (network && !network.holds(ip))
      fields.complain('ip', `${ip} is not an address of ${network.name}`)
    else if (network) {
      // Elsewhere two instances may well have the same address, on links that do not meet.
      this.#around.identities.claim(fields.at('ip'), `address ${ip} of ${network.name}`, owner)
      network.give(ip)
    }
  }

  #mac(fields: Fields, owner: string): string {
    const text = fields.textOr('mac', '')
    if (text === '') return ''
    const mac = parseMac(text)
    if (mac === undefined) fields.complain('mac', `${quoted(text)} is not like aa:00:00:12:34:56`)
    else this.#around.identities.claim(fields.at('mac'), `mac ${mac}`, owner)
    return mac ?? ''
  }

  // Disks

  #disks(fields: Fields, storage: Storage): readonly Disk[] {
    return fields.list('disks').map((value, index) => {
      const list = fields.at('disks')
      const values = isJsonObject(value) ? value : { size: value }
      return this.#disk(new Fields(values, list, index, fields.problems), index, storage)
    })
  }

  #disk(fields: Fields, index: number, storage: Storage): Disk {
    const { template, pnode, snode, identity } = storage
    const uuid = this.#around.identities.uuid(fields, 'disk', storage.name, String(index))
    if (!fields.has('size')) fields.problems.add(fields, 'size is missing')
    const size = fields.sizeOr('size', 0)
    const nodes =
      template === 'drbd'
        ? [pnode, snode].filter((node) => node !== '')
        : template === 'plain' || template === 'file'
          ? [pnode].filter((node) => node !== '')
          : NONE
    const volumeGroup = fields.textOr('vg', this.#around.volumeGroup)
    const disk: Disk = {
      uuid,
      name: fields.textOr('name', null),
      dev_type: template,
      size,
      mode: fields.oneOf('mode', ['rw', 'ro'], 'rw'),
      spindles: fields.countOr('spindles', null),
      iv_name: `disk/${index}`,
      logical_id: this.#logicalId(fields, uuid, index, volumeGroup, storage),
      params: readDiskTemplateParams(fields.child('params'), template),
      nodes,
      children:
        template === 'drbd' ? this.#drbdVolumes(uuid, index, size, volumeGroup, nodes, identity) : NONE,
      ctime: identity.ctime,
      mtime: identity.mtime,
      serial_no: 1,
    }
    fields.done()
    return disk
  }

  /** How the storage knows a disk, in the form that Ganeti gives it. */
  #logicalId(
    fields: Fields,
    uuid: string,
    index: number,
    volumeGroup: string,
    { template, name, pnode, snode }: Storage,
  ): readonly unknown[] {
    const { settings } = this.#around
    switch (template) {
      case 'plain':
        return [volumeGroup, `${uuid}.disk${index}`]
      case 'drbd':
        // The port is given when all others are known.
        return [pnode, snode, null, this.#minor(pnode), this.#minor(snode), deriveHex('drbd', uuid)]
      case 'file':
        return ['loop', `${settings.file_storage_dir || FILE_STORAGE_DIR}/${name}/${uuid}.file.disk${index}`]
      case 'sharedfile': {
        const folder = settings.shared_file_storage_dir || SHARED_FILE_STORAGE_DIR
        return ['loop', `${folder}/${name}/${uuid}.sharedfile.disk${index}`]
      }
      case 'blockdev':
        return ['manual', fields.text('adopt')]
      case 'ext':
        return [fields.text('provider'), `${uuid}.ext.disk${index}`]
      default:
        return [template, `${uuid}.${template}.disk${index}`]
    }
  }

  /** DRBD stands on two volumes on each node: one with the data, one with its own notes. */
  #drbdVolumes(
    uuid: string,
    index: number,
    size: number,
    volumeGroup: string,
    nodes: readonly string[],
    { ctime, mtime }: Identity,
  ): readonly Disk[] {
    const volume = (part: string, partSize: number): Disk => ({
      uuid: deriveUuid('volume', uuid, part),
      name: null,
      dev_type: 'plain',
      size: partSize,
      mode: 'rw',
      spindles: null,
      iv_name: null,
      logical_id: [volumeGroup, `${uuid}.disk${index}_${part}`],
      params: {},
      nodes,
      children: NONE,
      ctime,
      mtime,
      serial_no: 1,
    })
    return [volume('data', size), volume('meta', DRBD_META_SIZE)]
  }

  #minor(node: string): number {
    const minor = this.#minors.get(node) ?? 0
    this.#minors.set(node, minor + 1)
    return minor
  }

  // What the file does not give

  #completed(draft: Instance): Instance {
    const { identities } = this.#around
    const port = WITH_PORT.includes(draft.hypervisor)
      ? () => identities.freePort(draft.name, 'console')
      : () => null
    return {
      ...draft,
      network_port: draft.network_port ?? port(),
      disks: draft.disks.map((disk) => this.#withPort(disk, draft.name)),
      nics: draft.nics.map((nic, index) =>
        nic.mac === '' ? { ...nic, mac: this.#freeMac(nic, draft.name, index) } : nic,
      ),
    }
  }

  #withPort(disk: Disk, owner: string): Disk {
    if (disk.dev_type !== 'drbd') return disk
    const port = this.#around.identities.freePort(owner, disk.iv_name ?? '')
    return { ...disk, logical_id: disk.logical_id.map((part) => part ?? port) }
  }

  #freeMac(nic: Nic, owner: string, index: number): string {
    const network = [...this.#around.networks.values()].find(({ uuid }) => uuid === nic.network)
    return this.#around.identities.freeMac(
      network?.macPrefix ?? this.#around.settings.mac_prefix,
      owner,
      index,
    )
  }
}
