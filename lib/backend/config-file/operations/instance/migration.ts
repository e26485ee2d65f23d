/**
 * Instances that go to another node that can reach their disks: running ones
 * with their memory (migration), others, or those that must, by being stopped
 * here and started there (failover). One may turn into the other, so both are
 * here.
 */
import type { Change } from '../../../../model/change.ts'
import { filledBeParams } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { SHARED } from '../shared/disk-templates.ts'
import { instanceOf, nodeBehind, nodeOf } from '../shared/find.ts'
import { allocateOrRefuse, allocatorOrNode } from '../shared/iallocator.ts'
import { checkTargetPolicy } from '../shared/instance-policy.ts'
import { failure, type Operation, prerequisite } from '../shared/operation.ts'
import {
  checkNodeFreeMemory,
  checkNodeNotDrained,
  checkNodeVmCapable,
  freeMemory,
} from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { tellShutdown } from './activation.ts'
import { movedTo } from './move-instance.ts'

type Way = 'failover' | 'migration'

/** Why a hypervisor cannot hand over a running instance. */
const CANNOT_MIGRATE: { readonly [hypervisor: string]: string } = {
  chroot: 'Migration not supported by the chroot hypervisor',
  lxc: 'Migration is not supported by the LXC hypervisor',
}

/** Somewhere between here and there, with all that has been found out about it. */
interface Journey {
  readonly instance: Instance
  readonly source: Node
  readonly target: Node
}

export function moving(asked: Way): Operation {
  return operation((run) => {
    const named = nodeOf(run, 'target_node')
    const instance = instanceOf(run)
    const cleanup = run.flag('cleanup')
    let way = asked
    const mayFallBack = run.flag('allow_failover')
    if (!cleanup && instance.admin_state !== 'up' && way === 'migration' && mayFallBack) {
      run.info('Instance is marked down or offline, fallback allowed, switching to failover')
      way = 'failover'
    }
    const target = targetOf(run, instance, named, way)
    const journey = { instance, source: nodeBehind(run.config, instance.primary_node), target }
    checkMemory(run, journey, way)
    if (!cleanup && way === 'migration' && filledBeParams(run.config.cluster, instance).always_failover) {
      run.info('Instance configured to always failover; fallback to failover')
      way = 'failover'
    }
    if (!cleanup) {
      checkNodeNotDrained(target)
      if (way === 'migration') way = checkMigratable(run, journey, mayFallBack)
    }
    if (way === 'migration' && typeof run.opcode.live === 'boolean' && run.text('mode') !== null) {
      throw prerequisite("Only one of the 'live' and 'mode' parameters are accepted", 'wrong_input')
    }
    const moved = movedTo(run, instance, target)
    if (run.isDry) return run.dryRun()

    if (way === 'failover') return run.done(failOver(run, journey, moved))
    run.say(`Migrating instance ${instance.name}`)
    return run.done(cleanup ? cleanUp(run, journey) : migrate(run, journey, moved))
  })
}

function targetOf(run: Run, instance: Instance, named: Node | null, way: Way): Node {
  const template = instance.disk_template
  if (template !== 'drbd' && !SHARED.includes(template)) {
    throw prerequisite(`Instance's disk layout '${template}' does not allow ${way}s`, 'wrong_state')
  }
  const target = template === 'drbd' ? otherNode(run, instance, named, way) : anyNode(run, instance, named)
  checkTargetPolicy(run, instance, target)
  if (target.uuid === instance.primary_node) {
    throw prerequisite(
      `Cannot migrate instance ${instance.name} to its primary (${target.name})`,
      'wrong_state',
    )
  }
  // Ganeti does not ask, but on such a node no instance can be.
  checkNodeVmCapable(target)
  return target
}

function otherNode(run: Run, instance: Instance, named: Node | null, way: Way): Node {
  const other = nodeBehind(run.config, instance.secondary_nodes[0] ?? '')
  if (run.text('iallocator') === null && (named === null || named === other)) return other
  const moved = way === 'failover' ? 'failed over' : 'migrated'
  throw prerequisite(
    `Instances with disk types drbd cannot be ${moved} to arbitrary nodes (neither an iallocator nor a target ` +
      'node can be passed)',
    'wrong_input',
  )
}

function anyNode(run: Run, instance: Instance, named: Node | null): Node {
  const allocator = allocatorOrNode(run, named !== null)
  if (allocator === null) return named as Node
  const { group, uuid } = nodeBehind(run.config, instance.primary_node)
  const [node] = allocateOrRefuse(run, allocator, {
    nodes: 1,
    memory: instance.admin_state === 'up' ? filledBeParams(run.config.cluster, instance).minmem : 0,
    disk: 0,
    networks: [],
    specs: null,
    without: [uuid],
    groups: [group],
  }) as [Node]
  run.info(`Selected nodes for instance ${instance.name} via iallocator ${allocator}: ${node.name}`)
  return node
}

function checkMemory(run: Run, { instance, target }: Journey, way: Way): void {
  if (run.flag('cleanup') || (way === 'failover' && instance.admin_state !== 'up')) {
    run.info('Not checking memory on the secondary node as instance will not be started')
    return
  }
  const { minmem } = filledBeParams(run.config.cluster, instance)
  checkNodeFreeMemory(run.config, target, `migrating instance ${instance.name}`, minmem)
}

function checkMigratable(run: Run, { instance, source }: Journey, mayFallBack: boolean): Way {
  const fault = source.offline
    ? 'Node is marked offline'
    : instance.admin_state !== 'up'
      ? `Instance ${instance.name} is not running`
      : undefined
  if (fault === undefined) return 'migration'
  if (!mayFallBack) throw prerequisite(`Can't migrate, please use failover: ${fault}`, 'wrong_state')
  run.info("Can't migrate, instance offline, fallback to failover")
  return 'failover'
}

function failOver(run: Run, { instance, source, target }: Journey, moved: Instance): Change {
  run.say(`Failover instance ${instance.name}`)
  run.say(
    instance.disks_active
      ? '* checking disk consistency between source and target'
      : '* not checking disk consistency as instance is not running',
  )
  run.say('* shutting down instance on source node')
  if (source.offline) {
    run.warn(
      `Could not shutdown instance ${instance.name} on node ${source.name}, proceeding anyway; please make sure ` +
        `node ${source.name} is down; error details: Node is marked offline`,
    )
  }
  if (SHARED.includes(instance.disk_template)) {
    run.say(`* closing instance disks on node ${source.name}`)
    if (source.offline) {
      run.warn(`Could not close instance disks on node ${source.name}, proceeding anyway`)
    }
  }
  run.say("* deactivating the instance's disks on source node")
  tellShutdown(run, instance)
  const isUp = instance.admin_state === 'up'
  if (isUp) {
    run.say(`* activating the instance's disks on target node ${target.name}`)
    run.say(`* starting the instance on the target node ${target.name}`)
  }
  return instanceChange(run, instance, { ...moved, disks_active: isUp })
}

/** Looks where an instance is whose migration failed: where it should be, as nothing fails halfway here. */
function cleanUp(run: Run, { instance, source, target }: Journey): Change {
  run.say(
    '* checking where the instance actually runs (if this hangs, the hypervisor might be in a bad state)',
  )
  const runs = instance.admin_state === 'up' && !source.offline
  run.say(`* instance running on: ${runs ? source.name : ''}`)
  if (!runs) {
    throw failure(
      "Instance does not seem to be running at all; in this case it's safer to repair by running " +
        "'gnt-instance stop' to ensure disk shutdown, and then restarting it",
    )
  }
  run.say(`* instance confirmed to be running on its primary node (${source.name})`)
  run.say(`* closing instance disks on node ${target.name}`)
  if (instance.disk_template === 'drbd') tellSingleMaster(run)
  else run.say(`* opening instance disks on node ${source.name} in exclusive mode`)
  run.say('* done')
  return {}
}

function migrate(run: Run, { instance, source, target }: Journey, moved: Instance): Change {
  const isDrbd = instance.disk_template === 'drbd'
  run.say('* checking disk consistency between source and target')
  fitMemory(run, instance, target)
  run.say(`* closing instance disks on node ${target.name}`)
  if (isDrbd) {
    run.say('* changing into standalone mode')
    run.say('* changing disks into dual-master mode')
    run.say('* wait until resync is done')
  }
  for (const node of [source, target]) run.say(`* opening instance disks on node ${node.name} in shared mode`)
  run.say(`* preparing ${target.name} to accept the instance`)
  run.say(`* migrating instance to ${target.name}`)
  const fault = CANNOT_MIGRATE[instance.hypervisor]
  if (fault !== undefined) {
    throw failure(`Could not migrate instance ${instance.name}: Failed to migrate instance: ${fault}`)
  }
  run.say('* starting memory transfer')
  run.say('* memory transfer complete')
  run.say(`* closing instance disks on node ${source.name}`)
  if (isDrbd) tellSingleMaster(run)
  else run.say(`* opening instance disks on node ${target.name} in exclusive mode`)
  const mapped = instance.disks.filter(({ dev_type }) => dev_type === 'rbd' || dev_type === 'ext')
  if (mapped.length > 0) {
    const names = mapped.map(({ name }) => name ?? 'None').join(', ')
    run.say(`* unmapping instance's disks ${names} from ${source.name}`)
  }
  run.say('* done')
  return instanceChange(run, instance, moved)
}

/** An instance with more memory than the other node has to give must do with less there. */
function fitMemory(run: Run, instance: Instance, target: Node): void {
  const current = filledBeParams(run.config.cluster, instance).maxmem
  const free = freeMemory(run.config, target)
  if (free === undefined || current <= free) return
  if (!run.flag('allow_runtime_changes')) {
    throw failure(
      `Memory ballooning not allowed and not enough free memory to fit instance ${instance.name} on target node ` +
        `${target.name} (have ${free}MB, need ${current}MB)`,
    )
  }
  run.say(`* setting instance memory to ${free}`)
}

function tellSingleMaster(run: Run): void {
  run.say('* wait until resync is done')
  run.say('* changing into standalone mode')
  run.say('* changing disks into single-master mode')
  run.say('* wait until resync is done')
}
