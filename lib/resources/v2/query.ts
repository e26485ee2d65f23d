import type { Permission } from '../../auth/permissions.ts'
import {
  type FieldDefinition,
  MOST_QUERY_BYTES,
  type QueryResult,
  ResultStatus,
} from '../../backend/backend.ts'
import { mentions } from '../../backend/filters.ts'
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import { lazyMap } from '../../json/lazy-list.ts'
import { anything, list, listOf, maybe, oneOf, type Schema, string, tupleOf } from '../../model/check.ts'
import { objectOf } from '../answer-schemas.ts'
import { bodyObject } from '../expect-type.ts'
import type { QueryString } from '../query-string.ts'
import {
  type Answer,
  type Body,
  BodyLimit,
  type Call,
  guarded,
  live,
  open,
  type Parameter,
  resource,
} from '../resource.ts'

/** The names in a comma-separated `fields` parameter; undefined if there is none. */
function fieldsIn(query: QueryString): string[] | undefined {
  return query
    .first('fields')
    ?.split(',')
    .map((field) => field.trim())
}

function missingFields(): Failure {
  return new Failure('invalid', "Missing 'fields' query argument")
}

/** More fields than any kind of object has. */
const MAX_FIELDS = 1000

const fieldList = listOf(string)
/** A filter, e.g. `["=", "name", "web.example.com"]`; what it may hold, the backend checks. */
const filterCheck = maybe(list)

/** Queries fields; a repeated field is queried only once. */
async function ask(
  { backend, params, signal }: Call<{ readonly resource: string }>,
  fields: readonly string[],
  filter: Json,
): Promise<Answer> {
  if (fields.length > MAX_FIELDS) throw new Failure('invalid', `More than ${MAX_FIELDS} fields`)
  const distinct = [...new Set(fields)]
  const result = await backend.query(params.resource, distinct, filter, signal)
  if (distinct.length === fields.length) return resultAsJson(result)
  const places = fields.map((field) => distinct.indexOf(field))
  const repeated = <T>(row: readonly T[]) => places.map((place) => row[place] as T)
  return resultAsJson({ fields: repeated(result.fields), data: lazyMap(result.data, repeated) })
}

// Both are plain data already; the types differ only in that JSON's has an index signature.
const resultAsJson = ({ data, fields }: QueryResult): Answer => ({ data, fields: definitionsAsJson(fields) })
const definitionsAsJson = (fields: readonly FieldDefinition[]): Json =>
  fields.map(({ name, title, kind, doc }) => ({ name, title, kind, doc }))

const fieldsParameter: Parameter = {
  name: 'fields',
  doc: 'Names of fields, separated by commas.',
  schema: fieldList.schema,
}

const questionBody: Body = {
  schema: {
    type: 'object',
    properties: {
      fields: {
        ...fieldList.schema,
        description: 'Names of fields; those of the query string, unless given.',
      },
      qfilter: { ...filterCheck.schema, description: 'Which objects to give; all for null.' },
      filter: { ...filterCheck.schema, description: 'What `qfilter` was before Ganeti 2.7.' },
    },
  },
  required: true,
}

/** Kinds of objects that are the job queue's, not the cluster's. */
const OF_THE_QUEUE: ReadonlySet<string> = new Set(['job', 'lock'])

const definitionsSchema: Schema = {
  type: 'array',
  items: objectOf('FieldDefinition', {
    name: string.schema,
    title: string.schema,
    kind: { enum: ['unknown', 'text', 'bool', 'number', 'float', 'unit', 'timestamp', 'other'] },
    doc: string.schema,
  }),
}

const cellSchema: Schema = {
  ...tupleOf(oneOf(...Object.values(ResultStatus)), anything).schema,
  description:
    'What came of a field, and its value: 0 normal, 1 unknown field, 2 no data, 3 not there, 4 node offline.',
}

const resultSchema = objectOf('QueryResult', {
  data: { type: 'array', items: { type: 'array', items: cellSchema } },
  fields: definitionsSchema,
})

const one = resource('/2/query/{resource}', 'A query for any fields of one kind of object.', {
  GET: {
    ...guarded(
      { permissions: ['query.all'], access: ['write', 'read'] },
      'Gives the fields asked for, of all objects. The field `console` of instances needs the permission `instances.query.console` as well.',
      async (call) => {
        const fields = fieldsIn(call.query)
        if (fields === undefined) throw missingFields()
        return ask(call, fields, null)
      },
      {
        operationId: 'QueryAll',
        answer: resultSchema,
        parameters: [{ ...fieldsParameter, required: true }],
        example: { query: 'fields=name,os,pnode' },
      },
    ),
    furtherPermissions: (query) => permissionsFor(fieldsIn(query) ?? [], null),
    dependsOn: ({ resource }) => (OF_THE_QUEUE.has(resource) ? 'more' : 'state'),
    large: () => true,
    answerLimit: MOST_QUERY_BYTES,
  },
  PUT: {
    ...live(
      { permissions: ['query.all'], access: ['write', 'read'] },
      'Gives the fields asked for, of the objects that a filter lets through; changes nothing. For the field `console` of instances, also in a filter, it needs the permission `instances.query.console` as well.',
      async (call) => {
        const request = bodyObject(call.body)
        const fields = request.fields === undefined ? fieldsIn(call.query) : fieldNames(request.fields)
        if (fields === undefined) throw missingFields()
        return ask(call, fields, filterIn(request))
      },
      {
        operationId: 'Query',
        answer: resultSchema,
        parameters: [{ ...fieldsParameter, doc: `${fieldsParameter.doc} Unless the body has them.` }],
        body: questionBody,
        example: {
          body: {
            fields: ['name', 'status', 'be/vcpus'],
            qfilter: ['&', ['=', 'hypervisor', 'xen-pvm'], ['>=', 'be/vcpus', 2]],
          },
        },
      },
    ),
    furtherPermissions: (query, body) => {
      const request = isJsonObject(body) ? body : {}
      const fields = request.fields === undefined ? fieldsIn(query) : request.fields
      return permissionsFor(Array.isArray(fields) ? fields : [], filterIn(request))
    },
    onlyReads: true,
    bodyLimit: BodyLimit.question,
    large: (_query, body) => !asksForOne(body),
    answerLimit: MOST_QUERY_BYTES,
  },
})

/** A field that has a permission of its own where it is asked for by itself: `/2/instances/NAME/console`. */
const CONSOLE = 'console'

/** The permissions that a query needs beside its own: neither its fields nor its filter are a way around. */
function permissionsFor(fields: readonly Json[], filter: Json): readonly Permission[] {
  return fields.includes(CONSOLE) || mentions(filter, CONSOLE) ? ['instances.query.console'] : []
}

/** Clients before Ganeti 2.7 use the name `filter`. */
function filterIn({ qfilter, filter }: JsonObject): Json {
  return qfilter ?? filter ?? null
}

/** Whether a query selects one object by its name, so that its answer is short, and needs no place for a large one. */
function asksForOne(body: Json | undefined): boolean {
  const filter = isJsonObject(body) ? filterIn(body) : null
  return (
    Array.isArray(filter) && filter.length === 3 && /^==?$/.test(String(filter[0])) && filter[1] === 'name'
  )
}

function fieldNames(fields: Json): string[] {
  if (fieldList(fields)) return fields as string[]
  throw new Failure('invalid', "The body's 'fields' must be a list of names of fields")
}

const fields = resource('/2/query/{resource}/fields', 'The fields that a query can ask for.', {
  GET: open(
    'query.all',
    'Describes the fields of one kind of object: name, title, kind and meaning.',
    async ({ backend, params, query }) => ({
      fields: definitionsAsJson(await backend.queryFields(params.resource, fieldsIn(query) ?? null)),
    }),
    {
      operationId: 'QueryFields',
      answer: objectOf('QueryFields', { fields: definitionsSchema }),
      parameters: [{ ...fieldsParameter, doc: `${fieldsParameter.doc} All, if absent.` }],
      example: { query: 'fields=name,os,pnode' },
    },
  ),
})

export const query = [one, fields]
