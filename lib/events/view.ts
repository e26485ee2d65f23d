/**
 * What of all events one listener gets: this alone decides it. A listener gets
 * what it asked for, of what its user may see. If its user's rights end in
 * selectors, that is what these select: an object that is not selected any more
 * is removed for this listener, and one that is selected from now on is added.
 */
import { isOnlyAbout } from '../backend/scoped/job-objects.ts'
import { isWithin, type Thing, type Within } from '../backend/scoped/things.ts'
import { EVENT_TYPES, type Event, type EventType } from './event.ts'
import type { JobSubject } from './job-subject.ts'
import { asSeen } from './object-changes.ts'
import type { Objects } from './objects.ts'

/** What a client wants to follow. */
export interface Wanted {
  /** The types that it named; undefined for those that everyone gets. */
  readonly types: ReadonlySet<EventType> | undefined
  /** The jobs that it named. */
  readonly jobs: ReadonlySet<number> | undefined
  /** The instance that it named. */
  readonly instance: string | undefined
  /** Whether it ends once these have ended, or are not in the queue. */
  readonly untilEnded: boolean
  /** Whether it begins with the present. */
  readonly present: boolean
  /** The id of the last event that it has. */
  readonly since: string | undefined
  /** Seconds without an event after which it gets a comment. */
  readonly heartbeat: number
}

/** What a user may see. */
export interface Sight {
  /** The user; undefined for strangers. */
  readonly user: string | undefined
  /** The types, each with the selectors that it ends in; none for everything. */
  readonly types: ReadonlyMap<EventType, Within>
}

/** Finds what selectors look at, of an object that a job names. */
export type FindThing = (kind: 'instance' | 'node', name: string) => Thing | undefined

/** Types of which selectors select nothing. */
const NEVER_SELECTED: readonly EventType[] = ['group', 'network', 'cluster']

export class View {
  /** The types that the listener gets. */
  readonly types: ReadonlySet<EventType>
  /** Those that it would get if its user might see them. */
  readonly denied: readonly EventType[]
  /** Equal for listeners that are shown the same. */
  readonly key: string
  readonly #wanted: Wanted
  readonly #sight: Sight
  readonly #find: FindThing

  constructor(wanted: Wanted, sight: Sight, find: FindThing = () => undefined) {
    const asked = typesOf(wanted)
    const types = asked.filter((type) => maySee(sight, type))
    this.types = new Set(types)
    this.denied = asked.filter((type) => !maySee(sight, type))
    this.#wanted = wanted
    this.#sight = sight
    this.#find = find
    const within = types.map((type) => sight.types.get(type) ?? [])
    const owner = within.some(({ length }) => length > 0) ? sight.user : undefined
    this.key = JSON.stringify([types, within, owner, [...(wanted.jobs ?? [])], wanted.instance])
  }

  /** Whether the user may see what the cluster is called, and who the master is. */
  get knowsCluster(): boolean {
    return maySee(this.#sight, 'cluster')
  }

  /** Whether it depends on what selectors select. */
  get isSelective(): boolean {
    return [...this.types].some((type) => (this.#sight.types.get(type) ?? []).length > 0)
  }

  /** Whether a user who sees so much is shown the same. */
  isSameFor(sight: Sight): boolean {
    const { key, knowsCluster } = new View(this.#wanted, sight)
    return key === this.key && knowsCluster === this.knowsCluster
  }

  /**
   * What becomes of an event for the listener.
   * @returns undefined if it does not get it
   */
  shown(event: Event): Event | undefined {
    const type = event.type === 'master' ? 'cluster' : event.type
    if (!this.types.has(type) || !isAbout(event, this.#wanted)) return undefined
    const within = this.#sight.types.get(type) ?? []
    if (within.length === 0) return event
    if (event.subject) return this.#ownsOrReaches(event.subject, within) ? event : undefined
    const { before, after } = event.things ?? {}
    const [was, is] = [before, after].map((thing) => thing !== undefined && isWithin(within, thing))
    if (was === is) return was ? event : undefined
    // What is there was not necessarily there before.
    if (is) return before ? asSeen(event, 'added') : event
    return asSeen(event, 'removed')
  }

  /** Whether the user has submitted a job, or is allowed all that it is about. */
  #ownsOrReaches({ owner, named }: JobSubject, within: Within): boolean {
    if (owner !== undefined && owner === this.#sight.user) return true
    return isOnlyAbout({ objects: named }, within, (kind, name) => {
      const thing = this.#find(kind, name)
      return thing !== undefined && isWithin(within, thing)
    })
  }
}

/** The types that a client asks for; of those that it did not name, none that costs much, and what it asked about. */
export function typesOf({ types, jobs, instance }: Wanted): readonly EventType[] {
  if (types) return EVENT_TYPES.filter((type) => types.has(type))
  if (jobs) return ['job']
  if (instance !== undefined) return ['job', 'instance']
  return EVENT_TYPES.filter((type) => type !== 'joblog' && type !== 'state')
}

function maySee({ types }: Sight, type: EventType): boolean {
  const within = types.get(type)
  return within !== undefined && (within.length === 0 || !NEVER_SELECTED.includes(type))
}

/** Whether an event is about what a client named. */
function isAbout(event: Event, { jobs, instance }: Wanted): boolean {
  if (jobs && event.job !== undefined && !jobs.has(event.job)) return false
  return instance === undefined || !hasInstances(event) || event.objects.instances.includes(instance)
}

/** Whether an event may be about instances. */
function hasInstances({ type, job, objects }: { type: string; job?: number; objects: Objects }): boolean {
  return job !== undefined || type === 'instance' || type === 'state' || objects.instances.length > 0
}
