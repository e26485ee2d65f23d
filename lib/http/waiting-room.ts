/**
 * Lets so many connections in at a time; the others wait their turn, as they
 * do in front of Ganeti's own daemon (`--max-clients`). Nobody is turned away
 * unless the waiting room itself is full.
 *
 * That daemon closes each connection after one request. Ours keeps them open,
 * so a connection without a request under way gives its place to whoever
 * waits: see `makeRoom`, and `crowded`, upon which answers should close.
 */
import type { Socket } from 'node:net'

export interface WaitingRoomOptions {
  /** How many connections are served at a time. */
  readonly places: number
  /** How many may wait beyond those. */
  readonly chairs: number
  /** Gets a connection that is let in; `leave` is to be called once it is closed. */
  readonly serve: (socket: Socket) => void
  /** Closes a connection that can be spared, if there is one. */
  readonly makeRoom: () => void
  /** Gets a connection for which there is no chair, and must close it. */
  readonly turnAway: (socket: Socket) => void
}

export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  #served = 0
  readonly #waiting = new Set<Socket>()

  constructor(options: WaitingRoomOptions) {
    this.#options = options
  }

  /** Whether somebody waits. */
  get crowded(): boolean {
    return this.#waiting.size > 0
  }

  enter(socket: Socket): void {
    const { places, chairs, turnAway, makeRoom } = this.#options
    if (this.#served < places) {
      this.#serve(socket)
    } else if (this.#waiting.size < chairs) {
      this.#waiting.add(socket)
      socket.once('close', () => this.#waiting.delete(socket))
      makeRoom()
    } else {
      turnAway(socket)
    }
  }

  /** Closes the connections of all who wait. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  /** Gives the place of a connection that was let in to the next. */
  leave(): void {
    this.#served--
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    this.#serve(next)
  }

  #serve(socket: Socket): void {
    this.#served++
    this.#options.serve(socket)
  }
}
