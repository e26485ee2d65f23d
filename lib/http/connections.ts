/**
 * The connections there are: how many, whose, and which of them is missed least
 * when there are too many.
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
  #accepted = 0

  /** @param limit how many there may be */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * Takes in a socket that was just connected. Where there are too many, another connection is closed for it.
   * @returns undefined where the other end has gone already, or nobody has to yield to this network
   */
  add(socket: Socket, service: Service): Connection | undefined {
    if (socket.remoteAddress === undefined) return undefined
    const connection = new Connection(socket, service, ++this.#accepted)
    if (this.#all.size >= this.#limit) {
      const victim = this.leastMissed(connection.network)
      if (!victim) return undefined
      victim.drop('closed to make room for others')
      // Its socket tells of its end only later.
      this.delete(victim)
    }
    this.#all.add(connection)
    this.speak(connection, socket)
    return connection
  }

  /** Goes on with another socket between the same ends. */
  speak(connection: Connection, socket: Socket): void {
    connection.socket = socket
    ;(socket as Carrier)[CONNECTION] = connection
  }

  /** Forgets a connection; to do so again does nothing. */
  delete(connection: Connection): void {
    this.#all.delete(connection)
  }

  /** The connection that a socket belongs to. */
  of(socket: Duplex): Connection | undefined {
    return (socket as Carrier)[CONNECTION]
  }

  /**
   * The connection with the same other end as a socket that is not known yet: the newest, as there may still be one
   * of which we have not heard that it is gone.
   */
  withPeerOf(socket: Socket): Connection | undefined {
    const peer = peerOf(socket)
    let newest: Connection | undefined
    for (const connection of this.#all) {
      if (connection.peer === peer && !(newest && newest.number > connection.number)) newest = connection
    }
    return newest
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all[Symbol.iterator]()
  }

  /**
   * Which connection yields to a new one of a network: one of the network that has most. There, first who is being
   * closed anyway, then who has asked nothing yet, then who waits longest for its next request. Who is being
   * answered yields only to a network that has clearly less.
   */
  leastMissed(network: string): Connection | undefined {
    const counts = new Map<string, number>()
    for (const connection of this.#all) {
      counts.set(connection.network, (counts.get(connection.network) ?? 0) + 1)
    }
    const own = counts.get(network) ?? 0
    let [greediest, most] = [network, own]
    for (const [other, count] of counts) if (count > most) [greediest, most] = [other, count]
    let victim: Connection | undefined
    for (const connection of this.#all) {
      if (connection.network !== greediest || (connection.busy && most < own + 2)) continue
      if (!victim || isMissedLess(connection, victim)) victim = connection
    }
    return victim
  }
}

function isMissedLess(one: Connection, other: Connection): boolean {
  if (one.worth !== other.worth) return one.worth < other.worth
  if (one.lastAnswered !== other.lastAnswered) return one.lastAnswered < other.lastAnswered
  return one.number < other.number
}
