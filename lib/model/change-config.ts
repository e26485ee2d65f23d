/** Carries a change out: from one state of a cluster to the next, at the price of what changed. */
import type { Change, ObjectChanges } from './change.ts'
import { type Config, changeLookUps } from './config.ts'
import type { FilterRule } from './filter-rule.ts'
import { liveValues, type NodeUse, useOfNode } from './live-values.ts'
import type { NodeLive } from './node.ts'

/**
 * The cluster after a change. Look-ups and natural order are those that
 * `indexConfig` would make of the changed objects; and the nodes whose
 * instances changed report accordingly.
 */
export function changeConfig(config: Config, change: Change): Config {
  const next = {
    ...config,
    ...(change.cluster && { cluster: change.cluster }),
    ...changeLookUps(config, change),
    filters: changeFilters(config.filters, change.filters),
  }
  return { ...next, live: changeLive(config, next, change) }
}

function changeFilters(
  filters: readonly FilterRule[],
  changes: ObjectChanges<FilterRule> | undefined,
): readonly FilterRule[] {
  if (!changes) return filters
  const known = new Set(filters.map(({ uuid }) => uuid))
  const kept = filters.flatMap((rule) => {
    const change = changes.get(rule.uuid)
    return change === undefined ? [rule] : change === null ? [] : [change]
  })
  const added = [...changes.values()].filter((rule) => rule !== null && !known.has(rule.uuid))
  return [...kept, ...(added as FilterRule[])]
}

/** What an instance takes of its nodes depends on the cluster's defaults, and on nothing else of it. */
function changeLive(
  config: Config,
  next: Omit<Config, 'live'>,
  { nodes, instances }: Change,
): ReadonlyMap<string, NodeLive> {
  const touched = new Set(nodes?.keys())
  if (next.cluster.beparams !== config.cluster.beparams)
    for (const uuid of next.hardware.keys()) touched.add(uuid)
  for (const uuid of instances?.keys() ?? []) {
    for (const instance of [config.instances.byUuid.get(uuid), next.instances.byUuid.get(uuid)]) {
      if (!instance) continue
      touched.add(instance.primary_node)
      for (const node of instance.secondary_nodes) touched.add(node)
    }
  }
  if (touched.size === 0) return config.live
  const live = new Map(config.live)
  for (const uuid of touched) {
    const node = next.nodes.byUuid.get(uuid)
    const has = next.hardware.get(uuid)
    const values = node && has && liveValues(node, has, useOf(next, uuid))
    if (values) live.set(uuid, values)
    else live.delete(uuid)
  }
  return live
}

/** What instances take of a node. */
export function useOf(
  config: Pick<Config, 'cluster' | 'primaryInstances' | 'secondaryInstances'>,
  node: string,
): NodeUse {
  const { cluster, primaryInstances, secondaryInstances } = config
  return useOfNode(cluster, node, primaryInstances.get(node), secondaryInstances.get(node))
}
