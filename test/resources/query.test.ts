/** `/2/query` through the API, over a backend that counts what is asked of it. */
import t from 'tap'
import type { Backend, Cell, QueryResult } from '../../lib/backend/backend.ts'
import type { Json } from '../../lib/json/json.ts'
import { LazyList } from '../../lib/json/lazy-list.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { type Call, plainAnswer } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'

const one = resources.find(({ path }) => path === '/2/query/{resource}')

/** A backend with two objects, whose cells say which field they are of. */
function counting() {
  const asked: (readonly string[])[] = []
  let cells = 0
  const query = async (_what: string, fields: readonly string[]): Promise<QueryResult> => {
    asked.push(fields)
    const data = new LazyList(2, (row) =>
      fields.map((field): Cell => {
        cells++
        return [0, `${field} of ${row}`]
      }),
    )
    return { fields: fields.map((name) => ({ name, title: name, kind: 'text', doc: '' })), data }
  }
  return { asked, backend: { query } as Partial<Backend> as Backend, cells: () => cells }
}

async function ask(method: 'GET' | 'PUT', backend: Backend, query: string, body?: Json): Promise<Json> {
  const { signal } = new AbortController()
  const call: Call = {
    params: { resource: 'instance' },
    query: new QueryString(query),
    body,
    user: undefined,
    backend,
    patience: 0,
    signal,
  }
  const answer = await one?.methods[method]?.handle(call)
  return plainAnswer(answer ?? null)
}

t.test('a field that is asked for many times is in the answer so often, and costs once', async (t) => {
  for (const [method, query, body] of [
    ['GET', 'fields=name,os,name', undefined],
    ['PUT', '', { fields: ['name', 'os', 'name'] }],
  ] as const) {
    const { asked, backend, cells } = counting()
    const answer = (await ask(method, backend, query, body)) as { fields: { name: string }[]; data: Json }
    t.strictSame(asked, [['name', 'os']])
    t.strictSame(
      answer.fields.map(({ name }) => name),
      ['name', 'os', 'name'],
    )
    t.strictSame(answer.data, [
      [
        [0, 'name of 0'],
        [0, 'os of 0'],
        [0, 'name of 0'],
      ],
      [
        [0, 'name of 1'],
        [0, 'os of 1'],
        [0, 'name of 1'],
      ],
    ])
    t.equal(cells(), 4)
  }
})

t.test('more than a thousand fields are refused before anything is asked', async (t) => {
  const { asked, backend } = counting()
  const fields = Array.from({ length: 1001 }, () => 'name')
  await t.rejects(ask('PUT', backend, '', { fields }), { code: 'invalid', message: 'More than 1000 fields' })
  t.strictSame(asked, [])
  await ask('PUT', backend, '', { fields: fields.slice(1) })
  t.strictSame(asked, [['name']])
})

t.test('a query for one object by its name does not wait for large answers', async (t) => {
  const large = (body?: Json) => one?.methods.PUT?.large?.(new QueryString(''), body)
  for (const op of ['=', '==']) {
    t.equal(large({ fields: ['name'], qfilter: [op, 'name', 'web'] }), false)
    t.equal(large({ filter: [op, 'name', 'web'] }), false)
  }
  for (const qfilter of [
    null,
    ['=', 'status', 'running'],
    ['!=', 'name', 'web'],
    ['|', ['=', 'name', 'web']],
    'name',
  ]) {
    t.equal(large({ qfilter }), true, JSON.stringify(qfilter))
  }
  t.equal(large(), true)
  t.equal(one?.methods.GET?.large?.(new QueryString(''), undefined), true)
})

t.test('answers to queries are bounded, as only those can be multiplied', async (t) => {
  for (const { path, methods } of resources) {
    for (const [name, { answerLimit }] of Object.entries(methods)) {
      const expected = path === '/2/query/{resource}' ? 64 * 1024 * 1024 : undefined
      t.equal(answerLimit, expected, `${name} ${path}`)
    }
  }
})
