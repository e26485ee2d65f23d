import type { Group } from '../../../../model/group.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { findGroup, findNode, groupOf, nodesOf } from '../shared/find.ts'
import { failure } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'

/**
 * Puts nodes into a group. NICs that are in a network are linked as the group
 * of their node says, so they change with it; a network that the new group has
 * no connection to keeps the node out: a rule of ours, as Ganeti leaves such a
 * NIC without a link.
 */
export const groupAssignNodes = operation((run) => {
  const { config } = run
  const { now } = run.context
  const group = findGroup(config, run.text('group_name') ?? '')
  const named = run.list('nodes').map((name) => findNode(config, String(name)))
  const movers = [...new Set(named)].filter((node) => node.group !== group.uuid)
  checkSplits(run, group, movers)
  const instances = movers.flatMap((node) =>
    (config.primaryInstances.get(node.uuid) ?? []).filter(hasNetwork).map((one) => relinked(run, one, group)),
  )
  if (run.isDry) return run.dryRun()

  const groups = new Set(movers.length === 0 ? [] : [group, ...movers.map((node) => groupOf(config, node))])
  return run.done({
    ...changeOf(
      'groups',
      [...groups].map((one) => revised(one, {}, now)),
    ),
    ...changeOf(
      'nodes',
      movers.map((node) => revised(node, { group: group.uuid }, now)),
    ),
    ...changeOf('instances', instances),
  })
})

/** @throws OpError where instances would have their nodes in different groups, unless forced */
function checkSplits(run: Run, group: Group, movers: readonly Node[]): void {
  const { config } = run
  const mirrored = config.instances.all.filter(({ disk_template }) => disk_template === 'drbd')
  const isSplit = (instance: Instance, groupAfter: (node: Node) => string) =>
    new Set(nodesOf(config, instance).map(groupAfter)).size > 1
  const before = (instance: Instance) => isSplit(instance, (node) => node.group)
  const after = mirrored.filter((instance) =>
    isSplit(instance, (node) => (movers.includes(node) ? group.uuid : node.group)),
  )
  const names = (instances: readonly Instance[]) => instances.map(({ name }) => name).join(', ')
  const fresh = after.filter((instance) => !before(instance))
  if (fresh.length === 0) return
  if (!run.flag('force')) {
    throw failure(
      `The following instances get split by this change and --force was not given: ${names(fresh)}`,
    )
  }
  run.warn(`This operation will split the following instances: ${names(fresh)}`)
  const still = after.filter(before)
  if (still.length > 0) {
    run.warn(`In addition, these already-split instances continue to be split across groups: ${names(still)}`)
  }
}

function hasNetwork({ nics }: Instance): boolean {
  return nics.some(({ network }) => network !== null)
}

/** An instance with its NICs linked as a group connects their networks. */
function relinked({ config, context }: Run, instance: Instance, group: Group): Instance {
  const nics = instance.nics.map((nic) => {
    if (nic.network === null) return nic
    const nicparams = group.networks[nic.network]
    if (nicparams) return { ...nic, nicparams }
    throw failure(
      `Network '${config.networks.byUuid.get(nic.network)?.name}' of instance ${instance.name} is not connected to ` +
        `group '${group.name}'`,
    )
  })
  return revised(instance, { nics }, context.now)
}
