/**
 * The pid file: names the running daemon, and prevents a second one from starting.
 *
 * The second one is prevented by a kernel lock on the file (flock(2)), not by the
 * number in it. Ganeti's own daemons use the same lock, so the original daemon
 * and ours cannot run at the same time; of two that start at once, one wins; and
 * the lock ends with its process, so a file left over from a crash does no harm,
 * even if another process has its number by now.
 *
 * Node cannot lock a file, but flock(1) can do it for us: a lock belongs to the
 * open file, which parent and child share, and stays when the child ends.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { Failure } from '../failure.ts'
import { openingStep } from './opening-step.ts'

export interface PidFile {
  /**
   * Removes the file, if it is still the one we made, and releases the lock.
   * @throws Failure `configuration` if it cannot be removed; it is then empty
   */
  release(): void
}

/**
 * Writes our process id into a pid file (decimal, newline; mode 0600) and holds the file until released.
 *
 * @param path the file; its folder must exist
 * @throws Failure `unavailable` if another daemon holds it, `configuration` if it cannot be written
 */
export function acquirePidFile(path: string): PidFile {
  // A daemon removes its file when it ends; if that happened while we waited for the lock, make a new one.
  for (;;) {
    const fd = openPidFile(path)
    try {
      lock(fd, path)
      if (!isSameFile(fd, path)) {
        closeSync(fd)
        continue
      }
      fchmodSync(fd, 0o600)
      ftruncateSync(fd)
      writeSync(fd, `${process.pid}\n`, 0)
    } catch (error) {
      closeSync(fd)
      if (error instanceof Failure) throw error
      throw new Failure('configuration', `cannot write the pid file '${path}'`, { cause: error })
    }
    return { release: () => release(fd, path) }
  }
}

function openPidFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw new Failure('configuration', `cannot open the pid file '${path}'`, {
      cause: error,
      nextStep: openingStep(error, path),
    })
  }
}

function lock(fd: number, path: string): void {
  // The file is descriptor 3 of the child; status 1 means that another process has the lock.
  const { error, status, stderr } = spawnSync('flock', ['--exclusive', '--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
  })
  if (status === 0) return
  if (status === 1) {
    const pid = /^\d+\s*$/.exec(readFileSync(path, 'utf8'))?.[0].trim()
    throw new Failure(
      'unavailable',
      `PID file '${path}' is already locked by another process${pid ? `, PID read from file is ${pid}` : ''}`,
    )
  }
  throw new Failure('configuration', `cannot lock the pid file '${path}' with flock`, {
    cause: error ?? (stderr.trim() || `flock ended with status ${status}`),
  })
}

/** Whether a path still leads to an open file. */
function isSameFile(fd: number, path: string): boolean {
  const ours = fstatSync(fd)
  const there = statSync(path, { throwIfNoEntry: false })
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev
}

function release(fd: number, path: string): void {
  try {
    if (!isSameFile(fd, path)) return
    // If it cannot be removed, it is at least empty, so that no one takes our number for a running daemon's.
    ftruncateSync(fd)
    unlinkSync(path)
  } catch (error) {
    throw new Failure('configuration', `cannot remove the pid file '${path}'`, { cause: error })
  } finally {
    closeSync(fd)
  }
}
