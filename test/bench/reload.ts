/**
 * How a large cluster is loaded while the daemon serves: time, pauses, memory.
 *
 *     npm run bench:reload [INSTANCES ...]        10000 and 20000 unless given
 *
 * Each size gets a daemon of its own, in the foreground over plain HTTP, with a
 * generated `config.data` (one node for 20 instances). Meanwhile four
 * connections ask for `/2/info`, one instance and its tags, one request every
 * 5 ms in all, whether or not those before were answered.
 *
 * - start: from starting the process until it says that it listens
 * - reload: from SIGHUP until it says that it has read the file. The file was
 *   replaced by one in which either a single instance or every one differs
 * - pause: the longest that the daemon's event loop was busy in one go, and the
 *   longest garbage collection; those after a reload run into the second that
 *   follows, when old state goes
 * - p50 and p99: of the requests begun meanwhile, over all rounds
 * - first bulk: the first `/2/instances?bulk=1` after a reload, and the first
 *   compressed one
 * - memory: of the whole process; heap in use. "settled" is after a full
 *   garbage collection
 *
 * Both processes share the machine's processors with all else that runs there:
 * judge by the undisturbed line, and by the median of several runs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, execPath } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../lib/json.ts'
import { generateConfig } from '../support/generate-config.ts'
import type { Memory, Pauses, Question } from './observe.ts'

const ROUNDS = 5
const INSTANCES_ON_A_NODE = 20
/** Milliseconds from one request to the next. */
const PACE = 5
const CONNECTIONS = 4

const root = fileURLToPath(new URL('../../../', import.meta.url))

class Daemon {
  readonly #process: ChildProcess
  #said = ''
  /** Milliseconds from the start until it listened. */
  readonly started: number
  readonly port: number

  private constructor(process: ChildProcess, said: string, started: number) {
    this.#process = process
    this.#said = said
    this.started = started
    this.port = Number(/Listening on http:.*:(\d+)\//.exec(said)?.[1])
    process.stderr?.on('data', (piece) => {
      this.#said += piece
    })
  }

  /** @param folder what takes the place of `/` */
  static async start(folder: string, observed: 'observed' | 'unobserved' = 'observed'): Promise<Daemon> {
    const observe = ['--import', new URL('./observe.js', import.meta.url).href]
    const begun = performance.now()
    const process = spawn(
      execPath,
      [
        ...(observed === 'observed' ? observe : []),
        join(root, 'bin/ganeti-rapi'),
        ...['-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0'],
      ],
      {
        env: { ...globalThis.process.env, GANETI_ROOTDIR: folder },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    )
    let said = ''
    for await (const piece of process.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
      said += piece
      if (said.includes('Listening on')) return new Daemon(process, said, performance.now() - begun)
    }
    throw new Error(`the daemon did not start: ${said}`)
  }

  /** MiB, as Linux tells it. */
  get residentSize(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1024
  }

  async ask(ask: 'pauses'): Promise<Pauses>
  async ask(ask: 'memory' | 'settled'): Promise<Memory>
  async ask(ask: Question['ask']): Promise<Pauses | Memory> {
    const answer = once(this.#process, 'message')
    this.#process.send({ ask })
    return (await answer)[0]
  }

  /** Makes it reload, and waits until it has; gives the milliseconds it took. */
  async reload(): Promise<number> {
    const before = this.#timesRead()
    const begun = performance.now()
    this.#process.kill('SIGHUP')
    while (this.#timesRead() === before)
      await once(this.#process.stderr as NonNullable<ChildProcess['stderr']>, 'data')
    return performance.now() - begun
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    await once(this.#process, 'exit')
  }

  #timesRead(): number {
    return this.#said.split(': cluster ').length
  }
}

/** Asks for small things at a steady pace until stopped. */
class LightLoad {
  readonly latencies: number[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #timer: NodeJS.Timeout
  #asked = 0
  #answered = 0

  constructor(port: number, instances: number) {
    this.#timer = setInterval(() => {
      const name = `inst${1 + ((this.#asked * 7919) % instances)}.example.com`
      const paths = ['/2/info', `/2/instances/${name}`, `/2/instances/${name}/tags`]
      const path = paths[this.#asked++ % paths.length]
      const begun = performance.now()
      get({ host: '127.0.0.1', port, path, agent: this.#agent }, (response) => {
        response.resume().on('end', () => this.latencies.push(performance.now() - begun))
        response.on('close', () => this.#answered++)
      })
    }, PACE)
  }

  async stop(): Promise<readonly number[]> {
    clearInterval(this.#timer)
    while (this.#answered < this.#asked) await delay(1)
    this.#agent.destroy()
    return this.latencies
  }
}

/** Asks for an answer and throws it away; gives the milliseconds until its end, and its bytes. */
function fetchAll(port: number, path: string, headers = {}): Promise<{ time: number; bytes: number }> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers }, (response) => {
      let bytes = 0
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
      })
      response.on('end', () => resolve({ time: performance.now() - begun, bytes }))
    }).on('error', reject)
  })
}

/** The same cluster in which every instance, or the first alone, was changed once more. */
function changed(config: JsonObject, round: number, which: 'one' | 'all'): JsonObject {
  const instances = Object.entries(config.instances as JsonObject).map(([uuid, instance], place) =>
    which === 'one' && place > 0
      ? [uuid, instance]
      : [uuid, { ...(instance as JsonObject), serial_no: 1000 + round }],
  )
  return { ...config, serial_no: 1000 + round, instances: Object.fromEntries(instances) }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`.padStart(9)
const mib = (value: number) => `${value.toFixed(0)} MiB`.padStart(8)
const line = (name: string, ...values: readonly string[]) =>
  console.log(`  ${name.padEnd(26)}${values.join('  ')}`)

/** What was seen in one kind of phase, over all rounds. */
class Seen {
  readonly #times: number[] = []
  readonly #latencies: number[] = []
  readonly #loops: number[] = []
  readonly #collections: number[] = []

  add(time: number, latencies: readonly number[], { loop, collection }: Pauses): void {
    this.#times.push(time)
    this.#latencies.push(...latencies)
    this.#loops.push(loop)
    this.#collections.push(collection)
  }

  print(name: string): void {
    const longest = (values: readonly number[]) =>
      `${ms(quantile(values, 0.5))} (${ms(Math.max(...values)).trim()})`
    line(
      name,
      `took ${longest(this.#times)}`,
      `pause ${longest(this.#loops)}`,
      `collection ${longest(this.#collections)}`,
      `requests p50 ${ms(quantile(this.#latencies, 0.5))}, p99 ${ms(quantile(this.#latencies, 0.99))}`,
    )
  }
}

/** Runs something under the light load, watched. */
async function watched(
  daemon: Daemon,
  instances: number,
  seen: Seen,
  run: () => Promise<number>,
  aftermath = 0,
): Promise<void> {
  const load = new LightLoad(daemon.port, instances)
  await delay(200)
  await daemon.ask('pauses')
  const first = load.latencies.length
  const time = await run()
  const last = load.latencies.length
  await delay(aftermath)
  const pauses = await daemon.ask('pauses')
  seen.add(time, (await load.stop()).slice(first, last), pauses)
}

/** A folder with all that a daemon wants. */
function prepare(folder: string): string {
  for (const part of ['var/lib/ganeti/rapi', 'var/log/ganeti', 'var/run/ganeti']) {
    mkdirSync(join(folder, part), { recursive: true })
  }
  return join(folder, 'var/lib/ganeti')
}

async function idle(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-bench-'))
  try {
    const state = prepare(folder)
    const bare = spawn(execPath, ['-e', 'setTimeout(() => console.log(process.memoryUsage().rss), 500)'])
    const [bytes] = await once(bare.stdout, 'data')
    copyFileSync(join(root, 'test/fixtures/cluster.yaml'), join(state, 'cluster.yaml'))
    const daemon = await Daemon.start(folder, 'unobserved')
    await delay(1000)
    console.log('the sample')
    line('start', ms(daemon.started))
    line(
      'memory',
      `idle ${mib(daemon.residentSize)}`,
      `a Node process that does nothing ${mib(Number(bytes) / 2 ** 20)}`,
    )
    await daemon.stop()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure(instances: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-bench-'))
  try {
    const file = join(prepare(folder), 'config.data')
    const config = generateConfig({
      instances,
      nodes: Math.max(2, Math.ceil(instances / INSTANCES_ON_A_NODE)),
    })
    const text = JSON.stringify(config)
    writeFileSync(file, text)
    console.log(`${instances} instances, config.data of ${mib(text.length / 2 ** 20).trim()}`)

    const daemon = await Daemon.start(folder)
    const atStart = await daemon.ask('pauses')
    line('start', ms(daemon.started), `pause ${ms(atStart.loop)}`)
    const showMemory = async (when: string) => {
      // The thread of the last load may still be putting its memory away.
      await delay(2000)
      const { rss, heap } = await daemon.ask('memory')
      const settled = await daemon.ask('settled')
      line(
        `memory ${when}`,
        `${mib(rss)} (${((rss * 2 ** 20) / text.length).toFixed(1)} x the file), heap ${mib(heap)}`,
        `settled ${mib(settled.rss)}, heap ${mib(settled.heap)}`,
      )
    }
    await showMemory('loaded')

    const undisturbed = new Seen()
    for (let round = 0; round < ROUNDS; round++) {
      await watched(daemon, instances, undisturbed, () => delay(1000, 1000))
    }
    undisturbed.print('undisturbed')
    const [plain, gzip] = [new Seen(), new Seen()]
    for (const which of ['one', 'all'] as const) {
      const reloads = new Seen()
      for (let round = 0; round < ROUNDS; round++) {
        writeFileSync(`${file}.new`, JSON.stringify(changed(config, round, which)))
        const replace = () => {
          renameSync(`${file}.new`, file)
          return daemon.reload()
        }
        await watched(daemon, instances, reloads, replace, 1000)
        if (which === 'one') continue
        const bulk = async (headers = {}) =>
          (await fetchAll(daemon.port, '/2/instances?bulk=1', headers)).time
        await watched(daemon, instances, plain, () => bulk())
        await watched(daemon, instances, gzip, () => bulk({ 'accept-encoding': 'gzip' }))
      }
      reloads.print(`reload, ${which} changed`)
      if (which === 'one') await showMemory(`after ${ROUNDS} reloads`)
    }
    plain.print('first bulk')
    gzip.print('first bulk, gzip')
    await showMemory('after all that')
    await daemon.stop()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

console.log(`medians of ${ROUNDS} rounds (and the worst)`)
await idle()
for (const size of argv.length > 2 ? argv.slice(2).map(Number) : [10_000, 20_000]) await measure(size)
