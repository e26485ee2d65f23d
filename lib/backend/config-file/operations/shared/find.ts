/** The objects that an opcode names, with Ganeti's refusals where there is none. */
import { Failure } from '../../../../failure.ts'
import type { Config } from '../../../../model/config.ts'
import type { Group } from '../../../../model/group.ts'
import type { Instance } from '../../../../model/instance.ts'
import { findHost } from '../../../../model/lookup.ts'
import type { Network } from '../../../../model/network.ts'
import type { Node } from '../../../../model/node.ts'
import type { Index } from '../../../../model/object-index.ts'
import { prerequisite } from './operation.ts'
import type { Run } from './run.ts'

/**
 * The instance an opcode is about, by `instance_name` and, if given, `instance_uuid`.
 * @throws OpError where there is none of that name, or it has another UUID by now
 */
export function instanceOf(run: Run): Instance {
  const instance = findInstance(run.config, run.text('instance_name') ?? '')
  const expected = run.text('instance_uuid')
  if (expected !== null && expected !== instance.uuid) {
    throw prerequisite(
      `The instances UUID '${instance.uuid}' does not match the expected UUID '${expected}' for instance ` +
        `'${instance.name}'. Maybe the instance changed since you submitted this job.`,
      'resource_not_unique',
    )
  }
  return instance
}

/** As `instanceOf`, by a full or short name. */
export function findInstance({ instances }: Config, name: string): Instance {
  return findByHostName('Instance', instances, name)
}

/** A node by its full or short name. */
export function findNode({ nodes }: Config, name: string): Node {
  return findByHostName('Node', nodes, name)
}

/** The node an opcode is about, by `node_name` and, if given, `node_uuid`. */
export function nodeNamed(run: Run): Node {
  return nodeOf(run, 'node_name', 'node_uuid') ?? findNode(run.config, '')
}

/**
 * The node that an opcode names in a parameter and, if given, in another that has its UUID.
 * @returns null where the opcode names none
 */
export function nodeOf(run: Run, parameter: string, uuidParameter = `${parameter}_uuid`): Node | null {
  const name = run.text(parameter)
  if (name === null) return null
  const node = findNode(run.config, name)
  const expected = run.text(uuidParameter)
  if (expected !== null && expected !== node.uuid) {
    throw prerequisite(
      `The nodes UUID '${node.uuid}' does not match the expected UUID '${expected}' for node '${node.name}'. ` +
        'Maybe the node changed since you submitted this job.',
      'resource_not_unique',
    )
  }
  return node
}

/** A network by name or UUID. */
export function findNetwork({ networks }: Config, name: string): Network {
  return findNamed('Network', networks, name)
}

/** A group by name or UUID. */
export function findGroup({ groups }: Config, name: string, noun = 'Node group'): Group {
  return findNamed(noun, groups, name)
}

/** @throws OpError where a group or a network has a name, or has it for a UUID */
export function checkNameFree<T extends { readonly uuid: string }>(
  noun: string,
  { byUuid, byName }: Index<T>,
  name: string,
): void {
  const existing = byUuid.get(name) ?? byName.get(name)
  if (!existing) return
  throw prerequisite(
    `Desired new name '${name}' clashes with existing ${noun} (UUID: ${existing.uuid})`,
    'already_exists',
  )
}

/** A node that an object refers to, which is there in any checked configuration. */
export function nodeBehind({ nodes }: Config, uuid: string): Node {
  return nodes.byUuid.get(uuid) as Node
}

/** The nodes that an instance needs: where it runs, and where else its disks are. */
export function nodesOf(config: Config, instance: Instance): [Node, ...Node[]] {
  return [
    nodeBehind(config, instance.primary_node),
    ...instance.secondary_nodes.map((uuid) => nodeBehind(config, uuid)),
  ]
}

export function groupOf({ groups }: Config, node: Node): Group {
  return groups.byUuid.get(node.group) as Group
}

/** The instances with a node in a group, in natural order. */
export function instancesIn({ nodes, instances }: Config, group: string): readonly Instance[] {
  const isIn = (node: string) => nodes.byUuid.get(node)?.group === group
  return instances.all.filter(
    ({ primary_node, secondary_nodes }) => isIn(primary_node) || secondary_nodes.some(isIn),
  )
}

function findNamed<T>(noun: string, { byUuid, byName }: Index<T>, name: string): T {
  const found = byUuid.get(name) ?? byName.get(name)
  if (!found) throw prerequisite(`${noun} '${name}' not found`, 'unknown_entity')
  return found
}

function findByHostName<T extends { readonly name: string }>(noun: string, index: Index<T>, name: string): T {
  try {
    return findHost(noun, index, name)
  } catch (error) {
    // None of that name, or several: Ganeti makes no difference.
    if (error instanceof Failure) throw prerequisite(`${noun} '${name}' not known`, 'unknown_entity')
    throw error
  }
}
