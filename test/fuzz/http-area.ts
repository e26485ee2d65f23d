import { readFileSync } from 'node:fs'
import { type DaemonRoot, fixture } from '../support/daemon-root.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'
import { type Area, showBytes, shrinkBytes } from './area.ts'
import { judge } from './conversation.ts'
import { FuzzedDaemon } from './daemon-area.ts'
import { JSON_TOKENS, jsonObject, jsonText } from './json-text.ts'
import { HTTP_TOKENS, type Kinds, makeRequest, USERS, WORDS } from './make-request.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

/** What is sent, cut into what arrives at once. */
type Case = readonly Buffer[]

/** Requests, one or several in a row, as they should be or mutated, in one piece or in many. */
export function requestArea(root: DaemonRoot): Promise<Area<Case>> {
  return overHttp('requests', root, (random, id) => {
    const requests = random.several(random.size(1, 6), () =>
      makeRequest(random, `${id}r${random.below(1e6)}`),
    )
    const bytes = Buffer.concat(requests)
    return cut(random.chance(0.35) ? bytes : mutate(bytes, random, HTTP_TOKENS, 64 * 1024), random)
  })
}

/** Bodies in requests that are otherwise right, by a user who may send them. */
export function jsonArea(root: DaemonRoot): Promise<Area<Case>> {
  const body = (random: Random, keys: readonly string[]) => {
    const meant = keys.length > 0 && random.chance(0.8)
    const text = Buffer.from(meant ? jsonObject(random, keys, WORDS) : jsonText(random, WORDS))
    return random.chance(0.6) ? text : mutate(text, random, JSON_TOKENS)
  }
  const kinds: Kinds = { body, bodies: true, ordinary: true }
  return overHttp('JSON', root, (random, id) => cut(makeRequest(random, id, kinds), random))
}

async function overHttp(
  name: string,
  root: DaemonRoot,
  make: (random: Random, id: string) => Case,
): Promise<Area<Case>> {
  root.fill(USERS, { clusterYaml: readFileSync(fixture('cluster.yaml'), 'utf8') })
  const fuzzed = new FuzzedDaemon(() => WatchedDaemon.start(root, { args: ['--no-ssl'] }))
  return {
    name,
    make,
    atOnce: 8,
    attempt: async (pieces, id) => {
      const daemon = await fuzzed.running()
      return judge(daemon, pieces, id)
    },
    health: () => fuzzed.fault(),
    shrink: async (pieces, fails) => {
      const whole = [Buffer.concat(pieces)]
      if (await fails(whole)) return [await shrinkBytes(whole[0] as Buffer, (bytes) => fails([bytes]))]
      let smallest = pieces
      for (let at = 0; at < smallest.length; at++) {
        const replaced = (bytes: Buffer) => [...smallest.slice(0, at), bytes, ...smallest.slice(at + 1)]
        smallest = replaced(await shrinkBytes(smallest[at] as Buffer, (bytes) => fails(replaced(bytes))))
      }
      return smallest.filter(({ length }) => length > 0)
    },
    show: (pieces) => pieces.map(showBytes).join('\n'),
    warm: () => fuzzed.warm(),
    finish: () => fuzzed.memoryFault(),
    close: () => fuzzed.close(),
  }
}

/** Cuts bytes into pieces, mostly few. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  if (random.chance(0.5)) return [bytes]
  const places = random
    .several(random.size(1, 12), () => random.below(bytes.length + 1))
    .sort((a, b) => a - b)
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index]))
    .filter(({ length }) => length > 0)
}
