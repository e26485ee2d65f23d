import { toChange, toRead } from '../../auth/permissions.ts'
import { ResultStatus } from '../../backend/backend.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import { orNull } from '../../model/check.ts'
import { OP_CLUSTER_REDIST_CONF, OP_CLUSTER_SET_PARAMS } from '../../model/opcodes/cluster.ts'
import { isSince } from '../../model/version.ts'
import { fieldSchema, listSchema, rowSchema, texts } from '../answer-schemas.ts'
import { clusterInfoSchema } from '../cluster-info.ts'
import { osNames } from '../os-names.ts'
import { fixed, live, open, resource } from '../resource.ts'
import { rowObject } from '../rows.ts'
import { constant, submit } from '../submit.ts'
import { bulk } from './parameters.ts'
import { tagMethods } from './tags.ts'

/** The fields that `gnt-os info` shows. */
const OS_FIELDS = [
  'name',
  'valid',
  'variants',
  'parameters',
  'api_versions',
  'blacklisted',
  'hidden',
  'os_hvp',
  'osparams',
  'trusted',
]

const root = resource('/2', 'Root of version 2.', {
  GET: fixed('Gives null, as ever; see /2/features for what is served.', null, {
    operationId: 'GetRoot',
    answer: { type: 'null' },
    example: {},
  }),
})

const info = resource('/2/info', 'Cluster information.', {
  GET: open(
    'cluster.info',
    'Gives name, master node, versions, and all default parameters.',
    async ({ backend }) => {
      const cluster = await backend.queryClusterInfo()
      return {
        ...cluster,
        // Aliases by which /2/modify takes these values (GET_ALIASES of R_2_info, rlib2.py).
        vg_name: cluster.volume_group_name ?? null,
        drbd_helper: cluster.drbd_usermode_helper ?? null,
      }
    },
    { operationId: 'GetInfo', answer: clusterInfoSchema, example: {} },
  ),
})

const features = resource('/2/features', 'Optional features of the API.', {
  GET: fixed(
    'Lists the optional features that are served.',
    ['instance-create-reqv1', 'instance-reinstall-reqv1', 'node-migrate-reqv1', 'node-evac-res1'],
    { operationId: 'GetFeatures', answer: texts, example: {} },
  ),
})

/** What nodes do not agree on, or cannot tell, is null. */
const osAnswer = listSchema(
  texts,
  rowSchema('OperatingSystem', 'os', OS_FIELDS, {
    replaced: Object.fromEntries(OS_FIELDS.map((name) => [name, orNull(fieldSchema('os', name))])),
  }),
)

const os = resource('/2/os', 'Guest operating systems.', {
  GET: live(
    toRead('os.list'),
    'Lists the OSes that instances can have; with bulk, from Ganeti 3.2 on, what is known of each.',
    async ({ backend, query, signal }) => {
      if (!query.flag('bulk') || !isSince(await backend.version(), '3.2')) return osNames(backend, signal)
      const { data } = await backend.query('os', OS_FIELDS, null, signal)
      return lazyMap(data, (cells) =>
        rowObject(
          OS_FIELDS,
          cells.map(([status, value]) => (status === ResultStatus.normal ? value : null)),
        ),
      )
    },
    { operationId: 'GetOperatingSystems', parameters: [bulk], answer: osAnswer, example: {} },
  ),
})

const tags = resource(
  '/2/tags',
  'Tags of the cluster.',
  tagMethods('Cluster', 'cluster', 'the cluster', 'tags', constant(null)),
)

const modify = resource('/2/modify', 'Parameters of the cluster.', {
  PUT: submit(OP_CLUSTER_SET_PARAMS, {
    operationId: 'ModifyCluster',
    need: toChange('cluster.modify'),
    doc: 'Changes parameters of the cluster.',
    operation: 'cluster_modify',
    // These tools run as root on the nodes, so remote users must not choose them.
    forbidden: ['compression_tools'],
    example: { body: { candidate_pool_size: 4 } },
  }),
})

const redistributeConfig = resource('/2/redistribute-config', 'The configuration on all nodes.', {
  PUT: submit(OP_CLUSTER_REDIST_CONF, {
    operationId: 'RedistributeConfig',
    need: toChange('cluster.redistribute_config'),
    doc: 'Sends the configuration to all nodes again.',
    operation: 'redist_config',
    example: {},
  }),
})

export const cluster = [root, info, features, os, tags, modify, redistributeConfig]
