/** What is known of the cluster, each part from where the user may read it. */
import { ApiError } from './api.ts'
import {
  type Group,
  INSTANCES_QUERY,
  type Info,
  type Instance,
  type InstanceDetails,
  instancesIn,
  isOver,
  JOBS_QUERY,
  type Job,
  type JobDetails,
  jobsIn,
  type Network,
  type Node,
} from './model.ts'
import type { Session } from './session.ts'
import type { Reading, Store } from './store.ts'

const NODES = '/2/nodes?bulk=1'

/** How often a job that is shown is read without events, in milliseconds. */
const EVERY_LOG = 1000
/** How often the list of jobs is read without events, in milliseconds. */
const EVERY_JOBS = 3000

export class Cluster {
  readonly #session: Session
  readonly #store: Store

  constructor(session: Session, store: Store) {
    this.#session = session
    this.#store = store
  }

  /** What may be queried is read so: an answer has only what is asked for, which is a tenth of all fields. */
  get instancesPath(): string {
    return this.#session.may('query.all') ? INSTANCES_QUERY : '/2/instances?bulk=1'
  }

  get jobsPath(): string {
    return this.#session.may('query.all') ? JOBS_QUERY : '/2/jobs?bulk=1'
  }

  info(): Info | undefined {
    return this.#read<Info>('/2/info', 'cluster.info').data
  }

  nodes(): Reading<readonly Node[]> {
    return this.#read(NODES, 'nodes.list')
  }

  /** The names of nodes, if they are known already. */
  peekNodes(): readonly string[] {
    return this.#store.peek<readonly Node[]>(NODES)?.map(({ name }) => name) ?? []
  }

  groups(): Reading<readonly Group[]> {
    return this.#read('/2/groups?bulk=1', 'groups.list')
  }

  networks(): Reading<readonly Network[]> {
    return this.#read('/2/networks?bulk=1', 'networks.list')
  }

  instances(): Reading<readonly Instance[]> {
    const { data, error } = this.#read<object>(this.instancesPath, 'instances.list')
    return { data: data && instancesIn(data), error }
  }

  /** Newest first. */
  jobs(): Reading<readonly Job[]> {
    const { data, error } = this.#read<object>(this.jobsPath, 'jobs.list', EVERY_JOBS)
    return { data: data && jobsIn(data), error }
  }

  /** One job with its log. */
  job(id: number | string): Reading<JobDetails> {
    const path = `/2/jobs/${id}`
    const known = this.#store.peek<JobDetails>(path)
    return this.#read(path, 'jobs.query', known && isOver(known) ? Number.POSITIVE_INFINITY : EVERY_LOG)
  }

  /** All of one instance. */
  instance(name: string): Reading<InstanceDetails> {
    return this.#read(`/2/instances/${encodeURIComponent(name)}`, 'instances.query')
  }

  #read<T>(path: string, permission: string, every?: number): Reading<T> {
    if (this.#session.may(permission)) return this.#store.read<T>(path, every)
    return { data: undefined, error: new ApiError(this.#session.user === undefined ? 401 : 403, permission) }
  }
}
