/**
 * A semaphore for TLS handshakes that is fair between networks: each takes a
 * millisecond of processor time, so too many at once would delay all requests.
 */
import { allButAQuarter, FairSemaphore } from '../concurrency/fair-semaphore.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'

export class HandshakeQueue {
  readonly #places: FairSemaphore

  constructor({ handshakes, connections }: Pick<Limits, 'handshakes' | 'connections'>) {
    this.#places = new FairSemaphore({
      places: handshakes,
      share: allButAQuarter(handshakes),
      waiting: connections,
      newestFirst: true,
      refusal: 'Too many TLS handshakes',
    })
  }

  /** Starts the handshake of a connection when a place is free. @param begin starts it */
  add(connection: Connection, begin: () => void): void {
    const { network, socket } = connection
    const start = (release: () => void) => {
      if (socket.destroyed) {
        release()
        return
      }
      connection.beginHandshake(release)
      begin()
    }
    const release = this.#places.tryAcquire(network)
    if (release) {
      start(release)
      return
    }
    connection.awaitHandshake()
    const closed = new AbortController()
    socket.once('close', () => closed.abort())
    this.#places.acquire(network, closed.signal).then(start, () => socket.destroy())
  }
}
