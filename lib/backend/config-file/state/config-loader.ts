/**
 * Loads cluster state without blocking the event loop: a thread reads, checks
 * and sorts (load-thread.ts); here the objects arrive in pieces, one in each turn
 * of the event loop, and are indexed in time slices. Reading 20,000 instances
 * takes a second or two, but requests are delayed by a few milliseconds at most.
 * Small files are loaded in the same way, as even a page of YAML takes longer to
 * read than a request should wait.
 *
 * Most of a large cluster is unchanged from one load to the next, so loads are
 * incremental. The thread gets digests of the objects of the last load, and
 * refers to unchanged objects by their index there; only changed objects are
 * transferred, and unchanged objects, and unchanged parts of changed ones, are
 * reused (structural sharing). So a reload costs the daemon little time and memory.
 *
 * The thread ends with the load, which frees its memory. (A process would have
 * its own memory too, but forking a daemon that has read a large cluster takes
 * longer than everything else.)
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

/** The result of a load, with which the next one compares. */
export interface Loaded {
  readonly config: Config
  /** The digests of its objects. */
  readonly digests: Digests
}

/** The input of the thread. */
export interface Assignment {
  readonly path: string
  /** The digests of the objects of the last load. */
  readonly known: Digests
}

/** The messages of the thread: a piece for each request, `done` after the last; or an error. */
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
  /** For each object its index in the last load, or -1 for the next one in `text`. */
  readonly places: Int32Array
  /** A JSON list. */
  readonly text: string
}

/** The parts of the state that are not in tables. */
export type Rest = Omit<ConfigObjects, Table>

/** An error as a message between threads, with its kind and its causes, which structured cloning would lose. */
export interface PackedError {
  readonly message: string
  /** The code of a Failure, or of a system error. */
  readonly code: string | undefined
  readonly isFailure: boolean
  /** Of a Failure. */
  readonly nextStep: string | undefined
  /** Of a system error. */
  readonly errno: number | undefined
  readonly cause: PackedError | undefined
}

type Tables = { [table in Table]: object[] }

const EMPTY = new Uint8Array()
/** The digests of an empty state. */
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
   * @param last the result of the last load, whose unchanged objects are reused
   * @returns the result of this load, and the file as it was read
   * @throws Failure `configuration` if the file cannot be read, or that lists all mistakes in it;
   *   `internal` if the loader is closed in the meantime
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

  /** Ends loads in progress. */
  async close(): Promise<void> {
    await Promise.all([...this.#underWay].map((worker) => worker.terminate()))
  }

  /**
   * Runs the thread, and receives its pieces.
   * @param isUrgent whether to finish without waiting for its end
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
            // Requested one by one, so that the event loop has other turns in between.
            worker.postMessage('next')
            break
          case 'done':
            done = message
            // At the start nothing can be served before this is done.
            if (isUrgent) resolve(done)
            break
          case 'failure':
            reject(unpackError(message.failure))
        }
      })
      worker.on('error', reject)
      worker.on('exit', () => {
        this.#underWay.delete(worker)
        // Wait until the thread has freed its memory: while it does, other allocations are delayed.
        if (done) return resolve(done)
        const cause = new Error(`it was to read ${assignment.path}`)
        reject(
          new Failure('internal', 'the thread that reads cluster state ended before it was done', { cause }),
        )
      })
    })
  }
}

/** An object as it was read, with unchanged parts of its old version reused. */
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
    nextStep: error instanceof Failure ? error.nextStep : undefined,
    errno: (error as NodeJS.ErrnoException).errno,
    cause: error.cause === undefined ? undefined : packError(error.cause),
  }
}

function unpackError({ message, code, isFailure, nextStep, errno, cause }: PackedError): Error {
  const options = cause && { cause: unpackError(cause) }
  if (isFailure) return new Failure(code as Failure['code'], message, { ...options, nextStep })
  return Object.assign(
    new Error(message, options),
    code !== undefined && { code },
    errno !== undefined && { errno },
  )
}
