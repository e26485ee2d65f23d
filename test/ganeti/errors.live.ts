/**
 * Odd requests, byte for byte, to both daemons: those that were once captured
 * from a real cluster, on one that lives.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { ERROR_DIFFERENCES } from '../http/error-differences.ts'
import { RawClient } from '../http/raw-client.ts'
import { ORIGINAL, OURS, type Side } from './sides.ts'

t.setTimeout(600_000)

const captures = new URL('../../../test/fixtures/captures/errors/', import.meta.url)
const names = readdirSync(captures)
  .filter((name) => name.endsWith('.req'))
  .map((name) => name.replace(/\.req$/, ''))
  // Ours gives a client two minutes to send what it announced: tested in test/http, with less patience.
  .filter((name) => name !== 'length-short-body')

/** Ours is told by other words there, or not at all: a master daemon answers, not a file. */
const ON_A_LIVE_CLUSTER: Readonly<Record<string, string>> = {
  'path-job-leading-zero': 'there is a job 7',
}

/** What Node itself reads as the original does, before the version given; later ones refuse it. */
const NODES_MATTER: Readonly<Record<string, number>> = { 'header-space-colon': 20 }
const [nodeMajor = 0] = process.versions.node.split('.').map(Number)

interface Answered {
  /** 0 where the connection was closed without an answer. */
  readonly status: number
  readonly error: unknown
  readonly challenge: string | undefined
}

/** How long the original keeps a broken request waiting, and a little longer, in milliseconds. */
const PATIENCE = 12_000

async function send(side: Side, name: string): Promise<RawClient> {
  const client = await RawClient.connect(name.startsWith('reqauth-') ? side.strict : side.plain)
  client.send(readFileSync(new URL(`${name}.req`, captures)))
  if (name.includes('eof')) client.socket.end()
  const timer = setTimeout(() => client.socket.destroy(), PATIENCE)
  client.socket.once('close', () => clearTimeout(timer))
  return client
}

async function ourAnswer(name: string): Promise<Answered> {
  const client = await send(OURS, name)
  let response = await client.response()
  while (response?.status === 100) response = await client.response()
  client.socket.destroy()
  if (!response) return { status: 0, error: undefined, challenge: undefined }
  return answered(name, response.status, response.headers['www-authenticate'], response.body.toString())
}

/** The original ends each connection, and does not always say how long its answer is. */
async function theirAnswer(name: string): Promise<Answered> {
  const client = await send(ORIGINAL, name)
  await client.closed
  client.socket.destroy()
  const text = client.received.toString('latin1').replace(/^HTTP\/1.1 100 .*\r\n\r\n/, '')
  if (text === '') return { status: 0, error: undefined, challenge: undefined }
  const [head = ''] = text.split('\r\n\r\n', 1)
  const challenge = /^WWW-Authenticate: (.*)$/m.exec(head)?.[1]?.trim()
  return answered(name, Number(head.split(' ')[1]), challenge, text.slice(head.length + 4))
}

function answered(name: string, status: number, challenge: string | undefined, body: string): Answered {
  const isError = status !== 200 && !name.startsWith('method-HEAD')
  return { status, error: isError ? JSON.parse(body) : undefined, challenge }
}

t.test('what the original answers to odd requests, ours does too, or as listed', async (t) => {
  let equal = 0
  let listed = 0
  const one = async (name: string) => {
    const [theirs, ours] = await Promise.all([theirAnswer(name), ourAnswer(name)])
    const isTheSame = name in ON_A_LIVE_CLUSTER || nodeMajor < (NODES_MATTER[name] ?? 0)
    const difference = isTheSame ? undefined : ERROR_DIFFERENCES[name]
    if (!difference) {
      if (t.strictSame(ours, theirs, name)) equal++
      return
    }
    const [status, , reason] = difference
    t.equal(ours.status, status, `${name}: ${reason}`)
    t.notSame(ours, theirs, `${name} still differs`)
    listed++
  }
  // The original serves one request at a time, and lets broken ones wait ten seconds.
  const waiting = [...names]
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await one(name)
    }),
  )
  t.comment(`${equal} of ${names.length} odd requests are answered alike, ${listed} differ as listed`)
})
