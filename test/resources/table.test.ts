import { readFileSync } from 'node:fs'
import t from 'tap'
import type { JsonObject } from '../../lib/json/json.ts'
import { NEWEST } from '../../lib/model/version.ts'
import { namesIn, PATH_NAMES } from '../../lib/resources/path-names.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { type Call, dependenceOf, type Method } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'

/** Ganeti 3.0's own table, measured: path, method, rights, opcode, older names of its parameters. */
const original: {
  readonly path: string
  readonly method: string
  readonly access: readonly string[]
  readonly opcode?: string
  readonly rename?: { readonly [older: string]: string }
  readonly forbidden?: readonly string[]
}[] = JSON.parse(readFileSync(new URL('../../../test/fixtures/resources-3.0.json', import.meta.url), 'utf8'))

const methods = resources.flatMap(({ path, methods }) =>
  Object.entries(methods).map(([name, method]) => ({ path, name, method })),
)

t.test('a path stands in the table once', async (t) => {
  const paths = resources.map(({ path }) => path)
  t.strictSame([...new Set(paths)], paths)
})

t.test('every resource and method is documented in a sentence', async (t) => {
  for (const { path, doc } of resources) t.match(doc, /^[A-Z].*\.$/, path)
  for (const { path, name, method } of methods) {
    t.match(method.doc, /^[A-Z].*\.$/, `${name} ${path}`)
    for (const parameter of method.parameters)
      t.match(parameter.doc, /^[A-Z].*\.$/, `${path} ${parameter.name}`)
  }
})

t.test('every method has a name of its own, an example, and says what it answers with', async (t) => {
  const ids = methods.map(({ method }) => method.operationId)
  t.strictSame([...new Set(ids)], ids)
  for (const { path, name, method } of methods) {
    t.match(method.operationId, /^[A-Z][A-Za-z0-9]+$/, `${name} ${path}`)
    t.ok(method.example, `${name} ${path}`)
    t.ok(method.answer && Object.keys(method.answer).length > 0, `${name} ${path} answers`)
    if (method.body?.required) t.ok(method.example?.body !== undefined, `${name} ${path} has a body`)
    for (const { name: parameter, required } of method.parameters) {
      if (required)
        t.ok(new QueryString(method.example?.query ?? '').first(parameter), `${name} ${path} ${parameter}`)
    }
  }
})

t.test('every name in braces is described', async (t) => {
  const names = new Set(resources.flatMap(({ path }) => namesIn(path)))
  t.strictSame([...names].sort(), Object.keys(PATH_NAMES).sort())
  for (const [name, { doc, pattern, example }] of Object.entries(PATH_NAMES)) {
    t.match(doc, /^[A-Z].*\.$/, name)
    t.match(example, new RegExp(`^${pattern}$`), name)
  }
})

t.test('every method but GET wants a right', async (t) => {
  for (const { path, name, method } of methods) {
    if (name !== 'GET') t.ok(method.access.length > 0, `${name} ${path}`)
  }
})

t.test('only answers from cluster state are kept', async (t) => {
  for (const { path, name, method } of methods) {
    if (method.dependsOn !== 'more') t.equal(name, 'GET', path)
    if (path.startsWith('/2/jobs')) t.equal(method.dependsOn, 'more', path)
    if (method.ofJobFiles) t.match(path, /^\/2\/jobs/)
  }
})

t.test('queries of what belongs to the job queue depend on more than cluster state', async (t) => {
  const method = methods.find(({ path, name }) => path === '/2/query/{resource}' && name === 'GET')?.method
  for (const kind of ['instance', 'node', 'group', 'network', 'filter', 'job', 'lock']) {
    const expected = ['job', 'lock'].includes(kind) ? 'more' : 'state'
    t.equal(method && dependenceOf(method, { resource: kind }), expected, kind)
  }
})

t.test('six answers are the same for every cluster', async (t) => {
  const fixed = methods.filter(({ method }) => method.dependsOn === 'nothing')
  t.strictSame(fixed.map(({ path, name }) => `${name} ${path}`).sort(), [
    'GET /',
    'GET /2',
    'GET /2/features',
    'GET /2/openapi.json',
    'GET /openapi.json',
    'GET /version',
  ])
})

t.test('a body that no method looks at is bounded to what tells that it is no JSON', async (t) => {
  const limits = new Map<number | undefined, string[]>()
  for (const { path, name, method } of methods) {
    const known = limits.get(method.bodyLimit) ?? []
    limits.set(method.bodyLimit, [...known, `${name} ${path}`])
    if (method.access.length === 0)
      t.ok((method.bodyLimit ?? 4096) <= 4096, `${name} ${path} is for strangers`)
  }
  t.strictSame(limits.get(4096), ['GET /2/instances/{instance_name}/info'])
  t.strictSame(limits.get(1024 * 1024), [
    'POST /2/filters',
    'PUT /2/filters/{filter_uuid}',
    'GET /2/jobs/{job_id}/wait',
    'PUT /2/query/{resource}',
  ])
  const none = limits.get(undefined) ?? []
  t.strictSame(
    none.filter((line) => !line.startsWith('GET ')),
    ['DELETE /2/filters/{filter_uuid}', 'DELETE /2/jobs/{job_id}'],
  )
  const ids = limits.get(64 * 1024) ?? []
  t.ok(ids.includes('GET /2/nodes/{node_name}/storage') && ids.includes('DELETE /2/tags'))
  const jobs = limits.get(4 * 1024 * 1024) ?? []
  t.ok(jobs.includes('POST /2/instances-multi-alloc') && jobs.includes('PUT /2/modify'))
})

function find(path: string, name: string): Method | undefined {
  return methods.find((method) => method.path === path && method.name === name)?.method
}

t.test('a method names a parameter of the query string once', async (t) => {
  for (const { path, name, method } of methods) {
    const names = method.parameters.map((parameter) => parameter.name)
    t.strictSame([...new Set(names)], names, `${name} ${path}`)
  }
})

t.test("every method of Ganeti's is here, for the same rights", async (t) => {
  for (const { path, method, access } of original) {
    const ours = find(path, method)
    t.strictSame(ours && [...ours.access].sort(), [...access].sort(), `${method} ${path}`)
  }
})

t.test('what changes anything and is not in Ganeti 3.0 is in a newer one', async (t) => {
  const newer = methods.filter(
    ({ path, name }) =>
      name !== 'GET' && !original.some((theirs) => theirs.path === path && theirs.method === name),
  )
  t.strictSame(
    newer.map(({ path, name }) => `${name} ${path}`),
    ['DELETE /2/instances/{instance_name}/export', 'PUT /2/networks/{network_name}/rename'],
  )
})

/** Ganeti asks these with an opcode at heart, but answers without a job. */
const READINGS = [
  'OP_CLUSTER_QUERY',
  'OP_INSTANCE_CONSOLE',
  'OP_OS_DIAGNOSE',
  'OP_QUERY',
  'OP_QUERY_FIELDS',
  'OP_TAGS_GET',
]

t.test("a method submits the opcode that Ganeti's does", async (t) => {
  for (const { path, method, opcode } of original) {
    if (opcode !== undefined && READINGS.includes(opcode)) continue
    const submits = find(path, method)?.submits
    if (opcode === undefined) t.equal(submits, undefined, `${method} ${path}`)
    else t.ok(submits?.includes(opcode), `${method} ${path} submits ${opcode}`)
  }
})

/** Why a method refuses a body; its path says `0` wherever it has a name. */
async function refusal(path: string, name: string, body: JsonObject): Promise<unknown> {
  const params = new Proxy<Record<string, string>>({}, { get: () => '0' })
  const backend = { version: async () => NEWEST }
  const call = { params, body, query: new QueryString(''), backend, signal: {} } as unknown as Call
  try {
    return await find(path, name)?.handle(call)
  } catch (error) {
    return error
  }
}

t.test("a body has the older names that Ganeti's has, and none of them with the newer one", async (t) => {
  for (const { path, method, rename = {} } of original) {
    for (const [older, newer] of Object.entries(rename)) {
      const error = await refusal(path, method, { __version__: 1, [older]: 0, [newer]: 0 })
      const message = `Parameter '${older}' was renamed to '${newer}', but both are specified`
      t.match(error, { code: 'invalid', message }, `${method} ${path} ${older}`)
    }
  }
})

t.test("what clients of Ganeti's must not set, ours must not either", async (t) => {
  for (const { path, method, forbidden = [] } of original) {
    for (const name of forbidden) {
      const message = `The parameter ${name} cannot be set via RAPI`
      t.match(await refusal(path, method, { [name]: null }), { code: 'forbidden', message }, path)
    }
  }
})

t.test('GET / lists every path of one segment that Ganeti has, sorted by name', async (t) => {
  const root = methods.find(({ path }) => path === '/')
  t.strictSame(
    await root?.method.handle({} as never),
    ['2', 'info', 'instances', 'nodes', 'os', 'tags', 'version'].map((name) => ({ name, uri: `/${name}` })),
  )
})

t.test('what may be large says so: lists with all details, and queries', async (t) => {
  const large = (query: string) =>
    methods
      .filter(({ method }) => method.large?.(new QueryString(query), undefined))
      .map(({ path, name }) => `${name} ${path}`)
      .sort()
  const always = ['GET /2/query/{resource}', 'PUT /2/query/{resource}']
  t.strictSame(large(''), always)
  t.strictSame(
    large('bulk=1'),
    [
      'GET /2/groups',
      'GET /2/instances',
      'GET /2/jobs',
      'GET /2/networks',
      'GET /2/nodes',
      ...always,
      'GET /instances',
      'GET /nodes',
    ].sort(),
  )
})
