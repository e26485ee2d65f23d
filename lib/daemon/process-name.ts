/**
 * What a process is called: the name by which start-stop-daemon, pgrep and top
 * know it. The kernel takes it from the program that was started, which is node
 * for every program in Node.
 *
 * Node can set it too, by `process.title`, but that overwrites the command line
 * as well; here that stays, so that `ps` shows script and options, and pidof
 * finds the script.
 */
import { writeFileSync } from 'node:fs'

/**
 * Names this process; where there is no such file (other systems than Linux),
 * nothing happens.
 *
 * @param name what it is called from now on; the kernel keeps the first 15 bytes
 */
export function nameProcess(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name)
  } catch {
    // It runs as well under the old name.
  }
}
