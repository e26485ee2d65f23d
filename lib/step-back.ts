import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/** Less than usual, and far from nothing on a busy machine. */
const LOW_PRIORITY = 10

/** Lets the daemon's own thread go first where processors are few, when called on another. Linux has priorities for threads. */
export function stepBack(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), LOW_PRIORITY)
  } catch {
    // Elsewhere all threads are equal.
  }
}
