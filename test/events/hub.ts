/** A hub with a source that does what a test says, and clients that note what they are told. */
import { EVENT_TYPES, type Event, type EventType } from '../../lib/events/event.ts'
import { EventHub } from '../../lib/events/event-hub.ts'
import { EventLog, type EventLogOptions } from '../../lib/events/event-log.ts'
import type { Client } from '../../lib/events/listener.ts'
import { NO_OBJECTS } from '../../lib/events/objects.ts'
import type { EventSource, Present } from '../../lib/events/source.ts'
import { type Sight, View, type Wanted } from '../../lib/events/view.ts'

export const ALL: Sight = sightOf(EVENT_TYPES)

/** All that there is of some types. */
export function sightOf(types: readonly EventType[]): Sight {
  return { user: 'u', types: new Map(types.map((type) => [type, []])) }
}

export const EVERYTHING: Wanted = {
  types: undefined,
  jobs: undefined,
  instance: undefined,
  untilEnded: false,
  present: false,
  since: undefined,
  heartbeat: 15,
}

export function jobEvent(id: number, status: string, instances: readonly string[] = []): Event {
  const data = { id, status, instances: [...instances] }
  return { type: 'job', data, job: id, objects: { ...NO_OBJECTS, instances } }
}

/** A source whose present is what a test puts into it. */
export class TestSource implements EventSource {
  present_: Event[] = []
  readonly asked: Present[] = []
  readonly attended: EventType[][] = []
  begun = 0
  stopped = 0
  toldUpTo = 1_700_000_000_000
  failure: Error | undefined
  emit: (event: Event) => void = () => {}

  async begin(emit: (event: Event) => void): Promise<void> {
    if (this.failure) throw this.failure
    this.begun++
    this.emit = emit
  }

  attend(types: ReadonlySet<EventType>): void {
    this.attended.push([...types].sort())
  }

  stop(): void {
    this.stopped++
    this.emit = () => {}
  }

  find = () => undefined

  about() {
    return { cluster: 'c', master: 'm' }
  }

  async present(asked: Present): Promise<Iterable<Event>> {
    this.asked.push(asked)
    if (this.failure) throw this.failure
    return this.present_
  }
}

export interface Told {
  readonly id: string | undefined
  readonly type: string | undefined
  readonly data: Record<string, unknown>
}

/** Reads a stream of events; comments are left out. */
export function parseEvents(text: string): Told[] {
  return text
    .split('\n\n')
    .map((block) => {
      const line = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      return { id: line('id'), type: line('event'), data: JSON.parse(line('data') ?? '{}') }
    })
    .filter(({ type }) => type !== undefined)
}

/** A client that takes what it is told at once, unless it is slow. */
export class TestClient implements Client {
  text = ''
  readonly writes: Buffer[] = []
  ended = false
  isSlow = false
  pending = 0
  #taken: (() => void)[] = []

  write(bytes: Buffer, taken: () => void = () => {}): void {
    if (this.ended) throw new Error('written after the end')
    this.writes.push(bytes)
    this.text += bytes.toString()
    if (!this.isSlow) {
      taken()
      return
    }
    this.pending += bytes.length
    this.#taken.push(taken)
  }

  /** Takes what is pending. */
  take(): void {
    this.pending = 0
    for (const taken of this.#taken.splice(0)) taken()
  }

  end(): void {
    this.ended = true
  }

  get told(): Told[] {
    return parseEvents(this.text)
  }

  /** What it was told, in short: the type, and of jobs id and status. */
  get short(): string[] {
    return this.told.map(({ type, data }) => {
      if (type === 'job') return `job ${data.id} ${data.status}`
      return type === 'end' || type === 'reset' ? `${type} ${data.reason}` : String(type)
    })
  }

  get lastId(): string | undefined {
    return this.told.flatMap(({ id }) => id ?? []).at(-1)
  }
}

export function testHub(options: EventLogOptions & { linger?: number } = {}) {
  const source = new TestSource()
  const log = new EventLog({ toldUpTo: () => source.toldUpTo, ...options })
  const warnings: string[] = []
  const hub = new EventHub({
    source,
    log,
    logWarning: (message) => warnings.push(message),
    ...(options.linger !== undefined && { linger: options.linger }),
  })
  const listen = (wanted: Partial<Wanted> = {}, client = new TestClient(), may = ALL) => {
    const whole = { ...EVERYTHING, ...wanted }
    return { client, listener: hub.listen(whole, new View(whole, may), client) }
  }
  return { source, log, hub, listen, warnings }
}
