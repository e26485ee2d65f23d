/**
 * Bodies beside their schemas: those that were captured of a real Ganeti's
 * clients, and random ones. What a schema takes, its method must take, and
 * nothing else.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { Failure } from '../../lib/failure.ts'
import { createRouter, pathOf } from '../../lib/http/router.ts'
import { isJsonObject, type Json, parseJson, stringifyJson } from '../../lib/json/json.ts'
import type { Schema } from '../../lib/model/check.ts'
import { NEWEST, type Version } from '../../lib/model/version.ts'
import { PATH_NAMES } from '../../lib/resources/path-names.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import type { Method, MethodName, Parameter } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { Random } from '../fuzz/random.ts'
import { parseConfig } from '../support/read-cluster.ts'
import { schemaValidator, schemaValue, withoutBigints } from '../support/schema.ts'
import { GANETI_3_0 } from '../support/versions.ts'

const config = parseConfig('cluster: {name: c}\nnodes: {n: {primary_ip: 192.0.2.1}}\n', { name: 'c.yaml' })
const sample = configFileBackend(() => config)

/** A backend that takes every job. */
function taking(version: Version): Backend {
  const taken: Partial<Backend> = {
    version: async () => version,
    submitJob: async () => 1,
    replaceFilter: async () => 'a',
    waitForJobChange: async () => null,
  }
  return { ...sample, ...taken }
}

/** Whether a method takes a body; only what is wrong with a request may refuse it. */
async function takes(
  method: Method,
  body: Json | undefined,
  query: string,
  version = NEWEST,
): Promise<boolean> {
  try {
    await method.handle({
      params: new Proxy<Record<string, string>>({}, { get: (_, name) => PATH_NAMES[String(name)]?.example }),
      query: new QueryString(query),
      body,
      user: 'writer',
      backend: taking(version),
      patience: 0,
      signal: new AbortController().signal,
    })
    return true
  } catch (error) {
    if (error instanceof Failure && ['invalid', 'forbidden'].includes(error.code)) return false
    throw error
  }
}

const validator = schemaValidator()
const validators = new Map<Schema, ReturnType<typeof validator.compile>>()

/** Whether a value fits a schema. */
function matches(schema: Schema, value: Json): boolean {
  const validate = validators.get(schema) ?? validator.compile(schema)
  validators.set(schema, validate)
  return validate(withoutBigints(value)) === true
}

/** Whether a request fits what its method says of body and query string. */
function fits(method: Method, body: Json | undefined, query: string): boolean {
  const given = new QueryString(query)
  return bodyFits(method, body) && method.parameters.every((parameter) => parameterFits(parameter, given))
}

function bodyFits({ body: declared }: Method, body: Json | undefined): boolean {
  if (!declared) return body === undefined
  return body === undefined ? !declared.required : matches(declared.schema, body)
}

function parameterFits({ name, schema, required, repeats }: Parameter, query: QueryString): boolean {
  const text = query.first(name)
  if (text === undefined) return !required
  const types = [schema.type].flat()
  if (types.includes('array')) return matches(schema, repeats ? [...query.all(name)] : text.split(','))
  return matches(schema, types.includes('integer') && /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : text)
}

const withBodies = resources.flatMap(({ path, methods }) =>
  Object.entries(methods).flatMap(([name, method]) => (method.body ? [{ path, name, method }] : [])),
)

t.test('every example is taken, and fits its schema', async (t) => {
  for (const { path, name, method } of withBodies) {
    const { body, query = '' } = method.example ?? {}
    const errors = () => JSON.stringify(validators.get(method.body?.schema ?? {})?.errors)
    t.ok(fits(method, body, query), `${name} ${path}: ${errors()}`)
    t.ok(await takes(method, body, query), `${name} ${path}`)
  }
})

t.test('a body may be missing where it says so', async (t) => {
  let [required, optional] = [0, 0]
  for (const { path, name, method } of withBodies) {
    const query = method.example?.query ?? ''
    // Old clients have parameters in the query string there, which a body takes the place of.
    if (method.operationId === 'ReplaceInstanceDisks') continue
    if (method.body?.required) required++
    else optional++
    t.equal(await takes(method, undefined, query), !method.body?.required, `${name} ${path}`)
  }
  t.ok(required > 10 && optional > 10)
})

interface Captured {
  readonly method: string
  readonly target: string
  readonly body?: string
}

const captured = parseJson(
  readFileSync(new URL('../../../test/fixtures/captures/write/requests.json', import.meta.url), 'utf8'),
) as never as readonly Captured[]

/** What is refused though it fits: no schema says that of two things only one may be given. */
const EXCLUSIVE: readonly RegExp[] = [
  /^POST \S*\/reinstall\?os=noop \{"os": "noop"\}$/,
  /^POST \S*\/migrate\?live=1&mode=live $/,
]

t.test('a captured body that a method takes fits its schema, and no other does', async (t) => {
  const route = createRouter(resources)
  let [taken, refused] = [0, 0]
  for (const { method: name, target, body = '' } of captured) {
    const method = route(pathOf(target))?.resource.methods[name as MethodName]
    if (!method?.body) continue
    const said = body === '' ? undefined : parseJson(body)
    const query = target.slice(pathOf(target).length + 1)
    const verdict = await takes(method, said, query, GANETI_3_0)
    if (verdict) taken++
    else refused++
    const request = `${name} ${target} ${body}`
    t.equal(fits(method, said, query), verdict || EXCLUSIVE.some((one) => one.test(request)), request)
  }
  t.comment(`${taken} taken, ${refused} refused`)
  t.ok(taken > 50 && refused > 10, 'there was something to compare')
})

/** What is taken though it does not fit: an allowance for clients who mean nothing by it. */
const ALLOWANCES: readonly {
  readonly reason: string
  readonly operations: RegExp
  readonly body: (body: Json) => boolean
}[] = [
  {
    reason: 'null is no body',
    operations: /./,
    body: (body) => body === null,
  },
  {
    reason: 'a body that is not looked at but for dependencies need not be an object',
    operations:
      /Tags$|Storage|^(Activate|Deactivate)InstanceDisks|^DeleteGroup|^PrepareExport|^StartupInstance|^GetInstanceInfo/,
    body: (body) => !isJsonObject(body),
  },
  {
    reason: 'to Python, anything empty is no body, and the query string takes its place',
    operations: /^ReinstallInstance$/,
    body: isEmpty,
  },
  {
    reason: 'to Python, anything empty is no list of disks',
    operations: /^ReplaceInstanceDisks/,
    body: (body) => isJsonObject(body) && isEmpty(body.disks ?? null),
  },
]

/** What is refused though it fits: what a filter may hold is checked where it is applied. */
const FILTERS: { readonly [operationId: string]: readonly string[] } = { Query: ['qfilter', 'filter'] }

function isEmpty(body: Json): boolean {
  return !body || (typeof body === 'object' && Object.keys(body).length === 0)
}

/** A schema without what newer releases do not have. */
function ofNewest(schema: Schema): Schema {
  const { properties } = schema
  if (!isJsonObject(properties)) return schema
  const present = Object.entries(properties).filter(
    ([, one]) => isJsonObject(one) && !('x-ganeti-until' in one),
  )
  return { ...schema, properties: Object.fromEntries(present) }
}

const BODIES = 800

t.test('a method takes those bodies that fit its schema', async (t) => {
  const random = new Random(31)
  const applied = new Set<unknown>()
  for (const { path, name, method } of withBodies) {
    const { example, body: declared, operationId = '' } = method
    const schema = ofNewest(declared?.schema ?? {})
    const query = operationId === 'Query' ? 'fields=name' : (example?.query ?? '')
    const differing: string[] = []
    let [taken, refused] = [0, 0]
    for (let count = 0; count < BODIES; count++) {
      const body = schemaValue(random, schema, random.pick([0, 0.01, 0.1]))
      const verdict = await takes(method, body, query)
      if (verdict) taken++
      else refused++
      if (matches(schema, body) === verdict) continue
      const allowance = ALLOWANCES.find(
        (one) => verdict && one.operations.test(operationId) && one.body(body),
      )
      const filters = FILTERS[operationId] ?? []
      if (!verdict && isJsonObject(body) && filters.some((key) => body[key])) continue
      if (allowance) applied.add(allowance)
      else differing.push(`${verdict ? 'taken' : 'refused'}: ${stringifyJson(body)}`)
    }
    t.strictSame(differing, [], `${name} ${path}: ${taken} taken, ${refused} refused`)
    t.ok(taken > 0, `${name} ${path} takes some`)
  }
  for (const allowance of ALLOWANCES) t.ok(applied.has(allowance), `still taken: ${allowance.reason}`)
})
