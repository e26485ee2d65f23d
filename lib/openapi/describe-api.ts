/**
 * The description of the API, made from the table of resources: an OpenAPI
 * document (version 3.1, whose schemas are JSON Schemas of the dialect 2020-12),
 * from which tools make clients, forms and checks. It is the same for every
 * cluster: what only some releases of Ganeti have says so.
 */
import type { Need } from '../auth/permissions.ts'
import { inSlices } from '../concurrency/time-slicing.ts'
import { type Json, type JsonObject, parseJson } from '../json/json.ts'
import type { Schema } from '../model/check.ts'
import { namesIn, PATH_NAMES } from '../resources/path-names.ts'
import { QueryString } from '../resources/query-string.ts'
import type { Method, MethodName, Parameter, Resource } from '../resources/resource.ts'
import { Components } from './components.ts'
import { EXAMPLE_ANSWERS } from './example-answers.ts'
import { errorSchema, FAILURES } from './failures.ts'

const METHODS: readonly MethodName[] = ['GET', 'PUT', 'POST', 'DELETE']
const JSON_TYPE = 'application/json'
const EVENTS_TYPE = 'text/event-stream'

/** Paths by what they begin with, in the order in which tools show them. */
const TAGS: readonly {
  readonly name: string
  readonly description: string
  readonly paths: RegExp
}[] = [
  {
    name: 'Cluster',
    description: 'The cluster as a whole.',
    paths: /^\/2\/(info|os|tags|modify|redistribute)/,
  },
  { name: 'Nodes', description: 'The machines, and their storage.', paths: /^\/2\/nodes/ },
  { name: 'Instances', description: 'The virtual machines.', paths: /^\/2\/instances/ },
  { name: 'Node groups', description: 'Groups of nodes.', paths: /^\/2\/groups/ },
  { name: 'Networks', description: 'Networks of IP addresses for instances.', paths: /^\/2\/networks/ },
  {
    name: 'Jobs',
    description: 'What changes the cluster is a job, which takes its time.',
    paths: /^\/2\/jobs/,
  },
  {
    name: 'Job filter',
    description: 'Rules by which jobs are accepted or held back.',
    paths: /^\/2\/filters/,
  },
  { name: 'Queries', description: 'Any fields of any objects.', paths: /^\/2\/query/ },
  { name: 'Events', description: 'What happens, as it happens.', paths: /^\/2\/events/ },
  { name: 'API', description: 'What is served.', paths: /^\/(2|version|2\/features|(2\/)?openapi\.json)?$/ },
  { name: 'RAPI 1.2', description: 'The API of old clients, which only reads.', paths: /./ },
]

/** Examples of answers, by operationId. */
type Answers = { readonly [operationId: string]: Json }

/** What the document is made with. */
interface Making {
  readonly components: Components
  readonly answers: Answers
}

/**
 * Makes the document, in time slices.
 * @throws Error for a mistake in the table: a method without a name, or two schemas of one name
 */
export function describeApi(resources: readonly Resource[], answers = keptAnswers()): Promise<JsonObject> {
  return inSlices(describing(resources, answers))
}

function* describing(resources: readonly Resource[], answers: Answers): Generator<void, JsonObject> {
  const components = new Components()
  const making = { components, answers }
  const paths: [path: string, item: JsonObject][] = []
  for (const resource of resources) {
    paths.push([resource.path, pathItem(resource, making)])
    yield
  }
  const responses = Object.values(FAILURES).map(({ name, when, example }) => [
    name,
    { description: when, content: content(components.refer(errorSchema), example) },
  ])
  return {
    openapi: '3.1.1',
    info: {
      title: 'Ganeti remote API',
      version: '2',
      summary: 'Reads and changes a Ganeti cluster.',
      description: [
        'A method that changes anything submits a job and answers with its id; `/2/jobs/{job_id}` tells what has',
        'become of it. Parameters of the query string that are flags are integers: 0 is no, anything else is yes;',
        'empty ones count as absent.',
      ].join(' '),
      license: { name: 'BSD-2-Clause', identifier: 'BSD-2-Clause' },
    },
    servers: [{ url: '/', description: 'Where this description comes from.' }],
    tags: TAGS.map(({ name, description }) => ({ name, description })),
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'A user of the users file.' },
      },
      responses: Object.fromEntries(responses),
      schemas: components.schemas(),
    },
  }
}

function keptAnswers(): Answers {
  const kept = Object.entries(EXAMPLE_ANSWERS).map(([operationId, json]) => [operationId, parseJson(json)])
  return Object.fromEntries(kept) as Answers
}

function pathItem({ path, methods, since }: Resource, making: Making): JsonObject {
  const operations = METHODS.flatMap((name) => {
    const method = methods[name]
    if (!method) return []
    return [[name.toLowerCase(), operation(name, path, since ? { since, ...method } : method, making)]]
  })
  const parameters = namesIn(path).map((name) => pathParameter(name))
  return {
    ...(parameters.length > 0 && { parameters }),
    ...(Object.fromEntries(operations) as JsonObject),
  }
}

/** @param value one that an example has in the place of the usual one */
function pathParameter(name: string, value?: string): JsonObject {
  const { doc, pattern, example } = { ...PATH_NAMES[name], ...(value !== undefined && { example: value }) }
  if (doc === undefined) throw new Error(`{${name}} is not described`)
  const isNumber = pattern === '\\d+'
  return {
    name,
    in: 'path',
    required: true,
    description: doc,
    schema: isNumber ? { type: 'integer', minimum: 0 } : { type: 'string', pattern: `^${pattern}$` },
    example: isNumber ? Number(example) : (example ?? null),
  }
}

/** What a method needs, as a sentence in Markdown. */
export function needInWords({ permissions, access }: Need): string {
  const permission = permissions.length === 0 ? '' : ` (permission ${permissions.map(code).join(', ')})`
  return access.length === 0
    ? `Open to everyone${permission}.`
    : `Needs ${access.map(code).join(' or ')}${permission}.`
}

function code(text: string): string {
  return `\`${text}\``
}

function operation(name: MethodName, path: string, method: Method, making: Making): JsonObject {
  const { operationId, doc, permissions, access, since, submits, body, example = {} } = method
  if (operationId === undefined) throw new Error(`${name} ${path} has no name for clients`)
  const [summary = '', ...sentences] = doc.split(/(?<=\.) /)
  const description = [...sentences, needInWords(method), ...(since ? [`Since Ganeti ${since}.`] : [])]
  const query = new QueryString(example.query ?? '')
  const parameters = [
    ...Object.entries(example.names ?? {}).map(([name, value]) => pathParameter(name, value)),
    ...method.parameters.map((parameter) => queryParameter(parameter, query)),
  ]
  return {
    operationId,
    tags: TAGS.filter(({ paths }) => paths.test(path))
      .slice(0, 1)
      .map((tag) => tag.name),
    summary: summary.replace(/\.$/, ''),
    description: description.join(' '),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: body.required,
        content: content(making.components.refer(body.schema), example.body),
      },
    }),
    responses: {
      200: success(method, making),
      ...(method.dependsOn !== 'more' && { 304: { description: 'What the client has is still right.' } }),
      ...Object.fromEntries(
        Object.entries(FAILURES)
          .filter(([, { has }]) => has(method, path, name))
          .map(([status, failure]) => [status, { $ref: `#/components/responses/${failure.name}` }]),
      ),
    },
    security: access.length === 0 ? [{}, { basic: [] }] : [{ basic: [] }],
    ...(permissions.length > 0 && { 'x-ganeti-permission': permissions[0] as string }),
    ...(access.length > 0 && { 'x-ganeti-access': access }),
    ...(submits && { 'x-ganeti-opcodes': submits }),
    ...(since && { 'x-ganeti-since': since }),
  }
}

function queryParameter(
  { name, doc, schema, required, repeats }: Parameter,
  example: QueryString,
): JsonObject {
  const text = example.first(name)
  const isList = schema.type === 'array'
  const value = isList
    ? repeats
      ? [...example.all(name)]
      : (text?.split(',') ?? [])
    : asNumber(schema, text)
  return {
    name,
    in: 'query',
    description: doc,
    ...(required && { required }),
    schema,
    ...(isList && { style: 'form', explode: repeats === true }),
    ...(text !== undefined && { example: value }),
  }
}

function asNumber(schema: Schema, text = ''): Json {
  return schema.type === 'integer' ? Number(text) : text
}

function success(
  { operationId = '', answer, dependsOn, follows }: Method,
  { components, answers }: Making,
): JsonObject {
  if (follows) return { description: 'It goes on.', content: { [EVENTS_TYPE]: { schema: answer ?? {} } } }
  return {
    description: 'Done.',
    ...(dependsOn !== 'more' && {
      headers: { ETag: { description: 'For `If-None-Match`.', schema: { type: 'string' } } },
    }),
    content: content(components.refer(answer ?? {}), answers[operationId]),
  }
}

function content(schema: Schema, example?: Json): JsonObject {
  return { [JSON_TYPE]: { schema, ...(example !== undefined && { example }) } }
}
