/**
 * Runs the parts that are named, for test/bench/run: prints tables to standard
 * error and everything as JSON to standard output.
 *
 *     --rounds=N     how often each contender has its turn (default 3)
 *     --seconds=N    for how long, each time (default 2)
 *     --jobs=N       how many on a real cluster, where one takes half a second (default 200)
 *     --cluster=DIR  on the master node of a real cluster: copies of its config.data and rapi.pem
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { changes } from './changes.ts'
import type { Settings } from './contest.ts'
import { engine } from './engine.ts'
import { events } from './events.ts'
import { eventsOnCluster } from './events-on-cluster.ts'
import { growth } from './growth.ts'
import { hop } from './hop.ts'
import { limit } from './limit.ts'
import { original } from './original.ts'
import { page } from './page.ts'
import { passwords } from './passwords.ts'
import { reload } from './reload.ts'
import { Report } from './report.ts'
import { scopes } from './scopes.ts'

const PARTS: { readonly [name: string]: (report: Report, settings: Settings) => Promise<void> } = {
  original,
  limit,
  growth,
  reload,
  passwords,
  page,
  scopes,
  changes,
  events: (report, settings) => (settings.cluster === undefined ? events : eventsOnCluster)(report, settings),
  hop,
  engine,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    jobs: { type: 'string', default: '200' },
    cluster: { type: 'string' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-bench-'))
// Root's daemon serves as another user.
chmodSync(folder, 0o755)
const settings: Settings = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  folder,
  cluster: values.cluster,
  jobs: Number(values.jobs),
}
const report = new Report()
const begun = new Date()
try {
  for (const name of positionals) {
    const part = PARTS[name]
    if (!part) throw new Error(`there is no part '${name}', but: ${Object.keys(PARTS).join(' ')}`)
    await part(report, settings)
  }
} finally {
  rmSync(folder, { recursive: true })
}
report.summary()
const { figures, goals } = report
const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version }
process.stdout.write(`${JSON.stringify({ begun, machine, figures, goals }, null, 1)}\n`)
