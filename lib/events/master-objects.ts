/**
 * The objects of a live cluster. Its file config.data is written anew with each
 * change, and need not be readable for that to be seen; then the master daemon
 * is asked for what each object of the kinds that somebody listens to has for a
 * serial number. It knows that without asking a node.
 */
import type { MasterBackend } from '../backend/luxi/luxi-backend.ts'
import { THING_FIELDS, type Thing, thingOf } from '../backend/scoped/things.ts'
import { inSlices } from '../concurrency/time-slicing.ts'
import type { Json } from '../json/json.ts'
import { shortFormsOf } from '../model/lookup.ts'
import type { Event, ObjectKind } from './event.ts'
import { type Comparison, type ListedObject, objectChanges, objectEvent } from './object-changes.ts'
import type { FindThing } from './view.ts'

export const OBJECT_KINDS: readonly ObjectKind[] = ['cluster', 'group', 'node', 'network', 'instance']

/** Milliseconds from one round of questions to the next at least: a job changes the configuration several times. */
const PAUSE = 500

const FIELDS = ['uuid', 'name', 'serial_no', 'mtime']

/** An object, with what selectors look at. */
interface MasterObject extends ListedObject {
  readonly thing?: Thing | undefined
}

type Listing = ReadonlyMap<string, MasterObject>

export class MasterObjects {
  readonly #backend: MasterBackend
  readonly #emit: (event: Event) => void
  #kinds: readonly ObjectKind[] = []
  readonly #listings = new Map<ObjectKind, Listing>()
  /** By full and by short name, as far as they were looked for; null for a short name of several. */
  readonly #named = new Map<ObjectKind, Map<string, Thing | null>>()
  /** Kinds of which something may have changed. */
  readonly #changed = new Set<ObjectKind>()
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> | undefined
  #run = 0

  constructor(backend: MasterBackend, emit: (event: Event) => void) {
    this.#backend = backend
    this.#emit = emit
  }

  /** Says the kinds that somebody listens to. */
  want(kinds: readonly ObjectKind[]): void {
    this.#kinds = kinds
    // A kind is known first, so that its changes can be told.
    for (const kind of kinds) if (!this.#listings.has(kind)) this.#changed.add(kind)
    this.#askSoon()
  }

  /** The configuration may have changed. */
  changed(): void {
    for (const kind of OBJECT_KINDS) this.#changed.add(kind)
    this.#askSoon()
  }

  stop(): void {
    this.#run++
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#listings.clear()
    this.#changed.clear()
  }

  /** @throws Failure if the master daemon cannot be asked */
  async present(kinds: readonly ObjectKind[]): Promise<Event[]> {
    for (const kind of kinds) if (!this.#listings.has(kind)) this.#changed.add(kind)
    await this.#ask(kinds)
    return kinds.flatMap((kind) =>
      [...(this.#listings.get(kind)?.values() ?? [])].map((object) =>
        objectEvent(kind, 'present', object, { after: object.thing }),
      ),
    )
  }

  /** What selectors look at, of an object of a kind that somebody listens to. */
  find: FindThing = (kind, name) => {
    const named = this.#named.get(kind) ?? new Map<string, Thing | null>()
    this.#named.set(kind, named)
    if (named.size === 0) {
      for (const { thing } of this.#listings.get(kind)?.values() ?? []) if (thing) addNames(named, thing)
    }
    return named.get(name) ?? undefined
  }

  #askSoon(): void {
    if (this.#timer || !this.#kinds.some((kind) => this.#changed.has(kind))) return
    this.#timer = setTimeout(async () => {
      // If the master daemon is away, it is asked again; master-jobs.ts logs that.
      await this.#ask(this.#kinds).catch(() => {})
      this.#timer = undefined
      this.#askSoon()
    }, PAUSE).unref()
  }

  async #ask(kinds: readonly ObjectKind[]): Promise<void> {
    await this.#asking?.catch(() => {})
    this.#asking = this.#askFor(kinds)
    await this.#asking
  }

  async #askFor(kinds: readonly ObjectKind[]): Promise<void> {
    const run = this.#run
    for (const kind of kinds) {
      if (!this.#changed.delete(kind)) continue
      let listing: Listing
      try {
        listing = await this.#list(kind)
      } catch (error) {
        this.#changed.add(kind)
        throw error
      }
      const before = this.#listings.get(kind)
      const events = before ? await inSlices(objectChanges(kind, before, listing, COMPARISON)) : []
      if (run !== this.#run) return
      this.#listings.set(kind, listing)
      this.#named.delete(kind)
      for (const event of events) this.#emit(event)
    }
  }

  async #list(kind: ObjectKind): Promise<Listing> {
    const backend = this.#backend
    switch (kind) {
      case 'cluster': {
        const { name = '', uuid = '', mtime = 0 } = await backend.queryClusterInfo()
        return listingOf([[uuid, name, null, mtime]])
      }
      case 'group':
        return listingOf(await backend.queryGroups([], FIELDS))
      case 'node':
        return listingOf(await backend.queryNodes([], [...FIELDS, ...THING_FIELDS.node]), 'node')
      case 'network':
        return listingOf(await backend.queryNetworks([], FIELDS))
      case 'instance':
        return listingOf(await backend.queryInstances([], [...FIELDS, ...THING_FIELDS.instance]), 'instance')
    }
  }
}

/** @param kind the kind of things, if selectors select some */
function listingOf(rows: readonly (readonly Json[])[], kind?: 'instance' | 'node'): Listing {
  return new Map(
    rows.map((row) => {
      const [uuid, name, serial_no = null, mtime = null, ...more] = row
      const thing = kind && thingOf(kind, more)
      return [String(uuid), { uuid: String(uuid), name: String(name), serial_no, mtime, thing }]
    }),
  )
}

function addNames(named: Map<string, Thing | null>, thing: Thing): void {
  named.set(thing.name, thing)
  for (const short of shortFormsOf(thing.name)) named.set(short, named.has(short) ? null : thing)
}

const COMPARISON: Comparison<MasterObject> = {
  // An instance is in another group when its node is, without a change of its own.
  isSame: (one, other) =>
    one.serial_no === other.serial_no &&
    one.mtime === other.mtime &&
    String(one.thing?.groups) === String(other.thing?.groups),
  thingBefore: ({ thing }) => thing,
  thingAfter: ({ thing }) => thing,
}
