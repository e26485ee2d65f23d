import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import type { MethodName } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'

/** A job filter of one rule, with the UUID `known`. */
function filter() {
  const changes: unknown[] = []
  const backend = {
    queryFilters: async ([uuid]: readonly string[]) => {
      // All of them in natural order, in which 77 comes before 134.
      if (uuid === undefined) return [['77e6'], ['134a']]
      if (uuid !== 'known') throw new Failure('not-found', `Filter rule UUID ${uuid} not found`)
      return [[uuid]]
    },
    replaceFilter: async (uuid: string | null) => {
      changes.push(['replace', uuid])
      return uuid ?? 'new'
    },
    deleteFilter: async (uuid: string) => {
      changes.push(['delete', uuid])
    },
  } as unknown as Backend
  const ask = async (method: MethodName, filter_uuid: string, query: string, body?: Json) => {
    const path = filter_uuid === '' ? '/2/filters' : '/2/filters/{filter_uuid}'
    return resources
      .find((resource) => resource.path === path)
      ?.methods[method]?.handle({
        params: { filter_uuid },
        query: new QueryString(query),
        body,
        user: 'writer',
        patience: 0,
        backend,
        signal: new AbortController().signal,
      })
  }
  return { changes, ask }
}

t.test('removing a rule with dry-run=1 looks whether it is there', async (t) => {
  const { changes, ask } = filter()
  t.equal(await ask('DELETE', 'known', 'dry-run=1'), null)
  await t.rejects(ask('DELETE', 'unknown', 'dry-run=1'), { code: 'not-found' })
  t.strictSame(changes, [])
  t.equal(await ask('DELETE', 'known', 'dry-run=0'), null)
  t.strictSame(changes, [['delete', 'known']])
})

t.test('a rule cannot be tried', async (t) => {
  const { changes, ask } = filter()
  const refused = { code: 'invalid', message: /there is no 'dry-run' of this/ }
  await t.rejects(ask('PUT', 'known', 'dry-run=1', {}), refused)
  await t.rejects(ask('POST', '', 'dry-run=1', {}), refused)
  t.strictSame(changes, [])
  t.equal(await ask('POST', '', '', {}), 'new')
})

t.test('rules are listed in the order of their UUIDs as text', async (t) => {
  const { ask } = filter()
  t.strictSame(await ask('GET', '', ''), [
    { uuid: '134a', uri: '/2/filters/134a' },
    { uuid: '77e6', uri: '/2/filters/77e6' },
  ])
})

t.test('a reason is who, why and when', async (t) => {
  const { changes, ask } = filter()
  for (const reason of [
    [],
    [['me', 'why', 1]],
    [
      ['', '', -1.5],
      ['me', 'why', 2n ** 70n],
    ],
  ]) {
    t.equal(await ask('POST', '', '', { reason }), 'new')
    t.equal(await ask('PUT', 'known', '', { reason }), 'known')
  }
  changes.length = 0
  const wrong: readonly Json[] = [
    ['a', 'b', 1],
    [['a', 'b']],
    [['a', 'b', 'c']],
    [['a', 'b', 1, 2]],
    [['a', null, 1]],
    [[1, 'b', 1]],
    [['a', 'b', true]],
    [{}],
    [null],
  ]
  for (const reason of wrong) {
    const refused = { code: 'invalid', message: "'reason' parameter: not what a filter rule can have" }
    await t.rejects(ask('POST', '', '', { reason }), refused, JSON.stringify(reason))
    await t.rejects(ask('PUT', 'known', '', { reason }), refused, JSON.stringify(reason))
  }
  t.strictSame(changes, [])
})

t.test('a predicate may be about every job', async (t) => {
  const { ask } = filter()
  t.equal(await ask('POST', '', '', { predicates: [['jobid', null]] }), 'new')
})
