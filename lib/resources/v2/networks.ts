import { resource } from '../resource.ts'
import { type Collection, listOf, oneOf, tagsOf } from './collection.ts'

const collection: Collection = {
  path: '/2/networks',
  singular: 'network',
  plural: 'networks',
  idKey: 'name',
  tagKind: 'network',
  fields: [
    'name',
    'network',
    'gateway',
    'network6',
    'gateway6',
    'mac_prefix',
    'free_count',
    'reserved_count',
    'map',
    'group_list',
    'inst_list',
    'external_reservations',
    'ctime',
    'mtime',
    'uuid',
    'serial_no',
    'tags',
  ],
  query: (backend, names, fields) => backend.queryNetworks(names, fields),
}

export const networks = [
  resource('/2/networks', 'The networks of the cluster.', { GET: listOf(collection) }),
  resource('/2/networks/{network_name}', 'One network.', { GET: oneOf(collection, 'network_name') }),
  resource('/2/networks/{network_name}/tags', 'Tags of a network.', {
    GET: tagsOf(collection, 'network_name'),
  }),
]
