/** What a file has to say of a disk. */
import { equalJson, isJsonObject, type Json } from '../../../../json/json.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixPlaceId, fixStamps, Statement } from './statement.ts'

export function writeDisk(
  written: Json | undefined,
  parsed: Disk | undefined,
  target: Disk,
  index: number,
  instance: Instance,
  around: Around,
): Json {
  const statement = new Statement(
    isJsonObject(written) ? written : written === undefined ? {} : { size: written },
  )
  statement.fix('size', parsed?.size, target.size)
  statement.fix('name', parsed?.name ?? null, target.name, null)
  if (target.name === null) statement.put('name', undefined)
  statement.fix('mode', parsed?.mode ?? 'rw', target.mode, 'rw')
  if ((parsed?.spindles ?? null) !== target.spindles) statement.put('spindles', target.spindles ?? undefined)
  statement.fixParams('params', parsed?.params, target.params)
  const derived = deriveUuid('disk', instance.name, String(index))
  fixPlaceId(statement, target.uuid, derived)
  fixStamps(statement, parsed, target, instance.ctime)
  // What follows from the rest is only written where the rest leads elsewhere, except where nothing leads anywhere.
  const underivable = ['blockdev', 'ext'].includes(target.dev_type)
  if (parsed || underivable) {
    if (!isSamePair(parsed, target)) {
      statement.fix('logical_id', logicalId(parsed, around), logicalId(target, around) as Json)
    }
    statement.fix('children', childrenOf(parsed), childrenOf(target) ?? [], [])
  }
  const { json } = statement
  const bare = Object.keys(json).length === 1 && typeof written !== 'object'
  return bare ? (json.size as Json) : json
}

/** Whether both are one DRBD device, whose ends follow from which node is the primary one. */
function isSamePair(parsed: Disk | undefined, target: Disk): boolean {
  if (parsed?.dev_type !== 'drbd' || target.dev_type !== 'drbd') return false
  const [primary, secondary, port, minor, otherMinor, secret] = target.logical_id as readonly Json[]
  const otherWay = [secondary, primary, port, otherMinor, minor, secret] as readonly Json[]
  return equalJson(parsed.logical_id as readonly Json[], otherWay)
}

/** DRBD's with the names of its nodes. */
function logicalId(disk: Disk | undefined, { nodes }: Around): Json | undefined {
  if (!disk) return undefined
  const parts = disk.logical_id as readonly Json[]
  if (disk.dev_type !== 'drbd') return parts
  return parts.map((part, index) => (index < 2 ? (nodes.byUuid.get(String(part))?.name ?? part) : part))
}

function childrenOf(disk: Disk | undefined): Json | undefined {
  return disk?.children.map((child) => {
    const { uuid, name, dev_type, size, mode, spindles, iv_name, logical_id, params } = child
    const statement = new Statement({ uuid, size, logical_id: logical_id as Json })
    statement.fix('dev_type', 'plain', dev_type)
    statement.fix('mode', 'rw', mode)
    if (name !== null) statement.put('name', name)
    if (spindles !== null) statement.put('spindles', spindles)
    if (iv_name !== null) statement.put('iv_name', iv_name)
    statement.fixParams('params', {}, params)
    fixStamps(statement, undefined, child, disk.ctime)
    return statement.json
  })
}
