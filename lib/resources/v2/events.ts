/** What happens in the cluster, as a stream of server-sent events. */
import { type Permission, toRead } from '../../auth/permissions.ts'
import { EVENT_TYPES, type EventType } from '../../events/event.ts'
import type { Wanted } from '../../events/view.ts'
import { Failure } from '../../failure.ts'
import type { QueryString } from '../query-string.ts'
import { flagSchema, live, type Parameter, resource } from '../resource.ts'

/** The permissions that a type needs: those of the GETs that tell the same. */
export const EVENT_PERMISSIONS: {
  readonly [type in EventType]: readonly [Permission, ...Permission[]]
} = {
  job: ['jobs.list', 'jobs.query'],
  joblog: ['jobs.list', 'jobs.query'],
  instance: ['instances.list'],
  node: ['nodes.list'],
  group: ['groups.list'],
  network: ['networks.list'],
  cluster: ['cluster.info'],
  state: ['instances.list', 'nodes.list'],
}

/** Seconds without an event after which there is a comment: shorter than what proxies wait for. */
const HEARTBEAT = { least: 5, usual: 15, most: 60 }
const MOST_JOBS = 1000
const LONGEST_NAME = 255
const LONGEST_ID = 64

const PARAMETERS: readonly Parameter[] = [
  {
    name: 'types',
    doc: 'Which events; default: all but joblog and state, or with job or instance what concerns these.',
    schema: { type: 'array', items: { type: 'string', enum: [...EVENT_TYPES] } },
  },
  {
    name: 'job',
    doc: 'Of jobs only these.',
    schema: { type: 'array', items: { type: 'integer' }, maxItems: MOST_JOBS },
  },
  {
    name: 'instance',
    doc: 'Of instances only this one, and of jobs only those about it.',
    schema: { type: 'string' },
  },
  {
    name: 'end',
    doc: 'If not 0, it ends once the jobs in job have ended, or are not in the queue.',
    schema: flagSchema,
  },
  {
    name: 'snapshot',
    doc: 'If not 0, it begins with the present: unfinished jobs, those in job, and all objects.',
    schema: flagSchema,
  },
  {
    name: 'since',
    doc: 'The id of the last event that is known, to go on after it, as the header Last-Event-ID.',
    schema: { type: 'string' },
  },
  {
    name: 'heartbeat',
    doc: 'Seconds without an event after which there is a comment.',
    schema: {
      type: 'integer',
      minimum: HEARTBEAT.least,
      maximum: HEARTBEAT.most,
      default: HEARTBEAT.usual,
    },
  },
]

const stream = resource('/2/events', 'What happens in the cluster.', {
  GET: {
    ...live(
      toRead('jobs.list'),
      'Tells what happens, as long as the client stays (server-sent events). Each type needs the permission of the methods that tell the same.',
      async () => {
        throw new Failure('unsupported', 'Events can only be followed over a connection')
      },
      {
        operationId: 'FollowEvents',
        parameters: PARAMETERS,
        answer: {
          type: 'string',
          description:
            'Blocks of lines `id`, `event` (hello, ready, reset, end, master, or a type) and `data` (JSON).',
        },
        example: { query: 'types=job&snapshot=1' },
      },
    ),
    needsOneOf: (query) => {
      const types = typesIn(query)
      if (types) return [{ permissions: [...types].flatMap((type) => EVENT_PERMISSIONS[type]), access: [] }]
      return EVENT_TYPES.map((type) => ({ permissions: EVENT_PERMISSIONS[type], access: [] }))
    },
    follows: wantedIn,
  },
})

/** @throws Failure `invalid` for a wrong parameter */
function wantedIn(query: QueryString, lastEventId: string | undefined): Wanted {
  const instance = query.first('instance')
  if (instance !== undefined && instance.length > LONGEST_NAME) throw invalid('instance')
  const since = lastEventId || query.first('since')
  const [jobs, untilEnded] = [jobsIn(query), query.flag('end')]
  if (untilEnded && !jobs) throw invalid('end')
  return {
    types: typesIn(query),
    jobs,
    untilEnded,
    instance,
    present: query.flag('snapshot'),
    since: since?.slice(0, LONGEST_ID),
    heartbeat: heartbeatIn(query),
  }
}

function typesIn(query: QueryString): ReadonlySet<EventType> | undefined {
  const text = query.first('types')
  if (text === undefined) return undefined
  const types = text.split(',')
  for (const type of types) {
    if (!EVENT_TYPES.includes(type as EventType)) throw invalid('types')
  }
  return new Set(types as EventType[])
}

function jobsIn(query: QueryString): ReadonlySet<number> | undefined {
  const text = query.first('job')
  if (text === undefined) return undefined
  const ids = text.split(',')
  if (ids.length > MOST_JOBS || !ids.every((id) => /^\d{1,15}$/.test(id))) throw invalid('job')
  return new Set(ids.map(Number))
}

function heartbeatIn(query: QueryString): number {
  const text = query.first('heartbeat')
  if (text === undefined) return HEARTBEAT.usual
  const seconds = Number(text)
  if (!/^\d+$/.test(text) || seconds < HEARTBEAT.least || seconds > HEARTBEAT.most) throw invalid('heartbeat')
  return seconds
}

function invalid(name: string): Failure {
  return new Failure('invalid', `Invalid value for the '${name}' parameter`)
}

export const events = [stream]
