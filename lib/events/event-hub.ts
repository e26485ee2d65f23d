/**
 * Tells many clients what happens, from one source and one log of it. The source
 * is followed from the first listener on until some minutes after the last one
 * has left, so that a client that comes again misses nothing.
 */
import { eachInSlices } from '../concurrency/time-slicing.ts'
import { messageChain } from '../failure.ts'
import { type Event, type EventType, frameOf } from './event.ts'
import { EventLog, type Position, parseId } from './event-log.ts'
import { isEnd } from './jobs.ts'
import { type Beginning, type Client, type Ending, Listener } from './listener.ts'
import type { EventSource } from './source.ts'
import type { FindThing, View, Wanted } from './view.ts'

/** How long the source is followed while nobody listens, in milliseconds. */
const LINGER = 10 * 60_000
/** How much earlier than a client's last event a job may have ended that it was not told of, in milliseconds. */
const SLACK = 60_000
/** How long to wait until the cluster is asked again that could not tell how it is, in milliseconds. */
const RETRY = 1000
/** How often it is looked who needs a heartbeat, in milliseconds. */
const BEAT = 1000
/** The longest pause between two rounds, in milliseconds. */
const LONGEST_PAUSE = 50

export interface EventHubOptions {
  readonly source: EventSource
  readonly log?: EventLog
  /** What is wrong with the source, and that it is over. */
  readonly logWarning?: (message: string) => void
  /** How long the source is followed while nobody listens, in milliseconds. */
  readonly linger?: number
}

/** Counts for metrics. */
export interface EventCounts {
  /** By reason: how many listeners were ended by the daemon. */
  readonly ended: ReadonlyMap<Ending, number>
  readonly resumed: number
  readonly reset: number
}

export class EventHub {
  readonly log: EventLog
  readonly #source: EventSource
  readonly #linger: number
  readonly #logWarning: (message: string) => void
  readonly #listeners = new Set<Listener>()
  /** By job: who is called back when it changes. */
  readonly #followers = new Map<number, Set<() => void>>()
  readonly ended = new Map<Ending, number>()
  readonly counts = { resumed: 0, reset: 0, events: 0 }
  /** Settles when the present is known; undefined while the source is not followed. */
  #begun: Promise<void> | undefined
  #beats: NodeJS.Timeout | undefined
  #leaving: NodeJS.Timeout | undefined
  /** Whether all listeners end once they were told everything. */
  #isFailover = false
  #isPumping = false
  #again = false
  /** Whether the cluster could not tell how it is when it was last asked. */
  #isAway = false
  /** What was put together last, which the next listener needs too. */
  #pieces = new Map<string, Buffer>()

  constructor({ source, log, logWarning = () => {}, linger = LINGER }: EventHubOptions) {
    this.#source = source
    this.log = log ?? new EventLog({ toldUpTo: () => source.toldUpTo })
    this.#logWarning = logWarning
    this.#linger = linger
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size
  }

  /** Finds what selectors look at, for the views of listeners. */
  get find(): FindThing {
    return (kind, name) => this.#source.find(kind, name)
  }

  /** Adds a client, which is told something once the present is known. */
  listen(wanted: Wanted, view: View, client: Client): Listener {
    const now = performance.now()
    const pieces = (from: number, to: number, view: View) => this.#piece(from, to, view)
    const listener = new Listener(wanted, view, { log: this.log, client, pieces, now })
    this.#listeners.add(listener)
    this.#stay()
    this.#beats ??= setInterval(() => this.#beat(), BEAT).unref()
    void this.#begin(listener)
    return listener
  }

  /**
   * Calls back after each event of a job, from when this is settled until what it gives is called.
   * @throws Failure if the cluster cannot be asked now
   */
  async followJob(job: number, changed: () => void): Promise<() => void> {
    const followers = this.#followers.get(job) ?? new Set()
    this.#followers.set(job, followers)
    followers.add(changed)
    this.#stay()
    const stop = () => {
      followers.delete(changed)
      if (followers.size === 0 && this.#followers.get(job) === followers) this.#followers.delete(job)
      this.#leave()
    }
    try {
      this.#begun ??= this.#beginSource()
      await this.#begun
      return stop
    } catch (error) {
      stop()
      throw error
    }
  }

  /** A client has left, or was ended. */
  remove(listener: Listener): void {
    listener.left()
    if (!this.#listeners.delete(listener)) return
    if (this.#listeners.size === 0) {
      clearInterval(this.#beats)
      this.#beats = undefined
    }
    this.#leave()
  }

  /** Somebody has come. */
  #stay(): void {
    clearTimeout(this.#leaving)
    this.#attend()
  }

  /** Somebody has left. */
  #leave(): void {
    this.#attend()
    if (this.#listeners.size > 0 || this.#followers.size > 0) return
    clearTimeout(this.#leaving)
    this.#leaving = setTimeout(() => this.#stop(), this.#linger).unref()
  }

  /** Ends a listener. */
  end(listener: Listener, reason: Ending): void {
    if (listener.isOver) return
    listener.end(reason)
    this.#count(reason)
    this.remove(listener)
  }

  /** Ends all listeners; there will be no others. */
  close(reason: Ending): void {
    for (const listener of [...this.#listeners]) this.end(listener, reason)
    clearTimeout(this.#leaving)
    this.#stop()
  }

  /** Writes to listeners again, after one was released. */
  flush(): void {
    void this.#pump()
  }

  #count(reason: Ending): void {
    this.ended.set(reason, (this.ended.get(reason) ?? 0) + 1)
  }

  #stop(): void {
    if (this.#begun) this.#source.stop()
    this.#begun = undefined
    this.log.clear()
  }

  #attend(): void {
    const types = new Set<EventType>()
    for (const { view } of this.#listeners) {
      for (const type of view.types) types.add(type)
      // What a job is about is only known with these.
      if (view.isSelective) types.add('instance').add('node')
    }
    if (this.#followers.size > 0) types.add('job').add('joblog')
    this.#source.attend(types)
  }

  /** A listener begins as soon as the cluster can tell how it is; until then its client waits. */
  async #begin(listener: Listener): Promise<void> {
    while (!listener.isOver) {
      try {
        this.#begun ??= this.#beginSource()
        await this.#begun
        const beginning = await this.#beginning(listener)
        this.#isAway = false
        listener.begin(beginning)
        void this.#pump()
        return
      } catch (error) {
        if (!this.#isAway) this.#logWarning(`Who listens to events must wait: ${messageChain(error)}`)
        this.#isAway = true
        await pause(RETRY)
      }
    }
  }

  async #beginSource(): Promise<void> {
    try {
      await this.#source.begin((event) => this.#happened(event))
    } catch (error) {
      this.#begun = undefined
      throw error
    }
  }

  async #beginning({ wanted, view }: Listener): Promise<Beginning> {
    const { log } = this
    const hello = {
      ...(view.knowsCluster && this.#source.about()),
      types: [...view.types],
      ...(view.denied.length > 0 && { denied: view.denied }),
      oldest: log.idAfter(log.first - 1),
      heartbeat: wanted.heartbeat,
    }
    const since = wanted.since === undefined ? undefined : parseId(wanted.since)
    if (since && log.keepsAfter(since)) {
      this.counts.resumed++
      const until = await this.#until(wanted, since.number)
      // It may have been forgotten meanwhile.
      if (log.keepsAfter(since)) return { hello, present: [], position: since.number, ...until }
    }
    const isAgain = wanted.since !== undefined
    if (isAgain) this.counts.reset++
    const present =
      isAgain || wanted.present
        ? await this.#source.present({
            types: view.types,
            objects: wanted.present,
            isSelective: view.isSelective,
            ...(wanted.jobs && { jobs: wanted.jobs }),
            ...(isAgain && { endedSince: (since?.time ?? 0) - SLACK }),
          })
        : []
    const until = await this.#until(wanted, log.last)
    const reset = isAgain ? { reset: { reason: reasonFor(since, log), oldest: hello.oldest } } : {}
    return { hello, ...reset, present, position: log.last, ...until }
  }

  /**
   * The jobs without which a listener ends: those that have not ended, and those whose end it is yet to be told.
   * @param from the number of the last event that it was told
   */
  async #until(
    { jobs, untilEnded }: Wanted,
    from: number,
  ): Promise<{ readonly until?: ReadonlySet<number> }> {
    if (!jobs || !untilEnded) return {}
    const present = await this.#source.present({ types: new Set(['job']), objects: false, jobs })
    const until = new Set<number>()
    for (const event of present)
      if (jobs.has(event.job as number) && !isEnd(event)) until.add(event.job as number)
    for (let number = from + 1; number <= this.log.last; number++) {
      const { event } = this.log.at(number)
      if (jobs.has(event.job as number) && isEnd(event)) until.add(event.job as number)
    }
    return { until }
  }

  #happened(event: Event): void {
    this.counts.events++
    this.log.append(event)
    if (event.job !== undefined) for (const changed of this.#followers.get(event.job) ?? []) changed()
    // Another node has what happens from now on.
    if (event.type === 'master') this.#isFailover = true
    void this.#pump()
  }

  /** What listeners with a view are told of some events; kept for the others of this round. */
  #piece(from: number, to: number, view: View): Buffer {
    const key = `${from} ${to} ${view.key}`
    const known = this.#pieces.get(key)
    if (known) return known
    const frames: Buffer[] = []
    for (let number = from + 1; number <= to; number++) {
      const { event, frame, id } = this.log.at(number)
      const shown = view.shown(event)
      if (shown === event) frames.push(frame)
      else if (shown) frames.push(frameOf(shown.type, shown.data, id))
    }
    const [first] = frames
    const piece = frames.length === 1 && first ? first : Buffer.concat(frames)
    this.#pieces.set(key, piece)
    return piece
  }

  /**
   * Writes to all listeners what they were not told yet, round after round until there is nothing more. A round is in
   * time slices, and after it there is a pause as long as it took, so that a burst of events is told in few rounds.
   */
  async #pump(): Promise<void> {
    this.#again = true
    if (this.#isPumping) return
    this.#isPumping = true
    // What happens in this turn of the event loop is told together.
    await new Promise(setImmediate)
    const unblocked = () => void this.#pump()
    while (this.#again) {
      this.#again = false
      const begun = performance.now()
      await eachInSlices([...this.#listeners], (listener) => {
        if (listener.advance(begun, unblocked)) this.#again = true
        if (listener.isOver) this.#ended(listener)
      })
      this.#pieces.clear()
      if (this.#again) await pause(Math.min(performance.now() - begun, LONGEST_PAUSE))
    }
    this.#isPumping = false
    if (this.#isFailover) for (const listener of [...this.#listeners]) this.end(listener, 'failover')
    this.#isFailover = false
  }

  /** A listener has ended itself. */
  #ended(listener: Listener): void {
    if (!this.#listeners.has(listener) || !listener.ending) return
    this.#count(listener.ending)
    this.remove(listener)
  }

  #beat(): void {
    const now = performance.now()
    for (const listener of this.#listeners) listener.beat(now)
  }
}

function reasonFor(since: Position | undefined, log: EventLog): string {
  if (!since) return 'unknown'
  return since.epoch === log.epoch ? 'too-old' : 'restarted'
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds < 1) setImmediate(resolve)
    else setTimeout(resolve, milliseconds)
  })
}
