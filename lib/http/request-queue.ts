/**
 * Requests of one connection that wait for the one before them (pipelining).
 * Their number is bounded, for the connection and for all connections together.
 */
import type { Exchange } from './exchange.ts'
import type { Service } from './service.ts'

export class RequestQueue {
  readonly #service: Pick<Service, 'limits' | 'pipelined'>
  readonly #waiting: Exchange[] = []

  constructor(service: Pick<Service, 'limits' | 'pipelined'>) {
    this.#service = service
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Whether no further request may wait. */
  get isFull(): boolean {
    const { limits, pipelined } = this.#service
    return this.#waiting.length >= limits.pipelined || pipelined >= limits.allPipelined
  }

  /** The one that came last. */
  get newest(): Exchange | undefined {
    return this.#waiting.at(-1)
  }

  add(exchange: Exchange): void {
    this.#waiting.push(exchange)
    this.#service.pipelined++
  }

  /** Takes out the one that came first. */
  shift(): Exchange | undefined {
    const next = this.#waiting.shift()
    if (next) this.#service.pipelined--
    return next
  }

  clear(): void {
    this.#service.pipelined -= this.#waiting.length
    this.#waiting.length = 0
  }

  [Symbol.iterator](): Iterator<Exchange> {
    return this.#waiting.values()
  }
}
