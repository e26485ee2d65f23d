/**
 * Requests that change something, as a real Ganeti 3.0.2 answered them, beside
 * our answers: what was handed to the cluster for each, down to every
 * parameter of every opcode, and what the client read.
 *
 * `requests.json` holds each request, what its daemon then sent over LUXI and
 * was answered (times in reason trails are 0), and the answer over HTTP. Our
 * application runs on a backend that notes what is asked of it, with opcodes
 * filled in as a master daemon fills them in, and gives the same answers.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Need } from '../../lib/auth/permissions.ts'
import type { Right } from '../../lib/auth/rights.ts'
import type { Verdict } from '../../lib/auth/verdict.ts'
import type { Backend, QueryResult } from '../../lib/backend/backend.ts'
import { Failure } from '../../lib/failure.ts'
import { createApp } from '../../lib/http/app.ts'
import { createRouter } from '../../lib/http/router.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '../../lib/json/json.ts'
import { fillOpcode } from '../../lib/model/opcode.ts'
import { OP_INSTANCE_CREATE } from '../../lib/model/opcodes/instance.ts'
import { completeOpcode } from '../../lib/model/opcodes/table.ts'
import { NEWEST, type Version, versionFrom } from '../../lib/model/version.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { reasonTrail } from '../../lib/resources/submit.ts'
import { resources } from '../../lib/resources/table.ts'
import { GANETI_3_0, GANETI_3_1 } from '../support/versions.ts'

interface Exchange {
  readonly method: string
  readonly args: readonly Json[]
  readonly success?: boolean
  readonly result?: Json
}

interface Request {
  readonly name: string
  /** '' for nobody. */
  readonly user: string
  readonly method: string
  readonly target: string
  readonly body?: string
}

interface Captured extends Request {
  readonly status: number
  readonly answer: Json
  readonly calls: readonly Exchange[]
}

const captured: readonly Captured[] = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/captures/write/requests.json', import.meta.url), 'utf8'),
)

/** Requests that we answer otherwise, each with our status and the reason. */
const DIFFERENCES: readonly {
  readonly request: RegExp
  readonly theirs: number
  readonly ours: number
  readonly reason: string
}[] = [
  {
    request: /^PUT \/2\/instances\/inst3.example.com\/modify \[1\]$/,
    theirs: 500,
    ours: 400,
    reason: 'a list where an object is expected: a Python exception there',
  },
  {
    request: /^PUT \/2\/modify $/,
    theirs: 500,
    ours: 200,
    reason: 'no body is no change: a Python exception there',
  },
  {
    request: /^DELETE \/2\/filters\/57e62bd7-18fb-47bb-87d4-3af1d31dff1b $/,
    theirs: 500,
    ours: 404,
    reason: 'a rule that is not there',
  },
  {
    request: /^POST \/2\/filters \{"(priority": -1|predicates": \[\["bogus"\]\]|action": "BOGUS")\}$/,
    theirs: 502,
    ours: 400,
    reason: 'the request is at fault, not the master daemon',
  },
  {
    request: /^PUT \/2\/query\/instance\?fields=name \{"qfilter": \["\?", "snodes"\]\}$/,
    theirs: 500,
    ours: 400,
    reason: 'the filter is at fault',
  },
]

/** What only asks. */
const READS: readonly string[] = ['Query', 'QueryFilters', 'QueryJobs']
/** What is refused rather than tried. */
const CANNOT_BE_TRIED: readonly string[] = ['POST /2/filters', 'PUT /2/filters/{filter_uuid}']

const RIGHTS: { readonly [user: string]: readonly Right[] } = { writer: ['write'], reader: ['read'] }

const authorize = async (user: string | undefined, { access }: Need): Promise<Verdict> => {
  if (user === undefined) return { kind: access.length > 0 ? 'unauthenticated' : 'granted' }
  const enough = access.length === 0 || access.some((right) => RIGHTS[user]?.includes(right))
  return { kind: enough ? 'granted' : 'forbidden', user }
}

/** Answers as the captured LUXI messages did, and notes what it was asked. */
function recordingBackend(version: Version, answers: readonly Exchange[], notes: Exchange[]): Backend {
  const ask = (method: string, args: readonly unknown[]): Json => {
    const answer = answers[notes.length]
    notes.push({ method, args: args as Json[] })
    if (answer === undefined) return 1
    if (answer.success) return answer.result ?? null
    throw new Failure(method === 'DeleteFilter' ? 'not-found' : 'invalid', 'refused by the master daemon')
  }
  const backend: Partial<Backend> = {
    generation: null,
    version: async () => version,
    submitJob: async (opcodes) => Number(ask('SubmitJob', [opcodes])),
    cancelJob: async (id) => ask('CancelJob', [Number(id), false]) as unknown as readonly [boolean, string],
    replaceFilter: async (uuid, { priority, predicates, action, reason }) =>
      String(ask('ReplaceFilter', [uuid, priority, predicates, action, reason])),
    deleteFilter: async (uuid) => {
      ask('DeleteFilter', [uuid])
    },
    queryFilters: async (uuids, fields) => [ask('QueryFilters', [uuids, fields]) as unknown as Json[]],
    queryJobs: async (ids, fields) => [[ask('QueryJobs', [ids, fields])]],
    query: async (what, fields, filter) =>
      ask('Query', [what, fields, filter]) as unknown as Promise<QueryResult>,
  }
  return backend as Backend
}

/** Sends a request through the application; gives its answer, and what it asked of the cluster, word for word. */
async function sendPlainly(
  request: Request,
  answers: readonly Exchange[] = [],
  version = NEWEST,
  namesRequester = false,
) {
  const calls: Exchange[] = []
  const app = createApp({
    resources,
    backend: () => recordingBackend(version, answers, calls),
    namesRequester,
    authorizer: {
      requireAuthentication: false,
      authorizeNow: () => undefined,
      authorize,
      within: () => [],
    },
  })
  const { user, method, target, body = '' } = request
  const { status, body: answer } = await app({
    method,
    target,
    headers: { ...(user !== '' && { authorization: user }), 'content-type': 'application/json' },
    network: '192.0.2.1',
    bodyLength: Buffer.byteLength(body),
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => Buffer.from(body),
    signal: new AbortController().signal,
    lost: new AbortController().signal,
  })
  return { status, answer: parseJson(answer.toString()), calls: calls.map(withoutTimes) }
}

/** As `sendPlainly`, with opcodes as a job would show them. */
async function send(request: Request, answers: readonly Exchange[] = [], version = NEWEST) {
  const { calls, ...answered } = await sendPlainly(request, answers, version)
  const completed = calls.map(({ method, args }): Exchange => {
    if (method !== 'SubmitJob') return { method, args }
    return { method, args: [(args[0] as readonly JsonObject[]).map((one) => completeOpcode(one, version))] }
  })
  return { ...answered, calls: completed }
}

/** Times in reason trails become 0. */
function withoutTimes({ method, args }: Exchange): Exchange {
  if (method !== 'SubmitJob') return { method, args }
  const opcodes = args[0] as readonly JsonObject[]
  return { method, args: [opcodes.map(untimed)] }
}

function untimed(opcode: JsonObject): JsonObject {
  const trail = opcode.reason as readonly [string, string, bigint][]
  return { ...opcode, reason: trail.map(([source, reason]) => [source, reason, 0]) }
}

t.test('a request for a change is handed over and answered as by the original', async (t) => {
  const differing: string[] = []
  const applied = new Set<unknown>()
  for (const request of captured) {
    const ours = await send(request, request.calls, GANETI_3_0)
    const { status, calls } = request
    const theirs = {
      status,
      answer: request.answer,
      calls: calls.map(({ method, args }) => ({ method, args })),
    }
    if (isDeepStrictEqual(ours, theirs)) continue
    const place = `${request.method} ${request.target} ${request.body ?? ''}`
    const difference = DIFFERENCES.find((one) => one.request.test(place))
    differing.push(place)
    applied.add(difference)
    t.strictSame(
      difference ? { status: ours.status, theirs: theirs.status } : ours,
      difference ? { status: difference.ours, theirs: difference.theirs } : theirs,
      `${request.name}: ${place}${difference ? ` (${difference.reason})` : ''}`,
    )
  }
  t.comment(
    `${captured.length - differing.length} of ${captured.length} requests are handed over and answered alike`,
  )
  for (const difference of DIFFERENCES) t.ok(applied.has(difference), `still different: ${difference.reason}`)
  t.ok(captured.length > 190, 'there was something to compare')
})

/** Requests for methods of which none was captured that succeeded. */
const NOT_CAPTURED: readonly (readonly [method: string, target: string, body?: string])[] = [
  ['DELETE', '/2/instances/i/export'],
  ['PUT', '/2/networks/n/rename', '{"new_name": "m"}'],
  ['POST', '/2/nodes/n/powercycle'],
  ['POST', '/2/instances-multi-alloc', '{"instances": []}'],
]

t.test('with dry-run=1 nothing is changed, whatever the method', async (t) => {
  const route = createRouter(resources)
  const left = new Set(
    resources.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method} ${path}`)),
  )
  const requests: Captured[] = captured.filter(({ status }) => status === 200)
  for (const [method, target, body = ''] of NOT_CAPTURED) {
    requests.push({ name: '', user: 'writer', method, target, body, status: 200, answer: null, calls: [] })
  }
  for (const request of requests) {
    const { method, target } = request
    const dry = `${target}${target.includes('?') ? '&' : '?'}dry-run=1`
    const { status, calls } = await send({ ...request, target: dry }, request.calls)
    for (const call of calls) {
      if (READS.includes(call.method)) continue
      t.equal(call.method, 'SubmitJob', `${method} ${dry}`)
      const opcodes = (call.args[0] ?? []) as JsonObject[]
      if (method !== 'GET')
        t.ok(
          opcodes.every(({ dry_run }) => dry_run === true),
          `${method} ${dry}`,
        )
    }
    const resource = `${method} ${route(target.replace(/\?.*/, ''))?.resource.path}`
    // The body must not say it once more.
    const isRefused = CANNOT_BE_TRIED.includes(resource) || /"dry_run"/.test(request.body ?? '')
    t.equal(status, isRefused ? 400 : 200, `${method} ${dry}`)
    if (status === 200 || CANNOT_BE_TRIED.includes(resource)) left.delete(resource)
  }
  t.strictSame(
    [...left].filter((one) => !one.startsWith('GET ')),
    [],
  )
})

/** The opcodes of the job that a request submits, or the status and message that refuse it. */
async function submitted(method: string, target: string, body?: Json): Promise<Json> {
  const { status, answer, calls } = await send({
    name: '',
    user: 'writer',
    method,
    target,
    ...(body !== undefined && { body: stringifyJson(body) }),
  })
  if (status !== 200) return isJsonObject(answer) ? [status, answer.message ?? null] : null
  return calls[0]?.args[0] ?? null
}

const by = (operation: string, why?: string): Json => [
  ...(why === undefined ? [] : [['gnt:user', why, 0]]),
  [`gnt:library:rlib2:${operation}`, '', 0],
]

/** Requests that were not captured: method, target, body, and what some of each opcode's parameters must be. */
const OWN: readonly {
  readonly title: string
  readonly request: readonly [string, string, Json?]
  readonly opcodes: readonly JsonObject[]
}[] = [
  {
    title: 'jobs to wait for are read from a body that is not looked at otherwise',
    request: ['PUT', '/2/tags?tag=x', { depends: [[5, ['success']]], tags: ['y'] }],
    opcodes: [{ OP_ID: 'OP_TAGS_SET', tags: ['x'], depends: [[5, ['success']]] }],
  },
  {
    title: 'a start does not look at parameters in the body',
    request: ['PUT', '/2/instances/i/startup', { hvparams: { a: 1 }, depends: [[-1, []]] }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_STARTUP', hvparams: {}, depends: [[-1, []]] }],
  },
  {
    title: 'a dry run that is asked for is none for real, even where Ganeti has none',
    request: ['PUT', '/2/instances/i/modify?dry-run=1', {}],
    opcodes: [{ OP_ID: 'OP_INSTANCE_SET_PARAMS', dry_run: true }],
  },
  {
    title: 'a dry reinstallation is dry from end to end, and keeps its reason',
    request: ['POST', '/2/instances/i/reinstall?dry-run=1&reason=why', { os: 'noop', osparams: { a: 'b' } }],
    opcodes: [
      { OP_ID: 'OP_INSTANCE_SHUTDOWN', dry_run: true, reason: by('instances_name_reinstall', 'why') },
      {
        OP_ID: 'OP_INSTANCE_REINSTALL',
        os_type: 'noop',
        osparams: { a: 'b' },
        dry_run: true,
        reason: by('instances_name_reinstall', 'why'),
      },
      { OP_ID: 'OP_INSTANCE_STARTUP', dry_run: true, reason: by('instances_name_reinstall', 'why') },
    ],
  },
  {
    title: 'a reason beside a body leaves the body its say',
    request: ['POST', '/2/nodes/n/migrate?reason=why', { mode: 'non-live', target_node: 'm' }],
    opcodes: [
      {
        OP_ID: 'OP_NODE_MIGRATE',
        mode: 'non-live',
        target_node: 'm',
        reason: by('nodes_name_migrate', 'why'),
      },
    ],
  },
  {
    title: 'live=0 is a migration that is not live',
    request: ['POST', '/2/nodes/n/migrate?live=0'],
    opcodes: [{ OP_ID: 'OP_NODE_MIGRATE', mode: 'non-live' }],
  },
  {
    title: 'each of several instances is a whole opcode within the opcode',
    request: [
      'POST',
      '/2/instances-multi-alloc',
      { instances: [{ name: 'a', os: 'noop', mode: 'create', disks: [], nics: [] }], iallocator: 'hail' },
    ],
    opcodes: [
      {
        OP_ID: 'OP_INSTANCE_MULTI_ALLOC',
        iallocator: 'hail',
        dry_run: false,
        instances: [
          fillOpcode(
            OP_INSTANCE_CREATE,
            {
              OP_ID: 'OP_INSTANCE_CREATE',
              instance_name: 'a',
              os_type: 'noop',
              mode: 'create',
              disks: [],
              nics: [],
            },
            NEWEST,
          ),
        ],
      },
    ],
  },
  {
    title: 'USB devices may be separated by spaces',
    request: ['PUT', '/2/instances/i/modify', { hvparams: { usb_devices: 'a b', acpi: true } }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_SET_PARAMS', hvparams: { usb_devices: 'a,b', acpi: true } }],
  },
  {
    title: 'long integers reach the cluster digit by digit',
    request: ['PUT', '/2/instances/i/modify', { beparams: { x: 12345678901234567890n } }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_SET_PARAMS', beparams: { x: 12345678901234567890n } }],
  },
  {
    title: 'disks to replace are a list',
    request: ['POST', '/2/instances/i/replace-disks', { mode: 'replace_auto', disks: [0, 1] }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_REPLACE_DISKS', disks: [0, 1] }],
  },
  {
    title: 'disks to replace are numbers in a text',
    request: ['POST', '/2/instances/i/replace-disks', { mode: 'replace_auto', disks: '0, 1' }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_REPLACE_DISKS', disks: [0, 1] }],
  },
  {
    title: 'no disks to replace are all of them',
    request: ['POST', '/2/instances/i/replace-disks', { mode: 'replace_auto', disks: '' }],
    opcodes: [{ OP_ID: 'OP_INSTANCE_REPLACE_DISKS', disks: [] }],
  },
  {
    title: 'a storage unit is closed to new volumes',
    request: ['PUT', '/2/nodes/n/storage/modify?storage_type=lvm-pv&name=x&allocatable=0'],
    opcodes: [{ OP_ID: 'OP_NODE_MODIFY_STORAGE', name: 'x', changes: { allocatable: false } }],
  },
  {
    title: 'a network gets another name',
    request: ['PUT', '/2/networks/a/rename?dry-run=1', { new_name: 'b' }],
    opcodes: [
      {
        OP_ID: 'OP_NETWORK_RENAME',
        network_name: 'a',
        new_name: 'b',
        dry_run: true,
        reason: by('networks_name_rename'),
      },
    ],
  },
  {
    title: 'an export is removed',
    request: ['DELETE', '/2/instances/i/export'],
    opcodes: [{ OP_ID: 'OP_BACKUP_REMOVE', instance_name: 'i', reason: by('instances_name_export') }],
  },
]

t.test('what a request says becomes what the job says', async (t) => {
  for (const { title, request, opcodes } of OWN) t.match(await submitted(...request), opcodes, title)
})

const asWriter = { name: '', user: 'writer' }

t.test('a job is handed over with what the client says, path and query, and nothing else', async (t) => {
  const requests: readonly (readonly [Omit<Request, 'name' | 'user'>, Json])[] = [
    [
      { method: 'PUT', target: '/2/instances/i/modify', body: '{"hvparams": {"acpi": true}}' },
      [
        {
          OP_ID: 'OP_INSTANCE_SET_PARAMS',
          instance_name: 'i',
          hvparams: { acpi: true },
          reason: by('instances_name_modify'),
        },
      ],
    ],
    [
      { method: 'PUT', target: '/2/tags?tag=x' },
      [
        {
          OP_ID: 'OP_TAGS_SET',
          kind: 'cluster',
          name: null,
          tags: ['x'],
          dry_run: false,
          reason: by('tags'),
        },
      ],
    ],
    [
      { method: 'POST', target: '/2/instances/i/reinstall?nostartup=1&os=noop' },
      [
        { OP_ID: 'OP_INSTANCE_SHUTDOWN', instance_name: 'i', reason: [] },
        { OP_ID: 'OP_INSTANCE_REINSTALL', instance_name: 'i', os_type: 'noop', osparams: null, reason: [] },
      ],
    ],
  ]
  for (const [request, opcodes] of requests) {
    const { calls } = await sendPlainly({ ...asWriter, ...request })
    t.strictSame(calls, [{ method: 'SubmitJob', args: [opcodes] }], request.target)
  }
})

t.test('bodies are held to what the version of the cluster knows', async (t) => {
  const hotplug = { ...asWriter, method: 'PUT', target: '/2/instances/i/modify' }
  const body = '{"hotplug_if_possible": true, "colour": "red"}'
  const statusAt = async (version: Version, body: string) =>
    (await send({ ...hotplug, body }, [], version)).status
  t.equal(await statusAt(GANETI_3_0, '{"hotplug_if_possible": true}'), 200)
  t.equal(await statusAt(GANETI_3_1, '{"hotplug_if_possible": true}'), 400)
  t.equal(await statusAt(versionFrom('4.0.0') as Version, body), 200, 'which nobody here can know')

  const connect = { ...asWriter, method: 'PUT', target: '/2/networks/n/connect' }
  const ext = '{"group_name": "g", "network_mode": "ext", "network_link": "x"}'
  const connected = async (version: Version) => (await send({ ...connect, body: ext }, [], version)).status
  t.equal(await connected(GANETI_3_1), 400)
  t.equal(await connected(NEWEST), 200)

  const several = { ...asWriter, method: 'POST', target: '/2/instances-multi-alloc' }
  const one = '{"instances": [{"name": "a", "mode": "create", "disks": [], "nics": []}]}'
  for (const [version, name_check] of [
    [GANETI_3_0, true],
    [GANETI_3_1, false],
  ] as const) {
    const { calls } = await sendPlainly({ ...several, body: one }, [], version)
    t.match(calls[0]?.args, [[{ instances: [{ name_check }] }]], `in ${version.text}`)
  }
})

t.test('a resource that the version of the cluster does not have is not found', async (t) => {
  const cases: readonly (readonly [method: string, target: string, statuses: readonly number[]])[] = [
    ['PUT', '/2/networks/a/rename', [404, 200, 200, 200]],
    ['GET', '/2/networks/a/rename', [404, 501, 501, 501]],
    ['DELETE', '/2/instances/i/export', [501, 501, 200, 200]],
  ]
  const versions = ['3.0.2', '3.1.0', '3.2.0', '3.3.0'].map((text) => versionFrom(text) as Version)
  for (const [method, target, statuses] of cases) {
    const request = { ...asWriter, method, target, body: method === 'PUT' ? '{"new_name": "b"}' : '' }
    const answers = await Promise.all(versions.map((version) => send(request, [], version)))
    t.strictSame(
      answers.map(({ status }) => status),
      statuses,
      `${method} ${target}`,
    )
  }
})

/** Requests that are refused before anything is handed over: status and message. */
const REFUSALS: readonly (readonly [string, string, Json | undefined, number, string])[] = [
  ['PUT', '/2/nodes/n/role', 'constructor', 400, "Can't set 'constructor' role"],
  ['PUT', '/2/nodes/n/role', 5, 400, "Body contents: Type is 'int', but 'str' is expected"],
  ['PUT', '/2/modify?compression_tools=x', {}, 403, 'The parameter compression_tools cannot be set via RAPI'],
  ['POST', '/2/groups', [], 400, "Body contents: Type is 'list', but 'dict' is expected"],
  ['POST', '/2/groups', 1.5, 400, "Body contents: Type is 'float', but 'dict' is expected"],
  ['PUT', '/2/groups/g/modify?dry-run=x', {}, 400, "Invalid value for the 'dry-run' parameter"],
  ['POST', '/2/instances', { __version__: true }, 400, 'Unsupported request data version true'],
  [
    'POST',
    '/2/instances-multi-alloc',
    undefined,
    400,
    "Request is missing required 'instances' field in body",
  ],
  [
    'POST',
    '/2/instances-multi-alloc',
    { instances: 1 },
    400,
    "'instances' parameter: Type is 'int', but 'list' is expected",
  ],
  [
    'POST',
    '/2/instances-multi-alloc',
    { instances: [1] },
    400,
    "Body contents: Type is 'int', but 'dict' is expected",
  ],
  ['POST', '/2/instances/i/reinstall', [1], 400, 'Invalid body contents, not a dictionary'],
  [
    'POST',
    '/2/instances/i/reinstall',
    { start: 1 },
    400,
    "'start' parameter: Type is 'int', but 'bool' is expected",
  ],
  [
    'POST',
    '/2/instances/i/reinstall',
    { os: 5 },
    400,
    `Invalid body parameters: ("Parameter 'OP_INSTANCE_REINSTALL.os_type' fails validation", 'wrong_input')`,
  ],
  ['POST', '/2/instances/i/replace-disks', [1], 400, "Body contents: Type is 'list', but 'dict' is expected"],
  [
    'POST',
    '/2/instances/i/replace-disks',
    { mode: 'replace_auto', disks: 5 },
    400,
    `Invalid body parameters: ("Parameter 'OP_INSTANCE_REPLACE_DISKS.disks' fails validation", 'wrong_input')`,
  ],
  [
    'POST',
    '/2/instances/i/disk/16/grow',
    { amount: 1 },
    400,
    `Invalid body parameters: ("Parameter 'OP_INSTANCE_GROW_DISK.disk' fails validation", 'wrong_input')`,
  ],
  [
    'PUT',
    '/2/networks/a/rename',
    {},
    400,
    `Invalid body parameters: ("Parameter 'OP_NETWORK_RENAME.new_name' fails validation", 'wrong_input')`,
  ],
  [
    'POST',
    '/2/filters',
    { priority: true },
    400,
    "'priority' parameter: Type is 'bool', but 'int' is expected",
  ],
  [
    'POST',
    '/2/filters',
    { predicates: {} },
    400,
    "'predicates' parameter: Type is 'dict', but 'list' is expected",
  ],
  [
    'POST',
    '/2/filters',
    { priority: 9007199254740993n },
    400,
    "'priority' parameter: not what a filter rule can have",
  ],
  [
    'POST',
    '/2/filters',
    { action: ['RATE_LIMIT', 0] },
    400,
    "'action' parameter: not what a filter rule can have",
  ],
]

t.test('what no job could be made of is refused at once', async (t) => {
  for (const [method, target, body, status, message] of REFUSALS) {
    const escaped = message.replaceAll("'", '&#x27;').replaceAll('"', '&quot;')
    t.strictSame(await submitted(method, target, body), [status, escaped], `${method} ${target}`)
  }
})

t.test('a filter rule may limit how many jobs run', async (t) => {
  const body = '{"action": ["RATE_LIMIT", 2], "predicates": [["reason", ["=", "reason", "x"]]]}'
  const { calls } = await send({ name: '', user: 'writer', method: 'POST', target: '/2/filters', body })
  const args = [null, 0, [['reason', ['=', 'reason', 'x']]], ['RATE_LIMIT', 2], []]
  t.strictSame(calls, [{ method: 'ReplaceFilter', args }])
})

t.test('the reason trail of a job says who asked, beside the reason of the requester', async (t) => {
  const trails = async (line: string, user = 'writer', body = '') => {
    const [method = '', target = ''] = line.split(' ')
    const { calls } = await sendPlainly({ name: '', user, method, target, body }, [], NEWEST, true)
    const opcodes = calls.find((one) => one.method === 'SubmitJob')?.args[0] as readonly JsonObject[]
    return opcodes.map(({ reason }) => reason)
  }
  t.strictSame(await trails('PUT /2/tags?tag=a'), [[['gnt:library:rlib2:tags', 'user=writer;request=r1', 0]]])
  t.strictSame(await trails('PUT /2/tags?tag=a&reason=why'), [
    [
      ['gnt:user', 'why', 0],
      ['gnt:library:rlib2:tags', 'user=writer;request=r1', 0],
    ],
  ])
  t.strictSame(await trails('GET /2/instances/inst1/info', ''), [
    [['gnt:library:rlib2:instances_name_info', 'request=r1', 0]],
  ])
  const reinstalled = await trails('POST /2/instances/inst1/reinstall?os=x')
  t.equal(reinstalled.length, 3)
  for (const trail of reinstalled) {
    t.strictSame(trail, [['gnt:library:rlib2:instances_name_reinstall', 'user=writer;request=r1', 0]])
  }
})

t.test('reasons bear the time in nanoseconds', async (t) => {
  const earliest = BigInt(Date.now()) * 1_000_000n
  const trail = reasonTrail('tags', { query: new QueryString('reason=why') }) as readonly (readonly Json[])[]
  const latest = BigInt(Date.now()) * 1_000_000n
  t.equal(trail.length, 2)
  for (const [, , time] of trail) {
    t.ok(typeof time === 'bigint' && earliest <= time && time <= latest)
  }
})
