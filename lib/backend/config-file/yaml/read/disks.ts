/** The disks of instances in a YAML file. */
import { isJsonObject } from '../../../../json/json.ts'
import { DISK_TEMPLATES } from '../../../../model/defaults.ts'
import type { Disk } from '../../../../model/instance.ts'
import { DRBD_META_SIZE } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import type { Recorded } from '../../../../model/recorded.ts'
import type { ClusterSettings } from '../../records/cluster-settings.ts'
import { deriveHex, deriveUuid } from '../../records/derived-ids.ts'
import { readDiskTemplateParams } from '../../records/params.ts'
import { quoted } from '../../records/problems.ts'
import { NONE, RecordReader } from '../../records/record-reader.ts'
import { type Identities, minorOf, type Stamps } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

/** Ganeti's folders, where the cluster names none. */
const FILE_STORAGE_DIR = '/srv/ganeti/file-storage'
const SHARED_FILE_STORAGE_DIR = '/srv/ganeti/shared-file-storage'

/** What disks refer to; nodes by name. */
export interface DiskContext {
  readonly identities: Identities
  readonly settings: ClusterSettings
  readonly volumeGroup: string
  readonly nodes: ReadonlyMap<string, Node>
}

/** Where an instance's disks are. */
export interface Storage {
  readonly identity: Recorded
  readonly name: string
  readonly template: string
  readonly pnode: string
  readonly snode: string
}

export class DiskReader {
  readonly #context: DiskContext

  constructor(context: DiskContext) {
    this.#context = context
  }

  /** Reads all of an instance. A DRBD disk without `logical_id` has neither port nor devices yet: see `completed`. */
  read(fields: RecordReader, storage: Storage): readonly Disk[] {
    return fields.list('disks').map((value, index) => {
      const list = fields.at('disks')
      const values = isJsonObject(value) ? value : { size: value }
      return this.#disk(new RecordReader(values, list, index, fields.problems), index, storage)
    })
  }

  #disk(fields: RecordReader, index: number, storage: Storage): Disk {
    const { template, pnode, snode, identity } = storage
    const uuid = this.#context.identities.uuid(fields, 'disk', storage.name, String(index))
    if (!fields.has('size')) fields.problems.add(fields, 'size is missing')
    const size = fields.sizeOr('size', 0)
    const nodes =
      template === 'drbd'
        ? [pnode, snode].filter((node) => node !== '')
        : template === 'plain' || template === 'file'
          ? [pnode].filter((node) => node !== '')
          : NONE
    const volumeGroup = fields.textOr('vg', this.#context.volumeGroup)
    const { identities } = this.#context
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

  /** The written children of a disk. @param usual those that follow from the disk itself */
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
        ...this.#context.identities.stamps(child, ctime),
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
    const { settings } = this.#context
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

  /** As written, but with UUIDs of nodes where DRBD's has names. */
  #givenLogicalId(fields: RecordReader, template: string, owner: string): readonly unknown[] {
    const written = fields.list('logical_id')
    if (template !== 'drbd') return written
    const { identities, nodes } = this.#context
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

  /** Gives a DRBD disk a free port and devices; to be called when all instances are read. */
  completed(disk: Disk, owner: string): Disk {
    if (disk.dev_type !== 'drbd' || disk.logical_id[2] !== null) return disk
    const { identities } = this.#context
    const [pnode, snode, , , , secret] = disk.logical_id
    const port = identities.freePort(owner, disk.iv_name ?? '')
    const minors = [pnode, snode].map((node) => identities.freeMinor(String(node), owner, disk.iv_name ?? ''))
    return { ...disk, logical_id: [pnode, snode, port, ...minors, secret] }
  }
}
