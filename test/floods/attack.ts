import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

/** What attackers do with a connection, once it is there. */
export type Behaviour = (socket: Socket) => void

export interface AttackOptions {
  readonly port: number
  /** From which address of this machine. */
  readonly from: string
  readonly connections: number
  /** Whether they speak TLS; their behaviour then begins after the handshake. */
  readonly tls?: boolean
  /** Whether a connection that the daemon closes is opened again. */
  readonly comesBack?: boolean
  readonly behaviour?: Behaviour
}

/** How long to wait for attackers who do not get as far as they want, in milliseconds. */
const SETTLING = 2_000
/** How long one stays away that was thrown out, in milliseconds. */
const AWAY = 100

/** Many connections from one address, that stay until they are ended or thrown out. */
export class Attack {
  readonly #options: AttackOptions
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #over = false
  #begun = 0

  private constructor(options: AttackOptions) {
    this.#options = options
  }

  /** Begins one, and waits until all attackers do what they are to do, or cannot. */
  static async begin(options: AttackOptions): Promise<Attack> {
    const attack = new Attack(options)
    for (let count = 0; count < options.connections; count++) {
      attack.#connect()
      // More at a time than the system queues would be the system's concern.
      if (count % 100 === 99) await delay(20)
    }
    const until = performance.now() + SETTLING
    while (attack.#begun < options.connections && performance.now() < until) await delay(10)
    return attack
  }

  /** How many connections there are, of those that got as far as their behaviour. */
  get holds(): number {
    return this.#sockets.size
  }

  /** Has each of them do something again and again. */
  every(milliseconds: number, act: Behaviour): void {
    this.#timers.add(
      setInterval(() => {
        for (const socket of this.#sockets) act(socket)
      }, milliseconds),
    )
  }

  end(): void {
    this.#over = true
    for (const timer of this.#timers) clearInterval(timer)
    for (const socket of this.#sockets) socket.destroy()
  }

  #connect(): void {
    const { port, from, tls, comesBack, behaviour = () => {} } = this.#options
    const raw = connect({ port, host: '127.0.0.1', localAddress: from })
    const socket: Socket = tls
      ? connectTls({ socket: raw, host: 'localhost', rejectUnauthorized: false })
      : raw
    this.#sockets.add(socket)
    let gone = false
    const leave = () => {
      if (gone) return
      gone = true
      this.#sockets.delete(socket)
      raw.destroy()
      if (comesBack && !this.#over) {
        const timer = setTimeout(() => {
          this.#timers.delete(timer)
          this.#connect()
        }, AWAY)
        this.#timers.add(timer)
      }
    }
    raw.on('error', leave).on('close', leave)
    socket.on('error', leave).on('close', leave)
    // A socket whose end nobody reads is not closed.
    socket.on('end', leave)
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      this.#begun++
      behaviour(socket)
    })
  }
}

/** The first message of a TLS handshake. */
export async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes)
        done()
      },
    })
    connectTls({ socket, host: 'localhost' }).on('error', () => {})
  })
}
