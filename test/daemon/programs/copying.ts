/** Starts a copy of itself, which does as the first argument says; prints what came of it. */
import { renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { runInForeground, startDetached, starterOfCopy } from '../../../lib/daemon/copy.ts'
import { onSignals } from '../../../lib/daemon/signals.ts'
import { messageChain } from '../../../lib/failure.ts'

const [behaviour = '', report = '', patience] = process.argv.slice(2)
const starter = starterOfCopy()
if (starter) await serve(starter)
else await launch()

async function launch(): Promise<void> {
  const command = [process.execPath, process.argv[1] as string, behaviour, report] as const
  const word = { text: 'a key', more: ['ä'] }
  try {
    if (behaviour.startsWith('foreground')) {
      process.exitCode = await runInForeground(command, word)
    } else {
      console.log(
        `started ${await startDetached(command, word, patience === undefined ? undefined : Number(patience))}`,
      )
    }
  } catch (error) {
    console.error(`Error when starting daemon process: ${messageChain(error)}`)
    process.exitCode = 1
  }
}

async function serve({
  handedOver,
  signals,
  reportReady,
  reportFailure,
}: NonNullable<typeof starter>): Promise<void> {
  const file = resolve(report)
  const forever = setInterval(() => undefined, 1000)
  const word = await handedOver
  const describe = () => ({
    word,
    pid: process.pid,
    cwd: process.cwd(),
    umask: process.umask(),
    env: Object.keys(process.env).filter((name) => name.includes('RAPI_COPY')),
    again: starterOfCopy() === undefined,
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
    case 'foreground': {
      const actions = {
        stop: (signal: NodeJS.Signals) => console.log(`stop ${signal}`),
        end: (signal: NodeJS.Signals) => {
          console.log(`end ${signal}`)
          process.exit(42)
        },
        reload: () => console.log('reload'),
      }
      onSignals(actions)
      onSignals(actions, signals)
      await reportReady()
      console.log(JSON.stringify(describe()))
      break
    }
    case 'foreground-fail':
      clearInterval(forever)
      await reportFailure('Address already in use: port 5080')
      process.exitCode = 3
      break
    case 'foreground-crash':
      process.kill(process.pid, 'SIGKILL')
      break
    case 'foreground-deaf':
      console.log(process.pid)
      break
    case 'hang':
      write(String(process.pid))
      break
  }
}
