/** What a file has to say of a network. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import { addressAt, indexIn, parseIpv4Network } from '../../../../model/address.ts'
import type { Network } from '../../../../model/network.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixRecord, Statement } from './statement.ts'

export function writeNetwork(
  written: Json | undefined,
  parsed: Network | undefined,
  target: Network,
  around: Around,
): JsonObject {
  const statement = new Statement(written)
  statement.fix('network', parsed?.network, target.network)
  for (const key of ['gateway', 'network6', 'gateway6', 'mac_prefix'] as const) {
    if ((parsed?.[key] ?? null) !== target[key]) statement.put(key, target[key] ?? undefined)
  }
  if (parsed?.ext_reservations !== target.ext_reservations) {
    const ranges = reservedRanges(target, around)
    statement.put('reserved', ranges.length === 0 ? undefined : ranges)
  }
  fixRecord(statement, parsed, target, deriveUuid('network', target.name), around.cluster.ctime)
  return statement.json
}

/** What is set aside by hand, as a person says it: the ends, the gateway and the cluster's own addresses are anyway. */
function reservedRanges(
  { network, gateway, ext_reservations }: Network,
  { cluster, nodes }: Around,
): string[] {
  const range = parseIpv4Network(network)
  if (!range) return []
  const own = new Set([0, range.size - 1])
  const hosts = nodes.all.flatMap((node) => [node.primary_ip, node.secondary_ip])
  for (const address of [gateway ?? '', cluster.master_ip, ...hosts]) {
    const place = address === '' ? undefined : indexIn(range, address)
    if (place !== undefined) own.add(place)
  }
  const wanted = (place: number) => ext_reservations[place] === '1' && !own.has(place)
  const ranges: string[] = []
  for (let from = 0; from < range.size; from++) {
    if (!wanted(from)) continue
    let to = from
    while (wanted(to + 1)) to++
    const first = addressAt(range, from)
    ranges.push(to === from ? first : `${first}-${addressAt(range, to)}`)
    from = to
  }
  return ranges
}
