/** What a file has to say of a NIC. */
import { equalJson, type Json } from '../../../../json/json.ts'
import type { Instance, Nic } from '../../../../model/instance.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixPlaceId, Statement } from './statement.ts'

const LINK = ['mode', 'link', 'vlan'] as const

export function writeNic(
  written: Json | undefined,
  parsed: Nic | undefined,
  target: Nic,
  index: number,
  instance: Instance,
  { nodes, groups, networks }: Around,
): Json {
  const statement = new Statement(written)
  const network = (uuid: string | null | undefined) => networks.byUuid.get(uuid ?? '')?.name
  if (network(parsed?.network) !== network(target.network)) statement.put('network', network(target.network))
  if (!parsed || !equalJson(parsed.nicparams, target.nicparams)) {
    const node = nodes.byUuid.get(instance.primary_node)
    const connection =
      target.network === null ? undefined : groups.byUuid.get(node?.group ?? '')?.networks[target.network]
    statement.put('bridge', undefined)
    for (const key of LINK) {
      const value = target.nicparams[key]
      statement.put(key, value === connection?.[key] ? undefined : value)
    }
  }
  statement.fix('mac', parsed?.mac, target.mac)
  if ((parsed?.ip ?? null) !== target.ip) statement.put('ip', target.ip ?? undefined)
  if ((parsed?.name ?? null) !== target.name) statement.put('name', target.name ?? undefined)
  const derived = deriveUuid('nic', instance.name, String(index))
  fixPlaceId(statement, target.uuid, derived)
  return statement.json
}
