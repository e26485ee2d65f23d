/**
 * Exclusion tags, as htools has them: a tag `htools:iextags:service` of the
 * cluster means that two running instances with the same tag that begins with
 * `service` should not be on the same node.
 */
import type { Json } from '../json/json.ts'

const OF_CLUSTER = 'htools:iextags:'

/** An instance that runs. */
export interface Running {
  readonly node: string
  readonly tags: readonly Json[]
}

/** Whether no two instances with a common exclusion tag are on one node. */
export function exclusionIsKept(clusterTags: readonly string[], instances: Iterable<Running>): boolean {
  const prefixes = clusterTags
    .filter((tag) => tag.startsWith(OF_CLUSTER))
    .map((tag) => tag.slice(OF_CLUSTER.length))
  if (prefixes.length === 0) return true
  const taken = new Set<string>()
  for (const { node, tags } of instances) {
    for (const tag of tags.map(String)) {
      if (!prefixes.some((prefix) => tag.startsWith(prefix))) continue
      const place = `${node} ${tag}`
      if (taken.has(place)) return false
      taken.add(place)
    }
  }
  return true
}
