/** The changes between two states of all objects of a kind, as events. */
import type { Json, JsonObject } from '../json/json.ts'
import { type Event, NO_OBJECTS, type ObjectKind, type Objects } from './event.ts'

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

/** How an object that was found is told: what became of it, or that it is there. */
type Change = 'added' | 'changed' | 'removed' | 'renamed' | 'present'

/** Yields between small steps (time slicing), and gives the events. */
export function* objectChanges<T extends ListedObject>(
  kind: ObjectKind,
  before: Listing<T>,
  after: Listing<T>,
  isSame: (one: T, other: T) => boolean,
): Generator<void, Event[]> {
  const events: Event[] = []
  for (const [uuid, was] of before) {
    if (!after.has(uuid)) events.push(objectEvent(kind, 'removed', was))
    yield
  }
  for (const [uuid, now] of after) {
    const was = before.get(uuid)
    if (!was) events.push(objectEvent(kind, 'added', now))
    else if (was.name !== now.name) events.push(objectEvent(kind, 'renamed', now, was.name))
    else if (was !== now && !isSame(was, now)) events.push(objectEvent(kind, 'changed', now))
    yield
  }
  return events
}

/** @param previous the name before, if it was renamed */
export function objectEvent(
  kind: ObjectKind,
  change: Change,
  { name, uuid, serial_no, mtime }: ListedObject,
  previous?: string,
): Event {
  const data: JsonObject = {
    ...{ change, name, uuid, serial_no, mtime },
    ...(previous !== undefined && { previous }),
  }
  const list = LISTS[kind]
  const names = previous === undefined ? [name] : [name, previous]
  return { type: kind, data, objects: list ? { ...NO_OBJECTS, [list]: names } : NO_OBJECTS }
}
