/** What the names in braces of paths stand for: `{job_id}` and the like. */

const NAME = '[\\w.-]+'
const NUMBER = '\\d+'

export interface PathName {
  readonly doc: string
  /** What it may be, as the source of a regular expression. */
  readonly pattern: string
  /** One of the sample cluster's. */
  readonly example: string
}

/** By name; every name of a path stands here. */
export const PATH_NAMES: { readonly [name: string]: PathName } = {
  disk: { doc: 'Number of the disk, from 0 on.', pattern: NUMBER, example: '0' },
  filter_uuid: {
    doc: 'UUID of the rule.',
    pattern: NAME,
    example: '46968f25-9852-59d1-a770-0a510b6235fa',
  },
  group_name: { doc: 'Name or UUID of the node group.', pattern: NAME, example: 'default' },
  instance_name: {
    doc: 'Name of the instance, full or short (`web`), or its UUID.',
    pattern: NAME,
    example: 'web.example.com',
  },
  job_id: { doc: 'Id of the job.', pattern: NUMBER, example: '1' },
  network_name: { doc: 'Name or UUID of the network.', pattern: NAME, example: 'front' },
  node_name: {
    doc: 'Name of the node, full or short (`node1`), or its UUID.',
    pattern: NAME,
    example: 'node1.example.com',
  },
  resource: { doc: 'Kind of object.', pattern: NAME, example: 'instance' },
}

/** What a name in braces may be, as the source of a regular expression. */
export function patternOfName(name: string): string {
  return PATH_NAMES[name]?.pattern ?? NAME
}

/** The names in braces of a path, in order. */
export function namesIn(path: string): string[] {
  return [...path.matchAll(/{(\w+)}/g)].map(([, name = '']) => name)
}
