/**
 * A semaphore for long polling: requests that wait for an event hold a place for
 * seconds without any work, so they have a semaphore of their own. A request
 * that gets no place within its own time to wait is not refused: it then gets
 * the current state, as if nothing had happened, and the client may ask again.
 */
import type { FairSemaphore, Release } from '../concurrency/fair-semaphore.ts'

export interface TurnToWait {
  /** Seconds that are left to wait; 0 if no place became free. */
  readonly patience: number
  /** Releases the place. */
  readonly release: Release
}

/**
 * Waits for a place.
 * @param seconds how long the request may wait in total
 * @param signal aborts waiting
 * @throws Failure `unavailable` if too many requests wait for a place; the signal's reason if it was aborted
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
