/**
 * One connection to the master daemon, and one call on it at a time.
 *
 * Whatever goes wrong ends the connection: after a time-out its answer may
 * still come, and must not be taken for that of the next call.
 */
import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import { frame, MessageReader, MessageTooLong } from './framing.ts'

/** Milliseconds until a connection must stand; Ganeti's clients wait as long. */
const CONNECT_TIME = 10_000
/** Milliseconds between two tries where more clients wait to be let in than the system keeps. */
const BACKLOG_PAUSE = 50

/** The connection ended before a whole answer had come. */
export class ConnectionLost extends Failure {
  /** @param unanswered whether not even a part of an answer had come */
  constructor(
    readonly unanswered: boolean,
    cause?: unknown,
  ) {
    super('bad-answer', 'The master daemon closed the connection without a whole answer', { cause })
  }
}

/** Gives the milliseconds left until a moment on the clock of performance.now(). */
export function timeUntil(deadline: number): number {
  return Math.max(0, deadline - performance.now())
}

export function noAnswer(): Failure {
  return new Failure('no-answer', 'The master daemon did not answer in time')
}

export interface CallOptions {
  /** Makes it give up at once, and throw the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** The most bytes of the answer. */
  readonly limit?: number | undefined
}

interface Call {
  readonly limit: number | undefined
  readonly resolve: (answer: Buffer) => void
  readonly reject: (reason: unknown) => void
}

export class Connection {
  readonly #socket: Socket
  readonly #reader = new MessageReader()
  #call: Call | undefined
  #usable = true
  #closed = () => {}

  /**
   * Connects to the first of the sockets on which someone listens.
   * @param deadline when to give up, on the clock of performance.now(); it takes 10 seconds at most
   * @throws Failure `no-master` where no daemon listens, `no-answer` where none accepts in time,
   *   `internal` where we may not connect
   */
  static async open(paths: readonly string[], deadline: number): Promise<Connection> {
    return new Connection(await connect(paths, Math.min(deadline, performance.now() + CONNECT_TIME)))
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece) => this.#take(piece))
    socket.on('error', (error) => this.#end(this.#lost(error)))
    socket.on('close', () => this.#end(this.#lost()))
  }

  /** Whether another call can be made. */
  get usable(): boolean {
    return this.#usable
  }

  /** Calls a function when the connection has ended. */
  onClose(closed: () => void): void {
    this.#closed = closed
  }

  /** Lets the process end while nothing is under way. */
  rest(): void {
    this.#socket.unref()
  }

  /**
   * Sends a request and gives its answer, JSON in UTF-8.
   * @param deadline when to give up, on the clock of performance.now()
   * @throws Failure `no-answer` after the deadline, `too-large` beyond the limit, ConnectionLost
   */
  async call(text: string, deadline: number, { signal, limit }: CallOptions = {}): Promise<Buffer> {
    this.#socket.ref()
    const timer = setTimeout(() => this.#end(noAnswer()), timeUntil(deadline))
    const abort = () => this.#end(signal?.reason)
    signal?.addEventListener('abort', abort)
    try {
      signal?.throwIfAborted()
      return await new Promise((resolve, reject) => {
        this.#call = { resolve, reject, limit }
        if (this.#usable) this.#socket.write(frame(text))
        else reject(new ConnectionLost(true))
      })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      this.#call = undefined
    }
  }

  close(): void {
    this.#end(this.#lost())
  }

  #take(piece: Buffer): void {
    const call = this.#call
    if (!call) {
      this.#end()
      return
    }
    try {
      const message = this.#reader.take(piece, call.limit)
      if (!message) return
      // What is left over would be taken for the answer to the next call.
      if (message.rest > 0) this.#end()
      call.resolve(message.bytes)
    } catch (error) {
      if (error instanceof MessageTooLong && call.limit !== undefined) {
        this.#end(new Failure('too-large', `The master daemon's answer has more than ${call.limit} bytes`))
        return
      }
      this.#end(
        new Failure('bad-answer', "The master daemon's answer cannot be understood", { cause: error }),
      )
    }
  }

  #lost(cause?: unknown): ConnectionLost {
    return new ConnectionLost(!this.#reader.begun, cause)
  }

  /** Ends the connection, and the call under way with `reason`. */
  #end(reason?: unknown): void {
    if (reason !== undefined) this.#call?.reject(reason)
    if (!this.#usable) return
    this.#usable = false
    this.#socket.destroy()
    this.#closed()
  }
}

async function connect(paths: readonly string[], deadline: number): Promise<Socket> {
  for (;;) {
    let full = false
    let cause: unknown
    for (const path of paths) {
      try {
        return await connectTo(path, deadline)
      } catch (error) {
        if (error instanceof Failure) throw error
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EACCES' || code === 'EPERM') {
          throw new Failure('internal', 'Internal error: no permission to connect to the master daemon', {
            cause: error,
          })
        }
        full ||= code === 'EAGAIN'
        cause ??= error
      }
    }
    if (!full) throw new Failure('no-master', "Can't connect to the master daemon: nobody listens", { cause })
    if (timeUntil(deadline) === 0) throw noAnswer()
    await sleep(BACKLOG_PAUSE)
  }
}

function connectTo(path: string, deadline: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(noAnswer())
    }, timeUntil(deadline))
    const refused = (error: Error) => {
      clearTimeout(timer)
      reject(error)
    }
    socket.once('error', refused)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', refused)
      resolve(socket)
    })
  })
}
