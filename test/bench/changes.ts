/**
 * How fast a cluster in YAML takes changes, and how that depends on its size.
 *
 * 10,000 changes of tags of a hundred instances in turn, spread over the file,
 * through the API of a daemon of its own, in the foreground over plain HTTP.
 * 32 clients, each with a connection that is kept, submit a job and wait for its
 * end before they submit the next. With sync the daemon is as operators have it;
 * without, its waits for the disk are taken away from outside (no-sync.ts), which
 * tells what it computes. A file with aliases is edited as a whole, on a thread
 * of its own; jobs that come meanwhile share the next edit. "work" is what processors did for the daemon, per job.
 *
 * What the disk gives by itself is measured right before, in the same folder: a
 * job's line added to a file and synced, again and again; a file as large as the
 * cluster's written, synced and renamed, and its folder synced. Several jobs
 * share one such line and one such file.
 */
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { syncFolder } from '../../lib/files/atomic-replace.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import type { Settings } from './contest.ts'
import { Daemon, prepareTree } from './daemon.ts'
import { generateYaml } from './generate-yaml.ts'
import { quantile, type Report } from './report.ts'

const SIZES = [100, 1_000, 10_000]
const CHANGES = 10_000
/** Of a file that has to be edited as a whole, which takes as long as reading it. */
const CHANGES_AS_WHOLE = 320
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

async function measure(
  folder: string,
  instances: number,
  { preloads, aliases, changes }: Kind,
): Promise<Measured> {
  const state = prepareTree(folder)
  writeFileSync(join(state, 'cluster.yaml'), generateYaml(instances, { aliases }))
  writeFileSync(join(state, 'rapi/users'), 'writer pw write\n')
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
      while (next <= changes) {
        const before = performance.now()
        await change(clients, next++, instances)
        times.push(performance.now() - before)
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  const work = (daemon.processorTime - workBefore) / changes
  const { loop } = await daemon.ask('pauses')
  clients.end()
  await daemon.stop()
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  return { jobs: changes / seconds, p50, p99, work, pause: loop }
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

interface Kind {
  readonly name: string
  readonly preloads: readonly string[]
  readonly aliases: boolean
  readonly changes: number
}

const KINDS: readonly Kind[] = [
  { name: 'with sync', preloads: [], aliases: false, changes: CHANGES },
  { name: 'without sync', preloads: ['no-sync.js'], aliases: false, changes: CHANGES },
  { name: 'edited as a whole', preloads: [], aliases: true, changes: CHANGES_AS_WHOLE },
]

export async function changes(report: Report, { folder, rounds }: Settings): Promise<void> {
  report.part(
    'changes',
    `${CHANGES.toLocaleString('en')} changes of tags on a cluster in YAML, ${CLIENTS} clients`,
  )
  const fresh = () => mkdtempSync(join(folder, 'changes-'))
  const measured = SIZES.map((size) => ({
    size,
    files: [] as number[],
    kinds: KINDS.map((kind) => ({ kind, all: [] as Measured[] })),
  }))
  const appends: number[] = []
  for (let round = 0; round < rounds; round++) {
    appends.push(await appendsOn(fresh()))
    for (const { size, files, kinds } of measured) {
      files.push(await filesOn(fresh(), generateYaml(size)))
      for (const { kind, all } of kinds) all.push(await measure(fresh(), size, kind))
    }
  }

  const values = (all: readonly number[]) => all.map((value) => ({ value }))
  report.case('the disk by itself')
  report.figure('lines added and synced', '/s', values(appends))
  for (const { size, files, kinds } of measured) {
    const mib = generateYaml(size).length / 2 ** 20
    report.case(`${size.toLocaleString('en')} instances, a file of ${mib.toFixed(2)} MiB`)
    report.figure('such files by themselves', '/s', values(files))
    for (const { kind, all } of kinds) {
      report.figure(
        `jobs, ${kind.name}`,
        '/s',
        all.map(({ jobs: value, p50, p99 }) => ({ value, p50, p99 })),
      )
      report.figure('work', 'ms', values(all.map(({ work }) => work)))
      report.figure('longest pause', 'ms', values(all.map(({ pause }) => pause)))
    }
  }
}
