/**
 * Clients that wait for something to happen keep a place for seconds without
 * being worked on, so they have places of their own. Who gets none in the time
 * that it would have waited is not refused: it hears in the end how things are,
 * as if nothing had happened until then, and may ask again.
 */
import type { FairSemaphore, Release } from '../fair-semaphore.ts'

export interface TurnToWait {
  /** Seconds that are left to wait; 0 where no place became free. */
  readonly patience: number
  /** Gives the place back. */
  readonly release: Release
}

/**
 * Waits for a place to wait in.
 * @param seconds how long the client may be kept waiting in all
 * @param signal gives up
 * @throws Failure `unavailable` where too many wait even for a place; the signal's reason where it was given up
 */
export async function turnToWait(
  places: FairSemaphore,
  network: string,
  seconds: number,
  signal: AbortSignal,
): Promise<TurnToWait> {
  const end = performance.now() + seconds * 1000
  const release = await places.acquireWithin(network, seconds * 1000, signal)
  if (!release) return { patience: 0, release: () => {} }
  return { patience: Math.max(0, (end - performance.now()) / 1000), release }
}
