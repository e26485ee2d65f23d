/**
 * Reads a file that somebody may be writing at this moment, so that what is read
 * is what they meant.
 *
 * Careful writers rename a complete file over the old one; others truncate the
 * file and write it in place, or remove it and make a new one. Whoever reads
 * amid that finds it empty, cut short or missing. So a reading counts only
 *
 * - when the file is the same before and after it, and as long as it says it is, and
 * - when it has been left alone for a while: longer where nothing is in it, or
 *   where there is no file, as that is how rewriting begins.
 *
 * Else the file is read again. How long it was left alone is told by the time
 * of its last change, so an old file is read once, without a wait; and by our own
 * clock, for files whose times are another machine's. A file that never rests
 * is believed once two of its states, neither of them empty, say the same.
 */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { identityOf } from './file-identity.ts'

export interface StableFile {
  readonly bytes: Buffer
  /** As it was before and after reading. */
  readonly stats: BigIntStats
}

export interface StableReadOptions {
  /** Refuse a larger file; in bytes. */
  readonly largest?: number
  /** Refuse whatever is no regular file, without waiting for the writer of a pipe. */
  readonly regularOnly?: boolean
}

/** How long a file has to be left alone before it is believed, in milliseconds. */
const QUIET = 50
/** The same for a file that is empty or missing. */
const QUIET_WITHOUT_CONTENT = 200
/** How soon to read again what changed while it was read, in milliseconds. */
const RETRY = 10
/** How long to read a file again and again, in milliseconds. */
const PATIENCE = 2000

/** How much to read at once, in bytes. */
const CHUNK = 512 * 1024

/** What one look at a path found. */
type Reading =
  | { readonly kind: 'file'; readonly identity: string; readonly changed: number; readonly file: StableFile }
  | { readonly kind: 'missing'; readonly identity: string; readonly changed: number; readonly error: unknown }
  | { readonly kind: 'moving' }
  /** A pipe, say: it can be read only once. */
  | { readonly kind: 'stream'; readonly file: StableFile }

/**
 * Reads a whole file.
 * @throws the error of the system, `ENOENT` only once the file has been missing for a while; and an Error
 *   where the file is too large, not a regular one, or still being written after two seconds
 */
export async function readStable(path: string, options: StableReadOptions = {}): Promise<StableFile> {
  const begin = performance.now()
  let seen: string | undefined
  let seenSince = begin
  let earlier: Buffer | undefined
  for (;;) {
    const now = performance.now()
    const wallClock = Date.now()
    const reading = await readOnce(path, options)
    if (reading.kind === 'stream') return reading.file
    let wait = RETRY
    if (reading.kind === 'moving') {
      seen = undefined
    } else {
      const isNew = reading.identity !== seen
      if (isNew) {
        seen = reading.identity
        seenSince = now
      }
      const { kind } = reading
      const hasContent = kind === 'file' && reading.file.bytes.length > 0
      const quiet = Math.max(wallClock - reading.changed, now - seenSince)
      const missing = (hasContent ? QUIET : QUIET_WITHOUT_CONTENT) - quiet
      if (missing <= 0) {
        if (kind === 'missing') throw reading.error
        return reading.file
      }
      if (hasContent && isNew) {
        if (now - begin > PATIENCE && earlier?.equals(reading.file.bytes)) return reading.file
        earlier = reading.file.bytes
      }
      wait = Math.ceil(missing)
    }
    if (performance.now() - begin > 2 * PATIENCE) throw new Error('it is being written all the time')
    await delay(wait)
  }
}

async function readOnce(path: string, options: StableReadOptions): Promise<Reading> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | (options.regularOnly ? constants.O_NONBLOCK : 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // Since when it is missing, its folder tells; where there is none either, nothing will come.
    const folder = await stat(dirname(path)).catch(() => undefined)
    return { kind: 'missing', identity: 'missing', changed: folder?.mtimeMs ?? 0, error }
  }
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) {
      if (options.regularOnly) throw new Error('it is not a regular file')
      return { kind: 'stream', file: { bytes: await readBounded(handle, options.largest), stats } }
    }
    const bytes = await readBounded(handle, options.largest)
    const identity = identityOf(stats)
    // Files that the kernel makes up say that they are empty.
    const whole = stats.size === 0n || stats.size === BigInt(bytes.length)
    if (!whole || identityOf(await handle.stat({ bigint: true })) !== identity) return { kind: 'moving' }
    return { kind: 'file', identity, changed: Number(stats.ctimeNs / 1_000_000n), file: { bytes, stats } }
  } finally {
    await handle.close()
  }
}

/** Reads to the end, whatever size the file claims to have. */
async function readBounded(handle: FileHandle, largest = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of handle.createReadStream({
    autoClose: false,
    end: largest,
    highWaterMark: CHUNK,
  })) {
    chunks.push(chunk)
    size += chunk.length
  }
  if (size > largest) throw new Error(`it is larger than ${largest / 1024} KiB`)
  return Buffer.concat(chunks)
}
