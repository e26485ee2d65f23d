/**
 * One client that is told what happens: first how it comes about that it is told
 * that, and where that matters the present, then what happens from then on.
 *
 * A listener has no queue of its own: it is a position in the log, from which it
 * is written as much as its client takes (backpressure). One that is so slow
 * that the log forgets what it has not been told yet is ended; so none makes the
 * daemon keep anything, or delays another. Who is ended may come again with the
 * id of the last event.
 */
import type { JsonObject } from '../json/json.ts'
import { type Event, frameOf, presentFrame } from './event.ts'
import type { EventLog } from './event-log.ts'
import { isEnd } from './jobs.ts'
import type { View, Wanted } from './view.ts'

/** Why a client is not told any more. */
export type Ending = 'shutdown' | 'failover' | 'rights' | 'slow' | 'busy' | 'done'

/** Where a listener is written; see message.ts. */
export interface Client {
  readonly pending: number
  write(bytes: Buffer, taken?: () => void): void
  end(): void
}

/** No more is written to a client that has not taken so many bytes yet. */
const MOST_PENDING = 256 * 1024
/** How much is written at a time. */
const PIECE = 64 * 1024

const NOTHING = Buffer.alloc(0)
const HEARTBEAT = Buffer.from(':\n\n')

/** How a listener begins. */
export interface Beginning {
  readonly hello: JsonObject
  /** Why what happened before cannot be told. */
  readonly reset?: JsonObject
  /** Events of the present, and the number of the last event that is part of it. */
  readonly present: Iterable<Event>
  readonly position: number
  /** Jobs without which it ends, once they have ended. */
  readonly until?: ReadonlySet<number>
}

/** Puts together what all listeners with a view are told; made once for them. */
export type Pieces = (from: number, to: number, view: View) => Buffer

export class Listener {
  readonly wanted: Wanted
  readonly #log: EventLog
  readonly #client: Client
  readonly #pieces: Pieces
  #view: View
  #beginning: Iterator<Buffer> | undefined
  /** The number of the last event that it was told; undefined before it begins. */
  #position: number | undefined
  /** Of the jobs without which it ends, those that it was not told the end of. */
  #until: Set<number> | undefined
  #isHeld = false
  #isBlocked = false
  #ending: Ending | undefined
  #isOver = false
  #lastWritten: number

  constructor(
    wanted: Wanted,
    view: View,
    { log, client, pieces, now }: { log: EventLog; client: Client; pieces: Pieces; now: number },
  ) {
    this.wanted = wanted
    this.#view = view
    this.#log = log
    this.#client = client
    this.#pieces = pieces
    this.#lastWritten = now
  }

  get view(): View {
    return this.#view
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Why it was ended; undefined if it was not, or the client has left. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  begin(beginning: Beginning): void {
    this.#beginning = framesOf(beginning, this.#view, (position) => this.#log.idAfter(position))
    this.#position = beginning.position
    this.#until = beginning.until && new Set(beginning.until)
  }

  /** Tells nothing until it is released, as it may have lost its rights. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
  }

  /**
   * Writes what the client can take, a piece at a time.
   * @param now on a monotonic clock, in milliseconds
   * @param unblocked called when a client that could not take more can again
   * @returns whether there may be more to write at once
   */
  advance(now: number, unblocked: () => void): boolean {
    if (this.#isOver || this.#isHeld || this.#isBlocked || this.#position === undefined) return false
    if (this.#position < this.#log.first - 1) {
      this.end('slow')
      return false
    }
    const piece = this.#next()
    if (piece.length === 0) {
      if (this.#until?.size === 0 && !this.#beginning) this.end('done')
      return this.#hasMore && !this.#isOver
    }
    this.#lastWritten = now
    if (this.#client.pending + piece.length < MOST_PENDING) {
      this.#client.write(piece)
      return this.#hasMore
    }
    this.#isBlocked = true
    this.#client.write(piece, () => {
      this.#isBlocked = false
      unblocked()
    })
    return false
  }

  get #hasMore(): boolean {
    return this.#beginning !== undefined || this.#position !== this.#log.last || this.#until?.size === 0
  }

  #noteEnded(until: Set<number>, from: number, to: number): void {
    for (let number = from + 1; number <= to; number++) {
      const { event } = this.#log.at(number)
      if (isEnd(event)) until.delete(event.job as number)
    }
  }

  /** The next piece to write; empty if it was told everything, or what happened is not for it. */
  #next(): Buffer {
    if (this.#beginning) {
      const frames: Buffer[] = []
      for (let bytes = 0; bytes < PIECE; ) {
        const { done, value } = this.#beginning.next()
        if (done) {
          this.#beginning = undefined
          break
        }
        frames.push(value)
        bytes += value.length
      }
      return Buffer.concat(frames)
    }
    const [from, last] = [this.#position as number, this.#log.last]
    let to = from
    for (let bytes = 0; to < last && bytes < PIECE; to++) bytes += this.#log.at(to + 1).frame.length
    this.#position = to
    if (this.#until) this.#noteEnded(this.#until, from, to)
    return from === to ? NOTHING : this.#pieces(from, to, this.#view)
  }

  /**
   * Writes a comment if nothing was written for some time. With it goes the id of what happened last, which may not
   * have been for this listener: so it need not go on from long ago when it comes again.
   * @param now as for `advance`
   */
  beat(now: number): void {
    if (this.#isOver || now - this.#lastWritten < this.wanted.heartbeat * 1000) return
    this.#lastWritten = now
    if (this.#client.pending > 0) return
    const wasToldAll = this.#position !== undefined && !this.#hasMore && !this.#isHeld
    this.#client.write(
      wasToldAll ? Buffer.from(`:\nid: ${this.#log.idAfter(this.#log.last)}\n\n`) : HEARTBEAT,
    )
  }

  /** Ends it, with a last word. */
  end(reason: Ending): void {
    if (this.#isOver) return
    this.#ending = reason
    this.#client.write(frameOf('end', { reason }))
    this.#client.end()
    this.left()
  }

  /** The client has left. */
  left(): void {
    this.#isOver = true
  }
}

/** What a listener is told at first. */
function* framesOf(
  { hello, reset, present, position }: Beginning,
  view: View,
  idAfter: (position: number) => string,
): Generator<Buffer, undefined> {
  const id = idAfter(position)
  yield frameOf('hello', hello)
  if (reset) yield frameOf('reset', reset)
  for (const event of present) {
    const shown = view.shown(event)
    if (shown) yield presentFrame(shown)
  }
  // Only now: who is cut off before is told all of it again.
  yield frameOf('ready', {}, id)
}
