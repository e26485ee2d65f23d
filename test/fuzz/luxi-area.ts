/**
 * What a master daemon may answer, right or not: ours has to tell its clients
 * that something is wrong there, and go on.
 */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stringifyJson } from '../../lib/json/json.ts'
import { defaultPaths } from '../../lib/paths.ts'
import { DaemonRoot } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'
import { type Area, showBytes, shrinkBytes } from './area.ts'
import { judge } from './conversation.ts'
import { FuzzedDaemon } from './daemon-area.ts'
import { JSON_TOKENS, jsonText } from './json-text.ts'
import { makeRequest, USERS, WORDS } from './make-request.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

interface Case {
  readonly request: Buffer
  /** The answers on the socket, each to the next question, one cut into pieces; the last goes on for all that follow. */
  readonly answers: readonly Buffer[]
  /** Whether the master daemon hangs up after an answer. */
  readonly hangsUp: boolean
}

const END = '\x03'
const NAMES = ['web.example.com', 'node1.example.com', 'default']
const TOKENS = [
  ...JSON_TOKENS,
  ...[
    END,
    '{"success": true, "result": ',
    '{"success": false, "result": ',
    '["OpPrereqError", ["x", "unknown_entity"]]',
  ],
  ...['["GenericError", []]', '"Failed to parse request: Cannot convert value \'', "', error: "],
]
/** A fault of the master daemon, and what its errors stand for. */
const ALLOWED = new Set([500, 502, 503, 504])

/** Answers of the master daemon, to requests that are all in order. */
export async function luxiArea(): Promise<Area<Case>> {
  // A socket's path may have 107 bytes, so the folder must not be deep.
  const folder = mkdtempSync(join(tmpdir(), 'luxi-'))
  const root = new DaemonRoot(folder)
  const paths = defaultPaths(folder)
  root.fill(USERS, {})
  mkdirSync(paths.socketDir, { recursive: true })
  mkdirSync(dirname(join(paths.ssconfDir, 'x')), { recursive: true })
  writeFileSync(join(paths.ssconfDir, 'ssconf_master_node'), 'node1.example.com\n')
  const master = new MutatedMaster()
  await master.listen(paths.querySocket)
  const fuzzed = new FuzzedDaemon(
    () =>
      WatchedDaemon.start(root, {
        args: ['--no-ssl'],
        environment: { GANETI_HOSTNAME: 'node1.example.com' },
      }),
    false,
  )
  return {
    name: 'LUXI',
    // There is one master daemon, and it has one answer at a time.
    atOnce: 1,
    make: (random, id) => ({
      request: makeRequest(random, id, { ordinary: true }),
      answers: random.several(random.size(1, 3), () => answer(random)),
      hangsUp: random.chance(0.2),
    }),
    attempt: async ({ request, answers, hangsUp }, id) => {
      master.plays(answers, hangsUp)
      return judge(await fuzzed.running(), [request], id, ALLOWED)
    },
    health: () => fuzzed.fault(),
    shrink: async (one, fails) => {
      let smallest = one
      for (const [at, answer] of one.answers.entries()) {
        const replaced = (bytes: Buffer) => ({
          ...smallest,
          answers: smallest.answers.map((other, index) => (index === at ? bytes : other)),
        })
        smallest = replaced(await shrinkBytes(answer, (bytes) => fails(replaced(bytes))))
      }
      return smallest
    },
    show: ({ request, answers, hangsUp }) =>
      [
        showBytes(request),
        ...answers.map((one) => `answered ${showBytes(one)}`),
        hangsUp ? 'then hangs up' : '',
      ].join('\n'),
    warm: () => fuzzed.warm(),
    finish: () => fuzzed.memoryFault(),
    close: async () => {
      await fuzzed.close()
      await master.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function answer(random: Random): Buffer {
  const success = random.chance(0.6)
  const text = stringifyJson({ success, result: 0 }).replace('0', () => result(random, success))
  const bytes = Buffer.from(text)
  const mutated = random.chance(0.4) ? bytes : mutate(bytes, random, TOKENS)
  // What has no end would be waited for, a minute.
  return Buffer.concat([mutated, Buffer.from(END)])
}

function result(random: Random, success: boolean): string {
  if (!success) {
    const name = random.pick([
      'OpPrereqError',
      'OpExecError',
      'JobQueueFull',
      'JobLost',
      'GenericError',
      'toString',
      '',
    ])
    return random.pick([
      `["${name}", ["${random.pick(WORDS)}", "${random.pick(['unknown_entity', 'wrong_input', '__proto__', ''])}"]]`,
      `["${name}", [${jsonText(random, WORDS)}]]`,
      `"Failed to parse request: Cannot convert value '${random.pick(WORDS)}', error: ${random.pick(WORDS)}"`,
      jsonText(random, WORDS),
    ])
  }
  const cell = () => `[0, ${jsonText(random, NAMES)}]`
  const row = () => `[${random.several(random.below(4), cell).join()}]`
  const rows = () => `[${random.several(random.below(4), row).join()}]`
  return random.pick([
    () => `{"fields": [], "data": ${rows()}}`,
    () => `[${random.several(random.below(4), () => jsonText(random, NAMES)).join()}]`,
    () => jsonText(random, NAMES),
    () => String(random.below(1000)),
    () => '[true, 5]',
  ])()
}

class MutatedMaster {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  #answers: readonly Buffer[] = []
  #hangsUp = false
  #next = 0

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        for (const byte of bytes) if (byte === 3) this.#answer(socket)
      })
    })
  }

  async listen(path: string): Promise<void> {
    this.#server.listen(path)
    await once(this.#server, 'listening')
  }

  plays(answers: readonly Buffer[], hangsUp: boolean): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#answers = answers
    this.#hangsUp = hangsUp
    this.#next = 0
  }

  #answer(socket: Socket): void {
    const answer = this.#answers[Math.min(this.#next++, this.#answers.length - 1)] ?? Buffer.alloc(0)
    if (this.#hangsUp) socket.end(answer)
    else socket.write(answer)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
