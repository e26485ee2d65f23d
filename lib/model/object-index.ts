/**
 * Look-ups over the objects of one kind: by UUID, by name, and in groups. They
 * are built in many small steps (time slicing), or made from those of an
 * earlier state at the price of what changed.
 */
import type { ObjectChanges } from './change.ts'
import { compareNicely } from './nice-sort.ts'

/** Objects of one kind, in Ganeti's natural order of names, found by UUID or by full name. */
export interface Index<T> {
  readonly all: readonly T[]
  readonly byUuid: ReadonlyMap<string, T>
  readonly byName: ReadonlyMap<string, T>
}

/** What look-ups need of an object. */
export interface Named {
  readonly uuid: string
  readonly name: string
}

/** How many objects are put into look-ups in one step: a few hundredths of a millisecond. */
const STEP = 100

/** Builds an index, with a pause for other work at each step. */
export function* buildIndex<T extends Named>(all: readonly T[]): Generator<void, Index<T>> {
  const byUuid = new Map<string, number>()
  const byName = new Map<string, number>()
  for (const [place, object] of all.entries()) {
    byUuid.set(object.uuid, place)
    byName.set(object.name, place)
    if (place % STEP === 0) yield
  }
  return { all, byUuid: new Places(byUuid, all), byName: new Places(byName, all) }
}

/** Goes through all steps at once. */
export function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Objects by a key, through their places in a list: what stays when one of
 * them is replaced by its next state, so that this costs a copy of the list
 * alone.
 */
class Places<T> implements ReadonlyMap<string, T> {
  readonly places: ReadonlyMap<string, number>
  readonly #all: readonly T[]

  constructor(places: ReadonlyMap<string, number>, all: readonly T[]) {
    this.places = places
    this.#all = all
  }

  get size(): number {
    return this.places.size
  }

  get(key: string): T | undefined {
    const place = this.places.get(key)
    return place === undefined ? undefined : this.#all[place]
  }

  has(key: string): boolean {
    return this.places.has(key)
  }

  keys(): MapIterator<string> {
    return this.places.keys()
  }

  *values(): Generator<T, undefined> {
    for (const place of this.places.values()) yield this.#all[place] as T
  }

  *entries(): Generator<[string, T], undefined> {
    for (const [key, place] of this.places) yield [key, this.#all[place] as T]
  }

  [Symbol.iterator](): Generator<[string, T], undefined> {
    return this.entries()
  }

  forEach(callback: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }
}

/** Lists of objects by each of their keys, in the order of the objects, in steps likewise. */
export function* groupedBy<T>(
  objects: readonly T[],
  keysOf: (object: T) => Iterable<string>,
): Generator<void, Map<string, T[]>> {
  const grouped = new Map<string, T[]>()
  for (const [place, object] of objects.entries()) {
    for (const key of keysOf(object)) {
      const members = grouped.get(key)
      if (members) members.push(object)
      else grouped.set(key, [object])
    }
    if (place % STEP === 0) yield
  }
  return grouped
}

/** How many objects of a kind may differ: so many are changed in a millisecond or two. */
const FEW = 100

/** The new versions among objects of which none come or go; undefined where some do, or many differ. */
export function versionsInPlace<T extends Named>(
  { all: last }: Index<T>,
  next: readonly T[],
): ObjectChanges<T> | undefined {
  if (last.length !== next.length) return undefined
  const versions = new Map<string, T>()
  let place = 0
  for (const now of next) {
    const was = last[place++]
    if (was === now) continue
    if (was?.uuid !== now.uuid || was.name !== now.name || versions.size === FEW) return undefined
    versions.set(now.uuid, now)
  }
  return versions
}

/** The index after changes; natural order stays. */
export function changeIndex<T extends Named>(
  index: Index<T>,
  changes: ObjectChanges<T> | undefined,
): Index<T> {
  if (!changes || changes.size === 0) return index
  const all = [...index.all]
  const replacements = [...changes].map(([uuid, now]) => ({ was: index.byUuid.get(uuid), now }))
  if (!replacements.every(isInPlace)) return finished(buildIndex(replaceSorted(all, replacements)))
  const { places } = index.byUuid as Places<T>
  for (const { now } of replacements) all[places.get(now.uuid) as number] = now
  const byName = index.byName as Places<T>
  return { all, byUuid: new Places(places, all), byName: new Places(byName.places, all) }
}

/** What becomes of an object; undefined and null where it is new or gone. */
interface Replacement<T> {
  readonly was: T | undefined
  readonly now: T | null
}

/** Whether an object only gets a new version, which goes where the old one was. */
function isInPlace<T extends Named>(
  replacement: Replacement<T>,
): replacement is { readonly was: T; readonly now: T } {
  const { was, now } = replacement
  return was !== undefined && now !== null && was.name === now.name
}

/** Carries out replacements in a list in natural order of names that has all that `was`, and gives it. */
function replaceSorted<T extends Named>(all: T[], replacements: readonly Replacement<T>[]): T[] {
  for (const replacement of replacements) {
    const { was, now } = replacement
    if (isInPlace(replacement)) all[all.indexOf(replacement.was)] = replacement.now
    else {
      if (was) all.splice(all.indexOf(was), 1)
      if (now) all.splice(placeAfter(all, now.name), 0, now)
    }
  }
  return all
}

/** Where a name would be put, behind those that sort the same. */
function placeAfter(sorted: readonly Named[], name: string): number {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (compareNicely((sorted[middle] as Named).name, name) <= 0) from = middle + 1
    else to = middle
  }
  return from
}

/** What `groupedBy` would give after changes. */
export function changeGrouped<T extends Named>(
  grouped: ReadonlyMap<string, readonly T[]>,
  { byUuid }: Index<T>,
  changes: ObjectChanges<T> | undefined,
  keysOf: (object: T) => Iterable<string>,
): ReadonlyMap<string, readonly T[]> {
  if (!changes || changes.size === 0) return grouped
  /** By the key of a list: what changes in it. */
  const byKey = new Map<string, Replacement<T>[]>()
  for (const [uuid, object] of changes) {
    const old = byUuid.get(uuid)
    const oldKeys = new Set(old && keysOf(old))
    const newKeys = new Set(object && keysOf(object))
    for (const key of new Set([...oldKeys, ...newKeys])) {
      const was = oldKeys.has(key) ? old : undefined
      const now = newKeys.has(key) ? object : null
      const replacements = byKey.get(key)
      if (replacements) replacements.push({ was, now })
      else byKey.set(key, [{ was, now }])
    }
  }
  const next = new Map(grouped)
  for (const [key, replacements] of byKey) {
    const members = replaceSorted([...(next.get(key) ?? [])], replacements)
    if (members.length > 0) next.set(key, members)
    else next.delete(key)
  }
  return next
}
