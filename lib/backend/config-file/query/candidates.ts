/**
 * Which objects can pass a filter at all, by look-ups, so that a question for 20 of
 * 10,000 objects costs what 20 cost (index scan). The filter is tested on each of
 * them nevertheless.
 */
import type { Config } from '../../../model/config.ts'
import type { Instance } from '../../../model/instance.ts'
import { findCalled } from '../../../model/lookup.ts'
import type { Node } from '../../../model/node.ts'
import type { Filter } from './filter-language.ts'

/** Finds objects by the value of a field. */
type Find<T> = (value: string, config: Config) => readonly T[]

/** By the name of a field. */
export interface LookUps<T> {
  /** For `["=", FIELD, VALUE]`. */
  readonly equal: { readonly [field: string]: Find<T> }
  /** For `["=[]", FIELD, VALUE]`. */
  readonly contains: { readonly [field: string]: Find<T> }
}

/**
 * Objects of which no other passes a filter.
 * @returns undefined if look-ups cannot tell
 */
export function candidatesFor<T>(
  filter: Filter,
  lookUps: LookUps<T>,
  config: Config,
): ReadonlySet<T> | undefined {
  switch (filter.op) {
    case 'and': {
      // What does not pass the first condition is not tested on the others, which may be invalid.
      const [first] = filter.filters
      return first && candidatesFor(first, lookUps, config)
    }
    case 'or': {
      const found = new Set<T>()
      for (const part of filter.filters) {
        const some = candidatesFor(part, lookUps, config)
        if (!some) return undefined
        for (const object of some) found.add(object)
      }
      return found
    }
    case 'compare': {
      const { comparison, field, value } = filter
      if (comparison !== '=' || typeof value !== 'string' || !Object.hasOwn(lookUps.equal, field))
        return undefined
      return new Set(lookUps.equal[field]?.(value, config))
    }
    case 'contains': {
      const { field, value } = filter
      if (typeof value !== 'string' || !Object.hasOwn(lookUps.contains, field)) return undefined
      return new Set(lookUps.contains[field]?.(value, config))
    }
    default:
      return undefined
  }
}

/** Instances that are only planned may have no node yet; what has no value passes a condition on it. */
const nowhere = ({ primaryInstances }: Config) => primaryInstances.get('') ?? []

const on = (nodes: readonly Node[], config: Config) => [
  ...nodes.flatMap(({ uuid }) => config.primaryInstances.get(uuid) ?? []),
  ...nowhere(config),
]

/** The look-ups of instances. */
export const instanceLookUps: LookUps<Instance> = {
  equal: {
    name: (name, { instances }) => findCalled(instances, name),
    pnode: (name, config) => on(findCalled(config.nodes, name), config),
    'pnode.group': (name, config) => {
      const group = config.groups.byName.get(name)
      return on((group && config.groupNodes.get(group.uuid)) ?? [], config)
    },
  },
  contains: { tags: (tag, { taggedInstances }) => taggedInstances.get(tag) ?? [] },
}
