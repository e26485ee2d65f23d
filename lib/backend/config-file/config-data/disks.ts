/** Disks in `config.data`, inside their instances or in a table of their own. */
import { isJsonObject } from '../../../json/json.ts'
import type { Disk } from '../../../model/instance.ts'
import type { Node } from '../../../model/node.ts'
import { deriveUuid } from '../records/derived-ids.ts'
import { readDiskTemplateParams } from '../records/params.ts'
import { type Problems, quoted } from '../records/problems.ts'
import { NONE, RecordReader } from '../records/record-reader.ts'

/** Disk types as they were called up to 2.8. */
const DEV_TYPES: { readonly [old: string]: string } = { lvm: 'plain', drbd8: 'drbd' }

/** What a disk of an older file takes from its instance. */
export interface DiskOwner {
  readonly uuid: string
  readonly primaryNode: string
  readonly ctime: number
  readonly template: string
}

export class DiskReader {
  readonly #nodes: ReadonlyMap<string, Node>
  readonly #problems: Problems
  readonly #word: (text: string) => string

  /**
   * @param nodes by UUID and by name
   * @param word gives a text that is held once
   */
  constructor(nodes: ReadonlyMap<string, Node>, problems: Problems, word: (text: string) => string) {
    this.#nodes = nodes
    this.#problems = problems
    this.#word = word
  }

  /**
   * Reads the disks of an instance.
   * @param table of all disks, where the file has one; it is empty where disks stand inside their instances
   */
  read(instance: RecordReader, table: RecordReader, owner: DiskOwner): readonly Disk[] {
    const list = instance.list('disks')
    if (list.length === 0) return NONE
    const disks: Disk[] = []
    const place = instance.at('disks')
    list.forEach((entry, index) => {
      if (isJsonObject(entry)) {
        disks.push(this.#disk(new RecordReader(entry, place, index, this.#problems), owner, [index]))
      } else if (typeof entry === 'string' && table.has(entry)) {
        disks.push(this.#disk(table.child(entry), owner, [index]))
      } else {
        const what =
          typeof entry === 'string' ? `no such disk: ${quoted(entry)}` : 'a disk must be a UUID or an object'
        this.#problems.add({ parent: place, key: index }, what)
      }
    })
    return disks
  }

  /**
   * @param path the disk's number in its instance, and below it that of each child
   * @param nodes of the disk this one is a part of
   */
  #disk(fields: RecordReader, owner: DiskOwner, path: readonly number[], nodes?: readonly string[]): Disk {
    const devType = this.#devType(fields.text('dev_type'), owner.template)
    const logicalId = this.#logicalId(fields, devType)
    const holders = this.#holders(fields, devType, logicalId, nodes, owner)
    const ctime = fields.numberOr('ctime', owner.ctime)
    return {
      uuid: fields.textOr('uuid', undefined) ?? deriveUuid('disk', owner.uuid, ...path.map(String)),
      name: fields.textOr('name', null),
      dev_type: devType,
      size: fields.countOr('size', 0),
      mode: fields.oneOf('mode', ['rw', 'ro'], 'rw'),
      spindles: fields.countOr('spindles', null),
      iv_name:
        path.length === 1 ? this.#word(`disk/${path[0]}`) : this.#word(fields.textOr('iv_name', '')) || null,
      logical_id: logicalId,
      params: readDiskTemplateParams(fields.child('params'), devType),
      nodes: holders,
      children: fields
        .items('children')
        .map((child, index) => this.#disk(child, owner, [...path, index], holders)),
      ctime,
      mtime: fields.numberOr('mtime', ctime),
      serial_no: fields.countOr('serial_no', 1),
    }
  }

  #devType(written: string, template: string): string {
    // Up to 2.8 shared files and files were one type, which only the instance told apart.
    if (written === 'file' && template === 'sharedfile') return template
    return this.#word(DEV_TYPES[written] ?? written)
  }

  /**
   * What identifies a disk on its storage; DRBD's is `[node, other node, port, minor, minor, secret]`, where
   * older files have the nodes' names.
   */
  #logicalId(fields: RecordReader, devType: string): readonly unknown[] {
    const written = fields.list('logical_id')
    if (devType !== 'drbd') return written
    return written.map((part, index) => {
      if (index > 1 || part === null) return part
      const node = this.#nodes.get(String(part))
      if (node) return node.uuid
      this.#problems.add(
        { parent: fields.at('logical_id'), key: index },
        `no such node: ${quoted(String(part))}`,
      )
      return part
    })
  }

  /** The nodes that hold a disk: as written (2.15 on), else both of DRBD's, else the primary for what is local to it. */
  #holders(
    fields: RecordReader,
    devType: string,
    logicalId: readonly unknown[],
    nodes: readonly string[] | undefined,
    owner: DiskOwner,
  ): readonly string[] {
    if (fields.has('nodes')) {
      return fields.texts('nodes').map((name, index) => {
        const node = this.#nodes.get(name)
        if (!node)
          this.#problems.add({ parent: fields.at('nodes'), key: index }, `no such node: ${quoted(name)}`)
        return node?.uuid ?? name
      })
    }
    if (nodes) return nodes
    if (devType === 'drbd') return logicalId.slice(0, 2).filter((part) => typeof part === 'string')
    return (devType === 'plain' || devType === 'file') && owner.primaryNode !== ''
      ? [owner.primaryNode]
      : NONE
  }
}

/** The nodes but the primary that DRBD keeps copies on, in the order of the disks. */
export function secondariesOf(disks: readonly Disk[], primaryNode: string): readonly string[] {
  const nodes = new Set<string>()
  for (const disk of disks) {
    if (disk.dev_type === 'drbd') for (const node of disk.nodes) nodes.add(node)
    else for (const node of secondariesOf(disk.children, primaryNode)) nodes.add(node)
  }
  nodes.delete(primaryNode)
  return nodes.size === 0 ? NONE : [...nodes]
}

/** What Ganeti 3 calls the disk template of an instance with these disks. */
export function templateOf(disks: readonly Disk[]): string {
  const [first, ...others] = disks
  if (!first) return 'diskless'
  return others.every((disk) => disk.dev_type === first.dev_type) ? first.dev_type : 'mixed'
}
