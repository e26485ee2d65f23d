/**
 * The objects of a live cluster. Its file config.data is written anew with each
 * change, and need not be readable for that to be seen; then the master daemon
 * is asked for what each object of the kinds that somebody listens to has for a
 * serial number. It knows that without asking a node.
 *
 * The master daemon answers from a copy of the file. It reads the file again when
 * its own watch tells of a change, every quarter of a second after many changes
 * (confdConfigReloadRatelimit), and if its watch fails after up to 17 seconds
 * (confdConfigReloadTimeout); a large file takes seconds to read. What it answers
 * soon after a change may be old. So it is asked more than once after the last
 * change, in growing intervals (backoff), until it must have read the file.
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

/**
 * When questions follow a change, in milliseconds after it. The first is the least time from one round of questions to
 * the next, as a job changes the configuration several times; the last is twice as long as a change may stay unknown
 * to the master daemon.
 */
const ROUNDS: readonly number[] = [500, 2000, 6500, 16_000, 40_000]

const FIELDS = ['uuid', 'name', 'serial_no', 'mtime']

/** An object, with what selectors look at. */
interface MasterObject extends ListedObject {
  readonly thing?: Thing | undefined
}

type Listing = ReadonlyMap<string, MasterObject>

export class MasterObjects {
  readonly #backend: MasterBackend
  readonly #emit: (event: Event) => void
  readonly #rounds: readonly number[]
  #kinds: readonly ObjectKind[] = []
  readonly #listings = new Map<ObjectKind, Listing>()
  /** By full and by short name, as far as they were looked for; null for a short name of several. */
  readonly #named = new Map<ObjectKind, Map<string, Thing | null>>()
  /** When the configuration was last found to have changed, as `performance.now()` has it. */
  #changedAt = 0
  /** When each kind was last asked for with success. */
  readonly #askedAt = new Map<ObjectKind, number>()
  /** When the last question was over. */
  #restedSince = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  /** When the timer is to fire. */
  #timerAt = Number.POSITIVE_INFINITY
  /** What the master daemon was asked and has not answered yet. */
  readonly #questions = new Map<ObjectKind, Promise<void>>()
  #run = 0

  /** @param rounds when questions follow a change, in milliseconds after it */
  constructor(backend: MasterBackend, emit: (event: Event) => void, rounds = ROUNDS) {
    this.#backend = backend
    this.#emit = emit
    this.#rounds = rounds
  }

  /** Says the kinds that somebody listens to. */
  want(kinds: readonly ObjectKind[]): void {
    this.#kinds = kinds
    this.#askLater()
  }

  /** The configuration may have changed. */
  changed(): void {
    this.#changedAt = performance.now()
    this.#askLater()
  }

  stop(): void {
    this.#run++
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#listings.clear()
    this.#askedAt.clear()
    this.#named.clear()
    this.#questions.clear()
  }

  /** @throws Failure if the master daemon cannot be asked */
  async present(kinds: readonly ObjectKind[]): Promise<Event[]> {
    const changedAt = this.#changedAt
    await this.#ask(kinds, (kind) => this.#isOlder(kind, changedAt))
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

  /** Whether a kind was asked for before a time, or never. */
  #isOlder(kind: ObjectKind, time: number): boolean {
    return (this.#askedAt.get(kind) ?? 0) <= time
  }

  /** When a kind is to be asked for next; never (infinity) if the last answer has all that has changed. */
  #dueAt(kind: ObjectKind): number {
    const askedAt = this.#askedAt.get(kind)
    // A kind is known first, so that its changes can be told.
    if (askedAt === undefined) return 0
    const times = this.#rounds.map((after) => this.#changedAt + after)
    return times.find((time) => time > askedAt) ?? Number.POSITIVE_INFINITY
  }

  /** Sees to it that the next round of questions is asked in time. */
  #askLater(): void {
    const times = this.#kinds.map((kind) => this.#dueAt(kind))
    const [pause = 0] = this.#rounds
    const at = Math.max(Math.min(...times), this.#restedSince + pause)
    // An earlier round is not put off by further changes.
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#wake(at)
  }

  #wake(at: number): void {
    // A timer may fire a little too early.
    const left = at - performance.now()
    if (left > 0) this.#timer = setTimeout(() => this.#wake(at), left).unref()
    else void this.#nextRound()
  }

  async #nextRound(): Promise<void> {
    const run = this.#run
    const [now, changedAt] = [performance.now(), this.#changedAt]
    // There is no other timer meanwhile.
    this.#timerAt = Number.NEGATIVE_INFINITY
    const isDue = (kind: ObjectKind) =>
      // Else changes without end would put it off.
      this.#isOlder(kind, changedAt) || this.#dueAt(kind) <= now
    try {
      await this.#ask(this.#kinds, isDue)
    } catch {
      // The master daemon is away, and asked again; master-jobs.ts logs that.
    }
    if (run !== this.#run) return
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#askLater()
  }

  /** Asks for kinds until the answers are new enough; whoever else waits for an answer shares it (coalescing). */
  async #ask(kinds: readonly ObjectKind[], isNeeded: (kind: ObjectKind) => boolean): Promise<void> {
    const run = this.#run
    for (const kind of kinds) {
      while (run === this.#run && isNeeded(kind)) {
        const question = this.#questions.get(kind) ?? this.#question(kind)
        this.#questions.set(kind, question)
        await question
      }
    }
  }

  async #question(kind: ObjectKind): Promise<void> {
    const run = this.#run
    const now = performance.now()
    try {
      const listing = await this.#list(kind)
      const before = this.#listings.get(kind)
      const events = before ? await inSlices(objectChanges(kind, before, listing, COMPARISON)) : []
      if (run !== this.#run) return
      this.#askedAt.set(kind, now)
      this.#listings.set(kind, listing)
      this.#named.delete(kind)
      for (const event of events) this.#emit(event)
    } finally {
      this.#restedSince = performance.now()
      if (run === this.#run) this.#questions.delete(kind)
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
