/**
 * What happens in a cluster, as clients are told of it, and its form in a stream
 * of server-sent events (the HTML standard's `text/event-stream`):
 *
 *     id: EPOCH.SEQ.MS       only where a client may go on from
 *     event: TYPE
 *     data: JSON             one line
 */
import { type JsonObject, stringifyJson } from '../json/json.ts'

/** The types that a client chooses from. */
export const EVENT_TYPES = [
  'job',
  'joblog',
  'instance',
  'node',
  'group',
  'network',
  'cluster',
  'state',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

/** Kinds of objects whose changes are told. */
export type ObjectKind = 'instance' | 'node' | 'group' | 'network' | 'cluster'

/** The names of the objects that an event is about. */
export interface Objects {
  readonly instances: readonly string[]
  readonly nodes: readonly string[]
  readonly groups: readonly string[]
  readonly networks: readonly string[]
}

export const NO_OBJECTS: Objects = { instances: [], nodes: [], groups: [], networks: [] }

export interface Event {
  /** `master` is of type `cluster` for those who choose. */
  readonly type: EventType | 'master'
  readonly data: JsonObject
  /** The job that it is about. */
  readonly job?: number
  readonly objects: Objects
}

/** The form of an event without an id: a client that is cut off after it goes on from an earlier one. */
export function frameOf(type: string, data: JsonObject): Buffer {
  return Buffer.from(`event: ${type}\ndata: ${stringifyJson(data)}\n\n`)
}

/** Frames of events of the present, which many listeners are told. */
const FRAMES = new WeakMap<Event, Buffer>()

/** The form of an event of the present; made once. */
export function presentFrame(event: Event): Buffer {
  const known = FRAMES.get(event)
  if (known) return known
  const frame = frameOf(event.type, event.data)
  FRAMES.set(event, frame)
  return frame
}
