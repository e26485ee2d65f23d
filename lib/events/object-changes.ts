/** The changes between two states of all objects of a kind, as events. */
import type { Thing } from '../backend/scoped/things.ts'
import type { Json, JsonObject } from '../json/json.ts'
import type { Event, ObjectKind, Things } from './event.ts'
import { NO_OBJECTS, type Objects } from './objects.ts'

export interface ListedObject {
  readonly uuid: string
  readonly name: string
  /** Null if that is unknown. */
  readonly serial_no: Json
  readonly mtime: Json
}

/** The objects of a kind by their UUID. */
export type Listing<T extends ListedObject = ListedObject> = ReadonlyMap<string, T>

const LISTS: { readonly [kind in ObjectKind]?: keyof Objects } = {
  instance: 'instances',
  node: 'nodes',
  group: 'groups',
  network: 'networks',
}

/** How an object is told: what became of it, or that it is there. */
type Change = 'added' | 'changed' | 'removed' | 'renamed' | 'present'

/** What a comparison needs to know of objects. */
export interface Comparison<T extends ListedObject> {
  isSame(before: T, after: T): boolean
  /** What selectors look at, in the state before and in the one after. */
  thingBefore(object: T): Thing | undefined
  thingAfter(object: T): Thing | undefined
}

/** Yields between small steps (time slicing), and gives the events. */
export function* objectChanges<T extends ListedObject>(
  kind: ObjectKind,
  before: Listing<T>,
  after: Listing<T>,
  { isSame, thingBefore, thingAfter }: Comparison<T>,
): Generator<void, Event[]> {
  const events: Event[] = []
  for (const [uuid, was] of before) {
    if (!after.has(uuid)) events.push(objectEvent(kind, 'removed', was, { before: thingBefore(was) }))
    yield
  }
  for (const [uuid, now] of after) {
    const was = before.get(uuid)
    if (!was) events.push(objectEvent(kind, 'added', now, { after: thingAfter(now) }))
    else if (was !== now && (was.name !== now.name || !isSame(was, now))) {
      const things = { before: thingBefore(was), after: thingAfter(now) }
      events.push(changeEvent(kind, was, now, things))
    }
    yield
  }
  return events
}

/** The event for an object that is another one than before. */
export function changeEvent(
  kind: ObjectKind,
  { name }: ListedObject,
  now: ListedObject,
  things: Things,
): Event {
  return name === now.name
    ? objectEvent(kind, 'changed', now, things)
    : objectEvent(kind, 'renamed', now, things, name)
}

/** @param previous the name before, if it was renamed */
export function objectEvent(
  kind: ObjectKind,
  change: Change,
  { name, uuid, serial_no, mtime }: ListedObject,
  things: Things,
  previous?: string,
): Event {
  const data: JsonObject = {
    ...{ change, name, uuid, serial_no, mtime },
    ...(previous !== undefined && { previous }),
  }
  const list = LISTS[kind]
  const names = previous === undefined ? [name] : [name, previous]
  return { type: kind, data, objects: list ? { ...NO_OBJECTS, [list]: names } : NO_OBJECTS, things }
}

/** An event as it is for those who did not see the object before, or do not see it any more. */
export function asSeen(event: Event, change: 'added' | 'removed'): Event {
  const { previous, ...data } = event.data
  const name = change === 'removed' ? (previous ?? data.name ?? null) : (data.name ?? null)
  return { ...event, data: { ...data, change, name } }
}
