/**
 * Forwards a request to the master's daemon, and gives its answer as it is
 * (reverse proxy): no client has to follow a redirection, which most would not.
 * The password is checked there. A short answer is received whole; of a long
 * one, and of one that goes on, no more is received than the client takes
 * (backpressure).
 */
import type { IncomingMessage } from 'node:http'
import { FairSemaphore, type Release } from '../concurrency/fair-semaphore.ts'
import { Failure } from '../failure.ts'
import type { Request, Response } from '../http/message.ts'
import { FORWARDED, forwardedHeader } from './forwarded-header.ts'
import { ForwardedStream } from './forwarded-stream.ts'
import { type MasterClient, Unanswered } from './master-client.ts'
import type { NodeRole } from './node-role.ts'
import { endSilence } from './silence.ts'

/** Requests that are forwarded at once, and the part of them that one network may have. */
const PLACES = {
  places: 128,
  share: 96,
  waiting: 1000,
  refusal: 'Too many requests wait for the master node, try again later',
}
/** The same for answers that go on. */
const STREAMS = {
  places: 256,
  share: 192,
  waiting: 0,
  refusal: 'Too many answers of the master node go on, try again later',
}

/** Answers up to so many bytes are received whole. */
const SHORT_ANSWER = 1024 * 1024
/** How long the master may be silent within an answer that has a length, in milliseconds. */
const SILENCE = 75_000

/** What is sent on of a request's headers. */
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'accept',
  'accept-encoding',
  'if-none-match',
  'cache-control',
  'last-event-id',
  'user-agent',
] as const

/** What is not sent on of an answer's headers: they are of the connection, or each daemon has its own. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'x-request-id',
])

export interface ForwarderOptions {
  readonly client: Pick<MasterClient, 'send'>
  /** The port of the master's daemon. */
  readonly port: number
  /** Milliseconds that it may be silent within an answer that has a length. */
  readonly silence?: number
}

/** How to forward a request. */
export interface Forwarding {
  readonly role: NodeRole
  readonly body: Buffer
  /** Whether it only reads. */
  readonly isRead: boolean
  /** Ends it. */
  readonly signal: AbortSignal
}

export class Forwarder {
  readonly #client: ForwarderOptions['client']
  readonly #port: number
  readonly #silence: number
  readonly #places = new FairSemaphore(PLACES)
  readonly #streamPlaces = new FairSemaphore(STREAMS)
  readonly #streams = new Set<ForwardedStream>()

  constructor({ client, port, silence = SILENCE }: ForwarderOptions) {
    this.#client = client
    this.#port = port
    this.#silence = silence
  }

  /**
   * Forwards a request.
   * @throws what `MasterClient.send` does, and Failure `unavailable` if too many are forwarded already
   */
  async forward(request: Request, { role, body, isRead, signal }: Forwarding): Promise<Response> {
    const { master: name, masterAddress: address } = role
    if (address === undefined)
      throw new Failure('no-master', `The address of the master node ${name} is not known`)
    const release = await this.#places.acquire(request.network, signal)
    try {
      const { method, target } = request
      const message = { method, target, headers: headersFor(request, body, role), body, isRead }
      const answer = await this.#client.send({ name, address, port: this.#port }, message, signal)
      return await this.#asResponse(answer, request, role, release)
    } catch (thrown) {
      release()
      throw thrown
    }
  }

  /** Ends all answers that go on, so that their clients come again. */
  endStreams(): void {
    for (const stream of this.#streams) stream.end()
  }

  async #asResponse(
    answer: IncomingMessage,
    request: Request,
    { master }: NodeRole,
    release: Release,
  ): Promise<Response> {
    const { statusCode: status = 502 } = answer
    const { 'content-length': length, 'content-type': type } = answer.headers
    const headers = headersOf(answer)
    // Else the master is another daemon, or has not this option.
    if (!('ganeti-served-by' in answer.headers)) {
      headers.push('Ganeti-Master', master, 'Ganeti-Served-By', master)
    }
    const head = { status, headers, ...(type !== undefined && { type }) }
    if (status === 304 || Number(length) <= SHORT_ANSWER) {
      try {
        return { ...head, body: await received(answer, this.#silence), release }
      } catch (cause) {
        throw new Unanswered('no-master', `The master node ${master} was lost while it answered`, { cause })
      }
    }
    const stream = new ForwardedStream(answer, length === undefined ? undefined : this.#silence)
    let held = release
    if (length === undefined) {
      try {
        held = await this.#streamPlaces.acquire(request.network)
      } catch (thrown) {
        answer.destroy()
        throw thrown
      }
      release()
      this.#streams.add(stream)
      // A client that has half-closed its side does not wait for what is to come.
      request.signal.addEventListener('abort', () => stream.end(), { once: true })
    } else {
      headers.push('Content-Length', length)
    }
    const end = () => {
      this.#streams.delete(stream)
      answer.destroy()
      held()
    }
    return { ...head, body: NOTHING, stream, release: end }
  }
}

const NOTHING = Buffer.alloc(0)

/** Receives an answer whole; throws what breaks it off. */
function received(answer: IncomingMessage, silence: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    const heard = endSilence(answer, silence)
    answer.on('data', (piece: Buffer) => {
      heard()
      pieces.push(piece)
    })
    answer.on('end', () => resolve(Buffer.concat(pieces)))
    answer.on('error', reject)
  })
}

function headersFor({ headers, id, peer }: Request, body: Buffer, role: NodeRole): Record<string, string> {
  const sent: Record<string, string> = { host: role.master, 'x-request-id': id }
  for (const name of REQUEST_HEADERS) {
    const value = headers[name]
    if (value !== undefined) sent[name] = value
  }
  if (body.length > 0) sent['content-length'] = String(body.length)
  sent[FORWARDED] = forwardedHeader(peer, role)
  return sent
}

/** The headers of an answer that are sent on, as alternating names and values. */
function headersOf({ rawHeaders }: IncomingMessage): string[] {
  const sent: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (!OWN_HEADERS.has(name.toLowerCase())) sent.push(name, value)
  }
  return sent
}
