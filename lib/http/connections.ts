/**
 * The connections there are, and what is known of each.
 *
 * They come and go by the thousand in a second, and the table of a Map made for
 * that is made anew all the time. Tables that V8's collector has taken for
 * long-lived, though replaced, keep all they held from being collected with the
 * other short-lived things, which doubles the time collecting takes. So there is
 * a list, in which each knows its place, and sockets carry their connection.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { networkOf } from './client-network.ts'
import type { Exchange } from './exchange.ts'

export interface Connection {
  /** Address and port, as the log has them; they are gone once the socket is closed. */
  readonly peer: string
  readonly network: string
  /** What HTTP is spoken on: a TLSSocket once the handshake is done. */
  socket: Socket
  /** To be called when the TLS handshake is done. */
  greeted: (() => void) | undefined
  /** Mostly one, or none. */
  readonly underWay: Exchange[]
  /** The last request that was answered, where some of its body was left to discard. */
  unread: Exchange | undefined
  /** When one was last answered, by the number of all answers so far; 0 before there was one. */
  lastAnswered: number
  /** Bytes received when the last request began; what came since may belong to the next. */
  bytesAtRequest: number
  /** Set when the parser has given up: answers what it left, once the requests before are answered. */
  epilogue: (() => void) | undefined
  broken: boolean
  /** Whether it is heard that the client leaves. */
  heard: boolean
  /** Its place in the list. */
  place: number
}

const CONNECTION = Symbol('connection')
type Carrier = Duplex & { [CONNECTION]?: Connection }

export class Connections {
  /** In no order. */
  readonly #all: Connection[] = []

  /** Takes in who just connected; gives undefined where they have hung up already. */
  add(socket: Socket): Connection | undefined {
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return undefined
    const connection: Connection = {
      peer: peerOf(socket),
      network: networkOf(remoteAddress),
      socket,
      greeted: undefined,
      underWay: [],
      unread: undefined,
      lastAnswered: 0,
      bytesAtRequest: 0,
      epilogue: undefined,
      broken: false,
      heard: false,
      place: this.#all.length,
    }
    this.#all.push(connection)
    this.speak(connection, socket)
    return connection
  }

  /** Goes on with another socket between the same ends. */
  speak(connection: Connection, socket: Socket): void {
    connection.socket = socket
    ;(socket as Carrier)[CONNECTION] = connection
  }

  delete({ place }: Connection): void {
    const last = this.#all.pop()
    if (!last || last.place === place) return
    this.#all[place] = last
    last.place = place
  }

  /** The connection that a socket belongs to. */
  of(socket: Duplex): Connection | undefined {
    return (socket as Carrier)[CONNECTION]
  }

  /** The connection with the same other end as a socket that is not known yet. */
  withPeerOf(socket: Socket): Connection | undefined {
    const peer = peerOf(socket)
    return this.#all.find((connection) => connection.peer === peer)
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all.values()
  }

  /** The one that waits longest for its next request; those that never had one may be about to. */
  longestIdle(): Connection | undefined {
    let longest: Connection | undefined
    for (const connection of this.#all) {
      const { underWay, lastAnswered, broken, socket } = connection
      if (underWay.length > 0 || lastAnswered === 0 || broken || !socket.writable) continue
      if (!longest || lastAnswered < longest.lastAnswered) longest = connection
    }
    return longest
  }
}

/** Address and port of the other end; an IPv4 address that came in through an IPv6 socket stays one. */
export function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return hostAndPort(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, ''), remotePort)
}

export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
