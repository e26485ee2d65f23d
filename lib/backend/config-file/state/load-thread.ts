/**
 * The worker thread of `ConfigLoader`, started for one load: reads, checks and
 * sorts, then sends what differs from the last load, piece by piece on request.
 */
import { createHash } from 'node:crypto'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { lowerThreadPriority } from '../../../engine/thread-priority.ts'
import { Failure } from '../../../failure.ts'
import { type Json, stringifyJson } from '../../../json/json.ts'
import { type ConfigObjects, inNaturalOrder, type Table } from '../../../model/config.ts'
import { type Assignment, DIGEST_LENGTH, type Digests, type Message, packError } from './config-loader.ts'
import { type FileSource, readFileState } from './read-state.ts'

/** The size of a piece in characters, which are parsed in half a millisecond, and in objects. */
const PIECE_LENGTH = 64 * 1024
const PIECE_OBJECTS = 2000

/** The objects as pieces, and at the end the other parts. */
function* messages(
  { groups, nodes, networks, instances, ...rest }: ConfigObjects,
  known: Digests,
  source: FileSource,
): Generator<Message> {
  const digests: Digests = {
    groups: yield* pieces('groups', groups, known),
    nodes: yield* pieces('nodes', nodes, known),
    networks: yield* pieces('networks', networks, known),
    instances: yield* pieces('instances', instances, known),
  }
  yield { kind: 'done', rest, source, digests }
}

function* pieces(table: Table, objects: readonly object[], known: Digests): Generator<Message, Uint8Array> {
  const oldPlaces = placesOf(known[table])
  const digests = Buffer.alloc(objects.length * DIGEST_LENGTH)
  let places: number[] = []
  let texts: string[] = []
  let length = 0
  const piece = (): Message => ({
    kind: 'piece',
    piece: { table, places: Int32Array.from(places), text: `[${texts}]` },
  })
  for (const [place, object] of objects.entries()) {
    const text = stringifyJson(object as Json)
    const digest = digestOf(text)
    digests.write(digest, place * DIGEST_LENGTH, 'latin1')
    const oldPlace = oldPlaces.get(digest)
    places.push(oldPlace ?? -1)
    if (oldPlace === undefined) {
      texts.push(text)
      length += text.length
    }
    if (length < PIECE_LENGTH && places.length < PIECE_OBJECTS) continue
    yield piece()
    places = []
    texts = []
    length = 0
  }
  yield piece()
  return digests
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest().toString('latin1', 0, DIGEST_LENGTH)
}

/** The index of each object in the last load, by its digest. */
function placesOf(digests: Uint8Array): Map<string, number> {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength)
  const places = new Map<string, number>()
  for (let place = 0; place * DIGEST_LENGTH < bytes.length; place++) {
    places.set(bytes.toString('latin1', place * DIGEST_LENGTH, (place + 1) * DIGEST_LENGTH), place)
  }
  return places
}

async function run(port: MessagePort, { path, known }: Assignment): Promise<void> {
  const send = (message: Message) => port.postMessage(message)
  // At the start nothing can be served before this is done, so keep the priority.
  if (known.instances.length > 0) lowerThreadPriority()
  try {
    const { objects, source } = await readFileState(path)
    const toSend = messages(inNaturalOrder(objects), known, source)
    let next = toSend.next()
    const answer = () => {
      if (next.done) return
      send(next.value)
      // Made while the daemon processes the previous piece.
      next = toSend.next()
      if (next.done) port.close()
    }
    port.on('message', answer)
    answer()
  } catch (error) {
    // Anything else is a bug of ours, which ends the thread and is reported with its stack.
    if (!(error instanceof Failure)) throw error
    send({ kind: 'failure', failure: packError(error) })
  }
}

await run(parentPort as MessagePort, workerData)
