/**
 * Closes a connection of which input may be left unread: our side is closed
 * (half-close), and input is read and discarded for a while (lingering close).
 * Closing a socket with unread input makes the kernel send a reset, which can
 * discard the part of our answer that the client has not read yet. (Doing that
 * always would cost half as much again for a client that makes a connection for
 * each request.)
 */
import type { Socket } from 'node:net'
import type { Limits } from './limits.ts'

export class LingeringClose {
  readonly #socket: Socket
  /** How long it takes already, in milliseconds; counted by `checkPace`. */
  #elapsed = 0
  /** How long nothing was received. */
  #quiet = 0
  #bytesRead = 0

  /** Begins: half-closes once all is sent. */
  constructor(socket: Socket) {
    this.#socket = socket
    // Further input bypasses the parser, which would take a microsecond for each chunk of one byte.
    socket.removeAllListeners('data')
    socket.on('data', ignore)
    // Node destroys the socket once both sides have ended.
    socket.end()
    if (socket.isPaused()) socket.resume()
  }

  /**
   * Called periodically: closes the client's side if it does not do so itself.
   * @param passed milliseconds since the last call
   */
  checkPace(passed: number, { linger, longestLinger }: Pick<Limits, 'linger' | 'longestLinger'>): void {
    const { bytesRead } = this.#socket
    this.#elapsed += passed
    this.#quiet = bytesRead === this.#bytesRead ? this.#quiet + passed : 0
    this.#bytesRead = bytesRead
    if (this.#elapsed >= longestLinger || this.#quiet >= linger) this.#socket.destroy()
  }
}

function ignore(): void {}
