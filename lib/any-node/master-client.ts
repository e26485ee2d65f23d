/**
 * Sends requests to the master's daemon. Reads go over connections that are
 * kept (keep-alive), and once more over a new one if a kept connection turned
 * out to be closed. What may change something goes over a connection of its own
 * and is never sent twice.
 */
import { Agent, type ClientRequestArgs, type IncomingMessage, request as sendRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Failure } from '../failure.ts'
import { connect, type Target, type Trust } from './connect.ts'

/** How long the master may take to answer, and be silent within an answer, in milliseconds: its slowest calls take a minute. */
const ANSWER_PATIENCE = 75_000
/** How long a master that let a connection time out counts as away, so that not everybody waits for that. */
const AWAY = 1000
/** Connections without a request that are kept, and for how long, in milliseconds; the daemon there keeps them longer. */
const KEPT = 32
const KEPT_FOR = 60_000

/** Errors of a kept connection that the master has closed. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

/** What is sent. */
export interface Message {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Whether it only reads. */
  readonly isRead: boolean
}

/** The request was sent, perhaps in part, but there is no answer to it: what it asked for may have been done. */
export class Unanswered extends Failure {}

export interface MasterClientOptions {
  /** Undefined for plain HTTP. */
  readonly trust: Trust | undefined
  /** Milliseconds until an answer must have begun. */
  readonly patience?: number
}

export class MasterClient {
  readonly #trust: Trust | undefined
  readonly #patience: number
  #pool: Pool | undefined
  /** Set for some time after a connection was not made in time. */
  #away: { readonly target: Target; readonly until: number; readonly failure: Failure } | undefined

  constructor({ trust, patience = ANSWER_PATIENCE }: MasterClientOptions) {
    this.#trust = trust
    this.#patience = patience
  }

  /**
   * Sends a request.
   * @param signal ends it when nobody waits for the answer
   * @returns the answer, once its head has come; an error of it means that it did not come whole
   * @throws Failure as `connect`; Unanswered `no-master`, `no-answer`, `bad-answer`; the signal's reason
   */
  async send(target: Target, message: Message, signal: AbortSignal): Promise<IncomingMessage> {
    if (message.isRead) {
      const answer = await this.#send(target, message, signal, { agent: this.#poolFor(target) })
      if (answer) return answer
    }
    const socket = await this.#connect(target)
    const answer = await this.#send(target, message, signal, { createConnection: () => socket })
    return answer as IncomingMessage
  }

  /** Closes the connections that are not in use. */
  close(): void {
    this.#pool?.closeFree()
  }

  #poolFor(target: Target): Pool {
    if (this.#pool && isSame(this.#pool.target, target)) return this.#pool
    this.#pool?.closeFree()
    this.#pool = new Pool(target, () => this.#connect(target))
    return this.#pool
  }

  async #connect(target: Target): Promise<Socket> {
    const away = this.#away
    if (away && isSame(away.target, target) && performance.now() < away.until) throw away.failure
    try {
      const socket = await connect(target, this.#trust)
      this.#away = undefined
      return socket
    } catch (thrown) {
      if (thrown instanceof Failure && (thrown.cause as Error | undefined)?.name === 'TimeoutError')
        this.#away = { target, until: performance.now() + AWAY, failure: thrown }
      throw thrown
    }
  }

  /** @returns undefined if the connection had been kept, and was closed by the master in the meantime */
  #send(
    { name, address, port }: Target,
    { method, target, headers, body }: Message,
    signal: AbortSignal,
    over: { readonly agent: Agent } | { readonly createConnection: () => Socket },
  ): Promise<IncomingMessage | undefined> {
    return new Promise((resolve, reject) => {
      const outgoing = sendRequest({ method, path: target, headers, host: address, port, signal, ...over })
      const timer = setTimeout(() => {
        outgoing.destroy(new Unanswered('no-answer', `The master node ${name} did not answer in time`))
      }, this.#patience)
      outgoing.on('response', (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      outgoing.on('error', (cause: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        if (outgoing.reusedSocket && CLOSED.has(cause.code ?? '')) resolve(undefined)
        else reject(signal.aborted ? signal.reason : unanswered(cause, name))
      })
      outgoing.end(body)
    })
  }
}

/** Connections that are kept. */
class Pool extends Agent {
  readonly target: Target
  readonly #connect: () => Promise<Socket>

  constructor(target: Target, connectTo: () => Promise<Socket>) {
    super({ keepAlive: true, maxFreeSockets: KEPT, timeout: KEPT_FOR })
    this.target = target
    this.#connect = connectTo
  }

  /** Called by Node, which takes the connection from `done` if none is returned. */
  override createConnection(
    _options: ClientRequestArgs,
    done: (error: Error | null, socket: Duplex) => void = () => {},
  ): undefined {
    this.#connect().then(
      (socket) => done(null, socket),
      // Node looks at no socket then.
      (error) => (done as (error: Error) => void)(error),
    )
  }

  closeFree(): void {
    for (const sockets of Object.values(this.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }
}

function isSame(one: Target, other: Target): boolean {
  return one.address === other.address && one.port === other.port && one.name === other.name
}

function unanswered(cause: NodeJS.ErrnoException, name: string): Failure {
  if (cause instanceof Failure) return cause
  return cause.code?.startsWith('HPE_')
    ? new Unanswered('bad-answer', `The answer of the master node ${name} cannot be parsed`, { cause })
    : new Unanswered('no-master', `The master node ${name} was lost before it had answered`, { cause })
}
