/** Parses a stream of events (server-sent events, text/event-stream) as its pieces come, as the HTML standard has it. */

export interface StreamEvent {
  /** The id of the last event that had one. */
  readonly id: string
  readonly type: string
  readonly data: string
}

export class EventParser {
  #rest = ''
  #isFirst = true
  #type = ''
  #data: string[] = []
  /** With it a stream can be resumed. */
  lastId = ''
  /** How long to wait before connecting again, in milliseconds, if the stream has said so. */
  retry: number | undefined

  /** Takes a piece of text; gives the events that are complete with it. */
  push(piece: string): StreamEvent[] {
    let text = this.#rest + piece
    if (this.#isFirst && text !== '') {
      this.#isFirst = false
      if (text.startsWith('\uFEFF')) text = text.slice(1)
    }
    const events: StreamEvent[] = []
    for (;;) {
      const end = /\r\n|\n|\r/.exec(text)
      // A carriage return at the end may be half of a line end.
      if (!end || (end[0] === '\r' && end.index === text.length - 1)) break
      const event = this.#line(text.slice(0, end.index))
      if (event) events.push(event)
      text = text.slice(end.index + end[0].length)
    }
    this.#rest = text
    return events
  }

  #line(line: string): StreamEvent | undefined {
    if (line === '') {
      const data = this.#data.splice(0)
      const type = this.#type === '' ? 'message' : this.#type
      this.#type = ''
      return data.length === 0 ? undefined : { id: this.lastId, type, data: data.join('\n') }
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#type = value
    else if (field === 'id' && !value.includes('\0')) this.lastId = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
    return undefined
  }
}
