/**
 * Loads cluster state beside the daemon's work: a thread of its own reads,
 * checks and sorts (load-thread.ts), and here the objects arrive in pieces, one
 * to a turn of the event loop, and are indexed in slices. Reading 20,000
 * instances takes a second or two; nobody waits for more than a few
 * milliseconds of it. Small files go the same way, as even a page of YAML
 * takes longer to read than a request should have to wait.
 *
 * Most of a large cluster is the same from one load to the next. The thread is
 * told what the last load gave, as digests, and names what is still so by its
 * place there; only what differs travels, and the old objects live on in the
 * new state, as do the parts of those that changed. So a reload costs the daemon
 * little time and memory.
 *
 * The thread ends with the load, and its memory goes with it. (A process would
 * not share that memory with us, but forking a daemon that has read a large
 * cluster takes longer than all the rest.)
 */
import { Worker } from 'node:worker_threads'
import { inSlices } from '../../../concurrency/time-slicing.ts'
import { Failure } from '../../../failure.ts'
import { type JsonObject, parseJson, sharing } from '../../../json/json.ts'
import { type Config, type ConfigObjects, indexing, type Table } from '../../../model/config.ts'
import type { Index } from '../../../model/object-index.ts'
import type { FileSource } from './read-state.ts'

/** For each object of a table a digest of `DIGEST_LENGTH` bytes, in the order of the objects. */
export type Digests = { readonly [table in Table]: Uint8Array }
export const DIGEST_LENGTH = 16

/** What a load gives, and the next one compares with. */
export interface Loaded {
  readonly config: Config
  /** Of the objects in it. */
  readonly digests: Digests
}

/** What the thread is given. */
export interface Assignment {
  readonly path: string
  /** Of the objects that the last load gave. */
  readonly known: Digests
}

/** What the thread answers: a piece each time it is asked for one, `done` after the last; or why there is nothing. */
export type Message =
  | { readonly kind: 'piece'; readonly piece: Piece }
  | Done
  | { readonly kind: 'failure'; readonly failure: PackedError }

interface Done {
  readonly kind: 'done'
  readonly rest: Rest
  readonly source: FileSource
  readonly digests: Digests
}

/** The next objects of a table, in natural order of their names. */
export interface Piece {
  readonly table: Table
  /** For each object its place in what the last load gave, or -1 for the next one in `text`. */
  readonly places: Int32Array
  /** A JSON list. */
  readonly text: string
}

/** What is not in tables. */
export type Rest = Omit<ConfigObjects, Table>

/** An error on its way from thread to thread, which by itself would lose its kind and its causes. */
export interface PackedError {
  readonly message: string
  /** A Failure's code, or that of a system's error. */
  readonly code: string | undefined
  readonly isFailure: boolean
  readonly cause: PackedError | undefined
}

type Tables = { [table in Table]: object[] }

const EMPTY = new Uint8Array()
/** Of nothing. */
export const NO_DIGESTS: Digests = { groups: EMPTY, nodes: EMPTY, networks: EMPTY, instances: EMPTY }

export class ConfigLoader {
  readonly #thread: URL
  readonly #underWay = new Set<Worker>()

  /** @param thread the program of the thread */
  constructor(thread = new URL('./load-thread.js', import.meta.url)) {
    this.#thread = thread
  }

  /**
   * Reads cluster state in either form.
   * @param last what the last load gave: what is the same now lives on
   * @returns that of this load, and the file as it was read
   * @throws Failure `configuration` when the file cannot be read, or listing all that is wrong in it;
   *   `internal` when the loader is closed meanwhile
   */
  async load(path: string, last?: Loaded): Promise<{ loaded: Loaded; source: FileSource }> {
    const tables = emptyTables()
    const assignment = { path, known: last?.digests ?? NO_DIGESTS }
    const { rest, source, digests } = await this.#receive(assignment, !last, (piece) => {
      const fresh = (parseJson(piece.text) as JsonObject[]).values()
      const old = last?.config[piece.table]
      const table = tables[piece.table]
      for (const place of piece.places) {
        if (place >= 0) table.push(old?.all[place] as object)
        else table.push(newVersion(fresh.next().value as JsonObject, old))
      }
    })
    const config = await inSlices(indexing({ ...rest, ...tables } as ConfigObjects, last?.config))
    return { loaded: { config, digests }, source }
  }

  /** Ends loads under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#underWay].map((worker) => worker.terminate()))
  }

  /**
   * Runs the thread, and takes the pieces it gives.
   * @param isUrgent whether not even to wait for its end
   */
  #receive(assignment: Assignment, isUrgent: boolean, take: (piece: Piece) => void): Promise<Done> {
    const worker = new Worker(this.#thread, { workerData: assignment, execArgv: [] })
    this.#underWay.add(worker)
    let done: Done | undefined
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Message) => {
        switch (message.kind) {
          case 'piece':
            take(message.piece)
            // Asked for one by one, so that others have their turn in between.
            worker.postMessage('next')
            break
          case 'done':
            done = message
            // Until there is something to serve, every client waits for this.
            if (isUrgent) resolve(done)
            break
          case 'failure':
            reject(unpackError(message.failure))
        }
      })
      worker.on('error', reject)
      worker.on('exit', () => {
        this.#underWay.delete(worker)
        // Not before the thread has given its memory back: while it does, whoever else takes some has to wait.
        if (done) return resolve(done)
        const cause = new Error(`it was to read ${assignment.path}`)
        reject(
          new Failure('internal', 'the thread that reads cluster state ended before it was done', { cause }),
        )
      })
    })
  }
}

/** An object as it was read; what of its old version is still so lives on in it. */
function newVersion(fresh: JsonObject, old: Index<object> | undefined): object {
  return sharing(fresh, old?.byUuid.get(String(fresh.uuid)) as JsonObject | undefined) as JsonObject
}

function emptyTables(): Tables {
  return { groups: [], nodes: [], networks: [], instances: [] }
}

export function packError(thrown: unknown): PackedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return {
    message: error.message,
    code: (error as NodeJS.ErrnoException).code,
    isFailure: error instanceof Failure,
    cause: error.cause === undefined ? undefined : packError(error.cause),
  }
}

function unpackError({ message, code, isFailure, cause }: PackedError): Error {
  const options = cause && { cause: unpackError(cause) }
  if (isFailure) return new Failure(code as Failure['code'], message, options)
  return Object.assign(new Error(message, options), code !== undefined && { code })
}
