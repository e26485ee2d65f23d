/**
 * A master daemon that plays a script: listens on a socket, reads requests as
 * LUXI frames them, and answers as the test says.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Json, parseJson, stringifyJson } from '../../../lib/json/json.ts'

export interface Asked {
  readonly method: string
  readonly args: readonly Json[]
  /** Which connection it came over, from 1. */
  readonly connection: number
  readonly socket: Socket
}

/** Gives the result to answer with; undefined for no answer, or one that the script writes to the socket itself. */
export type Script = (asked: Asked) => Promise<Json | undefined> | Json | undefined

/** An error in the form Ganeti's daemons give it. */
export class Refusal {
  constructor(readonly result: Json) {}
}

/** What a script throws to answer with an error. */
export function refuse(result: Json): never {
  throw new Refusal(result)
}

export interface ScriptedMaster {
  readonly path: string
  /** Every request, in the order of their coming. */
  readonly asked: Asked[]
  /** The methods of `asked`. */
  readonly methods: string[]
  /** How many connections there are now. */
  readonly open: number
  /** How many there have been. */
  readonly connections: number
  /** Settles when so many requests have come. */
  heard(count: number): Promise<void>
  /** Breaks all connections. */
  hangUp(): void
  /** Breaks all connections and listens no more. */
  stop(): Promise<void>
}

export const END = '\x03'

/** A test, or what else ends at some time. */
export type Lifetime = Pick<Test, 'teardown' | 'fail'>

/** A folder for sockets, whose paths may have 107 bytes: too few for the folders of tests, named after them. */
export function socketDir(t: Lifetime): string {
  const dir = mkdtempSync(join(tmpdir(), 'luxi-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

export async function scriptedMaster(
  t: Lifetime,
  script: Script,
  path = join(socketDir(t), 'master'),
): Promise<ScriptedMaster> {
  const sockets = new Set<Socket>()
  const asked: Asked[] = []
  const listeners = new Set<() => void>()
  let connections = 0

  const answer = async (one: Asked) => {
    asked.push(one)
    for (const listener of listeners) listener()
    let text: string
    try {
      const result = await script(one)
      if (result === undefined) return
      text = stringifyJson({ success: true, result })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      text = stringifyJson({ success: false, result: error.result })
    }
    one.socket.write(text + END)
  }

  const server = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let received = ''
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      received += text
      const messages = received.split(END)
      received = messages.pop() ?? ''
      for (const message of messages) {
        const { method, args } = parseJson(message) as unknown as Asked
        answer({ method, args, connection, socket }).catch((error) => t.fail(String(error)))
      }
    })
  })
  server.listen(path)
  await once(server, 'listening')

  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }
  const stop = async () => {
    hangUp()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.teardown(stop)

  return {
    path,
    asked,
    get methods() {
      return asked.map(({ method }) => method)
    },
    get open() {
      return sockets.size
    },
    get connections() {
      return connections
    },
    heard: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (asked.length < count) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      }),
    hangUp,
    stop,
  }
}

/** A promise, and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
