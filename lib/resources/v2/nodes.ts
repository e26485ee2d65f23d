import { toChange } from '../../auth/permissions.ts'
import { Failure } from '../../failure.ts'
import type { JsonObject } from '../../json/json.ts'
import {
  OP_NODE_EVACUATE,
  OP_NODE_MIGRATE,
  OP_NODE_MODIFY_STORAGE,
  OP_NODE_POWERCYCLE,
  OP_NODE_QUERY_STORAGE,
  OP_NODE_SET_PARAMS,
  OP_REPAIR_NODE_STORAGE,
} from '../../model/opcodes/node.ts'
import { migrationMode } from '../../model/opcodes/values.ts'
import { expectType } from '../expect-type.ts'
import { type JobBody, noBody, parametersIn, wholeBody } from '../job-body.ts'
import type { QueryString } from '../query-string.ts'
import { open, resource } from '../resource.ts'
import { onlyRow } from '../rows.ts'
import { flag, force, path, type Source, submit, text } from '../submit.ts'
import { type Collection, listOf, oneOf } from './collection.ts'
import { tagMethods } from './tags.ts'

const collection: Collection = {
  path: '/2/nodes',
  permissions: 'nodes',
  singular: 'node',
  plural: 'nodes',
  id: 'Node',
  idKey: 'id',
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
  query: (backend, ...args) => backend.queryNodes(...args),
  aliases: { secondary_ip: 'sip' },
}

/** The names of the letters of the `role` field. */
const ROLES: { readonly [letter: string]: string } = {
  M: 'master',
  C: 'master-candidate',
  D: 'drained',
  O: 'offline',
  R: 'regular',
}

/** The flags that each assignable role sets; null leaves a flag unchanged, unless the others require a change. */
const ROLE_CHANGES: { readonly [role: string]: JsonObject } = {
  regular: { master_candidate: false, offline: false, drained: false },
  'master-candidate': { master_candidate: true, offline: null, drained: null },
  drained: { master_candidate: null, offline: null, drained: true },
  offline: { master_candidate: null, offline: true, drained: null },
}

/** The body is the role itself. */
const assignableRole: JobBody<unknown> = {
  read: ({ body }) => {
    const role = expectType(body, 'str', 'Body contents')
    const change = Object.hasOwn(ROLE_CHANGES, role) ? ROLE_CHANGES[role] : undefined
    if (!change) throw new Failure('invalid', `Can't set '${role}' role`)
    return change
  },
  describe: () => ({ schema: { type: 'string', enum: Object.keys(ROLE_CHANGES) }, required: true }),
}

const list = resource('/2/nodes', 'The nodes of the cluster.', { GET: listOf(collection) })

const node_name = path('node_name')

const one = resource('/2/nodes/{node_name}', 'One node.', { GET: oneOf(collection, 'node_name') })

const modify = resource('/2/nodes/{node_name}/modify', 'Parameters of a node.', {
  POST: submit(OP_NODE_SET_PARAMS, {
    operationId: 'ModifyNode',
    need: toChange('nodes.modify'),
    doc: 'Changes parameters of a node.',
    operation: 'nodes_name_modify',
    fixed: { node_name },
    example: { names: { node_name: 'node3.example.com' }, body: { drained: false } },
  }),
})

const role = resource('/2/nodes/{node_name}/role', 'Role of a node.', {
  GET: open(
    'nodes.role.query',
    'Gives the role of a node: master, master-candidate, regular, drained or offline.',
    async ({ backend, params }) => {
      const [letter] = onlyRow(await backend.queryNodes([params.node_name], ['role']))
      return ROLES[String(letter)] ?? null
    },
    { operationId: 'GetNodeRole', answer: { enum: [...Object.values(ROLES), null] }, example: {} },
  ),
  PUT: submit(OP_NODE_SET_PARAMS, {
    operationId: 'SetNodeRole',
    need: toChange('nodes.role.modify'),
    doc: 'Changes the role of a node to the one that is the body.',
    operation: 'nodes_name_role',
    fixed: {
      node_name,
      force,
      auto_promote: flag('auto-promote', 'If not 0, other nodes may become master candidates in its place.'),
    },
    body: assignableRole,
    example: { names: { node_name: 'node3.example.com' }, body: 'regular' },
  }),
})

const evacuate = resource('/2/nodes/{node_name}/evacuate', 'Moving instances away from a node.', {
  POST: submit(OP_NODE_EVACUATE, {
    operationId: 'EvacuateNode',
    need: toChange('nodes.evacuate'),
    doc: 'Moves the instances of a node to others.',
    operation: 'nodes_name_evacuate',
    dryRun: 'fixed',
    fixed: { node_name },
    example: { body: { mode: 'secondary-only', iallocator: 'hail' } },
  }),
})

const migrate = resource('/2/nodes/{node_name}/migrate', 'Migrating instances away from a node.', {
  POST: submit(OP_NODE_MIGRATE, {
    operationId: 'MigrateNode',
    need: toChange('nodes.migrate'),
    doc: 'Migrates all primary instances of a node; `mode` and `live` in the query string take the place of a body.',
    operation: 'nodes_name_migrate',
    fixed: { node_name },
    parameters: [
      { name: 'mode', doc: 'How: live or non-live.', schema: migrationMode.schema },
      { name: 'live', doc: 'What `mode` was before: live if not 0.', schema: { type: 'integer' } },
    ],
    body: { ...wholeBody, read: (call) => oldMigration(call.query) ?? parametersIn(call) },
    example: { names: { node_name: 'node2.example.com' }, body: { mode: 'live' } },
  }),
})

/**
 * The parameters of a request of an old client, in the query string. Ganeti takes
 * any parameter of the query string, even `reason`, for such a request, and then
 * ignores the body.
 */
function oldMigration(query: QueryString): JsonObject | undefined {
  const mode = query.first('mode')
  if (query.first('live') === undefined) return mode === undefined ? undefined : { mode }
  if (mode !== undefined) throw new Failure('invalid', "Only one of 'live' and 'mode' should be passed")
  return { mode: query.flag('live') ? 'live' : 'non-live' }
}

const powercycle = resource('/2/nodes/{node_name}/powercycle', 'Hard reset of a node.', {
  POST: submit(OP_NODE_POWERCYCLE, {
    operationId: 'PowercycleNode',
    need: toChange('nodes.powercycle'),
    doc: 'Resets a node, come what may.',
    operation: 'nodes_name_powercycle',
    fixed: { node_name, force },
    example: { names: { node_name: 'node4.example.com' }, query: 'force=1' },
  }),
})

const storage_type = text('storage_type', 'Kind of storage: file, lvm-pv, lvm-vg and so on.')
const onlyThisNode: Source<'node_name'> = { ...node_name, valueIn: ({ params }) => [params.node_name] }
/** The storage unit, a required parameter. */
const unitName: Source = {
  inQuery: { name: 'name', doc: 'Name of the storage unit.', required: true },
  valueIn: ({ query }) => query.first('name') ?? missing('name'),
}

const storage = resource('/2/nodes/{node_name}/storage', 'Storage units of a node.', {
  GET: submit(OP_NODE_QUERY_STORAGE, {
    operationId: 'GetNodeStorageUnits',
    // It takes locks, so not everyone may.
    need: toChange('nodes.storage.query'),
    doc: 'Asks a node for its storage units, which will be the result of the job.',
    operation: 'nodes_name_storage',
    dryRun: 'ignored',
    fixed: {
      nodes: onlyThisNode,
      storage_type,
      output_fields: {
        inQuery: {
          name: 'output_fields',
          doc: 'Names of fields, separated by commas.',
          schema: { type: 'array', items: { type: 'string' } },
          required: true,
        },
        valueIn: ({ query }) => query.first('output_fields')?.split(',') ?? missing('output_fields'),
      },
    },
    body: noBody,
    example: { query: 'storage_type=lvm-vg&output_fields=name,size,free,used' },
  }),
})

const storageModify = resource('/2/nodes/{node_name}/storage/modify', 'Parameters of a storage unit.', {
  PUT: submit(OP_NODE_MODIFY_STORAGE, {
    operationId: 'ModifyNodeStorageUnits',
    need: toChange('nodes.storage.modify'),
    doc: 'Changes a storage unit of a node.',
    operation: 'nodes_name_storage_modify',
    fixed: {
      node_name,
      storage_type,
      name: unitName,
      changes: {
        inQuery: {
          name: 'allocatable',
          doc: 'Whether new volumes may be put there, unless 0.',
          schema: { type: 'integer' },
        },
        valueIn: ({ query }) =>
          query.first('allocatable') === undefined ? {} : { allocatable: query.flag('allocatable') },
      },
    },
    body: noBody,
    example: { query: 'storage_type=lvm-pv&name=/dev/sda1&allocatable=0' },
  }),
})

const storageRepair = resource('/2/nodes/{node_name}/storage/repair', 'Repair of a storage unit.', {
  PUT: submit(OP_REPAIR_NODE_STORAGE, {
    operationId: 'RepairNodeStorageUnits',
    need: toChange('nodes.storage.repair'),
    doc: 'Repairs a storage unit of a node.',
    operation: 'nodes_name_storage_repair',
    fixed: { node_name, storage_type, name: unitName },
    body: noBody,
    example: { query: 'storage_type=lvm-vg&name=xenvg' },
  }),
})

function missing(parameter: string): never {
  throw new Failure('invalid', `Missing the required '${parameter}' parameter`)
}

const tags = resource(
  '/2/nodes/{node_name}/tags',
  'Tags of a node.',
  tagMethods('Node', 'node', 'the node', 'nodes_name_tags', node_name),
)

export const nodes = [
  list,
  one,
  modify,
  role,
  evacuate,
  migrate,
  powercycle,
  storage,
  storageModify,
  storageRepair,
  tags,
]
