/** Whether an instance is what the policy of a node's group allows. */
import type { Config } from '../../../../model/config.ts'
import { filledBeParams, filledIPolicy } from '../../../../model/fill.ts'
import type { Group } from '../../../../model/group.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams, IPolicy, Ispecs, IspecsMinMax } from '../../../../model/params.ts'
import { groupOf, nodeBehind, nodesOf } from './find.ts'
import { prerequisite } from './operation.ts'
import { hasExclusiveStorage } from './preconditions.ts'
import type { Run } from './run.ts'

/** What a policy judges; what is null is not judged. */
export interface Specs {
  /** MiB */
  readonly memory: number | null
  readonly cpus: number | null
  readonly nics: number | null
  readonly spindleUse: number | null
  /** MiB, of each disk. */
  readonly diskSizes: readonly number[]
  /** Template of each disk. */
  readonly diskTypes: readonly string[]
}

/** Everything a policy has against it, in Ganeti's words; of several pairs of bounds, by the one that fits best. */
export function violations(policy: IPolicy, specs: Specs): string[] {
  const templates = policy['disk-templates']
  const found: string[] = []
  if (specs.diskSizes.length === 0 && !templates.includes('diskless')) {
    found.push(`Disk template diskless is not allowed (allowed templates ${templates.join(', ')})`)
  }
  const forbidden = [...new Set(specs.diskTypes)].filter((type) => !templates.includes(type))
  if (forbidden.length > 0) {
    found.push(
      `Disk template ${forbidden.join(', ')} is not allowed (allowed templates: ${templates.join(', ')})`,
    )
  }
  const byBounds = policy.minmax.map((bounds) => outOfBounds(bounds, specs))
  const fewest = byBounds.reduce((best, one) => (one.length < best.length ? one : best), byBounds[0] ?? [])
  return [...found, ...fewest]
}

function outOfBounds({ min, max }: IspecsMinMax, specs: Specs): string[] {
  const { memory, cpus, nics, spindleUse, diskSizes } = specs
  const values: readonly (readonly [spec: keyof Ispecs, name: string, value: number | null])[] = [
    ['memory-size', 'memory-size', memory],
    ['cpu-count', 'cpu-count', cpus],
    ['nic-count', 'nic-count', nics],
    ['spindle-use', 'spindle-use', spindleUse],
    ...diskSizes.map((size, index) => ['disk-size', `disk-size/${index}`, size] as const),
    // To say of an instance without disks that it has too few is of no use.
    ['disk-count', 'disk-count', diskSizes.length === 0 ? null : diskSizes.length],
  ]
  return values.flatMap(([spec, name, value]) =>
    value === null || (value >= min[spec] && value <= max[spec])
      ? []
      : [`${name} value ${value} is not in range [${min[spec]}, ${max[spec]}]`],
  )
}

/** An instance as a policy sees it. */
export function specsOf(config: Config, instance: Instance): Specs {
  const beparams = filledBeParams(config.cluster, instance)
  return {
    memory: beparams.maxmem,
    cpus: beparams.vcpus,
    nics: instance.nics.length,
    spindleUse: hasExclusiveStorage(config, nodesOf(config, instance))
      ? instance.disks.reduce((sum, disk) => sum + (disk.spindles ?? 0), 0)
      : beparams.spindle_use,
    diskSizes: instance.disks.map((disk) => disk.size),
    diskTypes: instance.disks.map((disk) => disk.dev_type),
  }
}

/** An instance that is to be made, as a policy sees it. */
export function specsOfNew(
  be: BeParams,
  template: string,
  disks: readonly { readonly size: number }[],
  nics: number,
): Specs {
  return {
    memory: be.maxmem,
    cpus: be.vcpus,
    nics,
    spindleUse: be.spindle_use,
    diskSizes: disks.map(({ size }) => size),
    diskTypes: disks.map(() => template),
  }
}

/** Refuses an instance in a group whose policy has something against it. */
export function checkViolations({ uuid, name }: Group, against: readonly string[]): void {
  if (against.length === 0) return
  throw prerequisite(
    `Instance allocation to group ${uuid} (${name}) violates policy: ${against.join(', ')}`,
    'wrong_input',
  )
}

/**
 * What the policy of another group than its own has against an instance on
 * one of its nodes.
 * @throws OpError unless the opcode says `ignore_ipolicy`, which makes it a warning
 */
export function checkTargetPolicy(run: Run, instance: Instance, target: Node): void {
  if (target.group === nodeBehind(run.config, instance.primary_node).group) return
  const against = policyAgainst(run.config, instance, groupOf(run.config, target))
  if (against.length === 0) return
  const text = `Instance does not meet target node group's (${target.group}) instance policy: ${against.join(', ')}`
  if (!run.flag('ignore_ipolicy')) throw prerequisite(text, 'wrong_input')
  run.warn(text)
}

/** What a group's policy has against an instance. */
export function policyAgainst(config: Config, instance: Instance, group: Group): string[] {
  return violations(filledIPolicy(config.cluster, group), specsOf(config, instance))
}
