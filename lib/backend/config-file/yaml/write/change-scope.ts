/** How far a change reaches: what has to be parsed again to know that the file means what it should. */
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Change } from '../../../../model/change.ts'
import type { Config } from '../../../../model/config.ts'
import type { Index } from '../../../../model/object-index.ts'
import { readRecord } from '../../records/unique-ids.ts'
import type { YamlText } from '../document/yaml-text.ts'
import type { Section } from '../syntax/yaml-cuts.ts'
import type { Draft, Named } from './draft.ts'

/** What the cluster says that has to do with its instances. */
const CLUSTER_FOR_INSTANCES: readonly string[] = [
  'beparams',
  'ctime',
  'enabled_disk_templates',
  'enabled_hypervisors',
  'file_storage_dir',
  'hypervisor',
  'mac_prefix',
  'nicparams',
  'shared_file_storage_dir',
  'volume_group_name',
]

/** What of an object concerns nobody else. */
const RECORD_KEYS = ['tags', 'mtime', 'serial_no'] as const

type Recorded = { readonly [key in (typeof RECORD_KEYS)[number]]: Json }

/** Whether all changes but those of instances are of tags and stamps, and written as they will be read. */
export function onlyRecordsChange(draft: Draft, before: Config, change: Change): boolean {
  const { cluster, groups, nodes, networks } = change
  const { ctime } = cluster ?? before.cluster
  const isRead = (kind: string, name: string, written: Json | undefined, now: Recorded) => {
    const record = isJsonObject(written) ? readRecord(written, ctime, kind, name) : undefined
    return record !== undefined && RECORD_KEYS.every((key) => equalJson(record[key], now[key]))
  }
  const only = <T extends Named & Recorded>(
    section: Section,
    kind: string,
    { byUuid }: Index<T>,
    changes: ReadonlyMap<string, T | null> = new Map(),
  ) =>
    [...changes].every(([uuid, now]) => {
      const was = byUuid.get(uuid)
      if (!was || !now || !onlyRecordDiffers(was, now)) return false
      return isRead(kind, now.name, draft.entry(section, now.name), now)
    })
  return (
    (!cluster ||
      (onlyRecordDiffers(before.cluster, cluster) &&
        isRead('cluster', cluster.cluster_name, draft.cluster, cluster))) &&
    only('groups', 'group', before.groups, groups) &&
    only('nodes', 'node', before.nodes, nodes) &&
    only('networks', 'network', before.networks, networks)
  )
}

/** Whether what instances say may mean something else after the change. */
export function concernsInstances(draft: Draft, text: YamlText, before: Config, change: Change): boolean {
  const { groups, nodes, networks } = change
  const differ = <T extends Named>(
    { byUuid }: Index<T>,
    changes: ReadonlyMap<string, T | null> = new Map(),
    keys: readonly (keyof T)[],
  ) =>
    [...changes].some(([uuid, now]) => {
      const was = byUuid.get(uuid)
      // Nobody refers to what is new.
      return was !== undefined && !(now && sameIn(was, now, keys))
    })
  return (
    !sameIn((text.key('cluster') ?? {}) as JsonObject, draft.cluster, CLUSTER_FOR_INSTANCES) ||
    differ(before.groups, groups, ['networks']) ||
    differ(before.nodes, nodes, ['name', 'group', 'vm_capable']) ||
    differ(before.networks, networks, ['name', 'network', 'network6', 'mac_prefix'])
  )
}

/** Whether instances decide what the cluster enables, and these may decide otherwise. */
export function choicesFollow(draft: Draft, before: Config, change: Change): boolean {
  const { instances } = change
  const written = draft.cluster
  if (!instances || ('enabled_hypervisors' in written && 'enabled_disk_templates' in written)) return false
  return [...instances].some(([uuid, now]) => {
    const was = before.instances.byUuid.get(uuid)
    return was?.hypervisor !== now?.hypervisor || was?.disk_template !== now?.disk_template
  })
}

/** Whether nothing else is different in an object. */
function onlyRecordDiffers<T extends Recorded>(was: T, now: T): boolean {
  const keys = Object.keys({ ...was, ...now }) as (keyof T)[]
  return sameIn(
    was,
    now,
    keys.filter((key) => !(RECORD_KEYS as readonly unknown[]).includes(key)),
  )
}

function sameIn<T>(was: T, now: T, keys: readonly (keyof T)[]): boolean {
  return keys.every((key) => equalJson(was[key] as Json, now[key] as Json))
}
