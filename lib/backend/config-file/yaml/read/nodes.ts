/**
 * The nodes of a YAML file: what each says, and what follows from all of them
 * and from their instances (the master, master candidates, what is free).
 */
import type { Cluster } from '../../../../model/cluster.ts'
import type { Group } from '../../../../model/group.ts'
import type { Instance } from '../../../../model/instance.ts'
import { liveValues, overcommitment, useOfNode } from '../../../../model/live-values.ts'
import type { Hardware, Node, NodeLive } from '../../../../model/node.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { readNodeFlags } from '../../records/node-flags.ts'
import { readNdParams } from '../../records/params.ts'
import { quoted } from '../../records/problems.ts'
import { checkHostName, type NamedRecord, type RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

export class NodeReader {
  /** By name; which of them are master candidates is decided later (`withCandidates`). */
  readonly byName = new Map<string, Node>()
  /** By node UUID. */
  readonly hardware = new Map<string, Hardware>()
  readonly #nodes: RecordReader
  readonly #identities: Identities
  /** By name. */
  readonly #groups: ReadonlyMap<string, Group>
  /** By node UUID, as what follows. */
  readonly #fields = new Map<string, RecordReader>()
  readonly #writtenCandidates = new Map<string, boolean>()

  /** Reads all of them. */
  constructor(nodes: RecordReader, groups: ReadonlyMap<string, Group>, identities: Identities) {
    this.#nodes = nodes
    this.#groups = groups
    this.#identities = identities
    for (const fields of nodes.children()) this.byName.set(fields.key, this.#node(fields))
  }

  #node(fields: NamedRecord): Node {
    checkHostName(fields)
    const primaryIp = this.#identities.address(fields, 'primary_ip', fields.key)
    const node: Node = {
      ...this.#identities.of(fields, 'node', fields.key),
      name: fields.key,
      primary_ip: primaryIp,
      secondary_ip:
        fields.value('secondary_ip') === primaryIp
          ? primaryIp
          : this.#identities.address(fields, 'secondary_ip', fields.key) || primaryIp,
      group: this.#groupOf(fields),
      master_candidate: false,
      ...readNodeFlags(fields),
      ndparams: readNdParams(fields.child('ndparams')),
    }
    this.#fields.set(node.uuid, fields)
    this.hardware.set(node.uuid, {
      bootid: deriveUuid('boot', node.name),
      memory: fields.sizeOr('memory', null),
      ownMemory: fields.sizeOr('node_memory', null),
      disk: fields.sizeOr('disk', null),
      cpus: fields.countOr('cpus', null),
      ownCpus: fields.countOr('node_cpus', null),
      sockets: fields.countOr('sockets', null),
      numaNodes: fields.countOr('numa_nodes', null),
      spindles: fields.countOr('spindles', null),
    })
    const candidate = fields.flagOr('master_candidate', undefined)
    if (candidate !== undefined) this.#writtenCandidates.set(node.uuid, candidate)
    if (candidate && !canBeMaster(node)) {
      fields.addProblem(
        'master_candidate',
        'a node that is offline, drained or not master_capable is no candidate',
      )
    }
    if (node.offline && node.drained) fields.addProblem('drained', 'a node is offline or drained, not both')
    fields.rejectUnknownKeysOf(keysOf('nodes'))
    return node
  }

  #groupOf(fields: RecordReader): string {
    const name = fields.textOr('group', undefined)
    const only = this.#groups.size === 1 ? [...this.#groups.keys()][0] : 'default'
    const group = this.#groups.get(name ?? only ?? '')
    if (group) return group.uuid
    if (name !== undefined) fields.addProblem('group', `no such group: ${quoted(name)}`)
    else fields.problems.add(fields, 'group is missing, and there is none called default', 'key')
    return ''
  }

  /** The node that the cluster names as its master, else the first that can be. */
  master(cluster: RecordReader): Node | undefined {
    const nodes = this.#nodes
    const { problems } = nodes
    if (this.byName.size === 0) problems.add(nodes, 'a cluster has at least one node', 'key')
    const name = cluster.textOr('master', undefined)
    if (name === undefined) {
      const capable = [...this.byName.values()].find(canBeMaster)
      if (!capable && this.byName.size > 0) problems.add(nodes, 'none of the nodes can be the master', 'key')
      return capable
    }
    const node = this.byName.get(name)
    if (!node) cluster.addProblem('master', `no such node: ${quoted(name)}`)
    else if (!canBeMaster(node))
      cluster.addProblem('master', `${name} is offline, drained or not master_capable`)
    return node
  }

  /** Makes `poolSize` nodes master candidates; the master and those written as candidates come first. */
  withCandidates(master: Node | undefined, poolSize: number): readonly Node[] {
    const nodes = [...this.byName.values()]
    const written = (node: Node) => (node === master ? true : this.#writtenCandidates.get(node.uuid))
    let wanted = poolSize - nodes.filter(written).length
    return nodes.map((node) => {
      const candidate = written(node) ?? (canBeMaster(node) && wanted-- > 0)
      return candidate ? { ...node, master_candidate: true } : node
    })
  }

  /** What nodes report, by UUID, without the offline ones; notes those whose instances want more than they have. */
  live(
    cluster: Cluster,
    nodes: readonly Node[],
    instances: readonly Instance[],
  ): ReadonlyMap<string, NodeLive> {
    const primaries = groupBy(instances, ({ primary_node }) => primary_node)
    const secondaries = groupBy(instances, ({ secondary_nodes: [node] }) => node)
    const live = new Map<string, NodeLive>()
    for (const node of nodes) {
      const has = this.hardware.get(node.uuid) as Hardware
      const use = useOfNode(cluster, node.uuid, primaries.get(node.uuid), secondaries.get(node.uuid))
      for (const [key, message] of Object.entries(overcommitment(has, use))) {
        this.#fields.get(node.uuid)?.addProblem(key, message)
      }
      const values = liveValues(node, has, use)
      if (values) live.set(node.uuid, values)
    }
    return live
  }
}

function groupBy<T, Key>(objects: readonly T[], keyFor: (object: T) => Key): ReadonlyMap<Key, T[]> {
  const groups = new Map<Key, T[]>()
  for (const object of objects) {
    const key = keyFor(object)
    const group = groups.get(key)
    if (group) group.push(object)
    else groups.set(key, [object])
  }
  return groups
}

function canBeMaster(node: Node): boolean {
  return node.master_capable && !node.offline && !node.drained
}
