/** Whose tags the tag opcodes are about. */
import type { Change } from '../../../../model/change.ts'
import type { Recorded } from '../../../../model/recorded.ts'
import { findGroup, findInstance, findNetwork, findNode } from '../shared/find.ts'
import { revised } from '../shared/revise.ts'
import type { Run } from '../shared/run.ts'

/** An object with tags, and the change that gives it others. */
export interface Tagged {
  readonly tags: readonly string[]
  withTags(tags: readonly string[]): Change
}

/**
 * The object that an opcode's `kind` and `name` tell.
 * @throws OpError where there is none
 */
export function taggedOf({ config, opcode, context: { now } }: Run): Tagged {
  const name = String(opcode.name)
  switch (opcode.kind) {
    case 'instance':
      return tagged('instances', findInstance(config, name), now)
    case 'node':
      return tagged('nodes', findNode(config, name), now)
    case 'nodegroup':
      return tagged('groups', findGroup(config, name), now)
    case 'network':
      return tagged('networks', findNetwork(config, name), now)
  }
  const { cluster } = config
  return { tags: cluster.tags, withTags: (tags) => ({ cluster: revised(cluster, { tags }, now) }) }
}

function tagged(
  section: Exclude<keyof Change, 'cluster' | 'filters'>,
  object: Recorded,
  now: number,
): Tagged {
  const { uuid, tags } = object
  return {
    tags,
    withTags: (wanted) => ({ [section]: new Map([[uuid, revised(object, { tags: wanted }, now)]]) }),
  }
}

/** The tags that an opcode lists. */
export function listedTags(run: Run): readonly string[] {
  return run.list('tags').map(String)
}
