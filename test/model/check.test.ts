import t from 'tap'
import { stringifyJson } from '../../lib/json/json.ts'
import type { Check } from '../../lib/model/check.ts'
import { filterRuleChecks } from '../../lib/model/filter-rule.ts'
import { OPCODES } from '../../lib/model/opcodes/table.ts'
import { Random } from '../fuzz/random.ts'
import { schemaValidator, schemaValue, withoutBigints } from '../support/schema.ts'

/** Every check that a parameter of an opcode or a part of a filter rule has. */
const checks = new Map<Check, string>()
for (const { id, parameters } of OPCODES.values()) {
  for (const [name, history] of Object.entries(parameters)) {
    for (const { check } of [history].flat()) checks.set(check, `${id}.${name}`)
  }
}
for (const [part, check] of Object.entries(filterRuleChecks)) checks.set(check, `filter rule: ${part}`)

const VALUES = 400
/** How often a part of a value is any other. */
const WRONG = 0.15

t.test('a check and its schema take the same values', async (t) => {
  const random = new Random(20)
  const validator = schemaValidator()
  const differing: string[] = []
  for (const [check, name] of checks) {
    const validate = validator.compile(check.schema)
    let taken = 0
    for (let count = 0; count < VALUES; count++) {
      const value = schemaValue(random, check.schema, WRONG)
      const verdict = check(value)
      if (verdict) taken++
      if (validate(withoutBigints(value)) !== verdict) differing.push(`${name} ${stringifyJson(value)}`)
    }
    t.ok(taken > VALUES / 10, `${name}: some values are taken`)
    if (Object.keys(check.schema).length > 0) t.ok(taken < VALUES, `${name}: some values are not`)
  }
  t.strictSame(differing, [])
})
