import { isIPv4 } from 'node:net'
import type { Json } from '../../../../json/json.ts'
import { filledNdParams } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { candidateStats, promotions, tellMissing } from '../shared/candidate-pool.ts'
import { withNodeAddress } from '../shared/external-reservations.ts'
import { groupOf, nodeBehind, nodeNamed } from '../shared/find.ts'
import { pythonLiteral } from '../shared/force-types.ts'
import { changedNdParams, checkStates } from '../shared/inherited-params.ts'
import { tellKvmDaemon } from '../shared/kvm-daemon.ts'
import { type Outcome, prerequisite } from '../shared/operation.ts'
import { checkInstanceState, DOWN } from '../shared/preconditions.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'

/** A node's role is which of these it has, if any. */
const FLAGS = ['master_candidate', 'drained', 'offline'] as const
const CAPABLE = ['master_capable', 'vm_capable'] as const
type Flag = (typeof FLAGS)[number]
type Role = Flag | 'regular'

/** What the opcode wants of each flag, as far as it still wants something. */
type Wishes = { [flag in Flag]: boolean | null }

export const nodeSetParams = operation((run) => {
  const node = nodeNamed(run)
  checkArguments(run)
  const wishes = Object.fromEntries(FLAGS.map((flag) => [flag, wish(run, flag)])) as Wishes
  const mayDemote =
    wishes.master_candidate === false ||
    wishes.offline === true ||
    wishes.drained === true ||
    wish(run, 'master_capable') === false
  checkAllowed(run, node, wishes)
  const promotesOthers = run.flag('auto_promote') && mayDemote
  if (node.master_candidate && mayDemote && !promotesOthers) checkEnoughWithout(run, node)
  resolveWishes(run, node, wishes)
  const role = newRole(node, wishes)
  if (roleOf(node) === 'offline' && role !== 'offline') {
    run.warn(
      'Transitioning node from offline to online state without using re-add. Please make sure the node is healthy!',
    )
  }
  const secondaryIp = run.text('secondary_ip')
  if (secondaryIp !== null) checkSecondaryIp(run, node, secondaryIp)
  const ndparams = newNdParams(run, node)
  checkStates(run)
  if (run.isDry) return run.dryRun()
  return changed(run, node, role, ndparams, promotesOthers)
})

function changed(
  run: Run,
  node: Node,
  role: Role,
  ndparams: Node['ndparams'],
  promotesOthers: boolean,
): Outcome {
  const { config } = run
  const result: Json[] = []
  const capable: { [name in (typeof CAPABLE)[number]]?: boolean } = {}
  for (const name of CAPABLE) {
    const value = wish(run, name)
    if (value === null) continue
    capable[name] = value
    result.push([name, pythonLiteral(value)])
  }
  const secondaryIp = run.text('secondary_ip')
  if (secondaryIp !== null) result.push(['secondary_ip', secondaryIp])
  const news = {
    ...capable,
    ndparams,
    powered: wish(run, 'powered') ?? node.powered,
    secondary_ip: secondaryIp ?? node.secondary_ip,
  }
  const inOldRole = revised(node, news, run.context.now)
  const inNewRole = { ...inOldRole, ...flagsOf(role) }
  const others = config.nodes.all.filter((one) => one !== node)
  const promoted: Node[] = []
  // Ganeti writes the node twice, and looks at the whole each time.
  tellMissing(run, [...others, inOldRole], config.cluster)
  if (role !== roleOf(node)) {
    for (const flag of FLAGS) {
      if (node[flag] !== inNewRole[flag]) result.push([flag, pythonLiteral(inNewRole[flag])])
    }
    tellMissing(run, [...others, inNewRole], config.cluster)
    if (promotesOthers) promoted.push(...promotions(run, others, config.cluster))
  }
  tellKvmDaemon(run, [inNewRole], config.cluster)
  return run.done(
    {
      ...changeOf('nodes', [inNewRole, ...promoted]),
      ...(secondaryIp !== null &&
        changeOf('networks', withNodeAddress(config, node, node.secondary_ip, secondaryIp))),
    },
    result,
  )
}

/** A parameter that may be true, false, or left as it is. */
function wish(run: Run, name: string): boolean | null {
  const value = run.opcode[name]
  return typeof value === 'boolean' ? value : null
}

const STATES = [...FLAGS, ...CAPABLE]
const OTHERS = ['secondary_ip', 'ndparams', 'hv_state', 'disk_state']

function checkArguments(run: Run): void {
  if ([...STATES, ...OTHERS].every((name) => (run.opcode[name] ?? null) === null)) {
    throw prerequisite('Please pass at least one modification', 'wrong_input')
  }
  if (STATES.filter((name) => run.flag(name)).length > 1) {
    throw prerequisite("Can't set the node into more than one state at the same time", 'wrong_input')
  }
  const ip = run.text('secondary_ip')
  if (ip !== null && !isIPv4(ip)) {
    throw prerequisite(`Secondary IP (${ip}) needs to be a valid IPv4 address`, 'wrong_input')
  }
}

function checkAllowed({ config, opcode }: Run, node: Node, wishes: Wishes): void {
  if (node.uuid === config.cluster.master_node && FLAGS.some((flag) => wishes[flag] !== null)) {
    throw prerequisite('The master role can be changed only via master-failover', 'wrong_input')
  }
  if (node.uuid === config.cluster.master_node && opcode.master_capable === false) {
    // Ganeti lets it pass; no file may say it.
    throw prerequisite(`Node ${node.name} is the master and must be able to be it`, 'wrong_state')
  }
  if (wishes.master_candidate && !node.master_capable) {
    throw prerequisite(
      `Node ${node.name} is not master capable, cannot make it a master candidate`,
      'wrong_state',
    )
  }
  if (
    opcode.vm_capable === false &&
    (config.primaryInstances.has(node.uuid) || config.secondaryInstances.has(node.uuid))
  ) {
    throw prerequisite(`Node ${node.name} hosts instances, cannot unset the vm_capable flag`, 'wrong_state')
  }
}

function checkEnoughWithout({ config }: Run, node: Node): void {
  const others = config.nodes.all.filter((one) => one !== node)
  const { now, wanted } = candidateStats(others, config.cluster)
  if (now >= wanted) return
  throw prerequisite(
    'Not enough master candidates, please pass auto promote option to allow promotion (--auto-promote or RAPI ' +
      'auto_promote=True)',
    'wrong_state',
  )
}

/** Drops wishes that change nothing, and adds what follows from the others. */
function resolveWishes(run: Run, node: Node, wishes: Wishes): void {
  for (const flag of FLAGS) {
    if (wishes[flag] !== false || node[flag]) continue
    run.info(`Ignoring request to unset flag ${flag}, already unset`)
    wishes[flag] = null
  }
  checkPower(run, node, wishes)
  const becomesCapable = run.flag('master_capable') && !node.master_capable
  if ((wishes.drained === false || wishes.offline === false || becomesCapable) && joinsPool(run)) {
    wishes.master_candidate = true
    run.info('Auto-promoting node to master candidate')
  }
  if (wish(run, 'master_capable') === false && node.master_candidate) {
    run.info('Demoting from master candidate')
    wishes.master_candidate = false
  }
}

function checkPower(run: Run, node: Node, wishes: Wishes): void {
  const hasOob = filledNdParams(run.config.cluster, groupOf(run.config, node), node).oob_program !== ''
  const powered = wish(run, 'powered')
  if (!hasOob && powered !== null) {
    throw prerequisite(
      `Unable to change powered state for node ${node.name} as it does not support out-of-band handling`,
      'wrong_state',
    )
  }
  if (hasOob && wishes.offline === false && !node.powered && powered !== true) {
    throw prerequisite(
      `Node ${node.name} needs to be turned on before its offline status can be reset`,
      'wrong_state',
    )
  }
}

/** Whether there is a place for one more candidate, the node itself included in those who can be. */
function joinsPool({ config }: Run): boolean {
  const { now, wanted } = candidateStats(config.nodes.all, config.cluster)
  return now < Math.min(wanted + 1, config.cluster.candidate_pool_size)
}

function roleOf(node: Node): Role {
  return FLAGS.find((flag) => node[flag]) ?? 'regular'
}

function newRole(node: Node, wishes: Wishes): Role {
  const wanted = FLAGS.find((flag) => wishes[flag])
  if (wanted) return wanted
  return FLAGS.some((flag) => wishes[flag] === false) ? 'regular' : roleOf(node)
}

function flagsOf(role: Role): { [flag in Flag]: boolean } {
  return {
    master_candidate: role === 'master_candidate',
    drained: role === 'drained',
    offline: role === 'offline',
  }
}

function newNdParams(run: Run, node: Node): Node['ndparams'] {
  const given = run.object('ndparams')
  if (Object.keys(given).length === 0) return node.ndparams
  const ndparams = changedNdParams(node.ndparams, given)
  if (!Object.hasOwn(given, 'exclusive_storage')) return ndparams
  throw prerequisite(
    'The following node parameters are global and cannot be customized at node level, please modify them at ' +
      'cluster or group level: exclusive_storage',
    'wrong_input',
  )
}

/** A cluster has secondary addresses everywhere or nowhere, as its master has. */
function checkSecondaryIp(run: Run, node: Node, ip: string): void {
  const { config } = run
  const master = nodeBehind(config, config.cluster.master_node)
  const hasOne = master.secondary_ip !== master.primary_ip
  const getsOne = ip !== node.primary_ip
  if (hasOne !== getsOne) {
    const forced = run.flag('force') && node === master
    if (!hasOne && !forced) {
      throw prerequisite(
        'Changing the secondary ip on a single-homed cluster requires the --force option to be passed, and the ' +
          'target node to be the master',
        'wrong_input',
      )
    }
    if (hasOne && !forced) {
      throw prerequisite(
        'Cannot set the secondary IP to be the same as the primary IP on a multi-homed cluster, unless the --force ' +
          'option is passed, and the target node is the master',
        'wrong_input',
      )
    }
    run.warn(
      hasOne
        ? 'Transitioning from multi-homed to single-homed cluster; secondary IP addresses will have to be removed'
        : 'Transitioning from single-homed to multi-homed cluster; all nodes will require a secondary IP address',
    )
  }
  checkAddressFree(run, node, ip)
  const affected = [config.primaryInstances, config.secondaryInstances]
    .flatMap((byNode) => byNode.get(node.uuid) ?? [])
    .filter(({ disk_template }) => disk_template === 'drbd')
  checkUnused(run, node, affected)
}

function checkUnused(run: Run, node: Node, affected: readonly Instance[]): void {
  if (!node.offline) {
    for (const instance of affected) checkInstanceState(run, instance, DOWN, 'cannot change secondary ip')
  } else if (affected.length > 0) {
    const names = affected.map(({ name }) => name).join(', ')
    throw prerequisite(
      `Cannot change secondary IP address: offline node has instances (${names}) configured to use it`,
      'wrong_state',
    )
  }
}

/** Ganeti asks the network whether the node has the address; here no other node may have it, nor the master. */
function checkAddressFree({ config }: Run, node: Node, ip: string): void {
  const owner =
    ip === config.cluster.master_ip
      ? config.cluster.cluster_name
      : config.nodes.all.find((one) => one !== node && [one.primary_ip, one.secondary_ip].includes(ip))?.name
  if (owner === undefined) return
  throw prerequisite(`Secondary IP (${ip}) is already the address of ${owner}`, 'resource_not_unique')
}
