import { setTimeout as delay } from 'node:timers/promises'

/** Waits for so many milliseconds, or less where the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return delay(milliseconds, undefined, { signal }).catch(() => {})
}
