import { toChange } from '../../auth/permissions.ts'
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json } from '../../json/json.ts'
import { filterRuleChecks, type NewFilterRule } from '../../model/filter-rule.ts'
import { listSchema, rowSchema, uriListSchema } from '../answer-schemas.ts'
import { expectType } from '../expect-type.ts'
import type { QueryString } from '../query-string.ts'
import { type Body, BodyLimit, flagSchema, live, open, resource } from '../resource.ts'
import { onlyRow, rowObject, sortedNames, uriList } from '../rows.ts'
import { isDryRun } from '../submit.ts'
import { bulk } from './parameters.ts'

const FIELDS = ['watermark', 'priority', 'predicates', 'action', 'reason_trail', 'uuid']

const ruleSchema = rowSchema('FilterRule', 'filter', FIELDS)
const uuidSchema = { type: 'string', description: 'UUID of the rule.' }

/** A rule as it is added or put in the place of another: every part may be left out. */
const newRuleBody: Body = {
  schema: {
    type: 'object',
    properties: {
      priority: {
        ...filterRuleChecks.priority.schema,
        description: 'Rules of a lower number are applied first.',
        default: 0,
      },
      predicates: {
        ...filterRuleChecks.predicates.schema,
        description: 'Which jobs the rule is for: all that every one of these fits.',
        default: [],
      },
      action: {
        ...filterRuleChecks.action.schema,
        description: 'What happens to such a job; `["RATE_LIMIT", 2]` runs two of them at once.',
        default: 'CONTINUE',
      },
      reason: {
        ...filterRuleChecks.reason.schema,
        description: 'Who made the rule, why and when, `[source, reason, nanoseconds since 1970]` each.',
        default: [],
      },
    },
    additionalProperties: false,
  },
  required: true,
}

const list = resource('/2/filters', 'The rules of the job filter.', {
  GET: open(
    'filter.list',
    'Lists the rules by which jobs are accepted, paused or rejected; with bulk, all their details.',
    async ({ backend, query }) => {
      if (query.flag('bulk')) {
        return (await backend.queryFilters([], FIELDS)).map((row) => rowObject(FIELDS, row))
      }
      const rows = await backend.queryFilters([], ['uuid'])
      return uriList('uuid', '/2/filters', sortedNames(rows))
    },
    {
      operationId: 'GetFilters',
      parameters: [bulk],
      answer: listSchema(uriListSchema('uuid', 'FilterUri'), ruleSchema),
      example: { query: 'bulk=1' },
    },
  ),
  POST: {
    ...live(
      toChange('filter.create'),
      'Adds a rule to the job filter; answers with its UUID.',
      async ({ backend, query, body }) => {
        refuseDryRun(query)
        return backend.replaceFilter(null, newRule(body))
      },
      {
        operationId: 'AddFilter',
        answer: uuidSchema,
        body: newRuleBody,
        example: {
          body: {
            priority: 5,
            predicates: [['opcode', ['=', 'OP_ID', 'OP_BACKUP_EXPORT']]],
            action: ['RATE_LIMIT', 1],
            reason: [['admin', 'one export at a time', 1700000000000000000n]],
          },
        },
      },
    ),
    bodyLimit: BodyLimit.question,
  },
})

const one = resource('/2/filters/{filter_uuid}', 'One rule of the job filter.', {
  GET: open(
    'filter.query',
    'Gives a rule of the job filter.',
    async ({ backend, params }) =>
      rowObject(FIELDS, onlyRow(await backend.queryFilters([params.filter_uuid], FIELDS))),
    { operationId: 'GetFilter', answer: ruleSchema, example: {} },
  ),
  PUT: {
    ...live(
      toChange('filter.modify'),
      'Puts another rule in the place of this one, or adds it under this UUID; answers with the UUID.',
      async ({ backend, params, query, body }) => {
        refuseDryRun(query)
        return backend.replaceFilter(params.filter_uuid, newRule(body))
      },
      {
        operationId: 'ReplaceFilter',
        answer: uuidSchema,
        body: newRuleBody,
        example: {
          body: {
            priority: 10,
            predicates: [['opcode', ['=', 'OP_ID', 'OP_INSTANCE_MIGRATE']]],
            action: ['RATE_LIMIT', 4],
          },
        },
      },
    ),
    bodyLimit: BodyLimit.question,
  },
  DELETE: live(
    toChange('filter.remove'),
    'Removes a rule from the job filter.',
    async ({ backend, params, query }) => {
      if (isDryRun(query)) onlyRow(await backend.queryFilters([params.filter_uuid], ['uuid']))
      else await backend.deleteFilter(params.filter_uuid)
      return null
    },
    {
      operationId: 'DeleteFilter',
      answer: { type: 'null' },
      parameters: [
        { name: 'dry-run', doc: 'If not 0, it only looks whether there is such a rule.', schema: flagSchema },
      ],
      example: {},
    },
  ),
})

/** A dry run is refused: only the job queue can check the predicates of a rule, when the rule is added. */
function refuseDryRun(query: QueryString): void {
  if (!isDryRun(query)) return
  throw new Failure('invalid', "A rule of the job filter cannot be tried: there is no 'dry-run' of this")
}

/** @throws Failure `invalid` if the body is not a valid rule */
function newRule(body: Json | undefined): NewFilterRule {
  if (!isJsonObject(body)) throw new Failure('invalid', 'Invalid body contents, not a dictionary')
  const { priority = 0, predicates = [], action = 'CONTINUE', reason = [], ...others } = body
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw new Failure(
      'invalid',
      `Invalid body parameters: filter rule doesn't support the parameter '${unknown}'`,
    )
  }
  const rule = {
    priority: expectType(priority, 'int', "'priority' parameter"),
    predicates: expectType(predicates, 'list', "'predicates' parameter"),
    action,
    reason: expectType(reason, 'list', "'reason' parameter"),
  }
  for (const part of PARTS) {
    // In Ganeti, the master daemon checks this, and the status is 502.
    if (!filterRuleChecks[part](rule[part])) {
      throw new Failure('invalid', `'${part}' parameter: not what a filter rule can have`)
    }
  }
  return rule
}

const PARTS = ['priority', 'predicates', 'action', 'reason'] as const

export const filters = [list, one]
