import {
  OP_GROUP_ADD,
  OP_GROUP_ASSIGN_NODES,
  OP_GROUP_REMOVE,
  OP_GROUP_RENAME,
  OP_GROUP_SET_PARAMS,
} from '../../model/opcodes/group.ts'
import { resource } from '../resource.ts'
import { force, noBody, path, submit } from '../submit.ts'
import { type Collection, listOf, oneOf } from './collection.ts'
import { tagMethods } from './tags.ts'

const collection: Collection = {
  path: '/2/groups',
  singular: 'node group',
  plural: 'node groups',
  idKey: 'name',
  fields: [
    'alloc_policy',
    'name',
    'node_cnt',
    'node_list',
    'ipolicy',
    'custom_ipolicy',
    'diskparams',
    'custom_diskparams',
    'ndparams',
    'custom_ndparams',
    'ctime',
    'mtime',
    'uuid',
    'serial_no',
    'tags',
  ],
  query: (backend, ...args) => backend.queryGroups(...args),
}

const group_name = path('group_name')

const list = resource('/2/groups', 'The node groups of the cluster.', {
  GET: listOf(collection),
  POST: submit(OP_GROUP_ADD, {
    doc: 'Adds a node group.',
    operation: 'groups',
    dryRun: 'fixed',
    renames: { name: 'group_name' },
  }),
})

const one = resource('/2/groups/{group_name}', 'One node group.', {
  GET: oneOf(collection, 'group_name'),
  DELETE: submit(OP_GROUP_REMOVE, {
    doc: 'Removes an empty node group.',
    operation: 'groups_name',
    dryRun: 'fixed',
    fixed: { group_name },
    body: noBody,
  }),
})

const modify = resource('/2/groups/{group_name}/modify', 'Parameters of a node group.', {
  PUT: submit(OP_GROUP_SET_PARAMS, {
    doc: 'Changes parameters of a node group.',
    operation: 'groups_name_modify',
    fixed: { group_name },
    renames: {
      custom_ndparams: 'ndparams',
      custom_ipolicy: 'ipolicy',
      custom_diskparams: 'diskparams',
    },
  }),
})

const rename = resource('/2/groups/{group_name}/rename', 'Name of a node group.', {
  PUT: submit(OP_GROUP_RENAME, {
    doc: 'Gives a node group another name.',
    operation: 'groups_name_rename',
    dryRun: 'fixed',
    fixed: { group_name },
  }),
})

const assignNodes = resource('/2/groups/{group_name}/assign-nodes', 'Nodes of a node group.', {
  PUT: submit(OP_GROUP_ASSIGN_NODES, {
    doc: 'Moves nodes into a node group.',
    operation: 'groups_name_assign_nodes',
    dryRun: 'fixed',
    fixed: { group_name, force },
  }),
})

const tags = resource(
  '/2/groups/{group_name}/tags',
  'Tags of a node group.',
  tagMethods('nodegroup', 'the node group', 'groups_name_tags', group_name),
)

export const groups = [list, one, modify, rename, assignNodes, tags]
