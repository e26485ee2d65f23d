/** Starts a detached copy of itself, which does as the first argument says; prints what came of it. */
import { renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { detachedFrom, startDetached } from '../../../lib/daemon/detach.ts'
import { messageChain } from '../../../lib/failure.ts'

const [behaviour = '', report = '', patience] = process.argv.slice(2)
const starter = detachedFrom()
if (starter) await serve(starter)
else await launch()

async function launch(): Promise<void> {
  const args = [process.argv[1] as string, behaviour, report]
  try {
    console.log(`started ${await startDetached(args, patience === undefined ? undefined : Number(patience))}`)
  } catch (error) {
    console.error(`Error when starting daemon process: ${messageChain(error)}`)
    process.exitCode = 1
  }
}

async function serve({ reportReady, reportFailure }: NonNullable<typeof starter>): Promise<void> {
  const file = resolve(report)
  const forever = setInterval(() => undefined, 1000)
  const describe = () => ({
    pid: process.pid,
    cwd: process.cwd(),
    umask: process.umask(),
    env: Object.keys(process.env).filter((name) => name.includes('DETACHED')),
    again: detachedFrom() === undefined,
  })
  const write = (content: string) => {
    writeFileSync(`${file}.new`, content)
    renameSync(`${file}.new`, file)
  }
  switch (behaviour) {
    case 'serve':
      await reportReady()
      write(JSON.stringify(describe()))
      clearInterval(forever)
      process.exit()
      break
    case 'fail':
      await reportFailure('Address already in use: port 5080')
      process.exit(1)
      break
    case 'die':
      process.exit(7)
      break
    case 'crash':
      process.kill(process.pid, 'SIGKILL')
      break
    case 'hang':
      write(String(process.pid))
      break
  }
}
