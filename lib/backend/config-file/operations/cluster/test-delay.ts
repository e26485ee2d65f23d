import type { JsonObject } from '../../../../json/json.ts'
import { operation } from '../shared/run.ts'

/** Does nothing; how long that takes is the job queue's business. */
export const testDelay = operation((run) => {
  const rounds = run.number('repeat') ?? 0
  for (let round = 0; round < rounds; round++) run.info(`Test delay iteration ${round}/${rounds - 1}`)
  return run.isDry ? run.dryRun() : run.done({})
})

/** For how long it does nothing, in seconds. */
export function delayOf({ duration, repeat }: JsonObject): number {
  return Number(duration) * Math.max(1, Number(repeat ?? 0))
}
