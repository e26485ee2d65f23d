/**
 * The reference of the API, in Markdown, made from the table of resources: what
 * each method does, which right it needs, its parameters, what its body may hold,
 * and a request with its answer.
 *
 * Simplified on purpose: answers are shortened to show their structure, and
 * parameters that every job takes are described once.
 */
import { needInWords } from '../lib/openapi/describe-api.ts'
import { isJsonObject, type JsonObject } from '../lib/json/json.ts'
import type { Schema } from '../lib/model/check.ts'
import { COMMON } from '../lib/model/opcode.ts'
import { parameterSchema } from '../lib/resources/job-body.ts'
import type { Body, Method, MethodName, Resource } from '../lib/resources/resource.ts'
import { type Abridging, LEFT_OUT, layOut } from './json-layout.ts'
import { typeText } from './type-text.ts'
import { followingExample, type Sample, workedExample } from './worked-example.ts'

const METHODS: readonly MethodName[] = ['GET', 'PUT', 'POST', 'DELETE']

/** The longest line of an example. */
const WIDTH = 100
const ABRIDGED: Abridging = { members: 2, keys: 4, depth: 3 }

/**
 * Describes every resource of a table, in its order.
 * @param walk a section for beginners, which comes first
 */
export async function reference(
  resources: readonly Resource[],
  sample: Sample,
  walk?: string,
): Promise<string> {
  const sections = await Promise.all(resources.map((resource) => section(resource, sample)))
  return `${[introduction(resources), ...(walk ? [walk.trim()] : []), ...sections].join('\n\n')}\n`
}

function introduction(resources: readonly Resource[]): string {
  return [
    '<!-- Made from the table of resources (lib/resources/table.ts) by `npm run docs`. -->',
    '# The resources of ganeti-rapi',
    [
      'Every path that is served, with its methods. A name in braces stands for a name made of letters, digits, `_`,',
      '`.` and `-`; `{job_id}` and `{disk}` are numbers. Answers are JSON; errors are objects with `code`, `message`',
      'and `explain`, and `detail` where more is known than Ganeti tells. Of the rights that a method needs, any one',
      'suffices; users with words of Ganeti 3.2 need its permission. ganeti-rapi(8) tells how users get either.',
    ].join('\n'),
    [
      'What changes the cluster is a job, and the answer is its id. Whether and how it has ended,',
      '[`/2/jobs/{job_id}`](#2jobsjob_id) tells; [`/2/jobs/{job_id}/wait`](#2jobsjob_idwait) waits for it. The body of',
      'such a request is an object, and may have, beside what is listed for each method:',
    ].join('\n'),
    bodyTable({ type: 'object', properties: inEveryBody }),
    [
      'The examples work on the sample cluster, served by `npm start`, with the users and the certificate that it has',
      `there; \`${LEFT_OUT}\` stands for what is left out of an answer. \`openapi.json\` in this folder, which is also`,
      'served at `/2/openapi.json`, describes the same for programs.',
    ].join('\n'),
    table(
      ['path', 'methods', ''],
      resources.map(({ path, doc, methods }) => [
        code(path),
        METHODS.filter((name) => methods[name]).join(', '),
        doc,
      ]),
    ),
  ].join('\n\n')
}

async function section(resource: Resource, sample: Sample): Promise<string> {
  const parts = [`## ${code(resource.path)}`, resource.doc + firstRelease(resource)]
  for (const name of METHODS) {
    const method = resource.methods[name]
    if (!method) continue
    parts.push(...describe(name, method))
    if (method.follows) parts.push(`    ${followingExample(resource.path, method)}`)
    const example = await workedExample(resource.path, name, method, sample, WIDTH)
    if (!example) continue
    parts.push(example.command.replaceAll(/^/gm, '    '))
    parts.push(`\`\`\`\n${layOut(example.answer, WIDTH, ABRIDGED)}\n\`\`\``)
  }
  return parts.join('\n\n')
}

function describe(name: MethodName, method: Method): string[] {
  const { doc, parameters, body } = method
  return [
    `### ${name}`,
    `${doc} ${needInWords(method)}${firstRelease(method)}`,
    ...(parameters.length === 0
      ? []
      : [
          table(
            ['parameter', ''],
            parameters.map(({ name, doc, required }) => [code(name), required ? `${doc} Required.` : doc]),
          ),
        ]),
    ...(body ? describeBody(body) : []),
  ]
}

/** Parameters of every job that a body may have. */
const inEveryBody: { [name: string]: Schema } = {}
for (const [name, parameter] of Object.entries(COMMON)) {
  // The reason is in the query string.
  if (name !== 'reason') inEveryBody[name] = parameterSchema(parameter)
}

function describeBody({ schema, required }: Body): string[] {
  if (!isJsonObject(schema.properties)) return [`The body is ${typeText(schema)}.`]
  const own = Object.entries(schema.properties).filter(([name]) => !(name in inEveryBody))
  if (own.length === 0) return []
  return [bodyTable({ ...schema, properties: Object.fromEntries(own) }, required ? 'in the body' : 'in a body')]
}

/** What an object may hold: names, types, defaults and meanings. */
function bodyTable(schema: Schema, head = 'in the body'): string {
  const properties = Object.entries(schema.properties as { readonly [name: string]: Schema })
  const required = requiredIn(schema)
  return table(
    [head, 'type', 'default', ''],
    properties.map(([name, property]) => [
      code(name),
      typeText(property),
      required.includes(name) ? 'required' : 'default' in property ? code(JSON.stringify(property.default)) : '',
      String(property.description ?? ''),
    ]),
  )
}

/** Names that must be given; of several for one thing, the first. */
function requiredIn({ required = [], allOf = [] }: Schema): readonly unknown[] {
  const oneOfSeveral = (allOf as readonly JsonObject[]).map(({ oneOf }) => {
    const [first] = oneOf as readonly { readonly required: readonly [string] }[]
    return first?.required[0]
  })
  return [...(required as readonly string[]), ...oneOfSeveral]
}

/** The note for what older releases of Ganeti do not have. */
function firstRelease({ since }: Resource | Method): string {
  return since === undefined ? '' : ` Since Ganeti ${since}.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
