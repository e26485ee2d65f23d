import { Failure } from '../../failure.ts'
import type { Json, JsonObject } from '../../json.ts'
import type { QueryString } from '../query-string.ts'
import { live, open, resource } from '../resource.ts'
import { onlyRow } from '../rows.ts'
import { type Collection, listOf, oneOf, tagsOf } from './collection.ts'

const collection: Collection = {
  path: '/2/nodes',
  singular: 'node',
  plural: 'nodes',
  idKey: 'id',
  tagKind: 'node',
  fields: [
    'name',
    'offline',
    'master_candidate',
    'drained',
    'dtotal',
    'dfree',
    'sptotal',
    'spfree',
    'mtotal',
    'mnode',
    'mfree',
    'pinst_cnt',
    'sinst_cnt',
    'ctotal',
    'cnos',
    'cnodes',
    'csockets',
    'pip',
    'sip',
    'role',
    'pinst_list',
    'sinst_list',
    'master_capable',
    'vm_capable',
    'ndparams',
    'group.uuid',
    'ctime',
    'mtime',
    'uuid',
    'serial_no',
    'tags',
  ],
  query: (backend, names, fields) => backend.queryNodes(names, fields),
  aliases: ({ sip = null }) => ({ secondary_ip: sip }),
}

/** What the letters of the `role` field stand for. */
const ROLES: { readonly [letter: string]: string } = {
  M: 'master',
  C: 'master-candidate',
  D: 'drained',
  O: 'offline',
  R: 'regular',
}

const STORAGE_TYPES = ['diskless', 'ext', 'file', 'gluster', 'lvm-pv', 'lvm-vg', 'rados', 'sharedfile']

const role = resource('/2/nodes/{node_name}/role', 'Role of a node.', {
  GET: open(
    'Gives the role of a node: master, master-candidate, regular, drained or offline.',
    async ({ backend, params }) => {
      const [letter] = onlyRow(await backend.queryNodes([params.node_name], ['role']))
      return ROLES[String(letter)] ?? null
    },
  ),
})

const storage = resource('/2/nodes/{node_name}/storage', 'Storage units of a node.', {
  GET: live(
    ['write'],
    'Asks a node for its storage units; answers with the id of the job whose result lists them.',
    ({ backend, params, query }) => backend.submitJob([storageOpcode(params.node_name, query)]),
    [
      { name: 'storage_type', doc: `Kind of storage: ${STORAGE_TYPES.join(', ')}.` },
      { name: 'output_fields', doc: 'Names of fields, separated by commas; required.' },
    ],
  ),
})

function storageOpcode(node_name: string, query: QueryString): JsonObject {
  const outputFields = query.first('output_fields')
  if (outputFields === undefined) {
    throw new Failure('invalid', "Missing the required 'output_fields' parameter")
  }
  const storage_type = query.first('storage_type') ?? null
  if (storage_type !== null && !STORAGE_TYPES.includes(storage_type)) {
    throw new Failure(
      'invalid',
      "Invalid body parameters: (\"Parameter 'OP_NODE_QUERY_STORAGE.storage_type' fails validation\", 'wrong_input')",
    )
  }
  const opcode: { [name: string]: Json } = {
    OP_ID: 'OP_NODE_QUERY_STORAGE',
    nodes: [node_name],
    output_fields: outputFields.split(','),
  }
  if (storage_type !== null) opcode.storage_type = storage_type
  return opcode
}

export const nodes = [
  resource('/2/nodes', 'The nodes of the cluster.', { GET: listOf(collection) }),
  resource('/2/nodes/{node_name}', 'One node.', { GET: oneOf(collection, 'node_name') }),
  role,
  storage,
  resource('/2/nodes/{node_name}/tags', 'Tags of a node.', { GET: tagsOf(collection, 'node_name') }),
]
