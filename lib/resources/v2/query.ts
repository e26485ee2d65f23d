import type { FieldDefinition, QueryResult } from '../../backend/backend.ts'
import { Failure } from '../../failure.ts'
import type { Json } from '../../json.ts'
import { bodyObject } from '../expect-type.ts'
import type { QueryString } from '../query-string.ts'
import { BodyLimit, guarded, live, open, resource } from '../resource.ts'

/** The names in a comma-separated `fields` parameter; undefined where there is none. */
function fieldsIn(query: QueryString): string[] | undefined {
  return query
    .first('fields')
    ?.split(',')
    .map((field) => field.trim())
}

function missingFields(): Failure {
  return new Failure('invalid', "Missing 'fields' query argument")
}

// Both are plain data already; the types differ only in that JSON's has an index signature.
const resultAsJson = ({ data, fields }: QueryResult): Json => ({ data, fields: definitionsAsJson(fields) })
const definitionsAsJson = (fields: readonly FieldDefinition[]): Json =>
  fields.map(({ name, title, kind, doc }) => ({ name, title, kind, doc }))

const fieldsParameter = { name: 'fields', doc: 'Names of fields, separated by commas.' }

const one = resource('/2/query/{resource}', 'A query for any fields of one kind of object.', {
  GET: guarded(
    ['write', 'read'],
    'Gives the fields asked for, of all objects.',
    async ({ backend, params, query }) => {
      const fields = fieldsIn(query)
      if (fields === undefined) throw missingFields()
      return resultAsJson(await backend.query(params.resource, fields, null))
    },
    [{ ...fieldsParameter, doc: `${fieldsParameter.doc} Required.` }],
  ),
  PUT: {
    ...live(
      ['write', 'read'],
      'Gives the fields asked for, of the objects that a filter lets through; changes nothing.',
      async ({ backend, params, query, body }) => {
        const request = bodyObject(body)
        const fields = request.fields === undefined ? fieldsIn(query) : fieldNames(request.fields)
        if (fields === undefined) throw missingFields()
        // Clients before Ganeti 2.7 say `filter`.
        const filter = request.qfilter ?? request.filter ?? null
        return resultAsJson(await backend.query(params.resource, fields, filter))
      },
      [fieldsParameter],
    ),
    bodyLimit: BodyLimit.question,
  },
})

function fieldNames(fields: Json): string[] {
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields
  throw new Failure('invalid', "The body's 'fields' must be a list of names of fields")
}

const fields = resource('/2/query/{resource}/fields', 'The fields that a query can ask for.', {
  GET: open(
    'Describes the fields of one kind of object: name, title, kind and meaning.',
    async ({ backend, params, query }) => ({
      fields: definitionsAsJson(await backend.queryFields(params.resource, fieldsIn(query) ?? null)),
    }),
    [{ ...fieldsParameter, doc: `${fieldsParameter.doc} All, if absent.` }],
  ),
})

export const query = [one, fields]
