/** Every operation there is, by its opcode. */
import { clusterOperations } from './cluster-operations.ts'
import { instanceOperations } from './instance-operations.ts'
import type { Operation } from './operation.ts'
import { tagsDel } from './tags-del.ts'
import { tagsGet } from './tags-get.ts'
import { tagsSet } from './tags-set.ts'
import { testDelay } from './test-delay.ts'

export const OPERATIONS: { readonly [id: string]: Operation } = {
  ...clusterOperations,
  ...instanceOperations,
  OP_TAGS_DEL: tagsDel,
  OP_TAGS_GET: tagsGet,
  OP_TAGS_SET: tagsSet,
  OP_TEST_DELAY: testDelay,
}
