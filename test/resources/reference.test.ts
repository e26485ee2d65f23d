import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { Failure } from '../../lib/failure.ts'
import type { Json } from '../../lib/json/json.ts'
import {
  anything,
  boolean,
  dictOf,
  either,
  integer,
  ipv6Network,
  lessThan,
  list,
  listOf,
  maybe,
  nonNegativeInt,
  number,
  oneOf,
  positiveInt,
  type Schema,
  string,
  tupleOf,
} from '../../lib/model/check.ts'
import { COMMON } from '../../lib/model/opcode.ts'
import { type Call, live, open, resource } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { reference } from '../../man/reference.ts'
import { typeText } from '../../man/type-text.ts'
import { needing } from '../support/needing.ts'
import { parseConfig } from '../support/read-cluster.ts'

const inMan = (name: string) => fileURLToPath(new URL(`../../../man/${name}`, import.meta.url))
const page = readFileSync(inMan('ganeti-rapi-reference.md'), 'utf8')

const config = parseConfig('cluster: {name: c}\nnodes: {n: {primary_ip: 192.0.2.1}}\n', { name: 'c.yaml' })
const sample = { backend: configFileBackend(() => config), names: { thing: 'this' } }

/** How the reference shows an answer. */
async function shown(answer: Json): Promise<string> {
  const text = await reference([resource('/x', '', { GET: open('os.list', '', async () => answer) })], sample)
  return text.slice(text.indexOf('```\n') + 4, text.lastIndexOf('\n```'))
}

t.test('the reference is what the table and the sample cluster make (else: npm run docs)', async (t) => {
  const { stdout } = spawnSync(process.execPath, [inMan('make-reference.js'), '--print'], {
    encoding: 'utf8',
  })
  t.equal(stdout, page)
})

t.test('the reference has every path, method and parameter of the table', async (t) => {
  const sections = new Map(
    page
      .split('\n## ')
      .filter((text) => text.startsWith('`'))
      .map((text) => [text.slice(1, text.indexOf('`', 1)), text]),
  )
  t.equal(sections.size, resources.length)
  for (const { path, methods } of resources) {
    for (const [name, { doc, access, parameters, body, example }] of Object.entries(methods)) {
      const [, section = ''] = sections.get(path)?.split(`### ${name}\n`) ?? []
      t.ok(section.includes(doc), `${name} ${path}: ${doc}`)
      for (const right of access)
        t.match(section, new RegExp(`Needs .*\`${right}\``), `${name} ${path}: ${right}`)
      for (const parameter of parameters) {
        t.ok(
          section.includes(
            `| \`${parameter.name}\` | ${parameter.doc}${parameter.required ? ' Required.' : ''} |`,
          ),
          `${name} ${path}: ${parameter.name}`,
        )
      }
      for (const property of Object.keys(body?.schema.properties ?? {})) {
        const row = new RegExp(`^\\| \`${property}\` \\| .+ \\| .*[A-Z].*\\. \\|$`, 'm')
        t.match(property in COMMON ? page : section, row, `${name} ${path}: ${property} in the body`)
      }
      if (example) t.match(section, /^ {4}curl --cacert [^`]* '?https:/m, `${name} ${path}: a request`)
    }
  }
})

t.test('what has an example, or is a GET, is shown as one would type it', async (t) => {
  const handle = async ({ body }: Call) => body ?? 'answered'
  const refused = async () => {
    throw new Failure('unavailable', 'no')
  }
  const long = { said: "it's".padEnd(80, '.') }
  const table = [
    resource('/a/{thing}', 'A.', {
      GET: open('os.list', 'Gets.', handle),
      POST: live(needing(['write']), 'Posts.', handle),
    }),
    resource('/b/{unheard_of}', 'B.', { GET: open('os.list', 'Gets.', handle) }),
    resource('/c', 'C.', { GET: open('os.list', 'Gets.', refused) }),
    resource('/d', 'D.', {
      PUT: live(needing(['write', 'read']), 'Puts.', handle, { example: { query: 'a=b', body: [1] } }),
      POST: live(needing([]), 'Posts.', handle, { example: { body: long } }),
    }),
  ]
  const text = await reference(table, sample)
  const url = 'https://localhost:5080'
  t.same(text.match(/^ {4}.*$/gm), [
    `    curl --cacert certs/rapi.pem ${url}/a/this`,
    `    curl --cacert certs/rapi.pem -u rclient:secret -X PUT --json '[1]' '${url}/d?a=b'`,
    "    curl --cacert certs/rapi.pem -X POST --json '{",
    `      "said": "${long.said.replace("'", "'\\''")}"`,
    `    }' ${url}/d`,
  ])
  t.same(text.match(/^"answered"$/gm)?.length, 1)
  t.match(text, /^\| `\/a\/\{thing\}` \| GET, POST \| A\. \|$/m)
  t.match(text, /^Puts\. Needs `write` or `read` \(permission `os.list`\)\.$/m)
})

t.test('what a body may hold is told in words', async (t) => {
  const cases: [schema: Schema, text: string][] = [
    [string.schema, 'string'],
    [maybe(listOf(string)).schema, 'list: string'],
    [list.schema, 'list'],
    [anything.schema, 'anything'],
    [oneOf('a', 1).schema, '`"a"` or `1`'],
    [either(maybe(number), oneOf('a'), string).schema, 'number, `"a"` or string'],
    [lessThan(16, nonNegativeInt).schema, 'integer, 0 to 15'],
    [positiveInt.schema, 'integer from 1'],
    [maybe(integer).schema, 'integer'],
    [tupleOf(integer, boolean).schema, '`[…]` of integer, boolean'],
    [dictOf(string, integer).schema, 'object'],
    [ipv6Network.schema, 'IPv6 network'],
    [{ const: 1 }, '`1`'],
  ]
  for (const [schema, text] of cases) t.equal(typeText(schema), text)
})

t.test('a fault of ours while an example is made is not passed over', async (t) => {
  const broken = async () => {
    throw new TypeError('oops')
  }
  await t.rejects(reference([resource('/x', '', { GET: open('os.list', '', broken) })], sample), {
    message: 'oops',
  })
})

t.test('an answer is shown whole in a line where it fits, else abridged', async (t) => {
  const long = 'x'.repeat(50)
  const cases: [answer: Json, shown: string][] = [
    [2, '2'],
    [null, 'null'],
    [[], '[]'],
    [{ a: [1, { b: 'c' }] }, '{"a": [1, {"b": "c"}]}'],
    [[long, long], `[\n  "${long}",\n  "${long}"\n]`],
    [[long, long, long], `[\n  "${long}",\n  "${long}",\n  …\n]`],
    [
      { a: long, b: long, c: 1, d: 2, e: 3 },
      `{\n  "a": "${long}",\n  "b": "${long}",\n  "c": 1,\n  "d": 2,\n  "e": 3\n}`,
    ],
    [
      { a: { b: long, c: 1, d: 2, e: 3, f: 4, g: long }, h: long },
      `{\n  "a": {"b": "${long}", "c": 1, "d": 2, "e": 3, …},\n  "h": "${long}"\n}`,
    ],
    ['x'.repeat(200), `"${'x'.repeat(97)}…"`],
    [[12345678901234567890n], '[12345678901234567890]'],
  ]
  for (const [answer, expected] of cases) t.equal(await shown(answer), expected)
})
