/** Tags are read, added and removed in the same way for all kinds of objects. */
import { toChange } from '../../auth/permissions.ts'
import type { TagKind } from '../../backend/backend.ts'
import { OP_TAGS_DEL, OP_TAGS_SET } from '../../model/opcodes/tags.ts'
import { texts } from '../answer-schemas.ts'
import { noBody } from '../job-body.ts'
import { type Method, open } from '../resource.ts'
import { constant, type Source, submit } from '../submit.ts'

const tags: Source = {
  inQuery: {
    name: 'tag',
    doc: 'A tag; may be repeated.',
    schema: { type: 'array', items: { type: 'string' } },
    repeats: true,
  },
  valueIn: ({ query }) => query.all('tag'),
}

/**
 * The methods of a resource of tags.
 * @param ownerId the owner in names of operations: `Node` for `GetNodeTags`
 * @param whose the owner of the tags, for descriptions
 * @param operation see Submission
 * @param name the source of the owner's name; null for the cluster
 */
export function tagMethods<Name extends string = never>(
  ownerId: string,
  kind: TagKind,
  whose: string,
  operation: string,
  name: Source<Name>,
): { readonly [method in 'GET' | 'PUT' | 'DELETE']: Method<{ readonly [name in Name]: string }> } {
  const change = {
    operation,
    dryRun: 'fixed',
    fixed: { kind: constant(kind), tags, name },
    // Tags in a body are ignored: GetPutOpInput of _R_Tags, rlib2.py.
    body: noBody,
  } as const
  return {
    GET: open(
      'tags.get',
      `Lists the tags of ${whose}.`,
      (call) => call.backend.queryTags(kind, String(name.valueIn(call) ?? '')),
      { operationId: `Get${ownerId}Tags`, answer: texts, example: {} },
    ),
    PUT: submit(OP_TAGS_SET, {
      ...change,
      operationId: `Add${ownerId}Tags`,
      need: toChange('tags.set'),
      doc: `Adds tags to ${whose}.`,
      example: { query: 'tag=tested&tag=site:attic' },
    }),
    DELETE: submit(OP_TAGS_DEL, {
      ...change,
      operationId: `Delete${ownerId}Tags`,
      need: toChange('tags.delete'),
      doc: `Removes tags from ${whose}.`,
      example: { query: 'tag=site:attic' },
    }),
  }
}
