/**
 * The stream of events at `/2/events`: one for the page, read with `fetch` so
 * that the user's name and password go with it. After a loss it is resumed from
 * the last event; where there is no such stream, the store polls.
 */
import { type Api, ApiError, errorOf } from './api.ts'
import { EventParser, type StreamEvent } from './event-parser.ts'

export type LiveState = 'connecting' | 'live' | 'lost' | 'none'

/** How long nothing may come before the connection counts as lost, in milliseconds: three heartbeats. */
const PATIENCE = 45_000
const FIRST_WAIT = 1000
const LONGEST_WAIT = 15_000
/** How long after it was not there a stream is asked for again. */
const WAIT_WITHOUT = 60_000

export class Live {
  readonly #api: Api
  #path = ''
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastId = ''
  #wait = FIRST_WAIT
  state: LiveState = 'connecting'
  onEvent: (event: StreamEvent) => void = () => {}
  /** Called when the state has changed. */
  onState: () => void = () => {}

  constructor(api: Api) {
    this.#api = api
  }

  /** Connects, again if it is connected, and forgets what was before; undefined to be without a stream. */
  begin(path: string | undefined): void {
    this.#lastId = ''
    this.#wait = FIRST_WAIT
    if (path === undefined) {
      this.#abort?.abort()
      this.#abort = undefined
      clearTimeout(this.#timer)
      this.#become('none')
      return
    }
    this.#path = path
    void this.#connect()
  }

  async #connect(): Promise<void> {
    this.#abort?.abort()
    clearTimeout(this.#timer)
    const abort = new AbortController()
    this.#abort = abort
    const isCurrent = () => this.#abort === abort
    const parser = new EventParser()
    parser.lastId = this.#lastId
    let next = this.#wait
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT)
    let isThere = true
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (this.#lastId !== '') headers['Last-Event-ID'] = this.#lastId
      const response = await this.#api.fetch(this.#path, { headers, signal: abort.signal })
      if (!response.ok) throw await errorOf(response)
      if (isCurrent()) this.#become('live')
      await this.#readAll(response, abort, (text) => {
        if (!isCurrent()) return
        for (const event of parser.push(text)) {
          this.#wait = FIRST_WAIT
          this.onEvent(event)
        }
        this.#lastId = parser.lastId
      })
      next = parser.retry ?? FIRST_WAIT
    } catch (thrown) {
      isThere = !(thrown instanceof ApiError) || thrown.isPassing
      if (!isThere) next = WAIT_WITHOUT
    }
    if (!isCurrent()) return
    this.#become(isThere ? 'lost' : 'none')
    this.#timer = setTimeout(() => void this.#connect(), next)
  }

  /** Reads a stream to its end, or until nothing comes any more. */
  async #readAll(response: Response, abort: AbortController, take: (text: string) => void): Promise<void> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    if (!reader) return
    for (;;) {
      const timer = setTimeout(() => abort.abort(), PATIENCE)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      take(value)
    }
  }

  #become(state: LiveState): void {
    if (this.state === state) return
    this.state = state
    this.onState()
  }
}
