/**
 * What of all events one listener gets: this alone decides it. A listener gets
 * what it asked for, of what its user may see.
 */
import { EVENT_TYPES, type Event, type EventType, type Objects } from './event.ts'

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

export class View {
  /** The types that the listener gets. */
  readonly types: ReadonlySet<EventType>
  /** The types that its user may see. */
  readonly may: ReadonlySet<EventType>
  /** Those that it would get if its user might see them. */
  readonly denied: readonly EventType[]
  /** Equal for listeners that are shown the same. */
  readonly key: string
  readonly #jobs: ReadonlySet<number> | undefined
  readonly #instance: string | undefined

  /** @param may the types that its user may see */
  constructor(wanted: Wanted, may: ReadonlySet<EventType>) {
    const asked = typesOf(wanted)
    const types = asked.filter((type) => may.has(type))
    this.types = new Set(types)
    this.may = may
    this.denied = asked.filter((type) => !may.has(type))
    this.#jobs = wanted.jobs
    this.#instance = wanted.instance
    this.key = [types.join(), [...(wanted.jobs ?? [])].join(), wanted.instance ?? ''].join(' ')
  }

  /**
   * What becomes of an event for the listener.
   * @returns undefined if it does not get it
   */
  shown(event: Event): Event | undefined {
    const type = event.type === 'master' ? 'cluster' : event.type
    if (!this.types.has(type)) return undefined
    if (this.#jobs && event.job !== undefined && !this.#jobs.has(event.job)) return undefined
    if (
      this.#instance !== undefined &&
      hasObjects(event) &&
      !event.objects.instances.includes(this.#instance)
    )
      return undefined
    return event
  }
}

/** The types that a client asks for; of those that it did not name, none that costs much, and what it asked about. */
export function typesOf({ types, jobs, instance }: Wanted): readonly EventType[] {
  if (types) return EVENT_TYPES.filter((type) => types.has(type))
  if (jobs) return ['job']
  if (instance !== undefined) return ['job', 'instance']
  return EVENT_TYPES.filter((type) => type !== 'joblog' && type !== 'state')
}

/** Whether an event may be about instances. */
function hasObjects({ type, job, objects }: { type: string; job?: number; objects: Objects }): boolean {
  return job !== undefined || type === 'instance' || type === 'state' || objects.instances.length > 0
}
