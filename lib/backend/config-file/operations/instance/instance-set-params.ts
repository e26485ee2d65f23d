/**
 * Changing what an instance is made of. Everything is checked first; what
 * changed is the result, in pairs of names and values.
 *
 * Devices change in a running instance at once (`hotplug`) only where Ganeti
 * can do that, with KVM; else at its next start, of which nothing shows here.
 */
import { filledBeParams, filledIPolicy } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams } from '../../../../model/params.ts'
import { isSince } from '../../../../model/version.ts'
import { spaceWanted } from '../shared/disk-templates.ts'
import { groupOf, instanceOf, nodeBehind, nodeOf } from '../shared/find.ts'
import { checkNotGlobal } from '../shared/hypervisor-params.ts'
import { checkViolations, violations } from '../shared/instance-policy.ts'
import { prerequisite } from '../shared/operation.ts'
import {
  checkInstanceState,
  checkNodeFreeMemory,
  checkNodesFreeDisk,
  checkNodeVmCapable,
  NOT_RUNNING,
} from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { AddressPools } from './address-pools.ts'
import { type Conversion, checkedConversion, conversionOf, converted } from './convert-disks.ts'
import { type Modification, modificationsOf } from './devices.ts'
import { IdAllocator } from './id-allocator.ts'
import {
  checkedDiskModifications,
  type DiskModification,
  disksByPlace,
  modifiedDisks,
} from './modify-disks.ts'
import { type Changes, checkedNicModifications, modifiedNics } from './modify-nics.ts'
import { checkedParams, tellParams } from './modify-params.ts'
import { movedTo } from './move-instance.ts'
import { COMMUNICATION_NIC } from './nics.ts'

export const instanceSetParams = operation((run) => {
  checkSomethingGiven(run)
  checkNotGlobal(run.object('hvparams'))
  const diskList = modificationsOf('disk', run.list('disks'))
  const nicList = modificationsOf('NIC', run.list('nics'))
  const wantedConversion = conversionOf(run)
  const nicModifications = checkedNicModifications(nicList)
  const pnode = nodeOf(run, 'pnode')

  const before = instanceOf(run)
  const diskModifications = disksByPlace(before, diskList)
  const instance = onNewPrimary(run, before, pnode)
  const node = nodeBehind(run.config, instance.primary_node)
  const hotplugs = checkHotplug(run, instance)
  const conversion = wantedConversion && checkedConversion(run, instance, wantedConversion)
  const disks = checkedDiskModifications(run, instance, diskModifications, hotplugs)
  checkOffline(run, instance)
  const params = checkedParams(run, instance, node)

  const stock = { ids: new IdAllocator(run), pools: new AddressPools(run.config) }
  const nicChanges: Changes = []
  const allNics = [...nicModifications, ...communication(run, instance)]
  const nics = modifiedNics(run, instance, node, allNics, stock, hotplugs, nicChanges)
  checkPolicy(run, instance, node, disks, conversion, nics.length, params.newBe)
  if (run.isDry) return run.dryRun()

  for (const warning of params.warnings) run.say(`WARNING: ${warning}`)
  const changes: Changes = []
  const runtimeMemory = run.number('runtime_mem')
  if (runtimeMemory !== null) changes.push(['runtime_memory', runtimeMemory])
  const storage = { driver: run.text('file_driver') ?? 'loop', folder: run.text('file_storage_dir') }
  let changed = modifiedDisks(run, instance, disks, stock.ids, storage, hotplugs, changes)
  if (conversion) {
    changed = converted(run, changed, conversion, stock.ids)
    changes.push(['disk_template', conversion.template])
  }
  for (const change of nicChanges) changes.push(change)
  changed = { ...changed, ...params.news, nics }
  tellParams(run, changes)
  const offline = run.opcode.offline
  if (typeof offline === 'boolean') {
    const state = offline ? 'offline' : 'down'
    changed = { ...changed, admin_state: state, admin_state_source: 'admin', disks_active: false }
    changes.push(['admin_state', state])
  }
  return run.done(
    {
      ...instanceChange(run, before, changed),
      ...stock.pools.change(),
    },
    changes,
  )
})

function checkSomethingGiven(run: Run): void {
  const given =
    ['nics', 'disks'].some((name) => run.list(name).length > 0) ||
    ['hvparams', 'beparams', 'osparams', 'osparams_private'].some(
      (name) => Object.keys(run.object(name)).length > 0,
    ) ||
    ['disk_template', 'os_name', 'pnode'].some((name) => run.text(name) !== null) ||
    ['offline', 'instance_communication'].some((name) => typeof run.opcode[name] === 'boolean') ||
    Boolean(run.number('runtime_mem'))
  if (!given) throw prerequisite('No changes submitted', 'wrong_input')
}

/**
 * The instance on the node where a client says that it is by now. Ganeti takes
 * any node; here it must be one where it can be: DRBD's other one, or one with
 * room for local disks, which are where the instance is.
 */
function onNewPrimary(run: Run, instance: Instance, pnode: Node | null): Instance {
  const { config } = run
  const node = nodeBehind(config, instance.primary_node)
  if (pnode === null || pnode === node) return instance
  if (instance.admin_state === 'up' && !run.flag('force')) {
    throw prerequisite(`Instance is still running on ${node.name}`, 'wrong_state')
  }
  if (run.list('disks').length > 0 || run.text('disk_template') !== null) {
    throw prerequisite('A new primary node and disk changes not supported at the same time', 'wrong_input')
  }
  checkNodeVmCapable(pnode)
  const template = instance.disk_template
  if (template === 'drbd' && !instance.secondary_nodes.includes(pnode.uuid)) {
    throw prerequisite(`The disks of instance ${instance.name} are not on node ${pnode.name}`, 'wrong_state')
  }
  if (template === 'plain') {
    const plans = instance.disks.map(({ size }) => ({ size, vg: null }))
    checkNodesFreeDisk(config, [pnode], spaceWanted(config.cluster, template, plans))
  }
  if (instance.admin_state === 'up') {
    const { minmem } = filledBeParams(config.cluster, instance)
    checkNodeFreeMemory(config, pnode, `starting instance ${instance.name}`, minmem)
  }
  return movedTo(run, instance, pnode)
}

/** Whether devices change at once. Since 3.1 they do where they can, unless told not to. */
function checkHotplug(run: Run, instance: Instance): boolean {
  const whereItCan = isSince(run.config.version, '3.1')
  const runs = instance.admin_state === 'up'
  if (whereItCan && !runs) return false
  const wanted = run.flag('hotplug')
  if (!wanted && !run.flag('hotplug_if_possible')) return false
  const fault =
    instance.hypervisor !== 'kvm'
      ? 'Hotplug is not supported by this hypervisor'
      : runs
        ? undefined
        : 'Instance is probably down'
  if (fault === undefined) return true
  const text = `Hotplug is not supported: ${fault}`
  if (wanted && !whereItCan) {
    // Twice, as Ganeti adds the node's answer to a text that has it already.
    throw prerequisite(`Hotplug is not possible: ${text}: ${text}`, 'wrong_state')
  }
  run.warn(text)
  run.info('Modification will take place without hotplugging.')
  return false
}

function checkOffline(run: Run, instance: Instance): void {
  const { offline } = run.opcode
  if (typeof offline !== 'boolean') return
  checkInstanceState(
    run,
    instance,
    NOT_RUNNING,
    offline
      ? "can't change to offline without being down first"
      : "can't change to online (down) without being offline first",
  )
}

/** The NIC by which an instance talks to its node, to be added or removed. */
function communication(run: Run, instance: Instance): Modification[] {
  const wanted = run.opcode.instance_communication
  if (typeof wanted !== 'boolean') return []
  const name = `${COMMUNICATION_NIC}${instance.name}`
  const place = instance.nics.findIndex((nic) => nic.name === name)
  const network = run.config.cluster.instance_communication_network
  if (wanted && place < 0) {
    return [{ action: 'add', device: -1, params: { name, mac: 'generate', ip: 'pool', network } }]
  }
  // By its place: Ganeti takes away the last NIC, whichever that is.
  return !wanted && place >= 0 ? [{ action: 'remove', device: name, params: {} }] : []
}

/** Ganeti judges the disks as if none were removed, and of the parameters only those that change. */
function checkPolicy(
  run: Run,
  instance: Instance,
  node: Node,
  disks: readonly DiskModification[],
  conversion: Conversion | undefined,
  nicCount: number,
  newBe: BeParams | null,
): void {
  if (run.flag('ignore_ipolicy')) return
  const added = disks.flatMap(({ plan }) => plan ?? [])
  const sizes = [...instance.disks.map(({ size }) => size), ...added.map(({ size }) => size)]
  const specs = {
    memory: null,
    cpus: newBe?.vcpus ?? null,
    nics: nicCount,
    spindleUse: newBe?.spindle_use ?? null,
    diskSizes: sizes,
    diskTypes: sizes.map(() => conversion?.template ?? instance.disk_template),
  }
  const group = groupOf(run.config, node)
  const policy = filledIPolicy(run.config.cluster, group)
  const against = [newBe?.maxmem ?? null, newBe?.minmem ?? null].flatMap((memory) =>
    violations(policy, { ...specs, memory }),
  )
  checkViolations(group, [...new Set(against)])
}
