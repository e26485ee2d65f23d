/** Opcodes with any parameters that they take: what comes of them is a change, or a refusal in Ganeti's words. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Json, type JsonObject, stringifyJson } from '../../../../lib/json/json.ts'
import { type Opcode, parametersOf } from '../../../../lib/model/opcode.ts'
import { completeOpcode, OPCODES } from '../../../../lib/model/opcodes/table.ts'
import { NEWEST } from '../../../../lib/model/version.ts'
import { bodySchema } from '../../../../lib/resources/job-body.ts'
import { Random } from '../../../fuzz/random.ts'
import { fixture } from '../../../support/daemon-root.ts'
import { yamlCluster } from '../../../support/live-cluster.ts'
import { schemaValue } from '../../../support/schema.ts'

const text = readFileSync(fixture('cluster.yaml'), 'utf8')

/** Names that are there, more often than chance would have it. */
const NAMES: { readonly [parameter: string]: readonly string[] } = {
  instance_name: [
    'web.example.com',
    'mail',
    'db',
    'build.example.com',
    'retired.example.com',
    'new.example.com',
  ],
  node_name: ['node1', 'node2.example.com', 'node4', 'node5'],
  group_name: ['default', 'branch', 'new'],
  network_name: ['front', 'storage', 'new'],
  pnode: ['node1.example.com', 'node4'],
  os_type: ['debian-etch', 'debian+trixie'],
}

/** Of each opcode; ten times as many have found no more. */
const TRIES = 80
/** After so many there is a new cluster, so that what went before has not used up what there is. */
const OF_ONE_CLUSTER = 16

t.test('an opcode with any parameters that it takes ends in order', async (t) => {
  const random = new Random(53)
  for (const [id, opcode] of OPCODES) {
    const schema = bodySchema(opcode, [])
    const faults: string[] = []
    let cluster = yamlCluster(text)
    const outcomes = { success: 0, error: 0 }
    for (let count = 0; count < TRIES; count++) {
      if (count % OF_ONE_CLUSTER === 0) cluster = yamlCluster(text)
      const given: { [name: string]: Json } = { ...(schemaValue(random, schema, 0) as JsonObject) }
      for (const [name, names] of Object.entries(NAMES)) {
        if (name in given && random.chance(0.9)) given[name] = random.pick(names)
      }
      // What the schema cannot say, such as an address of a network without its prefix.
      if (!isTaken(opcode, given)) continue
      const complete = completeOpcode({ ...given, OP_ID: id }, NEWEST)
      try {
        outcomes[cluster.run(complete).status]++
      } catch (error) {
        faults.push(`${stringifyJson(complete)}: ${error instanceof Error ? error.stack : error}`)
        cluster = yamlCluster(text)
      }
    }
    t.strictSame(faults, [], `${id}: ${stringifyJson(outcomes)}`)
    t.ok(outcomes.success + outcomes.error > TRIES / 4, `${id} was tried`)
  }
})

function isTaken(opcode: Opcode, given: JsonObject): boolean {
  return Object.entries(parametersOf(opcode, NEWEST)).every(([name, { check, preset }]) =>
    check(given[name] ?? preset),
  )
}
