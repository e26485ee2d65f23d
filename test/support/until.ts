import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something holds; the test's own time limit ends the wait for what never does. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5)
}
