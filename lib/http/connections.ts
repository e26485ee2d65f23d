/**
 * The open connections: their number, their networks, and which of them is
 * closed when there are too many (eviction).
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SwapList } from '../engine/swap-list.ts'
import { Connection } from './connection.ts'
import { peerOf } from './peer.ts'
import type { Service } from './service.ts'

const CONNECTION = Symbol('connection')
type Carrier = Duplex & { [CONNECTION]?: Connection }

export class Connections {
  readonly #all = new SwapList<Connection>()
  readonly #limit: number
  readonly #forProbes: number
  #accepted = 0

  /**
   * @param limit the most connections at once
   * @param forProbes places beyond that, on which only probes are answered
   */
  constructor(limit: number, forProbes = 0) {
    this.#limit = limit
    this.#forProbes = forProbes
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * Adds a socket that was just connected. At the limit, another connection is closed for it; if none may be closed
   * for its network, it gets a place for probes. Those with an answer that goes on have a limit of their own.
   * @returns undefined if the client has disconnected already, or there is no place
   */
  add(socket: Socket, service: Service): Connection | undefined {
    if (socket.remoteAddress === undefined) return undefined
    const connection = new Connection(socket, service, ++this.#accepted)
    if (this.#all.size - service.streams >= this.#limit) {
      const victim = this.toEvict(connection.network)
      if (victim) this.#evict(victim)
      else if (this.#makePlaceForProbes(service.streams)) connection.onlyForProbes = true
      else return undefined
    }
    this.#all.add(connection)
    this.attach(connection, socket)
    return connection
  }

  /** Sets the socket of a connection: first the plain one, later a TLS socket on top of it. */
  attach(connection: Connection, socket: Socket): void {
    connection.socket = socket
    ;(socket as Carrier)[CONNECTION] = connection
  }

  /** Removes a connection; idempotent. */
  delete(connection: Connection): void {
    this.#all.delete(connection)
  }

  /** The connection that a socket belongs to. */
  of(socket: Duplex): Connection | undefined {
    return (socket as Carrier)[CONNECTION]
  }

  /**
   * The connection with the same peer as a socket that is not attached yet: the newest, as an older one may be closed
   * without our having got the event.
   */
  withPeerOf(socket: Socket): Connection | undefined {
    const peer = peerOf(socket)
    let newest: Connection | undefined
    for (const connection of this.#all) {
      if (connection.peer === peer && !(newest && newest.number > connection.number)) newest = connection
    }
    return newest
  }

  #evict(victim: Connection): void {
    victim.drop('closed to make room for others')
    // The socket's `close` event comes only later.
    this.delete(victim)
  }

  /** Makes sure that one of the places for probes is free, by closing the oldest idle connection in one. */
  #makePlaceForProbes(streams: number): boolean {
    if (this.#all.size - streams < this.#limit + this.#forProbes) return true
    let oldest: Connection | undefined
    for (const connection of this.#all) {
      if (!connection.onlyForProbes || connection.busy) continue
      if (!oldest || connection.number < oldest.number) oldest = connection
    }
    if (oldest) this.#evict(oldest)
    return oldest !== undefined
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all[Symbol.iterator]()
  }

  /**
   * The connection to close for a new one of `network`: one of the network with the most connections. Of these,
   * first one that is closing already, then one without a request so far, then the one idle for longest (LRU). A busy
   * one is closed only if `network` has at least two connections fewer.
   */
  toEvict(network: string): Connection | undefined {
    const counts = new Map<string, number>()
    for (const connection of this.#all) {
      if (connection.onlyForProbes || connection.streams) continue
      counts.set(connection.network, (counts.get(connection.network) ?? 0) + 1)
    }
    const own = counts.get(network) ?? 0
    let [largest, most] = [network, own]
    for (const [other, count] of counts) if (count > most) [largest, most] = [other, count]
    let victim: Connection | undefined
    for (const connection of this.#all) {
      if (connection.onlyForProbes || connection.streams || connection.network !== largest) continue
      if (connection.busy && most < own + 2) continue
      if (!victim || isEvictedBefore(connection, victim)) victim = connection
    }
    return victim
  }
}

function isEvictedBefore(one: Connection, other: Connection): boolean {
  if (one.evictionRank !== other.evictionRank) return one.evictionRank < other.evictionRank
  if (one.lastAnswered !== other.lastAnswered) return one.lastAnswered < other.lastAnswered
  return one.number < other.number
}
