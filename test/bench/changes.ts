/**
 * How fast a cluster in YAML takes changes, and how that depends on its size.
 *
 *     npm run bench:changes [INSTANCES ...]        100, 1000 and 10000 unless given
 *     BENCH_CHANGES=2000 BENCH_ROUNDS=1 npm run bench:changes
 *
 * Each line is 10,000 changes of tags of a hundred instances in turn, spread over
 * the file, through the API of a daemon of its own, in the foreground over plain
 * HTTP. 32 clients, each with a connection that is kept, submit a job and wait
 * for its end before they submit the next.
 *
 * - jobs/s: jobs that ended in success, from the first request to the last answer
 * - p50, p99: from submitting a job until its client knows of its end
 * - work: what processors did for the daemon, for each job
 * - pause: the longest that the daemon's event loop was busy in one go
 *
 * With sync the daemon is as operators have it; without, its waits for the disk
 * are taken away from outside (no-sync.ts), which tells what it computes.
 *
 * What the disk gives by itself is measured right before, in the same folder:
 *
 * - appends/s: a job's line added to a file and synced, again and again
 * - files/s: a file as large as the cluster's written, synced and renamed, and its folder synced
 *
 * Several jobs share one such append and one such file. Rounds go through all
 * sizes in turn, so that a machine's moods spread over all lines: medians.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, env } from 'node:process'
import { text } from 'node:stream/consumers'
import { syncFolder } from '../../lib/backend/config-file/cluster-file.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { Daemon, prepareTree as prepare } from './daemon.ts'
import { generateYaml } from './generate-yaml.ts'
import { quantile } from './report.ts'

const CHANGES = Number(env.BENCH_CHANGES ?? 10_000)
const ROUNDS = Number(env.BENCH_ROUNDS ?? 3)
const CLIENTS = 32
/** Instances that are changed; the larger a file, the more it has of others. */
const CHANGED = 100
/** Bytes, about what a job takes in the journal. */
const JOB_LENGTH = 700
/** Milliseconds for each look at the disk. */
const DISK_TIME = 1000

interface Measured {
  readonly jobs: number
  readonly p50: number
  readonly p99: number
  readonly work: number
  readonly pause: number
}

/** Asks a daemon for JSON. */
class Clients {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  async ask(method: string, path: string, body?: JsonObject): Promise<Json> {
    const sent = body && JSON.stringify(body)
    const asked = request({
      ...{ host: '127.0.0.1', port: this.#port, method, path, agent: this.#agent, auth: 'writer:pw' },
      headers: sent ? { 'content-type': 'application/json', 'content-length': sent.length } : {},
    })
    asked.end(sent)
    const [response] = await once(asked, 'response')
    const answer = await text(response)
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${answer}`)
    return JSON.parse(answer)
  }

  end(): void {
    this.#agent.destroy()
  }
}

/** Each instance gets a tag, then loses it, and then the next. */
function changeNumber(number: number, instances: number): [method: string, path: string] {
  const changed = Math.min(CHANGED, instances)
  const turn = Math.floor(number / changed)
  const name = `inst${1 + (number % changed) * Math.floor(instances / changed)}.example.com`
  return [turn % 2 === 0 ? 'PUT' : 'DELETE', `/2/instances/${name}/tags?tag=t${turn >> 1}`]
}

/** @throws Error for a job that does not succeed */
async function change(clients: Clients, number: number, instances: number): Promise<void> {
  const id = await clients.ask(...changeNumber(number, instances))
  let known: Json = null
  while (known !== 'success') {
    const wait = { fields: ['status'], previous_job_info: known && [known], previous_log_serial: null }
    const news = (await clients.ask('GET', `/2/jobs/${id}/wait`, wait)) as { job_info: [string] } | null
    known = news?.job_info[0] ?? known
    if (known === 'error' || known === 'canceled') throw new Error(`job ${id}: ${known}`)
  }
}

async function measure(folder: string, instances: number, preloads: readonly string[]): Promise<Measured> {
  writeFileSync(join(prepare(folder), 'cluster.yaml'), generateYaml(instances))
  writeFileSync(join(prepare(folder), 'rapi/users'), 'writer pw write\n')
  const daemon = await Daemon.start(folder, preloads)
  const clients = new Clients(daemon.port)
  // What is made at the first change is made by now.
  await change(clients, 0, instances)
  await daemon.ask('pauses')
  const workBefore = daemon.processorTime
  const times: number[] = []
  const begun = performance.now()
  let next = 1
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next <= CHANGES) {
        const before = performance.now()
        await change(clients, next++, instances)
        times.push(performance.now() - before)
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  const work = (daemon.processorTime - workBefore) / CHANGES
  const { loop } = await daemon.ask('pauses')
  clients.end()
  await daemon.stop()
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  return { jobs: CHANGES / seconds, p50, p99, work, pause: loop }
}

/** How often a second something can be done. */
async function rate(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  let times = 0
  for (; performance.now() - begun < DISK_TIME; times++) await act()
  return (times * 1000) / (performance.now() - begun)
}

async function appendsOn(folder: string): Promise<number> {
  const file = await open(join(folder, 'journal'), 'a')
  const line = 'x'.repeat(JOB_LENGTH)
  const appends = await rate(async () => {
    await file.write(line)
    await file.datasync()
  })
  await file.close()
  return appends
}

async function filesOn(folder: string, content: string): Promise<number> {
  return rate(async () => {
    const file = await open(join(folder, 'file.new'), 'w')
    await file.writeFile(content)
    await file.sync()
    await file.close()
    await rename(join(folder, 'file.new'), join(folder, 'file'))
    await syncFolder(folder)
  })
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ganeti-rapi-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const median = (values: readonly number[]) => quantile(values, 0.5)
const sizes = argv.length > 2 ? argv.slice(2).map(Number) : [100, 1000, 10_000]
const KINDS: readonly [name: string, preloads: readonly string[]][] = [
  ['with sync', []],
  ['without', ['no-sync.js']],
]
const measured = new Map<string, Measured[]>()
const appends: number[] = []
const files = new Map<number, number[]>(sizes.map((size) => [size, []]))

for (let round = 0; round < ROUNDS; round++) {
  appends.push(await inFolder(appendsOn))
  for (const instances of sizes) {
    files.get(instances)?.push(await inFolder((folder) => filesOn(folder, generateYaml(instances))))
    for (const [kind, preloads] of KINDS) {
      const one = await inFolder((folder) => measure(folder, instances, preloads))
      const line = `${instances} ${kind}`
      measured.set(line, [...(measured.get(line) ?? []), one])
      console.error(`round ${round + 1}: ${line}: ${one.jobs.toFixed(0)} jobs/s, ${one.work.toFixed(2)} ms`)
    }
  }
}

console.log(`${CHANGES} changes of tags by ${CLIENTS} clients, medians of ${ROUNDS} rounds`)
console.log(`the disk: ${median(appends).toFixed(0)} appends/s`)
const number = (value: number, width: number, digits = 0) => value.toFixed(digits).padStart(width)
for (const instances of sizes) {
  const mib = generateYaml(instances).length / 2 ** 20
  const onDisk = median(files.get(instances) ?? [])
  console.log(
    `${instances} instances, a file of ${mib.toFixed(2)} MiB; the disk: ${onDisk.toFixed(0)} files/s`,
  )
  for (const [kind] of KINDS) {
    const rounds = measured.get(`${instances} ${kind}`) ?? []
    const of = (what: keyof Measured) => median(rounds.map((one) => one[what]))
    console.log(
      `  ${kind.padEnd(10)}${number(of('jobs'), 6)} jobs/s` +
        `  p50 ${number(of('p50'), 5)} ms  p99 ${number(of('p99'), 5)} ms  work ${number(of('work'), 5, 2)} ms  pause ${number(of('pause'), 5)} ms`,
    )
  }
}
