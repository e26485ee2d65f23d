/** A writer that is not careful: it empties a file and writes it again, in place. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface Rewriting {
  /** Tells it that the text was read whole. */
  wasRead(): void
  /** Has it end with the whole text written. */
  stop(): Promise<void>
}

/**
 * Writes a file over and over, on the caller's event loop: what is late here is late for whoever reads there too.
 * @param text gives what to write, by how often it was written before
 * @param pauses how long it leaves the file empty, and how long whole, in milliseconds. The latter is doubled, up to
 *   `longest`, each time that nobody has read it: that takes some turns of the loop, which are long on a busy machine
 */
export function rewrite(
  path: string,
  text: (time: number) => string,
  { empty, whole, longest = whole }: { empty: number; whole: number; longest?: number },
): Rewriting {
  let times = 0
  let unread = 0
  let stopping = false
  const run = async () => {
    while (!stopping) {
      const file = openSync(path, 'r+')
      ftruncateSync(file)
      await delay(empty)
      writeSync(file, text(times))
      closeSync(file)
      times++
      await delay(Math.min(whole * 2 ** unread++, longest))
    }
  }
  const done = run()
  return {
    wasRead: () => {
      unread = 0
    },
    stop: () => {
      stopping = true
      return done
    },
  }
}
