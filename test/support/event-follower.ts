/**
 * Follows events as a careful client does: it keeps the id of the last event,
 * and comes again with it when it was cut off.
 */
import { get as httpGet, type IncomingMessage } from 'node:http'
import { get as httpsGet } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

export interface ToldEvent {
  readonly type: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: whatever was told
  readonly data: any
  /** When it came, in milliseconds since 1970. */
  readonly time: number
}

export interface FollowerOptions {
  /** Gives the URL, which may be another one the next time. */
  readonly url: () => string
  readonly headers?: Readonly<Record<string, string>>
  /** The certificate to trust. */
  readonly ca?: string
  readonly localAddress?: string
  /** Milliseconds until it comes again. */
  readonly retry?: number
  /** Called with each event. */
  readonly told?: (event: ToldEvent) => void
}

export class EventFollower {
  readonly #options: FollowerOptions
  /** All events so far, unless there is a listener for them. */
  readonly events: ToldEvent[] = []
  lastId: string | undefined
  /** How often it was connected. */
  connections = 0
  #response: IncomingMessage | undefined
  #isClosed = false
  readonly done: Promise<void>

  constructor(options: FollowerOptions) {
    this.#options = options
    this.done = this.#run()
  }

  /** Cuts the connection; it comes again. */
  cut(): void {
    this.#response?.destroy()
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#response?.destroy()
    return this.done
  }

  /** The events of a type. */
  of(type: string): ToldEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      await this.#connect().catch(() => {})
      if (!this.#isClosed) await delay(this.#options.retry ?? 20)
    }
  }

  async #connect(): Promise<void> {
    const { url, headers, ca, localAddress } = this.#options
    const target = url()
    const get = target.startsWith('https:') ? httpsGet : httpGet
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(target, {
        agent: false,
        headers: { ...headers, ...(this.lastId !== undefined && { 'Last-Event-ID': this.lastId }) },
        ...(ca !== undefined && { ca }),
        ...(localAddress !== undefined && { localAddress }),
      })
      request.on('response', resolve).on('error', reject)
    })
    this.#response = response
    if (this.#isClosed || response.statusCode !== 200) {
      response.destroy()
      return
    }
    this.connections++
    let text = ''
    try {
      for await (const chunk of response.setEncoding('utf8')) {
        text += chunk
        const blocks = text.split('\n\n')
        text = blocks.pop() as string
        for (const block of blocks) this.#read(block)
      }
    } catch {
      // It was cut off, perhaps in the middle of an event.
    }
  }

  #read(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)] as const
      }),
    )
    const id = fields.get('id')
    if (id !== undefined) this.lastId = id
    const [type, data] = [fields.get('event'), fields.get('data')]
    if (type === undefined || data === undefined) return
    const event = { type, id, data: JSON.parse(data), time: Date.now() }
    if (this.#options.told) this.#options.told(event)
    else this.events.push(event)
  }
}
