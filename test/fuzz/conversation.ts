/**
 * What is said on one connection, and a judgement of it: whether the daemon
 * took from the bytes what every reader of HTTP would take, and answered each
 * request once, with its own answer, in order.
 */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { escapeForLog } from '../../lib/daemon/log.ts'
import type { LogLine, WatchedDaemon } from '../support/watched-daemon.ts'
import { readStrictly, type StrictRequest } from './strict-requests.ts'

/** Bytes that are written one after the other, each piece once the one before has left. */
export type Pieces = readonly Buffer[]

export interface Answer {
  readonly status: number
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface Transcript {
  /** The client's address and port. */
  readonly peer: string
  readonly received: Buffer
  /** How the connection ended: the daemon closed it, or broke it, or kept it although the client had closed its side. */
  readonly end: 'closed' | 'reset' | 'kept'
}

/** How long the daemon may take to close a connection whose client has closed its side, in milliseconds. */
const PATIENCE = 60_000
/**
 * How long nothing must come before the client takes it that nothing will. It only decides when to go on: an answer
 * that comes later is read as well.
 */
const QUIET = 25

/** So few pieces are given time to arrive one by one; of more, some may arrive together. */
const FEW = 3

/**
 * Sends pieces, waits for what is to come, and then closes the sending side.
 * @param isAll whether what was received is all that will come
 */
export async function converse(
  port: number,
  pieces: Pieces,
  isAll: (received: Buffer) => boolean,
  localAddress = '127.0.0.1',
): Promise<Transcript> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true })
  const received: Buffer[] = []
  let end: Transcript['end'] | undefined
  let wake = () => {}
  socket.on('data', (bytes) => {
    received.push(bytes)
    wake()
  })
  socket.on('end', () => {
    end ??= 'closed'
    wake()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // A write to what the daemon has closed in good order says so, too.
    if (error.code === 'ECONNRESET') end ??= 'reset'
    wake()
  })
  socket.on('close', () => {
    end ??= 'reset'
    wake()
  })
  const ended = new Promise<void>((resolve) => {
    socket.once('end', resolve).once('close', () => resolve())
  })
  const something = (milliseconds: number) =>
    Promise.race([
      new Promise<void>((resolve) => {
        wake = resolve
      }),
      delay(milliseconds, undefined, { ref: false }),
    ])
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', resolve))
  const peer = `${socket.localAddress}:${socket.localPort}`
  for (const piece of pieces) {
    if (end) break
    // Who writes to a daemon that has said its last word waits for nothing.
    const written = new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    await Promise.race([written, ended])
    // So that the next piece is mostly one of its own for the daemon, too; where it is not, the outcome is the same.
    if (pieces.length > 1)
      await (pieces.length <= FEW ? delay(5) : new Promise((resolve) => setImmediate(resolve)))
  }
  for (let quietSince = performance.now(), length = 0; !end; ) {
    if (isAll(Buffer.concat(received))) break
    await something(QUIET)
    if (received.length > length) {
      length = received.length
      quietSince = performance.now()
    } else if (performance.now() - quietSince >= QUIET) break
  }
  if (!end) socket.end()
  const until = performance.now() + PATIENCE
  while (!end && performance.now() < until) await something(PATIENCE)
  socket.destroy()
  return { peer, received: Buffer.concat(received), end: end ?? 'kept' }
}

/**
 * Takes answers apart.
 * @param requests the requests as the log has them, which says what answers are to a HEAD
 * @returns what is wrong, where something is none
 */
export function readAnswers(received: Buffer, requests: readonly LogLine[]): Answer[] | string {
  const answers: Answer[] = []
  for (let at = 0; at < received.length; ) {
    const endOfHead = received.indexOf('\r\n\r\n', at)
    if (endOfHead < 0)
      return `an answer without an end: ${JSON.stringify(received.toString('latin1', at, at + 200))}`
    const [first = '', ...lines] = received.toString('latin1', at, endOfHead).split('\r\n')
    const [, digits] = /^HTTP\/1\.1 (\d{3}) [\w -]+$/.exec(first) ?? []
    if (digits === undefined) return `no status line: ${JSON.stringify(first.slice(0, 200))}`
    const status = Number(digits)
    at = endOfHead + 4
    if (status === 100) continue
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)] as const
      }),
    )
    // Whether a HEAD that is broken is one is open to debate.
    const toHead = /^head /i.test(requests[answers.length]?.line ?? '') && received[at] !== 0x7b
    const bodiless = status === 304 || toHead
    const length = Number(headers.get('content-length'))
    if (status !== 304 && !Number.isInteger(length)) return `no length in ${JSON.stringify(first)}`
    const end = at + (bodiless ? 0 : length)
    if (end > received.length) return `an answer of ${length} bytes is cut short: ${JSON.stringify(first)}`
    answers.push({ status, headers, body: received.toString('utf8', at, end) })
    at = end
  }
  return answers
}

/** Reads answers together with their lines in the log, which is written a little later than they are sent. */
async function matched(daemon: WatchedDaemon, peer: string, received: Buffer) {
  const until = performance.now() + PATIENCE
  for (;;) {
    const requests = daemon.requests(peer)
    const answers = readAnswers(received, requests)
    // Lines are missing while the answers cannot be told, too: what is an answer to HEAD, they tell.
    const isComplete = typeof answers !== 'string' && requests.length >= answers.length
    if (isComplete || daemon.ended !== undefined || performance.now() > until) return { answers, requests }
    await delay(5)
  }
}

/** Statuses that there are, and what they are for where they are 5xx. */
const STATUSES = new Set([200, 304, 400, 401, 403, 404, 408, 413, 414, 415, 417, 429, 431, 501, 503, 505])

/** What is wrong with one answer, whatever was asked. */
function faultOf(
  { status, headers, body }: Answer,
  request: LogLine | undefined,
  allowed: ReadonlySet<number>,
): string | undefined {
  if (!STATUSES.has(status) && !allowed.has(status)) return `status ${status}: ${body.slice(0, 300)}`
  if (status === 500 && body.includes('"message": "Internal Server Error"'))
    return `status 500 without a reason`
  if (status === 304 || body === '') return undefined
  if (headers.get('content-encoding') === 'gzip') return undefined
  if (headers.get('content-type') !== 'application/json') return 'an answer that is not JSON'
  let value: { code?: unknown; message?: unknown } | null
  try {
    value = JSON.parse(body)
  } catch {
    return `a body that is no JSON: ${body.slice(0, 200)}`
  }
  if (status >= 400 && (value?.code !== status || typeof value.message !== 'string')) {
    return `status ${status} with the body ${body.slice(0, 200)}`
  }
  const line = request?.line ?? ''
  // A long one is cut.
  if (status === 501 && !/^Method \S+( is unsupported for path |\S*$)/.test(String(value?.message))) {
    return `501 for another reason than its method: ${line}: ${body.slice(0, 200)}`
  }
  if (status === 505 && /HTTP\/1\.[01]$/.test(line)) return `505 for ${line}`
  if (status === 503 && /^The server cannot process|^Service Unavailable$/.test(String(value?.message))) {
    return `503 without a reason: ${line}`
  }
  return undefined
}

/** Whether the daemon must keep a connection after a request that it has read whole. */
function mustStayOpen({ version, headers, body }: StrictRequest, status: number): boolean {
  return (
    version === '1.1' &&
    // Whoever does not say who they are may be one that cannot keep a connection.
    headers.has('user-agent') &&
    !headers.has('connection') &&
    !headers.has('expect') &&
    // A body that is refused need not be read.
    (body.length === 0 || status < 400)
  )
}

/** Bytes that arrive at once, where they are sent so. */
const AT_ONCE = 16 * 1024

/** The request that shows whether the connection is where it should be. */
export function sentinel(id: string): Buffer {
  return Buffer.from(
    `GET /2/instances/${id}/reboot HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fuzz/1.0\r\n\r\n`,
  )
}

/** Every answer to a request without such a method names the path. */
export function isAnswerToSentinel({ status, body }: Answer, id: string): boolean {
  return status === 501 && body.includes(`/2/instances/${id}/reboot`)
}

/**
 * Has a conversation that ends with a sentinel, and judges it.
 * @param allowed statuses that are right here and nowhere else
 * @returns what is wrong with it, if anything
 */
export async function judge(
  daemon: WatchedDaemon,
  pieces: Pieces,
  id: string,
  allowed: ReadonlySet<number> = new Set(),
): Promise<string | undefined> {
  const said = [...pieces, sentinel(id)]
  const bytes = Buffer.concat(said)
  const { requests: strict, whole } = readStrictly(bytes)
  const answeredSentinel = (received: Buffer) => received.includes(`/2/instances/${id}/reboot`)
  const { peer, received, end } = await converse(daemon.port, said, answeredSentinel)
  if (daemon.ended !== undefined) return daemon.ended

  const { answers, requests } = await matched(daemon, peer, received)
  daemon.forgetRequests(peer)
  const told = `${requests.map(({ line, status }) => `\n    logged ${status ?? '-'} ${line.slice(0, 200)}`).join('')}`
  if (typeof answers === 'string') return `${answers} (the connection was ${end})${told}`
  if (end === 'kept') return `not closed ${PATIENCE / 1000} s after its client closed its side${told}`

  for (const [at, answer] of answers.entries()) {
    const fault = faultOf(answer, requests[at], allowed)
    if (fault) return fault
    const closes = answer.headers.get('connection')?.toLowerCase() === 'close'
    if (closes && at < answers.length - 1) return `an answer after one that closes${told}`
  }
  if (requests.length !== answers.length) {
    return `more or less lines in the log than answers (${answers.map(({ status }) => status)})${told}`
  }
  for (const [at, { status }] of requests.entries()) {
    if (status !== answers[at]?.status)
      return `answer ${at + 1} is ${answers[at]?.status}, the log says ${status}${told}`
  }
  // What every reader understands must have been understood, up to where the connection may end.
  for (const [at, request] of strict.entries()) {
    const [logged, answer] = [requests[at], answers[at]]
    if (!logged || !answer) return `no answer to ${request.line} (the connection was ${end})${told}`
    if (logged.line !== escapeForLog(request.line))
      return `${request.line} was taken for ${logged.line}${told}`
    const closes = answer.headers.get('connection')?.toLowerCase() === 'close'
    if (closes && mustStayOpen(request, answer.status))
      return `closed for no reason after ${request.line} ${answer.status}${told}`
    if (request.method === 'HEAD' && answer.body !== '') return `a body in the answer to ${request.line}`
    if (closes || request.headers.get('connection') === 'close') break
    if (at === strict.length - 1 && whole && !isAnswerToSentinel(answer, id))
      return `the sentinel got another's answer${told}`
  }
  const ofSentinel = answers.findIndex((answer) => isAnswerToSentinel(answer, id))
  if (ofSentinel >= 0 && ofSentinel < answers.length - 1) return `an answer after the last one${told}`
  // Who goes on sending when all has been said may hear that it is not read.
  if (end === 'reset' && said.length === 2 && bytes.length < AT_ONCE) return `the connection was reset${told}`
  return undefined
}
