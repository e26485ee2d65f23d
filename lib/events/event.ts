/**
 * What happens in a cluster, as clients are told of it, and its form in a stream
 * of server-sent events (the HTML standard's `text/event-stream`):
 *
 *     id: EPOCH.SEQ.MS       only where a client may go on from
 *     event: TYPE
 *     data: JSON             one line
 */
import type { Thing } from '../backend/scoped/things.ts'
import { type JsonObject, stringifyJson } from '../json/json.ts'
import type { JobSubject } from './job-subject.ts'
import type { Objects } from './objects.ts'

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

export interface Event {
  /** `master` is of type `cluster` for those who choose. */
  readonly type: EventType | 'master'
  readonly data: JsonObject
  /** The job that it is about. */
  readonly job?: number
  readonly objects: Objects
  /** For an event of a job: whose it is, and what it is about. */
  readonly subject?: JobSubject | undefined
  /** For an event of an instance or a node: what selectors look at. */
  readonly things?: Things
}

/** An object before and after an event; undefined where it was not there, or of which nothing is known. */
export interface Things {
  readonly before?: Thing | undefined
  readonly after?: Thing | undefined
}

/** The form of an event. A client that is cut off after one without an id goes on from an earlier one. */
export function frameOf(type: string, data: JsonObject, id?: string): Buffer {
  const head = id === undefined ? '' : `id: ${id}\n`
  return Buffer.from(`${head}event: ${type}\ndata: ${stringifyJson(data)}\n\n`)
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
