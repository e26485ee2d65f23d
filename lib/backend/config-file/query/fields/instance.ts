/**
 * The fields of instances. Many come in numbers (`disk.size/0`, `nic.mac/1`,
 * `hv/acpi`) and are generated.
 *
 * What runs cannot be read from a file: an instance is taken to run as its
 * administrator wants it where the source vouches for its primary node
 * (`Config.live`), and nothing is said of it elsewhere.
 */
import { orNull } from '../../../../model/check.ts'
import type { Config } from '../../../../model/config.ts'
import { BE_TYPES, HV_GLOBALS, HV_TYPES } from '../../../../model/defaults.ts'
import { filledBeParams, filledHvParams, filledOsParams, hvParam } from '../../../../model/fill.ts'
import type { Disk, Instance } from '../../../../model/instance.ts'
import { sizeOnNode } from '../../../../model/live-values.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams } from '../../../../model/params.ts'
import type { Cell } from '../../../backend.ts'
import { consoleOf } from './console.ts'
import {
  asJson,
  cellField,
  type Field,
  field,
  hostname,
  type NamedKind,
  NO_DATA,
  normal,
  OFFLINE,
  optionalField,
  orNoData,
  orUnavailable,
  recordFields,
  UNAVAILABLE,
} from './field.ts'
import { deviceFields } from './instance-devices.ts'
import { anyValue, count, list, looseParams, object, objects, params, text, texts } from './value-schemas.ts'

const STATUS_DOC = [
  'running: runs as it should',
  'ADMIN_down: stopped, as it should be',
  'ADMIN_offline: stopped for longer, and holds nothing of its node',
  'USER_down: stopped from within by its user',
  'ERROR_down: should run, but does not',
  'ERROR_up: runs, but should not',
  'ERROR_wrongnode: runs on another node than its primary one',
  'ERROR_nodedown: its primary node does not answer',
  'ERROR_nodeoffline: its primary node is marked offline',
].join('; ')

const ownFields: readonly Field<Instance>[] = [
  hostname(field('name', 'Instance', 'text', 'Full name of the instance', ({ name }) => name)),
  field('hypervisor', 'Hypervisor', 'text', 'Hypervisor it runs under', ({ hypervisor }) => hypervisor),
  field('os', 'OS', 'text', 'Its operating system, with variant', ({ os }) => os),
  field(
    'admin_state',
    'InstanceState',
    'text',
    'The state it should be in: up, down or offline',
    (instance) => instance.admin_state,
  ),
  field(
    'admin_state_source',
    'InstanceStateSource',
    'text',
    'Who decided on that state: admin or user',
    (instance) => instance.admin_state_source,
  ),
  field('admin_up', 'Autostart', 'bool', 'Whether it should run', ({ admin_state }) => admin_state === 'up'),
  field(
    'disks_active',
    'DisksActive',
    'bool',
    'Whether its disks should be active',
    (instance) => instance.disks_active,
  ),
  field(
    'forthcoming',
    'Forthcoming',
    'bool',
    'Whether it is only planned so far',
    ({ forthcoming }) => forthcoming,
  ),
  optionalField(
    'network_port',
    'Network_port',
    count,
    'TCP port of its console on the node',
    (instance) => instance.network_port,
  ),

  hostname(
    cellField('pnode', 'Primary_node', 'text', 'Node it runs on', (instance, config) =>
      orNoData(primaryNode(instance, config)?.name),
    ),
  ),
  cellField('pnode.group', 'PrimaryNodeGroup', 'text', 'Group of the node it runs on', (instance, config) =>
    orNoData(groupName(primaryNode(instance, config), config)),
  ),
  cellField('pnode.group.uuid', 'PrimaryNodeGroupUUID', 'text', 'UUID of that group', (instance, config) =>
    orNoData(primaryNode(instance, config)?.group),
  ),
  field('snodes', 'Secondary_Nodes', texts, 'Other nodes that hold its disks', (instance, config) =>
    secondaryNodes(instance, config).map(({ name }) => name),
  ),
  field(
    'snodes.group',
    'SecondaryNodesGroups',
    list(orNull(text)),
    'Groups of those nodes',
    (instance, config) => secondaryNodes(instance, config).map((node) => groupName(node, config) ?? null),
  ),
  field('snodes.group.uuid', 'SecondaryNodesGroupsUUID', texts, 'UUIDs of those groups', (instance, config) =>
    secondaryNodes(instance, config).map(({ group }) => group),
  ),

  field(
    'hvparams',
    'HypervisorParameters',
    looseParams,
    'All hypervisor parameters in effect',
    (instance, { cluster }) => filledHvParams(cluster, instance),
  ),
  field(
    'custom_hvparams',
    'CustomHypervisorParameters',
    looseParams,
    'Hypervisor parameters set on the instance itself',
    (instance) => instance.hvparams,
  ),
  field(
    'beparams',
    'BackendParameters',
    params(BE_TYPES),
    'All backend parameters in effect',
    (instance, { cluster }) => asJson(filledBeParams(cluster, instance)),
  ),
  field(
    'custom_beparams',
    'CustomBackendParameters',
    params(BE_TYPES),
    'Backend parameters set on the instance itself',
    (instance) => asJson(instance.beparams),
  ),
  field('osparams', 'OpSysParameters', object, 'All OS parameters in effect', (instance, { cluster }) =>
    filledOsParams(cluster, instance),
  ),
  field(
    'custom_osparams',
    'CustomOpSysParameters',
    object,
    'OS parameters set on the instance itself',
    (instance) => instance.osparams,
  ),
  field('custom_nicparams', 'CustomNicParameters', objects, 'What each NIC sets of its own', ({ nics }) =>
    nics.map(({ nicparams }) => asJson(nicparams)),
  ),

  field(
    'disk_template',
    'Disk_template',
    'text',
    'How its disks are kept',
    (instance) => instance.disk_template,
  ),
  field(
    'disk_usage',
    'DiskUsage',
    'unit',
    'Space its disks take on each of its nodes, metadata included',
    ({ disks }) => disks.reduce((sum, disk) => sum + spaceOf(disk), 0),
  ),
  field('nic.count', 'NICs', 'number', 'How many NICs it has', ({ nics }) => nics.length),
  field('disk.count', 'Disks', 'number', 'How many disks it has', ({ disks }) => disks.length),

  field('status', 'Status', 'text', STATUS_DOC, statusOf),
  cellField('oper_state', 'Running', 'bool', 'Whether it runs', (instance, config) => {
    const running = isRunning(instance, config)
    return typeof running === 'boolean' ? normal(running) : NO_DATA
  }),
  live('oper_ram', 'Memory', 'unit', 'Memory it has while running', ({ maxmem }) => maxmem),
  live('oper_vcpus', 'VCPUs', 'number', 'CPUs it has while running', ({ vcpus }) => vcpus),
  cellField('console', 'Console', object, 'How to reach its console', (instance, config) => {
    const node = primaryNode(instance, config)
    const running = isRunning(instance, config)
    if (running === 'offline') return OFFLINE
    if (running === 'unreachable' || !node) return NO_DATA
    return orNoData(consoleOf(instance, node, running, config))
  }),
  ...recordFields<Instance>('instance'),
]

/** `be/...`: title and kind of each backend parameter's own field. */
const BE_PARAMS: { readonly [name in keyof BeParams]: readonly [title: string, kind: NamedKind] } = {
  always_failover: ['be/always_failover', 'bool'],
  auto_balance: ['Auto_balance', 'bool'],
  maxmem: ['ConfigMaxMem', 'unit'],
  minmem: ['ConfigMinMem', 'unit'],
  spindle_use: ['be/spindle_use', 'number'],
  vcpus: ['ConfigVCPUs', 'number'],
}

const beFields = (Object.keys(BE_PARAMS) as (keyof BeParams)[]).map((name): Field<Instance> => {
  const [title, kind] = BE_PARAMS[name]
  return field(
    `be/${name}`,
    title,
    kind,
    `Backend parameter "${name}" in effect`,
    (instance, { cluster }) => instance.beparams[name] ?? cluster.beparams[name],
  )
})

/** Titles of `hv/...` fields that are not simply their names. */
const HV_TITLES: { readonly [name: string]: string } = {
  acpi: 'ACPI',
  boot_order: 'Boot_order',
  cdrom_image_path: 'CDROM_image_path',
  cpu_type: 'cpu_type',
  disk_type: 'Disk_type',
  initrd_path: 'Initrd_path',
  kernel_path: 'Kernel_path',
  nic_type: 'NIC_type',
  pae: 'PAE',
  pci_pass: 'pci_pass',
  vnc_bind_address: 'VNC_bind_address',
}

const HV_KINDS: { readonly [type: string]: NamedKind } = { bool: 'bool', int: 'number' }

const hvFields = Object.entries(HV_TYPES)
  .filter(([name]) => !HV_GLOBALS.includes(name))
  .map(([name, type]): Field<Instance> => {
    const title = HV_TITLES[name] ?? `hv/${name}`
    const doc = `Hypervisor parameter "${name}" in effect`
    return cellField(`hv/${name}`, title, HV_KINDS[type] ?? anyValue, doc, (instance, { cluster }) => {
      const value = hvParam(cluster, instance, name)
      return value === undefined ? UNAVAILABLE : normal(value)
    })
  })

/** Older names that Ganeti still answers to. */
const ALIASES: { readonly [alias: string]: string } = {
  'be/memory': 'be/maxmem',
  bridge: 'nic.bridge/0',
  ip: 'nic.ip/0',
  mac: 'nic.mac/0',
  nic_link: 'nic.link/0',
  nic_mode: 'nic.mode/0',
  nic_network: 'nic.network/0',
  sda_size: 'disk.size/0',
  sdb_size: 'disk.size/1',
  vcpus: 'be/vcpus',
}

const namedFields = [...ownFields, ...beFields, ...hvFields, ...deviceFields]

export const instanceFields: readonly Field<Instance>[] = [
  ...namedFields,
  ...Object.entries(ALIASES).flatMap(([alias, name]) =>
    namedFields.filter((field) => field.name === name).map((field) => ({ ...field, name: alias })),
  ),
]

/** A field that only a running instance has, and here follows from its backend parameters. */
function live(
  name: string,
  title: string,
  kind: NamedKind,
  doc: string,
  value: (params: BeParams) => number,
): Field<Instance> {
  return cellField(name, title, kind, doc, (instance, config): Cell => {
    const running = isRunning(instance, config)
    if (running === 'offline') return OFFLINE
    if (running === 'unreachable') return NO_DATA
    return orUnavailable(running ? value(filledBeParams(config.cluster, instance)) : null)
  })
}

/** Whether an instance runs, or why its primary node cannot tell. */
function isRunning(instance: Instance, config: Config): boolean | 'offline' | 'unreachable' {
  if (primaryNode(instance, config)?.offline) return 'offline'
  if (!config.live.has(instance.primary_node)) return 'unreachable'
  return instance.admin_state === 'up'
}

function statusOf(instance: Instance, config: Config): string {
  const running = isRunning(instance, config)
  if (running === 'offline') return 'ERROR_nodeoffline'
  if (running === 'unreachable') return 'ERROR_nodedown'
  switch (instance.admin_state) {
    case 'up':
      return 'running'
    case 'offline':
      return 'ADMIN_offline'
    case 'down':
      return config.cluster.enabled_user_shutdown && instance.admin_state_source === 'user'
        ? 'USER_down'
        : 'ADMIN_down'
  }
}

function primaryNode(instance: Instance, { nodes }: Config): Node | undefined {
  return nodes.byUuid.get(instance.primary_node)
}

function secondaryNodes(instance: Instance, { nodes }: Config): Node[] {
  return instance.secondary_nodes.flatMap((uuid) => nodes.byUuid.get(uuid) ?? [])
}

function groupName(node: Node | undefined, { groups }: Config): string | undefined {
  return node && groups.byUuid.get(node.group)?.name
}

/** MiB that a disk takes on a node; a block device that was adopted takes nothing of it. */
function spaceOf(disk: Disk): number {
  return disk.dev_type === 'blockdev' || disk.dev_type === 'diskless' ? 0 : sizeOnNode(disk)
}
