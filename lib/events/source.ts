/** Where events come from: a cluster in a file, or a live one. */
import type { JsonObject } from '../json/json.ts'
import type { Event, EventType } from './event.ts'
import type { FindThing } from './view.ts'

export interface EventSource {
  /**
   * Begins to follow the cluster. It may be begun again after it was stopped.
   * @param emit gets what happens from now on
   * @throws Failure if the cluster cannot be asked now; then it may be begun again
   */
  begin(emit: (event: Event) => void): Promise<void>
  /**
   * Says what somebody listens to; nothing at first. While nobody listens, the master daemon is not asked; what
   * happens then is told later.
   */
  attend(types: ReadonlySet<EventType>): void
  stop(): void
  /** What is the same for all events: `cluster`, `master`. */
  about(): JsonObject
  /**
   * The present: events that tell how things are when this is settled.
   * @throws Failure if the cluster cannot be asked now
   */
  present(asked: Present): Promise<Iterable<Event>>
  /** What selectors look at, of an instance or a node, by its full or short name. */
  readonly find: FindThing
  /** All that happened before this time was told, in milliseconds since 1970. */
  readonly toldUpTo: number
}

/** What of the present is told. */
export interface Present {
  readonly types: ReadonlySet<EventType>
  /** Whether objects are told. */
  readonly objects: boolean
  /** Whether it is for a view that selects: what `find` finds must be known. */
  readonly isSelective?: boolean
  /** Jobs that are told though they have ended. */
  readonly jobs?: ReadonlySet<number>
  /** Since when jobs that have ended are told, in milliseconds since 1970; none unless given. */
  readonly endedSince?: number
}
