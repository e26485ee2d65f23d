/**
 * The name of a process, as start-stop-daemon, pgrep and top know it. By default
 * it is that of the executable, which is node for every program in Node.
 *
 * `process.title` sets it too, but also overwrites the command line; here that is
 * kept, so that `ps` shows script and options, and pidof finds the script.
 */
import { writeFileSync } from 'node:fs'

/**
 * Sets the name of this process; does nothing on systems other than Linux.
 *
 * @param name the new name; the kernel keeps the first 15 bytes
 */
export function nameProcess(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name)
  } catch {
    // Not essential: keep the old name.
  }
}
