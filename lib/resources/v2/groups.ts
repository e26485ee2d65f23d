import { resource } from '../resource.ts'
import { type Collection, listOf, oneOf, tagsOf } from './collection.ts'

const collection: Collection = {
  path: '/2/groups',
  singular: 'node group',
  plural: 'node groups',
  idKey: 'name',
  tagKind: 'nodegroup',
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
  query: (backend, names, fields) => backend.queryGroups(names, fields),
}

export const groups = [
  resource('/2/groups', 'The node groups of the cluster.', { GET: listOf(collection) }),
  resource('/2/groups/{group_name}', 'One node group.', { GET: oneOf(collection, 'group_name') }),
  resource('/2/groups/{group_name}/tags', 'Tags of a node group.', { GET: tagsOf(collection, 'group_name') }),
]
