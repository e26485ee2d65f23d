/** What a file has to say of a node. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { Node } from '../../../../model/node.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixRecord, Statement } from './statement.ts'

export function writeNode(
  written: Json | undefined,
  parsed: Node | undefined,
  target: Node,
  around: Around,
): JsonObject {
  const statement = new Statement(written)
  const groupName = (node: Node | undefined) => around.groups.byUuid.get(node?.group ?? '')?.name
  statement.fix('primary_ip', parsed?.primary_ip ?? '', target.primary_ip, '')
  statement.fix(
    'secondary_ip',
    parsed ? parsed.secondary_ip : target.primary_ip,
    target.secondary_ip,
    target.primary_ip,
  )
  statement.fix('group', groupName(parsed), groupName(target) ?? '')
  statement.fix('offline', parsed?.offline ?? false, target.offline, false)
  statement.fix('drained', parsed?.drained ?? false, target.drained, false)
  statement.fix('powered', parsed?.powered ?? true, target.powered, true)
  statement.fix('master_capable', parsed?.master_capable ?? true, target.master_capable, true)
  statement.fix('vm_capable', parsed?.vm_capable ?? true, target.vm_capable, true)
  // Who is a candidate follows from all nodes at once.
  if (parsed && parsed.master_candidate !== target.master_candidate) {
    const cannot = target.offline || target.drained || !target.master_capable
    statement.put('master_candidate', cannot ? undefined : target.master_candidate)
  }
  statement.fixParams('ndparams', parsed?.ndparams, target.ndparams)
  fixRecord(statement, parsed, target, deriveUuid('node', target.name), around.cluster.ctime)
  return statement.json
}
