/** What a client wants of a new instance, read and checked as far as that can be done without looking at nodes. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import { checkTemplateEnabled, ON_LVM } from '../shared/disk-templates.ts'
import { findNode, nodeOf } from '../shared/find.ts'
import { forceTypes } from '../shared/force-types.ts'
import { allocatorOrNode } from '../shared/iallocator.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { osImage } from '../shared/os-check.ts'
import { checkNodeOnline } from '../shared/preconditions.ts'
import type { Run } from '../shared/run.ts'
import { checkDeviceNames } from './devices.ts'
import { DISK_PARAM_TYPES, FILE_DRIVERS } from './disk-plan.ts'
import { COMMUNICATION_NIC, nicParamsGiven } from './nics.ts'

const DEFAULT_FILE_DRIVER = 'loop'

export interface CreationRequest {
  readonly name: string
  readonly os: string
  readonly template: string
  readonly disks: readonly JsonObject[]
  readonly nics: readonly JsonObject[]
  readonly fileDriver: string
  /** Null where nodes are named. */
  readonly allocator: string | null
}

export function creationRequest(run: Run): CreationRequest {
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

/** The NICs asked for, and one to talk to the node where that is wanted. */
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
