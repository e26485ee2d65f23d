/** A writer that is not careful: it empties a file and writes it again, in place. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface Rewriting {
  /** How often it has written the whole text. */
  readonly times: number
  /** Has it end with the whole text written. */
  stop(): Promise<void>
}

/**
 * Writes a file over and over, on the caller's event loop: what is late here is late for whoever reads there too.
 * @param text gives what to write, by how often it was written before
 * @param pauses how long it leaves the file empty, and how long whole, in milliseconds
 */
export function rewrite(
  path: string,
  text: (time: number) => string,
  pauses: { empty: number; whole: number },
): Rewriting {
  let times = 0
  let stopping = false
  const run = async () => {
    while (!stopping) {
      const file = openSync(path, 'r+')
      ftruncateSync(file)
      await delay(pauses.empty)
      writeSync(file, text(times))
      closeSync(file)
      times++
      await delay(pauses.whole)
    }
  }
  const done = run()
  return {
    get times() {
      return times
    },
    stop: () => {
      stopping = true
      return done
    },
  }
}
