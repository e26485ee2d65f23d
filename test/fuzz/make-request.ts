/**
 * Requests for the daemon with the sample cluster: each resource that there is,
 * with everything that HTTP lets a client say about a body and a connection.
 */
import { stringifyJson } from '../../lib/json/json.ts'
import type { Schema } from '../../lib/model/check.ts'
import type { Opcode } from '../../lib/model/opcode.ts'
import * as clusterOpcodes from '../../lib/model/opcodes/cluster.ts'
import * as groupOpcodes from '../../lib/model/opcodes/group.ts'
import * as instanceOpcodes from '../../lib/model/opcodes/instance.ts'
import * as networkOpcodes from '../../lib/model/opcodes/network.ts'
import * as nodeOpcodes from '../../lib/model/opcodes/node.ts'
import { resources } from '../../lib/resources/table.ts'
import { schemaValue } from '../support/schema.ts'
import { jsonText } from './json-text.ts'
import type { Random } from './random.ts'

export const USERS = 'reader pw read\nwriter pw write\nguest pw\n'

const OPCODES = new Map(
  [clusterOpcodes, groupOpcodes, instanceOpcodes, networkOpcodes, nodeOpcodes]
    .flatMap((table): readonly Opcode[] => Object.values(table))
    .map((opcode) => [opcode.id, Object.keys(opcode.parameters)]),
)

/** What is in bodies that submit no job. */
const OTHER_BODIES: Readonly<Record<string, readonly string[]>> = {
  '/2/query/{resource}': ['fields', 'qfilter', 'filter'],
  '/2/jobs/{job_id}/wait': ['fields', 'previous_job_info', 'previous_log_serial'],
  '/2/filters': ['priority', 'predicates', 'action', 'reason'],
  '/2/filters/{filter_uuid}': ['priority', 'predicates', 'action', 'reason'],
}

/** Where requests go: paths, and the methods they have but those whose answers go on (streams), which have no end. */
const METHODS = resources.flatMap(({ path, methods }) =>
  Object.entries(methods)
    .filter(([, { follows }]) => follows === undefined)
    .map(([name, { parameters, dependsOn, submits, body }]) => ({
      name,
      path,
      parameters: parameters.map((parameter) => parameter.name),
      changes: name !== 'GET' || submits !== undefined,
      takesBody: dependsOn === 'more',
      schema: body?.schema,
      /** What a body may say. */
      keys: [...(submits ?? []).flatMap((id) => OPCODES.get(id) ?? []), ...(OTHER_BODIES[path] ?? [])],
    })),
)

const NAMES: Readonly<Record<string, readonly string[]>> = {
  instance_name: ['web.example.com', 'mail.example.com', 'db', 'ghost.example.com', 'nosuch'],
  node_name: ['node1.example.com', 'node2', 'nosuch'],
  group_name: ['default', 'branch', 'nosuch'],
  network_name: ['front', 'storage', 'nosuch'],
  job_id: ['1', '2', '99999999999999999999'],
  disk: ['0', '1', '99'],
  resource: [
    'instance',
    'node',
    'group',
    'network',
    'job',
    'os',
    'cluster',
    'lock',
    'filter',
    'export',
    'nosuch',
  ],
  filter_uuid: ['2fd4e1c6-7a2d-48fc-8d1f-0a1b2c3d4e5f', 'nosuch'],
}

/** Names of parameters and other things that a body may speak of. */
export const WORDS: readonly string[] = [
  ...new Set([...OPCODES.values(), ...Object.values(OTHER_BODIES)].flat()),
  ...'name status hvparams beparams snodes disk.sizes nic.ips jobid opcode web.example.com node1.example.com'.split(
    ' ',
  ),
  ...'& | ! = == != < >= =~ =[] ? ACCEPT REJECT plain drbd add remove auto'.split(' '),
]

/** Pieces that mean something to a reader of HTTP. */
export const HTTP_TOKENS = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\n\n',
    '\r',
    ' ',
    '\t',
    '\0',
    ': ',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    ' HTTP/2.0\r\n',
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 99999999999999999999\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding: identity\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Connection: upgrade\r\nUpgrade: h2c\r\n',
    'Host: y\r\n',
  ],
  ...[
    'Expect: 100-continue\r\n',
    'Expect: 200-ok\r\n',
    'TE: trailers\r\n',
    'Trailer: x\r\n',
    ' folded\r\n',
    'x : y\r\n',
  ],
  ...[
    '0\r\n\r\n',
    '5\r\nabcde\r\n',
    'ffffffffffffffff\r\n',
    '1;a=b\r\nx\r\n',
    'Authorization: Basic \r\n',
    'If-None-Match: *\r\n',
  ],
  ...[
    '?',
    '%',
    '%00',
    '%2',
    '%ff',
    '//',
    '/../',
    '*',
    '&bulk=1',
    'http://x/',
    '\xff',
    '\x7f',
    'Accept-Encoding: gzip;q=1e9\r\n',
  ],
]

/** What requests are to be made. */
export interface Kinds {
  /** Makes bodies of the names that may stand in them; without it they are JSON, and half of them what is expected. */
  readonly body?: (random: Random, keys: readonly string[]) => Buffer
  /** Whether it always has a body, and a method that takes one. */
  readonly bodies?: boolean
  /** Whether it comes from a user who may do everything, and is nothing out of the ordinary. */
  readonly ordinary?: boolean
}

/**
 * Makes one request that every server has to understand, though it need not like it.
 * @param id what tells it from others: it stands in the query string
 */
export function makeRequest(random: Random, id: string, { body, bodies, ordinary }: Kinds = {}): Buffer {
  const choice = random.pick(bodies ? METHODS.filter(({ takesBody }) => takesBody) : METHODS)
  const method =
    ordinary || random.chance(0.85)
      ? choice.name
      : random.pick(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'])
  const version = ordinary || random.chance(0.9) ? '1.1' : '1.0'
  const lines = [`${method} ${target(random, choice, id)} HTTP/${version}`, 'Host: localhost']
  if (ordinary || random.chance(0.95)) lines.push('User-Agent: fuzz/1.0')
  if (ordinary || random.chance(0.5)) {
    const user = ordinary
      ? 'writer:pw'
      : random.pick(['writer:pw', 'reader:pw', 'guest:pw', 'writer:wrong', ':'])
    lines.push(`Authorization: Basic ${Buffer.from(user).toString('base64')}`)
  }
  if (!ordinary) lines.push(...random.several(random.below(3), () => random.pick(UNIMPORTANT)))
  if (bodies || random.chance(method === 'GET' ? 0.2 : 0.7)) {
    const text = body?.(random, choice.keys) ?? Buffer.from(bodyText(random, choice.schema))
    const [framing, framed] = frameBody(text, random, version)
    if (ordinary || random.chance(0.9)) lines.push('Content-Type: application/json')
    return Buffer.concat([head([...lines, framing]), framed])
  }
  return head(lines)
}

/** A body: what is expected, but for a part now and then, or any JSON. */
function bodyText(random: Random, schema: Schema | undefined): string {
  if (!schema || random.chance(0.5)) return jsonText(random, WORDS)
  return stringifyJson(schemaValue(random, schema, random.pick([0, 0, 0.02])))
}

function head(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** Headers that a request may do without. */
const UNIMPORTANT = [
  ...['Connection: close', 'Connection: keep-alive', 'Connection: foo', 'Cookie: a=b', 'Accept: */*'],
  ...[
    'Accept-Encoding: gzip',
    'Accept-Encoding: identity;q=0',
    'If-None-Match: *',
    'If-None-Match: "x", W/"y"',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: something',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'TE: trailers',
  ],
]

function target(random: Random, { path, parameters, changes }: (typeof METHODS)[number], id: string): string {
  const filled = path.replaceAll(/{(\w+)}/g, (_, name) => random.pick(NAMES[name] ?? ['nosuch']))
  const query = parameters
    .filter((name) => random.chance(name === 'bulk' || name === 'fields' ? 0.7 : 0.3))
    .filter((name) => name !== 'dry-run')
    .map((name) => `${name}=${random.pick(['1', '0', '', 'x', 'name,uuid', 'web.example.com', '%41', '+'])}`)
  // Where it changes something, that is only tried: others need the cluster as it is.
  if (changes) query.push('dry-run=1')
  return `${filled}?${[...query, `id=${id}`].join('&')}`
}

function frameBody(body: Buffer, random: Random, version: string): readonly [string, Buffer] {
  if (version === '1.0' || random.chance(0.6)) return [`Content-Length: ${body.length}`, body]
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const end = Math.min(body.length, at + random.size(1, Math.max(2, body.length)))
    chunks.push(Buffer.from(`${(end - at).toString(16)}\r\n`), body.subarray(at, end), Buffer.from('\r\n'))
    at = end
  }
  return ['Transfer-Encoding: chunked', Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])]
}
