/**
 * Ganeti's own QA of the remote API, on our daemon: run-qa.py runs its parts,
 * and here is said which cannot be. Comes last, as it wants a cluster without
 * instances and filters.
 */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isJsonObject, type Json } from '../../lib/json/json.ts'
import { PYTHON, run } from '../clients/programs.ts'
import { ask, daemon, must, ORIGINAL, OURS } from './sides.ts'

t.setTimeout(600_000)

const here = (name: string) => fileURLToPath(new URL(`../../../test/ganeti/${name}`, import.meta.url))
const script = here('run-qa.py')
const editor = here('edit-config.py')

/** Parts that cannot run on this cluster. */
const CANNOT: { readonly [part: string]: string } = {
  TestRapiInstanceReplaceDisks: 'wants DRBD in the kernel',
  TestInstanceDataCensorship: 'asks drbdsetup for a secret',
}

interface Report {
  readonly parts: readonly string[]
  readonly outcomes: readonly (readonly [part: string, error: string | null])[]
}

async function names(target: string, key: string): Promise<string[]> {
  const { body } = await ask(ORIGINAL, target)
  return (body as Json[]).map((one) => (isJsonObject(one) ? String(one[key]) : ''))
}

// It is drbd in the configuration only, and Ganeti would not remove it.
const DRBD = 'inst11.example.com'
for (const instance of await names('/2/instances', 'id')) {
  if (instance === DRBD) continue
  await must('gnt-instance', 'remove', '-f', '--ignore-failures', '--shutdown-timeout=0', instance)
}
for (const name of ['ganeti-luxid', 'ganeti-wconfd']) await daemon('stop', name)
await must(PYTHON, editor, 'forget', DRBD)
for (const name of ['ganeti-wconfd', 'ganeti-luxid']) await daemon('start', name)
for (const uuid of await names('/2/filters', 'uuid')) await must('gnt-filter', 'delete', uuid)

const { stdout, stderr } = await run([PYTHON, script, String(OURS.tls), 'writer', 'writer-pw'])
t.comment(stderr)
const { parts, outcomes } = JSON.parse(stdout) as Report

t.test('every part of the QA that can run on this cluster passes', async (t) => {
  for (const [part, error] of outcomes) t.equal(error, null, part)
})

t.test('every part is run, or cannot be', async (t) => {
  const ran = new Set(outcomes.map(([part]) => part))
  for (const part of parts) {
    const why = CANNOT[part]
    if (why !== undefined) t.comment(`${part} is not run: it ${why}`)
    t.not(ran.has(part), why !== undefined, part)
  }
})
