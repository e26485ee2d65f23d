import { toChange } from '../../auth/permissions.ts'
import {
  OP_GROUP_ADD,
  OP_GROUP_ASSIGN_NODES,
  OP_GROUP_REMOVE,
  OP_GROUP_RENAME,
  OP_GROUP_SET_PARAMS,
} from '../../model/opcodes/group.ts'
import { noBody } from '../job-body.ts'
import { resource } from '../resource.ts'
import { force, path, submit } from '../submit.ts'
import { type Collection, listOf, oneOf } from './collection.ts'
import { tagMethods } from './tags.ts'

const collection: Collection = {
  path: '/2/groups',
  permissions: 'groups',
  singular: 'node group',
  plural: 'node groups',
  id: 'Group',
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
    operationId: 'CreateGroup',
    need: toChange('groups.create'),
    doc: 'Adds a node group.',
    operation: 'groups',
    dryRun: 'fixed',
    renames: { name: 'group_name' },
    example: { body: { group_name: 'lab', alloc_policy: 'last_resort' } },
  }),
})

const one = resource('/2/groups/{group_name}', 'One node group.', {
  GET: oneOf(collection, 'group_name'),
  DELETE: submit(OP_GROUP_REMOVE, {
    operationId: 'DeleteGroup',
    need: toChange('groups.delete'),
    doc: 'Removes an empty node group.',
    operation: 'groups_name',
    dryRun: 'fixed',
    fixed: { group_name },
    body: noBody,
    example: { names: { group_name: 'attic' } },
  }),
})

const modify = resource('/2/groups/{group_name}/modify', 'Parameters of a node group.', {
  PUT: submit(OP_GROUP_SET_PARAMS, {
    operationId: 'ModifyGroup',
    need: toChange('groups.modify'),
    doc: 'Changes parameters of a node group.',
    operation: 'groups_name_modify',
    fixed: { group_name },
    renames: {
      custom_ndparams: 'ndparams',
      custom_ipolicy: 'ipolicy',
      custom_diskparams: 'diskparams',
    },
    example: { names: { group_name: 'branch' }, body: { alloc_policy: 'unallocable' } },
  }),
})

const rename = resource('/2/groups/{group_name}/rename', 'Name of a node group.', {
  PUT: submit(OP_GROUP_RENAME, {
    operationId: 'RenameGroup',
    need: toChange('groups.rename'),
    doc: 'Gives a node group another name.',
    operation: 'groups_name_rename',
    dryRun: 'fixed',
    fixed: { group_name },
    example: { names: { group_name: 'lab' }, body: { new_name: 'attic' } },
  }),
})

const assignNodes = resource('/2/groups/{group_name}/assign-nodes', 'Nodes of a node group.', {
  PUT: submit(OP_GROUP_ASSIGN_NODES, {
    operationId: 'AssignGroupNodes',
    need: toChange('groups.assign_nodes'),
    doc: 'Moves nodes into a node group.',
    operation: 'groups_name_assign_nodes',
    dryRun: 'fixed',
    fixed: { group_name, force },
    example: { names: { group_name: 'branch' }, body: { nodes: ['node5.example.com'] } },
  }),
})

const tags = resource(
  '/2/groups/{group_name}/tags',
  'Tags of a node group.',
  tagMethods('Group', 'nodegroup', 'the node group', 'groups_name_tags', group_name),
)

export const groups = [list, one, modify, rename, assignNodes, tags]
