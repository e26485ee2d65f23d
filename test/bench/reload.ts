/**
 * A large cluster's state read anew while the daemon serves: how long that
 * takes, and what clients see of it.
 *
 * Four connections ask for `/2/info`, one instance and its tags, a request
 * every 5 ms in all. A reload lasts from SIGHUP until the daemon says that it
 * has read the file, which was replaced by one in which either a single
 * instance or every one differs. "pause" is the longest that the event loop was
 * busy in one go, garbage collections included; it is looked at for a second
 * longer, when old state goes.
 *
 * Both processes share the machine's processors with all else that runs there:
 * judge by the undisturbed lines.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '../../lib/json/json.ts'
import { generateConfig } from '../support/generate-config.ts'
import type { Settings } from './contest.ts'
import { Daemon, prepareTree } from './daemon.ts'
import { LightLoad } from './light-load.ts'
import { quantile, type Report } from './report.ts'

const SIZES = [10_000, 20_000]
/** The one that goals are for. */
const LARGEST = 20_000
const INSTANCES_ON_A_NODE = 20

/** Milliseconds, of one phase under the light load. */
interface Seen {
  readonly time: number
  readonly pause: number
  readonly collection: number
  readonly p50: number
  readonly p99: number
}

export async function reload(report: Report, settings: Settings): Promise<void> {
  report.part('reload', "a large cluster's state is read anew under a light load")
  for (const size of SIZES) await reloadsOf(size, report, settings)
}

async function reloadsOf(instances: number, report: Report, { folder, rounds }: Settings): Promise<void> {
  const place = join(folder, `reload-${instances}`)
  mkdirSync(place)
  const file = join(prepareTree(place), 'config.data')
  let config: JsonObject = generateConfig({ instances, nodes: instances / INSTANCES_ON_A_NODE })
  writeFileSync(file, JSON.stringify(config))
  const daemon = await Daemon.start(place)
  try {
    const undisturbed: Seen[] = []
    const phases = { one: [] as Seen[], all: [] as Seen[], bulk: [] as Seen[], gzip: [] as Seen[] }
    const bulk = (headers = {}) => fetchAll(daemon.port, '/2/instances?bulk=1', headers)
    for (let round = -1; round < rounds; round++) {
      const see = async (kind: Seen[], action: () => Promise<number>, aftermath = 0) => {
        const seen = await watched(daemon, instances, action, aftermath)
        // The first round warms everything up.
        if (round >= 0) kind.push(seen)
      }
      await see(undisturbed, () => delay(2000, 2000))
      for (const which of ['one', 'all'] as const) {
        config = changed(config, round, which)
        writeFileSync(`${file}.new`, JSON.stringify(config))
        await see(
          phases[which],
          () => {
            renameSync(`${file}.new`, file)
            return daemon.reload()
          },
          1000,
        )
      }
      await see(phases.bulk, () => bulk())
      await see(phases.gzip, () => bulk({ 'Accept-Encoding': 'gzip' }))
    }
    const goals = instances === LARGEST
    const size = instances.toLocaleString('en')
    const p99 = tell(report, `${size} instances, undisturbed`, undisturbed)
    for (const [phase, name] of [
      ['one', 'reload, one changed'],
      ['all', 'reload, all changed'],
      ['bulk', 'first bulk after a reload'],
      ['gzip', 'first compressed bulk'],
    ] as const) {
      const its = tell(report, `${size} instances, ${name}`, phases[phase], goals)
      const ofReload = goals && (phase === 'one' || phase === 'all')
      report.goal('p99 / undisturbed', its / p99, ofReload ? { below: 2 } : undefined)
    }
    report.case(`${size} instances, memory after ${2 * (rounds + 1)} reloads`)
    report.figure('as it is', 'MiB', [{ value: (await daemon.ask('memory')).rss }])
    report.figure('after a collection', 'MiB', [{ value: (await daemon.ask('settled')).rss }])
  } finally {
    await daemon.stop()
  }
}

/** @returns p99 of the requests */
function tell(report: Report, name: string, seen: readonly Seen[], goals = false): number {
  report.case(name)
  const figure = (what: string, key: keyof Seen) =>
    report.figure(
      what,
      'ms',
      seen.map((one) => ({ value: one[key] })),
    )
  figure('took', 'time')
  const pause = figure('longest pause', 'pause')
  if (goals) report.goal('longest pause', pause.median, { below: 20 })
  figure('longest collection', 'collection')
  figure('requests, p50', 'p50')
  return figure('requests, p99', 'p99').median
}

/** Does something under the light load. */
async function watched(
  daemon: Daemon,
  instances: number,
  action: () => Promise<number>,
  aftermath: number,
): Promise<Seen> {
  const load = new LightLoad(daemon.port, instances)
  await delay(200)
  await daemon.ask('pauses')
  const first = load.latencies.length
  const time = await action()
  const last = load.latencies.length
  await delay(aftermath)
  const { loop: pause, collection } = await daemon.ask('pauses')
  const latencies = (await load.stop()).slice(first, last)
  return { time, pause, collection, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

/** Asks for an answer and throws it away; gives the milliseconds until its end. */
function fetchAll(port: number, path: string, headers: { readonly [name: string]: string }): Promise<number> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - begun))
    }).on('error', reject)
  })
}

/** The cluster after a change of every instance, or of the first alone. */
function changed(config: JsonObject, round: number, which: 'one' | 'all'): JsonObject {
  // None that it has yet.
  const serial_no = which === 'one' ? 2000 + round : 1000 + round
  const instances = Object.entries(config.instances as JsonObject).map(([uuid, instance], place) =>
    which === 'one' && place > 0 ? [uuid, instance] : [uuid, { ...(instance as JsonObject), serial_no }],
  )
  return { ...config, serial_no, instances: Object.fromEntries(instances) }
}
