import {
  OP_NETWORK_ADD,
  OP_NETWORK_CONNECT,
  OP_NETWORK_DISCONNECT,
  OP_NETWORK_REMOVE,
  OP_NETWORK_RENAME,
  OP_NETWORK_SET_PARAMS,
} from '../../model/opcodes/network.ts'
import { type Resource, resource } from '../resource.ts'
import { path, submit } from '../submit.ts'
import { type Collection, listOf, oneOf } from './collection.ts'
import { tagMethods } from './tags.ts'

const collection: Collection = {
  path: '/2/networks',
  singular: 'network',
  plural: 'networks',
  idKey: 'name',
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
  query: (backend, ...args) => backend.queryNetworks(...args),
}

const network_name = path('network_name')

const list = resource('/2/networks', 'The networks of the cluster.', {
  GET: listOf(collection),
  POST: submit(OP_NETWORK_ADD, {
    doc: 'Adds a network.',
    operation: 'networks',
    dryRun: 'fixed',
    renames: { name: 'network_name' },
  }),
})

const one = resource('/2/networks/{network_name}', 'One network.', {
  GET: oneOf(collection, 'network_name'),
  DELETE: submit(OP_NETWORK_REMOVE, {
    doc: 'Removes a network that no node group is connected to.',
    operation: 'networks_name',
    dryRun: 'fixed',
    fixed: { network_name },
  }),
})

const connect = resource('/2/networks/{network_name}/connect', 'Connecting a network to a node group.', {
  PUT: submit(OP_NETWORK_CONNECT, {
    doc: 'Connects a network to a node group.',
    operation: 'networks_name_connect',
    dryRun: 'fixed',
    fixed: { network_name },
  }),
})

const disconnect = resource(
  '/2/networks/{network_name}/disconnect',
  'Disconnecting a network from a node group.',
  {
    PUT: submit(OP_NETWORK_DISCONNECT, {
      doc: 'Disconnects a network from a node group.',
      operation: 'networks_name_disconnect',
      dryRun: 'fixed',
      fixed: { network_name },
    }),
  },
)

const modify = resource('/2/networks/{network_name}/modify', 'Parameters of a network.', {
  PUT: submit(OP_NETWORK_SET_PARAMS, {
    doc: 'Changes parameters of a network.',
    operation: 'networks_name_modify',
    fixed: { network_name },
  }),
})

const rename: Resource = {
  ...resource('/2/networks/{network_name}/rename', 'Name of a network.', {
    PUT: submit(OP_NETWORK_RENAME, {
      doc: 'Gives a network another name.',
      operation: 'networks_name_rename',
      dryRun: 'fixed',
      fixed: { network_name },
    }),
  }),
  since: '3.1',
}

const tags = resource(
  '/2/networks/{network_name}/tags',
  'Tags of a network.',
  tagMethods('network', 'the network', 'networks_name_tags', network_name),
)

export const networks = [list, one, connect, disconnect, modify, rename, tags]
