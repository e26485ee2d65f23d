import type { Node } from '../../../model/node.ts'
import type { RecordReader } from './record-reader.ts'

type Flags = Pick<Node, 'master_capable' | 'vm_capable' | 'drained' | 'offline' | 'powered'>

/** Reads what a node can be and is, where both forms of a cluster have the same keys and defaults. */
export function readNodeFlags(fields: RecordReader): Flags {
  return {
    master_capable: fields.flagOr('master_capable', true),
    vm_capable: fields.flagOr('vm_capable', true),
    drained: fields.flagOr('drained', false),
    offline: fields.flagOr('offline', false),
    powered: fields.flagOr('powered', true),
  }
}
