/** Every operation there is, by its opcode. */
import { testDelay } from './cluster/test-delay.ts'
import { clusterOperations } from './cluster-operations.ts'
import { instanceOperations } from './instance-operations.ts'
import type { Operation } from './shared/operation.ts'
import { tagsDel } from './tags/tags-del.ts'
import { tagsGet } from './tags/tags-get.ts'
import { tagsSet } from './tags/tags-set.ts'

export const OPERATIONS: { readonly [id: string]: Operation } = {
  ...clusterOperations,
  ...instanceOperations,
  OP_TAGS_DEL: tagsDel,
  OP_TAGS_GET: tagsGet,
  OP_TAGS_SET: tagsSet,
  OP_TEST_DELAY: testDelay,
}
