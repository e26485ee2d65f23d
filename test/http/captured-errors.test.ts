/**
 * What a real Ganeti 3.0.2 answered to odd requests, and what ours answers to
 * the same bytes. Where the two differ on purpose, DIFFERENCES says why.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { readConfigFile } from '../../lib/backend/config-file/read.ts'
import { createApp } from '../../lib/http/app.ts'
import { type Limits, startServer } from '../../lib/http/server.ts'
import { resources } from '../../lib/resources/table.ts'
import { json, RawClient } from './raw-client.ts'

const fixtures = new URL('../../../test/fixtures/', import.meta.url)
const captures = new URL('captures/errors/', fixtures)

/** The users of the cluster the answers come from; hashed's password is `hashed-pw`. */
const users = parseUsers(`
  writer writer-pw write
  reader reader-pw read
  plain plain-pw
  clear {cleartext}clear-pw write
  hashed {HA1}5ad81097ffcd62ee8c02190841fad72f write
  both both-pw read,write
`)

const config = await readConfigFile(new URL('real-cluster/config.data', fixtures).pathname)
const backend = { ...configFileBackend(() => config), submitJob: async () => 95 }

async function start(requireAuthentication: boolean, limits: Partial<Limits> = {}): Promise<number> {
  const server = await startServer(
    {
      app: createApp({
        resources,
        backend: () => backend,
        authorize: createAuthorizer({ users: () => users, requireAuthentication }),
        requireAuthentication,
      }),
      serverName: 'Ganeti 3.0.2',
      maxClients: 20,
      logRequest: () => {},
      logDebug: () => {},
      limits,
    },
    { host: '127.0.0.1', port: 0 },
  )
  t.teardown(() => server.close(0))
  return server.address.port
}

const port = await start(false)
const strictPort = await start(true)
const impatientPort = await start(false, { head: 100, request: 100, check: 10, linger: 10 })

function portFor(name: string): number {
  if (name.startsWith('reqauth-')) return strictPort
  return /^(idle-|length-short-body$)/.test(name) ? impatientPort : port
}

interface Answer {
  /** 0 where the connection was closed without an answer. */
  readonly status: number
  readonly error: { code: number; message: string; explain: string } | undefined
  readonly challenge: string | undefined
}

async function ourAnswer(name: string): Promise<Answer> {
  const client = await RawClient.connect(portFor(name))
  client.send(readFileSync(new URL(`${name}.req`, captures)))
  if (name.includes('eof')) client.socket.end()
  let response = await client.response()
  while (response?.status === 100) response = await client.response()
  client.socket.destroy()
  if (!response) return { status: 0, error: undefined, challenge: undefined }

  const { status, headers, body } = response
  const isHead = name.startsWith('method-HEAD')
  t.equal(headers.server, 'Ganeti 3.0.2', `${name}: Server`)
  t.match(headers.date, / GMT$/, `${name}: Date`)
  t.equal(headers['content-type'], 'application/json', `${name}: Content-Type`)
  if (!isHead) t.equal(headers['content-length'], String(body.length), `${name}: Content-Length`)
  if (!isHead) t.equal(body.at(-1), 0x0a, `${name}: a newline at the end`)
  return {
    status,
    error: status === 200 || isHead ? undefined : (json(response) as Answer['error']),
    challenge: headers['www-authenticate'],
  }
}

function capturedAnswer(name: string): Answer {
  const text = readFileSync(new URL(`${name}.http`, captures), 'latin1')
  const endOfHead = text.indexOf('\r\n\r\n')
  const status = Number(text.split(' ')[1] ?? 0)
  const hasError = status !== 200 && status !== 0 && !name.startsWith('method-HEAD')
  return {
    status,
    error: hasError ? JSON.parse(text.slice(endOfHead + 4)) : undefined,
    challenge: /^WWW-Authenticate: (.*)\r$/m.exec(text)?.[1],
  }
}

/** Ours: a status (0: closed without an answer), and for an error the message. */
type Difference = readonly [status: number, message: string | undefined, reason: string]

const REQUEST_AT_FAULT = 'the request is at fault, not the server behind this one'
const NO_GUESSING = 'what is broken is refused, where the original ignores it or guesses'
const ANSWERED = 'the original closes without an answer'
const WHOLE_BODY = 'a body that is not of the announced length is refused for that'

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'body-length-huge': [413, 'Request Entity Too Large', 'bodies are bounded'],
  'body-query-bad-utf8': [400, 'Unable to parse JSON data', ANSWERED],
  'body-query-bom': [400, 'Unable to parse JSON data', ANSWERED],
  'body-query-nan': [400, 'Unable to parse JSON data', 'NaN is not JSON'],
  'body-query-fields-int': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-mixed': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-null': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-string': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-bad': [400, 'Unknown filter operand &#x27;nope&#x27;', REQUEST_AT_FAULT],
  'body-query-filter-badregex': [
    400,
    'Invalid regular expression &#x27;((&#x27;: Unterminated group',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-string': [
    400,
    'Cannot deserialise filter: expected array [string, args], got &quot;name == 1&quot;',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-unknown-field': [400, 'Can&#x27;t find field named &#x27;bogus&#x27;', REQUEST_AT_FAULT],
  chunked: [200, undefined, 'chunked bodies are accepted'],
  'length-extra-body': [
    400,
    'Missing &#x27;fields&#x27; query argument',
    'what follows a body is the next request',
  ],
  'length-hex': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-neg': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-plus': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-text': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-twice': [400, 'Duplicate Content-Length', WHOLE_BODY],
  'length-short-body': [408, 'Request Timeout', ANSWERED],
  'length-short-body-eof': [400, 'The request ended early', WHOLE_BODY],

  'eof-half-line': [400, 'The request ended early', ANSWERED],
  'idle-half-line': [408, 'Request Timeout', ANSWERED],
  'idle-no-end': [408, 'Request Timeout', ANSWERED],
  'header-folded': [400, 'Unexpected whitespace after header value', NO_GUESSING],
  'header-no-colon': [400, 'Invalid header token', NO_GUESSING],
  'header-space-colon': [400, 'Invalid header token', NO_GUESSING],
  'header-latin1': [200, undefined, ANSWERED],
  'headers-4096': [200, undefined, 'headers may have 16 KiB'],
  'headers-4100': [200, undefined, 'headers may have 16 KiB'],
  'headers-4200': [200, undefined, 'headers may have 16 KiB'],
  'http-binary': [400, undefined, ANSWERED],
  'http-cr-only': [400, 'Expected CRLF after version', ANSWERED],
  'http-lf-only': [400, 'The end of the headers was not found', ANSWERED],
  http09: [505, 'Invalid HTTP Version (0.9)', ANSWERED],
  'http09-post': [505, 'Invalid HTTP Version (0.9)', 'nobody speaks HTTP/0.9'],
  'http10-nohost': [200, undefined, ANSWERED],
  'http11-nohost': [400, 'Missing Host header', ANSWERED],
  'http11-nohost-404': [400, 'Missing Host header', ANSWERED],
  'http11-pipelined': [200, undefined, 'what follows a request is the next request'],

  'path-filter-bad': [404, 'Filter rule UUID not-a-uuid not found', 'it says what was not found'],
  'path-job-big': [404, 'Job 99999999999999999999999 not found', 'an unknown job is not found'],
  'path-job-leading-zero': [404, 'Job 007 not found', 'that cluster had a job 7; in a file there are none'],
  'path-job-zero': [404, 'Job 0 not found', 'an unknown job is not found'],
}

const names = readdirSync(captures)
  .filter((name) => name.endsWith('.req'))
  .map((name) => name.replace(/\.req$/, ''))

t.test('the same bytes get the same answer', async (t) => {
  const same = names.filter((name) => !(name in DIFFERENCES))
  const answers = await Promise.all(same.map(ourAnswer))
  for (const [index, name] of same.entries()) t.strictSame(answers[index], capturedAnswer(name), name)
  t.comment(`${same.length} of ${names.length} captured answers are the same`)
})

t.test('where the answer differs, it is as said, and for a reason', async (t) => {
  for (const [name, [status, message, reason]] of Object.entries(DIFFERENCES)) {
    const ours = await ourAnswer(name)
    t.equal(ours.status, status, `${name}: ${reason}`)
    if (message !== undefined) t.equal(ours.error?.message, message, name)
    t.notSame(ours, capturedAnswer(name), `${name} still differs`)
  }
})

t.end()
