/** References by name: what refers to a group or network that gets another name is written anew. */
import { equalJson, isJsonObject, type JsonObject } from '../../../../json/json.ts'
import type { Change } from '../../../../model/change.ts'
import type { Config } from '../../../../model/config.ts'
import type { Index } from '../../../../model/object-index.ts'
import type { Section } from '../syntax/yaml-cuts.ts'
import type { Draft, Named } from './draft.ts'

/** Writes the new names of groups and networks wherever they are referred to. */
export function followRenames(draft: Draft, before: Config, change: Change, config: Config): void {
  const { groups, nodes, instances, groupNodes, networkInstances } = config
  const resay = (section: Section, { name }: Named, change: (written: JsonObject) => JsonObject) => {
    const written = draft.entry(section, name)
    const value = isJsonObject(written) ? change(written) : undefined
    if (value && !equalJson(written, value)) draft.put(section, name, value)
  }
  for (const [uuid, from, to] of renames(before.groups, change.groups)) {
    for (const node of groupNodes.get(uuid) ?? []) {
      resay('nodes', nodes.byUuid.get(node.uuid) ?? node, (written) =>
        withReference(written, 'group', from, to),
      )
    }
  }
  for (const [uuid, from, to] of renames(before.networks, change.networks)) {
    for (const group of groups.all) {
      if (uuid in group.networks) resay('groups', group, (written) => withKey(written, 'networks', from, to))
    }
    for (const instance of networkInstances.get(uuid) ?? []) {
      resay('instances', instances.byUuid.get(instance.uuid) ?? instance, ({ nics = [], ...written }) => {
        const renamed = (nics as readonly JsonObject[]).map((nic) => withReference(nic, 'network', from, to))
        return { ...written, nics: renamed }
      })
    }
  }
}

function* renames<T extends Named>(
  { byUuid }: Index<T>,
  changes: ReadonlyMap<string, T | null> | undefined,
): Generator<[uuid: string, from: string, to: string]> {
  for (const [uuid, now] of changes ?? []) {
    const was = byUuid.get(uuid)
    if (was && now && was.name !== now.name) yield [uuid, was.name, now.name]
  }
}

function withReference(written: JsonObject, key: string, from: string, to: string): JsonObject {
  return written[key] === from ? { ...written, [key]: to } : written
}

/** With another name for a key of an inner object. */
function withKey(written: JsonObject, key: string, from: string, to: string): JsonObject {
  const inner = written[key]
  if (!isJsonObject(inner)) return written
  const entries = Object.entries(inner).map(([name, value]) => [name === from ? to : name, value] as const)
  return { ...written, [key]: Object.fromEntries(entries) }
}
