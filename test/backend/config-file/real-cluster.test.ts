/**
 * The answers of a real Ganeti 3.0.2 beside ours, from its own config.data.
 *
 * `answers.json` holds what its remote API answered (without the documentation
 * of fields), by path. The nodes were up, so they are given here as live, with
 * the values they reported.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Cell, FieldDefinition, QueryResource } from '../../../lib/backend/backend.ts'
import { configFileBackend } from '../../../lib/backend/config-file/config-file-backend.ts'
import { Failure } from '../../../lib/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../../lib/json/json.ts'
import type { NodeLive } from '../../../lib/model/node.ts'
import { readConfigFile } from '../../support/read-cluster.ts'

const fixtures = new URL('../../../../test/fixtures/real-cluster/', import.meta.url)
const answers = parseJson(readFileSync(new URL('answers.json', fixtures), 'utf8')) as unknown as {
  [path: string]: { status: number; body: Json }
}

/** Values that differ, by path of the answer and place in it, each with its reason. */
const DIFFERENCES: readonly { readonly place: RegExp; readonly reason: string }[] = [
  {
    place: /^\/2\/(nodes|query\/node)\b.* (dfree|mfree|mnode)$/,
    reason: 'free space and memory moved between the captures',
  },
  {
    place: /^\/2\/(instances|query\/instance)\b.*\binst(6|7|9)\.example\.com\b.* (status|oper_\w+)( \d)?$/,
    reason: 'did not run as it should, which no file tells',
  },
  {
    place: /^\/2\/instances\/inst(6|7|9)\.example\.com\/console/,
    reason: 'did not run as it should, which no file tells',
  },
  { place: /^\/2\/(info mtime|(info )?tags 4)$/, reason: 'a tag was added after the captures' },
  { place: /^\/2\/info vcs_version$/, reason: "names the revision of Debian's package" },
]

/** Answers of the original that are defects: what ours is instead. */
const DEFECTS: readonly {
  readonly answer: RegExp
  readonly ours: string | RegExp
  readonly reason: string
}[] = [
  {
    answer: /^\/2\/(nodes|instances|groups|networks)\/nosuch[^/]*\/(tags|role|console)$/,
    ours: 'not-found',
    reason: 'unknown name: 500 there',
  },
  {
    answer: /^\/2\/query\/(os|cluster|extstorage)\b/,
    ours: 'answered',
    reason: 'cannot be queried there (500, 502)',
  },
  { answer: /^\/2\/query\/bogus\b/, ours: 'invalid', reason: 'unknown resource: 502 there' },
]

const config = await readConfigFile(new URL('config.data', fixtures).pathname)
const liveConfig = { ...config, live: liveNodes() }
const backend = configFileBackend(() => liveConfig)

t.test('every answer of the real cluster is ours too, apart from the listed differences', async (t) => {
  let values = 0
  let different = 0
  let equalAnswers = 0
  const applied = new Set<unknown>()
  const paths = Object.keys(answers).filter(
    (path) => answers[path]?.status === 200 || path.endsWith('/console'),
  )
  for (const path of paths.filter((path) => !DEFECTS.some(({ answer }) => answer.test(path)))) {
    const { body, status } = answers[path] as { status: number; body: Json }
    const ours = await answer(path, body)
    const differing: string[] = []
    values += compare(named(status === 503 ? null : body), named(ours), '', differing)
    different += differing.length
    if (differing.length === 0) equalAnswers++
    for (const place of differing) {
      const difference = DIFFERENCES.find((one) => one.place.test(`${path} ${place}`))
      t.ok(difference, `${path}: ${place} is equal or a listed difference`)
      applied.add(difference)
    }
  }
  t.comment(
    `${values - different} of ${values} values are equal, ${equalAnswers} of ${paths.length} answers wholly`,
  )
  for (const difference of DIFFERENCES) {
    t.ok(applied.has(difference), `still different: ${difference.place} (${difference.reason})`)
  }
  t.ok(values > 5000, 'there was something to compare')
})

t.test('what is unknown there is unknown here', async (t) => {
  for (const [path, { status }] of Object.entries(answers)) {
    if (status !== 404) continue
    const example = path.startsWith('/2/filters/') ? { uuid: '' } : { name: '' }
    await t.rejects(answer(path, example), { code: 'not-found' }, path)
  }
})

t.test('defects of the original are not ours', async (t) => {
  for (const [path, { body }] of Object.entries(answers)) {
    const defect = DEFECTS.find(({ answer }) => answer.test(path))
    if (defect) t.equal(await outcome(answer(path, body)), defect.ours, `${path}: ${defect.reason}`)
  }
})

async function outcome(answering: Promise<unknown>): Promise<string> {
  try {
    await answering
    return 'answered'
  } catch (error) {
    return error instanceof Failure ? error.code : String(error)
  }
}

/** What we answer at a path, in the shape of the remote API, made from the backend's answers. */
async function answer(path: string, theirs: Json): Promise<Json> {
  const [, , collection = '', name = '', part = ''] = path.replace(/\?.*/, '').split('/')
  const query = new URLSearchParams(path.replace(/^[^?]*\??/, ''))
  switch (collection) {
    case 'info': {
      const info = await backend.queryClusterInfo()
      return {
        ...info,
        vg_name: info.volume_group_name ?? null,
        drbd_helper: info.drbd_usermode_helper ?? null,
      }
    }
    case 'tags':
      return backend.queryTags('cluster', '')
    case 'query': {
      const fields = query
        .get('fields')
        ?.split(',')
        .map((field) => field.trim())
      const what = name as QueryResource
      if (part === 'fields') return { fields: withoutDoc(await backend.queryFields(what, fields ?? null)) }
      const { data, fields: definitions } = await backend.query(what, fields ?? [], null)
      return { data: [...data], fields: withoutDoc(definitions) }
    }
    case 'filters':
      return filterRules(name, theirs)
    default:
      return objects(collection, name, part, theirs)
  }
}

const KINDS = {
  instances: { query: backend.queryInstances, tags: 'instance', id: 'id' },
  nodes: { query: backend.queryNodes, tags: 'node', id: 'id' },
  groups: { query: backend.queryGroups, tags: 'nodegroup', id: 'name' },
  networks: { query: backend.queryNetworks, tags: 'network', id: 'name' },
} as const

async function objects(collection: string, name: string, part: string, theirs: Json): Promise<Json> {
  const kind = KINDS[collection as keyof typeof KINDS]
  const names = name === '' ? [] : [name]
  if (part === 'tags') return backend.queryTags(kind.tags, name)
  if (part === 'role') {
    const [row] = await kind.query(names, ['role'])
    return { M: 'master', C: 'master-candidate' }[String(row?.[0])] ?? null
  }
  if (part === 'console') {
    const [row] = await kind.query(names, ['console', 'oper_state'])
    return row?.[1] ? (row[0] ?? null) : null
  }
  const example = (Array.isArray(theirs) ? theirs[0] : theirs) as JsonObject
  if ('uri' in example) {
    const rows = await kind.query(names, ['name'])
    const ids = rows.map(([id]) => String(id)).sort()
    return ids.map((id) => ({ [kind.id]: id, uri: `/2/${collection}/${id}` }))
  }
  const fields = Object.keys(example).filter((field) => field !== 'secondary_ip')
  const rows = (await kind.query(names, fields)).map((row) => withAliases(asObject(fields, row), example))
  return name === '' ? rows : (rows[0] ?? null)
}

function asObject(fields: readonly string[], row: readonly Json[]): JsonObject {
  return Object.fromEntries(fields.map((field, i): [string, Json] => [field, row[i] ?? null]))
}

/** Adds what the remote API itself adds to an object. */
function withAliases(object: JsonObject, example: JsonObject): JsonObject {
  const { beparams, sip = null } = object
  if (isJsonObject(beparams)) return { ...object, beparams: { ...beparams, memory: beparams.maxmem ?? null } }
  return 'secondary_ip' in example ? { ...object, secondary_ip: sip } : object
}

async function filterRules(uuid: string, theirs: Json): Promise<Json> {
  const example = (Array.isArray(theirs) ? theirs[0] : theirs) as JsonObject
  const fields = 'uri' in example ? ['uuid'] : Object.keys(example)
  const rows = await backend.queryFilters(uuid === '' ? [] : [uuid], fields)
  const rules = rows.map((row) => asObject(fields, row))
  if ('uri' in example) return rules.map((rule) => ({ ...rule, uri: `/2/filters/${rule.uuid}` }))
  return uuid === '' ? rules : (rules[0] ?? null)
}

function withoutDoc(definitions: readonly object[]): Json {
  return definitions.map(({ doc, ...rest }: { doc?: string }) => rest) as Json
}

/** Makes an answer tell its rows and columns by name rather than by number, so that places in it can be told. */
function named(answer: Json): Json {
  if (isJsonObject(answer) && Array.isArray(answer.data) && Array.isArray(answer.fields)) {
    const fields = answer.fields.map((field: JsonObject) => String(field.name))
    const rows = answer.data.map((cells: readonly Json[]) => asObject(fields, cells))
    return {
      fields: answer.fields,
      data: byName(rows, ({ name }) => (Array.isArray(name) ? name[1] : undefined)),
    }
  }
  return Array.isArray(answer) && isJsonObject(answer[0]) ? byName(answer, ({ name }) => name) : answer
}

function byName(rows: readonly JsonObject[], nameOf: (row: JsonObject) => Json | undefined): Json {
  const names = rows.map((row, i) => String(nameOf(row) ?? i))
  return { order: names, ...asObject(names, rows) }
}

/** Collects the places of values that differ; gives how many values there are. */
function compare(
  theirs: Json | undefined,
  ours: Json | undefined,
  place: string,
  differing: string[],
): number {
  if (typeof theirs !== 'object' || typeof ours !== 'object' || theirs === null || ours === null) {
    if (!isDeepStrictEqual(theirs, ours)) differing.push(place)
    return 1
  }
  let values = 1
  if (Array.isArray(theirs) !== Array.isArray(ours)) differing.push(place)
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const inside = place === '' ? key : `${place} ${key}`
    values += compare((theirs as JsonObject)[key], (ours as JsonObject)[key], inside, differing)
  }
  return values
}

/** What the nodes reported, from the answers themselves. */
function liveNodes(): ReadonlyMap<string, NodeLive> {
  const path = Object.keys(answers).find((path) => path.startsWith('/2/query/node?fields=bootid'))
  const { data, fields } = (answers[path ?? ''] as { body: Json }).body as unknown as {
    data: Cell[][]
    fields: FieldDefinition[]
  }
  const reported = data.map((cells) => {
    const values = Object.fromEntries(cells.map(([, value], i) => [fields[i]?.name, value]))
    return { ...values, sptotal: 0, spfree: 0 } as unknown as NodeLive & { name: string }
  })
  return new Map(reported.map((live) => [config.nodes.byName.get(live.name)?.uuid ?? '', live]))
}
