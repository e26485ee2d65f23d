/** The node groups of a YAML file. */
import { ALLOC_POLICIES } from '../../../../model/defaults.ts'
import type { Group } from '../../../../model/group.ts'
import type { NicParams } from '../../../../model/params.ts'
import type { ClusterSettings } from '../../records/cluster-settings.ts'
import { readDiskParams, readGroupIPolicy, readNdParams, readNicParams } from '../../records/params.ts'
import { quoted } from '../../records/problems.ts'
import { type NamedRecord, NOTHING, RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

/**
 * Reads all of them, by name. A file without groups has the one that every cluster begins with.
 * @param networks by name
 */
export function readGroups(
  groups: RecordReader,
  networks: ReadonlyMap<string, { readonly uuid: string }>,
  settings: ClusterSettings,
  identities: Identities,
): ReadonlyMap<string, Group> {
  const written = [...groups.children()]
  const all =
    written.length > 0
      ? written
      : [new RecordReader(NOTHING, groups, 'default', groups.problems) as NamedRecord]
  return new Map(
    all.map((fields) => {
      const connections = readConnections(fields.child('networks'), networks, settings.nicparams)
      const group = {
        ...identities.of(fields, 'group', fields.key),
        name: fields.key,
        alloc_policy: fields.oneOf('alloc_policy', ALLOC_POLICIES, 'preferred'),
        ndparams: readNdParams(fields.child('ndparams')),
        ipolicy: readGroupIPolicy(fields.child('ipolicy'), settings.ipolicy),
        diskparams: readDiskParams(fields.child('diskparams')),
        networks: connections,
      }
      fields.rejectUnknownKeysOf(keysOf('groups'))
      return [group.name, group]
    }),
  )
}

/** How a group's nodes are linked to networks, by the network's UUID. */
function readConnections(
  connections: RecordReader,
  networks: ReadonlyMap<string, { readonly uuid: string }>,
  nicparams: NicParams,
): { [uuid: string]: NicParams } {
  const byUuid: { [uuid: string]: NicParams } = {}
  for (const connection of connections.children()) {
    const network = networks.get(connection.key)
    if (!network) {
      connection.problems.add(connection, `no such network: ${quoted(connection.key)}`, 'key')
      continue
    }
    byUuid[network.uuid] = { ...nicparams, ...readNicParams(connection) }
    connection.rejectUnknownKeysOf(keysOf('connections'))
  }
  return byUuid
}
