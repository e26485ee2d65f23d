/**
 * Where an answer that goes on is written. The client is disconnected if it
 * takes nothing for a while of what was written for it.
 */
import type { ServerResponse } from 'node:http'
import type { Outlet } from './message.ts'

export class ResponseOutlet implements Outlet {
  readonly #outgoing: ServerResponse
  /** How long something waits to be taken, in milliseconds; counted by `checkPace`. */
  #stalled = 0

  /** @param outgoing whose head was written */
  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing
  }

  get pending(): number {
    return this.#outgoing.writableLength
  }

  write(bytes: Buffer, taken?: () => void): void {
    if (this.#isOver) return
    this.#outgoing.write(bytes, (error) => {
      if (!error) taken?.()
    })
  }

  end(): void {
    if (!this.#isOver) this.#outgoing.end()
  }

  abort(): void {
    if (!this.#isOver) this.#outgoing.destroy()
  }

  /** Node throws, or emits an error, for what is written to a response that is over. */
  get #isOver(): boolean {
    return this.#outgoing.writableEnded || this.#outgoing.destroyed
  }

  /**
   * Called periodically.
   * @param passed milliseconds since the last call
   * @param most how long something may wait to be taken
   * @returns whether it waited longer
   */
  isStalled(passed: number, most: number): boolean {
    this.#stalled = this.pending === 0 ? 0 : this.#stalled + passed
    return this.#stalled > most
  }
}
