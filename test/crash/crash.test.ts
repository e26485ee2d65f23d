/**
 * The promises about crashes, tried: the daemon is killed at random moments of
 * a stream of changes, again and again, and after each start it must know every
 * job it ever gave an id to, finished ones as they were told, and have a
 * cluster file with just what the successful ones changed.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseConfig } from '../../lib/backend/config-file/read.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../lib/json.ts'
import { DaemonRoot, fixture } from '../support/daemon-root.ts'
import { numbers } from '../support/live-cluster.ts'

/** Over all clusters. */
const KILLS = Number(process.env.GANETI_RAPI_TEST_KILLS ?? 0)
/** Clusters tried side by side; a machine has about so many processors to spare. */
const CLUSTERS = 2
const CLIENTS = 4
/** Milliseconds that a daemon may live after its first answer. */
const LONGEST_LIFE = 250

const FINAL = ['success', 'error', 'canceled']
/** What an opcode that was interrupted ends with. */
const INTERRUPTED = [['OpExecError', ['Unclean master daemon shutdown']]]

class Trial {
  readonly #root: DaemonRoot
  readonly #random: () => number
  readonly #agent = new Agent({ keepAlive: true })
  /** What has been told of jobs: their state when it was final. */
  readonly #told = new Map<number, JsonObject | undefined>()
  #tags = 0

  constructor(root: DaemonRoot, seed: number) {
    this.#root = root
    this.#random = numbers(seed)
  }

  get jobs(): number {
    return this.#told.size
  }

  /**
   * One life of the daemon: check what the last one left, then change things until it is killed.
   * The first one lasts until there is something to lose.
   */
  async life(t: Test): Promise<void> {
    const first = this.#told.size === 0
    const before = this.#root.logLines.length
    const daemon = this.#root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
    const ended = once(daemon, 'exit')
    // Now and then it does not even come to listen.
    if (!first && this.#random() < 0.05) await delay(this.#random() * 300)
    else {
      await Promise.race([this.#root.logged(/Listening on/, before), ended])
      if (daemon.exitCode !== null) throw new Error(`the daemon ended by itself:\n${this.#root.logText}`)
      await this.check(t)
      const life = delay(this.#random() * LONGEST_LIFE)
      const clients = Array.from({ length: CLIENTS }, () => this.#change().catch(() => {}))
      await life
      while (first && this.#told.size === 0) await delay(10)
      daemon.kill('SIGKILL')
      await Promise.all(clients)
    }
    daemon.kill('SIGKILL')
    await ended
  }

  /** Submits jobs and waits for them, until nobody answers any more. */
  async #change(): Promise<void> {
    for (;;) {
      const object =
        this.#random() < 0.7 ? `instances/${this.#pick(INSTANCES)}` : `nodes/${this.#pick(NODES)}`
      const id = await this.#ask('PUT', `/2/${object}/tags?tag=t${++this.#tags}`)
      if (typeof id !== 'number') throw new Error(`no id: ${id}`)
      this.#told.set(id, undefined)
      if (this.#random() < 0.5) continue
      const job = await this.#ask('GET', `/2/jobs/${id}`)
      if (isJsonObject(job) && FINAL.includes(String(job.status))) this.#told.set(id, job)
    }
  }

  /** Compares what the daemon says now with what it has said, and the file with both. */
  async check(t: Test): Promise<void> {
    let jobs = await this.#jobs()
    while ([...jobs.values()].some(({ status }) => !FINAL.includes(String(status)))) {
      await delay(5)
      jobs = await this.#jobs()
    }
    for (const [id, told] of this.#told) {
      const job = jobs.get(id)
      if (!job) t.fail(`job ${id} is lost`)
      else if (told) {
        for (const key of ['status', 'end_ts', 'received_ts']) {
          if (JSON.stringify(job[key]) !== JSON.stringify(told[key]))
            t.strictSame(job[key], told[key], `job ${id}`)
        }
      }
    }
    const written = this.#writtenTags()
    const wanted = new Set<string>()
    for (const [id, { status, ops }] of jobs) {
      const [opcode] = ops as readonly JsonObject[]
      const [tag] = (opcode?.tags ?? []) as readonly string[]
      if (status === 'success') wanted.add(String(tag))
      else if (status === 'error') {
        const { opresult } = (await this.#ask('GET', `/2/jobs/${id}`)) as JsonObject
        t.strictSame(opresult, INTERRUPTED, `job ${id} failed for no other reason`)
      }
    }
    const surplus = [...written].filter((tag) => !wanted.has(tag))
    const missing = [...wanted].filter((tag) => !written.has(tag))
    if (surplus.length + missing.length > 0) t.strictSame({ surplus, missing }, { surplus: [], missing: [] })
  }

  #writtenTags(): Set<string> {
    const path = this.#root.clusterYaml
    const { instances, nodes } = parseConfig(readFileSync(path, 'utf8'), { name: path })
    const tags = [...instances.all, ...nodes.all].flatMap((object) => object.tags)
    return new Set(tags.filter((tag) => /^t\d+$/.test(tag) && !['tag1', 'tag2'].includes(tag)))
  }

  async #jobs(): Promise<Map<number, JsonObject>> {
    const jobs = (await this.#ask('GET', '/2/jobs?bulk=1')) as unknown as readonly JsonObject[]
    return new Map(jobs.map((job) => [Number(job.id), job]))
  }

  async #ask(method: string, path: string): Promise<Json> {
    const asked = request(this.#root.origin + path, { method, auth: 'w:pw', agent: this.#agent })
    asked.end()
    const [response] = await once(asked, 'response')
    return parseJson(await text(response))
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }
}

const INSTANCES = ['web', 'mail', 'db', 'windows', 'build', 'router', 'ghost', 'retired'].map(
  (name) => `${name}.example.com`,
)
const NODES = [1, 2, 3, 4, 5].map((number) => `node${number}.example.com`)

for (let cluster = 1; cluster <= CLUSTERS; cluster++) {
  // Few in the usual tests; `npm run test:crash` tries in earnest.
  const kills = Math.ceil((KILLS || 6) / CLUSTERS)
  t.test(`cluster ${cluster}: ${kills} times killed, nothing is lost`, { timeout: 1_800_000 }, async (t) => {
    const root = new DaemonRoot(t.testdir())
    t.teardown(() => root.end())
    root.fill('w pw write\n', { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
    const trial = new Trial(root, Number(process.env.GANETI_RAPI_TEST_SEED ?? 1) * 100 + cluster)
    for (let kill = 0; kill < kills; kill++) await trial.life(t)
    t.comment(`${trial.jobs} jobs`)
    t.ok(trial.jobs > 0)
    // A life without a killing at its end.
    const before = root.logLines.length
    root.spawn('-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0')
    await root.logged(/Listening on/, before)
    await trial.check(t)
  })
}
t.jobs = CLUSTERS
