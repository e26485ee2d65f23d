/**
 * File descriptors: each connection, open file and pipe takes one, and their
 * number is limited (`ulimit -n`, `LimitNOFILE=` of systemd). Node itself raises
 * the soft limit to the hard one at its start.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/**
 * The most descriptors that the daemon uses before it has a client: the files of
 * its program, read in parallel; log, journal and cluster file; the load thread,
 * the process that checks passwords, the master daemon.
 */
const NEEDED = 64

/** How to get more. */
const REMEDY = 'raise the limit, with ulimit -n or LimitNOFILE= of systemd'

/**
 * How many descriptors this process can still open.
 * @returns undefined if that is unknown (systems other than Linux); Infinity if there is no limit
 */
export function freeDescriptors(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    const [, soft] = /^Max open files +(\S+)/m.exec(limits) ?? []
    if (soft === undefined) return undefined
    const limit = soft === 'unlimited' ? Infinity : Number(soft)
    // The limit applies to descriptor numbers; inherited ones may be above it.
    const open = readdirSync('/proc/self/fd').filter((number) => Number(number) < limit)
    // One of them was used for reading the list.
    return limit - (open.length - 1)
  } catch (error) {
    return isExhausted(error) ? 0 : undefined
  }
}

/**
 * Checks that there are enough descriptors to start.
 * @throws Failure `configuration` that says what to do if there are not
 */
export function checkDescriptors(): void {
  const free = freeDescriptors()
  if (free === undefined || free >= NEEDED) return
  throw new Failure(
    'configuration',
    `only ${free} more files can be opened, and it takes ${NEEDED} to start: ${REMEDY}`,
  )
}

/** A Failure with advice, if an error was caused by a lack of descriptors. */
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
