/**
 * Exporting an instance to a node: with all that Ganeti checks and tells on
 * the way, but for the data, which a file has none of. Nor does it keep that
 * there is an export; what stays is that the instance was removed, if asked.
 */
import { hvParam } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { instanceRemove } from '../instance/instance-remove.ts'
import { findNode, instanceOf, nodeBehind, nodeOf } from '../shared/find.ts'
import { failure, type Outcome, prerequisite } from '../shared/operation.ts'
import { checkNodeNotDrained, checkNodeOnline } from '../shared/preconditions.ts'
import { operation, type Run } from '../shared/run.ts'

/** Templates whose disks can be copied as they are at one moment, while they are in use. */
const SNAPSHOTS: readonly string[] = ['drbd', 'ext', 'plain']

export const backupExport = operation((run) => {
  const isRemote = run.text('mode') === 'remote'
  if (isRemote) {
    if (run.list('x509_key_name').length === 0) {
      throw prerequisite('Missing X509 key name for encryption', 'wrong_input')
    }
    if (run.text('destination_x509_ca') === null) {
      throw prerequisite('Missing destination X509 CA', 'wrong_input')
    }
  }
  const instance = instanceOf(run)
  const target = isRemote ? null : (nodeOf(run, 'target_node') ?? findNode(run.config, ''))
  const source = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(source)
  if (run.flag('remove_instance') && instance.admin_state === 'up' && !run.flag('shutdown')) {
    throw prerequisite('Can not remove instance without shutting it down before', 'wrong_state')
  }
  if (target) {
    checkNodeOnline(target)
    checkNodeNotDrained(target)
  } else checkRemote(run, instance)
  checkZeroing(run, instance)
  if (run.flag('long_sleep') && !run.flag('shutdown')) {
    throw prerequisite(
      'The long sleep option only makes sense when the instance can be shut down.',
      'wrong_input',
    )
  }
  checkCompression(run)
  if (run.isDry || !target) return run.dryRun()
  return exported(run, instance, source, target)
})

/** @throws OpError always: no key was ever given out that would be valid here (see backup-prepare.ts) */
function checkRemote(run: Run, instance: Instance): void {
  const targets = run.list('target_node').length
  if (targets !== instance.disks.length) {
    throw prerequisite(
      `Received destination information for ${targets} disks, but instance ${instance.name} has ` +
        `${instance.disks.length} disks`,
      'wrong_input',
    )
  }
  throw prerequisite('HMAC for X509 key name is wrong', 'wrong_input')
}

function checkZeroing(run: Run, instance: Instance): void {
  const { cluster } = run.config
  if (!run.flag('zero_free_space')) {
    if (run.number('zeroing_timeout_fixed') === null && run.number('zeroing_timeout_per_mib') === null) return
    throw prerequisite(
      'Zeroing timeout options can only be used only with the --zero-free-space option',
      'wrong_input',
    )
  }
  if (instance.hypervisor === 'kvm' && hvParam(cluster, instance, 'user_shutdown') !== true) {
    throw prerequisite('Instance shutdown detection must be enabled for zeroing to work', 'wrong_input')
  }
  const bootOrder = hvParam(cluster, instance, 'boot_order')
  if (bootOrder !== undefined && bootOrder !== 'disk') {
    throw prerequisite('Booting from disk must be set for zeroing to work', 'wrong_input')
  }
  if (cluster.zeroing_image === '') {
    throw prerequisite('A zeroing image must be set for zeroing to work', 'wrong_input')
  }
}

function checkCompression(run: Run): void {
  const { compression_tools: allowed } = run.config.cluster
  const tool = run.text('compress')
  if (tool === 'none' || allowed.includes(tool ?? '')) return
  throw prerequisite(`Compression tool not allowed, tools allowed are [${allowed.join(', ')}]`, 'wrong_input')
}

function exported(run: Run, instance: Instance, source: Node, target: Node): Outcome {
  const { name, disks } = instance
  const isUp = instance.admin_state === 'up'
  if (run.flag('shutdown')) run.say(`Shutting down instance ${name}`)
  if (!instance.disks_active) run.say(`Activating disks for ${name}`)
  const hasSnapshots = isUp && !run.flag('remove_instance') && trySnapshots(run, instance, source)
  const startsAgain = run.flag('shutdown') && isUp && !run.flag('remove_instance')
  if (startsAgain && hasSnapshots) run.say(`Starting instance ${name}`)
  for (const index of disks.keys()) {
    run.say(`Exporting snapshot/${index} from ${source.name} to ${target.name}`)
  }
  for (const index of disks.keys()) {
    const snapshot = `snapshot/${index}`
    run.say(`${snapshot} is now listening, starting export`)
    run.say(`${snapshot} is receiving data on ${target.name}`)
    run.say(`${snapshot} is sending data on ${source.name}`)
    run.say(`${snapshot} finished receiving data`)
    run.say(`${snapshot} finished sending data`)
    if (hasSnapshots) run.say(`Removing snapshot of disk/${index} on node ${source.name}`)
  }
  run.say(`Finalizing export on ${target.name}`)
  if (startsAgain && !hasSnapshots) run.say(`Starting instance ${name}`)
  if (!instance.disks_active) run.say(`Deactivating disks for ${name}`)
  const removal = run.flag('remove_instance') ? removed(run, instance) : undefined
  if (run.config.nodes.all.length > 1) run.say(`Removing old exports for instance ${name}`)
  return run.done(removal?.change ?? {}, [true, disks.map(() => true)])
}

/** @throws OpError where the export cannot go on without snapshots */
function trySnapshots(run: Run, { name, disks, disks_active }: Instance, source: Node): boolean {
  if (disks.every(({ dev_type }) => SNAPSHOTS.includes(dev_type))) {
    for (const index of disks.keys()) run.say(`Creating a snapshot of disk/${index} on node ${source.name}`)
    return true
  }
  const why = !run.flag('shutdown')
    ? 'you requested a live export; aborting'
    : !run.flag('long_sleep')
      ? 'you did not allow the instance to remain offline for a longer time through the --long-sleep option; aborting'
      : undefined
  if (why === undefined) return false
  if (!disks_active) run.say(`Deactivating disks for ${name}`)
  throw failure(`Not all disks could be snapshotted, and ${why}`)
}

function removed(run: Run, { name }: Instance): Outcome {
  run.say(`Removing instance ${name}`)
  const outcome = instanceRemove(
    run.config,
    { instance_name: name, ignore_failures: run.flag('ignore_remove_failures') },
    run.context,
  )
  for (const line of outcome.log ?? []) run.say(line)
  return outcome
}
