/** What the API tells of a cluster, as far as it is shown here, in one form whichever way it was read. */

export interface Info {
  readonly name: string
  readonly master: string
  readonly software_version: string
  readonly default_hypervisor: string
  readonly enabled_hypervisors: readonly string[]
  readonly tags?: readonly string[]
  readonly [key: string]: unknown
}

export interface Node {
  readonly name: string
  readonly role: string
  readonly offline: boolean
  readonly drained: boolean
  readonly master_candidate: boolean
  readonly vm_capable: boolean | null
  /** Sizes are MiB; null if the node cannot be asked. */
  readonly mtotal: number | null
  readonly mfree: number | null
  readonly mnode: number | null
  readonly dtotal: number | null
  readonly dfree: number | null
  readonly ctotal: number | null
  readonly pinst_list: readonly string[]
  readonly sinst_list: readonly string[]
  readonly pip: string
  readonly sip: string
  readonly 'group.uuid': string
  readonly tags: readonly string[]
  readonly uuid: string
  readonly ctime: number | null
  readonly mtime: number | null
  readonly [key: string]: unknown
}

export interface Group {
  readonly name: string
  readonly uuid: string
  readonly alloc_policy: string
  readonly node_list: readonly string[]
  readonly tags: readonly string[]
  readonly [key: string]: unknown
}

export interface Network {
  readonly name: string
  readonly uuid: string
  readonly network: string
  readonly gateway: string | null
  readonly network6: string | null
  readonly gateway6: string | null
  readonly mac_prefix: string | null
  readonly free_count: number | null
  readonly reserved_count: number | null
  /** One character for each address: `X` is taken. */
  readonly map: string | null
  readonly external_reservations: string | null
  readonly group_list: readonly (readonly string[])[]
  readonly inst_list: readonly string[]
  readonly tags: readonly string[]
}

/** A row of the list of instances. */
export interface Instance {
  readonly name: string
  readonly status: string
  readonly pnode: string
  readonly snodes: readonly string[]
  readonly os: string
  readonly hypervisor: string | undefined
  readonly template: string
  readonly disk: number
  readonly minmem: number
  readonly maxmem: number
  readonly vcpus: number
  readonly autoBalance: boolean
  readonly tags: readonly string[]
  readonly ips: readonly string[]
  /** All that may be searched for, in lower case. */
  readonly text: string
}

/** All that the API has of one instance. */
export interface InstanceDetails {
  readonly name: string
  readonly status: string
  readonly admin_state: string
  readonly pnode: string
  readonly snodes: readonly string[]
  readonly os: string
  readonly disk_template: string
  readonly disk_usage: number | null
  readonly oper_ram: number | null
  readonly oper_vcpus: number | null
  readonly network_port: number | null
  readonly beparams: Readonly<Record<string, unknown>>
  readonly hvparams: Readonly<Record<string, unknown>>
  readonly 'disk.sizes': readonly number[]
  readonly 'disk.names': readonly (string | null)[]
  readonly 'disk.uuids': readonly string[]
  readonly 'nic.ips': readonly (string | null)[]
  readonly 'nic.macs': readonly string[]
  readonly 'nic.modes': readonly string[]
  readonly 'nic.links': readonly (string | null)[]
  readonly 'nic.networks.names': readonly (string | null)[]
  readonly 'nic.names': readonly (string | null)[]
  readonly tags: readonly string[]
  readonly uuid: string
  readonly serial_no: number
  readonly ctime: number | null
  readonly mtime: number | null
  readonly [key: string]: unknown
}

export type JobStatus = 'queued' | 'waiting' | 'canceling' | 'running' | 'canceled' | 'success' | 'error'

export interface Job {
  readonly id: number
  readonly status: JobStatus
  readonly summary: readonly string[]
  readonly opstatus: readonly JobStatus[]
  readonly received_ts: readonly [number, number] | null
  readonly start_ts: readonly [number, number] | null
  readonly end_ts: readonly [number, number] | null
}

export type LogLine = readonly [
  serial: number,
  time: readonly [number, number],
  type: string,
  message: unknown,
]

export interface JobDetails extends Job {
  readonly ops: readonly { readonly OP_ID: string; readonly [parameter: string]: unknown }[]
  readonly oplog: readonly (readonly LogLine[])[]
  readonly opresult: readonly unknown[]
}

const INSTANCE_FIELDS = [
  'name',
  'status',
  'pnode',
  'snodes',
  'os',
  'hypervisor',
  'disk_template',
  'disk_usage',
  'be/minmem',
  'be/maxmem',
  'be/vcpus',
  'be/auto_balance',
  'tags',
  'nic.ips',
]
const JOB_FIELDS = ['id', 'status', 'summary', 'opstatus', 'received_ts', 'start_ts', 'end_ts']

export const INSTANCES_QUERY = `/2/query/instance?fields=${INSTANCE_FIELDS.join(',')}`
export const JOBS_QUERY = `/2/query/job?fields=${JOB_FIELDS.join(',')}`

/** What a query answers: for each object, for each field, a status, which is 0 if there is a value, and the value. */
interface Queried {
  readonly data: readonly (readonly (readonly [status: number, value: unknown])[])[]
}

function isQueried(answer: object): answer is Queried {
  return !Array.isArray(answer)
}

const instanceLists = new WeakMap<object, readonly Instance[]>()

/** The rows of a list of instances, by name; made once of each answer. */
export function instancesIn(answer: object): readonly Instance[] {
  const known = instanceLists.get(answer)
  if (known) return known
  const rows = isQueried(answer)
    ? answer.data.map((cells) =>
        instanceOf(cells.map(([status, value]) => (status === 0 ? value : undefined))),
      )
    : (answer as readonly Record<string, unknown>[]).map((one) => {
        const be = (one.beparams ?? {}) as Record<string, unknown>
        return instanceOf([
          ...[
            one.name,
            one.status,
            one.pnode,
            one.snodes,
            one.os,
            one.hypervisor,
            one.disk_template,
            one.disk_usage,
          ],
          ...[be.minmem, be.maxmem, be.vcpus, be.auto_balance, one.tags, one['nic.ips']],
        ])
      })
  instanceLists.set(answer, rows)
  return rows
}

function instanceOf(cells: readonly unknown[]): Instance {
  const [
    name,
    status,
    pnode,
    snodes,
    os,
    hypervisor,
    template,
    disk,
    minmem,
    maxmem,
    vcpus,
    auto,
    tags,
    ips,
  ] = cells
  const texts = (value: unknown) =>
    Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  const named = {
    name: text(name),
    status: text(status),
    pnode: text(pnode),
    snodes: texts(snodes),
    os: text(os),
  }
  const found = { tags: texts(tags), ips: texts(ips) }
  const words = [named.name, named.status, wordsFor(named.status), named.pnode, ...named.snodes, named.os]
  return {
    ...named,
    ...found,
    hypervisor: typeof hypervisor === 'string' ? hypervisor : undefined,
    template: text(template),
    disk: number(disk),
    minmem: number(minmem),
    maxmem: number(maxmem),
    vcpus: number(vcpus),
    autoBalance: auto !== false,
    text: [...words, ...found.tags, ...found.ips].join('\n').toLowerCase(),
  }
}

const jobLists = new WeakMap<object, readonly Job[]>()

/** The jobs of a list, newest first; made once of each answer. */
export function jobsIn(answer: object): readonly Job[] {
  const known = jobLists.get(answer)
  if (known) return known
  const jobs = isQueried(answer)
    ? answer.data.map(
        (cells) =>
          Object.fromEntries(cells.map(([, value], at) => [JOB_FIELDS[at], value])) as unknown as Job,
      )
    : (answer as readonly Job[])
  const sorted = [...jobs].sort((one, other) => Number(other.id) - Number(one.id))
  jobLists.set(answer, sorted)
  return sorted
}

/** A list of jobs with one of them as it is now. */
export function withJob(answer: object, job: Job): readonly Job[] {
  return [job, ...jobsIn(answer).filter(({ id }) => Number(id) !== Number(job.id))]
}

/** How good or bad something is: this decides its colour. */
export type Mood = 'good' | 'busy' | 'calm' | 'warning' | 'bad'

const INSTANCE_STATUSES: Readonly<Record<string, readonly [words: string, mood: Mood]>> = {
  running: ['Running', 'good'],
  ADMIN_down: ['Stopped', 'calm'],
  ADMIN_offline: ['Offline', 'calm'],
  USER_down: ['Stopped by user', 'calm'],
  ERROR_up: ['Runs, but should not', 'bad'],
  ERROR_down: ['Down, but should run', 'bad'],
  ERROR_wrongnode: ['On the wrong node', 'bad'],
  ERROR_nodeoffline: ['Node is offline', 'bad'],
  ERROR_nodedown: ['Node does not answer', 'bad'],
}

/** A status of an instance in words. */
export function wordsFor(status: string): string {
  return INSTANCE_STATUSES[status]?.[0] ?? (status || 'Unknown')
}

export function moodOf(status: string): Mood {
  return INSTANCE_STATUSES[status]?.[1] ?? (status.startsWith('ERROR') ? 'bad' : 'calm')
}

const JOB_STATUSES: Readonly<Record<JobStatus, readonly [words: string, mood: Mood]>> = {
  queued: ['Queued', 'busy'],
  waiting: ['Waiting for locks', 'busy'],
  canceling: ['Canceling', 'busy'],
  running: ['Running', 'busy'],
  canceled: ['Canceled', 'calm'],
  success: ['Done', 'good'],
  error: ['Failed', 'bad'],
}

export function jobWords(status: JobStatus): string {
  return JOB_STATUSES[status]?.[0] ?? status
}

export function jobMood(status: JobStatus): Mood {
  return JOB_STATUSES[status]?.[1] ?? 'calm'
}

/** Whether a job will not change any more. */
export function isOver({ status }: Pick<Job, 'status'>): boolean {
  return status === 'success' || status === 'error' || status === 'canceled'
}

/** How many opcodes of a job are over, of how many. */
export function progressOf({ opstatus }: Pick<Job, 'opstatus'>): readonly [done: number, of: number] {
  return [opstatus.filter((status) => isOver({ status })).length, opstatus.length]
}

/** What a summary is about: `INSTANCE_STARTUP(web)` is "Instance startup" of "web". */
export function summaryParts(summary: readonly string[]): readonly [what: string, of: string] {
  const [first = ''] = summary
  const [, operation = first, object = ''] = /^([A-Z0-9_]+)(?:\((.*)\))?$/s.exec(first) ?? []
  const words = operation.toLowerCase().replaceAll('_', ' ')
  return [words.charAt(0).toUpperCase() + words.slice(1), object]
}

const ROLES: Readonly<Record<string, readonly [words: string, mood: Mood]>> = {
  M: ['Master', 'good'],
  C: ['Candidate', 'good'],
  R: ['Regular', 'good'],
  D: ['Drained', 'warning'],
  O: ['Offline', 'bad'],
}

export function roleWords(role: string): string {
  return ROLES[role]?.[0] ?? role
}

export function roleMood(role: string): Mood {
  return ROLES[role]?.[1] ?? 'calm'
}
