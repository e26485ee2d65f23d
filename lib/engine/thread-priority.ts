/**
 * Lets the thread that serves go first where processors are few: a thread that
 * reads or edits a whole file would else take half of the only processor for as
 * long as that lasts. `npm run bench -- engine` shows what clients see without.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/** Less than usual, and far from nothing on a busy machine. */
const LOW_PRIORITY = 10

/** Lowers the priority of the thread that calls it. Does nothing where threads have none of their own: Linux alone has. */
export function lowerThreadPriority(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), LOW_PRIORITY)
  } catch {
    // A sandbox may hide /proc or forbid it; then all threads are equal.
  }
}
