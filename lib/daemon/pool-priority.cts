/**
 * Puts the threads of Node's pool behind the thread that serves: files and
 * compression can wait a little, clients should not. A long answer may keep a
 * thread busy for half a second; without this, every client of a machine with
 * few processors waits for it.
 *
 * The pool has no names. It is made all at once when it is first needed, so the
 * threads that are new by then are the pool: this has to come before anything
 * else needs it, loading ECMAScript modules included, hence its kind of module.
 */
import fs = require('node:fs')
import os = require('node:os')

/** Less than usual, and far from nothing on a busy machine. */
const LOW_PRIORITY = 10
const THREADS = '/proc/self/task'

/** Does nothing where threads have no priorities of their own (that is, but on Linux), or may not change them. */
function lowerPoolPriority(): void {
  if (process.platform !== 'linux') return
  try {
    const before = new Set(fs.readdirSync(THREADS))
    fs.stat(THREADS, () => {})
    for (const thread of fs.readdirSync(THREADS)) {
      if (!before.has(thread)) os.setPriority(Number(thread), LOW_PRIORITY)
    }
  } catch {
    // A sandbox may hide /proc or forbid it; then all threads are equal.
  }
}

export = lowerPoolPriority
