/**
 * File descriptors: each connection, open file and pipe takes one, and a
 * process has only so many (`ulimit -n`, `LimitNOFILE=` of systemd). Node itself
 * raises the soft limit to the hard one as it starts.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/**
 * What the daemon opens, at its worst moment, before it has a client: files of
 * its program, read side by side; log, journal and cluster file; the thread that
 * loads, the process that checks passwords, the master daemon.
 */
const NEEDED = 64

/** How to come by more. */
const REMEDY = 'raise the limit, with ulimit -n or LimitNOFILE= of systemd'

/**
 * How many descriptors this process may still open, for now.
 * @returns undefined where the system does not tell (that is, but on Linux); Infinity where there is no limit
 */
export function freeDescriptors(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    const [, soft] = /^Max open files +(\S+)/m.exec(limits) ?? []
    if (soft === undefined) return undefined
    const limit = soft === 'unlimited' ? Infinity : Number(soft)
    // The limit is on their numbers, of which whoever started us may have left greater ones.
    const open = readdirSync('/proc/self/fd').filter((number) => Number(number) < limit)
    // One of them was for reading the list.
    return limit - (open.length - 1)
  } catch (error) {
    return isExhausted(error) ? 0 : undefined
  }
}

/**
 * Makes sure that there are descriptors enough to start.
 * @throws Failure `configuration` saying what to do where there are not
 */
export function checkDescriptors(): void {
  const free = freeDescriptors()
  if (free === undefined || free >= NEEDED) return
  throw new Failure(
    'configuration',
    `only ${free} more files can be opened, and it takes ${NEEDED} to start: ${REMEDY}`,
  )
}

/** What to tell the operator of an error, if it came from a want of descriptors. */
export function descriptorsFailure(error: unknown): Failure | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isExhausted(cause)) return new Failure('configuration', `too many open files: ${REMEDY}`, { cause })
  }
  return undefined
}

/** Whether this process has no more descriptors, or the whole machine. */
function isExhausted(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_INIT_FAILED') return /E[MN]FILE/.test(message)
  return code === 'EMFILE' || code === 'ENFILE'
}
