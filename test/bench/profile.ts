/**
 * Where the daemon spends its time on one kind of request:
 *
 *     npm run bench:profile -- TARGET [--tls] [--close] [--clients=16] [--seconds=5] [--instances=10000] [--keep=FILE]
 *
 * Prints the functions that the processor was in longest, with those that the
 * program is in while it waits left out. The whole profile can be kept for the
 * browser's developer tools.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { parseArgs } from 'node:util'
import { DaemonRoot, PROGRAM } from '../support/daemon-root.ts'
import { generateConfig } from '../support/generate-config.ts'
import { READER, USERS } from './our-daemon.ts'
import { load } from './wrk.ts'

const MOST = 45

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tls: { type: 'boolean', default: false },
    close: { type: 'boolean', default: false },
    clients: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '5' },
    instances: { type: 'string', default: '10000' },
    keep: { type: 'string' },
  },
})
const [target = '/2/info'] = positionals
const { tls, close } = values
const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-profile-'))
// Root's daemon serves as another user.
chmodSync(folder, 0o755)
try {
  const root = new DaemonRoot(folder)
  const instances = Number(values.instances)
  root.fill(USERS, {
    configData: JSON.stringify(generateConfig({ instances, nodes: Math.max(2, instances / 20) })),
  })
  const child = spawn(
    execPath,
    [
      ...['--cpu-prof', '--cpu-prof-dir', folder, PROGRAM, '-f', '-b', '127.0.0.1', '-p', '0'],
      ...['--max-clients', '300', ...(tls ? [] : ['--no-ssl'])],
    ],
    { env: { ...process.env, GANETI_ROOTDIR: folder }, stdio: 'ignore' },
  )
  await root.logged(/Listening on/)
  const url = root.origin + target
  const served = await load({
    url,
    clients: Number(values.clients),
    seconds: Number(values.seconds),
    close,
    headers: target.startsWith('/2/query') ? READER : {},
  })
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
  // Threads that read files have profiles of their own; the main one is the longest by far.
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  const profiles = files.map((name): [string, Profile] => {
    const path = join(folder, name)
    return [path, JSON.parse(readFileSync(path, 'utf8'))]
  })
  profiles.sort(([, one], [, other]) => other.samples.length - one.samples.length)
  const [path = '', profile] = profiles[0] ?? []
  if (values.keep !== undefined) copyFileSync(path, values.keep)
  console.log(`${url}: ${Math.round(served.perSecond)} requests per second while profiled`)
  if (profile) tell(profile)
} finally {
  rmSync(folder, { recursive: true })
}

function tell({ nodes, samples, timeDeltas }: Profile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, number>()
  let busy = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    if (!frame || /^\((idle|program|root)\)$/.test(frame.functionName)) continue
    const { functionName, url, lineNumber } = frame
    const place = url === '' ? '' : ` ${url.replace(/^.*\/(dist|node_modules)\//, '')}:${lineNumber + 1}`
    const name = `${functionName || '(nameless)'}${place}`
    const time = timeDeltas[index] ?? 0
    times.set(name, (times.get(name) ?? 0) + time)
    busy += time
  }
  const sorted = [...times].sort(([, one], [, other]) => other - one).slice(0, MOST)
  for (const [name, time] of sorted) console.log(`${((100 * time) / busy).toFixed(1).padStart(6)} %  ${name}`)
}
