/** Logs numbered lines to a file and ends in one of the ways a daemon may end. */
import { DaemonLog } from '../../../lib/daemon/log.ts'

const [file = '', count, ending] = process.argv.slice(2)
const log = new DaemonLog({ program: 'test', debug: false, file, stderr: ending === 'stderr', syslog: 'no' })
for (let line = 0; line < Number(count); line++) {
  log.info(`line ${line}`)
  // Now and then a turn of the event loop, so that batches are under way at the end.
  if (line % 1000 === 999) await new Promise(setImmediate)
}
if (ending === 'exit') process.exit(3)
if (ending === 'throw') throw new Error('a bug')
