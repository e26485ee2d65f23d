/** Every opcode that this API submits, by its id. */
import type { JsonObject } from '../../json/json.ts'
import { fillOpcode, type Opcode } from '../opcode.ts'
import type { Version } from '../version.ts'
import * as cluster from './cluster.ts'
import * as group from './group.ts'
import * as instance from './instance.ts'
import * as network from './network.ts'
import * as node from './node.ts'
import * as tags from './tags.ts'

const NOUNS = [cluster, group, instance, network, node, tags]

type IdIn<Noun> = Noun extends { readonly [name in keyof Noun]: { readonly id: infer Id } } ? Id : never

export type OpcodeId = IdIn<(typeof NOUNS)[number]>

export const OPCODES: ReadonlyMap<string, Opcode> = new Map(
  NOUNS.flatMap((noun): readonly Opcode[] => Object.values(noun)).map((opcode) => [opcode.id, opcode]),
)

/** Whether a submitted opcode only answers a question, and changes nothing. */
export function readsOnly({ OP_ID }: JsonObject): boolean {
  return OPCODES.get(String(OP_ID))?.readsOnly === true
}

/** An opcode as it is submitted, with the rest of its parameters as a version has them; one that is not ours stays as it is. */
export function completeOpcode(submitted: JsonObject, version: Version): JsonObject {
  const opcode = OPCODES.get(String(submitted.OP_ID))
  return opcode ? fillOpcode(opcode, submitted, version) : submitted
}
