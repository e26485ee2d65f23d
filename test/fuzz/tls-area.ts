/**
 * TLS as it should not be spoken. A handshake cannot be the same twice, so a
 * case says what is done to the bytes of one, not what they are.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type DaemonRoot, fixture } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'
import { type Area, showBytes } from './area.ts'
import { FuzzedDaemon } from './daemon-area.ts'
import { HTTP_TOKENS, makeRequest, USERS } from './make-request.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

interface Case {
  readonly version: 'TLSv1.2' | 'TLSv1.3'
  /** What is done to which of the client's writes: 0 is the ClientHello. */
  readonly write: number
  readonly change: 'none' | 'cut' | 'flip' | 'insert' | 'replace' | 'repeat' | 'length'
  /** Where in the write, as a part of its length. */
  readonly place: number
  readonly bytes: Buffer
  /** Whether the client asks for new keys after the handshake. */
  readonly renegotiates: boolean
}

/** How long the daemon may take for an ordinary request after what was tried, in milliseconds; it takes a few. */
const PATIENCE = 60_000

export async function tlsArea(root: DaemonRoot): Promise<Area<Case>> {
  root.fill(USERS, { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  const fuzzed = new FuzzedDaemon(() => WatchedDaemon.start(root))
  return {
    name: 'TLS',
    atOnce: 4,
    make: (random) => ({
      version: random.pick(['TLSv1.2', 'TLSv1.3'] as const),
      write: random.below(4),
      change: random.pick(['none', 'cut', 'flip', 'insert', 'replace', 'repeat', 'length'] as const),
      place: random.chance(0.2) ? 0 : random.below(1000) / 1000,
      bytes: junk(random),
      renegotiates: random.chance(0.2),
    }),
    attempt: async (one) => {
      const daemon = await fuzzed.running()
      await provoke(daemon.port, one)
      const answer = await ordinary(daemon.port, readFileSync(root.pem))
      return answer === '2\n' ? undefined : `an ordinary client got ${answer}`
    },
    health: () => fuzzed.fault(),
    shrink: async (one, fails) => {
      for (const less of [
        { ...one, renegotiates: false },
        { ...one, bytes: one.bytes.subarray(0, 1) },
      ]) {
        if (await fails(less)) return less
      }
      return one
    },
    show: ({ bytes, ...others }) => `${JSON.stringify(others)} ${showBytes(bytes)}`,
    warm: () => fuzzed.warm(),
    finish: () => fuzzed.memoryFault(),
    close: () => fuzzed.close(),
  }
}

/** What stands where something else should: a record, plain HTTP, or nothing in particular. */
function junk(random: Random): Buffer {
  switch (random.below(4)) {
    case 0: {
      const body = random.bytes(random.size(1, 2000))
      const kind = random.pick([20, 21, 22, 23, 24, 0, 128])
      const length = random.chance(0.7) ? body.length : random.below(65536)
      return Buffer.concat([Buffer.of(kind, 3, random.below(5), length >> 8, length & 255), body])
    }
    case 1:
      return mutate(makeRequest(random, 'x'), random, HTTP_TOKENS, 4000)
    case 2:
      return Buffer.alloc(random.size(1, 20_000), random.pick([0, 22, 23, 128, 255]))
    default:
      return random.bytes(random.size(1, 500))
  }
}

function changed(data: Buffer, { change, place, bytes }: Case): Buffer {
  const at = Math.floor(place * data.length)
  switch (change) {
    case 'none':
      return data
    case 'cut':
      return data.subarray(0, at)
    case 'flip': {
      const copy = Buffer.from(data)
      copy[at] = (copy[at] ?? 0) ^ (bytes[0] || 1)
      return copy
    }
    case 'insert':
      return Buffer.concat([data.subarray(0, at), bytes, data.subarray(at)])
    case 'replace':
      return Buffer.concat([data.subarray(0, at), bytes])
    case 'repeat':
      return Buffer.concat([data, data])
    case 'length': {
      const copy = Buffer.from(data)
      // The length of a record stands behind its kind and version.
      if (copy.length > 4) copy.writeUInt16BE((bytes[0] ?? 0) * 257, 3)
      return copy
    }
  }
}

/** How long to stay connected where the daemon does not hang up, in milliseconds; nothing is expected of it meanwhile. */
const STAY = 30

/** Connects, does what the case says, and waits until the daemon hangs up, or for a while. */
async function provoke(port: number, one: Case): Promise<void> {
  const raw = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  raw.on('error', () => {})
  await new Promise((resolve) => raw.once('connect', resolve).once('close', resolve))
  const through = changing(raw, one)
  const secure = connectTls({ socket: through, ...versions(one.version), rejectUnauthorized: false })
  secure.on('error', () => {})
  const over = new Promise((resolve) => raw.once('close', resolve))
  secure.once('secureConnect', () => {
    if (one.renegotiates && one.version === 'TLSv1.2') secure.renegotiate({}, () => {})
    secure.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  })
  await Promise.race([over, delay(STAY)])
  secure.destroy()
  raw.destroy()
}

function versions(version: Case['version']): ConnectionOptions {
  return { minVersion: version, maxVersion: version }
}

/** A socket that is another one, but for one of the writes. */
function changing(raw: Socket, one: Case): Duplex {
  let writes = 0
  const through = new Duplex({
    read() {},
    write(data: Buffer, _encoding, done) {
      if (raw.destroyed) done()
      else raw.write(writes++ === one.write ? changed(data, one) : data, () => done())
    },
    final(done) {
      raw.end(() => done())
    },
  })
  raw.on('data', (data) => through.push(data))
  raw.on('end', () => through.push(null))
  raw.on('close', () => through.destroy())
  return through
}

/** What an ordinary client reads of `/version`. */
async function ordinary(port: number, ca: Buffer): Promise<string> {
  const socket = connectTls({
    socket: connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }),
    host: 'localhost',
    ca,
  })
  const received: Buffer[] = []
  const ended = new Promise<string>((resolve) => {
    socket.on('data', (bytes) => received.push(bytes))
    socket.on('error', (error) => resolve(String(error)))
    socket.on('close', () => resolve(Buffer.concat(received).toString().split('\r\n\r\n')[1] ?? 'nothing'))
  })
  socket.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const answer = await Promise.race([ended, delay(PATIENCE, 'no answer in time', { ref: false })])
  socket.destroy()
  return answer
}
