/** A client that sends exactly the bytes it is given, and says what came back. */
import { connect, type Socket } from 'node:net'

export interface RawResponse {
  /** E.g. `HTTP/1.1 404 Not Found`. */
  readonly statusLine: string
  readonly status: number
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What a body says, where it is JSON. */
export function json(response: RawResponse | undefined): unknown {
  return response && JSON.parse(response.body.toString())
}

export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #methods: string[] = []
  /** Settles when the server has closed its side, or the connection broke. */
  readonly closed: Promise<void>

  /** @param socket a connected socket; a TLS one works as well */
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('end', resolve)
      socket.once('close', () => resolve())
    })
  }

  /** @param localAddress which address of this machine to come from */
  static async connect(port: number, host = '127.0.0.1', localAddress?: string): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true, ...(localAddress && { localAddress }) })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawClient(socket)
  }

  send(bytes: Buffer | string): void {
    for (const [, method] of bytes.toString('latin1').matchAll(/^(\w+) \S+ HTTP/gm)) {
      this.#methods.push(method as string)
    }
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** All bytes received and not yet taken by `response`. */
  get received(): Buffer {
    return this.#received
  }

  /** Takes the next response off what was received, waiting for it; undefined if the connection ends first. */
  async response(): Promise<RawResponse | undefined> {
    for (;;) {
      const response = this.#take()
      if (response) return response
      const { socket } = this
      if (socket.readableEnded || socket.destroyed) return undefined
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('data', done).off('end', done).off('close', done)
          resolve()
        }
        socket.on('data', done).on('end', done).on('close', done)
      })
    }
  }

  #take(): RawResponse | undefined {
    const endOfHead = this.#received.indexOf('\r\n\r\n')
    if (endOfHead < 0) return undefined
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, endOfHead).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const status = Number(statusLine.split(' ')[1])
    const bodiless = status < 200 || status === 304 || this.#methods[0] === 'HEAD'
    const length = bodiless ? 0 : Number(headers['content-length'] ?? 0)
    const end = endOfHead + 4 + length
    if (this.#received.length < end) return undefined
    const body = this.#received.subarray(endOfHead + 4, end)
    this.#received = this.#received.subarray(end)
    if (status >= 200) this.#methods.shift()
    return { statusLine, status, headers, body }
  }
}
