/** Every opcode that this API submits, by its id. */
import type { JsonObject } from '../../json.ts'
import { fillOpcode, type Opcode } from '../opcode.ts'
import type { Version } from '../version.ts'
import * as cluster from './cluster.ts'
import * as group from './group.ts'
import * as instance from './instance.ts'
import * as network from './network.ts'
import * as node from './node.ts'
import * as tags from './tags.ts'

export const OPCODES: ReadonlyMap<string, Opcode> = new Map(
  [cluster, group, instance, network, node, tags]
    .flatMap((room): readonly Opcode[] => Object.values(room))
    .map((opcode) => [opcode.id, opcode]),
)

/** An opcode as it is submitted, with the rest of its parameters as a version has them; one that is not ours stays as it is. */
export function completeOpcode(submitted: JsonObject, version: Version): JsonObject {
  const opcode = OPCODES.get(String(submitted.OP_ID))
  return opcode ? fillOpcode(opcode, submitted, version) : submitted
}
