/**
 * The examples of the description, sent to a daemon that has the sample cluster:
 * each is made of what the description says, and its answer is what it says too.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts'
import type { Schema } from '../../lib/model/check.ts'
import { describeApi } from '../../lib/openapi/describe-api.ts'
import { resources } from '../../lib/resources/table.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { schemaValidator, withoutBigints } from '../support/schema.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly explode?: boolean
  readonly example?: Json
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example?: Json } } }
  readonly responses: {
    readonly 200: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
  }
}

type Path = { readonly [method: string]: Operation } & { readonly parameters?: readonly Parameter[] }

const document = await describeApi(resources)
const components = withoutBigints(document.components ?? null)
const operations = Object.entries(document.paths as never as { readonly [path: string]: Path }).flatMap(
  ([path, { parameters = [], ...methods }]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: method.toUpperCase(),
      path,
      // Those of the operation come last, and so are the ones that count.
      parameters: [...parameters, ...((operation as Operation).parameters ?? [])],
      operation: operation as Operation,
    })),
)

/** The target of an example. */
function targetOf(path: string, parameters: readonly Parameter[]): string {
  const inPath = new Map<string, Json>()
  const query: string[] = []
  for (const { name, in: where, explode, example } of parameters) {
    if (example === undefined) continue
    if (where === 'path') inPath.set(name, example)
    else {
      const values = Array.isArray(example) ? (explode ? example : [example.join(',')]) : [example]
      query.push(...values.map((value) => `${name}=${encodeURIComponent(String(value))}`))
    }
  }
  const filled = path.replaceAll(/{(\w+)}/g, (_, name) => String(inPath.get(name)))
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled
}

/** Jobs that fail on any cluster that is only a file. */
const FAILING: { readonly [operationId: string]: string } = {
  ModifyNodeStorageUnits: 'a file tells of no physical volumes',
}

/** What makes objects comes before what removes them. */
const ORDER = ['POST', 'PUT', 'GET', 'DELETE']

t.test('every example works on the sample cluster, and gives what the description says', async (t) => {
  const root = new DaemonRoot(t.testdir())
  t.teardown(() => root.end())
  root.fill('writer writer-pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  t.equal((await root.start('-b', '127.0.0.1', '-p', '0')).status, 0)

  const validator = schemaValidator()
  validator.addVocabulary(['components'])
  const send = async (method: string, target: string, body?: Json) => {
    const text = body === undefined ? undefined : stringifyJson(body)
    const reply = await root.ask(method, target, { credentials: 'writer:writer-pw', body: text })
    return { status: reply.status, answer: parseJson(reply.body) }
  }
  /** The job once it has ended, and those that it has submitted. */
  const ended = async (id: Json): Promise<JsonObject> => {
    for (;;) {
      const { answer } = await send('GET', `/2/jobs/${id}`)
      if (isJsonObject(answer) && /^(success|error|canceled)$/.test(String(answer.status))) return answer
      await send('GET', `/2/jobs/${id}/wait`, {
        fields: ['status'],
        previous_job_info: [(answer as JsonObject).status ?? null],
      })
    }
  }

  const inOrder = [...operations].sort((one, other) => ORDER.indexOf(one.name) - ORDER.indexOf(other.name))
  for (const { name, path, parameters, operation } of inOrder) {
    const { operationId, requestBody } = operation
    if ('text/event-stream' in operation.responses[200].content) continue
    const target = targetOf(path, parameters)
    const { status, answer } = await send(name, target, requestBody?.content['application/json'].example)
    const request = `${operationId}: ${name} ${target}`
    if (!t.equal(status, 200, `${request} ${stringifyJson(answer).slice(0, 200)}`)) continue
    const { schema } = operation.responses[200].content['application/json']
    // References in it are to components.
    const validate = validator.compile({ ...schema, components })
    t.ok(validate(withoutBigints(answer)), `${request}: ${validator.errorsText(validate.errors)}`)
    if (!('x-ganeti-opcodes' in operation)) continue
    const { status: outcome, opresult } = await ended(answer)
    t.equal(
      outcome,
      operationId in FAILING ? 'error' : 'success',
      `${request}: ${stringifyJson(opresult ?? null).slice(0, 200)}`,
    )
  }
})
