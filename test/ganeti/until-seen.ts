import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until something holds.
 * @param look gives undefined if it does, or else what is there instead
 * @param pause milliseconds from one look to the next
 * @throws with both after so many seconds
 */
export async function untilSeen(
  what: string,
  seconds: number,
  look: () => Promise<string | undefined> | string | undefined,
  pause = 100,
): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (let seen = await look(); seen !== undefined; seen = await look()) {
    if (performance.now() > end) throw new Error(`not within ${seconds} seconds: ${what}; instead: ${seen}`)
    await delay(pause)
  }
}
