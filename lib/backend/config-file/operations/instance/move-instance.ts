/**
 * What a new primary node means for an instance. In a file, how a NIC of a
 * network is linked follows from the group of the node, and local disks are
 * where the instance is.
 */
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { findNetwork, groupOf } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'

/** The instance on another primary node; DRBD's two nodes change places. */
export function movedTo(run: Run, instance: Instance, node: Node): Instance {
  const others = instance.secondary_nodes.map((uuid) => (uuid === node.uuid ? instance.primary_node : uuid))
  return {
    ...instance,
    primary_node: node.uuid,
    secondary_nodes: others,
    disks: instance.disks.map((disk) => (disk.nodes.length > 0 ? held(disk, [node.uuid, ...others]) : disk)),
    nics: instance.nics.map((nic) => movedNic(run, nic, node)),
  }
}

/** A disk on these nodes, the primary one first. */
function held(disk: Disk, nodes: readonly string[]): Disk {
  return { ...disk, nodes, children: disk.children.map((child) => held(child, nodes)) }
}

/** @throws OpError where a NIC's network is not connected to the node's group */
function movedNic(run: Run, nic: Nic, node: Node): Nic {
  if (nic.network === null) return nic
  const nicparams = groupOf(run.config, node).networks[nic.network]
  if (nicparams) return { ...nic, nicparams }
  const { name } = findNetwork(run.config, nic.network)
  throw prerequisite(
    `No netparams found for network ${name}. Probably not connected to node's ${node.name} nodegroup`,
    'wrong_input',
  )
}
