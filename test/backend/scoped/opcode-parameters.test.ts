import t from 'tap'
import {
  aboutOf,
  LOOKED_INTO,
  NAMES_ANOTHER,
  NEVER_WITHIN,
  OWN_HVPARAMS,
  OWN_MATTER,
} from '../../../lib/backend/scoped/opcode-parameters.ts'
import { HV_TYPES } from '../../../lib/model/defaults.ts'
import { OPCODES } from '../../../lib/model/opcodes/table.ts'

t.test('of every parameter of opcodes about instances and nodes it is known what it may reach', async (t) => {
  const kinds = [
    new Set(Object.keys(NAMES_ANOTHER)),
    new Set(Object.keys(NEVER_WITHIN)),
    LOOKED_INTO,
    OWN_MATTER,
  ]
  for (const { id, parameters } of OPCODES.values()) {
    const about = aboutOf({
      OP_ID: id,
      ...Object.fromEntries(Object.keys(parameters).map((name) => [name, name])),
      kind: 'instance',
    })
    t.equal(about === undefined, /^OP_(CLUSTER|GROUP|NETWORK)_/.test(id), id)
    if (!about) continue
    t.ok(Object.hasOwn(parameters, about.by), id)
    for (const name of Object.keys(parameters)) {
      const known = kinds.filter((names) => names.has(name)).length
      if (name !== about.by) t.equal(known, 1, `${id}: ${name}`)
    }
  }
})

t.test('no list has a parameter that no opcode has', async (t) => {
  const there = new Set([...OPCODES.values()].flatMap(({ parameters }) => Object.keys(parameters)))
  for (const name of [
    ...Object.keys(NAMES_ANOTHER),
    ...Object.keys(NEVER_WITHIN),
    ...LOOKED_INTO,
    ...OWN_MATTER,
  ])
    t.ok(name === 'OP_ID' || there.has(name), name)
  for (const name of OWN_HVPARAMS.keys()) t.match(HV_TYPES[name], /string$/, name)
})

t.test('hypervisor parameters that name files, commands or devices reach out of an instance', async (t) => {
  for (const name of Object.keys(HV_TYPES).filter((one) =>
    /path|file|bind|extra|script|pass|device|bootloader|xen_cmd/.test(one),
  ))
    t.notOk(OWN_HVPARAMS.has(name) && name !== 'root_path', name)
})
