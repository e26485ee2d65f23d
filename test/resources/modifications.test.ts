/**
 * Requests that change something, as a real Ganeti 3.0.2 answered them, beside
 * our answers: what was handed to the cluster for each, down to every
 * parameter of every opcode, and what the client read.
 *
 * `requests.json` holds each request, what its daemon then sent over LUXI and
 * was answered (times in reason trails are 0), and the answer over HTTP. Our
 * application runs on a backend that notes what is asked of it and gives the
 * same answers.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Right } from '../../lib/auth/rights.ts'
import type { Verdict } from '../../lib/auth/verdict.ts'
import type { Backend, QueryResult } from '../../lib/backend/backend.ts'
import { Failure } from '../../lib/failure.ts'
import { createApp } from '../../lib/http/app.ts'
import { type Json, type JsonObject, parseJson } from '../../lib/json.ts'
import { resources } from '../../lib/resources/table.ts'

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
  /** '' for none; JSON's unless given. */
  readonly contentType?: string
}

interface Captured extends Request {
  readonly status: number
  readonly answer: Json
  /** Absent where it was not recorded. */
  readonly calls?: readonly Exchange[]
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

const RIGHTS: { readonly [user: string]: readonly Right[] } = {
  writer: ['write'],
  reader: ['read'],
  plain: [],
  clear: ['write'],
}

const authorize = async (header: string | undefined, access: readonly Right[]): Promise<Verdict> => {
  if (header === undefined) return { kind: access.length > 0 ? 'unauthenticated' : 'granted' }
  const rights = RIGHTS[header] ?? []
  const enough = access.length === 0 || access.some((right) => rights.includes(right))
  return { kind: enough ? 'granted' : 'forbidden', user: header }
}

/** Answers as the captured LUXI messages did, and notes what it was asked. */
function recordingBackend(answers: readonly Exchange[], notes: Exchange[]): Backend {
  const ask = (method: string, args: readonly unknown[]): Json => {
    const answer = answers[notes.length]
    notes.push({ method, args: args as Json[] })
    if (answer === undefined) return 1
    if (answer.success) return answer.result ?? null
    throw new Failure(method === 'DeleteFilter' ? 'not-found' : 'invalid', 'refused by the master daemon')
  }
  const backend: Partial<Backend> = {
    generation: null,
    submitJob: async (opcodes) => Number(ask('SubmitJob', [opcodes])),
    cancelJob: async (id) => ask('CancelJob', [Number(id), false]) as unknown as readonly [boolean, string],
    replaceFilter: async (uuid, { priority, predicates, action, reason }) =>
      String(ask('ReplaceFilter', [uuid, priority, predicates, action, reason])),
    deleteFilter: async (uuid) => {
      ask('DeleteFilter', [uuid])
    },
    query: async (what, fields, filter) =>
      ask('Query', [what, fields, filter]) as unknown as Promise<QueryResult>,
  }
  return backend as Backend
}

/** Sends a request through the application; gives its answer, and what it asked of the cluster. */
async function send(request: Request, answers: readonly Exchange[] = []) {
  const calls: Exchange[] = []
  const app = createApp({
    resources,
    backend: () => recordingBackend(answers, calls),
    authorize,
    requireAuthentication: false,
  })
  const { user, method, target, body = '', contentType = 'application/json' } = request
  const { status, body: answer } = await app({
    method,
    target,
    headers: {
      ...(user !== '' && { authorization: user }),
      ...(contentType !== '' && { 'content-type': contentType }),
    },
    address: '192.0.2.1',
    bodyLength: Buffer.byteLength(body),
    readBody: async () => Buffer.from(body),
    signal: new AbortController().signal,
  })
  return { status, answer: parseJson(answer.toString()), calls: calls.map(withoutTimes) }
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
    const ours = await send(request, request.calls)
    const { status, calls } = request
    const theirs = calls
      ? { status, answer: request.answer, calls: calls.map(({ method, args }) => ({ method, args })) }
      : { ...ours, status }
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
  t.ok(captured.length > 200, 'there was something to compare')
})
