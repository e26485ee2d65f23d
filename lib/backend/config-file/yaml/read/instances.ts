/**
 * The instances of a YAML file, with their disks and cards. Reading takes two
 * rounds: what the file does not give (hardware addresses, ports) is derived
 * only when everything it does give is known.
 */
import { isIP } from 'node:net'
import { isJsonObject, type JsonObject } from '../../../../json.ts'
import { parseMac } from '../../../../model/address.ts'
import { DISK_TEMPLATES, HYPERVISORS, NIC_MODES } from '../../../../model/defaults.ts'
import type { Group } from '../../../../model/group.ts'
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import { DRBD_META_SIZE } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams, NicParams } from '../../../../model/params.ts'
import { type ClusterSettings, readOsParams } from '../../records/cluster-settings.ts'
import { deriveHex, deriveUuid } from '../../records/derived-ids.ts'
import {
  readBeParams,
  readDiskTemplateParams,
  readInstanceHvParams,
  readNicParams,
} from '../../records/params.ts'
import { type Problem, Problems, quoted } from '../../records/problems.ts'
import { checkHostName, type NamedRecord, NONE, RecordReader } from '../../records/record-reader.ts'
import { Identities, type Identity, minorOf, type Stamps } from '../../records/unique-ids.ts'
import type { CardNetwork } from './networks.ts'
import { keysOf } from './yaml-keys.ts'

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
  readonly networks: { get(name: string): CardNetwork | undefined }
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
  /** First halves of the addresses of cards without one, by the card's UUID. */
  readonly #macPrefixes = new Map<string, string>()

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Reads all of them. */
  read(all: RecordReader): readonly Instance[] {
    const drafts = [...all.children()].map((fields) => this.#draft(fields))
    return drafts.map((draft) => this.#completed(draft))
  }

  #draft(fields: NamedRecord): Instance {
    const name = fields.key
    checkHostName(fields)
    const identity = this.#around.identities.of(fields, 'instance', name)
    const pnode = this.#node(fields, 'pnode', fields.text('pnode'))
    const snode = this.#node(fields, 'snode', fields.textOr('snode', ''))
    if (pnode && pnode === snode) fields.addProblem('snode', 'snode is the same node as pnode')
    if (pnode && !pnode.vm_capable) fields.addProblem('pnode', `${pnode.name} is not vm_capable`)
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
    fields.rejectUnknownKeysOf(keysOf('instances'))
    return instance
  }

  #node(fields: RecordReader, key: string, name: string): Node | undefined {
    const node = this.#around.nodes.get(name)
    if (!node && name !== '') fields.addProblem(key, `no such node: ${quoted(name)}`)
    return node
  }

  #hypervisor(fields: RecordReader): string {
    const hypervisor = fields.oneOf('hypervisor', HYPERVISORS, this.#around.hypervisor)
    const enabled = this.#around.enabledHypervisors
    if (enabled.length > 0 && !enabled.includes(hypervisor)) {
      fields.addProblem('hypervisor', `${hypervisor} is not one of the cluster's enabled_hypervisors`)
    }
    return hypervisor
  }

  /** As written, or what follows from the rest; and whether the rest agrees. */
  #template(fields: RecordReader): string {
    const written = fields.oneOf('disk_template', DISK_TEMPLATES, undefined)
    const disks = fields.list('disks').length > 0
    const snode = fields.has('snode')
    const enabled = this.#around.enabledTemplates
    const usual = enabled.find((one) => one !== 'diskless' && one !== 'drbd') ?? 'plain'
    const template = written ?? (snode ? 'drbd' : disks ? usual : 'diskless')
    if (template === 'diskless' && disks) fields.addProblem('disks', 'a diskless instance has no disks')
    if (template !== 'diskless' && !disks) {
      const key = written === undefined ? 'snode' : 'disk_template'
      fields.addProblem(key, `an instance with disk_template ${template} needs disks`)
    }
    if (template === 'drbd' && !snode)
      fields.problems.add(fields, 'snode is missing: drbd needs a second node', 'key')
    if (template !== 'drbd' && snode)
      fields.addProblem('snode', `only drbd has a second node, and this is ${template}`)
    if (enabled.length > 0 && template !== 'diskless' && !enabled.includes(template)) {
      const key = written === undefined ? 'disks' : 'disk_template'
      fields.addProblem(key, `${template} is not one of the cluster's enabled_disk_templates`)
    }
    return template
  }

  #beparams(fields: RecordReader): Partial<BeParams> {
    const memory = fields.sizeOr('memory', undefined)
    const vcpus = fields.countOr('vcpus', undefined)
    const given = readBeParams(fields.child('beparams'))
    if (memory !== undefined && (given.maxmem !== undefined || given.minmem !== undefined)) {
      fields.addProblem('memory', 'memory is in beparams too')
    }
    if (vcpus !== undefined && given.vcpus !== undefined)
      fields.addProblem('vcpus', 'vcpus is in beparams too')
    const beparams = {
      ...(memory !== undefined && { maxmem: memory, minmem: memory }),
      ...(vcpus !== undefined && { vcpus }),
      ...given,
    }
    const filled = { ...this.#around.settings.beparams, ...beparams }
    // Where the cluster's own defaults are at odds, that is said of the cluster.
    const own = beparams.minmem !== undefined || beparams.maxmem !== undefined
    if (own && filled.minmem > filled.maxmem) {
      fields.addProblem('beparams', `minmem (${filled.minmem}) is above maxmem (${filled.maxmem})`)
    }
    return beparams
  }

  // Cards

  #nic(fields: RecordReader, index: number, owner: string, pnode: Node | undefined): Nic {
    const { identities, settings } = this.#around
    const network = this.#network(fields)
    const link = this.#link(fields)
    const nicparams = network ? this.#connection(fields, network, pnode, link) : link
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
    this.#macPrefixes.set(nic.uuid, network?.mac_prefix ?? settings.mac_prefix)
    fields.rejectUnknownKeysOf(keysOf('nics'))
    return nic
  }

  #network(fields: RecordReader): CardNetwork | undefined {
    const name = fields.textOr('network', undefined)
    if (name === undefined) return undefined
    const network = this.#around.networks.get(name)
    if (!network) fields.addProblem('network', `no such network: ${quoted(name)}`)
    return network
  }

  /** How a card is linked that is in a network: as the instance's group says, unless it says so itself. */
  #connection(
    fields: RecordReader,
    network: CardNetwork,
    pnode: Node | undefined,
    link: Partial<NicParams>,
  ): Partial<NicParams> {
    const group = pnode && this.#around.groups.get(pnode.group)
    const connection = group?.networks[network.uuid]
    if (group && !connection && link.mode === undefined) {
      fields.addProblem(
        'network',
        `group ${group.name}, where ${pnode.name} is, has no connection to ${network.name}`,
      )
    }
    return { ...connection, ...link }
  }

  #link(fields: RecordReader): Partial<NicParams> {
    const bridge = fields.textOr('bridge', undefined)
    const nicparams = readNicParams(fields)
    if (bridge === undefined) return nicparams
    if (fields.has('mode') || fields.has('link'))
      fields.addProblem('bridge', 'bridge says mode and link already')
    return { ...nicparams, mode: NIC_MODES[0] as 'bridged', link: bridge }
  }

  #checkIp(fields: RecordReader, ip: string, owner: string, network: CardNetwork | undefined): void {
    if (isIP(ip) === 0) fields.addProblem('ip', `${quoted(ip)} is not an address`)
    else if (network && !network.holds(ip))
      fields.addProblem('ip', `${ip} is not an address of ${network.name}`)
    else if (network) {
      // Elsewhere two instances may well have the same address, on links that do not meet.
      this.#around.identities.claim(fields.at('ip'), `address ${ip} of ${network.name}`, owner)
      network.give(ip)
    }
  }

  #mac(fields: RecordReader, owner: string): string {
    const text = fields.textOr('mac', '')
    if (text === '') return ''
    const mac = parseMac(text)
    if (mac === undefined) fields.addProblem('mac', `${quoted(text)} is not like aa:00:00:12:34:56`)
    else this.#around.identities.claim(fields.at('mac'), `mac ${mac}`, owner)
    return mac ?? ''
  }

  // Disks

  #disks(fields: RecordReader, storage: Storage): readonly Disk[] {
    return fields.list('disks').map((value, index) => {
      const list = fields.at('disks')
      const values = isJsonObject(value) ? value : { size: value }
      return this.#disk(new RecordReader(values, list, index, fields.problems), index, storage)
    })
  }

  #disk(fields: RecordReader, index: number, storage: Storage): Disk {
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
    const { identities } = this.#around
    const stamps = identities.stamps(fields, identity.ctime)
    const children =
      template === 'drbd' ? this.#drbdVolumes(uuid, index, size, volumeGroup, nodes, stamps) : NONE
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
      children: fields.has('children')
        ? this.#children(fields, children, nodes, uuid, stamps.ctime)
        : children,
      ...stamps,
    }
    fields.rejectUnknownKeysOf(keysOf('disks'))
    return disk
  }

  /** The disks below one, where they are not those that would be there anyway. */
  #children(
    fields: RecordReader,
    usual: readonly Disk[],
    nodes: readonly string[],
    owner: string,
    ctime: number,
  ): readonly Disk[] {
    return fields.items('children').map((child, index) => {
      const like = usual[index]
      const devType = child.oneOf('dev_type', DISK_TEMPLATES, 'plain')
      const disk: Disk = {
        uuid: child.textOr('uuid', undefined) ?? like?.uuid ?? deriveUuid('volume', owner, String(index)),
        name: child.textOr('name', null),
        dev_type: devType,
        size: child.sizeOr('size', like?.size ?? 0),
        mode: child.oneOf('mode', ['rw', 'ro'], 'rw'),
        spindles: child.countOr('spindles', null),
        iv_name: child.textOr('iv_name', null),
        logical_id: child.has('logical_id') ? child.list('logical_id') : (like?.logical_id ?? NONE),
        params: readDiskTemplateParams(child.child('params'), devType),
        nodes,
        children: NONE,
        ...this.#around.identities.stamps(child, ctime),
      }
      child.rejectUnknownKeysOf(keysOf('children'))
      return disk
    })
  }

  /** How the storage knows a disk, in the form that Ganeti gives it. */
  #logicalId(
    fields: RecordReader,
    uuid: string,
    index: number,
    volumeGroup: string,
    { template, name, pnode, snode }: Storage,
  ): readonly unknown[] {
    const { settings } = this.#around
    if (fields.has('logical_id')) return this.#givenLogicalId(fields, template, name)
    switch (template) {
      case 'plain':
        return [volumeGroup, `${uuid}.disk${index}`]
      case 'drbd':
        // Port and devices are given when all others are known.
        return [pnode, snode, null, null, null, deriveHex('drbd', uuid)]
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
    { ctime }: Stamps,
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
      mtime: ctime,
      serial_no: 1,
    })
    return [volume('data', size), volume('meta', DRBD_META_SIZE)]
  }

  /** As written; DRBD's names nodes by their names. */
  #givenLogicalId(fields: RecordReader, template: string, owner: string): readonly unknown[] {
    const written = fields.list('logical_id')
    if (template !== 'drbd') return written
    const { identities, nodes } = this.#around
    const place = fields.at('logical_id')
    if (written.length !== 6) {
      fields.addProblem('logical_id', "drbd's logical_id is [node, node, port, device, device, secret]")
      return written
    }
    const ends = written.slice(0, 2).map((name) => {
      const node = nodes.get(String(name))
      if (!node) fields.addProblem('logical_id', `no such node: ${quoted(String(name))}`)
      return node?.uuid ?? ''
    })
    identities.claim(place, `port ${written[2]}`, owner)
    ends.forEach((end, index) => {
      identities.claim(place, minorOf(end, Number(written[3 + index])), owner)
    })
    return [...ends, ...written.slice(2)]
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
    if (disk.dev_type !== 'drbd' || disk.logical_id[2] !== null) return disk
    const { identities } = this.#around
    const [pnode, snode, , , , secret] = disk.logical_id
    const port = identities.freePort(owner, disk.iv_name ?? '')
    const minors = [pnode, snode].map((node) => identities.freeMinor(String(node), owner, disk.iv_name ?? ''))
    return { ...disk, logical_id: [pnode, snode, port, ...minors, secret] }
  }

  #freeMac(nic: Nic, owner: string, index: number): string {
    const prefix = this.#macPrefixes.get(nic.uuid) ?? this.#around.settings.mac_prefix
    return this.#around.identities.freeMac(prefix, owner, index)
  }
}

/**
 * What one instance means by itself: hardware addresses and ports that it does
 * not give are those that follow from its name, as if nobody else had them.
 */
export function readInstance(
  name: string,
  value: JsonObject,
  around: Omit<Surroundings, 'identities'>,
  ctime: number,
): { instance: Instance; problems: readonly Problem[] } {
  const problems = new Problems(true)
  const all = new RecordReader({ [name]: value }, null, '', problems)
  const [instance] = new InstanceReader({ ...around, identities: new Identities(problems, ctime) }).read(all)
  return { instance: instance as Instance, problems: problems.found }
}
