/**
 * One cluster whose daemon is killed again and again while clients change the
 * cluster and a person edits its file, and what must be true after each kill.
 *
 * Nothing is remembered of what requests meant: jobs that the daemon lists as
 * successful and edits of the person, in the order of their times, say what
 * the cluster must be (known.ts), and the file must be just that.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  watch,
  writeSync,
} from 'node:fs'
import { Agent, request } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { readJournal } from '../../lib/backend/config-file/jobs/read-journal.ts'
import { hashOf } from '../../lib/backend/config-file/state/text-hash.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../lib/json/json.ts'
import { isFinal, statusOf } from '../../lib/model/job.ts'
import { Random } from '../fuzz/random.ts'
import { type DaemonRoot, outcome, replaceFile } from '../support/daemon-root.ts'
import { parseConfig } from '../support/read-cluster.ts'
import { differences, type Known, knownOf, take } from './known.ts'
import { brokenText, type PersonsEdit, personsEdit } from './person.ts'
import { type Asked, randomRequest } from './requests.ts'

const CLIENTS = 4
/** Milliseconds that a daemon may live after its first answer. */
const LONGEST_LIFE = 250
/** Milliseconds after which it is killed though what was waited for has not come. */
const PATIENCE = 400
/** Requests in one life: beyond some thousands, finished jobs would leave the queue. */
const MOST_REQUESTS = 40
/** What a failure shows of what was asked last. */
const SHOWN = 40

const FINAL = ['success', 'error', 'canceled']
/** What an opcode that was interrupted ends with. */
const INTERRUPTED = ['OpExecError', ['Unclean master daemon shutdown']]
const ARGUMENTS = ['-f', '--no-ssl', '-b', '127.0.0.1', '-p', '0']
/** Older than anything that a daemon could be at work on. */
const LONG_AGO = 3600

/** When to kill: after some time, or once something has happened. */
type Moment = 'starting' | 'replaying' | 'any' | 'writing' | 'renaming' | 'journaling'

interface Job {
  readonly id: number
  readonly status: string
  readonly ops: readonly JsonObject[]
  readonly opstatus: readonly string[]
  readonly opresult: readonly Json[]
  readonly received: string
  readonly ended: string
  /** Seconds since the epoch, by opcode. */
  readonly opend: readonly number[]
}

/** An edit, when it was made, and whether the daemon may just have looked for the last time whether there was one. */
interface Edited extends PersonsEdit {
  readonly time: number
  readonly risky: boolean
  /** Of the text that was edited. */
  readonly before: string
}

export class Trial {
  readonly counts = {
    edits: 0,
    /** Of these, between the daemon's last look and its renaming, which no system call could prevent. */
    overwritten: 0,
    risky: 0,
    refusedStarts: 0,
    keptStates: 0,
    interrupted: 0,
    moments: {} as Record<string, number>,
    kinds: {} as Record<string, number>,
  }
  readonly #root: DaemonRoot
  readonly #random: Random
  readonly #agent = new Agent({ keepAlive: true })
  /** What has been told of jobs: all of it once it was final. */
  readonly #told = new Map<number, Partial<Pick<Job, 'status' | 'received' | 'ended'>>>()
  /** Jobs that the journal says were running at a death. */
  readonly #killed = new Set<number>()
  /** Jobs that a client saw running, of those that take time. */
  readonly #seenRunning = new Set<number>()
  readonly #filters = new Set<string>()
  readonly #timed: readonly string[]
  readonly #initial: Known
  #known: Known
  readonly #edits: Edited[] = []
  /** Of every text that was ever in the file. */
  readonly #texts = new Set<string>()
  /** Hashes of texts that the daemon has replaced, or was about to. */
  readonly #replaced = new Set<string>()
  readonly #asked: string[] = []
  /** The text to come back to, where the daemon was killed with a broken one. */
  #mended: string | undefined
  /** New files of the cluster that the last death left. */
  #leftovers: readonly string[] = []
  #number = 0
  #lastId = 0
  /** Of the requests of this life. */
  #left = 0

  constructor(root: DaemonRoot, seed: number) {
    this.#root = root
    this.#random = new Random(seed)
    const config = parseConfig(this.#file, { name: root.clusterYaml })
    this.#timed = Object.keys(config.jobTime)
    this.#initial = knownOf(config)
    this.#known = this.#initial
    this.#texts.add(hashOf(this.#file))
  }

  get jobs(): number {
    return this.#told.size
  }

  /** The last requests and edits. */
  get asked(): readonly string[] {
    return this.#asked.slice(-SHOWN)
  }

  get #file(): string {
    return readFileSync(this.#root.clusterYaml, 'utf8')
  }

  get #folder(): string {
    return dirname(this.#root.clusterYaml)
  }

  get #queue(): string {
    return `${this.#root.clusterYaml}.queue`
  }

  /** One life of the daemon: check what the last one left, then change things until it is killed. */
  async life(t: Test): Promise<void> {
    const first = this.#told.size === 0
    const moments: Moment[] = ['any', 'any', 'any', 'writing', 'writing', 'renaming', 'journaling']
    const early = !first && this.#random.chance(0.12)
    const moment = early ? this.#random.pick<Moment>(['starting', 'replaying']) : this.#random.pick(moments)
    this.counts.moments[moment] = (this.counts.moments[moment] ?? 0) + 1
    this.#note(`life, killed when ${moment}`)
    const before = this.#root.logLines.length
    const daemon = this.#root.spawn(...ARGUMENTS)
    const ended = once(daemon, 'exit')
    if (early) {
      await Promise.race([this.#until(moment), ended])
      daemon.kill('SIGKILL')
    } else {
      await Promise.race([this.#root.logged(/Listening on/, before), ended])
      if (daemon.exitCode !== null) throw new Error(`the daemon ended by itself:\n${this.#root.logText}`)
      await this.check(t)
      this.#left = MOST_REQUESTS
      const clients = Array.from({ length: CLIENTS }, () => this.#change(t).catch(() => {}))
      if (first) while (this.#told.size === 0) await delay(10)
      const person = this.#random.chance(0.6) ? this.#editWhile(t, daemon) : undefined
      await person
      await this.#until(moment)
      daemon.kill('SIGKILL')
      await Promise.all(clients)
    }
    await ended
    this.#agent.destroy()
    await this.#autopsy(t)
    if (this.#random.chance(0.3)) await this.#editBetween(t)
  }

  #note(what: string): void {
    this.#asked.push(`${new Date().toISOString().slice(14)} ${what}`)
  }

  /** Waits for the moment to kill. */
  async #until(moment: Moment): Promise<void> {
    if (moment === 'any') return void (await delay(this.#random.below(LONGEST_LIFE)))
    if (moment === 'starting') return void (await delay(this.#random.below(PATIENCE)))
    const inQueue = moment === 'replaying' || moment === 'journaling'
    const happened = {
      replaying: (name: string) => name.endsWith('.new') || name.startsWith('journal'),
      journaling: (name: string) => name.startsWith('journal'),
      writing: (name: string) => name.endsWith('.new'),
      renaming: (name: string) => name === 'cluster.yaml',
    }[moment]
    let passed = this.#random.below(12)
    const abort = new AbortController()
    await new Promise<void>((resolve) => {
      const watcher = watch(inQueue ? this.#queue : this.#folder, (_event, name) => {
        if (name && happened(name) && (moment === 'replaying' || passed-- <= 0)) resolve()
      })
      abort.signal.addEventListener('abort', () => watcher.close())
      delay(PATIENCE, undefined, { signal: abort.signal }).then(resolve, () => {})
    })
    abort.abort()
  }

  // Clients

  /** Asks for one thing after the other, until nobody answers any more. */
  async #change(t: Test): Promise<void> {
    while (this.#left-- > 0) {
      const around = { random: this.#random, known: this.#known, fresh: () => ++this.#number }
      const asked = randomRequest(around)
      const { method, path, body } = this.#perhapsDependent(asked)
      this.#note(`${method} ${path} ${JSON.stringify(body)}`)
      const answer = await this.#ask(method, path, body)
      if (path === '/2/filters' && typeof answer === 'string') this.#filters.add(answer)
      if (typeof answer !== 'number') continue
      if (this.#told.has(answer)) t.fail(`the id ${answer} is given again`)
      if (answer <= this.#lastId - CLIENTS * 10) t.fail(`the id ${answer} comes after ${this.#lastId}`)
      this.#lastId = Math.max(this.#lastId, answer)
      this.#told.set(answer, {})
      this.#note(`is job ${answer}`)
      await this.#follow(answer)
    }
  }

  #perhapsDependent({ method, path, body }: Asked): Asked {
    const [other] = [...this.#told.keys()].slice(-1)
    if (other === undefined || !isJsonObject(body) || !this.#random.chance(0.05))
      return { method, path, ...(body !== undefined && { body }) }
    if (path.startsWith('/2/query') || path.startsWith('/2/filters')) return { method, path, body }
    return { method, path, body: { ...body, depends: [[other, []]] } }
  }

  async #follow(id: number): Promise<void> {
    const choice = this.#random.below(10)
    if (choice < 5) return
    if (choice === 5) {
      const answer = await this.#ask('DELETE', `/2/jobs/${id}`)
      // Of one that waits for locks it says only that it will be.
      if (Array.isArray(answer) && answer[0] === true && answer[1] === `Dequeued job ${id}`)
        this.#told.set(id, { status: 'canceled' })
      return
    }
    const job = await this.#ask('GET', `/2/jobs/${id}`)
    const [op] = isJsonObject(job) ? ((job.ops ?? []) as unknown as readonly JsonObject[]) : []
    if (isJsonObject(job) && job.status === 'running' && this.#timed.includes(String(op?.OP_ID)))
      this.#seenRunning.add(id)
    if (!isJsonObject(job) || !FINAL.includes(String(job.status))) return
    this.#told.set(id, {
      status: String(job.status),
      received: JSON.stringify(job.received_ts),
      ended: JSON.stringify(job.end_ts),
    })
  }

  async #ask(method: string, path: string, body?: Json): Promise<Json> {
    const asked = request(this.#root.origin + path, {
      method,
      auth: 'w:pw',
      agent: this.#agent,
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' } }),
    })
    asked.end(body === undefined ? undefined : JSON.stringify(body))
    const [response] = await once(asked, 'response')
    return parseJson(await text(response))
  }

  // The person

  /** Keeps a daemon from doing anything meanwhile. */
  #stopped<T>(daemon: ChildProcess | undefined, act: () => T): T | undefined {
    if (!daemon?.pid) return act()
    if (daemon.exitCode !== null || daemon.signalCode !== null) return undefined
    daemon.kill('SIGSTOP')
    while (!/^State:\s+[TZ]/m.test(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')));
    try {
      return act()
    } finally {
      daemon.kill('SIGCONT')
    }
  }

  get #temporaries(): string[] {
    return readdirSync(this.#folder).filter((name) => /^\.cluster\.yaml\..*new$/.test(name))
  }

  async #editWhile(t: Test, daemon: ChildProcess): Promise<void> {
    await delay(this.#random.below(LONGEST_LIFE / 2))
    const choice = this.#random.below(10)
    if (choice < 5) this.#stopped(daemon, () => this.#edit((path, edited) => replaceFile(path, edited)))
    else if (choice < 7) await this.#editInPlace(daemon)
    else await this.#breakWhile(t, daemon)
  }

  async #editBetween(t: Test): Promise<void> {
    const choice = this.#random.below(10)
    if (choice < 7) this.#edit((path, edited) => replaceFile(path, edited))
    else await this.#breakBetween(t, this.#file)
  }

  #edit(write: (path: string, edited: string) => void): void {
    const before = this.#file
    const edit = personsEdit(before, this.#random, ++this.#number)
    this.#record(edit, before)
    write(this.#root.clusterYaml, edit.text)
  }

  #record(edit: PersonsEdit, before: string): void {
    const risky = this.#temporaries.length > 0
    const time = (performance.timeOrigin + performance.now()) / 1000
    this.#note(`the person writes ${edit.mark}${edit.at === undefined ? '' : ` at ${edit.at}`}`)
    this.counts.edits++
    if (risky) this.counts.risky++
    this.#edits.push({ ...edit, time, risky, before: hashOf(before) })
    this.#texts.add(hashOf(edit.text))
  }

  /** Empties the file, and a moment later writes it; killed between these, the daemon is started by the next life. */
  async #editInPlace(daemon: ChildProcess): Promise<void> {
    let file: number | undefined
    let edited = ''
    this.#stopped(daemon, () => {
      this.#edit((path, wanted) => {
        file = openSync(path, 'r+')
        ftruncateSync(file)
        edited = wanted
      })
    })
    if (file === undefined) return
    await delay(this.#random.below(30))
    writeSync(file, edited)
    closeSync(file)
  }

  /** Leaves the file broken for a moment: the daemon says so, and goes on with what it has. */
  async #breakWhile(t: Test, daemon: ChildProcess): Promise<void> {
    const from = this.#root.logLines.length
    let good = ''
    let broken = ''
    const risky = this.#stopped(daemon, () => {
      good = this.#file
      broken = brokenText(good, this.#random)
      const found = this.#temporaries.length > 0
      replaceFile(this.#root.clusterYaml, broken)
      return found
    })
    if (risky === undefined) return
    this.#note(`the person leaves a broken file of ${broken.length} characters`)
    this.#texts.add(hashOf(broken))
    for (;;) {
      if (this.#root.logLines.slice(from).some((line) => line.includes('keeping what was loaded before')))
        break
      // Written over in the very moment between look and renaming.
      if (risky && this.#file !== broken) return
      if (daemon.exitCode !== null) throw new Error('a broken file ends the daemon')
      await delay(10)
    }
    const listed = (await this.#ask('GET', '/2/instances')) as unknown as readonly { id: string }[]
    const wanted = Object.keys(knownOf(parseConfig(good, { name: 'good' })).instances)
    t.strictSame(new Set(listed.map(({ id }) => id)), new Set(wanted), 'the old state is kept')
    t.equal(this.#file, broken, 'a broken file is left alone')
    this.counts.keptStates++
    if (this.#random.chance(0.5)) {
      this.#mended = good
      return
    }
    this.#mend(good)
  }

  async #breakBetween(t: Test, good: string): Promise<void> {
    const broken = brokenText(good, this.#random)
    this.#texts.add(hashOf(broken))
    replaceFile(this.#root.clusterYaml, broken)
    await this.#refuses(t, broken)
    this.#mend(good)
  }

  /** A start that refuses the file and leaves everything as it is. */
  async #refuses(t: Test, broken: string): Promise<void> {
    const queue = existsSync(this.#queue) ? readdirSync(this.#queue) : []
    const { status, stderr } = await outcome(this.#root.spawn(...ARGUMENTS))
    t.equal(status, 1, 'a broken file is refused')
    t.match(stderr, 'cluster.yaml', 'with the reason')
    t.equal(this.#file, broken, 'and left as it is')
    t.strictSame(existsSync(this.#queue) ? readdirSync(this.#queue) : [], queue, 'so is the queue')
    this.counts.refusedStarts++
  }

  #mend(good: string): void {
    const edit = personsEdit(good, this.#random, ++this.#number)
    this.#record(edit, good)
    replaceFile(this.#root.clusterYaml, edit.text)
  }

  // What is left

  /** Looks at what a dead daemon has left. */
  async #autopsy(t: Test): Promise<void> {
    if (this.#mended !== undefined) {
      await this.#refuses(t, this.#file)
      this.#mend(this.#mended)
      this.#mended = undefined
    }
    for (const name of existsSync(this.#queue) ? readdirSync(this.#queue) : []) {
      const lines = readFileSync(join(this.#queue, name), 'utf8').split('\n')
      for (const line of lines) {
        const [, before, after] = /^\{"write":\{"before":"(\w+)","after":"(\w+)"/.exec(line) ?? []
        if (before) this.#replaced.add(before)
        if (after) this.#texts.add(after)
      }
      if (name.startsWith('archive')) for (const line of lines.slice(0, -1)) parseJson(line)
    }
    const now = this.#file
    t.ok(this.#texts.has(hashOf(now)), 'the file is one that somebody wrote, whole')
    parseConfig(now, { name: this.#root.clusterYaml })
    const { jobs, open } = await readJournal(this.#queue)
    const undecided = new Set(open?.jobs.map(({ id }) => id))
    for (const job of jobs.values()) {
      if (statusOf(job) !== 'running' || undecided.has(job.id)) continue
      this.#killed.add(job.id)
      this.counts.interrupted++
    }
    for (const id of this.#seenRunning) {
      const job = jobs.get(id)
      if (job && statusOf(job) === 'queued' && !undecided.has(id))
        t.fail(`job ${id} was running, and would run again`)
    }
    for (const [id, told] of this.#told) {
      const job = jobs.get(id)
      if (!job) t.fail(`job ${id} is not in the journal`)
      else if (told.status !== undefined && !undecided.has(id) && !isFinal(statusOf(job)))
        t.fail(`job ${id} was said to have ended, and has not`)
    }
    // Whatever it was at work on, nobody is any more.
    const old = Date.now() / 1000 - LONG_AGO
    this.#leftovers = this.#temporaries
    for (const name of this.#leftovers) utimesSync(join(this.#folder, name), old, old)
  }

  /** Compares what the daemon says now with what it has said, and the file with both. */
  async check(t: Test): Promise<void> {
    const left = this.#temporaries.filter((name) => this.#leftovers.includes(name))
    t.strictSame(left, [], 'nothing is left beside the file')
    for (;;) {
      const { data } = (await this.#ask('GET', '/2/query/job?fields=status')) as unknown as {
        data: readonly (readonly (readonly [number, string])[])[]
      }
      if (data.every(([status]) => FINAL.includes(String(status?.[1])))) break
      await delay(10)
    }
    const jobs = await this.#jobs()
    for (const [id, told] of this.#told) {
      const job = jobs.get(id)
      if (!job) t.fail(`job ${id} is lost`)
      else {
        for (const key of ['status', 'received', 'ended'] as const)
          if (told[key] !== undefined && told[key] !== job[key])
            t.equal(job[key], told[key], `${key} of job ${id}`)
        this.#told.set(id, { status: job.status, received: job.received, ended: job.ended })
      }
    }
    for (const id of jobs.keys()) this.#lastId = Math.max(this.#lastId, id)
    for (const id of this.#killed) {
      const job = jobs.get(id)
      const words = job?.opresult.find((_, index) => job.opstatus[index] === 'error')
      if (job?.status !== 'error' || JSON.stringify(words) !== JSON.stringify(INTERRUPTED))
        t.strictSame([job?.status, words], ['error', INTERRUPTED], `job ${id} was running`)
    }
    this.#checkFile(t, [...jobs.values()])
    const { filters } = parseConfig(this.#file, { name: this.#root.clusterYaml })
    for (const uuid of this.#filters)
      if (filters.every((rule) => rule.uuid !== uuid)) t.fail(`the filter ${uuid} is lost`)
  }

  #checkFile(t: Test, jobs: readonly Job[]): void {
    const now = this.#file
    for (const edit of [...this.#edits]) {
      if (
        now.includes(edit.mark) ||
        !edit.risky ||
        !this.#replaced.has(edit.before) ||
        edit !== this.#edits.at(-1)
      )
        continue
      this.#edits.pop()
      this.counts.overwritten++
    }
    const wanted: Known = structuredClone(this.#initial)
    const notes = new Map<string, string>()
    this.counts.kinds = {}
    const events = this.#edits.map((edit) => ({ time: edit.time, happen: () => edit.apply(wanted) }))
    for (const { mark, at, time } of this.#edits)
      if (at !== undefined) events.push({ time, happen: () => void notes.set(mark, at) })
    for (const job of jobs) {
      for (const [index, op] of job.ops.entries()) {
        if (job.opstatus[index] !== 'success') continue
        this.counts.kinds[String(op.OP_ID)] = (this.counts.kinds[String(op.OP_ID)] ?? 0) + 1
        const happen = () => {
          take(wanted, op)
          for (const [mark, name] of notes)
            if (op.OP_ID === 'OP_INSTANCE_RENAME' && name === op.instance_name)
              notes.set(mark, String(op.new_name))
        }
        events.push({ time: job.opend[index] ?? 0, happen })
      }
    }
    for (const { happen } of events.sort((a, b) => a.time - b.time)) happen()
    this.#known = knownOf(parseConfig(now, { name: this.#root.clusterYaml }))
    const wrong = differences(this.#known, wanted)
    if (wrong.length > 0) t.fail('the file has what jobs and the person did, and nothing else', { wrong })
    for (const { mark, at } of this.#edits) {
      const owner = notes.get(mark)
      const gone = at !== undefined && (owner === undefined || !wanted.instances[owner])
      if (!now.includes(mark) && !gone) t.fail(`the person's ${mark} is lost`)
    }
  }

  async #jobs(): Promise<Map<number, Job>> {
    const fields = ['id', 'status', 'ops', 'opstatus', 'opresult', 'received_ts', 'end_ts', 'opend']
    const { data } = (await this.#ask('GET', `/2/query/job?fields=${fields}`)) as unknown as {
      data: readonly (readonly (readonly [number, never])[])[]
    }
    const jobs = data.map((row): Job => {
      const [id, status, ops, opstatus, opresult, received, ended, opend] = row.map(([, value]) => value)
      const seconds = ((opend ?? []) as readonly (readonly [number, number] | null)[]).map((time) =>
        time ? time[0] + time[1] / 1e6 : 0,
      )
      return {
        id: Number(id),
        status: String(status),
        ops: ops ?? [],
        opstatus: opstatus ?? [],
        opresult: opresult ?? [],
        received: JSON.stringify(received),
        ended: JSON.stringify(ended),
        opend: seconds,
      }
    })
    return new Map(jobs.map((job) => [job.id, job]))
  }
}
