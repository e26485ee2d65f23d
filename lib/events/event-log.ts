/**
 * The events of the last minutes (a ring buffer), in the order in which they
 * happened, so that a client that was cut off can go on where it was. Each is
 * encoded once, however many are told of it.
 *
 * The number in an id counts events; its time tells what another daemon, or this
 * one after a restart, must tell again: everything that happened up to then was
 * told before.
 */
import { randomBytes } from 'node:crypto'
import { type Event, frameOf } from './event.ts'

/** How much is kept at least, in milliseconds and events, unless that is more than may be kept. */
const KEPT_MILLISECONDS = 10 * 60_000
const KEPT_EVENTS = 4096
/** How much may be kept. */
const MOST_EVENTS = 100_000
const MOST_BYTES = 32 * 1024 * 1024

/** Ids are short; others are no ids of ours. */
const ID = /^([\w-]{1,32})\.(\d{1,15})\.(\d{1,15})$/

export interface LoggedEvent {
  readonly number: number
  readonly id: string
  /** When it was logged, in milliseconds since 1970. */
  readonly time: number
  readonly event: Event
  readonly frame: Buffer
}

/** A place between two events: what a client knows that goes on from there. */
export interface Position {
  readonly epoch: string
  /** The number of the last event before it. */
  readonly number: number
  /** All that happened before this time was told, in milliseconds since 1970. */
  readonly time: number
}

/** Reads an id; undefined if it is none. */
export function parseId(text: string): Position | undefined {
  const [, epoch, number, time] = ID.exec(text) ?? []
  if (epoch === undefined) return undefined
  return { epoch, number: Number(number), time: Number(time) }
}

export interface EventLogOptions {
  /** The most bytes and events that are kept. */
  readonly mostBytes?: number
  readonly mostEvents?: number
  /** A clock, in milliseconds since 1970. */
  readonly now?: () => number
  /** The time for the ids of events that are logged now; default: the clock's. */
  readonly toldUpTo?: () => number
}

export class EventLog {
  /** Differs from that of every other daemon, and of this one before it was started again. */
  readonly epoch = randomBytes(6).toString('base64url')
  readonly #now: () => number
  readonly #toldUpTo: () => number
  readonly #mostBytes: number
  readonly #mostEvents: number
  #events: LoggedEvent[] = []
  /** Events before this place in the list are no longer kept. */
  #first = 0
  /** The number of the last event. */
  #last = 0
  #bytes = 0

  constructor({
    mostBytes = MOST_BYTES,
    mostEvents = MOST_EVENTS,
    now = Date.now,
    toldUpTo = now,
  }: EventLogOptions = {}) {
    this.#mostBytes = mostBytes
    this.#mostEvents = mostEvents
    this.#now = now
    this.#toldUpTo = toldUpTo
  }

  /** The number of the last event. */
  get last(): number {
    return this.#last
  }

  /** The number of the first event that is kept, or of the next one if none is. */
  get first(): number {
    return this.#last - this.size + 1
  }

  /** How many are kept. */
  get size(): number {
    return this.#events.length - this.#first
  }

  /** The bytes of those that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  append(event: Event): void {
    const number = ++this.#last
    const id = this.idAfter(number)
    const frame = frameOf(event.type, event.data, id)
    this.#events.push({ number, id, time: this.#now(), event, frame })
    this.#bytes += frame.length
    this.#forgetOld()
  }

  /** An event that is kept. @param number not less than `first`, and not more than `last` */
  at(number: number): LoggedEvent {
    return this.#events[this.#first + number - this.first] as LoggedEvent
  }

  /** The id to go on from after an event. */
  idAfter(number: number): string {
    return `${this.epoch}.${number}.${Math.floor(this.#toldUpTo())}`
  }

  /** Whether all events after a position are kept. */
  keepsAfter({ epoch, number }: Position): boolean {
    return epoch === this.epoch && number >= this.first - 1 && number <= this.#last
  }

  /** Keeps no event: what happens next is not logged. */
  clear(): void {
    this.#events = []
    this.#first = 0
    this.#bytes = 0
    // So that no earlier position can be gone on from.
    this.#last++
  }

  #forgetOld(): void {
    const since = this.#now() - KEPT_MILLISECONDS
    for (;;) {
      const oldest = this.#events[this.#first]
      if (!oldest) break
      const isTooMuch = this.size > this.#mostEvents || this.#bytes > this.#mostBytes
      if (!isTooMuch && (oldest.time >= since || this.size <= KEPT_EVENTS)) break
      this.#bytes -= oldest.frame.length
      this.#first++
    }
    if (this.#first > 1024 && this.#first > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }
}
