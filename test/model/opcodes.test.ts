/**
 * Our opcodes beside Ganeti 3.0.2's. `opcode-parameters.json` holds what its
 * own type checks said of each of a list of values: for each opcode and
 * parameter the default, and a row of ones (it will do) and zeros.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../lib/json.ts'
import { fillOpcode, type Opcode } from '../../lib/model/opcode.ts'
import * as cluster from '../../lib/model/opcodes/cluster.ts'
import * as group from '../../lib/model/opcodes/group.ts'
import * as instance from '../../lib/model/opcodes/instance.ts'
import * as network from '../../lib/model/opcodes/network.ts'
import * as node from '../../lib/model/opcodes/node.ts'
import * as tags from '../../lib/model/opcodes/tags.ts'

const original: {
  readonly probes: readonly Json[]
  readonly kinds: readonly string[]
  readonly opcodes: { readonly [id: string]: { readonly [parameter: string]: readonly [Json, number] } }
} = parseJson(
  readFileSync(new URL('../../../test/fixtures/opcode-parameters.json', import.meta.url), 'utf8'),
) as never

const opcodes = new Map<string, Opcode>(
  [cluster, group, instance, network, node, tags]
    .flatMap((room): readonly Opcode[] => Object.values(room))
    .map((opcode) => [opcode.id, opcode]),
)

/** Values that the original takes and we do not. */
const DIFFERENCES: readonly {
  readonly parameter: RegExp
  readonly value: (value: Json) => boolean
  readonly reason: string
}[] = [
  { parameter: /^priority$/, value: (value) => value === false, reason: 'to Python, false is 0' },
  {
    parameter: /^osparams_(private|secret)$/,
    value: (value) => value === '' || Array.isArray(value),
    reason: 'Python makes an object of pairs in a list',
  },
  {
    parameter: /^osparams_private_cluster$/,
    value: (value) => isJsonObject(value),
    reason: 'Python makes an empty object of anything empty',
  },
]

t.test("opcodes take Ganeti's parameters, in its order and with its defaults", async (t) => {
  for (const [id, parameters] of Object.entries(original.opcodes)) {
    const ours = opcodes.get(id)?.parameters ?? {}
    t.strictSame(Object.keys(ours), Object.keys(parameters), id)
    for (const [name, [value]] of Object.entries(parameters)) {
      t.strictSame(ours[name]?.preset, value, `${id}.${name}`)
    }
  }
  t.strictSame(
    [...opcodes.keys()].filter((id) => !(id in original.opcodes)),
    ['OP_NETWORK_RENAME'],
    'nothing but what is newer than Ganeti 3.0 is missing there',
  )
})

t.test("parameters take the values that Ganeti's do", async (t) => {
  const { kinds, probes } = original
  let compared = 0
  const differing: string[] = []
  const applied = new Set<unknown>()
  for (const [id, parameters] of Object.entries(original.opcodes)) {
    for (const [name, [, kind]] of Object.entries(parameters)) {
      const check = opcodes.get(id)?.parameters[name]?.check
      for (const [place, value] of probes.entries()) {
        compared++
        const theirs = kinds[kind]?.[place] === '1'
        if (check?.(value) === theirs) continue
        const difference = DIFFERENCES.find(
          ({ parameter, value: of }) => theirs && parameter.test(name) && of(value),
        )
        if (difference) applied.add(difference)
        else differing.push(`${id}.${name} ${stringifyJson(value)}`)
      }
    }
  }
  t.strictSame(differing, [])
  for (const difference of DIFFERENCES) t.ok(applied.has(difference), `still different: ${difference.reason}`)
  t.comment(`${compared} values tried`)
  t.ok(compared > 10_000, 'there was something to compare')
})

t.test('an opcode is filled with what is given and defaults for the rest', async (t) => {
  const filled = fillOpcode(group.OP_GROUP_RENAME, { group_name: 'a', new_name: 'b', priority: -10 })
  t.strictSame(filled, {
    group_name: 'a',
    new_name: 'b',
    dry_run: null,
    debug_level: null,
    priority: -10,
    depends: null,
    comment: null,
    reason: [],
    OP_ID: 'OP_GROUP_RENAME',
  })
})

const refusals: readonly [JsonObject, string][] = [
  [{ group_name: 'a' }, `("Parameter 'OP_GROUP_RENAME.new_name' fails validation", 'wrong_input')`],
  [{ new_name: '' }, `("Parameter 'OP_GROUP_RENAME.group_name' fails validation", 'wrong_input')`],
  [{ group_name: null }, `("Parameter 'OP_GROUP_RENAME.group_name' fails validation", 'wrong_input')`],
  [{ bogus: 1 }, "Object OpGroupRename doesn't support the parameter 'bogus'"],
  [{ constructor: 1 }, "Object OpGroupRename doesn't support the parameter 'constructor'"],
  [JSON.parse('{"__proto__": {}}'), "Object OpGroupRename doesn't support the parameter '__proto__'"],
]
t.test('what an opcode does not take is refused in the words of the original', async (t) => {
  for (const [given, message] of refusals) {
    const expected = { code: 'invalid', message: `Invalid body parameters: ${message}` }
    t.throws(() => fillOpcode(group.OP_GROUP_RENAME, given), expected, JSON.stringify(given))
  }
})
