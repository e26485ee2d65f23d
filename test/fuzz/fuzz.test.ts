/**
 * A few seconds of what `npm run test:fuzz` does for as long as one likes. The
 * seed is always the same, so that what fails once fails again.
 */
import t from 'tap'
import { AREAS } from './areas.ts'
import { fuzz } from './fuzz.ts'

const SEED = Number(process.env.GANETI_RAPI_TEST_SEED ?? 1)
const DURATION = 4000

for (const { name, open } of AREAS) {
  t.test(`${name}, made at random: nothing stops the daemon, or gets a wrong answer`, async (t) => {
    const area = await open(t.testdir())
    t.teardown(() => area.close())
    const { cases, findings } = await fuzz(area, { seed: SEED, duration: DURATION, most: 1 })
    t.comment(`${cases} cases of seed ${SEED}`)
    t.ok(cases > 0, 'cases were tried')
    for (const { seed, number, fault, input } of findings) {
      t.fail(`${fault}\n${input}\nAgain: npm run test:fuzz -- --area ${name} --seed ${seed} --case ${number}`)
    }
  })
}
