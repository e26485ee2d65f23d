import t from 'tap'
import type { Selector } from '../../../lib/auth/selectors.ts'
import type { Backend } from '../../../lib/backend/backend.ts'
import { fittingValues } from '../../../lib/backend/scoped/fitting-values.ts'
import { filterOf } from '../../../lib/backend/scoped/things.ts'

const tag: Selector = { kind: 'tag', value: 'team:w*' }
const name: Selector = { kind: 'instance', value: 'web*' }
const exact: Selector = { kind: 'tag', value: 'team:web' }

/** A backend of some instances, which notes the fields that it is asked for. */
function backendOf(generation: number | null, names: readonly string[]) {
  const asked: string[] = []
  const backend = {
    generation,
    query: async (_what: string, fields: readonly string[]) => {
      asked.push(fields.join())
      const values = (one: string) => ({ name: one, tags: [`team:${one.split('.')[0]}`, 'other'] })
      const data = names.map((one) =>
        fields.map((field) => [0, values(one)[field as 'name' | 'tags']] as const),
      )
      return { fields: [], data }
    },
  }
  return { backend: backend as unknown as Backend & { generation: number | null }, asked }
}

t.test('what fits selectors with a star is found once for a state', async (t) => {
  const { backend, asked } = backendOf(1, ['web1.example.com', 'web2.example.com', 'db.example.com'])
  const [one, again] = await Promise.all([
    fittingValues(backend, 'instance', [tag, name, exact]),
    fittingValues(backend, 'instance', [tag, name]),
  ])
  t.strictSame(asked, ['tags,name'])
  t.strictSame([...one], [...again])
  t.strictSame(one.get(name), ['web1.example.com', 'web2.example.com'])
  t.strictSame(one.get(tag), ['team:web1', 'team:web2'])
  t.equal(one.has(exact), false)
  t.strictSame(filterOf([[name, exact]], 'instance', one), [
    '&',
    ['|', ['=', 'name', 'web1.example.com'], ['=', 'name', 'web2.example.com'], ['=[]', 'tags', 'team:web']],
  ])
  backend.generation = 2
  await fittingValues(backend, 'instance', [name])
  t.strictSame(asked, ['tags,name', 'name'], 'and again for another state')
})

t.test('of a state that may change at any time only tags are found, and not remembered', async (t) => {
  const { backend, asked } = backendOf(null, ['web1.example.com'])
  await fittingValues(backend, 'instance', [name, exact])
  t.strictSame(asked, [])
  for (let times = 0; times < 2; times++) {
    const found = await fittingValues(backend, 'instance', [tag, name])
    t.strictSame([...found], [[tag, ['team:web1']]])
  }
  t.strictSame(asked, ['tags', 'tags'])
  t.strictSame(filterOf([[name]], 'instance', new Map()), ['&', ['|', ['=~', 'name', '^web.*(\\..*)?$']]])
})

t.test('names that are very many are not looked up one by one', async (t) => {
  const names = Array.from({ length: 1001 }, (_, n) => `web${n}.example.com`)
  const { backend } = backendOf(1, names)
  t.equal((await fittingValues(backend, 'instance', [name])).get(name), undefined)
  t.equal(
    (await fittingValues(backendOf(1, names.slice(1)).backend, 'instance', [name])).get(name)?.length,
    1000,
  )
})

t.test('a failure is not remembered', async (t) => {
  const { backend, asked } = backendOf(1, ['web1.example.com'])
  const { query } = backend
  backend.query = async () => {
    throw new Error('away')
  }
  await t.rejects(fittingValues(backend, 'instance', [name]), { message: 'away' })
  backend.query = query
  t.strictSame((await fittingValues(backend, 'instance', [name])).get(name), ['web1.example.com'])
  t.strictSame(asked, ['name'])
})
