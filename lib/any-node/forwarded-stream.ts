/**
 * Passes an answer of the master's daemon on as it comes, no faster than the
 * client takes it (backpressure). If it breaks off, so does ours: the client
 * must not take the part that came for the whole.
 */
import type { IncomingMessage } from 'node:http'
import type { Outlet, Stream } from '../http/message.ts'
import { endSilence } from './silence.ts'

/** Bytes that wait for the client, above which no more is received. */
const MOST_PENDING = 256 * 1024

export class ForwardedStream implements Stream {
  readonly #answer: IncomingMessage
  readonly #silence: number | undefined
  #outlet: Outlet | undefined
  #isEnded = false

  /**
   * @param answer whose head has come
   * @param silence milliseconds until something more of it must come; undefined if it goes on until one side ends it
   */
  constructor(answer: IncomingMessage, silence: number | undefined) {
    this.#answer = answer
    this.#silence = silence
  }

  begin(outlet: Outlet): void {
    const answer = this.#answer
    this.#outlet = outlet
    if (answer.destroyed) {
      if (this.#isEnded) outlet.end()
      else outlet.abort()
      return
    }
    const heard = this.#silence === undefined ? () => {} : endSilence(answer, this.#silence)
    answer.on('data', (bytes: Buffer) => {
      heard()
      outlet.write(bytes, () => {
        if (answer.isPaused() && outlet.pending <= MOST_PENDING / 2) answer.resume()
      })
      if (outlet.pending > MOST_PENDING) answer.pause()
    })
    answer.on('end', () => outlet.end())
    answer.on('error', () => outlet.abort())
  }

  stop(): void {
    if (this.#silence === undefined) this.end()
  }

  /** Ends it as if the master had. */
  end(): void {
    this.#isEnded = true
    this.#outlet?.end()
    this.#answer.destroy()
  }
}
