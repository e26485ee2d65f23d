import { toChange } from '../../auth/permissions.ts'
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
  permissions: 'networks',
  singular: 'network',
  plural: 'networks',
  id: 'Network',
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
    operationId: 'CreateNetwork',
    need: toChange('networks.create'),
    doc: 'Adds a network.',
    operation: 'networks',
    dryRun: 'fixed',
    renames: { name: 'network_name' },
    example: { body: { network_name: 'lan', network: '10.9.0.0/24', gateway: '10.9.0.1', tags: ['tested'] } },
  }),
})

const one = resource('/2/networks/{network_name}', 'One network.', {
  GET: oneOf(collection, 'network_name'),
  DELETE: submit(OP_NETWORK_REMOVE, {
    operationId: 'DeleteNetwork',
    need: toChange('networks.remove'),
    doc: 'Removes a network that no node group is connected to.',
    operation: 'networks_name',
    dryRun: 'fixed',
    fixed: { network_name },
    example: { names: { network_name: 'attic' } },
  }),
})

const connect = resource('/2/networks/{network_name}/connect', 'Connecting a network to a node group.', {
  PUT: submit(OP_NETWORK_CONNECT, {
    operationId: 'ConnectNetwork',
    need: toChange('networks.connect'),
    doc: 'Connects a network to a node group.',
    operation: 'networks_name_connect',
    dryRun: 'fixed',
    fixed: { network_name },
    example: {
      names: { network_name: 'lan' },
      body: { group_name: 'default', network_mode: 'bridged', network_link: 'xen-br0' },
    },
  }),
})

const disconnect = resource(
  '/2/networks/{network_name}/disconnect',
  'Disconnecting a network from a node group.',
  {
    PUT: submit(OP_NETWORK_DISCONNECT, {
      operationId: 'DisconnectNetwork',
      need: toChange('networks.disconnect'),
      doc: 'Disconnects a network from a node group.',
      operation: 'networks_name_disconnect',
      dryRun: 'fixed',
      fixed: { network_name },
      example: { names: { network_name: 'lan' }, body: { group_name: 'default' } },
    }),
  },
)

const modify = resource('/2/networks/{network_name}/modify', 'Parameters of a network.', {
  PUT: submit(OP_NETWORK_SET_PARAMS, {
    operationId: 'ModifyNetwork',
    need: toChange('networks.modify'),
    doc: 'Changes parameters of a network.',
    operation: 'networks_name_modify',
    fixed: { network_name },
    example: { body: { add_reserved_ips: ['198.51.100.200'] } },
  }),
})

const rename: Resource = {
  ...resource('/2/networks/{network_name}/rename', 'Name of a network.', {
    PUT: submit(OP_NETWORK_RENAME, {
      operationId: 'RenameNetwork',
      need: toChange('networks.rename'),
      doc: 'Gives a network another name.',
      operation: 'networks_name_rename',
      dryRun: 'fixed',
      fixed: { network_name },
      example: { names: { network_name: 'lan' }, body: { new_name: 'attic' } },
    }),
  }),
  since: '3.1',
}

const tags = resource(
  '/2/networks/{network_name}/tags',
  'Tags of a network.',
  tagMethods('Network', 'network', 'the network', 'networks_name_tags', network_name),
)

export const networks = [list, one, connect, disconnect, modify, rename, tags]
