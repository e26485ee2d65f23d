/**
 * The promises about crashes, tried: the daemon is killed at random moments of
 * a stream of changes of all kinds, while a person edits the file as well,
 * again and again, and after each start it must know every job it ever gave an
 * id to, finished ones as they were told, and have a cluster file with just
 * what the successful ones and the person changed.
 */
import { cpSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { Trial } from './trial.ts'

/** Over all clusters. */
const KILLS = Number(process.env.GANETI_RAPI_TEST_KILLS ?? 0)
const SEED = Number(process.env.GANETI_RAPI_TEST_SEED ?? 1)
/** Clusters tried side by side; a machine has about so many processors to spare. */
const CLUSTERS = 2
/** With so many kills of a cluster, operations of that many kinds have succeeded. */
const ENOUGH = 80
const KINDS = 30

/** Some operations take their time, so that a kill finds them running. */
const CLUSTER = readFileSync(fixture('cluster.yaml'), 'utf8').replace(
  '\ncluster:\n',
  '$&  job_time: {OP_INSTANCE_STARTUP: 0.05, OP_INSTANCE_MIGRATE: 0.1, OP_INSTANCE_FAILOVER: 0.1}\n',
)

// Before there are any: only those that come after run side by side.
t.jobs = CLUSTERS
for (let cluster = 1; cluster <= CLUSTERS; cluster++) {
  // Few in the usual tests; `npm run test:crash` tries in earnest.
  const kills = Math.ceil((KILLS || 6) / CLUSTERS)
  t.test(`cluster ${cluster}: ${kills} times killed, nothing is lost`, { timeout: 1_800_000 }, async (t) => {
    const folder = t.testdir()
    const root = new DaemonRoot(folder)
    root.fill('w pw write\n', { clusterYaml: CLUSTER })
    const seed = SEED * 100 + cluster
    const trial = new Trial(root, seed)
    t.teardown(() => root.end())
    try {
      for (let kill = 0; kill < kills && t.passing(); kill++) await trial.life(t)
      // A life without a killing at its end.
      if (t.passing()) {
        const before = root.logLines.length
        root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
        await root.logged(/Listening on/, before)
        await trial.check(t)
      }
    } catch (error) {
      t.error(error)
    }
    const { counts } = trial
    t.comment(`${trial.jobs} jobs, ${JSON.stringify(counts)}`)
    t.ok(trial.jobs > 0)
    if (kills >= ENOUGH) {
      t.ok(Object.keys(counts.kinds).length >= KINDS, 'operations of most kinds have succeeded')
      for (const count of ['refusedStarts', 'keptStates', 'interrupted'] as const)
        t.ok(counts[count] > 0, count)
    }
    t.ok(counts.overwritten <= 1 + counts.risky / 5, 'edits are seen before the file is replaced')
    if (!t.passing()) {
      const kept = mkdtempSync(join(tmpdir(), 'ganeti-rapi-crash-'))
      cpSync(folder, kept, { recursive: true })
      t.comment(
        `GANETI_RAPI_TEST_SEED=${SEED} (${seed}); the folder is kept in ${kept}; what was asked last:`,
      )
      for (const line of trial.asked) t.comment(line)
    }
  })
}
