/** What a file has to say of a node group. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { Group } from '../../../../model/group.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixIPolicy, fixNested, fixRecord, Statement } from './statement.ts'

export function writeGroup(
  written: Json | undefined,
  parsed: Group | undefined,
  target: Group,
  around: Around,
): JsonObject {
  const statement = new Statement(written)
  statement.fix('alloc_policy', parsed?.alloc_policy ?? 'preferred', target.alloc_policy, 'preferred')
  statement.fixParams('ndparams', parsed?.ndparams, target.ndparams)
  fixNested(statement, 'diskparams', parsed?.diskparams, target.diskparams, {}, true)
  fixIPolicy(statement, parsed?.ipolicy, target.ipolicy)
  const byName = (group: Group | undefined) =>
    Object.fromEntries(
      Object.entries(group?.networks ?? {}).map(([uuid, link]) => [
        around.networks.byUuid.get(uuid)?.name ?? uuid,
        link,
      ]),
    )
  fixNested(statement, 'networks', byName(parsed), byName(target), {}, true)
  fixRecord(statement, parsed, target, deriveUuid('group', target.name), around.cluster.ctime)
  return statement.json
}
