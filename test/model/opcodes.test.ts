/**
 * Our opcodes beside Ganeti 3.0.2's. `opcode-parameters.json` holds what its
 * own type checks said of each of a list of values: for each opcode and
 * parameter the default, and a row of ones (it will do) and zeros.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts'
import { fillOpcode, makeOpcode, parametersOf } from '../../lib/model/opcode.ts'
import { OP_GROUP_RENAME } from '../../lib/model/opcodes/group.ts'
import { OPCODES } from '../../lib/model/opcodes/table.ts'
import { type Version, versionFrom } from '../../lib/model/version.ts'
import { GANETI_3_0, GANETI_3_1 } from '../support/versions.ts'

const original: {
  readonly probes: readonly Json[]
  readonly kinds: readonly string[]
  readonly opcodes: { readonly [id: string]: { readonly [parameter: string]: readonly [Json, number] } }
} = parseJson(
  readFileSync(new URL('../../../test/fixtures/opcode-parameters.json', import.meta.url), 'utf8'),
) as never

/** The parameters of one of our opcodes in a version; none for an unknown one. */
function ours(id: string, version = GANETI_3_0) {
  const opcode = OPCODES.get(id)
  return opcode ? parametersOf(opcode, version) : {}
}

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
    const present = ours(id)
    t.strictSame(Object.keys(present), Object.keys(parameters), id)
    for (const [name, [value]] of Object.entries(parameters)) {
      t.strictSame(present[name]?.preset, value, `${id}.${name}`)
    }
  }
  t.strictSame(
    [...OPCODES.keys()].filter((id) => !(id in original.opcodes)),
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
      const check = ours(id)[name]?.check
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

t.test('every parameter is documented in a sentence', async (t) => {
  for (const { id, parameters } of OPCODES.values()) {
    for (const [name, history] of Object.entries(parameters)) {
      for (const { doc } of [history].flat()) t.match(doc, /^[A-Z].* .*\.$/, `${id}.${name}`)
    }
  }
})

/** What a release changed, of the opcodes that we have: null for a parameter that is not there. */
const CHANGES: readonly (readonly [opcode: string, parameter: string, before: Json, since31: Json])[] = [
  ['OP_INSTANCE_CREATE', 'ip_check', true, false],
  ['OP_INSTANCE_CREATE', 'name_check', true, false],
  ['OP_INSTANCE_RENAME', 'ip_check', true, false],
  ['OP_INSTANCE_RENAME', 'name_check', true, false],
  ['OP_INSTANCE_SET_PARAMS', 'hotplug', false, true],
  ['OP_INSTANCE_SET_PARAMS', 'hotplug_if_possible', false, null],
]

t.test('from Ganeti 3.1 on, opcodes are those of 3.1', async (t) => {
  const presets = (version: Version) =>
    [...OPCODES.keys()].flatMap((id) =>
      Object.entries(ours(id, version)).map(([name, { preset }]) => [`${id}.${name}`, preset] as const),
    )
  const before = new Map(presets(GANETI_3_0))
  const after = new Map(presets(GANETI_3_1))
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  const changes = names.map((name) => [name, before.get(name) ?? null, after.get(name) ?? null] as const)
  t.strictSame(
    changes.filter(([, was, is]) => stringifyJson(was) !== stringifyJson(is)),
    CHANGES.map(([id, name, ...values]) => [`${id}.${name}`, ...values]),
  )
})

const given = { group_name: 'a', new_name: 'b', priority: -10 }

t.test('an opcode is submitted with what is given, and always with a reason', async (t) => {
  const made = makeOpcode(OP_GROUP_RENAME, given, GANETI_3_0)
  t.strictSame(made, { ...given, reason: [], OP_ID: 'OP_GROUP_RENAME' })
  const reason = [['gnt:user', 'why', 0]]
  t.strictSame(makeOpcode(OP_GROUP_RENAME, { ...given, reason }, GANETI_3_0).reason, reason)
})

t.test('an opcode is filled with what is given and defaults for the rest', async (t) => {
  t.strictSame(fillOpcode(OP_GROUP_RENAME, given, GANETI_3_0), {
    group_name: 'a',
    new_name: 'b',
    dry_run: null,
    debug_level: null,
    priority: -10,
    depends: null,
    comment: null,
    reason: [],
  })
})

t.test('what is given to a Ganeti newer than any that is known is for it to judge', async (t) => {
  const newer = versionFrom('3.9.1') as Version
  const unheard = { group_name: 5, colour: 'red' }
  t.strictSame(makeOpcode(OP_GROUP_RENAME, unheard, newer), {
    ...unheard,
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
    t.throws(() => makeOpcode(OP_GROUP_RENAME, given, GANETI_3_0), expected, JSON.stringify(given))
  }
})
