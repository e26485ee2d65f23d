/**
 * Calls to the master daemon, over connections that are kept for the next
 * call. There are three kinds of call:
 *
 * - a read may be made again, and is shared by all who ask the same;
 * - a change may have taken effect even where no answer came, so it is sent
 *   once, over a new connection: the master daemon may close a kept one in the
 *   moment we send, which does not tell whether the call arrived;
 * - a wait keeps a connection busy for seconds, so waits have their own, and
 *   never stand in the way of the others. One whose client is gone ends.
 */
import { type Json, stringifyJson } from '../../json/json.ts'
import { readAnswer } from './answer.ts'
import { type CallOptions, Connection, ConnectionLost } from './connection.ts'
import { RequestCoalescer } from './request-coalescer.ts'
import { Semaphore } from './semaphore.ts'

export interface ClientLimits {
  /** Milliseconds until a call must be answered, its waiting for a turn included; Ganeti's clients give it as long. */
  readonly answer: number
  /** Calls at once, waits aside; the master daemon has a thread for each. */
  readonly calls: number
}

export interface LuxiClientOptions {
  readonly limits?: Partial<ClientLimits>
  /** Called when there is a connection after there was none: the master daemon may be another one. */
  readonly met?: () => void
  /** Gets a line for each call that was made. */
  readonly debug?: ((message: string) => void) | undefined
  readonly observe?: CallObserver | undefined
}

/**
 * Called for each call that is over.
 * @param call the name of its method
 * @param milliseconds until the answer; undefined for a call that waits for something to happen
 * @param error what it failed with
 */
export type CallObserver = (call: string, milliseconds: number | undefined, error: unknown) => void

const LIMITS: ClientLimits = { answer: 60_000, calls: 8 }

export class LuxiClient {
  readonly #sockets: readonly string[]
  readonly #limits: ClientLimits
  readonly #calls: Semaphore
  readonly #reads = new RequestCoalescer<Json>()
  /** Connected and doing nothing, the last used one last. */
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()
  readonly #met: () => void
  readonly #debug: LuxiClientOptions['debug']
  readonly #observe: LuxiClientOptions['observe']

  /** @param sockets where the master daemon may listen; the first one that answers counts */
  constructor(
    sockets: readonly string[],
    { limits, met = () => {}, debug, observe }: LuxiClientOptions = {},
  ) {
    this.#met = met
    this.#debug = debug
    this.#observe = observe
    this.#sockets = sockets
    this.#limits = { ...LIMITS, ...limits }
    this.#calls = new Semaphore(this.#limits.calls)
  }

  /** Whether there is a connection, so that the master daemon is still the one that was met. */
  get connected(): boolean {
    return this.#open.size > 0
  }

  /**
   * Asks for something that changes nothing.
   * @param signal has it given up while it waits for its turn; once sent, the master daemon works on it anyway
   * @param limit the most bytes of the answer, the same for each call of the method
   * @throws Failure as `readAnswer` has them, `no-master`, `no-answer`, `bad-answer`, `too-large` beyond the limit
   */
  async read(method: string, args: readonly Json[], signal?: AbortSignal, limit?: number): Promise<Json> {
    const request = requestText(method, args)
    const deadline = this.#deadline()
    const ask = () =>
      this.#observed(method, async () => readAnswer(await this.#ask(request, deadline, limit)))
    return this.#reads.run(request, (wanted) => this.#calls.run(deadline, ask, wanted), signal)
  }

  /**
   * Asks for a change; where this fails with `no-answer` or `bad-answer` it may have happened all the same.
   * @throws Failure as `read`
   */
  async change(method: string, args: readonly Json[]): Promise<Json> {
    const deadline = this.#deadline()
    const ask = () => this.#askOnce(requestText(method, args), deadline)
    return this.#calls.run(deadline, () => this.#observed(method, ask))
  }

  /**
   * Asks for something that may take a while; how many at once is the caller's business.
   * @param patience milliseconds until there must be an answer
   * @param signal ends the wait, which then throws the signal's reason
   * @throws Failure as `read`
   */
  async wait(method: string, args: readonly Json[], patience: number, signal?: AbortSignal): Promise<Json> {
    const ask = () => this.#askOnce(requestText(method, args), performance.now() + patience, signal)
    return this.#observed(method, ask, false)
  }

  /** Closes all connections; calls under way fail. */
  close(): void {
    for (const connection of this.#open) connection.close()
  }

  /** Tells the observer how a call went. */
  async #observed(method: string, call: () => Promise<Json>, isTimed = true): Promise<Json> {
    const begun = performance.now()
    let failure: unknown
    try {
      return await call()
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#observe?.(method, isTimed ? performance.now() - begun : undefined, failure)
    }
  }

  #deadline(): number {
    return performance.now() + this.#limits.answer
  }

  /** Over a kept connection if there is one; where that turns out to be closed, over a new one. */
  async #ask(request: string, deadline: number, limit: number | undefined): Promise<Buffer> {
    const kept = this.#idle.pop()
    if (kept) {
      try {
        return await this.#askOver(kept, request, deadline, { limit })
      } catch (error) {
        if (!(error instanceof ConnectionLost && error.unanswered)) throw error
      }
    }
    return this.#askOver(await this.#connect(deadline), request, deadline, { limit })
  }

  async #askOnce(request: string, deadline: number, signal?: AbortSignal): Promise<Json> {
    return readAnswer(await this.#askOver(await this.#connect(deadline), request, deadline, { signal }))
  }

  async #askOver(
    connection: Connection,
    request: string,
    deadline: number,
    options: CallOptions,
  ): Promise<Buffer> {
    const begun = performance.now()
    const answer = await connection.call(request, deadline, options)
    this.#debug?.(
      `Master daemon: ${nameOf(request)} answered in ${(performance.now() - begun).toFixed(1)} ms, ${answer.length} bytes`,
    )
    this.#keep(connection)
    return answer
  }

  async #connect(deadline: number): Promise<Connection> {
    const connection = await Connection.open(this.#sockets, deadline)
    this.#open.add(connection)
    if (this.#open.size === 1) this.#met()
    connection.onClose(() => {
      this.#open.delete(connection)
      const place = this.#idle.indexOf(connection)
      if (place >= 0) this.#idle.splice(place, 1)
    })
    return connection
  }

  #keep(connection: Connection): void {
    if (this.#idle.length >= this.#limits.calls) connection.close()
    if (!connection.usable) return
    connection.rest()
    this.#idle.push(connection)
  }
}

function requestText(method: string, args: readonly Json[]): string {
  // Ganeti's own clients also name the version of the protocol, which no master daemon looks at.
  return stringifyJson({ method, args })
}

/** The method of a request, with its first argument where that is a name; others may be long, or secret. */
function nameOf(request: string): string {
  const [, method, name] = /^\{"method": ?"(\w+)", ?"args": ?\[("[\w.-]{1,60}")?/.exec(request) ?? []
  return name === undefined ? String(method) : `${method} ${name}`
}
