import { readFileSync } from 'node:fs'
import t from 'tap'
import { resources } from '../../lib/resources/table.ts'

/** Ganeti 3.0's own table, measured: path, method, rights. */
const original: { path: string; method: string; access: string[] }[] = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/resources-3.0.json', import.meta.url), 'utf8'),
)

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

t.test('every method but GET wants a right', async (t) => {
  for (const { path, name, method } of methods) {
    if (name !== 'GET') t.ok(method.access.length > 0, `${name} ${path}`)
  }
})

t.test('only answers from cluster state are kept', async (t) => {
  for (const { path, name, method } of methods) {
    if (method.stateOnly) t.equal(name, 'GET', path)
    if (path.startsWith('/2/jobs')) t.notOk(method.stateOnly, path)
  }
})

t.test("every GET of Ganeti's is here, for the same rights", async (t) => {
  for (const { path, access } of original.filter(({ method }) => method === 'GET')) {
    const ours = methods.find((method) => method.path === path && method.name === 'GET')
    t.strictSame(ours && [...ours.method.access].sort(), [...access].sort(), path)
  }
})

t.test('GET / lists every path of one segment, sorted by name', async (t) => {
  const root = methods.find(({ path }) => path === '/')
  t.strictSame(
    await root?.method.handle({} as never),
    ['2', 'info', 'instances', 'nodes', 'os', 'tags', 'version'].map((name) => ({ name, uri: `/${name}` })),
  )
})
