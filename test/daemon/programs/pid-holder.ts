/** Takes a pid file and holds it until standard input ends; `release` gives it back at the end. */
import { acquirePidFile } from '../../../lib/daemon/pid-file.ts'

const [path = '', atTheEnd] = process.argv.slice(2)
try {
  const file = acquirePidFile(path)
  console.log('held')
  process.stdin.resume().on('end', () => {
    if (atTheEnd === 'release') file.release()
    process.exit()
  })
} catch (error) {
  console.log((error as Error).message)
}
