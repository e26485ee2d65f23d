/**
 * Version 1.2 of the API, read-only and without a prefix, with the same queries
 * as version 2. Its names are older than Ganeti's current ones, so each of its
 * fields is declared here with the field that it comes from, and the conversion.
 */
import type { Json } from '../json/json.ts'
import { isJsonObject } from '../json/json.ts'
import { lazyMap } from '../json/lazy-list.ts'
import { boolean, type Schema, string } from '../model/check.ts'
import { fieldSchema, listSchema, type Noun, objectOf, texts, uriListSchema } from './answer-schemas.ts'
import { clusterInfo12Schema } from './cluster-info.ts'
import { osNames } from './os-names.ts'
import type { QueryString } from './query-string.ts'
import { fixed, open, type Parameter, resource } from './resource.ts'
import { onlyRow, sortedNames, uriList } from './rows.ts'

/** Name in 1.2, name in current queries, and the conversion of the value with what that gives (default: none). */
type OldField = readonly [name: string, field: string, convert?: (value: Json) => Json, schema?: Schema]

/** A parameter of the hypervisor, if that has it. */
const hypervisorParameter = (name: string, parameter: string): OldField => [
  name,
  'hvparams',
  (hvparams) => (isJsonObject(hvparams) ? hvparams[parameter] : null) ?? null,
  {
    type: ['boolean', 'integer', 'string', 'null'],
    description: `Hypervisor parameter "${parameter}" in effect.`,
  },
]

/** Instance statuses that are newer than 1.2, with their nearest status in 1.2. */
const OLD_STATUS: { readonly [status: string]: string } = {
  ADMIN_offline: 'ADMIN_down',
  USER_down: 'ADMIN_down',
  ERROR_nodeoffline: 'ERROR_nodedown',
  ERROR_wrongnode: 'ERROR_down',
}

const INSTANCE_FIELDS: readonly OldField[] = [
  ['name', 'name'],
  ['os', 'os'],
  ['pnode', 'pnode'],
  ['snodes', 'snodes'],
  ['admin_state', 'admin_state', (state) => state === 'up', boolean.schema],
  ['admin_ram', 'be/maxmem'],
  ['vcpus', 'be/vcpus'],
  ['disk_template', 'disk_template'],
  ['ip', 'nic.ip/0'],
  ['mac', 'nic.mac/0'],
  ['bridge', 'nic.bridge/0'],
  ['sda_size', 'disk.size/0'],
  ['sdb_size', 'disk.size/1'],
  ['oper_state', 'oper_state'],
  ['status', 'status', (status) => OLD_STATUS[String(status)] ?? status, string.schema],
  ['tags', 'tags'],
  ['auto_balance', 'be/auto_balance'],
  ['network_port', 'network_port'],
  hypervisorParameter('kernel_path', 'kernel_path'),
  hypervisorParameter('initrd_path', 'initrd_path'),
  hypervisorParameter('hvm_boot_order', 'boot_order'),
  hypervisorParameter('hvm_acpi', 'acpi'),
  hypervisorParameter('hvm_pae', 'pae'),
  hypervisorParameter('hvm_cdrom_image_path', 'cdrom_image_path'),
  hypervisorParameter('hvm_nic_type', 'nic_type'),
  hypervisorParameter('hvm_disk_type', 'disk_type'),
  hypervisorParameter('vnc_bind_address', 'vnc_bind_address'),
]

const NODE_FIELDS: readonly OldField[] = [
  'name',
  'dtotal',
  'dfree',
  'mtotal',
  'mnode',
  'mfree',
  'pinst_cnt',
  'sinst_cnt',
  'tags',
  'ctotal',
  'cnodes',
  'csockets',
].map((name) => [name, name])

function schemaOf(title: string, noun: Noun, fields: readonly OldField[]): Schema {
  const properties = fields.map(([name, field, , schema]) => [name, schema ?? fieldSchema(noun, field)])
  return objectOf(title, Object.fromEntries(properties))
}

const queryFieldsOf = (fields: readonly OldField[]) => fields.map(([, field]) => field)

function oldObject(fields: readonly OldField[], row: readonly Json[]): Json {
  const object: { [name: string]: Json } = {}
  for (const [place, [name, , convert]] of fields.entries()) {
    const value = row[place] ?? null
    object[name] = convert ? convert(value) : value
  }
  return object
}

/** Whether it is given, for Method's `large`. */
const isBulk = (query: QueryString): boolean => query.flagOrWord('bulk')

const bulk: Parameter = {
  name: 'bulk',
  doc: 'All details of each, instead of names and URIs: 1 or true.',
  schema: { type: ['integer', 'boolean'], default: 0 },
}

const info = resource('/info', 'Cluster information.', {
  GET: open(
    'cluster.info',
    'Gives the name, master node, versions and default hypervisor of the cluster.',
    async ({ backend }) => {
      const cluster = await backend.queryClusterInfo()
      const { name, master, software_version, protocol_version, config_version } = cluster
      const { os_api_version, export_version, architecture, default_hypervisor } = cluster
      return {
        name: name ?? null,
        master: master ?? null,
        software_version: software_version ?? null,
        protocol_version: protocol_version ?? null,
        config_version: config_version ?? null,
        os_api_version: os_api_version ?? null,
        export_version: export_version ?? null,
        architecture: oldArchitecture(architecture ?? null),
        hypervisor_type: default_hypervisor ?? null,
      }
    },
    { operationId: 'GetInfoV12', answer: clusterInfo12Schema, example: {} },
  ),
})

/** 1.2 has `64bit`, current answers have `64bits`. */
function oldArchitecture(architecture: Json): Json {
  if (!Array.isArray(architecture)) return architecture
  const [bits, machine] = architecture
  return [String(bits).replace(/bits$/, 'bit'), machine]
}

const instances = resource('/instances', 'The instances of the cluster.', {
  GET: {
    ...open(
      'instances.list',
      'Lists instances by name; with bulk, all their details.',
      async ({ backend, query, signal }) => {
        if (query.flagOrWord('bulk')) {
          const rows = await backend.queryInstances([], queryFieldsOf(INSTANCE_FIELDS), signal)
          return lazyMap(rows, (row) => oldObject(INSTANCE_FIELDS, row))
        }
        return uriList('name', '/instances', sortedNames(await backend.queryInstances([], ['name'], signal)))
      },
      {
        operationId: 'GetInstancesV12',
        parameters: [bulk],
        answer: listSchema(
          uriListSchema('name', 'InstanceUriV12'),
          schemaOf('InstanceV12', 'instance', INSTANCE_FIELDS),
        ),
        example: {},
      },
    ),
    large: isBulk,
  },
})

const instance = resource('/instances/{instance_name}', 'One instance.', {
  GET: open(
    'instances.query',
    'Gives all details of an instance.',
    async ({ backend, params }) => {
      const rows = await backend.queryInstances([params.instance_name], queryFieldsOf(INSTANCE_FIELDS))
      return oldObject(INSTANCE_FIELDS, onlyRow(rows))
    },
    {
      operationId: 'GetInstanceV12',
      answer: schemaOf('InstanceV12', 'instance', INSTANCE_FIELDS),
      example: {},
    },
  ),
})

const instanceTags = resource('/instances/{instance_name}/tags', 'Tags of an instance.', {
  GET: open(
    'tags.get',
    'Lists the tags of an instance.',
    ({ backend, params }) => backend.queryTags('instance', params.instance_name),
    { operationId: 'GetInstanceTagsV12', answer: texts, example: {} },
  ),
})

const nodes = resource('/nodes', 'The nodes of the cluster.', {
  GET: {
    ...open(
      'nodes.list',
      'Lists nodes by name; with bulk, all their details.',
      async ({ backend, query, signal }) => {
        if (query.flagOrWord('bulk')) {
          const rows = await backend.queryNodes([], queryFieldsOf(NODE_FIELDS), signal)
          return lazyMap(rows, (row) => oldObject(NODE_FIELDS, row))
        }
        return uriList('name', '/nodes', sortedNames(await backend.queryNodes([], ['name'], signal)))
      },
      {
        operationId: 'GetNodesV12',
        parameters: [bulk],
        answer: listSchema(uriListSchema('name', 'NodeUriV12'), schemaOf('NodeV12', 'node', NODE_FIELDS)),
        example: {},
      },
    ),
    large: isBulk,
  },
})

const node = resource('/nodes/{node_name}', 'One node.', {
  GET: open(
    'nodes.query',
    'Gives all details of a node.',
    async ({ backend, params }) => {
      const rows = await backend.queryNodes([params.node_name], queryFieldsOf(NODE_FIELDS))
      return oldObject(NODE_FIELDS, onlyRow(rows))
    },
    {
      operationId: 'GetNodeV12',
      answer: schemaOf('NodeV12', 'node', NODE_FIELDS),
      example: {},
    },
  ),
})

const nodeTags = resource('/nodes/{node_name}/tags', 'Tags of a node.', {
  GET: open(
    'tags.get',
    'Lists the tags of a node.',
    ({ backend, params }) => backend.queryTags('node', params.node_name),
    { operationId: 'GetNodeTagsV12', answer: texts, example: {} },
  ),
})

const os = resource('/os', 'Guest operating systems.', {
  GET: open(
    'os.list',
    'Lists the OSes that instances can have.',
    ({ backend, signal }) => osNames(backend, signal),
    {
      operationId: 'GetOperatingSystemsV12',
      answer: texts,
      example: {},
    },
  ),
})

const tags = resource('/tags', 'Tags of the cluster.', {
  GET: open('tags.get', 'Lists the tags of the cluster.', ({ backend }) => backend.queryTags('cluster', ''), {
    operationId: 'GetClusterTagsV12',
    answer: texts,
    example: {},
  }),
})

const version = resource('/version', 'Version of the API.', {
  // In 1.2 itself this was 1. Now it is 2, as /2 exists, and ganeti-watcher
  // restarts a daemon that answers anything else.
  GET: fixed('Gives 2: the newest version of the API that is served.', 2, {
    operationId: 'GetVersion',
    answer: { const: 2 },
    example: {},
  }),
})

export const version12 = [info, instances, instance, instanceTags, nodes, node, nodeTags, os, tags, version]
