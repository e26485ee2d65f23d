/**
 * Changes settings of the cluster: everything is checked first, then told and
 * changed in Ganeti's order.
 */
import type { Json } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import { promotions } from '../shared/candidate-pool.ts'
import { isAllocator } from '../shared/iallocator.ts'
import { accessFault, changedDiskParams, diskParamsRefusal } from '../shared/inherited-params.ts'
import { tellKvmDaemon } from '../shared/kvm-daemon.ts'
import { macPrefix } from '../shared/mac-prefix.ts'
import { failure, OpError, prerequisite } from '../shared/operation.ts'
import { changeOf, revised } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { paramChanges } from './cluster-params.ts'
import { checkStorageChanges, storageChanges } from './cluster-storage.ts'
import { checkCommunicationNetwork, communicationNetworkChanges } from './instance-communication.ts'
import { changedUidPool, checkUidRanges } from './uid-pool.ts'

export const clusterSetParams = operation((run) => {
  checkArguments(run)
  checkStorageChanges(run)
  const params = paramChanges(run)
  checkAllocatorGiven(run)
  checkCommunicationNetwork(run)
  checkCompressionTools(run)
  checkCollectors(run)
  if (run.isDry) return run.dryRun()

  const { cluster, nodes } = run.config
  const storage = storageChanges(run)
  const settings = settingChanges(run)
  const size = run.number('candidate_pool_size')
  const promoted = size === null ? [] : promotions(run, nodes.all, { candidate_pool_size: size })
  const lists = {
    hidden_os: changedOsList(run, 'hidden_os', 'hidden'),
    blacklisted_os: changedOsList(run, 'blacklisted_os', 'blacklisted'),
  }
  tellMasterChanges(run)
  const changed = { ...cluster, ...storage, ...params, ...settings, ...lists }
  tellDaemons(run, changed)
  const network = run.text('instance_communication_network')
  const opcodes = network === null ? [] : communicationNetworkChanges(run, network)
  const outcome = run.done(
    {
      cluster: revised(cluster, changed, run.context.now),
      ...changeOf('nodes', promoted),
    },
    opcodes.length > 0 ? {} : null,
  )
  return opcodes.length > 0 ? { ...outcome, submits: [opcodes] } : outcome
})

// What is checked

function checkArguments(run: Run): void {
  checkUidRanges(run)
  macPrefix(run.text('mac_prefix'))
  const netmask = run.number('master_netmask')
  const bits = run.config.cluster.primary_ip_version === 6 ? 128 : 32
  if (netmask !== null && (netmask < 1 || netmask > bits)) {
    throw prerequisite(`CIDR netmask (${netmask}) not valid`, 'wrong_input')
  }
  const diskparams = run.object('diskparams')
  changedDiskParams({}, diskparams)
  const fault = accessFault(diskparams)
  if (fault !== undefined) throw diskParamsRefusal(fault)
  checkImage(run.text('install_image'), 'Install image must be an absolute path or a URL')
  checkImage(run.text('zeroing_image'), 'Zeroing image must be an absolute path or a URL')
}

function checkImage(image: string | null, otherwise: string): void {
  if (image === null || image.startsWith('/') || /^(https?|ftps?|tftp):\/\//.test(image)) return
  throw new OpError('OpPrereqError', [otherwise])
}

function checkAllocatorGiven(run: Run): void {
  const name = run.text('default_iallocator')
  if (!name || isAllocator(run.config.cluster, name)) return
  throw prerequisite(`Invalid default iallocator script '${name}' specified`, 'wrong_input')
}

function checkCompressionTools(run: Run): void {
  const tools = run.list('compression_tools').map(String)
  if (tools.length === 0) return
  const illegal = tools.filter((tool) => !/^[-_a-zA-Z0-9]+$/.test(tool))
  if (illegal.length > 0) {
    throw prerequisite(
      `The tools '${illegal.join(', ')}' contain illegal characters: only alphanumeric values, dashes, and ` +
        'underscores are allowed',
      'wrong_input',
    )
  }
  if (!tools.includes('gzip')) {
    throw prerequisite(
      'For compatibility reasons, the gzip utility must be present among the compression tools',
      'wrong_input',
    )
  }
  if (tools.includes('none')) {
    throw prerequisite(
      'none is a reserved value used for no compression, and cannot be used as the name of a tool',
      'wrong_input',
    )
  }
}

/** Ganeti's command line checks this; through its API the job dies of a KeyError. */
function checkCollectors(run: Run): void {
  const given = ['enabled_data_collectors', 'data_collector_interval'].flatMap((name) =>
    Object.keys(run.object(name)),
  )
  const known = run.config.cluster.enabled_data_collectors
  const unknown = given.filter((name) => !Object.hasOwn(known, name))
  if (unknown.length > 0) {
    throw prerequisite(`Data collector names not recognized: ${unknown.join(', ')}`, 'wrong_input')
  }
}

// What changes

/** Settings that are taken as they come. */
const SETTINGS: readonly (keyof Cluster)[] = [
  'candidate_pool_size',
  'compression_tools',
  'default_iallocator',
  'default_iallocator_params',
  'enabled_user_shutdown',
  'install_image',
  'instance_communication_network',
  'maintain_node_health',
  'master_netdev',
  'master_netmask',
  'max_running_jobs',
  'max_tracked_jobs',
  'modify_etc_hosts',
  'prealloc_wipe_disks',
  'reserved_lvs',
  'use_external_mip_script',
  'zeroing_image',
]

function settingChanges(run: Run): Partial<Cluster> {
  const { cluster } = run.config
  const given = SETTINGS.filter((name) => {
    const value = run.opcode[name] ?? null
    return value !== null && !(name === 'master_netdev' && value === '')
  })
  return {
    ...Object.fromEntries(given.map((name) => [name, run.opcode[name]])),
    mac_prefix: macPrefix(run.text('mac_prefix')) ?? cluster.mac_prefix,
    uid_pool: changedUidPool(run, cluster.uid_pool),
    enabled_data_collectors: { ...cluster.enabled_data_collectors, ...run.object('enabled_data_collectors') },
    data_collector_interval: { ...cluster.data_collector_interval, ...run.object('data_collector_interval') },
  } as Partial<Cluster>
}

function changedOsList(run: Run, name: 'blacklisted_os' | 'hidden_os', adjective: string): readonly string[] {
  const list = new Set(run.config.cluster[name])
  for (const [change, os] of run.list(name) as readonly (readonly Json[])[]) {
    const isThere = list.has(String(os))
    if (change === 'add' && !isThere) list.add(String(os))
    else if (change === 'add') run.say(`OS ${os} already in ${adjective} OS list, ignoring`)
    else if (change !== 'remove') throw failure(`Invalid modification '${change}'`)
    else if (isThere) list.delete(String(os))
    else run.say(`OS ${os} not found in ${adjective} OS list, ignoring`)
  }
  return [...list]
}

// What is told

function tellMasterChanges(run: Run): void {
  const { master_netdev: before } = run.config.cluster
  const device = run.text('master_netdev')
  if (device) {
    run.say(`Shutting down master ip on the current netdev (${before})`)
    run.say(`Changing master_netdev from ${before} to ${device}`)
  }
  const netmask = run.number('master_netmask')
  if (netmask !== null) run.say(`Changing master IP netmask to ${netmask}`)
  if (device) run.say(`Starting the master ip on the new master netdev (${device})`)
}

function tellDaemons(run: Run, changed: Cluster): void {
  const { cluster, nodes } = run.config
  const enabled = run.opcode.enabled_hypervisors ?? null
  if (enabled === null && cluster.enabled_user_shutdown === changed.enabled_user_shutdown) return
  const hadKvm = [...cluster.enabled_hypervisors, ...changed.enabled_hypervisors].includes('kvm')
  tellKvmDaemon(run, nodes.all, changed, !hadKvm)
}
