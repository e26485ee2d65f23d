import type { Json } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import type { Node } from '../../../../model/node.ts'
import { findNode } from '../shared/find.ts'
import { OpError, prerequisite } from '../shared/operation.ts'
import { operation, type Run } from '../shared/run.ts'
import { checkStorageEnabled, usualStorage } from './storage-types.ts'

const FIELDS = ['allocatable', 'free', 'name', 'node', 'size', 'type', 'used']
const REPORTED = ['file', 'gluster', 'lvm-pv', 'lvm-vg', 'sharedfile']

/** A volume group or a folder on a node; sizes in MiB, null where the file does not say. */
interface Unit {
  readonly name: string
  readonly size: number | null
  readonly used: number | null
  readonly free: number | null
}

/** Lists what there is of one kind of storage on the nodes that can be asked; one row each. */
export const nodeQueryStorage = operation((run) => {
  const fields = run.list('output_fields').map(String)
  const unknown = fields.filter((field) => !FIELDS.includes(field))
  if (unknown.length > 0) {
    throw prerequisite(`Unknown output fields selected: ${unknown.join(',')}`, 'wrong_input')
  }
  const { config } = run
  const names = run.list('nodes').map(String)
  const nodes = names.length > 0 ? names.map((name) => findNode(config, name)) : config.nodes.all
  const type = storageType(run)
  if (run.isDry) return run.dryRun()

  const asked = config.nodes.all.filter((node) => nodes.includes(node) && !node.offline)
  const rows: Json[] = []
  for (const node of asked) {
    if (!REPORTED.includes(type)) {
      const why = `Error while executing backend function: Unknown storage type: '${type}'`
      run.warn(`Can't get storage data from node ${node.name}: ${why}`)
      continue
    }
    for (const unit of unitsOn(config, node, type)) {
      if ((run.text('name') ?? unit.name) !== unit.name) continue
      const row: { [field: string]: Json } = { ...unit, node: node.name, type, allocatable: true }
      rows.push(fields.map((field) => row[field] ?? null))
    }
  }
  return run.done({}, rows)
})

function storageType(run: Run): string {
  const { cluster } = run.config
  const given = run.text('storage_type')
  if (given !== null) {
    checkStorageEnabled(cluster, given)
    return given
  }
  const usual = usualStorage(cluster)
  if (REPORTED.includes(usual)) return usual
  throw new OpError('OpPrereqError', [
    `Storage reporting for storage type '${usual}' is not supported. Please use the --storage-type option to ` +
      `specify one of the supported storage types (${REPORTED.join(', ')}) or set the default disk template to ` +
      'one that supports storage reporting.',
  ])
}

function unitsOn(config: Config, node: Node, type: string): readonly Unit[] {
  const { cluster } = config
  const live = config.live.get(node.uuid)
  const size = live?.dtotal ?? null
  const free = live?.dfree ?? null
  const pool = (name: string, used: number | null): Unit => ({ name, size, used, free })
  switch (type) {
    case 'lvm-vg': {
      const used = size === null || free === null ? null : size - free
      return cluster.volume_group_name === null ? [] : [pool(cluster.volume_group_name, used)]
    }
    case 'file':
      return [pool(cluster.file_storage_dir, sizeOfDisks(config, 'file', node))]
    case 'sharedfile':
      return [
        pool(cluster.shared_file_storage_dir, sizeOfDisks(config, 'sharedfile')),
        ...(cluster.enabled_disk_templates.includes('gluster') ? unitsOn(config, node, 'gluster') : []),
      ]
    case 'gluster':
      return [pool(cluster.gluster_storage_dir, sizeOfDisks(config, 'gluster'))]
    default:
      // The file does not say on what a volume group lies.
      return []
  }
}

/** MiB that the disks of a template take: those on a node, or all. */
function sizeOfDisks({ instances }: Config, template: string, node?: Node): number {
  return instances.all
    .flatMap(({ disks }) => disks)
    .filter(({ dev_type, nodes }) => dev_type === template && (!node || nodes.includes(node.uuid)))
    .reduce((sum, { size }) => sum + size, 0)
}
