/**
 * Creating an instance.
 *
 * Simplified on purpose: names are not resolved, so every name is a good one
 * and an address cannot be `auto`; a volume or device that shall be adopted is
 * there, with the size given; exports and other clusters to import from there
 * are none; and a file has no place for an instance that is only planned
 * (`forthcoming`).
 */
import type { Json, JsonObject } from '../../../../json.ts'
import { filledDiskParams, filledIPolicy } from '../../../../model/fill.ts'
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams, HvParams } from '../../../../model/params.ts'
import { WITH_PORT } from '../../../../model/unique-numbers.ts'
import { checkTemplateEnabled, ON_LVM, spaceWanted } from '../shared/disk-templates.ts'
import { findGroup, findNode, groupOf, nodeOf } from '../shared/find.ts'
import { forceTypes } from '../shared/force-types.ts'
import { checkNotGlobal } from '../shared/hypervisor-params.ts'
import { allocateOrRefuse, allocatorOrNode } from '../shared/iallocator.ts'
import { fullBeParams, fullHvParams, ownBeParams, ownHvParams } from '../shared/instance-params.ts'
import { violations } from '../shared/instance-policy.ts'
import { newTags } from '../shared/new-tags.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { checkOs, nameWithoutVariant, osImage } from '../shared/os-check.ts'
import {
  checkNodeFreeMemory,
  checkNodeNotDrained,
  checkNodeOnline,
  checkNodesFreeDisk,
  checkNodeVmCapable,
  hasExclusiveStorage,
} from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { AddressPools } from './address-pools.ts'
import { checkDeviceNames } from './devices.ts'
import {
  checkAccess,
  checkSpindles,
  DISK_PARAM_TYPES,
  type DiskPlan,
  FILE_DRIVERS,
  planDisk,
} from './disk-plan.ts'
import { tellSync } from './disks.ts'
import { IdAllocator } from './id-allocator.ts'
import { fileFolder, makeDisks } from './new-disks.ts'
import { draftNics, nicParamsGiven, settleNics } from './nics.ts'

const DEFAULT_FILE_DRIVER = 'loop'
/** Where block devices may be adopted from. */
const BLOCK_DEVICES = '/dev/disk/'

/** The name of the card by which an instance talks to its node. */
export const COMMUNICATION_NIC = 'ganeti:communication:'

export const instanceCreate = operation((run) => {
  const wanted = readWanted(run)
  const { config } = run
  const { cluster } = config
  const { name, template } = wanted
  fileFolder(cluster, template, name, run.text('file_storage_dir'))
  const hypervisor = hypervisorOf(run)
  const tags = newTags(run.list('tags').map(String))
  const hv = ownHvParams(run.object('hvparams'))
  fullHvParams(run.config, hypervisor, wanted.os, hv)
  checkNotGlobal(hv)
  const be = ownBeParams(withDefaultsFor(run.object('beparams'), cluster.beparams))
  const full = fullBeParams(cluster, be)

  const ids = new IdAllocator(run)
  const drafts = draftNics(run, wanted.nics, ids)
  const plans = wanted.disks.map((disk) => planDisk(disk, template))
  const nodes = chooseNodes(run, wanted, full, plans, drafts)
  const [pnode, snode] = nodes
  checkPrimary(pnode)
  const pools = new AddressPools(config)
  const nics = settleNics(run, drafts, pnode, pools)
  if (snode) checkSecondary(run, pnode, snode)
  checkStorage(run, wanted, hypervisor, plans, nodes)
  checkPolicy(run, full, template, plans, nics, pnode)
  checkOs(run, wanted.os, osParams(run, wanted.os), nodes)
  checkCompression(run)
  const starts = run.flag('start') && !run.flag('no_install')
  if (starts) checkNodeFreeMemory(config, pnode, `creating instance ${name}`, full.maxmem)
  if (run.isDry) return run.dryRun(nodes.map(({ uuid }) => uuid))

  const port = WITH_PORT.includes(hypervisor) ? ids.newPort() : null
  const uuid = run.context.newUuid()
  const owner = {
    uuid,
    name,
    primary_node: pnode.uuid,
    secondary: snode?.uuid ?? null,
    group: groupOf(config, pnode),
  }
  const storage = { driver: wanted.fileDriver, folder: run.text('file_storage_dir') }
  const disks = makeDisks(run, ids, owner, template, plans, storage)
  tellCreation(run, { name, os: wanted.os, disks }, plans)
  if (starts) run.say('* starting instance...')
  const { now } = run.context
  const instance: Instance = {
    uuid,
    name,
    primary_node: pnode.uuid,
    secondary_nodes: snode && disks.length > 0 ? [snode.uuid] : [],
    os: wanted.os,
    hypervisor,
    hvparams: run.flag('identify_defaults')
      ? differing(hv, fullHvParams(run.config, hypervisor, wanted.os, {}))
      : hv,
    beparams: run.flag('identify_defaults') ? differing(be, cluster.beparams) : be,
    osparams: textValues(run.object('osparams')),
    osparams_private: Object.keys(run.object('osparams_private')),
    admin_state: starts ? 'up' : 'down',
    admin_state_source: 'admin',
    disk_template: disks[0]?.dev_type ?? 'diskless',
    disks,
    disks_active: starts,
    nics,
    network_port: port,
    forthcoming: false,
    ctime: now,
    mtime: now,
    // To be marked up is a change of its own.
    serial_no: starts ? 2 : 1,
    tags,
  }
  return run.done(
    { ...instanceChange(instance), ...pools.change() },
    nodes.map((node) => node.name),
  )
})

/** What an opcode wants, as far as that can be told without looking at nodes. */
interface Wanted {
  readonly name: string
  readonly os: string
  readonly template: string
  readonly disks: readonly JsonObject[]
  readonly nics: readonly JsonObject[]
  readonly fileDriver: string
  /** Null where nodes are named. */
  readonly allocator: string | null
}

function readWanted(run: Run): Wanted {
  if (run.flag('forthcoming') && run.flag('commit')) {
    throw prerequisite('Forthcoming generation and commiting are mutually exclusive', 'wrong_input')
  }
  if (run.flag('no_install') && run.flag('start')) {
    run.info('No-installation mode selected, disabling startup')
  }
  const name = normalName(run.text('instance_name') ?? '')
  if (run.flag('ip_check') && !run.flag('name_check')) {
    throw prerequisite('Cannot do IP address check without a name check', 'wrong_input')
  }
  const nics = nicParamsGiven(withCommunication(run, name))
  checkDeviceNames('NIC', nics)
  const { cluster } = run.config
  const template = run.text('disk_template') ?? cluster.enabled_disk_templates[0] ?? 'diskless'
  const disks = readDisks(run, template)
  const fileDriver = run.text('file_driver') ?? DEFAULT_FILE_DRIVER
  if (!FILE_DRIVERS.includes(fileDriver)) {
    throw prerequisite(`Invalid file driver name '${fileDriver}'`, 'wrong_input')
  }
  const allocator = allocatorOrNode(run, run.text('pnode') !== null)
  if (allocator === null && template === 'drbd' && run.text('snode') === null) {
    throw prerequisite('The networked disk templates need a mirror node', 'wrong_input')
  }
  if (allocator === null && template !== 'drbd' && run.text('snode') !== null) {
    run.warn('Secondary node will be ignored on non-mirrored disk template')
  }
  if (run.flag('opportunistic_locking') && allocator === null) {
    throw prerequisite(
      'Opportunistic locking is only available in combination with an instance allocator',
      'wrong_input',
    )
  }
  const os = readOs(run)
  checkNotThere(run, name)
  if (run.flag('forthcoming')) {
    throw prerequisite("Cannot plan an instance: the cluster's file has no place for it", 'wrong_input')
  }
  if (allocator === null) nodeOf(run, 'pnode')
  checkSource(run, name)
  if (cluster.volume_group_name === null && ON_LVM.includes(template)) {
    throw prerequisite('Cluster does not support lvm-based instances', 'wrong_state')
  }
  return { name, os, template, disks, nics, fileDriver, allocator }
}

/** A host's name in lower case, without a dot at its end. */
export function normalName(given: string): string {
  const name = given.toLowerCase()
  if (!/^[a-z0-9._-]{1,255}$/.test(name) || name.includes('..') || name.startsWith('.')) {
    throw prerequisite(`Invalid hostname '${name}'`, 'wrong_input')
  }
  return name.replace(/\.$/, '')
}

/** The cards asked for, and one to talk to the node where that is wanted. */
function withCommunication(run: Run, name: string): readonly Json[] {
  const nics = run.list('nics')
  const own = `${COMMUNICATION_NIC}${name}`
  const isThere = (nics as readonly JsonObject[]).some((nic) => nic.name === own)
  if (!run.flag('instance_communication') || isThere) return nics
  const network = run.config.cluster.instance_communication_network
  return [...nics, { name: own, mac: 'generate', ip: 'pool', network }]
}

function readDisks(run: Run, template: string): JsonObject[] {
  const given = run.list('disks') as readonly JsonObject[]
  checkDeviceNames(
    'disk',
    given.map(({ name }) => ({ name: typeof name === 'string' ? name : null })),
  )
  checkTemplateEnabled(run.config.cluster, template)
  const disks = given.map((disk) => (template === 'ext' ? disk : forceTypes(disk, DISK_PARAM_TYPES)))
  checkAdoption(run, template, disks)
  return disks
}

function checkAdoption(run: Run, template: string, disks: readonly JsonObject[]): void {
  const adopting = disks.filter((disk) => disk.adopt !== undefined).length
  if (adopting === 0) {
    if (template !== 'blockdev') return
    throw prerequisite(
      "Disk template blockdev requires disk adoption, but no 'adopt' parameter given",
      'wrong_input',
    )
  }
  if (adopting < disks.length) throw prerequisite('Either all disks are adopted or none is', 'wrong_input')
  if (template !== 'plain' && template !== 'blockdev') {
    throw prerequisite(`Disk adoption is not supported for the '${template}' disk template`, 'wrong_input')
  }
  if (run.text('iallocator') !== null) {
    throw prerequisite('Disk adoption not allowed with an iallocator script', 'wrong_input')
  }
  if (run.text('mode') === 'import') {
    throw prerequisite('Disk adoption not allowed for instance import', 'wrong_input')
  }
}

function readOs(run: Run): string {
  const os = run.text('os_type')
  if (run.text('mode') !== 'create') return os ?? ''
  if (os === null && osImage(run.object('osparams')) === null) {
    throw prerequisite('No guest OS or OS image specified', 'wrong_input')
  }
  if (os !== null && run.config.cluster.blacklisted_os.includes(os)) {
    throw prerequisite(`Guest OS '${os}' is not allowed for installation`, 'wrong_state')
  }
  return os ?? ''
}

function checkNotThere(run: Run, name: string): void {
  const there = run.config.instances.byName.get(name)
  if (run.flag('commit')) {
    if (!there) throw prerequisite(`Instance ${name} unknown`, 'wrong_input')
    throw prerequisite(
      `Instance ${name} (with uuid ${there.uuid}) not forthcoming but --commit was passed.`,
      'wrong_state',
    )
  }
  if (there) throw prerequisite(`Instance '${name}' is already in the cluster`, 'already_exists')
}

/** @throws OpError for what shall be imported: there are no exports here, and no other cluster can prove that it is a friend */
function checkSource(run: Run, name: string): void {
  const mode = run.text('mode')
  if (mode === 'import') {
    const path = run.text('src_path') ?? name
    const node = run.text('src_node')
    if (node === null && path.startsWith('/')) {
      throw prerequisite('Importing an instance from a path requires a source node option', 'wrong_input')
    }
    if (node === null) throw prerequisite(`No export found for relative path ${path}`, 'wrong_input')
    checkNodeOnline(findNode(run.config, node))
    throw failure(`No export or invalid export found in dir ${path}: Export information not found`)
  }
  if (mode === 'remote-import') {
    if (run.list('source_handshake').length === 0)
      throw prerequisite('Missing source handshake', 'wrong_input')
    throw prerequisite(
      "Invalid handshake: Hash didn't match, clusters don't share the same domain secret",
      'wrong_input',
    )
  }
}

function hypervisorOf(run: Run): string {
  const enabled = run.config.cluster.enabled_hypervisors
  const asked = run.text('hypervisor')
  const hypervisor = asked === null || asked === 'auto' ? (enabled[0] ?? '') : asked
  if (enabled.includes(hypervisor)) return hypervisor
  throw prerequisite(
    `Selected hypervisor (${hypervisor}) not enabled in the cluster (${enabled.join(',')})`,
    'wrong_state',
  )
}

/** `auto` stands for what the cluster has. */
function withDefaultsFor(given: JsonObject, defaults: BeParams): JsonObject {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      value === 'auto' ? (defaults[(name === 'memory' ? 'maxmem' : name) as keyof BeParams] ?? value) : value,
    ]),
  )
}

/** The primary node, and DRBD's other one. */
function chooseNodes(
  run: Run,
  { name, template, allocator }: Wanted,
  be: BeParams,
  plans: readonly DiskPlan[],
  nics: readonly Nic[],
): readonly [Node, ...Node[]] {
  const mirrored = template === 'drbd'
  if (allocator === null) {
    const pnode = nodeOf(run, 'pnode') as Node
    const snode = mirrored ? nodeOf(run, 'snode') : null
    return snode ? [pnode, snode] : [pnode]
  }
  const group = run.text('group_name')
  const wanted = spaceWanted(run.config.cluster, template, plans)
  const found = allocateOrRefuse(run, allocator, {
    nodes: mirrored ? 2 : 1,
    memory: run.flag('start') ? be.maxmem : 0,
    disk: [...wanted.values()].reduce((sum, size) => sum + size, 0),
    networks: nics.flatMap(({ network }) => network ?? []),
    specs: run.flag('ignore_ipolicy') ? null : specsOf(be, template, plans, nics),
    without: [],
    groups: group === null ? null : [findGroup(run.config, group, 'Group').uuid],
  })
  run.info(
    `Selected nodes for instance ${name} via iallocator ${allocator}: ` +
      found.map((node) => node.name).join(', '),
  )
  return found as readonly [Node, ...Node[]]
}

function checkPrimary(node: Node): void {
  const state = node.offline ? 'offline' : node.drained ? 'drained' : node.vm_capable ? '' : 'non-vm_capable'
  if (state !== '') throw prerequisite(`Cannot use ${state} primary node '${node.name}'`, 'wrong_state')
}

function checkSecondary(run: Run, pnode: Node, snode: Node): void {
  if (snode === pnode) {
    throw prerequisite('The secondary node cannot be the primary node', 'wrong_input')
  }
  checkNodeOnline(snode)
  checkNodeNotDrained(snode)
  checkNodeVmCapable(snode)
  if (pnode.group !== snode.group) {
    run.warn(
      'The primary and secondary nodes are in two different node groups; the disk parameters from the ' +
        "first disk's node group will be used",
    )
  }
}

function checkStorage(
  run: Run,
  { template }: Wanted,
  hypervisor: string,
  plans: readonly DiskPlan[],
  nodes: readonly [Node, ...Node[]],
): void {
  const { config } = run
  const exclusive = hasExclusiveStorage(config, nodes)
  if (exclusive && template !== 'plain') {
    throw prerequisite(`Disk template ${template} not supported with exclusive storage`, 'wrong_state')
  }
  for (const { spindles } of plans) checkSpindles(spindles, exclusive, true)
  checkAdopted(template, plans)
  checkNodesFreeDisk(config, nodes, spaceWanted(config.cluster, template, plans))
  const usual = filledDiskParams(config.cluster, groupOf(config, nodes[0]))[template]?.access
  for (const { access } of plans) checkAccess(hypervisor, template, access ?? usual)
}

function checkAdopted(template: string, plans: readonly DiskPlan[]): void {
  const adopted = plans.flatMap(({ adopt, vg }) =>
    adopt === null ? [] : template === 'plain' ? `${vg}/${adopt}` : adopt,
  )
  const kind = template === 'plain' ? 'volume' : 'disk'
  if (new Set(adopted).size < adopted.length) {
    throw prerequisite(`Duplicate ${kind} names given for adoption`, 'wrong_input')
  }
  const outside = template === 'blockdev' ? adopted.filter((path) => !path.startsWith(BLOCK_DEVICES)) : []
  if (outside.length > 0) {
    throw prerequisite(
      `Device node(s) ${outside.join(', ')} lie outside ${BLOCK_DEVICES} and cannot be adopted`,
      'wrong_input',
    )
  }
}

function checkPolicy(
  run: Run,
  be: BeParams,
  template: string,
  plans: readonly DiskPlan[],
  nics: readonly Nic[],
  pnode: Node,
): void {
  if (run.flag('ignore_ipolicy')) return
  const group = groupOf(run.config, pnode)
  const against = violations(filledIPolicy(run.config.cluster, group), specsOf(be, template, plans, nics))
  if (against.length === 0) return
  throw prerequisite(
    `Instance allocation to group ${group.uuid} (${group.name}) violates policy: ${against.join(', ')}`,
    'wrong_input',
  )
}

/** What a group's policy judges of a new instance. */
export function specsOf(
  be: BeParams,
  template: string,
  plans: readonly Pick<DiskPlan, 'size'>[],
  nics: readonly unknown[],
) {
  return {
    memory: be.maxmem,
    cpus: be.vcpus,
    nics: nics.length,
    spindleUse: be.spindle_use,
    diskSizes: plans.map(({ size }) => size),
    diskTypes: plans.map(() => template),
  }
}

/** All that an OS is told, secrets too. */
function osParams(run: Run, os: string): JsonObject {
  const ofOs = run.config.cluster.osparams
  const name = nameWithoutVariant(os)
  return {
    ...(Object.hasOwn(ofOs, name) ? ofOs[name] : undefined),
    ...run.object('osparams'),
    ...run.object('osparams_private'),
    ...run.object('osparams_secret'),
  }
}

function checkCompression(run: Run): void {
  const tool = run.text('compress') ?? 'none'
  const allowed = run.config.cluster.compression_tools
  if (tool === 'none' || allowed.includes(tool)) return
  throw prerequisite(`Compression tool not allowed, tools allowed are [${allowed.join(', ')}]`, 'wrong_input')
}

function tellCreation(
  run: Run,
  instance: { readonly name: string; readonly os: string; readonly disks: readonly Disk[] },
  plans: readonly DiskPlan[],
): void {
  const adopted = plans.some(({ adopt }) => adopt !== null)
  const image = osImage(run.object('osparams'))
  if (!adopted) run.say('* creating instance disks...')
  run.say(`adding instance ${instance.name} to cluster config`)
  run.say('adding disks to cluster config')
  if (!adopted && run.config.cluster.prealloc_wipe_disks) run.say('* wiping instance disks...')
  tellMirrors(run, instance)
  if (!adopted && image !== null) run.say('* imaging instance disks...')
  tellMirrors(run, instance)
  const installs = instance.os !== '' && instance.disks.length > 0 && !adopted
  if (!installs || image !== null || run.flag('no_install')) return
  const pauses = !run.flag('wait_for_sync') && instance.disks.some((disk) => disk.dev_type === 'drbd')
  if (pauses) run.say('* pausing disk sync to install instance OS')
  run.say('* running the instance OS create scripts...')
  if (pauses) run.say('* resuming disk sync')
}

function tellMirrors(run: Run, instance: { readonly name: string; readonly disks: readonly Disk[] }): void {
  if (run.flag('wait_for_sync')) tellSync(run, instance)
  else if (instance.disks.some((disk) => disk.dev_type === 'drbd')) {
    run.say('* checking mirrors status')
    tellSync(run, instance, true)
  }
}

/** Those parameters that are not what they would be anyway. */
function differing<T extends Partial<BeParams> | HvParams>(own: T, defaults: object): T {
  const usual = defaults as { readonly [name: string]: unknown }
  return Object.fromEntries(Object.entries(own).filter(([name, value]) => usual[name] !== value)) as T
}

/** Parameters of an OS are text, whatever a client sent. */
export function textValues(params: JsonObject): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))
}
