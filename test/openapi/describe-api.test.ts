import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { createApp } from '../../lib/http/app.ts'
import type { RequestHeaders } from '../../lib/http/message.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts'
import type { Schema } from '../../lib/model/check.ts'
import { Components } from '../../lib/openapi/components.ts'
import { describeApi } from '../../lib/openapi/describe-api.ts'
import { live, resource } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { layOut } from '../../man/json-layout.ts'
import { needing } from '../support/needing.ts'
import { schemaValidator, withoutBigints } from '../support/schema.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const committed = `${root}man/openapi.json`
const document = (await describeApi(resources)) as { readonly [key: string]: JsonObject }

/** The operations by `GET /path`. */
const operations = new Map(
  Object.entries(document.paths as { readonly [path: string]: JsonObject }).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([name]) => name !== 'parameters')
      .map(([name, operation]) => [`${name.toUpperCase()} ${path}`, operation as JsonObject] as const),
  ),
)

t.test('the description is what the table makes (else: npm run docs)', async (t) => {
  t.equal(`${layOut(document, 110)}\n`, readFileSync(committed, 'utf8'))
  const { stdout } = spawnSync(process.execPath, [`${root}man/make-openapi.js`, '--print'], {
    encoding: 'utf8',
  })
  t.equal(stdout, readFileSync(committed, 'utf8'))
})

t.test('it is valid OpenAPI', async (t) => {
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  t.ok(valid, JSON.stringify(errors))
})

t.test('it keeps the recommended rules of a linter', async (t) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}node_modules/@redocly/cli/bin/cli.js`, 'lint', '--extends=recommended-strict', committed],
    {
      encoding: 'utf8',
      cwd: t.testdir(),
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  )
  t.equal(status, 0, stdout + stderr)
})

t.test('every method of every path is described, and what it refers to is there', async (t) => {
  t.strictSame(
    [...operations.keys()].sort(),
    resources.flatMap(({ path, methods }) => Object.keys(methods).map((name) => `${name} ${path}`)).sort(),
  )
  const references: string[] = []
  const walk = (value: Json) => {
    if (Array.isArray(value)) value.forEach(walk)
    if (!isJsonObject(value)) return
    if (typeof value.$ref === 'string') references.push(value.$ref)
    Object.values(value).forEach(walk)
  }
  walk(document)
  t.ok(references.length > 500)
  for (const reference of new Set(references)) {
    const found = reference
      .slice(2)
      .split('/')
      .reduce<Json | undefined>((part, key) => (isJsonObject(part) ? part[key] : undefined), document)
    t.ok(found, reference)
  }
})

t.test('an operation says who may call it, what it submits and how it may fail', async (t) => {
  const { security, responses, tags, ...create } = operations.get('POST /2/instances') ?? {}
  t.strictSame(security, [{ basic: [] }])
  t.strictSame(tags, ['Instances'])
  t.strictSame(create['x-ganeti-opcodes'], ['OP_INSTANCE_CREATE'])
  t.equal(create['x-ganeti-permission'], 'instances.create')
  t.strictSame(create['x-ganeti-access'], ['write'])
  t.strictSame(Object.keys(responses as JsonObject), [
    ...['200', '400', '401', '403', '413', '415', '500', '501', '502', '503', '504'],
  ])
  const list = operations.get('GET /2/instances') ?? {}
  t.strictSame(list.security, [{}, { basic: [] }])
  t.ok((list.responses as JsonObject)['304'])
  t.notOk((list.responses as JsonObject)['403'])
  for (const [name, { description }] of operations) {
    const needed = /Needs `|Open to everyone/
    t.match(description, needed, name)
  }
  t.match(operations.get('PUT /2/networks/{network_name}/rename')?.description, /Since Ganeti 3\.1\./)
})

t.test('every answer has an example that fits its schema', async (t) => {
  const validator = schemaValidator()
  validator.addVocabulary(['components'])
  const components = withoutBigints(document.components ?? null)
  for (const [name, { responses }] of operations) {
    const { content } = (responses as never as { readonly 200: { readonly content: Content } })[200]
    // What goes on is not one value.
    if ('text/event-stream' in content) continue
    const { schema, example } = content['application/json']
    // The description is its own example.
    if (name.endsWith('/openapi.json')) continue
    if (!t.ok(example !== undefined, name)) continue
    const validate = validator.compile({ ...schema, components })
    t.ok(validate(withoutBigints(example ?? null)), `${name}: ${validator.errorsText(validate.errors)}`)
  }
})

interface Content {
  readonly 'application/json': { readonly schema: Schema; readonly example?: Json }
}

t.test('every path has a tag that is described', async (t) => {
  const described = (document.tags as unknown as readonly { readonly name: string }[]).map(({ name }) => name)
  const used = new Set<Json>()
  for (const [name, { tags = [] }] of operations) {
    t.equal((tags as readonly Json[]).length, 1, name)
    used.add((tags as readonly Json[])[0] ?? null)
  }
  t.strictSame([...used].sort(), [...described].sort())
})

t.test('mistakes in the table are no silent gaps in the description', async (t) => {
  const nameless = resource('/x', 'X.', { GET: live(needing([]), 'Gives.', async () => null) })
  await t.rejects(describeApi([nameless]), /GET \/x has no name/)
  const unheard = resource('/{unheard_of}', 'X.', {
    GET: live(needing([]), 'Gives.', async () => null, { operationId: 'X' }),
  })
  await t.rejects(describeApi([unheard]), /\{unheard_of\} is not described/)
})

t.test('schemas with a title stand in one place', async (t) => {
  const components = new Components()
  const named = { title: 'Thing', type: 'object', properties: { title: { type: 'string' } } }
  const used = components.refer({ anyOf: [named, { type: 'array', items: named }] })
  const reference = { $ref: '#/components/schemas/Thing' }
  t.strictSame(used, { anyOf: [reference, { type: 'array', items: reference }] })
  t.strictSame(components.schemas(), { Thing: { type: 'object', properties: { title: { type: 'string' } } } })
  t.throws(() => components.refer({ title: 'Thing', type: 'string' }), /Two schemas Thing/)
})

t.test('it is served to everybody, without asking the cluster, and not sent twice', async (t) => {
  const app = createApp({
    resources,
    backend: () => ({ generation: null }) as Backend,
    authorizer: {
      requireAuthentication: false,
      authorizeNow: () => ({ kind: 'granted' }),
      authorize: async () => ({ kind: 'granted' }),
      within: () => [],
    },
  })
  const get = async (target: string, headers: RequestHeaders) =>
    app({
      method: 'GET',
      target,
      headers,
      id: 'test-1',
      peer: '192.0.2.1:40000',
      network: '192.0.2.1',
      bodyLength: 0,
      readBody: async () => Buffer.alloc(0),
      signal: new AbortController().signal,
      lost: new AbortController().signal,
    })
  for (const target of ['/openapi.json', '/2/openapi.json']) {
    const { status, headers, body } = await get(target, {})
    t.equal(status, 200)
    t.equal(stringifyJson(parseJson(body.toString())), stringifyJson(document))
    const tag = headers[headers.indexOf('ETag') + 1] ?? ''
    t.equal((await get(target, { 'if-none-match': tag })).status, 304)
    const zipped = await get(target, { 'accept-encoding': 'gzip' })
    t.equal(gunzipSync(zipped.body).toString(), body.toString())
  }
})
