/** What an opcode is about: the objects that no other job may have meanwhile. */
import { isJsonObject, type Json, type JsonObject } from '../../../json/json.ts'
import type { Config } from '../../../model/config.ts'
import { isCalled } from '../../../model/lookup.ts'
import type { Index } from '../../../model/object-index.ts'
import { OP_GROUP_RENAME } from '../../../model/opcodes/group.ts'
import { OP_INSTANCE_RENAME } from '../../../model/opcodes/instance.ts'

type Level = 'group' | 'instance' | 'network' | 'node'

/** Parameters that name one object or several, and of what kind. */
const NAMING: { readonly [parameter: string]: Level } = {
  group_name: 'group',
  instance_name: 'instance',
  network_name: 'network',
  node_name: 'node',
  nodes: 'node',
  on_nodes: 'node',
}

/**
 * Names of locks, under the full name that an object has now. An object's new
 * name is locked too, and what is only to be made.
 */
export function locksOf(config: Config, opcode: JsonObject): string[] {
  const locks: string[] = []
  const add = (level: Level, name: Json | undefined) => {
    if (typeof name === 'string' && name !== '') locks.push(`${level}/${fullName(config, level, name)}`)
  }
  for (const [parameter, level] of Object.entries(NAMING)) {
    const value = opcode[parameter]
    if (Array.isArray(value)) for (const name of value) add(level, name)
    else add(level, value)
  }
  const { OP_ID, kind, name, new_name: newName, instances } = opcode
  if (OP_ID === OP_INSTANCE_RENAME.id) add('instance', newName)
  if (OP_ID === OP_GROUP_RENAME.id) add('group', newName)
  if (Array.isArray(instances)) {
    for (const one of instances as readonly Json[]) if (isJsonObject(one)) add('instance', one.instance_name)
  }
  if (kind === 'nodegroup') add('group', name)
  else if (kind === 'instance' || kind === 'network' || kind === 'node') add(kind, name)
  else if (kind === 'cluster' || String(OP_ID).startsWith('OP_CLUSTER_')) locks.push('cluster')
  return opcode.no_locks === true ? [] : locks
}

function fullName(config: Config, level: Level, name: string): string {
  const indexes: { readonly [one in Level]: Index<{ readonly name: string }> } = {
    group: config.groups,
    instance: config.instances,
    network: config.networks,
    node: config.nodes,
  }
  const { all, byUuid, byName } = indexes[level]
  const exact = byName.get(name) ?? byUuid.get(name)
  if (exact) return exact.name
  if (level === 'group' || level === 'network') return name
  const [found, another] = all.filter((object) => isCalled(object.name, name))
  return found && !another ? found.name : name
}
