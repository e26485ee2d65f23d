/** The fields of nodes. */
import type { Json } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import { ND_TYPES } from '../../../../model/defaults.ts'
import { filledNdParams } from '../../../../model/fill.ts'
import type { Node, NodeLive } from '../../../../model/node.ts'
import type { NdParams } from '../../../../model/params.ts'
import {
  asJson,
  cellField,
  type Field,
  field,
  hostname,
  type NamedKind,
  NO_DATA,
  ndParamFields,
  normal,
  OFFLINE,
  orNoData,
  recordFields,
  UNAVAILABLE,
} from './field.ts'
import { anyValue, params, texts } from './value-schemas.ts'

export const nodeFields: readonly Field<Node>[] = [
  hostname(field('name', 'Node', 'text', 'Full host name of the node', ({ name }) => name)),
  field('pip', 'PrimaryIP', 'text', 'Address the node is managed through', (node) => node.primary_ip),
  field('sip', 'SecondaryIP', 'text', 'Address for replication traffic', (node) => node.secondary_ip),
  cellField('group', 'Group', 'text', "Name of the node's group", (node, config) =>
    orNoData(config.groups.byUuid.get(node.group)?.name),
  ),
  field('group.uuid', 'GroupUUID', 'text', "UUID of the node's group", ({ group }) => group),
  field(
    'role',
    'Role',
    'text',
    'M: master, C: master candidate, R: regular, D: drained, O: offline',
    nodeRole,
  ),
  field('master', 'IsMaster', 'bool', 'Whether this is the master', isMaster),
  field(
    'master_candidate',
    'MasterC',
    'bool',
    'Whether the node holds a copy of the configuration',
    (node) => node.master_candidate,
  ),
  field(
    'master_capable',
    'MasterCapable',
    'bool',
    'Whether the node may become a master candidate',
    (node) => node.master_capable,
  ),
  field(
    'vm_capable',
    'VMCapable',
    'bool',
    'Whether instances may run on the node',
    (node) => node.vm_capable,
  ),
  field('drained', 'Drained', 'bool', 'Whether the node takes no new instances', ({ drained }) => drained),
  field(
    'offline',
    'Offline',
    'bool',
    'Whether the node is marked as not to be spoken to',
    (node) => node.offline,
  ),
  cellField(
    'powered',
    'Powered',
    'bool',
    'Whether the node is believed to have power (with out-of-band control)',
    (node, config) => (ndParams(node, config).oob_program ? normal(node.powered) : UNAVAILABLE),
  ),
  field('ndparams', 'NodeParameters', params(ND_TYPES), 'All node parameters in effect', (node, config) =>
    asJson(ndParams(node, config)),
  ),
  field(
    'custom_ndparams',
    'CustomNodeParameters',
    params(ND_TYPES),
    'Node parameters set on the node itself',
    (node) => asJson(node.ndparams),
  ),
  ...ndParamFields(ndParams),
  field(
    'pinst_cnt',
    'Pinst',
    'number',
    'How many instances have it as primary node',
    (node, config) => config.primaryInstances.get(node.uuid)?.length ?? 0,
  ),
  field('pinst_list', 'PriInstances', texts, 'Instances that have it as primary node', (node, config) =>
    namesOf(config.primaryInstances.get(node.uuid)),
  ),
  field(
    'sinst_cnt',
    'Sinst',
    'number',
    'How many instances have it as secondary node',
    (node, config) => config.secondaryInstances.get(node.uuid)?.length ?? 0,
  ),
  field('sinst_list', 'SecInstances', texts, 'Instances that have it as secondary node', (node, config) =>
    namesOf(config.secondaryInstances.get(node.uuid)),
  ),
  // Ganeti declares the next two, but has never filled them.
  cellField(
    'hv_state',
    'HypervisorState',
    anyValue,
    'State of the hypervisor (never filled)',
    () => UNAVAILABLE,
  ),
  cellField('disk_state', 'DiskState', anyValue, 'State of the disks (never filled)', () => UNAVAILABLE),
  live('bootid', 'BootID', 'text', 'Changes with every boot of the node'),
  live('cnodes', 'CNodes', 'number', 'NUMA nodes'),
  live('cnos', 'CNOs', 'number', "CPUs that the node's own system uses"),
  live('csockets', 'CSockets', 'number', 'CPU sockets'),
  live('ctotal', 'CTotal', 'number', 'CPUs, counted as the system sees them'),
  live('dfree', 'DFree', 'unit', 'Free space in the default storage'),
  live('dtotal', 'DTotal', 'unit', 'Size of the default storage'),
  live('mfree', 'MFree', 'unit', 'Memory that instances could still get'),
  live('mnode', 'MNode', 'unit', "Memory that the node's own system uses"),
  live('mtotal', 'MTotal', 'unit', 'Memory of the machine'),
  live('spfree', 'SpFree', 'number', 'Free spindles (with exclusive storage)'),
  live('sptotal', 'SpTotal', 'number', 'Spindles (with exclusive storage)'),
  ...recordFields<Node>('node'),
]

/** A field that only the running node knows. */
function live(name: keyof NodeLive, title: string, kind: NamedKind, doc: string): Field<Node> {
  return cellField(name, title, kind, doc, (node, config) => {
    if (node.offline) return OFFLINE
    const known = config.live.get(node.uuid)
    return known ? orNoData(known[name]) : NO_DATA
  })
}

function nodeRole(node: Node, config: Config): string {
  if (isMaster(node, config)) return 'M'
  if (node.master_candidate) return 'C'
  if (node.drained) return 'D'
  if (node.offline) return 'O'
  return 'R'
}

function isMaster(node: Node, config: Config): boolean {
  return node.uuid === config.cluster.master_node
}

function ndParams(node: Node, config: Config): NdParams {
  return filledNdParams(config.cluster, config.groups.byUuid.get(node.group), node)
}

function namesOf(objects: readonly { readonly name: string }[] = []): Json {
  return objects.map(({ name }) => name)
}
