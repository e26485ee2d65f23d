/** The fields of node groups. */
import type { Config } from '../../../../model/config.ts'
import { ND_TYPES } from '../../../../model/defaults.ts'
import { filledDiskParams, filledIPolicy, filledNdParams } from '../../../../model/fill.ts'
import type { Group } from '../../../../model/group.ts'
import type { Node } from '../../../../model/node.ts'
import { asJson, type Field, field, ndParamFields, recordFields } from './field.ts'
import { object, params, texts } from './value-schemas.ts'

export const groupFields: readonly Field<Group>[] = [
  field('name', 'Group', 'text', 'Name of the group', ({ name }) => name),
  field(
    'alloc_policy',
    'AllocPolicy',
    'text',
    'Whether new instances are placed in the group',
    (group) => group.alloc_policy,
  ),
  field('ipolicy', 'InstancePolicy', object, 'Limits for instances in effect', (group, { cluster }) =>
    asJson(filledIPolicy(cluster, group)),
  ),
  field(
    'custom_ipolicy',
    'CustomInstancePolicy',
    object,
    'Limits for instances set on the group itself',
    (group) => asJson(group.ipolicy),
  ),
  field(
    'diskparams',
    'DiskParameters',
    object,
    'Disk parameters in effect, by template',
    (group, { cluster }) => filledDiskParams(cluster, group),
  ),
  field(
    'custom_diskparams',
    'CustomDiskParameters',
    object,
    'Disk parameters set on the group itself',
    (group) => group.diskparams,
  ),
  field(
    'ndparams',
    'NDParams',
    params(ND_TYPES),
    "Parameters of the group's nodes in effect",
    (group, { cluster }) => asJson(filledNdParams(cluster, group)),
  ),
  field(
    'custom_ndparams',
    'CustomNDParams',
    params(ND_TYPES),
    'Node parameters set on the group itself',
    (group) => asJson(group.ndparams),
  ),
  ...ndParamFields<Group>((group, { cluster }) => filledNdParams(cluster, group)),
  field(
    'node_cnt',
    'Nodes',
    'number',
    'How many nodes are in the group',
    (group, config) => nodesOf(group, config).length,
  ),
  field('node_list', 'NodeList', texts, 'Nodes in the group', (group, config) =>
    // By UUID, as Ganeti lists them here and only here.
    [...nodesOf(group, config)].sort((a, b) => (a.uuid < b.uuid ? -1 : 1)).map(({ name }) => name),
  ),
  field(
    'pinst_cnt',
    'Instances',
    'number',
    'How many instances have their primary node in the group',
    (group, config) =>
      nodesOf(group, config).reduce(
        (sum, node) => sum + (config.primaryInstances.get(node.uuid)?.length ?? 0),
        0,
      ),
  ),
  field(
    'pinst_list',
    'InstanceList',
    texts,
    'Instances whose primary node is in the group',
    (group, config) => {
      const { nodes, instances } = config
      const inGroup = instances.all.filter(
        ({ primary_node }) => nodes.byUuid.get(primary_node)?.group === group.uuid,
      )
      return inGroup.map(({ name }) => name)
    },
  ),
  ...recordFields<Group>('group'),
]

function nodesOf(group: Group, config: Config): readonly Node[] {
  return config.groupNodes.get(group.uuid) ?? []
}
