/**
 * Fuzzes for as long as one likes:
 *
 *     npm run test:fuzz -- [--seconds 600] [--seed 1] [--case 0] [--area requests] [--findings 1]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AREAS } from './areas.ts'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    case: { type: 'string', default: '0' },
    area: { type: 'string' },
    findings: { type: 'string', default: '3' },
  },
})

const chosen = AREAS.filter(({ name }) => values.area === undefined || name === values.area)
if (chosen.length === 0) throw new Error(`the areas are ${AREAS.map(({ name }) => name).join(', ')}`)
for (const { name, open } of chosen) {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const area = await open(folder)
  try {
    const { cases, findings } = await fuzz(area, {
      seed: Number(values.seed),
      first: Number(values.case),
      duration: (Number(values.seconds) * 1000) / chosen.length,
      most: Number(values.findings),
      onFinding: ({ seed, number, fault, input }) =>
        console.log(`${name}: --seed ${seed} --case ${number}: ${fault}\n${input}\n`),
    })
    console.log(`${name}: ${cases} cases of seed ${values.seed}, ${findings.length} findings`)
    if (findings.length > 0) process.exitCode = 1
  } finally {
    await area.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
