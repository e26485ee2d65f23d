/**
 * The reference of the API, in Markdown, made from the table of resources: what
 * each method does, which right it needs, its parameters, and an example answer
 * from a backend.
 *
 * Simplified on purpose: examples are shortened to show their structure, and a
 * method that makes changes, or that the backend cannot answer, has none.
 */
import type { Backend } from '../lib/backend/backend.ts'
import { Failure } from '../lib/failure.ts'
import { namesIn } from '../lib/resources/path-names.ts'
import { QueryString } from '../lib/resources/query-string.ts'
import { type Method, type MethodName, plainAnswer, type Resource } from '../lib/resources/resource.ts'
import { type Abridging, LEFT_OUT, layOut } from './json-layout.ts'

/** The source of example answers. */
export interface Sample {
  readonly backend: Backend
  /** Values for the names in braces of paths, e.g. `node_name`; a path with other names has no example. */
  readonly names: { readonly [name: string]: string }
}

const METHODS: readonly MethodName[] = ['GET', 'PUT', 'POST', 'DELETE']
const NEVER = new AbortController().signal

/** The longest line of an example. */
const WIDTH = 100
const ABRIDGED: Abridging = { members: 2, keys: 4, depth: 3 }

/** Describes every resource of a table, in its order. */
export async function reference(resources: readonly Resource[], sample: Sample): Promise<string> {
  const sections = await Promise.all(resources.map((resource) => section(resource, sample)))
  return `${[introduction(resources), ...sections].join('\n\n')}\n`
}

function introduction(resources: readonly Resource[]): string {
  return [
    '<!-- Made from the table of resources (lib/resources/table.ts) by `npm run docs`. -->',
    '# The resources of ganeti-rapi',
    [
      'Every path that is served, with its methods. A name in braces stands for a name made of letters, digits, `_`,',
      '`.` and `-`; `{job_id}` and `{disk}` are numbers. Answers are JSON; errors are objects with `code`, `message`',
      'and `explain`, and `detail` where more is known than Ganeti tells. Of the rights that a method needs, any one',
      'suffices; ganeti-rapi(8) tells how users get them.',
    ].join('\n'),
    `The examples are what the sample cluster answers; \`${LEFT_OUT}\` stands for what is left out.`,
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
    if (method) parts.push(...describe(name, method))
    if (method && name === 'GET') parts.push(...(await example(resource.path, method, sample)))
  }
  return parts.join('\n\n')
}

function describe(name: MethodName, method: Method): string[] {
  const { doc, access, parameters } = method
  const rights = access.map(code).join(' or ')
  return [
    `### ${name}`,
    `${doc} ${rights === '' ? 'Open to everyone.' : `Needs ${rights}.`}${firstRelease(method)}`,
    ...(parameters.length === 0
      ? []
      : [
          table(
            ['parameter', ''],
            parameters.map(({ name, doc, required }) => [code(name), required ? `${doc} Required.` : doc]),
          ),
        ]),
  ]
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

/** A request and its answer, if there is an example. */
async function example(path: string, method: Method, { backend, names }: Sample): Promise<string[]> {
  if (!namesIn(path).every((name) => name in names)) return []
  const query = method.example?.query ?? ''
  try {
    const answer = await method.handle({
      params: names,
      query: new QueryString(query),
      body: undefined,
      user: undefined,
      backend,
      patience: 0,
      signal: NEVER,
    })
    const target = path.replaceAll(/{(\w+)}/g, (_, name) => names[name] ?? '') + (query && `?${query}`)
    return [`    GET ${target}`, `\`\`\`\n${layOut(plainAnswer(answer), WIDTH, ABRIDGED)}\n\`\`\``]
  } catch (error) {
    // Some requests can be answered only by a running cluster.
    if (error instanceof Failure) return []
    throw error
  }
}
