/** What can be done to the tags of anything that has tags. */
import { listOf, oneOf, string } from '../check.ts'
import { opcode, optional, required } from '../opcode.ts'

const parameters = {
  kind: required(
    oneOf('cluster', 'instance', 'network', 'node', 'nodegroup'),
    'What kind of object has the tags.',
  ),
  tags: required(listOf(string), 'The tags.'),
  name: optional(string, 'Name of the object; null for the cluster.'),
}

export const OP_TAGS_SET = opcode('OP_TAGS_SET', parameters)
export const OP_TAGS_DEL = opcode('OP_TAGS_DEL', parameters)
