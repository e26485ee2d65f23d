/**
 * What happens in a cluster in a file: the job queue tells each new state of a
 * job, and the objects of one state of the file are compared with those of the
 * next, whoever has written it.
 */
import type { Backend } from '../backend/backend.ts'
import type { Thing } from '../backend/scoped/things.ts'
import { inSlices } from '../concurrency/time-slicing.ts'
import { equalJson, type Json, type JsonObject } from '../json/json.ts'
import type { Cluster } from '../model/cluster.ts'
import type { Config } from '../model/config.ts'
import type { Instance } from '../model/instance.ts'
import { type Job, statusOf, summaryOf } from '../model/job.ts'
import { findHost } from '../model/lookup.ts'
import type { Node } from '../model/node.ts'
import { type Index, versionsInPlace } from '../model/object-index.ts'
import { withoutPrivateValues } from '../model/private-values.ts'
import type { Event, EventType, ObjectKind } from './event.ts'
import { errorOf } from './job-error.ts'
import { subjectOf } from './job-subject.ts'
import { type JobState, Jobs, type LogEntry, logEvents } from './jobs.ts'
import { LiveStates } from './live-states.ts'
import {
  type Comparison,
  changeEvent,
  type ListedObject,
  objectChanges,
  objectEvent,
} from './object-changes.ts'
import type { EventSource, Present } from './source.ts'
import type { FindThing } from './view.ts'

/** The job queue, as much of it as is followed. */
export interface FollowedQueue {
  readonly jobs: Iterable<Job>
  job(id: string): Job | undefined
  /**
   * Calls a listener with each new state of a job, or with the id of one that left the queue, until the function that
   * it gives is called.
   */
  follow(listener: (job: Job | number) => void): () => void
}

export interface FileSourceOptions {
  /** The newest state. */
  readonly config: () => Config
  /** What there is once the daemon has begun. */
  readonly begun: () => {
    readonly queue: FollowedQueue
    readonly backend: Pick<Backend, 'queryInstances' | 'queryNodes'>
  }
  /** The name of this machine. */
  readonly node: string
}

export class FileSource implements EventSource {
  readonly #options: FileSourceOptions
  readonly #jobs = new Jobs((event) => this.#emit(event))
  readonly #states: LiveStates
  #emit: (event: Event) => void = () => {}
  #types: ReadonlySet<EventType> = new Set()
  /** The state that was compared last; undefined while it is not followed. */
  #seen: Config | undefined
  #isComparing = false
  #unfollow: () => void = () => {}

  constructor(options: FileSourceOptions) {
    this.#options = options
    this.#states = new LiveStates(
      () => options.begun().backend,
      (event) => this.#emit(event),
    )
  }

  get toldUpTo(): number {
    return Date.now()
  }

  async begin(emit: (event: Event) => void): Promise<void> {
    const { begun, config } = this.#options
    const { queue } = begun()
    this.#emit = emit
    this.#seen = config()
    for (const job of queue.jobs) this.#jobs.note(stateOf(job))
    this.#unfollow = queue.follow((job) => {
      if (typeof job === 'number') this.#jobs.delete(job)
      else this.#put(job)
      this.changed()
    })
  }

  attend(types: ReadonlySet<EventType>): void {
    this.#types = types
    this.#states.want(types.has('state'))
  }

  stop(): void {
    this.#emit = () => {}
    this.#seen = undefined
    this.#unfollow()
    this.#states.want(false)
    this.#jobs.clear()
  }

  find: FindThing = (kind, name) => {
    const config = this.#options.config()
    try {
      return kind === 'instance'
        ? instanceThing(config, findHost('Instance', config.instances, name))
        : nodeThing(config, findHost('Node', config.nodes, name))
    } catch {
      // There is none, or it might be several.
      return undefined
    }
  }

  about(): JsonObject {
    const { cluster, nodes } = this.#options.config()
    const master = nodes.byUuid.get(cluster.master_node)?.name ?? null
    return { cluster: cluster.cluster_name, master, node: this.#options.node, source: 'file' }
  }

  async present({ types, objects, ...asked }: Present): Promise<Iterable<Event>> {
    const states = objects && types.has('state') ? await this.#states.present() : []
    const { config, begun } = this.#options
    const jobs = types.has('job') || types.has('joblog') ? [...this.#jobs.present(asked)] : []
    const logs = types.has('joblog') ? jobs.flatMap(({ job }) => logOf(begun().queue.job(String(job)))) : []
    return [...jobs, ...logs, ...(objects ? objectsIn(config()) : []), ...states]
  }

  /** The cluster's state may be another one. */
  changed(): void {
    if (!this.#isComparing && this.#seen && this.#seen !== this.#options.config()) void this.#compare()
  }

  #put(job: Job): void {
    this.#jobs.put(stateOf(job))
    this.#jobs.putLog(job.id, logsOf(job), this.#types.has('joblog'))
  }

  async #compare(): Promise<void> {
    this.#isComparing = true
    for (let seen = this.#seen; seen; seen = this.#seen) {
      const next = this.#options.config()
      if (next === seen) break
      const events = await inSlices(changesBetween(seen, next))
      // It may have been stopped, and begun again, in the meantime.
      if (this.#seen !== seen) continue
      this.#seen = next
      for (const event of events) this.#emit(event)
    }
    this.#isComparing = false
  }
}

function stateOf(job: Job): JobState {
  const { id, ops, received, start, end } = job
  const opstatus = ops.map(({ status }) => status)
  return {
    id,
    status: statusOf(job),
    summary: ops.map(summaryOf),
    opstatus,
    received_ts: received,
    start_ts: start,
    end_ts: end,
    error: errorOf(
      opstatus,
      ops.map(({ result }) => withoutPrivateValues(result)),
    ),
    subject: subjectOf(ops.map(({ input }) => input)),
  }
}

function logsOf({ ops }: Job): readonly (readonly LogEntry[])[] {
  return ops.map(({ log }) => log)
}

/** What a job has logged so far. */
function logOf(job: Job | undefined): readonly Event[] {
  if (!job) return []
  return [...logEvents(job.id, logsOf(job), 0, subjectOf(job.ops.map(({ input }) => input)))]
}

/** The kinds of objects with tables, and their tables. */
function tablesOf({ groups, nodes, networks, instances }: Config) {
  return [
    ['group', groups],
    ['node', nodes],
    ['network', networks],
    ['instance', instances],
  ] as const
}

function* changesBetween(before: Config, after: Config): Generator<void, Event[]> {
  const events: Event[] = []
  const tables = tablesOf(before)
  for (const [place, [kind, table]] of tablesOf(after).entries()) {
    const old = tables[place]?.[1] as Index<ListedObject>
    const comparison = {
      isSame: (one: ListedObject, other: ListedObject) => equalJson(asJson(one), asJson(other)),
      thingBefore: thingsIn(before, kind),
      thingAfter: thingsIn(after, kind),
    }
    events.push(...(yield* tableChanges(kind, old, table, comparison)))
  }
  events.push(...movedAlong(before, after))
  if (before.cluster !== after.cluster && !equalJson(asJson(before.cluster), asJson(after.cluster))) {
    events.push(clusterEvent('changed', after.cluster))
  }
  return events
}

function* tableChanges(
  kind: ObjectKind,
  before: Index<ListedObject>,
  after: Index<ListedObject>,
  comparison: Comparison<ListedObject>,
): Generator<void, Event[]> {
  // Mostly, few objects are different.
  const versions = versionsInPlace(before, after.all)
  if (!versions) return yield* objectChanges(kind, before.byUuid, after.byUuid, comparison)
  return [...versions.values()].flatMap((version) => {
    const [was, now] = [before.byUuid.get((version as ListedObject).uuid), version] as [
      ListedObject,
      ListedObject,
    ]
    if (comparison.isSame(was, now)) return []
    return changeEvent(kind, was, now, {
      before: comparison.thingBefore(was),
      after: comparison.thingAfter(now),
    })
  })
}

/** Instances that are in another group because their primary node is. */
function movedAlong(before: Config, after: Config): Event[] {
  if (before.nodes === after.nodes) return []
  return after.nodes.all.flatMap((node) => {
    const was = before.nodes.byUuid.get(node.uuid)
    if (!was || was.group === node.group) return []
    return (after.primaryInstances.get(node.uuid) ?? []).flatMap((instance) => {
      // One that has changed itself is told already.
      if (before.instances.byUuid.get(instance.uuid) !== instance) return []
      const things = { before: instanceThing(before, instance), after: instanceThing(after, instance) }
      return objectEvent('instance', 'changed', instance, things)
    })
  })
}

/** Gives what selectors look at, of objects in a state. */
function thingsIn(config: Config, kind: ObjectKind): (object: ListedObject) => Thing | undefined {
  switch (kind) {
    case 'instance':
      return (object) => instanceThing(config, object as unknown as Instance)
    case 'node':
      return (object) => nodeThing(config, object as unknown as Node)
    default:
      return () => undefined
  }
}

function instanceThing(config: Config, { name, tags, primary_node }: Instance): Thing {
  const node = config.nodes.byUuid.get(primary_node)
  return { kind: 'instance', name, tags, node: node?.name, groups: node ? groupsOf(config, node) : [] }
}

function nodeThing(config: Config, node: Node): Thing {
  return { kind: 'node', name: node.name, tags: node.tags, groups: groupsOf(config, node) }
}

function groupsOf({ groups }: Config, { group }: Node): readonly string[] {
  const found = groups.byUuid.get(group)
  return found ? [found.name] : []
}

function objectsIn(config: Config): Event[] {
  return [
    clusterEvent('present', config.cluster),
    ...tablesOf(config).flatMap(([kind, { all }]) =>
      (all as readonly ListedObject[]).map((object) =>
        objectEvent(kind, 'present', object, { after: thingsIn(config, kind)(object) }),
      ),
    ),
  ]
}

function clusterEvent(change: 'changed' | 'present', cluster: Cluster): Event {
  return objectEvent('cluster', change, { ...cluster, name: cluster.cluster_name }, {})
}

/** Objects of a cluster are JSON by their making. */
function asJson(object: object): Json {
  return object as unknown as Json
}
