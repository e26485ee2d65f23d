/**
 * What a real Ganeti 3.0.2 answered to odd requests, and what ours answers to
 * the same bytes. Where the two differ on purpose, ERROR_DIFFERENCES says why.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { createApp } from '../../lib/http/app.ts'
import type { Limits } from '../../lib/http/limits.ts'
import { startServer } from '../../lib/http/server.ts'
import { resources } from '../../lib/resources/table.ts'
import { readConfigFile } from '../support/read-cluster.ts'
import { ERROR_DIFFERENCES } from './error-differences.ts'
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
        authorizer: createAuthorizer({ users: () => users, requireAuthentication }),
      }),
      serverName: 'Ganeti 3.0.2',
      logRequest: () => {},
      logDebug: () => {},
      logWarning: () => {},
      limits,
    },
    { host: '127.0.0.1', port: 0 },
  )
  server.begin()
  t.teardown(() => server.close(0))
  return server.address.port
}

const port = await start(false)
const strictPort = await start(true)
const impatientPort = await start(false, { head: 500, request: 500, check: 10, linger: 10 })

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

const names = readdirSync(captures)
  .filter((name) => name.endsWith('.req'))
  .map((name) => name.replace(/\.req$/, ''))

t.test('the same bytes get the same answer', async (t) => {
  const same = names.filter((name) => !(name in ERROR_DIFFERENCES))
  const answers = await Promise.all(same.map(ourAnswer))
  for (const [index, name] of same.entries()) t.strictSame(answers[index], capturedAnswer(name), name)
  t.comment(`${same.length} of ${names.length} captured answers are the same`)
})

t.test("every difference from Ganeti's answer is listed, with a reason", async (t) => {
  for (const [name, [status, message, reason]] of Object.entries(ERROR_DIFFERENCES)) {
    const ours = await ourAnswer(name)
    t.equal(ours.status, status, `${name}: ${reason}`)
    if (message !== undefined) t.equal(ours.error?.message, message, name)
    const theirs = capturedAnswer(name)
    // Where the message is another, so is the reason for the status.
    if (ours.status === theirs.status) t.equal(ours.error?.explain, theirs.error?.explain, name)
    t.notSame(ours, theirs, `${name} still differs`)
  }
})

t.end()
