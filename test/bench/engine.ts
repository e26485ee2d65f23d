/**
 * What each work-around for the engine is worth (lib/engine/): the daemon as it
 * is beside one in which the module does nothing, by turns, each on a single
 * processor, as work-arounds for threads matter where there are few.
 *
 * A work-around whose row no longer falls without it should go.
 */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { generateConfig } from '../support/generate-config.ts'
import type { Settings } from './contest.ts'
import { Daemon, prepareTree } from './daemon.ts'
import { LightLoad } from './light-load.ts'
import { quantile, type Report, type Round } from './report.ts'
import { load } from './wrk.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const INSTANCES = 10_000
const ONE_PROCESSOR = ['taskset', '-c', '0']

interface WorkAround {
  /** Its compiled module in lib/engine/, and what takes its place. */
  readonly module: string
  readonly stub: string
  /** What falls without it. */
  readonly row: string
  readonly measure: (daemon: Daemon, seconds: number) => Promise<Round>
}

const WORK_AROUNDS: readonly WorkAround[] = [
  {
    module: 'nexttick-deopt-workaround.js',
    stub: '',
    row: 'processor time of a thousand short answers, after a pause',
    measure: async (daemon, seconds) => {
      // A pause is what lets go of objects that are alive only during requests.
      await daemon.ask('settled')
      return timeOfShortAnswers(daemon, seconds, false)
    },
  },
  {
    module: 'swap-list.js',
    stub: 'export class SwapList extends Set {}',
    row: 'processor time of a thousand connections',
    measure: (daemon, seconds) => timeOfShortAnswers(daemon, seconds, true),
  },
  {
    module: 'thread-priority.js',
    stub: 'export function lowerThreadPriority() {}',
    row: 'requests while the cluster is read anew, p99',
    measure: (daemon) => latencyDuring(daemon, () => daemon.reload()),
  },
]

export async function engine(report: Report, settings: Settings): Promise<void> {
  report.part('engine', `what each work-around for the engine is worth, on one processor`)
  for (const one of WORK_AROUNDS) await compare(one, report, settings)
}

async function compare(
  { module, stub, row, measure }: WorkAround,
  report: Report,
  { folder, rounds, seconds }: Settings,
): Promise<void> {
  report.case(`${module}: ${row}`)
  const place = join(folder, `engine-${module}`)
  const without = programWithout(module, stub, join(place, 'program'))
  const contenders: readonly { name: string; daemon: Daemon; rounds: Round[] }[] = [
    { name: 'with', daemon: await startIn(join(place, 'with')), rounds: [] },
    { name: 'without', daemon: await startIn(join(place, 'without'), without), rounds: [] },
  ]
  try {
    // The first round warms up.
    for (let round = -1; round < rounds; round++) {
      for (const contender of contenders) {
        const measured = await measure(contender.daemon, seconds)
        if (round >= 0) contender.rounds.push(measured)
      }
    }
  } finally {
    for (const { daemon } of contenders) await daemon.stop()
  }
  const [kept, gone] = contenders.map((contender) => report.figure(contender.name, 'ms', contender.rounds))
  report.goal('without / with', (gone?.median ?? 0) / (kept?.median ?? 0), { atLeast: 1.03 })
}

/** Copies the program, and empties one of its modules; gives the copy's path. */
function programWithout(module: string, stub: string, copy: string): string {
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  writeFileSync(join(copy, 'dist/lib/engine', module), stub)
  return join(copy, 'bin/ganeti-rapi')
}

async function startIn(folder: string, program?: string): Promise<Daemon> {
  mkdirSync(folder, { recursive: true })
  const config = generateConfig({ instances: INSTANCES, nodes: INSTANCES / 20 })
  writeFileSync(join(prepareTree(folder), 'config.data'), JSON.stringify(config))
  return Daemon.start(folder, [], { ...(program && { program }), by: ONE_PROCESSOR })
}

/** @returns milliseconds for a thousand */
async function timeOfShortAnswers(daemon: Daemon, seconds: number, close: boolean): Promise<Round> {
  const before = daemon.processorTime
  const url = `http://127.0.0.1:${daemon.port}/version`
  const { perSecond } = await load({ url, clients: 16, seconds, close })
  return { value: ((daemon.processorTime - before) / (perSecond * seconds)) * 1000 }
}

/** @returns the p99 of requests at a steady pace, in milliseconds */
async function latencyDuring(daemon: Daemon, action: () => Promise<unknown>): Promise<Round> {
  const light = new LightLoad(daemon.port, INSTANCES)
  await delay(200)
  const first = light.latencies.length
  await action()
  return { value: quantile((await light.stop()).slice(first), 0.99) }
}
