/**
 * What clients can make the daemon hold: with 256 MiB of heap and a cluster of
 * 10,000 instances, everything that takes much memory at once, in turn and
 * together.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { stringifyJson } from '../../lib/json/json.ts'
import { DaemonRoot } from '../support/daemon-root.ts'
import { generateConfig } from '../support/generate-config.ts'
import { HEAP_LIMIT, WatchedDaemon } from '../support/watched-daemon.ts'
import { Attack } from './attack.ts'
import { askOrdinarily } from './ordinary-client.ts'

const ATTACKERS = '127.0.0.2'
const ELSEWHERE = '127.0.0.3'
/** MiB: the heap, and beyond it answers on their way, bodies, TLS, and the program. */
const MOST_MEMORY = HEAP_LIMIT + 512
/** Milliseconds of processor time, on a slow machine: what is large is worked on in slices, and else takes seconds. */
const LONGEST_PAUSE = 1000

const root = new DaemonRoot(t.testdir())
root.fill('reader pw read\nwriter pw write\n', {
  configData: stringifyJson(generateConfig({ instances: 10_000, nodes: 200 })),
})
let daemon = await WatchedDaemon.start(root)
t.teardown(() => daemon.kill())
t.beforeEach(async () => {
  // One that has died must not spoil what comes next.
  if (daemon.ended !== undefined) daemon = await WatchedDaemon.start(root)
  await daemon.takePauses()
})
const ca = readFileSync(root.pem)

const HOST = 'Host: localhost\r\nUser-Agent: attack/1.0\r\n'
const ONCE = 'Connection: close\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'
const READER = `Authorization: Basic ${Buffer.from('reader:pw').toString('base64')}\r\n`
const WRITER = `Authorization: Basic ${Buffer.from('writer:pw').toString('base64')}\r\n`

const request = (line: string, headers = '', body = '') =>
  `${line} HTTP/1.1\r\n${HOST}${headers}${body && `${JSON_TYPE}Content-Length: ${body.length}\r\n`}\r\n${body}`
const pipelined = (count: number, target: string) =>
  Array.from({ length: count }, (_, index) => request(`GET ${target}&z=${index}`)).join('')

/** 9 MB, of which every byte is a chunk. */
const TINY_CHUNKS = Buffer.from('1\r\n \r\n'.repeat(1_500_000))
const CHUNKED = `Transfer-Encoding: chunked\r\n${JSON_TYPE}`
const LISTS = `[${'[],'.repeat(11_000_000)}[]]`
const QUADRATIC = `[1111111111111111111,"${'\\"'.repeat(40_000)}`
const WIDE = JSON.stringify({ fields: Array(300).fill('hvparams') })

interface Flood {
  readonly claim: string
  readonly connections: number
  readonly send: (socket: Socket) => void
  /** Whether the attackers read what they get. */
  readonly reads: boolean
  /** Whether they stay when they have their answers. */
  readonly endless?: boolean
}

/** How long an attack may last, in milliseconds; it ends before where all its requests are answered. */
const LONGEST = 12_000
/** How long one lasts that does not end by itself. */
const ENDLESS = 4_000

const FLOODS: readonly Flood[] = [
  {
    claim: '40 clients ask for a large answer, and read nothing of it',
    connections: 40,
    reads: false,
    send: (socket) => socket.write(request(`GET /2/instances?bulk=1&x=${Math.random()}`)),
    endless: true,
  },
  {
    claim: 'one client asks for 100 large answers in one packet',
    connections: 1,
    reads: true,
    send: (socket) => socket.write(pipelined(100, '/2/instances?bulk=1')),
    endless: true,
  },
  {
    claim: '20 clients ask for 60 lists of jobs each in one packet',
    connections: 20,
    reads: true,
    send: (socket) => socket.write(pipelined(60, '/2/jobs?bulk=1')),
    endless: true,
  },
  {
    claim: 'a body of 9 MB comes in chunks of a byte, of someone unknown',
    connections: 4,
    reads: true,
    send: (socket) => {
      socket.write(request('GET /2/info', ONCE + CHUNKED))
      socket.write(TINY_CHUNKS)
    },
  },
  {
    claim: 'a body of 9 MB comes in chunks of a byte, of a user',
    connections: 4,
    reads: true,
    send: (socket) => {
      socket.write(request('PUT /2/instances/inst1.example.com/modify', ONCE + WRITER + CHUNKED))
      socket.write(TINY_CHUNKS)
    },
  },
  {
    claim: 'a user asks for one large field 300 times over',
    connections: 8,
    reads: true,
    send: (socket) => socket.write(request('PUT /2/query/instance', ONCE + READER, WIDE)),
  },
  {
    claim: 'a user sends 33 MB where no body is wanted',
    connections: 2,
    reads: true,
    send: (socket) => socket.write(request('GET /version', ONCE + WRITER, LISTS)),
  },
  {
    claim: 'a user sends 33 MB where a body is wanted',
    connections: 2,
    reads: true,
    send: (socket) =>
      socket.write(request('PUT /2/instances/inst1.example.com/modify', ONCE + WRITER, LISTS)),
  },
  {
    claim: 'strangers send a JSON text that is hard on readers',
    connections: 8,
    reads: true,
    send: (socket) => socket.write(request('GET /version', ONCE, QUADRATIC)),
  },
]

function begin({ connections, send, reads }: Flood): Promise<Attack> {
  return Attack.begin({
    port: daemon.port,
    from: ATTACKERS,
    connections,
    tls: true,
    behaviour: (socket) => {
      if (reads) socket.resume()
      send(socket)
    },
  })
}

/** Looks at the daemon for a while, in which an ordinary client asks again and again. */
async function standsIt(
  t: Test,
  attack: { end(): void; holds: number },
  milliseconds: number,
): Promise<void> {
  const until = performance.now() + milliseconds
  let [slowest, peak, statuses] = [0, 0, new Set<number | undefined>()]
  do {
    const { status, took } = await askOrdinarily({ port: daemon.port, ca }, { from: ELSEWHERE })
    statuses.add(status)
    slowest = Math.max(slowest, took)
    if (daemon.ended !== undefined) break
    peak = Math.max(peak, daemon.resident.now)
    await delay(50)
  } while (performance.now() < until && attack.holds > 0)
  attack.end()
  // What it is still busy with belongs to this attack.
  for (let time = 0; time < 5; time++) await askOrdinarily({ port: daemon.port, ca }, { from: ELSEWHERE })
  t.equal(daemon.ended, undefined, 'the daemon lives')
  if (daemon.ended !== undefined) return
  const [pause = 0] = await daemon.takePauses()
  const what = `${Math.round(slowest)} ms at most, ${Math.round(peak)} MiB, longest pause ${Math.round(pause)} ms`
  t.strictSame([...statuses], [200], `ordinary clients are served: ${what}`)
  t.ok(peak < MOST_MEMORY, `${Math.round(peak)} MiB are in use`)
  t.ok(pause < LONGEST_PAUSE, `the event loop stood still for ${Math.round(pause)} ms`)
}

for (const flood of FLOODS) {
  t.test(flood.claim, async (t) => standsIt(t, await begin(flood), flood.endless ? ENDLESS : LONGEST))
}

t.test('all of that together', async (t) => {
  const attacks = await Promise.all(FLOODS.map(begin))
  const together = {
    get holds() {
      return attacks.reduce((sum, { holds }) => sum + holds, 0)
    },
    end: () => {
      for (const attack of attacks) attack.end()
    },
  }
  await standsIt(t, together, LONGEST)
})

t.test('memory comes back', async (t) => {
  const { heapUsed, external } = await daemon.memory(true)
  t.comment(`${Math.round(heapUsed / 2 ** 20)} MiB of heap, ${Math.round(external / 2 ** 20)} MiB beside it`)
  t.equal((await askOrdinarily({ port: daemon.port, ca }, { from: ATTACKERS })).status, 200)
})
